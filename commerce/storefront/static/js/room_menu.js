/** What may be done with a message, and with who wrote it: one menu for the whole room. */

import { fill, find, h } from "./dom.js";
import { me } from "./live.js";

const QUICK = ["👍", "❤️", "😂", "🎉", "😮", "😢", "🙏", "🔥", "👀", "🚀", "💯", "✅"];
const MUTES = [
  ["10 minutes", 10 * 60_000],
  ["1 hour", 60 * 60_000],
  ["1 day", 24 * 60 * 60_000],
];
const EDGE_PIXELS = 8;

export class MessageMenu {
  #element;
  #acts;

  /** @param {HTMLElement} room @param {Record<string, any>} acts */
  constructor(room, acts) {
    this.#element = find(".message-menu", room);
    this.#acts = acts;
    this.#element.addEventListener("keydown", (event) => this.#key(event));
  }

  /**
   * @param {any} message @param {HTMLElement} opener
   * @param {"all" | "react"} kind @param {string[]} powers of the reader
   */
  open(message, opener, kind, powers) {
    const element = this.#element;
    fill(element, this.#emoji(message), ...(kind === "all" ? this.#items(message, powers) : []));
    element.showPopover({ source: opener });
    place(element, opener);
    find("button", element)?.focus();
  }

  /** @param {any} message */
  #emoji(message) {
    const mine = new Set(
      message.reactions?.items.filter((one) => one.mine).map((one) => one.emoji),
    );
    return h(
      "div",
      { class: "emoji-row", role: "group", "aria-label": "React" },
      ...QUICK.map((emoji) =>
        h(
          "button",
          {
            type: "button",
            class: "emoji",
            "aria-label": `React with ${emoji}`,
            "aria-pressed": String(mine.has(emoji)),
            onclick: this.#doing(() => this.#acts.react(message, emoji, !mine.has(emoji))),
          },
          emoji,
        ),
      ),
    );
  }

  /** @param {any} message @param {string[]} powers */
  #items(message, powers) {
    const isMine = message.author.id === me?.id;
    const may = (power) => powers.includes(power);
    const { author } = message;
    return [
      this.#item("Answer", () => this.#acts.reply(message)),
      isMine ? this.#item("Edit", () => this.#acts.edit(message)) : null,
      isMine || may("take_back")
        ? this.#item("Take back", () => this.#acts.remove(message), "alert")
        : null,
      isMine ? null : this.#item("Report to the moderators", () => this.#acts.report(message)),
      !isMine && (may("mute") || may("ban"))
        ? h("p", { class: "menu-title" }, author.name)
        : null,
      ...(!isMine && may("mute")
        ? MUTES.map(([span, ms]) =>
            this.#item(`Mute for ${span}`, () => this.#acts.mute(author, ms)),
          )
        : []),
      !isMine && may("ban")
        ? this.#item("Ban from this room", () => this.#acts.ban(author), "alert")
        : null,
    ];
  }

  /** @param {string} label @param {() => void} act @param {string} [kind] */
  #item(label, act, kind = "") {
    return h(
      "button",
      { type: "button", class: `menu-item ${kind}`, onclick: this.#doing(act) },
      label,
    );
  }

  /** @param {() => void} act */
  #doing(act) {
    return () => {
      this.#element.hidePopover();
      act();
    };
  }

  /** Arrow keys go from item to item, as in any menu. @param {KeyboardEvent} event */
  #key(event) {
    const step = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 }[event.key];
    if (step === undefined) return;
    event.preventDefault();
    const items = [...this.#element.querySelectorAll("button")];
    const at = items.indexOf(/** @type {any} */ (document.activeElement));
    items[(at + step + items.length) % items.length]?.focus();
  }
}

/** Beside its opener, inside the window. @param {HTMLElement} element @param {HTMLElement} opener */
function place(element, opener) {
  const from = opener.getBoundingClientRect();
  const { width, height } = element.getBoundingClientRect();
  const left = Math.min(from.right - width, innerWidth - width - EDGE_PIXELS);
  const below = from.bottom + EDGE_PIXELS / 2;
  const top = below + height > innerHeight - EDGE_PIXELS ? from.top - height - 4 : below;
  element.style.left = `${Math.max(EDGE_PIXELS, left)}px`;
  element.style.top = `${Math.max(EDGE_PIXELS, top)}px`;
}
