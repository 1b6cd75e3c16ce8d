/** Short messages at the edge of the page. Problems stay until they are dismissed. */

import { find, h, icon } from "./dom.js";

const SHOWN_MS = 6_000;
const TOASTS_MAX = 4;

/**
 * Say something.
 * @param {string} text
 * @param {{ kind?: "notice" | "problem", link?: { href: string, label: string } }} [options]
 */
export function toast(text, { kind = "notice", link } = {}) {
  const region = find(kind === "problem" ? "#problems" : "#notices");
  const shown = h(
    "div",
    { class: `toast ${kind}` },
    h("p", {}, text, link && " ", link && h("a", { href: link.href }, link.label)),
    h(
      "button",
      { type: "button", class: "quiet", "aria-label": "Dismiss", onclick: () => shown.remove() },
      icon("close"),
    ),
  );
  region.append(shown);
  while (region.children.length > TOASTS_MAX) region.firstElementChild.remove();
  if (kind === "notice") setTimeout(() => shown.remove(), SHOWN_MS);
}

/**
 * Show what those who run the shop say; a warning stays until it is dismissed.
 * @param {import("../rialto/index.js").Client} client
 */
export function showNotices(client) {
  client.onNotice(({ text, level }) => (level === "warning" ? problem(text) : toast(text)));
}

/** @param {string} text */
export const notice = (text) => toast(text);

/** @param {string} text */
export const problem = (text) => toast(text, { kind: "problem" });
