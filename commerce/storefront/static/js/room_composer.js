/** Where one writes: Enter sends, Shift+Enter breaks the line, Arrow Up edits the last message. */

import { find } from "./dom.js";
import { clockTime } from "./format.js";
import { client, live } from "./live.js";
import { MentionPicker } from "./room_mentions.js";
import { PartPicker } from "./room_parts.js";

/** What a message may hold where the gateway has not said otherwise yet. */
const TEXT_BYTES_MAX = 4096;

/** The rest is shown when this few bytes are left. */
const WARN_BYTES = 200;

const encoder = new TextEncoder();

/**
 * @typedef {object} Draft
 * @property {string} text
 * @property {any | null} replyTo the message it answers
 * @property {string[]} parts
 * @property {{ id: string, name: string }[]} mentions
 */

export class RoomComposer {
  #form;
  #field;
  #hint;
  #cancel;
  #send;
  #context;
  #acts;
  #mentions;
  #parts;
  /** @type {any | null} the message being edited */
  #editing = null;
  /** @type {any | null} the message being answered */
  #answering = null;
  #draft = "";
  /** @type {{ untilMs: number, why: "slow" | "muted" } | null} */
  #pause = null;
  /** @type {ReturnType<typeof setInterval> | undefined} */
  #clock;

  /**
   * @param {HTMLElement} room
   * @param {{ id: string, product: string | null }} about
   * @param {{ typing: import("../rialto/typing.js").TypingReporter, send: (draft: Draft) => void,
   *   saveEdit: (message: any, text: string, mentions: any[]) => void, lastOwn: () => any }} acts
   */
  constructor(room, about, acts) {
    this.#form = find("form.composer", room);
    this.#acts = acts;
    this.#field = find("textarea", this.#form);
    this.#hint = find(".hint", this.#form);
    this.#cancel = find(".cancel-edit", this.#form);
    this.#send = find(".send", this.#form);
    this.#context = find(".composer-context", this.#form);
    this.#mentions = new MentionPicker(this.#form, about.id);
    this.#parts = new PartPicker(room, about.product);
    this.#form.addEventListener("submit", (event) => this.#submit(event));
    this.#field.addEventListener("keydown", (event) => this.#key(event));
    this.#field.addEventListener("input", () => this.#typed());
    this.#field.addEventListener("blur", () => acts.typing.stop());
    this.#cancel.addEventListener("click", () => this.#leaveContext());
  }

  /** @param {{ id: string, name: string }} person who was seen here */
  meet(person) {
    this.#mentions.meet(person);
  }

  /** @param {any} message */
  edit(message) {
    if (this.#editing === null) this.#draft = this.#field.value;
    this.#answering = null;
    this.#editing = message;
    this.#write(message.text);
    this.#form.classList.add("editing");
    this.#showContext("Editing. Escape gives up.");
  }

  /** @param {any} message */
  reply(message) {
    if (this.#editing !== null) this.#leaveContext();
    this.#answering = message;
    this.#showContext(`Answering ${message.author.name}: ${message.text.replace(/\s+/g, " ")}`);
  }

  /**
   * Let nothing be sent until a moment, and count down to it.
   * @param {number} untilMs @param {"slow" | "muted"} why
   */
  pause(untilMs, why) {
    this.#pause = { untilMs, why };
    clearInterval(this.#clock);
    this.#clock = setInterval(() => this.#tick(), 500);
    this.#tick();
  }

  /** Let be sent again. */
  resume() {
    clearInterval(this.#clock);
    this.#pause = null;
    this.#tick();
  }

  /** Nothing is ever sent here again. @param {string} why */
  close(why) {
    clearInterval(this.#clock);
    this.#form.hidden = true;
    const note = find(".closed-note", this.#form.parentElement);
    note.textContent = why;
    note.hidden = false;
  }

  open() {
    this.#form.hidden = false;
    find(".closed-note", this.#form.parentElement).hidden = true;
  }

  get #leftMs() {
    return this.#pause === null ? 0 : this.#pause.untilMs - live.now();
  }

  #tick() {
    const left = this.#leftMs;
    if (this.#pause !== null && left <= 0) {
      clearInterval(this.#clock);
      this.#pause = null;
    }
    this.#send.disabled = this.#pause !== null && this.#editing === null;
    this.#showHint();
  }

  /** @param {string} text */
  #showContext(text) {
    this.#context.textContent = text;
    this.#context.hidden = false;
    this.#cancel.hidden = false;
    this.#tick();
    this.#field.focus();
  }

  #leaveContext() {
    if (this.#editing !== null) {
      this.#write(this.#draft);
      this.#draft = "";
    }
    this.#editing = null;
    this.#answering = null;
    this.#form.classList.remove("editing");
    this.#context.hidden = true;
    this.#cancel.hidden = true;
    this.#tick();
    this.#field.focus();
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    if (event.isComposing || this.#mentions.takes(event)) return;
    if (event.key === "Enter" && !event.shiftKey) {
      event.preventDefault();
      this.#form.requestSubmit();
    } else if (event.key === "Escape" && !this.#context.hidden) {
      event.preventDefault();
      this.#leaveContext();
    } else if (
      event.key === "ArrowUp" &&
      this.#field.value === "" &&
      this.#acts.lastOwn() !== null
    ) {
      event.preventDefault();
      this.edit(this.#acts.lastOwn());
    }
  }

  /** @param {SubmitEvent} event */
  #submit(event) {
    event.preventDefault();
    const text = this.#field.value.trim();
    if (text === "" || this.#leftBytes() < 0) return;
    const mentions = this.#mentions.named(text);
    if (this.#editing !== null) {
      this.#acts.saveEdit(this.#editing, text, mentions);
      this.#acts.typing.stop();
      this.#leaveContext();
      return;
    }
    if (this.#pause !== null) return;
    this.#acts.typing.sent();
    const replyTo = this.#answering;
    this.#write("");
    this.#mentions.forget();
    this.#acts.send({ text, replyTo, parts: this.#parts.take(), mentions });
    if (replyTo !== null) this.#leaveContext();
  }

  #typed() {
    if (this.#field.value === "") this.#acts.typing.stop();
    else if (this.#editing === null) this.#acts.typing.keystroke();
    this.#showHint();
  }

  #leftBytes() {
    const max = client?.limits?.message_text_bytes_max ?? TEXT_BYTES_MAX;
    return max - encoder.encode(this.#field.value.trim()).length;
  }

  #showHint() {
    const left = this.#leftBytes();
    this.#hint.classList.toggle("over", left < 0);
    if (left < 0) this.#hint.textContent = `${-left} bytes too long`;
    else if (this.#pause !== null) this.#hint.textContent = this.#pauseSentence();
    else this.#hint.textContent = left < WARN_BYTES ? `${left} bytes left` : "";
  }

  #pauseSentence() {
    if (this.#pause?.why === "muted") return `Muted until ${clockTime(this.#pause.untilMs)}`;
    return `Slow mode: write again in ${Math.ceil(this.#leftMs / 1000)} s`;
  }

  /** @param {string} text */
  #write(text) {
    this.#field.value = text;
    this.#showHint();
  }
}
