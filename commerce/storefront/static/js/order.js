/** An order's page: where it stands, as it happens. */

import { ask, sentence } from "./api.js";
import { arrange, find, h, pageData } from "./dom.js";
import { fullTime } from "./format.js";
import { client, live } from "./live.js";
import { problem } from "./toasts.js";

/** What is told of each step, and the steps an order means to go. */
const STEPS = {
  order_placed: ["Placed", "We have your order."],
  order_paid: ["Paid", "Nothing is left to pay."],
  order_fulfilled: ["Ready", "Everything in it is yours."],
  order_canceled: ["Canceled", "It was given up before it was paid."],
  order_expired: ["Expired", "It was not paid in time."],
};
const PLAN = ["order_placed", "order_paid", "order_fulfilled"];
const STATES = {
  draft: "Draft",
  awaiting_payment: "Waiting for payment",
  paid: "Paid",
  fulfilled: "Ready",
  canceled: "Canceled",
  expired: "Expired",
};

export function showOrder() {
  const page = find("[data-order-page]");
  if (page === null || client === null) return;
  const { order, events } = pageData("order-data");
  const known = { order, steps: new Map(events.map((step) => [step.type, step.at_ms])) };
  show(page, known);
  live.subscribe(`order:${order.id}`, {
    event: (event) => event.type in STEPS && heard(page, known, event),
    reread: () => reread(page, known),
  });
  find("#ask-support", page).addEventListener("click", () => askSupport(order.id));
  find("#cancel-order", page)?.addEventListener("click", (event) =>
    cancel(order.id, event.currentTarget),
  );
}

function heard(page, known, { type, order, at_ms: atMs }) {
  known.steps.set(type, atMs);
  if (order.version > known.order.version) known.order = order;
  show(page, known);
}

async function reread(page, known) {
  const fresh = await ask("GET", `/v1/orders/${known.order.id}`).catch(() => null);
  if (fresh === null) return;
  for (const step of fresh.events) known.steps.set(step.type, step.at_ms);
  if (fresh.order.version > known.order.version) known.order = fresh.order;
  show(page, known);
}

function show(page, { order, steps }) {
  const state = find(".order-state", page);
  state.textContent = STATES[order.state];
  state.dataset.state = order.state;
  const isOver = order.state === "canceled" || order.state === "expired";
  const told = [...steps.keys()].filter((type) => type in STEPS);
  const ahead = isOver ? [] : PLAN.filter((type) => !steps.has(type));
  const shown = new Map(
    [...find(".timeline", page).children].map((row) => [row.dataset.step, row]),
  );
  arrange(
    find(".timeline", page),
    [...told, ...ahead].map((type) => stepRow(type, steps.get(type), shown.get(type))),
  );
  const button = find("#cancel-order", page);
  if (button !== null) button.hidden = order.state !== "awaiting_payment";
}

/** @param {string} type @param {number | undefined} atMs @param {HTMLElement | undefined} known */
function stepRow(type, atMs, known) {
  if (known?.dataset.at === String(atMs)) return known;
  const [title, text] = STEPS[type];
  const isDone = atMs !== undefined;
  return h(
    "li",
    {
      class: `step-row ${isDone ? "done" : "ahead"}${isDone && known !== undefined ? " fresh" : ""}`,
      "data-step": type,
      "data-at": atMs,
    },
    h("strong", {}, title),
    isDone
      ? h("time", { datetime: new Date(atMs).toISOString() }, fullTime(atMs))
      : h("span", { class: "muted" }, "Not yet"),
    isDone ? h("span", { class: "muted" }, text) : null,
  );
}

/** @param {string} id @param {any} button */
async function cancel(id, button) {
  button.disabled = true;
  try {
    await live.command({ type: "cancel_order", order: id }).outcome;
  } catch (error) {
    problem(sentence(error));
  } finally {
    button.disabled = false;
  }
}

/** Go to the room in which the buyer and the staff talk about the order. @param {string} id */
async function askSupport(id) {
  try {
    const { room } = await ask("POST", `/v1/orders/${id}/support`);
    location.assign(`/rooms/${room}`);
  } catch (error) {
    problem(sentence(error));
  }
}
