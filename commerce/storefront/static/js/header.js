/** What every page shows at its top: the cart's count, the bell, who is signed in. */

import { ask } from "./api.js";
import { itemsCount, onCart } from "./cart_store.js";
import { find } from "./dom.js";
import { plural } from "./format.js";
import { client, forgetTicket, live } from "./live.js";
import { toast } from "./toasts.js";

/** News older than this was seen elsewhere. */
const NEWS_MS_MAX = 60_000;

const ORDER_NEWS = {
  order_placed: "is placed.",
  order_paid: "is paid.",
  order_fulfilled: "is ready.",
  order_canceled: "is canceled.",
  order_expired: "was not paid in time.",
  order_payment_failed: "could not be paid. You can try again.",
  order_paid_late: "was paid too late; the money goes back.",
  order_refunded: "was refunded.",
};

export function showHeader() {
  onCart(showCartCount);
  find("#sign-out")?.addEventListener("click", signOut);
  client?.subscribeOwn({
    event: (event, { atMs }) => {
      const isNews = live.now() - atMs < NEWS_MS_MAX;
      if (isNews && event.type in ORDER_NEWS) tellOfOrder(event);
    },
  });
}

function showCartCount() {
  const badge = find("#cart-count");
  const count = itemsCount();
  badge.textContent = count > 99 ? "99+" : String(count);
  badge.hidden = count === 0;
  find("#cart-link").setAttribute("aria-label", `Cart, ${plural(count, "item", "items")}`);
}

/** @param {{ type: string, order: import("../rialto/types.d.ts").Order }} event */
function tellOfOrder({ type, order }) {
  const href = `/orders/${order.id}`;
  if (location.pathname === href) return;
  const isLast = order.state === "fulfilled" ? type === "order_fulfilled" : true;
  if (isLast)
    toast(`Order ${order.number} ${ORDER_NEWS[type]}`, { link: { href, label: "Look at it" } });
}

async function signOut() {
  forgetTicket();
  await ask("DELETE", "/v1/sessions/current").catch(() => {});
  location.assign("/");
}
