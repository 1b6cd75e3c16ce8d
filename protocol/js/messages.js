/**
 * The messages of one room as a user sees them: what the room has, and what is on its way.
 *
 * Messages come from several sides (a page of history, live events, the user's own hand) in any
 * order and more than once. The log keeps the highest version of each, and lets a message of ours
 * take the place of the optimistic one with the same key.
 */

/** @typedef {import("./types.d.ts").ChatMessage} ChatMessage */
/** @typedef {import("./types.d.ts").Person} Person */

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
    const newest = known === undefined ? message : newer(known.message, message);
    if (newest === known?.message) return false;
    const key = message.key ?? null;
    const isOurs = key !== null && (this.#unsent.delete(key) || this.#keys.has(key));
    if (isOurs) this.#keys.add(/** @type {string} */ (key));
    const id = known?.id ?? (isOurs ? /** @type {string} */ (key) : message.id);
    this.#sent.set(message.id, { id, message: newest, state: "sent" });
    this.#forgetOldest();
    return true;
  }

  /**
   * Show a message before the room has it.
   * @param {{ key: string, room: string, author: import("./types.d.ts").Person, text: string,
   *   sentAtMs: number, replyTo?: string | null, parts?: string[], mentions?: Person[] }} draft
   */
  write({ key, room, author, text, sentAtMs, replyTo = null, parts = [], mentions = [] }) {
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
    if (parts.length > 0) message.parts = parts.map((ref) => ({ ref }));
    if (mentions.length > 0) message.mentions = mentions;
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
    const { parts, attachments, mentions, reactions, ...bare } = known.message;
    return this.merge({ ...bare, version, text: "", deleted: true });
  }

  /**
   * Take in the state of a message's reactions; says whether it is news.
   * @param {import("./types.d.ts").ReactionsChanged} event
   * @param {string | undefined} me who reads: whose own reactions are marked
   */
  reacted({ message: id, reactions, user, emoji, on }, me) {
    const known = this.#sent.get(id);
    const before = known?.message.reactions;
    if (known === undefined || known.message.deleted) return false;
    if ((before?.version ?? 0) >= reactions.version) return false;
    const mine = new Set(before?.items.filter((one) => one.mine).map((one) => one.emoji));
    if (user === me && on) mine.add(emoji);
    if (user === me && !on) mine.delete(emoji);
    const items = reactions.items.map((one) => ({ ...one, mine: mine.has(one.emoji) }));
    const message = { ...known.message, reactions: { version: reactions.version, items } };
    this.#sent.set(id, { ...known, message });
    return true;
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

/**
 * Of two states of a message: the text of the higher version, the reactions of theirs.
 * @param {ChatMessage} known @param {ChatMessage} other
 * @returns {ChatMessage} `known` itself if the other says nothing new
 */
function newer(known, other) {
  const hasNewText = other.version > known.version;
  const hasNewReactions = (other.reactions?.version ?? 0) > (known.reactions?.version ?? 0);
  if (!hasNewText && !hasNewReactions) return known;
  const { reactions: _, ...text } = hasNewText ? other : known;
  if (text.deleted) return text;
  const { reactions } = hasNewReactions ? other : known;
  return reactions === undefined || reactions === null ? text : { ...text, reactions };
}
