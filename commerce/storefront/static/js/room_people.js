/** Who is here, and who is writing. Both come as signals: always the whole, never a change. */

import { ask, sentence } from "./api.js";
import { fill, find, h } from "./dom.js";
import { initials, plural, tone } from "./format.js";
import { me } from "./live.js";
import { problem } from "./toasts.js";

const FACES_MAX = 5;

export class RoomPeople {
  #faces;
  #count;
  #list;
  #typing;

  #met;

  /** @param {HTMLElement} room @param {(person: any) => void} met told of everybody seen here */
  constructor(room, met) {
    this.#met = met;
    this.#faces = find(".faces", room);
    this.#count = find(".here-count", room);
    this.#list = find(".people", room);
    this.#typing = find(".typing", room);
  }

  /** @param {any} signal */
  show(signal) {
    if (signal.type === "presence") this.#showPresence(signal);
    else if (signal.type === "typing") this.#showTyping(signal);
  }

  /** @param {{ count: number, users?: any[] | null }} presence */
  #showPresence({ count, users }) {
    const present = users ?? [];
    for (const person of present) this.#met(person);
    this.#count.textContent = count === 0 ? "Nobody is here" : `${count} here`;
    fill(this.#faces, ...present.slice(0, FACES_MAX).map((person) => face(person)));
    fill(
      this.#list,
      ...present.map((person) => personRow(person)),
      present.length === 0
        ? h(
            "li",
            { class: "empty" },
            count === 0 ? "Nobody is here right now." : plural(count, "person", "people"),
          )
        : null,
    );
  }

  /** @param {{ users: any[], count: number }} typing */
  #showTyping({ users, count }) {
    const others = users.filter((person) => person.id !== me?.id);
    const othersCount = count - (users.length - others.length);
    this.#typing.classList.toggle("on", othersCount > 0);
    fill(find("span", this.#typing), othersCount > 0 ? sentenceOf(others, othersCount) : "");
  }
}

/** @param {{ name: string }[]} people @param {number} count */
function sentenceOf(people, count) {
  const names = people.map((person) => person.name);
  if (count > 3 || names.length === 0) return `${count} people are writing`;
  const last = names.pop();
  return names.length === 0 ? `${last} is writing` : `${names.join(", ")} and ${last} are writing`;
}

/** @param {{ id: string, name: string, state: string }} person */
function face(person) {
  return h(
    "li",
    { class: `avatar tone-${tone(person.id)} ${person.state}`, title: person.name },
    initials(person.name),
  );
}

/** @param {{ id: string, name: string, state: string }} person */
function personRow(person) {
  return h(
    "li",
    {},
    h(
      "span",
      { class: `avatar tone-${tone(person.id)} ${person.state}`, "aria-hidden": "true" },
      initials(person.name),
    ),
    h("span", { class: "who" }, person.name, person.id === me?.id ? " (you)" : null),
    h("span", { class: "muted" }, person.state === "online" ? "here" : "away"),
    me !== null && person.id !== me.id
      ? h("button", { type: "button", class: "small", onclick: () => talkTo(person) }, "Message")
      : null,
  );
}

/** @param {{ id: string }} person */
async function talkTo(person) {
  try {
    const room = await ask("POST", "/v1/rooms", { kind: "direct", members: [person.id] });
    location.assign(`/rooms/${room.id}`);
  } catch (error) {
    problem(sentence(error));
  }
}
