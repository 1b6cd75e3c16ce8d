/** A product's page: choose a variant, put it into the cart, see price and stock change. */

import { onCart, quantityOf, setQuantity } from "./cart_store.js";
import { fill, find, pageData } from "./dom.js";
import { money, stockLeft } from "./format.js";
import { client } from "./live.js";
import { problem } from "./toasts.js";
import { ask } from "./api.js";

/** @typedef {{ buy: HTMLFormElement, product: any, version: number }} Page */

export function showProduct() {
  const buy = find("form.buy");
  if (buy === null) return;
  const product = pageData("product-data");
  const page = { buy, product, version: product.version };
  buy.addEventListener("change", () => show(page));
  buy.addEventListener("submit", (event) => add(event, page));
  onCart(() => show(page));
  show(page);
  const watch = client?.watch(
    product.id,
    {
      state: (fresh) => take(page, fresh),
      stale: async () => {
        await reread(page);
        watch?.has(page.version);
      },
    },
    { version: product.version, ageMs: performance.now() },
  );
}

/** Show a newer state; ways to buy that this page does not know are read first.
 * @param {Page} page @param {import("../rialto/types.d.ts").Product} fresh
 */
function take(page, fresh) {
  if (fresh.version <= page.version) return;
  const variants = new Map((fresh.variants ?? []).map((variant) => [variant.id, variant]));
  const known = page.product.variants;
  if (variants.size !== known.length || known.some(({ id }) => !variants.has(id))) {
    reread(page);
    return;
  }
  page.version = fresh.version;
  page.product = {
    ...page.product,
    title: fresh.title,
    variants: known.map((variant) => ({ ...variant, stock: null, ...variants.get(variant.id) })),
  };
  show(page);
}

/** @param {Page} page */
async function reread(page) {
  const product = await ask("GET", `/v1/products/${page.product.slug}`).catch(() => null);
  if (product === null || product.version < page.version) return;
  page.product = product;
  page.version = product.version;
  show(page);
}

/** @param {Page} page */
function chosen({ buy, product }) {
  const id = new FormData(buy).get("variant");
  return product.variants.find((variant) => variant.id === id) ?? product.variants[0];
}

/** @param {Page} page */
function show(page) {
  const variant = chosen(page);
  const quantity = quantityOf(variant.id);
  const isGone = variant.stock === 0;
  fill(find(".price", page.buy), money(variant.price));
  for (const one of page.product.variants) {
    const label = find(`[data-variant="${one.id}"] .variant-price`, page.buy);
    if (label !== null) label.textContent = money(one.price);
  }
  find(".stock", page.buy).textContent = stockLeft(variant.stock);
  find(".product-facts h1").textContent = page.product.title;
  const button = find("button[type=submit]", page.buy);
  button.disabled = isGone;
  button.textContent =
    quantity > 0 ? "Add another" : variant.price.amount_minor === 0 ? "Get it free" : "Add to cart";
  const note = find(".in-cart", page.buy);
  note.hidden = quantity === 0;
  find("span", note).textContent = `${quantity} in your cart.`;
}

/** @param {SubmitEvent} event @param {Page} page */
function add(event, page) {
  event.preventDefault();
  const variant = chosen(page);
  if (variant.stock === 0) problem("This is sold out.");
  else setQuantity(variant.id, quantityOf(variant.id) + 1);
}
