/** The catalogue: the cards that can be seen show price, stock and title as they are now. */

import { find } from "./dom.js";
import { money, stockLeft } from "./format.js";
import { client } from "./live.js";
import { readState } from "./product_states.js";

/** A card about to be scrolled into view is watched already. */
const MARGIN = "200px";

/** @type {Map<Element, import("../rialto/products.js").Watch>} */
const watches = new Map();

export function showCatalogue() {
  const cards = document.querySelectorAll(".card[data-product]");
  if (client === null || cards.length === 0) return;
  const observer = new IntersectionObserver(
    (entries) => {
      for (const { target, isIntersecting } of entries) {
        if (isIntersecting) watch(/** @type {HTMLElement} */ (target));
        else leave(target);
      }
    },
    { rootMargin: MARGIN },
  );
  for (const card of cards) observer.observe(card);
}

/** @param {HTMLElement} card */
function watch(card) {
  if (client === null || watches.has(card)) return;
  const id = /** @type {string} */ (card.dataset.product);
  const watch = client.watch(
    id,
    {
      state: (product) => show(card, product),
      stale: async () => {
        const product = await readState(id);
        if (product === null) return;
        watch.has(product.version);
        show(card, product);
      },
    },
    { version: Number(card.dataset.version), ageMs: performance.now() },
  );
  watches.set(card, watch);
}

/** @param {Element} card */
function leave(card) {
  watches.get(card)?.leave();
  watches.delete(card);
}

/** @param {HTMLElement} card @param {import("../rialto/types.d.ts").Product} product */
function show(card, product) {
  if (product.version < Number(card.dataset.version)) return;
  card.dataset.version = String(product.version);
  find("h3 a", card).textContent = product.title;
  const isFrom = (product.variants?.length ?? 0) > 1 && product.price.amount_minor > 0;
  find(".card-price", card).textContent = `${isFrom ? "from " : ""}${money(product.price)}`;
  find(".card-stock", card).textContent = stockLeft(product.stock);
}
