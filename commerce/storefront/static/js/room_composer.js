/** Where one writes: Enter sends, Shift+Enter breaks the line, Arrow Up edits the last message. */

import { find } from "./dom.js";
import { client } from "./live.js";

/** What a message may hold where the gateway has not said otherwise yet. */
const TEXT_BYTES_MAX = 4096;

/** The rest is shown when this few bytes are left. */
const WARN_BYTES = 200;

const encoder = new TextEncoder();

export class RoomComposer {
  #form;
  #field;
  #hint;
  #cancel;
  #acts;
  /** @type {any | null} the message being edited */
  #editing = null;
  #draft = "";

  /**
   * @param {HTMLFormElement} form
   * @param {{ typing: import("../rialto/typing.js").TypingReporter, send: (text: string) => void,
   *   saveEdit: (message: any, text: string) => void, lastOwn: () => any }} acts
   */
  constructor(form, acts) {
    this.#form = form;
    this.#acts = acts;
    this.#field = find("textarea", form);
    this.#hint = find(".hint", form);
    this.#cancel = find(".cancel-edit", form);
    form.addEventListener("submit", (event) => this.#submit(event));
    this.#field.addEventListener("keydown", (event) => this.#key(event));
    this.#field.addEventListener("input", () => this.#typed());
    this.#field.addEventListener("blur", () => acts.typing.stop());
    this.#cancel.addEventListener("click", () => this.#stopEditing());
  }

  /** @param {any} message */
  edit(message) {
    if (this.#editing === null) this.#draft = this.#field.value;
    this.#editing = message;
    this.#write(message.text);
    this.#form.classList.add("editing");
    this.#cancel.hidden = false;
    this.#field.focus();
  }

  #stopEditing() {
    this.#editing = null;
    this.#form.classList.remove("editing");
    this.#cancel.hidden = true;
    this.#write(this.#draft);
    this.#draft = "";
    this.#field.focus();
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    if (event.isComposing) return;
    if (event.key === "Enter" && !event.shiftKey) {
      event.preventDefault();
      this.#form.requestSubmit();
    } else if (event.key === "Escape" && this.#editing !== null) {
      event.preventDefault();
      this.#stopEditing();
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
    if (this.#editing !== null) {
      this.#acts.saveEdit(this.#editing, text);
      this.#acts.typing.stop();
      this.#stopEditing();
      return;
    }
    this.#acts.typing.sent();
    this.#write("");
    this.#acts.send(text);
  }

  #typed() {
    if (this.#field.value === "") this.#acts.typing.stop();
    else if (this.#editing === null) this.#acts.typing.keystroke();
    this.#showLeft();
  }

  #leftBytes() {
    const max = client?.limits?.message_text_bytes_max ?? TEXT_BYTES_MAX;
    return max - encoder.encode(this.#field.value.trim()).length;
  }

  #showLeft() {
    const left = this.#leftBytes();
    this.#hint.textContent =
      left < 0 ? `${-left} bytes too long` : left < WARN_BYTES ? `${left} bytes left` : "";
    this.#hint.classList.toggle("over", left < 0);
  }

  /** @param {string} text */
  #write(text) {
    this.#field.value = text;
    this.#showLeft();
  }
}
