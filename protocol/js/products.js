/**
 * The products a page shows, and the newest state of each.
 *
 * Several parts of a page may show one product: the gateway is asked once. Only versions decide:
 * what is told late, twice or by two sockets never shows an older truth.
 */

import { Wish } from "./wishes.js";

/** @typedef {import("./types.d.ts").Product} Product */

/** What the protocol allows one connection. */
export const WATCHED_PRODUCTS_MAX = 200;

/** Pages that are told together to read again do so at a random moment within this. */
export const STALE_SPREAD_MS = 2_000;

/**
 * @typedef {object} ProductHandlers what a part of the page wants to know of a product
 * @property {(product: Product) => void} [state] a state newer than the part's
 * @property {() => void} [stale] changes may have been missed: read the product again, and say with
 *   `has` which version that gave
 */

/**
 * @typedef {object} Watch
 * @property {(version: number) => void} has the part has read this version
 * @property {() => void} leave the product is shown no longer
 */

/**
 * @typedef {object} Part
 * @property {ProductHandlers} handlers
 * @property {number} version
 */

/**
 * @typedef {object} Entry
 * @property {Set<Part>} parts
 * @property {Product | null} product the newest state told
 * @property {number} version the newest known, told or read
 * @property {number} knownAt when that was the newest, as far as we know
 * @property {boolean} live the gateway vouches for it
 */

export class ProductBook {
  /** @type {Map<string, Entry>} */
  #entries = new Map();
  #wish;
  #report;
  #random;

  /**
   * @param {object} options
   * @param {(frame: object, settle: import("./socket.js").Settle) => void} options.ask
   * @param {(error: unknown) => void} options.report hears what a handler threw
   * @param {() => number} options.random
   */
  constructor({ ask, report, random }) {
    this.#report = report;
    this.#random = random;
    this.#wish = new Wish({
      frame: () => this.#frame(),
      isEmpty: () => this.#entries.size === 0,
      ask,
      hear: (answer) => this.#answered(answer.stale ?? []),
    });
  }

  /**
   * Show a product from now on.
   * @param {string} id @param {ProductHandlers} handlers
   * @param {number} version what the part shows; 0 if nothing yet
   * @param {number} ageMs how long ago that was read
   * @returns {Watch}
   */
  add(id, handlers, version, ageMs) {
    const entry = this.#entries.get(id) ?? newEntry();
    if (!this.#entries.has(id)) {
      if (this.#entries.size >= WATCHED_PRODUCTS_MAX)
        throw new RangeError(`a page may watch ${WATCHED_PRODUCTS_MAX} products`);
      this.#entries.set(id, entry);
      this.#wish.changed();
    }
    const part = { handlers, version };
    entry.parts.add(part);
    if (version > entry.version) {
      entry.version = version;
      entry.knownAt = Date.now() - ageMs;
    } else if (version < entry.version) {
      if (entry.product !== null) this.#tellState(part, entry.product);
      else this.#tell(part.handlers.stale);
    }
    return {
      has: (read) => this.#read(entry, part, read),
      leave: () => this.#remove(id, entry, part),
    };
  }

  /** A new socket is welcome: watch on it what is shown. */
  connected() {
    this.#wish.connected();
  }

  /** The socket is gone: until now the versions were the newest. */
  lost() {
    this.#wish.lost();
    for (const entry of this.#entries.values()) {
      if (entry.live) entry.knownAt = Date.now();
      entry.live = false;
    }
  }

  /** @param {{ product: Product }} frame */
  state({ product }) {
    const entry = this.#entries.get(product.id);
    if (entry === undefined || product.version <= (entry.product?.version ?? 0)) return;
    entry.product = product;
    entry.version = Math.max(entry.version, product.version);
    for (const part of [...entry.parts]) this.#tellState(part, product);
  }

  /** @param {{ products: string[] }} frame */
  stale({ products }) {
    if (products.length === 0) return;
    setTimeout(() => {
      for (const id of products) {
        for (const part of this.#entries.get(id)?.parts ?? []) this.#tell(part.handlers.stale);
      }
    }, this.#random() * STALE_SPREAD_MS);
  }

  #frame() {
    const now = Date.now();
    let ageMs = 0;
    /** @type {Record<string, number>} */
    const products = {};
    for (const [id, entry] of this.#entries) {
      products[id] = entry.version;
      if (!entry.live && entry.version > 0) ageMs = Math.max(ageMs, now - entry.knownAt);
    }
    return { type: "watch", products, age_ms: Math.max(0, Math.round(ageMs)) };
  }

  /** @param {string[]} stale */
  #answered(stale) {
    for (const [id, entry] of this.#entries) entry.live = !stale.includes(id);
    this.stale({ products: stale });
  }

  /** @param {Entry} entry @param {Part} part @param {number} version */
  #read(entry, part, version) {
    part.version = Math.max(part.version, version);
    if (version < entry.version) return;
    entry.version = version;
    entry.knownAt = Date.now();
  }

  /** @param {string} id @param {Entry} entry @param {Part} part */
  #remove(id, entry, part) {
    if (!entry.parts.delete(part) || entry.parts.size > 0) return;
    this.#entries.delete(id);
    this.#wish.changed();
  }

  /** @param {Part} part @param {Product} product */
  #tellState(part, product) {
    if (product.version <= part.version) return;
    part.version = product.version;
    this.#tell(part.handlers.state, product);
  }

  /** @param {((...args: any[]) => void) | undefined} handler @param {...any} args */
  #tell(handler, ...args) {
    try {
      handler?.(...args);
    } catch (error) {
      this.#report(error);
    }
  }
}

/** @returns {Entry} */
function newEntry() {
  return { parts: new Set(), product: null, version: 0, knownAt: Date.now(), live: false };
}
