/** Keep the socket's ticket fresh. */

import { SignedOutError } from "./errors.js";
import { Backoff } from "./backoff.js";

/**
 * @typedef {object} Ticket as `POST /v1/tickets` answers
 * @property {string} ticket
 * @property {number} expires_in_ms
 * @property {string} [socket_url]
 */

/**
 * @callback FetchTicket
 * @param {{ fresh: boolean }} wish with `fresh`, a ticket kept from earlier is not good enough
 * @returns {Promise<Ticket>} throws SignedOutError if nobody is signed in
 */

/** A fresh ticket is fetched when this much of the old one's life is over. */
export const REFRESH_SHARE = 0.75;

/** The longest pause a browser's timer can hold. */
const TIMER_MS_MAX = 2 ** 31 - 1;

export class TicketRefresher {
  #fetch;
  #present;
  #backoff = new Backoff();
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;
  #turn = 0;

  /**
   * @param {FetchTicket} fetch
   * @param {(ticket: string, settle: import("./socket.js").Settle) => void} present
   */
  constructor(fetch, present) {
    this.#fetch = fetch;
    this.#present = present;
  }

  /** @param {number} expiresInMs */
  schedule(expiresInMs) {
    this.stop();
    this.#backoff.reset();
    this.#runIn(expiresInMs * REFRESH_SHARE);
  }

  stop() {
    this.#turn += 1;
    clearTimeout(this.#timer);
  }

  /** @param {number} pauseMs */
  #runIn(pauseMs) {
    const turn = this.#turn;
    this.#timer = setTimeout(() => this.#refresh(turn), Math.min(pauseMs, TIMER_MS_MAX));
  }

  /** @param {number} turn */
  async #refresh(turn) {
    try {
      const { ticket } = await this.#fetch({ fresh: true });
      if (turn !== this.#turn) return;
      this.#present(ticket, (error, answer) => {
        if (turn !== this.#turn) return;
        if (error === null) this.schedule(answer.ticket_expires_in_ms);
        else this.#runIn(this.#backoff.next());
      });
    } catch (error) {
      // Signed out: the gateway will close the socket when the ticket's time is over.
      if (turn === this.#turn && !(error instanceof SignedOutError))
        this.#runIn(this.#backoff.next());
    }
  }
}
