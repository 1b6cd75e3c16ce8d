/** Read what changes of products, for all that ask at about the same time with one request. */

import { ask } from "./api.js";

const TOGETHER_MS = 30;
const AT_ONCE_MAX = 200;

/** @typedef {import("../rialto/types.d.ts").Product} Product */

/** @type {Map<string, ((product: Product | null) => void)[]>} */
let waiting = new Map();

/**
 * The product as the shop has it now; null if it is gone or the shop cannot be reached.
 * @param {string} id
 * @returns {Promise<Product | null>}
 */
export function readState(id) {
  return new Promise((resolve) => {
    if (waiting.size === 0) setTimeout(readAll, TOGETHER_MS);
    waiting.set(id, [...(waiting.get(id) ?? []), resolve]);
  });
}

async function readAll() {
  const asked = waiting;
  waiting = new Map();
  const ids = [...asked.keys()];
  /** @type {Map<string, Product>} */
  const found = new Map();
  for (let start = 0; start < ids.length; start += AT_ONCE_MAX) {
    const some = ids.slice(start, start + AT_ONCE_MAX).join(",");
    const answer = await ask("GET", `/v1/product-states?ids=${some}`).catch(() => ({ items: [] }));
    for (const product of answer.items) found.set(product.id, product);
  }
  for (const [id, resolves] of asked)
    for (const resolve of resolves) resolve(found.get(id) ?? null);
}
