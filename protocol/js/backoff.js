/**
 * The pauses between attempts to reconnect.
 *
 * "Full jitter": each pause is drawn evenly from nothing up to a ceiling that doubles, so that a
 * thousand clients that lost the same server do not come back in the same second.
 */

export const BACKOFF_BASE_MS = 500;
export const BACKOFF_CAP_MS = 20_000;

/** Nobody looks at a hidden tab: it may wait this many times longer, and spares the server. */
export const HIDDEN_FACTOR = 3;

export class Backoff {
  #ceilingMs = BACKOFF_BASE_MS;
  #random;

  /** @param {() => number} [random] draws from [0, 1) */
  constructor(random = Math.random) {
    this.#random = random;
  }

  /**
   * Draw the next pause, in milliseconds.
   * @param {{ hidden?: boolean, atLeastMs?: number }} [circumstances]
   */
  next({ hidden = false, atLeastMs = 0 } = {}) {
    const ceilingMs = this.#ceilingMs * (hidden ? HIDDEN_FACTOR : 1);
    this.#ceilingMs = Math.min(BACKOFF_CAP_MS, this.#ceilingMs * 2);
    return atLeastMs + Math.round(this.#random() * ceilingMs);
  }

  /** Start over: the last attempt proved good. */
  reset() {
    this.#ceilingMs = BACKOFF_BASE_MS;
  }
}
