/** The messages of a room on the screen: grouped, dated, kept in place while history is loaded. */

import { arrange, find, h } from "./dom.js";
import { dayName, isSameDay } from "./format.js";
import { me } from "./live.js";
import { messageRow } from "./room_message.js";

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
    this.#log.addEventListener("keydown", (event) => this.#key(event));
    this.#list.addEventListener("focusin", (event) => this.#focused(event));
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
      rows.push(this.#shown(entry, message, follows));
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
    if (known?.element.contains(document.activeElement)) queueMicrotask(() => element.focus());
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
  #shown(entry, message, follows) {
    const answered = message.reply_to ? this.#acts.find(message.reply_to) : null;
    const refs = message.deleted ? [] : (message.parts ?? []).map((part) => part.ref);
    const cards = refs.map((ref) => ({ ref, card: this.#acts.card(ref) }));
    const content = [message, entry.state, entry.reason, follows, answered, cards];
    return this.#row(entry.id, content, () => {
      return messageRow(entry, message, { follows, answered, cards }, this.#acts);
    });
  }

  /** Draw again what is shown, as when a card has changed. */
  refresh() {
    const follow = this.isAtEnd;
    arrange(this.#list, this.#rowsOf(this.#entries));
    if (follow) this.#toEnd();
  }

  /** Show a message and give it the focus. @param {string} id */
  goTo(id) {
    const row = document.getElementById(id);
    if (row === null) return;
    row.scrollIntoView({ block: "center" });
    row.focus({ preventScroll: true });
    row.classList.remove("found-here");
    requestAnimationFrame(() => row.classList.add("found-here"));
  }

  /** Arrow keys go from message to message; what can be done with one follows by Tab. */
  #key(event) {
    const at = event.target.closest?.("li.message");
    if (event.target !== this.#log && event.target !== at) return;
    const rows = [...this.#list.querySelectorAll("li.message")];
    const place = at === null ? rows.length : rows.indexOf(at);
    const next = { ArrowUp: place - 1, ArrowDown: place + 1, Home: 0, End: rows.length - 1 };
    if (event.key in next && rows[next[event.key]] !== undefined) {
      event.preventDefault();
      rows[next[event.key]].focus();
    } else if (event.key === "Enter" && at !== null) {
      event.preventDefault();
      find(".tools button:last-child", at)?.click();
    }
  }

  /** Only the buttons of the message one is at are on the way of the Tab key. */
  #focused(event) {
    const at = event.target.closest?.("li.message") ?? null;
    for (const button of this.#list.querySelectorAll("[data-here] button")) button.tabIndex = -1;
    for (const row of this.#list.querySelectorAll("[data-here]")) delete row.dataset.here;
    if (at === null) return;
    at.dataset.here = "";
    for (const button of at.querySelectorAll("button")) button.tabIndex = 0;
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
    !message.reply_to &&
    last.author.id === message.author.id &&
    message.sent_at_ms - last.sent_at_ms < TOGETHER_MS
  );
}

/** @param {number} ms */
const dayRow = (ms) => h("li", { class: "day" }, h("span", {}, dayName(ms)));

const unreadRow = () => h("li", { class: "unread-marker" }, h("span", {}, "New"));
