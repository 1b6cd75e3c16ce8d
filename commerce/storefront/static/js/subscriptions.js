/** What somebody subscribes to, live: stop it, let it go on, pay what is open; and the plans. */

import { mintKey } from "../rialto/index.js";
import { ask, sentence } from "./api.js";
import { presentCountry } from "./countries.js";
import { fill, find, h } from "./dom.js";
import { plural, sumOf } from "./format.js";
import { client } from "./live.js";

/** @typedef {import("../rialto/types.d.ts").Subscription} Subscription */

/** @type {Record<string, string>} */
const STATES = {
  incomplete: "Waiting for payment",
  incomplete_expired: "Never begun",
  trialing: "On trial",
  active: "Active",
  past_due: "Payment overdue",
  unpaid: "Unpaid",
  paused: "Paused",
  canceled: "Ended",
};
const OVER = new Set(["canceled", "incomplete_expired"]);

/** @type {Map<string, Subscription>} */
const mine = new Map();

export function showSubscriptions() {
  const page = find("[data-subscriptions]");
  if (page === null || client === null) return;
  client.subscribeOwn({
    event: (event) => event.type === "subscription_changed" && take(page, event.subscription),
    reread: () => read(page),
  });
  act(page, () => read(page));
  showPlans(page);
}

/** @param {HTMLElement} page */
async function read(page) {
  const { items } = await ask("GET", "/v1/subscriptions?limit=50");
  for (const one of items) mine.set(one.id, one);
  show(page);
}

/** @param {HTMLElement} page @param {Subscription} fresh */
function take(page, fresh) {
  if (fresh.version < (mine.get(fresh.id)?.version ?? 0)) return;
  mine.set(fresh.id, fresh);
  show(page);
}

/** @param {HTMLElement} page */
function show(page) {
  const newest = [...mine.values()].sort((one, other) => (one.id < other.id ? 1 : -1));
  find(".empty-state", page).hidden = newest.length > 0;
  fill(find("[data-mine]", page), ...newest.map((one) => row(page, one)));
}

const day = (/** @type {number} */ ms) => new Date(ms).toLocaleDateString();

/** @param {HTMLElement} page @param {Subscription} sub */
function row(page, sub) {
  const path = `/v1/subscriptions/${sub.id}`;
  const does = (label, step, body) =>
    h(
      "button",
      {
        type: "button",
        class: "button quiet-button",
        "aria-label": `${label}: ${sub.title}`,
        onclick: () =>
          act(page, async () =>
            take(page, await ask("POST", `${path}/${step}`, body, { key: mintKey() })),
          ),
      },
      label,
    );
  const isOver = OVER.has(sub.state);
  const isRunning = sub.state === "active" || sub.state === "trialing";
  return h(
    "li",
    { class: "method" },
    h(
      "span",
      { class: "row-main" },
      h("strong", {}, sub.title),
      h("span", { class: "muted" }, note(sub)),
    ),
    h("span", { class: "order-state", "data-state": sub.state }, STATES[sub.state] ?? sub.state),
    sub.order && h("a", { class: "button small", href: `/orders/${sub.order}?pay` }, "Pay"),
    (sub.state === "past_due" || sub.state === "unpaid") && does("Try again", "retry"),
    sub.state === "paused" && does("Go on", "resume"),
    isRunning && !sub.cancels_at_period_end && does("Pause", "pause", {}),
    !isOver &&
      (sub.cancels_at_period_end
        ? does("Keep it", "keep")
        : does("End it", "cancel", { when: "at_period_end" })),
  );
}

/** @param {Subscription} sub */
function note(sub) {
  const price = sumOf(sub.price);
  if (OVER.has(sub.state)) return price;
  if (sub.cancels_at_period_end) return `${price} · ends on ${day(sub.period_ends_at_ms)}`;
  if (sub.state === "paused") {
    return sub.resumes_at_ms ? `${price} · goes on on ${day(sub.resumes_at_ms)}` : price;
  }
  if (sub.next_try_at_ms) return `${price} · tried again on ${day(sub.next_try_at_ms)}`;
  return `${price} · next payment on ${day(sub.period_ends_at_ms)}`;
}

/** @param {HTMLElement} page */
async function showPlans(page) {
  const section = find("[data-plans]", page);
  const answer = await ask("GET", "/v1/plans?limit=50").catch(() => ({ items: [] }));
  section.hidden = answer.items.length === 0;
  fill(
    find("ul", section),
    ...answer.items.map((plan) =>
      h(
        "li",
        { class: "method" },
        h(
          "span",
          { class: "row-main" },
          h("strong", {}, plan.title),
          h("span", { class: "muted" }, priceOf(plan)),
        ),
        h(
          "button",
          {
            type: "button",
            class: "button",
            "aria-label": `Subscribe: ${plan.title}`,
            onclick: () => act(page, () => subscribe(plan)),
          },
          "Subscribe",
        ),
      ),
    ),
  );
}

/** @param {any} plan */
function priceOf(plan) {
  const time = plan.every === 1 ? plan.unit : plural(plan.every, plan.unit, `${plan.unit}s`);
  const price = `${sumOf(plan.prices[0])} every ${time}`;
  return plan.trial_days ? `${price}, ${plan.trial_days} days to try` : price;
}

/** The first period is an order like any other, and paid on its page. @param {any} plan */
async function subscribe(plan) {
  const wish = { plan: plan.id, country: presentCountry() };
  const started = await ask("POST", "/v1/subscriptions", wish, { key: mintKey() });
  if (started.order) location.assign(`/orders/${started.order}?pay`);
}

/** @param {HTMLElement} page @param {() => Promise<void>} run */
async function act(page, run) {
  const told = find("[data-told]", page);
  page.setAttribute("aria-busy", "true");
  told.hidden = true;
  try {
    await run();
  } catch (error) {
    find(".skeleton", page)?.remove();
    told.textContent = sentence(error);
    told.hidden = false;
  } finally {
    page.removeAttribute("aria-busy");
  }
}
