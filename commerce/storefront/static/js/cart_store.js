/** The user's cart, the same in every part of the page and in every tab. */

import { ProblemError, ask, sentence } from "./api.js";
import { client, known } from "./live.js";
import { problem } from "./toasts.js";

/** @typedef {import("../rialto/types.d.ts").Cart} Cart */

/** @type {Cart} */
const EMPTY = {
  id: "",
  version: 0,
  lines: [],
  total: { amount_minor: 0, currency: "EUR" },
};

/** @type {Cart | null} */
let cart = known?.cart ?? (client === null ? EMPTY : null);
/** A guest's tabs tell one another; those of a user hear of the shop. */
const tabs = client === null ? new BroadcastChannel("rialto.cart") : null;
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
tabs?.addEventListener("message", ({ data }) => take(data));
// A page that comes back from the browser's memory may be older than the cart.
addEventListener("pageshow", ({ persisted }) => persisted && readCart());

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
  wanted.set(variant, quantity);
  tell();
  try {
    if (client === null) takeAndTell(await ask("PUT", `/v1/cart/lines/${variant}`, { quantity }));
    else await client.command({ type: "set_cart_line", variant, quantity }).outcome;
    return true;
  } catch (error) {
    problem(sentence(error));
    return false;
  } finally {
    if (wanted.get(variant) === quantity) wanted.delete(variant);
    tell();
  }
}

/** Have the cart in another currency; says whether the shop did so. @param {string} currency */
export async function chooseCurrency(currency) {
  try {
    const version = cart?.id ? cart.version : undefined;
    takeAndTell(await ask("PUT", "/v1/cart/currency", { currency, version }));
    return true;
  } catch (error) {
    if (error instanceof ProblemError && error.problem.cart) take(error.problem.cart);
    problem(sentence(error));
    return false;
  }
}

/** Read the cart at today's prices. */
export const readCart = () => ask("GET", "/v1/cart").then(take, () => {});

/** @param {Cart} fresh */
function takeAndTell(fresh) {
  take(fresh);
  tabs?.postMessage(fresh);
}

/** @param {Cart} fresh */
function take(fresh) {
  const isOlder = cart !== null && fresh.version < cart.version;
  if (isOlder && (client !== null || fresh.id === cart?.id)) return;
  cart = fresh;
  tell();
}

function tell() {
  if (cart === null) return;
  for (const listener of listeners) listener(cart);
}
