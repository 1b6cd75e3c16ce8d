/**
 * Commands that happen once, whatever happens to the socket.
 *
 * A command is answered twice: `accepted` when it is durable, then committed or rejected, as an
 * event on the user's own topic. Until an outcome came the book keeps the command, and sends it
 * again under the same key after every reconnect; the shop does it once.
 */

import { CommandRejectedError, RefusedError, TooManyCommandsError } from "./errors.js";
import { mintKey } from "./keys.js";

/** @typedef {import("./types.d.ts").Command} Command */
/** @typedef {import("./types.d.ts").CommandResult} CommandResult */

/** Commands without an outcome that one client holds. */
export const COMMANDS_PENDING_MAX = 256;

/** After this long without an outcome the command is sent again; then after twice as long. */
export const OUTCOME_PATIENCE_MS = 20_000;
export const OUTCOME_PATIENCE_MS_MAX = 5 * 60_000;

/** The pause after a refusal that may pass, when the gateway names none. */
export const RETRY_MS = 1_000;
export const RETRY_MS_MAX = 15_000;

/**
 * @typedef {object} Sending a command on its way
 * @property {string} key
 * @property {Command} body
 * @property {Promise<void>} accepted it will be carried out, whatever dies now
 * @property {Promise<CommandResult | null>} outcome it happened; or throws CommandRejectedError
 */

/**
 * @typedef {object} Pending
 * @property {Sending} sending
 * @property {"waiting" | "sent" | "accepted"} state
 * @property {() => void} accept
 * @property {(result: CommandResult | null) => void} commit
 * @property {(error: Error) => void} reject
 * @property {number} patienceMs
 * @property {ReturnType<typeof setTimeout> | undefined} timer
 */

export class CommandBook {
  /** @type {Map<string, Pending>} in the order given */
  #pending = new Map();
  #ask;
  #connected = false;
  #retryMs = RETRY_MS;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #retryTimer;

  /** @param {(frame: object, settle: import("./socket.js").Settle) => void} ask */
  constructor(ask) {
    this.#ask = ask;
  }

  get size() {
    return this.#pending.size;
  }

  /**
   * Give a command. The same key again is the same command: its first `Sending` is returned.
   * @param {Command} body
   * @param {{ key?: string }} [options]
   * @returns {Sending}
   */
  give(body, { key = mintKey() } = {}) {
    const known = this.#pending.get(key);
    if (known !== undefined) return known.sending;
    if (this.#pending.size >= COMMANDS_PENDING_MAX)
      throw new TooManyCommandsError(COMMANDS_PENDING_MAX);
    const pending = newPending(key, body);
    this.#pending.set(key, pending);
    if (this.#connected && this.#retryTimer === undefined) this.#send(pending);
    return pending.sending;
  }

  /** The conversation is good: send everything that has no outcome yet, in the order given. */
  connected() {
    this.#connected = true;
    this.#retryMs = RETRY_MS;
    this.#sendAll();
  }

  /** The conversation is over; nothing is lost. */
  lost() {
    this.#connected = false;
    clearTimeout(this.#retryTimer);
    this.#retryTimer = undefined;
    for (const pending of this.#pending.values()) {
      clearTimeout(pending.timer);
      if (pending.state === "sent") pending.state = "waiting";
    }
  }

  /**
   * An outcome arrived on the user's own topic, perhaps of another tab's command.
   * @param {import("./types.d.ts").CommandCommitted | import("./types.d.ts").CommandRejected} event
   */
  settle(event) {
    const pending = this.#take(event.key);
    if (pending === undefined) return;
    pending.accept();
    if (event.type === "command_committed") pending.commit(event.result ?? null);
    else pending.reject(new CommandRejectedError(event));
  }

  /**
   * Give up on everything: nobody is signed in any more, or the client was closed.
   * @param {Error} reason
   */
  abandon(reason) {
    this.lost();
    for (const key of [...this.#pending.keys()]) this.#take(key)?.reject(reason);
  }

  #sendAll() {
    clearTimeout(this.#retryTimer);
    this.#retryTimer = undefined;
    for (const pending of [...this.#pending.values()]) this.#send(pending);
  }

  /** @param {Pending} pending */
  #send(pending) {
    if (!this.#connected) return;
    clearTimeout(pending.timer);
    if (pending.state === "waiting") pending.state = "sent";
    const { key, body } = pending.sending;
    this.#ask({ type: "command", key, body }, (error) => {
      if (this.#pending.get(key) !== pending) return;
      if (error === null) this.#accepted(pending);
      else if (error instanceof RefusedError) this.#refused(pending, error);
    });
  }

  /** @param {Pending} pending */
  #accepted(pending) {
    pending.state = "accepted";
    pending.accept();
    this.#retryMs = RETRY_MS;
    pending.timer = setTimeout(() => this.#send(pending), pending.patienceMs);
    pending.patienceMs = Math.min(OUTCOME_PATIENCE_MS_MAX, pending.patienceMs * 2);
  }

  /** @param {Pending} pending @param {RefusedError} error */
  #refused(pending, error) {
    if (!error.temporary) {
      this.#take(pending.sending.key)?.reject(error);
      return;
    }
    if (pending.state === "sent") pending.state = "waiting";
    if (this.#retryTimer !== undefined) return;
    const pauseMs = Math.max(error.retryAfterMs ?? 0, this.#retryMs * (0.5 + Math.random() / 2));
    this.#retryMs = Math.min(RETRY_MS_MAX, this.#retryMs * 2);
    this.#retryTimer = setTimeout(() => this.#retry(), pauseMs);
  }

  /** Send what was refused for the moment, and what was given meanwhile; not what is accepted. */
  #retry() {
    this.#retryTimer = undefined;
    for (const pending of [...this.#pending.values()]) {
      if (pending.state === "waiting") this.#send(pending);
    }
  }

  /** @param {string} key */
  #take(key) {
    const pending = this.#pending.get(key);
    this.#pending.delete(key);
    clearTimeout(pending?.timer);
    return pending;
  }
}

/** @param {string} key @param {Command} body @returns {Pending} */
function newPending(key, body) {
  let accept = () => {};
  let refuse = /** @param {Error} _error */ (_error) => {};
  let commit = /** @param {CommandResult | null} _result */ (_result) => {};
  let fail = /** @param {Error} _error */ (_error) => {};
  /** @type {Promise<void>} */
  const accepted = new Promise((resolve, reject) => {
    accept = resolve;
    refuse = reject;
  });
  /** @type {Promise<CommandResult | null>} */
  const outcome = new Promise((resolve, reject) => {
    commit = resolve;
    fail = reject;
  });
  // Who does not wait for one of them is not told that nobody did.
  accepted.catch(() => {});
  outcome.catch(() => {});
  return {
    sending: { key, body, accepted, outcome },
    state: "waiting",
    accept,
    commit,
    reject: (error) => {
      refuse(error);
      fail(error);
    },
    patienceMs: OUTCOME_PATIENCE_MS,
    timer: undefined,
  };
}
