/** Paying for an order: with a method the buyer keeps, at the stand-in's page, or by Stripe.js. */

import { mintKey } from "../rialto/index.js";
import { ProblemError, ask, sentence } from "./api.js";
import { fill, find, h } from "./dom.js";
import { clockTime, sumOf } from "./format.js";
import { methodName } from "./method_names.js";
import { mountStripe, withReturn } from "./stripe_element.js";

/** Should the bank's word not be heard live, it is asked for so often. */
const ASK_AGAIN_MS = 4_000;
const ASKED_MAX = 30;

/** What a bank says in Stripe's words, in ours. @type {Record<string, string>} */
const FAILURES = {
  card_declined: "The card was declined.",
  insufficient_funds: "There is not enough money on the card.",
  expired_card: "The card has expired.",
  authentication_required: "The bank wants to ask you first.",
  payment_intent_authentication_failure: "The bank was not sure that it is you.",
};

/**
 * @param {HTMLElement} page @param {import("./order.js").Known} known
 * @param {() => Promise<void>} reread
 */
export function showPaying(page, known, reread) {
  const part = find("[data-pay]", page);
  const query = new URLSearchParams(location.search);
  const paying = { part, known, isBusy: false, isReturned: query.has("payment_intent") };
  known.listeners.add((_, event) => heard(paying, event));
  find("#pay-order", part).addEventListener("click", () => pay(paying, {}));
  show(paying);
  if (query.has("pay") || paying.isReturned) history.replaceState(null, "", location.pathname);
  if (paying.isReturned) waitForTheBank(paying, reread);
  else if (isOpen(paying)) begin(paying, query.has("pay"));
}

const isOpen = ({ known }) => known.order.state === "awaiting_payment";

/** @param {any} paying @param {any} event */
function heard(paying, event) {
  if (event?.type === "payment_changed" && event.payment.failure) {
    paying.isReturned = false;
    tell(paying, FAILURES[event.payment.failure] ?? "The payment did not go through.");
  }
  if (event?.type === "order_payment_failed") paying.isReturned = false;
  show(paying);
}

function show(paying) {
  const { part, known, isBusy, isReturned } = paying;
  const { order } = known;
  part.hidden = !isOpen(paying) && order.state !== "processing";
  const isWaiting = isReturned || order.state === "processing";
  const until = order.pay_until_ms ? ` Kept for you until ${clockTime(order.pay_until_ms)}.` : "";
  find("[data-pay-note]", part).textContent = isWaiting
    ? "Waiting for the word of your bank. This page shows it as soon as it comes."
    : `${sumOf(order.total)} to pay.${until}`;
  find(".pay-acts", part).hidden = isWaiting;
  find(".pay-ways", part).hidden = isWaiting || find(".pay-ways", part).children.length === 0;
  const button = find("#pay-order", part);
  button.disabled = isBusy;
  button.textContent = isBusy ? "One moment…" : "Pay";
  part.setAttribute("aria-busy", String(isBusy || isWaiting));
}

/** Offer what the buyer keeps; whoever keeps nothing goes on at once. */
async function begin(paying, isAtOnce) {
  const answer = await ask("GET", "/v1/payment-methods").catch(() => ({ items: [] }));
  fill(
    find(".pay-ways", paying.part),
    ...answer.items.map((method) =>
      h(
        "li",
        {},
        h(
          "button",
          {
            type: "button",
            class: "button quiet-button",
            onclick: () => pay(paying, { method: method.id }),
          },
          `Pay with ${methodName(method)}`,
        ),
      ),
    ),
  );
  show(paying);
  if (isAtOnce && answer.items.length === 0) await pay(paying, {});
}

/** @param {any} paying @param {{ method?: string }} wish */
async function pay(paying, wish) {
  if (paying.isBusy) return;
  paying.isBusy = true;
  tell(paying, "");
  show(paying);
  const back = `${location.origin}/orders/${paying.known.order.id}`;
  try {
    const path = `/v1/orders/${paying.known.order.id}/payments`;
    const opened = await ask("POST", path, wish, { key: mintKey() });
    if (opened.order?.version > paying.known.order.version) paying.known.order = opened.order;
    const { state, failure } = opened.payment;
    if (state === "succeeded" || state === "processing") paying.isReturned = true;
    else if (state === "failed") tell(paying, FAILURES[failure] ?? "The payment did not go through.");
    else if (opened.pay_url) location.assign(withReturn(opened.pay_url, back));
    else await mountStripe(find("[data-stripe]", paying.part), opened.client_secret, back);
  } catch (error) {
    const isMissing = error instanceof ProblemError && error.status === 404;
    tell(paying, isMissing ? "Paying is not open at the moment." : sentence(error));
  } finally {
    paying.isBusy = false;
    show(paying);
  }
}

/** Whoever comes back goes on with the attempt there is, which asks what has become of it. */
async function askWhatBecame(paying, reread) {
  const path = `/v1/orders/${paying.known.order.id}/payments`;
  const opened = await ask("POST", path, {}, { key: mintKey() }).catch(() => null);
  if (opened?.payment.state === "requires_method") {
    paying.isReturned = false;
    const { failure } = opened.payment;
    tell(paying, FAILURES[failure] ?? "The payment did not go through. Nothing was taken.");
  }
  await reread();
}

/** The word of the bank comes live; now and then we ask, should it be lost on its way. */
async function waitForTheBank(paying, reread) {
  if (isOpen(paying)) await askWhatBecame(paying, reread);
  for (let asked = 0; asked < ASKED_MAX && isOpen(paying) && paying.isReturned; asked += 1) {
    await new Promise((resolve) => setTimeout(resolve, ASK_AGAIN_MS));
    await reread();
  }
  paying.isReturned = false;
  show(paying);
  if (isOpen(paying)) begin(paying, false);
}

function tell(paying, text) {
  const told = find("[data-told]", paying.part);
  told.textContent = text;
  told.hidden = text === "";
}
