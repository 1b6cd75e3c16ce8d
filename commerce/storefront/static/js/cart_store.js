/** The user's cart, the same in every part of the page and in every tab. */

import { ask, sentence } from "./api.js";
import { client, known } from "./live.js";
import { problem } from "./toasts.js";

/** @typedef {import("../rialto/types.d.ts").Cart} Cart */

/** @type {Cart | null} */
let cart = known?.cart ?? null;
/** What the user asked for and the shop has not answered yet. @type {Map<string, number>} */
const wanted = new Map();
/** @type {Set<(cart: Cart) => void>} */
const listeners = new Set();

if (client !== null) {
  client.subscribeOwn({
    event: (event) => event.type === "cart_changed" && take(event.cart),
    reread: () => readCart(),
  });
}

/** Hear of every change, and of the present cart at once. @param {(cart: Cart) => void} listener */
export function onCart(listener) {
  listeners.add(listener);
  if (cart !== null) listener(cart);
}

export const currentCart = () => cart;

/** How many of a variant are in the cart, as the user means it. @param {string} variant */
export function quantityOf(variant) {
  const line = cart?.lines.find((one) => one.variant === variant);
  return wanted.get(variant) ?? line?.quantity ?? 0;
}

/** How many things are in the cart, as the user means it. */
export function itemsCount() {
  const variants = new Set([...wanted.keys(), ...(cart?.lines ?? []).map((line) => line.variant)]);
  return [...variants].reduce((sum, variant) => sum + quantityOf(variant), 0);
}

/** Whether the shop has still to answer. @param {string} [variant] */
export const isPending = (variant) =>
  variant === undefined ? wanted.size > 0 : wanted.has(variant);

/**
 * Have exactly so many of a variant; shown at once, taken back if the shop refuses.
 * @param {string} variant @param {number} quantity
 */
export async function setQuantity(variant, quantity) {
  if (client === null) return false;
  wanted.set(variant, quantity);
  tell();
  try {
    await client.command({ type: "set_cart_line", variant, quantity }).outcome;
    return true;
  } catch (error) {
    problem(sentence(error));
    return false;
  } finally {
    if (wanted.get(variant) === quantity) wanted.delete(variant);
    tell();
  }
}

/** Read the cart at today's prices. */
export const readCart = () => ask("GET", "/v1/cart").then(take, () => {});

/** @param {Cart} fresh */
function take(fresh) {
  if (cart !== null && fresh.version < cart.version) return;
  cart = fresh;
  tell();
}

function tell() {
  if (cart === null) return;
  for (const listener of listeners) listener(cart);
}
