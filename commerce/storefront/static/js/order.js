/** An order's page: where it stands, as it happens. */

import { ask, sentence } from "./api.js";
import { arrange, fill, find, h, pageData } from "./dom.js";
import { fullTime, money, sumOf } from "./format.js";
import { client, live } from "./live.js";
import { showGoods } from "./order_goods.js";
import { showPaying } from "./order_pay.js";
import { showRefunds } from "./order_refunds.js";
import { OVER, PLAN, STATES, STEPS } from "./states.js";
import { problem } from "./toasts.js";

/**
 * What the page knows of its order. `steps` are by version; `listeners` hear of every change, and of
 * events about what belongs to the order.
 * @typedef {object} Known
 * @property {any} order
 * @property {Map<number, { version: number, type: string, at_ms: number }>} steps
 * @property {Set<(known: Known, event?: any) => void>} listeners
 */

export function showOrder() {
  const page = find("[data-order-page]");
  if (page === null || client === null) return;
  const { order, events } = pageData("order-data");
  /** @type {Known} */
  const known = {
    order,
    steps: new Map(events.map((step) => [step.version, step])),
    listeners: new Set(),
  };
  show(page, known);
  live.subscribe(`order:${order.id}`, {
    event: (event) => heard(page, known, event),
    reread: () => reread(page, known),
  });
  find("#ask-support", page).addEventListener("click", () => askSupport(order.id));
  find("#cancel-order", page)?.addEventListener("click", (event) =>
    cancel(order.id, event.currentTarget),
  );
  showPaying(page, known, () => reread(page, known));
  showGoods(page, known);
  showRefunds(page, known);
}

/** @param {HTMLElement} page @param {Known} known @param {any} event */
function heard(page, known, event) {
  if (event.type in STEPS) {
    const { type, order, at_ms: atMs } = event;
    known.steps.set(order.version, { version: order.version, type, at_ms: atMs });
    if (order.version > known.order.version) known.order = order;
    show(page, known);
  }
  for (const listener of known.listeners) listener(known, event);
}

/** Ask for the steps this page has not seen. @param {HTMLElement} page @param {Known} known */
async function reread(page, known) {
  const after = Math.max(0, ...known.steps.keys());
  const path = `/v1/orders/${known.order.id}?after_version=${after}`;
  const fresh = await ask("GET", path).catch(() => null);
  if (fresh === null) return;
  for (const step of fresh.events) known.steps.set(step.version, step);
  if (fresh.order.version > known.order.version) known.order = fresh.order;
  show(page, known);
  for (const listener of known.listeners) listener(known);
}

/** @param {HTMLElement} page @param {Known} known */
function show(page, { order, steps }) {
  const state = find(".order-state", page);
  state.textContent = STATES[order.state];
  state.dataset.state = order.state;
  for (const over of ["disputed", "held"]) find(`[data-over=${over}]`, page).hidden = !order[over];
  const told = [...steps.values()]
    .filter((step) => step.type in STEPS)
    .sort((one, other) => one.version - other.version);
  const types = new Set(told.map((step) => step.type));
  const isPaid = types.has("order_paid");
  const ahead = OVER.has(order.state)
    ? []
    : PLAN.filter((type) => !types.has(type) && !(isPaid && type === "order_placed"));
  const timeline = find(".timeline", page);
  const shown = new Map([...timeline.children].map((row) => [row.dataset.version, row]));
  const isFirst = !timeline.dataset.isShown;
  timeline.dataset.isShown = "yes";
  arrange(timeline, [
    ...told.map((step) => shown.get(String(step.version)) ?? doneRow(step, isFirst)),
    ...(order.state === "partially_refunded" ? [] : ahead).map(aheadRow),
  ]);
  const button = find("#cancel-order", page);
  if (button !== null) button.hidden = order.state !== "awaiting_payment";
  fill(find("[data-lines]", page), ...order.lines.map(lineRow), ...totals(order));
}

/** @param {{ version: number, type: string, at_ms: number }} step @param {boolean} isFirst */
function doneRow({ version, type, at_ms: atMs }, isFirst) {
  const [title, text] = STEPS[type];
  return h(
    "li",
    {
      class: `step-row done${isFirst ? "" : " fresh"}`,
      "data-step": type,
      "data-version": version,
    },
    h("strong", {}, title),
    h("time", { datetime: new Date(atMs).toISOString() }, fullTime(atMs)),
    h("span", { class: "muted" }, text),
  );
}

/** @param {string} type */
function aheadRow(type) {
  return h(
    "li",
    { class: "step-row ahead", "data-step": type },
    h("strong", {}, STEPS[type][0]),
    h("span", { class: "muted" }, "Not yet"),
  );
}

/** @param {any} line */
function lineRow(line) {
  const notes = [
    line.quantity > 1 && `${line.quantity} × ${money(line.unit_price)}`,
    line.discount?.amount_minor > 0 && `less ${sumOf(line.discount)}`,
    line.refunded?.amount_minor > 0 && `${sumOf(line.refunded)} refunded`,
  ].filter(Boolean);
  return h(
    "li",
    {},
    h(
      "span",
      { class: "row-main" },
      h("strong", {}, line.title),
      notes.length > 0 && h("span", { class: "muted" }, notes.join(" · ")),
    ),
    h("span", {}, money(line.total)),
  );
}

/** What the order's total is made of. @param {any} order */
function totals(order) {
  const rows = [];
  if (order.discount?.amount_minor > 0) rows.push(["Discount", `−${sumOf(order.discount)}`]);
  for (const share of order.taxes ?? [])
    rows.push([share.is_inclusive ? `${share.name}, included` : share.name, sumOf(share.tax)]);
  const shown = rows.map(([name, amount]) =>
    h("li", { class: "order-sum" }, h("span", { class: "muted" }, name), h("span", {}, amount)),
  );
  shown.push(
    h("li", { class: "order-total" }, h("span", {}, "Total"), h("strong", {}, money(order.total))),
  );
  if (order.refunded?.amount_minor > 0)
    shown.push(
      h(
        "li",
        { class: "order-sum" },
        h("span", { class: "muted" }, "Refunded"),
        h("span", {}, sumOf(order.refunded)),
      ),
    );
  return shown;
}

/** @param {string} id @param {any} button */
async function cancel(id, button) {
  button.disabled = true;
  try {
    await ask("POST", `/v1/orders/${id}/cancel`, undefined, { key: `cancel-${id}` });
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
