/** One message as a row: who, when, what it answers, what it says, points at, and earned. */

import { h, icon } from "./dom.js";
import { clockTime, fullTime, initials, plural, tone } from "./format.js";
import { me } from "./live.js";
import { cardElement } from "./room_cards.js";

const QUOTE_CHARS_MAX = 90;

/**
 * @param {any} entry of the message log
 * @param {any} message what it shows: the entry's message, with changes not yet confirmed
 * @param {{ follows: boolean, answered: any, cards: any[] }} context
 * @param {Record<string, any>} acts
 */
export function messageRow(entry, message, { follows, answered, cards }, acts) {
  const isMine = message.author.id === me?.id;
  const at = message.sent_at_ms;
  const isSaid = entry.state === "sent" && !message.deleted;
  const callsMe = (message.mentions ?? []).some((person) => person.id === me?.id);
  const classes = [
    "message",
    follows && "follows",
    isMine && "mine",
    callsMe && "calls-me",
    entry.state !== "sent" && entry.state,
    message.deleted && "deleted",
  ];
  return h(
    "li",
    { class: classes.filter(Boolean).join(" "), id: message.id, tabindex: "-1" },
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
        message.edited_at_ms && !message.deleted ? h("span", { class: "edited" }, "edited") : null,
      ),
      message.reply_to ? quote(message.reply_to, answered, acts) : null,
      h(
        "p",
        { class: "text", dir: "auto" },
        ...(message.deleted ? ["Message taken back"] : withMentions(message)),
      ),
      cards.length > 0
        ? h("div", { class: "parts" }, ...cards.map(({ ref, card }) => cardElement(ref, card)))
        : null,
      attachmentsLine(message),
      isSaid ? reactionsLine(message, acts) : null,
      stateLine(entry, acts),
    ),
    isSaid && me !== null ? tools(message, acts) : null,
  );
}

/** @param {string} id @param {any} answered @param {Record<string, any>} acts */
function quote(id, answered, acts) {
  if (answered === null) return h("p", { class: "quote" }, "Answer to an earlier message");
  const text = answered.deleted ? "Message taken back" : answered.text.replace(/\s+/g, " ");
  const shown = text.length > QUOTE_CHARS_MAX ? `${text.slice(0, QUOTE_CHARS_MAX)}…` : text;
  return h(
    "button",
    {
      type: "button",
      class: "quote",
      tabindex: "-1",
      "aria-label": `Answer to ${answered.author.name}: ${shown}. Show it`,
      onclick: () => acts.jump(id),
    },
    h("strong", {}, answered.author.name),
    " ",
    h("span", { dir: "auto" }, shown),
  );
}

/** The text, with the names of those it names marked. @param {any} message */
function withMentions(message) {
  const people = message.mentions ?? [];
  if (people.length === 0) return [message.text];
  const names = people
    .map((person) => person.name)
    .sort((one, other) => other.length - one.length)
    .map((name) => name.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  const parts = message.text.split(new RegExp(`(@(?:${names.join("|")}))`, "giu"));
  return parts.map((part, place) =>
    place % 2 === 0 ? part : h("span", { class: isMe(part) ? "mention me" : "mention" }, part),
  );
}

/** @param {string} called */
const isMe = (called) => called.slice(1).toLowerCase() === me?.name.toLowerCase();

/** @param {any} message */
function attachmentsLine(message) {
  const count = message.attachments?.length ?? 0;
  if (count === 0) return null;
  return h("p", { class: "state" }, plural(count, "file attached", "files attached"));
}

/** @param {any} message @param {Record<string, any>} acts */
function reactionsLine(message, acts) {
  const items = message.reactions?.items ?? [];
  if (items.length === 0) return null;
  return h(
    "p",
    { class: "reactions" },
    ...items.map(({ emoji, count, mine }) =>
      h(
        "button",
        {
          type: "button",
          class: mine ? "reaction mine" : "reaction",
          tabindex: "-1",
          disabled: me === null,
          "aria-pressed": String(mine === true),
          "aria-label": `${emoji}, ${plural(count, "person", "people")}`,
          onclick: () => acts.react(message, emoji, !mine),
        },
        h("span", { "aria-hidden": "true" }, emoji),
        h("b", {}, String(count)),
      ),
    ),
  );
}

/** @param {any} entry @param {Record<string, any>} acts */
function stateLine(entry, acts) {
  if (entry.state === "sending") return h("p", { class: "state" }, "Sending…");
  if (entry.state !== "failed") return null;
  return h(
    "p",
    { class: "state", role: "alert" },
    `Not sent. ${entry.reason} `,
    h("button", { type: "button", class: "link", onclick: () => acts.retry(entry) }, "Try again"),
    " ",
    h("button", { type: "button", class: "link", onclick: () => acts.discard(entry) }, "Discard"),
  );
}

/** @param {any} message @param {Record<string, any>} acts */
function tools(message, acts) {
  const tool = (name, label, act, kind = "") =>
    h(
      "button",
      {
        type: "button",
        class: `quiet ${kind}`,
        tabindex: "-1",
        "aria-label": label,
        title: label,
        onclick: act,
      },
      icon(name),
    );
  return h(
    "div",
    { class: "tools" },
    tool("smile", "React", (event) => acts.menu(message, event.currentTarget, "react"), "hover"),
    tool("reply", "Answer", () => acts.reply(message), "hover"),
    tool("more", "More", (event) => acts.menu(message, event.currentTarget, "all")),
  );
}
