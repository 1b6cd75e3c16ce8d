/** Choose what a message points at: a product of the shop, or an order of one's own. */

import { ask, sentence } from "./api.js";
import { fill, find, h, icon } from "./dom.js";
import { money } from "./format.js";

const CHOICES_MAX = 5;
const PARTS_MAX = 5;
const TYPED_MS = 250;

export class PartPicker {
  #panel;
  #field;
  #list;
  #chips;
  #here;
  /** @type {{ ref: string, title: string }[]} */
  #parts = [];
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;
  #turn = 0;

  /** @param {HTMLElement} room @param {string | null} here the product the room is about */
  constructor(room, here) {
    this.#here = here;
    this.#panel = find(".part-picker", room);
    this.#field = find("input", this.#panel);
    this.#list = find("ul", this.#panel);
    this.#chips = find(".chosen-parts", room);
    this.#field.addEventListener("input", () => {
      clearTimeout(this.#timer);
      this.#timer = setTimeout(() => this.#look(), TYPED_MS);
    });
    this.#panel.addEventListener("toggle", (event) => {
      if (/** @type {any} */ (event).newState !== "open") return;
      this.#field.value = "";
      this.#field.focus();
      this.#look();
    });
  }

  /** Take what was chosen; the next message starts with nothing. */
  take() {
    const refs = this.#parts.map((part) => part.ref);
    this.#parts = [];
    this.#draw();
    return refs;
  }

  async #look() {
    this.#turn += 1;
    const turn = this.#turn;
    const words = this.#field.value.trim();
    try {
      const [products, orders] = await Promise.all([
        ask("GET", `/v1/products?limit=${CHOICES_MAX}&q=${encodeURIComponent(words)}`),
        words === "" ? ask("GET", `/v1/orders?limit=3`) : { items: [] },
      ]);
      if (turn !== this.#turn) return;
      const choices = [
        ...orders.items.map((order) => ({
          ref: order.id,
          title: `Order ${order.number}`,
          note: money(order.total),
        })),
        ...products.items.map((product) => ({
          ref: product.id,
          title: product.title,
          note: money(product.price),
        })),
      ].sort((one, other) => Number(other.ref === this.#here) - Number(one.ref === this.#here));
      fill(this.#list, ...choices.map((choice) => this.#choice(choice)));
      if (choices.length === 0) fill(this.#list, h("li", { class: "empty" }, "Nothing like that."));
    } catch (error) {
      fill(this.#list, h("li", { class: "empty" }, sentence(error)));
    }
  }

  /** @param {{ ref: string, title: string, note: string }} choice */
  #choice({ ref, title, note }) {
    return h(
      "li",
      {},
      h(
        "button",
        { type: "button", class: "menu-item", onclick: () => this.#choose(ref, title) },
        h("span", {}, title),
        h("span", { class: "muted" }, note),
      ),
    );
  }

  /** @param {string} ref @param {string} title */
  #choose(ref, title) {
    this.#panel.hidePopover();
    if (this.#parts.length >= PARTS_MAX || this.#parts.some((part) => part.ref === ref)) return;
    this.#parts.push({ ref, title });
    this.#draw();
    find("textarea", this.#panel.closest(".room"))?.focus();
  }

  #draw() {
    this.#chips.hidden = this.#parts.length === 0;
    fill(
      this.#chips,
      ...this.#parts.map((part) =>
        h(
          "li",
          { class: "chip" },
          part.title,
          h(
            "button",
            {
              type: "button",
              class: "quiet",
              "aria-label": `Leave out ${part.title}`,
              onclick: () => {
                this.#parts = this.#parts.filter((one) => one !== part);
                this.#draw();
              },
            },
            icon("close"),
          ),
        ),
      ),
    );
  }
}
