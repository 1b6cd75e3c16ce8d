/** Who is meant by the `@` one is writing: a list to choose from, by keyboard or finger. */

import { ask } from "./api.js";
import { fill, find, h } from "./dom.js";
import { initials, tone } from "./format.js";
import { me } from "./live.js";

const CHOICES_MAX = 6;
const PEOPLE_READ = 100;

/** An `@` at the start of a word, and what is written after it, up to where one stands. */
const CALL = /(?:^|[\s(])@([\p{L}\p{N}'.-]*(?: [\p{L}\p{N}'.-]*)?)$/u;

export class MentionPicker {
  #field;
  #list;
  #room;
  /** @type {{ id: string, name: string }[] | null} */
  #people = null;
  /** @type {{ id: string, name: string }[]} */
  #choices = [];
  #chosen = 0;
  /** @type {Map<string, string>} names by id, of those who were chosen for this message */
  #named = new Map();

  /** @param {HTMLFormElement} form @param {string} room */
  constructor(form, room) {
    this.#room = room;
    this.#field = find("textarea", form);
    this.#list = find(".mention-list", form);
    this.#field.addEventListener("input", () => this.#look());
    this.#field.addEventListener("blur", () => setTimeout(() => this.#show([]), 150));
  }

  /** Somebody was seen in the room. @param {{ id: string, name: string }} person */
  meet({ id, name }) {
    if (this.#people !== null && !this.#people.some((known) => known.id === id))
      this.#people.push({ id, name });
  }

  /** Those who were chosen and are still named. @param {string} text */
  named(text) {
    const found = [...this.#named].filter(([, name]) => text.includes(`@${name}`));
    return found.map(([id, name]) => ({ id, name }));
  }

  forget() {
    this.#named.clear();
    this.#show([]);
  }

  /** Take a key that is meant for the list; says whether it was. @param {KeyboardEvent} event */
  takes(event) {
    if (this.#choices.length === 0) return false;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step !== undefined) {
      this.#chosen = (this.#chosen + step + this.#choices.length) % this.#choices.length;
      this.#draw();
    } else if (event.key === "Enter" || event.key === "Tab") {
      this.#choose(this.#choices[this.#chosen]);
    } else if (event.key === "Escape") {
      this.#show([]);
    } else {
      return false;
    }
    event.preventDefault();
    return true;
  }

  async #look() {
    const call = CALL.exec(this.#field.value.slice(0, this.#field.selectionStart));
    if (call === null) return this.#show([]);
    const begun = call[1].toLowerCase();
    const people = await this.#known();
    const fitting = people.filter(({ id, name }) => {
      const words = name.toLowerCase();
      return id !== me?.id && (words.startsWith(begun) || words.includes(` ${begun}`));
    });
    this.#show(fitting.slice(0, CHOICES_MAX));
  }

  async #known() {
    if (this.#people === null) {
      this.#people = [];
      const page = await ask("GET", `/v1/rooms/${this.#room}/members?limit=${PEOPLE_READ}`).catch(
        () => ({ items: [] }),
      );
      for (const { person } of page.items) this.meet(person);
    }
    return this.#people;
  }

  /** @param {{ id: string, name: string }[]} choices */
  #show(choices) {
    this.#choices = choices;
    this.#chosen = 0;
    this.#draw();
  }

  #draw() {
    const isOpen = this.#choices.length > 0;
    this.#list.hidden = !isOpen;
    if (isOpen) this.#field.setAttribute("aria-activedescendant", `mention-${this.#chosen}`);
    else this.#field.removeAttribute("aria-activedescendant");
    fill(
      this.#list,
      ...this.#choices.map((person, place) =>
        h(
          "li",
          {
            id: `mention-${place}`,
            role: "option",
            "aria-selected": String(place === this.#chosen),
            onpointerdown: (event) => {
              event.preventDefault();
              this.#choose(person);
            },
          },
          h(
            "span",
            { class: `avatar tone-${tone(person.id)}`, "aria-hidden": "true" },
            initials(person.name),
          ),
          person.name,
        ),
      ),
    );
  }

  /** @param {{ id: string, name: string }} person */
  #choose(person) {
    const at = this.#field.selectionStart;
    const before = this.#field.value.slice(0, at).replace(/@[^@]*$/u, `@${person.name} `);
    this.#field.value = before + this.#field.value.slice(at);
    this.#field.setSelectionRange(before.length, before.length);
    this.#named.set(person.id, person.name);
    this.#show([]);
    this.#field.dispatchEvent(new Event("input", { bubbles: true }));
  }
}
