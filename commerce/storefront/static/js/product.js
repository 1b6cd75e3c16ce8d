/** A product's page: choose a variant, put it into the cart, see price and stock change. */

import { onCart, quantityOf, setQuantity } from "./cart_store.js";
import { fill, find, pageData } from "./dom.js";
import { money } from "./format.js";
import { client, me } from "./live.js";
import { problem } from "./toasts.js";
import { ask } from "./api.js";

export function showProduct() {
  const buy = find("form.buy");
  if (buy === null) return;
  const product = pageData("product-data");
  const page = { buy, product, version: product.version };
  buy.addEventListener("change", () => show(page));
  buy.addEventListener("submit", (event) => add(event, page));
  onCart(() => show(page));
  show(page);
  client?.subscribe(`product:${product.id}`, {
    event: (event) =>
      event.type === "product_changed" && event.product.version > page.version && reread(page),
    reread: () => reread(page),
  });
}

/** @param {{ buy: HTMLFormElement, product: any, version: number }} page */
async function reread(page) {
  const product = await ask("GET", `/v1/products/${page.product.slug}`).catch(() => null);
  if (product === null || product.version < page.version) return;
  page.product = product;
  page.version = product.version;
  show(page);
}

/** @param {{ buy: HTMLFormElement, product: any }} page */
function chosen({ buy, product }) {
  const id = new FormData(buy).get("variant");
  return product.variants.find((variant) => variant.id === id) ?? product.variants[0];
}

/** @param {{ buy: HTMLFormElement, product: any, version: number }} page */
function show(page) {
  const variant = chosen(page);
  const quantity = quantityOf(variant.id);
  const isGone = variant.stock === 0;
  fill(find(".price", page.buy), money(variant.price));
  for (const one of page.product.variants) {
    const label = find(`[data-variant="${one.id}"] .variant-price`, page.buy);
    if (label !== null) label.textContent = money(one.price);
  }
  const stock = find(".stock", page.buy);
  stock.textContent = isGone
    ? "Sold out"
    : variant.stock !== null && variant.stock !== undefined
      ? `${variant.stock} left`
      : "";
  const button = find("button[type=submit]", page.buy);
  button.disabled = isGone;
  button.textContent =
    quantity > 0 ? "Add another" : variant.price.amount_minor === 0 ? "Get it free" : "Add to cart";
  const note = find(".in-cart", page.buy);
  note.hidden = quantity === 0;
  find("span", note).textContent = `${quantity} in your cart.`;
}

/** @param {SubmitEvent} event @param {{ buy: HTMLFormElement, product: any, version: number }} page */
function add(event, page) {
  event.preventDefault();
  if (me === null) {
    location.assign(`/signin?next=${encodeURIComponent(location.pathname)}`);
    return;
  }
  const variant = chosen(page);
  if (variant.stock === 0) problem("This is sold out.");
  else setQuantity(variant.id, quantityOf(variant.id) + 1);
}
