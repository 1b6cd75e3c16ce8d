/**
 * Which topics the page hears, and how far it is in each.
 *
 * Several parts of a page may hear one topic: the book counts them, and the socket subscribes once.
 * It keeps each topic's position, drops what it has seen, and tells a part to `reread` its state
 * whenever events may have been missed. It never touches a socket.
 */

/** @typedef {[epoch: string, offset: number]} Position */
/** @typedef {"start" | "trimmed" | "epoch" | "too_far" | "lost"} RereadReason */

/**
 * @typedef {object} Handlers what a part of the page wants to know of a topic
 * @property {(event: any, about: { id: string, atMs: number, offset: number }) => void} [event]
 * @property {(signal: any) => void} [signal] the newest presence or typing
 * @property {(reason: RereadReason) => void} [reread] events may have been missed: read your state
 *   again. `start` is said once, when the part gave no position of its own.
 * @property {() => void} [ended] the topic cannot be heard, or no longer
 */

/** The key under which the signed-in user's own topic is kept, whoever that is. */
export const OWN_TOPIC = "user";

/** What the protocol allows one connection. */
export const TOPICS_MAX = 128;

/**
 * @typedef {object} Entry
 * @property {string} key
 * @property {Set<Handlers>} parts
 * @property {Position | null} position
 * @property {boolean} heard the gateway delivers it on the present socket
 * @property {Set<Handlers>} unread parts that still have to be told to read their state
 * @property {Map<string, any>} signals the newest of each type
 */

export class TopicBook {
  /** @type {Map<string, Entry>} */
  #entries = new Map();
  /** @type {string | null} */
  #own = null;
  #report;

  /** @param {(error: unknown) => void} report hears what a handler threw */
  constructor(report) {
    this.#report = report;
    this.#entries.set(OWN_TOPIC, newEntry(OWN_TOPIC));
  }

  /**
   * Add a part; says whether the topic was not heard by any before.
   * @param {string} topic @param {Handlers} handlers @param {Position | null} position
   */
  add(topic, handlers, position) {
    const entry = this.#entries.get(topic) ?? newEntry(topic);
    if (!this.#entries.has(topic) && this.#entries.size >= TOPICS_MAX) {
      throw new RangeError(`a page may hear ${TOPICS_MAX} topics`);
    }
    const isFirst = !this.#entries.has(topic);
    this.#entries.set(topic, entry);
    entry.parts.add(handlers);
    if (position !== null && entry.position === null) entry.position = position;
    else if (position === null || !atLeast(position, entry.position)) entry.unread.add(handlers);
    for (const signal of entry.signals.values()) this.#tell(handlers.signal, signal);
    if (entry.heard) this.#startUnread(entry);
    return isFirst;
  }

  /**
   * Take a part out; says whether it was the topic's last.
   * @param {string} topic @param {Handlers} handlers
   */
  remove(topic, handlers) {
    const entry = this.#entries.get(topic);
    if (!entry?.parts.delete(handlers)) return false;
    entry.unread.delete(handlers);
    if (entry.parts.size > 0 || topic === OWN_TOPIC) return false;
    return this.#entries.delete(topic);
  }

  /** @param {string} topic */
  has(topic) {
    return this.#entries.has(topic);
  }

  /** @param {string} topic */
  positionOf(topic) {
    return this.#entries.get(topic)?.position ?? null;
  }

  /**
   * Say whose topic is the own one.
   * @param {string} topic
   */
  nameOwn(topic) {
    this.#own = topic;
  }

  /** What to put into `hello`: the place in every topic that has one. */
  positions() {
    /** @type {Record<string, Position>} */
    const positions = {};
    for (const entry of this.#entries.values()) {
      const name = this.#nameOf(entry);
      if (name !== null && entry.position !== null) positions[name] = entry.position;
    }
    return positions;
  }

