/** An order's refunds, and asking for one. */

import { mintKey } from "../rialto/index.js";
import { ask, sentence } from "./api.js";
import { fill, find, h } from "./dom.js";
import { sumOf } from "./format.js";
import { toast } from "./toasts.js";

/** @type {Record<string, string>} */
const STATES = {
  reserved: "Being prepared",
  submitting: "Being sent",
  pending: "On its way",
  succeeded: "With your bank",
  failed: "Failed",
  canceled: "Canceled",
  asked: "Asked for",
  denied: "Declined",
  withdrawn: "Withdrawn",
};

/** @param {HTMLElement} page @param {import("./order.js").Known} known */
export function showRefunds(page, known) {
  const section = find("[data-refunds]", page);
  const form = find("form", section);
  known.listeners.add((_, event) => {
    show(section, known.order);
    if (event === undefined || event.type === "refund_changed") read(section, known.order);
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    request(section, form, known.order);
  });
  show(section, known.order);
  read(section, known.order);
}

const minor = (money) => money?.amount_minor ?? 0;

/** What is left to be refunded of a line. @param {any} line */
const leftOf = (line) => minor(line.total) - minor(line.refunded);

/** @param {HTMLElement} section @param {any} order */
function show(section, order) {
  const isPossible = minor(order.captured) > minor(order.refunded) && !order.disputed;
  const hasRows = find("ul", section).children.length > 0;
  section.hidden = !isPossible && !hasRows;
  find("details", section).hidden = !isPossible || section.dataset.isAsked === "yes";
  const lines = order.lines.filter((line) => leftOf(line) > 0);
  const chosen = new Set(
    [...section.querySelectorAll("input[name=line]:checked")].map((input) => input.value),
  );
  fill(
    find("fieldset", section),
    h("legend", { class: "visually-hidden" }, "Of what"),
    ...lines.map((line) =>
      h(
        "label",
        { class: "consent" },
        h("input", {
          type: "checkbox",
          name: "line",
          value: line.id,
          checked: lines.length === 1 || chosen.has(line.id),
        }),
        h("span", {}, `${line.title}, ${sumOf({ ...line.total, amount_minor: leftOf(line) })}`),
      ),
    ),
  );
}

/** @param {HTMLElement} section @param {any} order */
async function read(section, order) {
  const answer = await ask("GET", `/v1/orders/${order.id}/refunds`).catch(() => null);
  if (answer === null) return;
  // What was approved shows as the refund that came of it.
  section.dataset.isAsked = answer.requests.some((one) => one.state === "asked") ? "yes" : "no";
  const rows = [...answer.requests.filter((one) => one.state !== "approved"), ...answer.refunds];
  fill(
    find("ul", section),
    ...rows.map((refund) =>
      h(
        "li",
        {},
        h(
          "span",
          { class: "row-main" },
          h("strong", {}, STATES[refund.state] ?? refund.state),
          h("span", { class: "muted" }, refund.answer || refund.reason || ""),
        ),
        refund.amount && h("span", {}, sumOf(refund.amount)),
      ),
    ),
  );
  show(section, order);
}

/** @param {HTMLElement} section @param {HTMLFormElement} form @param {any} order */
async function request(section, form, order) {
  const told = find(".form-problem", form);
  const fields = new FormData(form);
  const lines = fields.getAll("line");
  told.hidden = lines.length > 0;
  told.textContent = "Say of what.";
  if (lines.length === 0) return;
  form.setAttribute("aria-busy", "true");
  try {
    const body = { lines: lines.map((line) => ({ line })), reason: fields.get("reason") };
    await ask("POST", `/v1/orders/${order.id}/refunds`, body, { key: mintKey() });
    toast("Your wish is with the shop.");
    find("details", section).open = false;
    form.reset();
    await read(section, order);
  } catch (error) {
    told.textContent = sentence(error);
    told.hidden = false;
  } finally {
    form.removeAttribute("aria-busy");
  }
}
