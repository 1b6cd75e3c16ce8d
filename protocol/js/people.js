/** The people a page shows, in rooms or out of them, and whether each of them is there. */

import { Wish } from "./wishes.js";

/** @typedef {"online" | "away" | "offline"} PersonPresence */

/** What the protocol allows one connection. */
export const WATCHED_PEOPLE_MAX = 200;

/**
 * @typedef {object} Entry
 * @property {Set<(state: PersonPresence) => void>} listeners
 * @property {PersonPresence | null} state the newest told
 */

export class PeopleBook {
  /** @type {Map<string, Entry>} */
  #entries = new Map();
  #wish;
  #report;

  /**
   * @param {object} options
   * @param {(frame: object, settle: import("./socket.js").Settle) => void} options.ask
   * @param {(error: unknown) => void} options.report hears what a listener threw
   */
  constructor({ ask, report }) {
    this.#report = report;
    this.#wish = new Wish({
      frame: () => ({ type: "watch_people", users: [...this.#entries.keys()] }),
      isEmpty: () => this.#entries.size === 0,
      ask,
      hear: (answer) => answer.people.forEach((person) => this.person({ person })),
    });
  }

  /**
   * Hear of a user from now on: the state they are in as soon as it is known, and every other.
   * @param {string} user @param {(state: PersonPresence) => void} listener
   * @returns {() => void} the user is shown no longer
   */
  add(user, listener) {
    const entry = this.#entries.get(user) ?? { listeners: new Set(), state: null };
    if (!this.#entries.has(user)) {
      if (this.#entries.size >= WATCHED_PEOPLE_MAX)
        throw new RangeError(`a page may follow ${WATCHED_PEOPLE_MAX} people`);
      this.#entries.set(user, entry);
      this.#wish.changed();
    }
    const own = (/** @type {PersonPresence} */ state) => listener(state);
    entry.listeners.add(own);
    if (entry.state !== null) this.#tell(own, entry.state);
    return () => {
      if (!entry.listeners.delete(own) || entry.listeners.size > 0) return;
      this.#entries.delete(user);
      this.#wish.changed();
    };
  }

  /** A new socket is welcome: follow on it who is shown. */
  connected() {
    this.#wish.connected();
  }

  /** The socket is gone: what was told stands until there is better. */
  lost() {
    this.#wish.lost();
  }

  /** @param {{ person: { user: string, state: PersonPresence } }} frame */
  person({ person: { user, state } }) {
    const entry = this.#entries.get(user);
    if (entry === undefined || entry.state === state) return;
    entry.state = state;
    for (const listener of [...entry.listeners]) this.#tell(listener, state);
  }

  /** @param {(state: PersonPresence) => void} listener @param {PersonPresence} state */
  #tell(listener, state) {
    try {
      listener(state);
    } catch (error) {
      this.#report(error);
    }
  }
}
