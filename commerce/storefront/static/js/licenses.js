/** The licences that came with an order: their keys, and on how many machines each is used. */

import { ask } from "./api.js";
import { fill, find, h, pageData } from "./dom.js";
import { client } from "./live.js";
import { toast } from "./toasts.js";

const STATES = { granted: "", suspended: "Suspended", revoked: "Revoked" };

export function showLicenses() {
  const section = find("[data-licenses]");
  if (section === null || client === null) return;
  const { order } = pageData("order-data");
  const refresh = () => show(section, order.id);
  client.subscribeOwn({
    event: (event) =>
      event.type === "license_changed" && event.license.order === order.id && refresh(),
    reread: refresh,
  });
  refresh();
}

/** @param {Element} section @param {string} order */
async function show(section, order) {
  const answer = await ask("GET", `/v1/orders/${order}/licenses`).catch(() => null);
  if (answer === null) return;
  section.toggleAttribute("hidden", answer.items.length === 0);
  fill(find("ul", section), ...answer.items.map(row));
}

/** @param {{ key: string, license: import("../rialto/types.d.ts").License }} item */
function row({ key, license }) {
  const used = `${license.machines_active} of ${license.machines_max} machines`;
  const note = [STATES[license.state], until(license.expires_at_ms), used].filter(Boolean);
  return h(
    "li",
    {},
    h(
      "span",
      { class: "row-main" },
      h("strong", {}, license.title),
      h("code", { class: "license-key" }, key),
      h("span", { class: "muted" }, note.join(" · ")),
    ),
    h(
      "button",
      {
        type: "button",
        class: "button quiet-button",
        "aria-label": `Copy the licence key of ${license.title}`,
        onclick: () => copy(key),
      },
      "Copy",
    ),
  );
}

/** @param {number | undefined} atMs */
function until(atMs) {
  return atMs === undefined ? "" : `until ${new Date(atMs).toLocaleDateString()}`;
}

/** @param {string} key */
async function copy(key) {
  try {
    await navigator.clipboard.writeText(key);
    toast("The licence key is copied.");
  } catch {
    toast("This browser does not let pages copy; select the key instead.");
  }
}
