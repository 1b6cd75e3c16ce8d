/** The rules of a room, for those who keep it: slow mode, roles, who is banned. */

import { ask, sentence } from "./api.js";
import { fill, find, h } from "./dom.js";
import { initials, tone } from "./format.js";
import { me } from "./live.js";
import { notice, problem } from "./toasts.js";

const SLOW_MODES = [0, 5, 10, 30, 60, 300, 900, 3_600];
const PEOPLE_READ = 100;

export class RoomRules {
  #room;
  #powers;
  #panel;
  #opener;

  /** @param {HTMLElement} element @param {{ id: string, powers: string[], slow_mode_seconds: number }} room */
  constructor(element, room) {
    this.#room = room;
    this.#powers = room.powers;
    this.#panel = find(".rules-panel", element);
    this.#opener = find(".rules-toggle", element);
    this.empowered();
    this.#panel.addEventListener("toggle", (event) => {
      if (/** @type {any} */ (event).newState === "open") this.#draw();
    });
  }

  /** The reader may do more now, or less. */
  empowered() {
    const powers = this.#powers;
    this.#opener.hidden = powers.every((power) => power === "take_back");
  }

  /** @param {number} seconds */
  slowed(seconds) {
    this.#room.slow_mode_seconds = seconds;
    if (this.#panel.matches(":popover-open")) this.#draw();
  }

  /** @param {{ id: string, name: string }} person @param {number} ms */
  async mute(person, ms) {
    const path = `members/${person.id}/mute`;
    await this.#put(path, { until_ms: Date.now() + ms }, `${person.name} is muted.`);
  }

  /** @param {{ id: string, name: string }} person */
  async ban(person) {
    await this.#put(`bans/${person.id}`, {}, `${person.name} is banned from this room.`);
  }

  /** @param {any} message */
  async report(message) {
    await this.#put(`messages/${message.id}/report`, {}, "The moderators will look at it.");
  }

  /** @param {string} path @param {object} body @param {string} [done] */
  async #put(path, body, done) {
    try {
      await ask("PUT", `/v1/rooms/${this.#room.id}/${path}`, body);
      if (done) notice(done);
    } catch (error) {
      problem(sentence(error));
    }
  }

  async #draw() {
    const may = (power) => this.#powers.includes(power);
    const [members, bans, reports] = await Promise.all([
      this.#read(may("change_roles") || may("mute"), `members?limit=${PEOPLE_READ}`),
      this.#read(may("ban"), "bans"),
      this.#read(may("see_reports"), "reports"),
    ]);
    fill(
      find(".rules", this.#panel),
      may("set_slow_mode") ? this.#slowMode() : null,
      section("Reports", reports, (report) => this.#reportRow(report)),
      section("Members", members, (member) => this.#memberRow(member, may)),
      section("Banned", bans, (ban) => this.#banRow(ban)),
    );
  }

  /** @param {boolean} isAllowed @param {string} path */
  async #read(isAllowed, path) {
    if (!isAllowed) return [];
    const page = await ask("GET", `/v1/rooms/${this.#room.id}/${path}`).catch(() => ({ items: [] }));
    return page.items;
  }

  #slowMode() {
    const select = h(
      "select",
      { id: "slow-mode", onchange: () => this.#put("slow-mode", { seconds: Number(select.value) }) },
      ...SLOW_MODES.map((seconds) =>
        h(
          "option",
          { value: seconds, selected: seconds === this.#room.slow_mode_seconds },
          seconds === 0 ? "Off" : span(seconds),
        ),
      ),
    );
    return h(
      "p",
      { class: "rule" },
      h("label", { for: "slow-mode" }, "Slow mode: members wait between messages"),
      select,
    );
  }

  /** @param {any} member @param {(power: string) => boolean} may */
  #memberRow({ person, role, muted_until_ms: mutedUntil }, may) {
    const isMuted = mutedUntil !== null && mutedUntil > Date.now();
    const path = `members/${person.id}`;
    const button = (label, act) =>
      h(
        "button",
        { type: "button", class: "small", onclick: () => act().then(() => this.#draw()) },
        label,
      );
    const isOther = person.id !== me?.id && role !== "owner";
    return h(
      "li",
      {},
      avatar(person),
      h(
        "span",
        { class: "who" },
        person.name,
        h("small", {}, isMuted ? `${role}, muted` : role),
      ),
      isOther && isMuted && may("mute")
        ? button("Unmute", () => this.#put(`${path}/mute`, { until_ms: null }))
        : null,
      isOther && may("change_roles")
        ? role === "moderator"
          ? button("Make member", () => this.#put(`${path}/role`, { role: "member" }))
          : button("Make moderator", () => this.#put(`${path}/role`, { role: "moderator" }))
        : null,
    );
  }

  /** @param {any} ban */
  #banRow({ person, reason }) {
    return h(
      "li",
      {},
      h("span", { class: "who" }, person.name, reason ? h("small", {}, reason) : null),
      h(
        "button",
        { type: "button", class: "small", onclick: () => this.#lift(`bans/${person.id}`) },
        "Lift",
      ),
    );
  }

  /** @param {any} report */
  #reportRow({ id, text, reason }) {
    return h(
      "li",
      {},
      h("span", { class: "who" }, text, reason ? h("small", {}, reason) : null),
      h(
        "button",
        { type: "button", class: "small", onclick: () => this.#lift(`reports/${id}`) },
        "Settle",
      ),
    );
  }

  /** @param {string} path */
  async #lift(path) {
    try {
      await ask("DELETE", `/v1/rooms/${this.#room.id}/${path}`);
    } catch (error) {
      problem(sentence(error));
    }
    this.#draw();
  }
}

/** @param {string} title @param {any[]} items @param {(item: any) => HTMLElement} row */
function section(title, items, row) {
  if (items.length === 0) return null;
  return h("section", {}, h("h4", {}, title), h("ul", { class: "people" }, ...items.map(row)));
}

/** @param {{ id: string, name: string }} person */
function avatar({ id, name }) {
  return h("span", { class: `avatar tone-${tone(id)}`, "aria-hidden": "true" }, initials(name));
}

/** @param {number} seconds */
function span(seconds) {
  if (seconds < 60) return `${seconds} seconds`;
  return seconds === 3_600 ? "1 hour" : seconds === 60 ? "1 minute" : `${seconds / 60} minutes`;
}
