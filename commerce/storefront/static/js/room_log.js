/** The messages of a room on the screen: grouped, dated, kept in place while history is loaded. */

import { arrange, find, h, icon } from "./dom.js";
import { clockTime, dayName, fullTime, initials, isSameDay, tone } from "./format.js";
import { me } from "./live.js";

/** Messages of one author that follow each other this closely read as one. */
const TOGETHER_MS = 5 * 60_000;

/** Closer to the end than this counts as being there. */
const END_PIXELS = 80;

export class RoomLogView {
  #log;
  #list;
  #earlier;
  #newest;
  #acts;
  /** @type {number | null} the last message read before this visit */
  #readSeq;
  #isLoading = false;
  #missedCount = 0;
  /** @type {Map<string, { element: HTMLElement, shown: string }>} */
  #rows = new Map();
  /** @type {Map<string, { version: number, change: object }>} changes not yet confirmed, by message id */
  #pending = new Map();

  /**
   * @param {HTMLElement} room
   * @param {{ readSeq: number | null, more: () => Promise<boolean>, seen: () => void } & Record<string, any>} acts
   */
  constructor(room, acts) {
    this.#acts = acts;
    this.#readSeq = acts.readSeq;
    this.#log = find(".log", room);
    this.#list = find(".log ol", room);
    this.#earlier = find(".earlier", room);
    this.#newest = find(".newest", room);
    this.#earlier.addEventListener("click", () => this.#loadEarlier());
    this.#newest.addEventListener("click", () => this.#toEnd());
    this.#log.addEventListener("scroll", () => this.#scrolled(), { passive: true });
    new IntersectionObserver((found) => found[0]?.isIntersecting && this.#loadEarlier(), {
      root: this.#log,
      rootMargin: "200px 0px 0px",
    }).observe(this.#earlier);
    new ResizeObserver(() => this.#wasAtEnd && this.#toEnd()).observe(this.#log);
  }

  #wasAtEnd = true;

  get isAtEnd() {
    const { scrollHeight, scrollTop, clientHeight } = this.#log;
    return scrollHeight - scrollTop - clientHeight < END_PIXELS;
  }

  /** @param {string} id @param {object | null} change */
  pending(id, change) {
    if (change === null) this.#pending.delete(id);
    else this.#pending.set(id, { version: this.#versionOf(id), change });
  }

  /** Everything was read in another tab. */
  allRead() {
    this.#readSeq = null;
    find(".unread-marker", this.#list)?.remove();
  }

  /**
   * @param {any[]} entries
   * @param {{ more: boolean, toEnd?: boolean, earlier?: boolean, arrived?: any }} change
   */
  show(entries, { more, toEnd = false, earlier = false, arrived }) {
    const follow = toEnd || (this.isAtEnd && !earlier);
    const before = this.#log.scrollHeight - this.#log.scrollTop;
    this.#earlier.hidden = !more;
    find(".log-empty", this.#log).hidden = entries.length > 0;
    this.#entries = entries;
    arrange(this.#list, this.#rowsOf(entries));
    if (follow) this.#toEnd();
    else if (earlier) this.#log.scrollTop = this.#log.scrollHeight - before;
    if (arrived !== undefined && !follow && arrived.author.id !== me?.id) this.#missed();
  }

  /** @type {any[]} */
  #entries = [];

  /** @param {string} id */
  #versionOf(id) {
    return this.#entries.find((entry) => entry.message.id === id)?.message.version ?? 0;
  }

  /** @param {any[]} entries */
  #rowsOf(entries) {
    const rows = [];
    const kept = new Set();
    let last = null;
    for (const entry of entries) {
      const message = this.#changed(entry.message);
      const isNewDay = last === null || !isSameDay(last.sent_at_ms, message.sent_at_ms);
      const isFirstUnread = this.#isFirstUnread(last, message);
      if (isNewDay)
        rows.push(
          this.#row(`day-${new Date(message.sent_at_ms).toDateString()}`, message.sent_at_ms, () =>
            dayRow(message.sent_at_ms),
          ),
        );
      if (isFirstUnread) rows.push(this.#row("unread-marker", 0, unreadRow));
      const follows = !isNewDay && !isFirstUnread && belongsTo(last, message);
      rows.push(
        this.#row(entry.id, [message, entry.state, entry.reason, follows], () =>
          this.#messageRow(entry, message, follows),
        ),
      );
      last = message;
    }
    for (const row of rows) kept.add(row);
    for (const [key, { element }] of this.#rows) if (!kept.has(element)) this.#rows.delete(key);
    return rows;
  }

  /** Reuse the row unless what it shows has changed.
   * @param {string} key @param {any} content @param {() => HTMLElement} make
   */
  #row(key, content, make) {
    const shown = JSON.stringify(content);
    const known = this.#rows.get(key);
    if (known?.shown === shown) return known.element;
    const element = make();
    this.#rows.set(key, { element, shown });
    return element;
  }

  /** @param {any} message */
  #changed(message) {
    const pending = this.#pending.get(message.id);
    if (pending === undefined) return message;
    if (message.version > pending.version) {
      this.#pending.delete(message.id);
      return message;
    }
    return { ...message, ...pending.change };
  }

