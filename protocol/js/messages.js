/**
 * The messages of one room as a user sees them: what the room has, and what is on its way.
 *
 * Messages come from several sides (a page of history, live events, the user's own hand) in any
 * order and more than once. The log keeps the highest version of each, and lets a message of ours
 * take the place of the optimistic one with the same key.
 */

/** @typedef {import("./types.d.ts").ChatMessage} ChatMessage */

/** Messages kept; the oldest are let go, and can be loaded again. */
export const MESSAGES_MAX = 1_000;

/**
 * @typedef {object} Entry one line of the conversation
 * @property {string} id what to tell it apart by: the key of one of ours, else the message's id
 * @property {ChatMessage} message
 * @property {"sending" | "sent" | "failed"} state
 * @property {string} [reason] why it failed
 */

export class MessageLog {
  /** @type {Map<string, Entry>} by message id */
  #sent = new Map();
  /** @type {Map<string, Entry>} by key, in the order written */
  #unsent = new Map();
  /** @type {Set<string>} keys of ours that have become messages */
  #keys = new Set();

  /**
   * Take in a message of the room; says whether anything changed.
   * @param {ChatMessage} message
   */
  merge(message) {
    const known = this.#sent.get(message.id);
    if (known !== undefined && known.message.version >= message.version) return false;
    const key = message.key ?? null;
    const isOurs = key !== null && (this.#unsent.delete(key) || this.#keys.has(key));
    if (isOurs) this.#keys.add(/** @type {string} */ (key));
    const id = known?.id ?? (isOurs ? /** @type {string} */ (key) : message.id);
    this.#sent.set(message.id, { id, message, state: "sent" });
    this.#forgetOldest();
    return true;
  }

  /**
   * Show a message before the room has it.
   * @param {{ key: string, room: string, author: import("./types.d.ts").Person, text: string,
   *   sentAtMs: number, replyTo?: string | null }} draft
   */
  write({ key, room, author, text, sentAtMs, replyTo = null }) {
    /** @type {ChatMessage} */
    const message = {
      id: key,
      room,
      seq: Infinity,
      version: 0,
      author,
      text,
      sent_at_ms: sentAtMs,
      key,
    };
    if (replyTo !== null) message.reply_to = replyTo;
    if (!this.#keys.has(key)) this.#unsent.set(key, { id: key, message, state: "sending" });
  }

  /**
   * The room has the message; its number is known even before its event arrives.
   * @param {string} key @param {{ message: string, seq: number, version: number }} result
   */
  committed(key, { message: id, seq, version }) {
    const entry = this.#unsent.get(key);
    if (entry !== undefined) this.merge({ ...entry.message, id, seq, version });
  }

  /** @param {string} key @param {string} reason a sentence for people */
  failed(key, reason) {
    const entry = this.#unsent.get(key);
    if (entry !== undefined) this.#unsent.set(key, { ...entry, state: "failed", reason });
  }

  /** Take back one that failed. @param {string} key */
  discard(key) {
    return this.#unsent.delete(key);
  }

  /** @param {{ message: string, version: number }} event of a `message_deleted` */
  deleted({ message: id, version }) {
    const known = this.#sent.get(id);
    if (known === undefined) return false;
    return this.merge({ ...known.message, version, text: "", deleted: true });
  }

  /** Everything to show, oldest first; what is on its way comes last. */
  entries() {
    const sent = [...this.#sent.values()].sort((one, other) => one.message.seq - other.message.seq);
    return [...sent, ...this.#unsent.values()];
  }

  /** @param {string} id a message's id */
  find(id) {
    return this.#sent.get(id)?.message ?? null;
  }

  /** The lowest and highest message number known; 0 when there is none. */
  get span() {
    const numbers = [...this.#sent.values()].map((entry) => entry.message.seq);
    return numbers.length === 0
      ? { first: 0, last: 0 }
      : { first: Math.min(...numbers), last: Math.max(...numbers) };
  }

  #forgetOldest() {
    if (this.#sent.size <= MESSAGES_MAX) return;
    const oldest = [...this.#sent.values()].reduce((one, other) =>
      other.message.seq < one.message.seq ? other : one,
    );
    this.#sent.delete(oldest.message.id);
  }
}
