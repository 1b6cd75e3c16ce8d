/** What an order gave: its grants, and its papers. */

import { ask } from "./api.js";
import { fill, find, h } from "./dom.js";
import { shortTime, sumOf } from "./format.js";

const GRANTS = {
  pending: "On its way",
  granted: "Yours",
  suspended: "Suspended",
  revoked: "Taken back",
};
const BENEFITS = { license: "Licence key", files: "Files", access: "Access" };
const PAPERS = { invoice: "Invoice", credit_note: "Credit note" };

/** @param {HTMLElement} page @param {import("./order.js").Known} known */
export function showGoods(page, known) {
  const grants = () => readGrants(find("[data-grants]", page), known.order);
  const papers = () => readPapers(find("[data-papers]", page), known.order);
  known.listeners.add((_, event) => {
    if (event === undefined || event.type === "grant_changed") grants();
    if (event === undefined || event.type === "invoice_issued") papers();
  });
  grants();
  papers();
}

/** @param {HTMLElement} section @param {any} order */
async function readGrants(section, order) {
  const answer = await ask("GET", `/v1/orders/${order.id}/grants`).catch(() => null);
  if (answer === null) return;
  const titles = new Map(order.lines.map((line) => [line.id, line.title]));
  section.hidden = answer.items.length === 0;
  fill(
    find("ul", section),
    ...answer.items.map((grant) =>
      h(
        "li",
        {},
        h(
          "span",
          { class: "row-main" },
          h("strong", {}, titles.get(grant.line) ?? ""),
          h("span", { class: "muted" }, BENEFITS[grant.benefit] ?? grant.benefit),
        ),
        h(
          "span",
          { class: "order-state", "data-state": grant.state },
          GRANTS[grant.state] ?? grant.state,
        ),
      ),
    ),
  );
}

/** @param {HTMLElement} section @param {any} order */
async function readPapers(section, order) {
  const answer = await ask("GET", `/v1/invoices?order=${order.id}`).catch(() => null);
  if (answer === null) return;
  section.hidden = answer.items.length === 0;
  fill(
    find("ul", section),
    ...answer.items.map((paper) =>
      h(
        "li",
        {},
        h(
          "span",
          { class: "row-main" },
          h(
            "a",
            { href: `/v1/invoices/${paper.id}/pdf`, download: `${paper.number}.pdf` },
            `${PAPERS[paper.kind] ?? paper.kind} ${paper.number}`,
          ),
          h("span", { class: "muted" }, `${shortTime(paper.issued_at_ms)} · PDF`),
        ),
        h("span", {}, sumOf(paper.total)),
      ),
    ),
  );
}