  /** @param {any} last @param {any} message */
  #isFirstUnread(last, message) {
    if (this.#readSeq === null || message.author.id === me?.id) return false;
    return message.seq > this.#readSeq && (last === null || last.seq <= this.#readSeq);
  }

  /** @param {any} entry @param {any} message @param {boolean} follows */
  #messageRow(entry, message, follows) {
    const isMine = message.author.id === me?.id;
    const at = message.sent_at_ms;
    const classes = [
      "message",
      follows && "follows",
      isMine && "mine",
      entry.state !== "sent" && entry.state,
      message.deleted && "deleted",
    ];
    return h(
      "li",
      { class: classes.filter(Boolean).join(" "), id: message.id },
      h(
        "span",
        { class: `avatar tone-${tone(message.author.id)}`, "aria-hidden": "true" },
        initials(message.author.name),
      ),
      h(
        "div",
        { class: "message-body" },
        h(
          "p",
          { class: "byline" },
          h("strong", {}, message.author.name),
          h("time", { datetime: new Date(at).toISOString(), title: fullTime(at) }, clockTime(at)),
          message.edited_at_ms && !message.deleted
            ? h("span", { class: "edited" }, "edited")
            : null,
        ),
        h(
          "p",
          { class: "text", dir: "auto" },
          message.deleted ? "Message taken back" : message.text,
        ),
        this.#stateLine(entry),
      ),
      isMine && entry.state === "sent" && !message.deleted ? this.#tools(message) : null,
    );
  }

  /** @param {any} entry */
  #stateLine(entry) {
    if (entry.state === "sending") return h("p", { class: "state" }, "Sending…");
    if (entry.state !== "failed") return null;
    return h(
      "p",
      { class: "state", role: "alert" },
      `Not sent. ${entry.reason} `,
      h(
        "button",
        { type: "button", class: "link", onclick: () => this.#acts.retry(entry) },
        "Try again",
      ),
      " ",
      h(
        "button",
        { type: "button", class: "link", onclick: () => this.#acts.discard(entry) },
        "Discard",
      ),
    );
  }

  /** @param {any} message */
  #tools(message) {
    const tool = (name, label, act) =>
      h(
        "button",
        { type: "button", class: "quiet", "aria-label": label, title: label, onclick: act },
        icon(name),
      );
    return h(
      "div",
      { class: "tools" },
      tool("edit", "Edit message", () => this.#acts.edit(message)),
      tool("trash", "Take message back", () => this.#acts.remove(message)),
    );
  }

  async #loadEarlier() {
    if (this.#isLoading || this.#earlier.hidden) return;
    this.#isLoading = true;
    this.#log.setAttribute("aria-busy", "true");
    this.#earlier.textContent = "Loading…";
    await this.#acts.more();
    this.#earlier.textContent = "Show earlier messages";
    this.#log.removeAttribute("aria-busy");
    this.#isLoading = false;
  }

  #missed() {
    this.#missedCount += 1;
    this.#newest.textContent = `${this.#missedCount} new ↓`;
    this.#newest.hidden = false;
  }

  #toEnd() {
    this.#log.scrollTop = this.#log.scrollHeight;
    this.#scrolled();
  }

  #scrolled() {
    this.#wasAtEnd = this.isAtEnd;
    if (!this.#wasAtEnd) return;
    this.#missedCount = 0;
    this.#newest.hidden = true;
    this.#acts.seen();
  }
}

/** @param {any} last @param {any} message */
function belongsTo(last, message) {
  return (
    last !== null &&
    !last.deleted &&
    last.author.id === message.author.id &&
    message.sent_at_ms - last.sent_at_ms < TOGETHER_MS
  );
}

/** @param {number} ms */
const dayRow = (ms) => h("li", { class: "day" }, h("span", {}, dayName(ms)));

const unreadRow = () => h("li", { class: "unread-marker" }, h("span", {}, "New"));
