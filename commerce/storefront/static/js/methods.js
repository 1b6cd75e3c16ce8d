/** What somebody keeps to pay with: keep one more, pay with it by default, keep it no longer. */

import { mintKey } from "../rialto/index.js";
import { ask, sentence } from "./api.js";
import { fill, find, h } from "./dom.js";
import { methodName } from "./method_names.js";
import { mountStripe, withReturn } from "./stripe_element.js";
import { toast } from "./toasts.js";

export function showMethods() {
  const page = find("[data-methods]");
  if (page === null) return;
  find("#keep-method", page).addEventListener("click", () => act(page, () => keep(page)));
  const outcome = new URLSearchParams(location.search).get("redirect_status");
  if (outcome === "succeeded") toast("The method is kept.");
  if (outcome !== null) history.replaceState(null, "", location.pathname);
  act(page, async () => {
    show(page, await ask("GET", "/v1/payment-methods"));
    if (outcome === "failed") throw new Error("The bank did not agree; nothing is kept.");
  });
}

/** @param {HTMLElement} page @param {{ items: any[] }} methods */
function show(page, { items }) {
  find(".empty-state", page).hidden = items.length > 0;
  fill(find(".rows", page), ...items.map((method) => row(page, method)));
}

/** @param {HTMLElement} page @param {any} method */
function row(page, method) {
  const name = methodName(method);
  const path = `/v1/payment-methods/${method.id}`;
  const note = [method.expires && `until ${method.expires}`, method.is_default && "used by default"];
  const button = (label, run) =>
    h(
      "button",
      {
        type: "button",
        class: "button quiet-button",
        "aria-label": `${label}: ${name}`,
        onclick: () => act(page, run),
      },
      label,
    );
  return h(
    "li",
    { class: "method" },
    h(
      "span",
      { class: "row-main" },
      h("strong", {}, name),
      h("span", { class: "muted" }, note.filter(Boolean).join(" · ")),
    ),
    !method.is_default &&
      button("Use by default", async () => show(page, await ask("PUT", `${path}/default`))),
    button("Remove", async () => {
      await ask("DELETE", path);
      show(page, await ask("GET", "/v1/payment-methods"));
    }),
  );
}

/** @param {HTMLElement} page */
async function keep(page) {
  const begun = await ask("POST", "/v1/payment-methods", undefined, { key: mintKey() });
  const back = `${location.origin}/payment-methods`;
  if (begun.pay_url) location.assign(withReturn(begun.pay_url, back));
  else await mountStripe(find("[data-stripe]", page), begun.client_secret, back, "setup");
}

/** @param {HTMLElement} page @param {() => Promise<void>} run */
async function act(page, run) {
  page.setAttribute("aria-busy", "true");
  tell(page, "");
  try {
    await run();
  } catch (error) {
    find(".skeleton", page)?.remove();
    tell(page, sentence(error));
  } finally {
    page.removeAttribute("aria-busy");
  }
}

/** @param {HTMLElement} page @param {string} text */
function tell(page, text) {
  const told = find("[data-told]", page);
  told.textContent = text;
  told.hidden = text === "";
}
