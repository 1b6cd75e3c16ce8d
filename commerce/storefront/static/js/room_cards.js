/**
 * What messages point at, as this reader may see it: the message itself carries no price and no
 * stock. Cards are read in batches; those of products follow the product's topic.
 */

import { ask } from "./api.js";
import { h } from "./dom.js";
import { money, plural, tone } from "./format.js";
import { client } from "./live.js";

/** References asked for at once; the shop takes no more. */
const REFS_MAX = 50;

/** Products followed at once: each is one of the topics a socket may hear. */
const FOLLOWED_MAX = 40;

const STATES = {
  draft: "Draft",
  awaiting_payment: "Waiting for payment",
  paid: "Paid",
  fulfilled: "Ready",
  canceled: "Canceled",
  expired: "Expired",
};

export class CardShelf {
  /** @type {Map<string, any>} by reference; null while it is being read */
  #cards = new Map();
  /** @type {Map<string, () => void>} how to stop following a product, the longest followed first */
  #followed = new Map();
  /** @type {Set<string>} */
  #wanted = new Set();
  #changed;
  #isAsking = false;

  /** @param {() => void} changed called when some card is another than before */
  constructor(changed) {
    this.#changed = changed;
    client?.subscribeOwn({ event: (event) => this.#heardOwn(event) });
  }

  /** @param {string} ref @returns {any} the card; null until it is known */
  get(ref) {
    const card = this.#cards.get(ref);
    if (card === undefined) this.#want(ref);
    return card ?? null;
  }

  /** @param {string} ref */
  #want(ref) {
    if (!this.#cards.has(ref)) this.#cards.set(ref, null);
    this.#wanted.add(ref);
    if (!this.#isAsking) queueMicrotask(() => this.#read());
  }

  async #read() {
    if (this.#isAsking || this.#wanted.size === 0) return;
    this.#isAsking = true;
    const refs = [...this.#wanted].slice(0, REFS_MAX);
    for (const ref of refs) this.#wanted.delete(ref);
    try {
      const { items } = await ask("GET", `/v1/cards?refs=${refs.join(",")}`);
      for (const card of items) this.#take(card);
      this.#changed();
    } catch {
      for (const ref of refs) this.#cards.delete(ref);
    } finally {
      this.#isAsking = false;
    }
    this.#read();
  }

  /** @param {any} card */
  #take(card) {
    const known = this.#cards.get(card.ref);
    if (known && card.version !== undefined && known.version > card.version) return;
    this.#cards.set(card.ref, card);
    if (card.kind === "product") this.#follow(card.ref);
  }

  /** @param {string} ref */
  #follow(ref) {
    if (client === null || this.#followed.has(ref)) return;
    const leave = client.subscribe(`product:${ref}`, {
      event: (event) => event.type === "product_changed" && this.#productChanged(event.product),
      reread: (reason) => reason !== "start" && this.#want(ref),
    });
    this.#followed.set(ref, leave);
    if (this.#followed.size > FOLLOWED_MAX) {
      const [[oldest, leaveOldest]] = this.#followed;
      this.#followed.delete(oldest);
      this.#cards.delete(oldest);
      leaveOldest();
    }
  }

  /** @param {import("../rialto/types.d.ts").Product} product */
  #productChanged({ id, version, price, title, stock }) {
    const known = this.#cards.get(id);
    if (!known || known.version >= version) return;
    this.#cards.set(id, { ...known, version, price, title, stock: stock ?? null });
    this.#changed();
  }

  /** @param {any} event */
  #heardOwn(event) {
    const order = event.type.startsWith("order_") ? event.order : null;
    const known = order === null ? null : this.#cards.get(order.id);
    if (!known || known.version >= order.version) return;
    this.#cards.set(order.id, { ...known, version: order.version, state: order.state });
    this.#changed();
  }
}

/** @param {string} ref @param {any} card */
export function cardElement(ref, card) {
  if (card === null) return h("span", { class: "part waiting", "aria-busy": "true" }, "…");
  if (card.kind === "product") return productCard(card);
  if (card.kind === "order") return orderCard(card);
  const what = ref.startsWith("prd_") ? "A product" : "An order";
  return h("span", { class: "part blank" }, `${what} you cannot see`);
}

/** @param {any} card */
function productCard(card) {
  const left =
    card.stock === 0 ? "Sold out" : card.stock === null ? null : `${card.stock} left`;
  const price = `${card.variants_count > 1 && card.price.amount_minor ? "from " : ""}${money(card.price)}`;
  return h(
    "a",
    { class: "part", href: `/p/${card.slug}`, "data-part": card.ref },
    card.cover_url
      ? h("img", { class: "cover-small", src: card.cover_url, alt: "", width: "96", height: "72" })
      : h("span", { class: `cover-small tone-${tone(card.ref)}`, "aria-hidden": "true" }),
    h(
      "span",
      { class: "part-text" },
      h("strong", {}, card.title),
      h(
        "span",
        { class: "muted" },
        h("b", { class: "part-price" }, price),
        left === null ? null : ` · ${left}`,
      ),
    ),
  );
}

/** @param {any} card */
function orderCard(card) {
  return h(
    "a",
    { class: "part", href: `/orders/${card.ref}`, "data-part": card.ref },
    h(
      "span",
      { class: "part-text" },
      h("strong", {}, `Order ${card.number}`),
      h(
        "span",
        { class: "muted" },
        `${STATES[card.state] ?? card.state} · ${plural(card.items_count, "thing", "things")} · `,
        h("b", { class: "part-price" }, money(card.total)),
      ),
    ),
  );
}
