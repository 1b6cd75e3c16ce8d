/** Stripe's own form, in a frame of Stripe's: what is typed into it never comes to the shop. */

import { ask } from "./api.js";
import { fill, h } from "./dom.js";

const SCRIPT = "https://js.stripe.com/v3/";

/** @type {Promise<any> | null} */
let stripe = null;

/**
 * Show the form for an intent, and come back to `back` when the bank has been asked.
 * @param {HTMLElement} place @param {string} clientSecret @param {string} back
 * @param {"payment" | "setup"} [kind]
 */
export async function mountStripe(place, clientSecret, back, kind = "payment") {
  stripe ??= load();
  const loaded = await stripe;
  const theme = matchMedia("(prefers-color-scheme: dark)").matches ? "night" : "stripe";
  const elements = loaded.elements({ clientSecret, appearance: { theme } });
  const frame = h("div");
  const told = h("p", { class: "form-problem", role: "alert", hidden: true });
  const button = h("button", { type: "submit", class: "button big" }, "Pay");
  if (kind === "setup") button.textContent = "Keep this method";
  const form = h("form", { class: "fields" }, frame, told, button);
  form.addEventListener("submit", async (/** @type {Event} */ event) => {
    event.preventDefault();
    button.disabled = true;
    const confirm = kind === "setup" ? loaded.confirmSetup : loaded.confirmPayment;
    const { error } = await confirm({ elements, confirmParams: { return_url: back } });
    told.textContent = error.message;
    told.hidden = false;
    button.disabled = false;
  });
  fill(place, form);
  place.hidden = false;
  elements.create("payment").mount(frame);
}

/** The stand-in's page, which leads back to `back`. @param {string} url @param {string} back */
export function withReturn(url, back) {
  const address = new URL(url);
  address.searchParams.set("return_url", back);
  return address.href;
}

async function load() {
  const { publishable_key: key } = await ask("GET", "/v1/payments/config");
  await new Promise((resolve, reject) => {
    const script = h("script", { src: SCRIPT });
    script.addEventListener("load", resolve);
    script.addEventListener("error", () => reject(new TypeError("Stripe.js was not loaded")));
    document.head.append(script);
  });
  return /** @type {any} */ (window).Stripe(key);
}
