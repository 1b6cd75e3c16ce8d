/**
 * What a page shows and wants to hear of: said a moment after it last changed, and again on every
 * new socket. Each saying takes the place of the one before.
 */

import { RefusedError } from "./errors.js";

/** A page that scrolls changes what it shows all the time; it is said when it stands still. */
export const WISH_MS = 200;

/** The pause after a refusal that may pass, when the gateway names none. */
const RETRY_MS = 1_000;

export class Wish {
  #frame;
  #isEmpty;
  #ask;
  #hear;
  #connected = false;
  #said = false;
  #turn = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  /**
   * @param {object} options
   * @param {() => object} options.frame what to say now
   * @param {() => boolean} options.isEmpty nothing is shown: not worth a word to a new gateway
   * @param {(frame: object, settle: import("./socket.js").Settle) => void} options.ask
   * @param {(answer: any) => void} options.hear the answer to what was said last
   */
  constructor({ frame, isEmpty, ask, hear }) {
    this.#frame = frame;
    this.#isEmpty = isEmpty;
    this.#ask = ask;
    this.#hear = hear;
  }

  /** The page shows something else now. */
  changed() {
    if (this.#connected) this.#later(WISH_MS);
  }

  /** A new socket is welcome. */
  connected() {
    this.#connected = true;
    this.#said = false;
    this.#say();
  }

  /** The socket is gone. */
  lost() {
    this.#connected = false;
    this.#turn += 1;
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  /** @param {number} ms */
  #later(ms) {
    if (this.#timer !== undefined) return;
    this.#timer = setTimeout(() => this.#say(), ms);
  }

  #say() {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#isEmpty() && !this.#said) return;
    this.#said = true;
    const turn = (this.#turn += 1);
    this.#ask(this.#frame(), (error, answer) => {
      if (turn !== this.#turn) return;
      if (error === null) this.#hear(answer);
      else if (error instanceof RefusedError && error.temporary)
        this.#later(error.retryAfterMs ?? RETRY_MS);
    });
  }
}
