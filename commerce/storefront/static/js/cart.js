/** The cart's page: lines, their quantities, and the order. */

import { mintKey } from "../rialto/index.js";
import { sentence } from "./api.js";
import {
  chooseCurrency,
  currentCart,
  isPending,
  onCart,
  quantityOf,
  readCart,
  setQuantity,
} from "./cart_store.js";
import { arrange, fill, find, h, icon } from "./dom.js";
import { money, stockLeft, tone } from "./format.js";
import { client, live } from "./live.js";
import { readState } from "./product_states.js";
import { problem } from "./toasts.js";

const QUANTITY_MAX = 99;

/** @typedef {import("../rialto/types.d.ts").CartLine} CartLine */

/** @type {Map<string, { element: HTMLElement, shown: string }>} */
const rows = new Map();
/** @type {Map<string, import("../rialto/products.js").Watch>} by product */
const watches = new Map();
/** How many of a variant are left, where the shop has said so. @type {Map<string, number | null>} */
const stocks = new Map();
let isOrdering = false;

export function showCartPage() {
  const page = find("[data-cart-page]");
  if (page === null) return;
  onCart((cart) => {
    if (client !== null) watchProducts(page, cart);
    show(page, cart);
  });
  find("#place-order", page).addEventListener("click", () => goOn(page));
  const currency = find("#cart-currency", page);
  currency.addEventListener("change", () => chooseCurrency(currency.value).then(() => restore()));
  const restore = () => (currency.value = currentCart()?.total.currency);
}

/** @param {HTMLElement} page @param {import("../rialto/types.d.ts").Cart} cart */
function show(page, cart) {
  const lines = cart.lines.filter((line) => quantityOf(line.variant) > 0);
  arrange(find(".cart-lines", page), lines.map(rowOf));
  page.classList.toggle("empty-cart", lines.length === 0 && !isOrdering);
  const minor = lines.reduce(
    (sum, line) => sum + line.unit_price.amount_minor * quantityOf(line.variant),
    0,
  );
  const total = { amount_minor: minor, currency: cart.total.currency };
  fill(find("#cart-total", page), money(total));
  const button = find("#place-order", page);
  button.disabled = isOrdering || isPending() || lines.length === 0 || lines.some(isShort);
  button.textContent = isOrdering
    ? "Placing your order…"
    : minor === 0
      ? "Get it free"
      : "Go to checkout";
  find("#cart-note", page).textContent =
    minor === 0
      ? "Nothing to pay. It is yours at once."
      : "Discounts and taxes come next. Nothing is ordered yet.";
}

/** Hear of price and stock of what is in the cart. What the page shows was read just now.
 * @param {HTMLElement} page @param {import("../rialto/types.d.ts").Cart} cart
 */
function watchProducts(page, cart) {
  const wanted = new Set(cart.lines.map((line) => line.product));
  for (const [product, watch] of watches) {
    if (wanted.has(product)) continue;
    watch.leave();
    watches.delete(product);
  }
  for (const product of wanted) {
    if (watches.has(product)) continue;
    const stale = async () => {
      const fresh = await readState(product);
      if (fresh === null) return;
      watches.get(product)?.has(fresh.version);
      takeState(page, fresh);
    };
    watches.set(product, live.watch(product, { state: (fresh) => takeState(page, fresh), stale }));
  }
}

/** @param {HTMLElement} page @param {import("../rialto/types.d.ts").Product} product */
function takeState(page, product) {
  const cart = currentCart();
  if (cart === null) return;
  const prices = new Map();
  for (const variant of product.variants ?? []) {
    stocks.set(variant.id, variant.stock ?? null);
    prices.set(variant.id, variant.price.amount_minor);
  }
  const isRepriced = (/** @type {CartLine} */ line) =>
    (prices.get(line.variant) ?? line.unit_price.amount_minor) !== line.unit_price.amount_minor;
  if (cart.lines.some(isRepriced)) readCart();
  show(page, cart);
}

/** Whether there are fewer left than the line asks for. @param {CartLine} line */
function isShort(line) {
  const stock = stocks.get(line.variant) ?? null;
  return stock !== null && stock < quantityOf(line.variant);
}

/** @param {CartLine} line */
function rowOf(line) {
  const quantity = quantityOf(line.variant);
  const shown = JSON.stringify([line, quantity, stocks.get(line.variant)]);
  const known = rows.get(line.variant);
  if (known?.shown === shown) return known.element;
  const focused = known?.element.contains(document.activeElement)
    ? document.activeElement?.getAttribute("data-act")
    : null;
  const element = makeRow(line, quantity);
  rows.set(line.variant, { element, shown });
  if (focused) queueMicrotask(() => find(`[data-act="${focused}"]`, element)?.focus());
  return element;
}

/** @param {CartLine} line @param {number} quantity */
function makeRow(line, quantity) {
  const total = { ...line.unit_price, amount_minor: line.unit_price.amount_minor * quantity };
  const act = (name, label, symbol, next, disabled = false) =>
    h(
      "button",
      {
        type: "button",
        class: "step",
        "data-act": name,
        "aria-label": `${label}: ${line.title}`,
        disabled,
        onclick: () => setQuantity(line.variant, next),
      },
      icon(symbol),
    );
  return h(
    "li",
    { class: "cart-line" },
    line.cover_url
      ? h("img", { class: "cover-small", src: line.cover_url, alt: "", width: "96", height: "72" })
      : h("span", { class: `cover-small tone-${tone(line.product)}`, "aria-hidden": "true" }),
    h(
      "div",
      { class: "cart-what" },
      h("a", { href: `/p/${line.slug}` }, line.title),
      h(
        "span",
        { class: "muted" },
        [line.variant_title, money(line.unit_price), stockLeft(stocks.get(line.variant))]
          .filter(Boolean)
          .join(" · "),
      ),
    ),
    h(
      "div",
      { class: "steps", role: "group", "aria-label": `Quantity of ${line.title}` },
      act("less", "One less", "minus", quantity - 1),
      h("output", {}, String(quantity)),
      act("more", "One more", "plus", quantity + 1, quantity >= QUANTITY_MAX),
    ),
    h("strong", { class: "cart-sum" }, money(total)),
    act("remove", "Remove", "trash", 0),
  );
}

/** What costs nothing is ordered at once by who is known; all else goes by the checkout.
 * @param {HTMLElement} page
 */
function goOn(page) {
  const minor = currentCart()?.total.amount_minor ?? 0;
  if (client !== null && minor === 0) placeOrder(page);
  else location.assign("/checkout");
}

/** @param {HTMLElement} page */
async function placeOrder(page) {
  const cart = currentCart();
  if (cart === null || isOrdering) return;
  isOrdering = true;
  show(page, cart);
  const { key, forget } = orderKey(cart);
  try {
    const result = await live.command({ type: "place_order", cart_version: cart.version }, { key })
      .outcome;
    if (result?.type === "order") location.assign(`/orders/${result.order}`);
  } catch (error) {
    forget();
    problem(sentence(error));
    isOrdering = false;
    show(page, currentCart() ?? cart);
  }
}

/** One cart is ordered once, even when the page is reloaded before the answer came.
 * @param {import("../rialto/types.d.ts").Cart} cart
 */
function orderKey(cart) {
  const name = `rialto.order.${cart.id}.${cart.version}`;
  const key = sessionStorage.getItem(name) ?? mintKey();
  sessionStorage.setItem(name, key);
  return { key, forget: () => sessionStorage.removeItem(name) };
}