  /** The topics that the present socket does not deliver. */
  unheard() {
    return [...this.#entries.values()].filter((entry) => !entry.heard).map((entry) => entry.key);
  }

  /**
   * Take the positions of a `welcome`, the answer to a `hello` that gave the positions `given`.
   * @param {string} ownTopic
   * @param {Record<string, Position>} positions @param {Record<string, Position>} given
   */
  welcome(ownTopic, positions, given) {
    this.nameOwn(ownTopic);
    for (const [topic, position] of Object.entries(positions)) {
      this.subscribed(topic, position, topic in given);
    }
  }

  /**
   * The gateway delivers `topic` from now on. Where we gave a position, ours stands until
   * `replayed` or `gap`: replayed events are not yet seen.
   * @param {string} topic @param {Position} position @param {boolean} given
   */
  subscribed(topic, position, given) {
    const entry = this.#find(topic);
    if (entry === undefined) return;
    entry.heard = true;
    if (!given && entry.position !== null && !atLeast(entry.position, position)) {
      entry.unread = new Set(entry.parts);
    }
    if (!given) entry.position = position;
    this.#startUnread(entry);
  }

  /** The socket is gone: nothing is delivered, and what was ephemeral is no longer true. */
  lost() {
    for (const entry of this.#entries.values()) {
      entry.heard = false;
      entry.signals.clear();
    }
  }

  /** @param {{ topic: string, offset: number, id: string, at_ms: number, body: any }} frame */
  event({ topic, offset, id, at_ms: atMs, body }) {
    const entry = this.#find(topic);
    if (entry === undefined || entry.position === null) return;
    const [epoch, seen] = entry.position;
    if (offset <= seen) return;
    entry.position = [epoch, offset];
    for (const part of [...entry.parts]) this.#tell(part.event, body, { id, atMs, offset });
    if (offset > seen + 1) this.#reread(entry, "lost");
  }

  /** @param {{ topic: string, body: any }} frame */
  signal({ topic, body }) {
    const entry = this.#find(topic);
    if (entry === undefined) return;
    entry.signals.set(body.type, body);
    for (const part of [...entry.parts]) this.#tell(part.signal, body);
  }

  /** @param {{ topic: string, position: Position, reason: RereadReason }} frame */
  gap({ topic, position, reason }) {
    const entry = this.#find(topic);
    if (entry === undefined) return;
    entry.position = position;
    this.#reread(entry, reason);
  }

  /** @param {{ topic: string, position: Position }} frame */
  replayed({ topic, position }) {
    const entry = this.#find(topic);
    if (entry === undefined) return;
    if (
      entry.position !== null &&
      entry.position[0] === position[0] &&
      entry.position[1] < position[1]
    ) {
      this.#reread(entry, "lost");
    }
    entry.position = position;
  }

  /**
   * The topic cannot be heard (any longer); it is forgotten.
   * @param {string} topic
   */
  ended(topic) {
    const entry = this.#find(topic);
    if (entry === undefined || entry.key === OWN_TOPIC) return;
    this.#entries.delete(entry.key);
    for (const part of [...entry.parts]) this.#tell(part.ended);
  }

  /** @param {string} topic */
  isOwn(topic) {
    return topic === this.#own;
  }

  /** @param {Entry} entry @param {RereadReason} reason */
  #reread(entry, reason) {
    entry.unread.clear();
    for (const part of [...entry.parts]) this.#tell(part.reread, reason);
  }

  /** @param {Entry} entry */
  #startUnread(entry) {
    const parts = [...entry.unread];
    entry.unread.clear();
    for (const part of parts) this.#tell(part.reread, "start");
  }

  /** @param {string} topic */
  #find(topic) {
    return this.#entries.get(topic === this.#own ? OWN_TOPIC : topic);
  }

  /** @param {Entry} entry */
  #nameOf(entry) {
    return entry.key === OWN_TOPIC ? this.#own : entry.key;
  }

  /** One part's mistake is not the other parts' trouble.
   * @param {((...args: any[]) => void) | undefined} handler @param {...any} args
   */
  #tell(handler, ...args) {
    try {
      handler?.(...args);
    } catch (error) {
      this.#report(error);
    }
  }
}

/** @param {string} key @returns {Entry} */
function newEntry(key) {
  return {
    key,
    parts: new Set(),
    position: null,
    heard: false,
    unread: new Set(),
    signals: new Map(),
  };
}

/** @param {Position} mine @param {Position | null} theirs */
function atLeast(mine, theirs) {
  return theirs !== null && mine[0] === theirs[0] && mine[1] >= theirs[1];
}
