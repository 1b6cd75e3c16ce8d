/** Find what was said in the room. */

import { ask, sentence } from "./api.js";
import { fill, find, h } from "./dom.js";
import { shortTime } from "./format.js";

const RESULTS_MAX = 20;
const TYPED_MS = 250;
const EXCERPT_CHARS = 120;

export class RoomSearch {
  #room;
  #panel;
  #field;
  #list;
  #note;
  #more;
  #toggle;
  #jump;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;
  #turn = 0;

  /** @param {HTMLElement} element @param {string} room @param {(message: any) => void} jump */
  constructor(element, room, jump) {
    this.#room = room;
    this.#jump = jump;
    this.#panel = find(".room-search", element);
    this.#field = find("input", this.#panel);
    this.#list = find("ol", this.#panel);
    this.#note = find(".search-note", this.#panel);
    this.#more = find(".search-more", this.#panel);
    this.#toggle = find(".search-toggle", element);
    this.#toggle.hidden = false;
    this.#toggle.addEventListener("click", () => this.#open(this.#panel.hidden));
    this.#field.addEventListener("input", () => this.#typed());
    find("form", this.#panel).addEventListener("submit", (event) => {
      event.preventDefault();
      this.#search();
    });
    this.#panel.addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      event.preventDefault();
      this.#open(false);
    });
  }

  /** @param {boolean} isOpen */
  #open(isOpen) {
    this.#panel.hidden = !isOpen;
    this.#toggle.setAttribute("aria-expanded", String(isOpen));
    if (isOpen) this.#field.focus();
    else this.#toggle.focus();
  }

  #typed() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#search(), TYPED_MS);
  }

  /** @param {number} [before] the number of the last message found, to go on below it */
  async #search(before) {
    clearTimeout(this.#timer);
    const words = this.#field.value.trim();
    this.#turn += 1;
    const turn = this.#turn;
    if (words === "") return this.#show([], "", null);
    const place = before === undefined ? "" : `&before=${before}`;
    try {
      const query = `q=${encodeURIComponent(words)}&limit=${RESULTS_MAX}${place}`;
      const { items, more } = await ask("GET", `/v1/rooms/${this.#room}/search?${query}`);
      if (turn !== this.#turn) return;
      const rows = items.map((message) => this.#row(message, words));
      const shown = before === undefined ? rows : [...this.#list.children, ...rows];
      const note = shown.length === 0 ? "Nothing was said about that." : "";
      this.#show(shown, note, more ? items.at(-1).seq : null);
    } catch (error) {
      if (turn === this.#turn) this.#show([], sentence(error), null);
    }
  }

  /** @param {Element[]} rows @param {string} note @param {number | null} goOnAt */
  #show(rows, note, goOnAt) {
    fill(this.#list, ...rows);
    this.#note.textContent = note;
    this.#more.hidden = goOnAt === null;
    this.#more.onclick = goOnAt === null ? null : () => this.#search(goOnAt);
  }

  /** @param {any} message @param {string} words */
  #row(message, words) {
    return h(
      "li",
      {},
      h(
        "button",
        { type: "button", class: "found", onclick: () => this.#jump(message) },
        h(
          "span",
          { class: "found-head" },
          h("strong", {}, message.author.name),
          h("time", {}, shortTime(message.sent_at_ms)),
        ),
        h("span", { class: "found-text", dir: "auto" }, ...marked(message.text, words)),
      ),
    );
  }
}

/** The part of a text where the words are, with them marked. @param {string} text @param {string} words */
function marked(text, words) {
  const wanted = words
    .split(/[^\p{L}\p{N}]+/u)
    .filter(Boolean)
    .map((word) => word.toLowerCase());
  const line = text.replace(/\s+/g, " ");
  const first = Math.max(0, ...wanted.map((word) => line.toLowerCase().indexOf(word)));
  const start = Math.max(0, first - EXCERPT_CHARS / 3);
  const cut = `${start > 0 ? "…" : ""}${line.slice(start, start + EXCERPT_CHARS)}${line.length > start + EXCERPT_CHARS ? "…" : ""}`;
  if (wanted.length === 0) return [cut];
  const parts = cut.split(new RegExp(`(${wanted.join("|")})`, "giu"));
  return parts.map((part, place) => (place % 2 === 0 ? part : h("mark", {}, part)));
}
