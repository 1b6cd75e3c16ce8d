/**
 * A live room: what was said, what is being said, and who is here.
 *
 * This is the room's controller. `room_log.js` shows the messages (`room_message.js` one of them,
 * `room_cards.js` what it points at), `room_menu.js` what may be done with one, `room_people.js` who
 * is here and who is writing, `room_search.js` finds, `room_rules.js` is for those who keep order,
 * and `room_composer.js` is where one writes.
 */

import { CommandRejectedError, MessageLog, mintKey } from "../rialto/index.js";
import { ask, sentence } from "./api.js";
import { find, pageData } from "./dom.js";
import { client, live, me } from "./live.js";
import { CardShelf } from "./room_cards.js";
import { RoomComposer } from "./room_composer.js";
import { RoomLogView } from "./room_log.js";
import { MessageMenu } from "./room_menu.js";
import { RoomPeople } from "./room_people.js";
import { RoomRules } from "./room_rules.js";
import { RoomSearch } from "./room_search.js";
import { problem } from "./toasts.js";

const PAGE_MESSAGES = 50;
const MARK_READ_AFTER_MS = 700;

/** How far back one may jump to a message that was found. */
const JUMP_PAGES_MAX = 8;
const JUMP_PAGE_MESSAGES = 100;

/** How far back a room that was away for long is read again, before history is loaded on demand. */
const REREAD_PAGES_MAX = 4;

export class Room {
  #id;
  #topic;
  #log = new MessageLog();
  #view;
  #people;
  #composer;
  #cards;
  #menu;
  #rules;
  #room;
  #isMember;
  #readSeq;
  #more;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #markTimer;

  /** @param {HTMLElement} element */
  constructor(element) {
    const { room, messages, more } = pageData("room-data");
    this.#id = room.id;
    this.#room = room;
    this.#topic = `room:${room.id}`;
    this.#isMember = room.role !== null;
    this.#readSeq = room.read_seq;
    this.#more = more;
    for (const message of messages) this.#log.merge(message);
    this.#view = new RoomLogView(element, {
      readSeq: room.unread > 0 ? room.read_seq : null,
      more: () => this.#loadEarlier(),
      menu: (message, opener, kind) => this.#menu?.open(message, opener, kind, room.powers),
      reply: (message) => this.#composer?.reply(message),
      react: (message, emoji, on) => this.#react(message, emoji, on),
      jump: (id) => this.#view.goTo(id),
      find: (id) => this.#log.find(id),
      card: (ref) => this.#cards.get(ref),
      retry: (entry) => this.#retry(entry),
      discard: (entry) => this.#discard(entry),
      seen: () => this.#markReadSoon(),
    });
    this.#cards = new CardShelf(() => this.#view.refresh());
    this.#people = new RoomPeople(element, (person) => this.#composer?.meet(person));
    new RoomSearch(element, this.#id, (message) => this.#goTo(message));
    this.#rules = client === null ? null : new RoomRules(element, room);
    this.#menu = client === null ? null : this.#makeMenu(element);
    this.#composer = client === null ? null : this.#makeComposer(element);
    this.#show({ toEnd: true });
    this.#showStanding();
    this.#listen();
  }

  /** @param {HTMLElement} element */
  #makeComposer(element) {
    const typing = live.typing(this.#topic);
    return new RoomComposer(
      element,
      { id: this.#id, product: this.#room.product },
      {
        typing,
        send: (draft) => this.#send(draft),
        saveEdit: (message, text, mentions) => this.#saveEdit(message, text, mentions),
        lastOwn: () => this.#lastOwn(),
      },
    );
  }

  /** @param {HTMLElement} element */
  #makeMenu(element) {
    return new MessageMenu(element, {
      reply: (message) => this.#composer?.reply(message),
      react: (message, emoji, on) => this.#react(message, emoji, on),
      edit: (message) => this.#composer?.edit(message),
      remove: (message) => this.#remove(message),
      report: (message) => this.#rules?.report(message),
      mute: (person, ms) => this.#rules?.mute(person, ms),
      ban: (person) => this.#rules?.ban(person),
    });
  }

  /** Whether one may write now, and if not, why and until when. */
  #showStanding() {
    const { banned, muted_until_ms: muted, next_message_at_ms: next } = this.#room;
    if (banned) this.#composer?.close("You were banned from this room. You can still read it.");
    else if (muted !== null && muted > live?.now()) this.#composer?.pause(muted, "muted");
    else if (next !== null && next > live?.now()) this.#composer?.pause(next, "slow");
  }

  #listen() {
    client?.subscribe(this.#topic, {
      event: (event) => this.#heard(event),
      signal: (signal) => this.#people.show(signal),
      reread: () => this.#reread(),
      ended: () => this.#ended(),
    });
    client?.subscribeOwn({
      event: (event) => event.type === "read_marked" && this.#readElsewhere(event),
    });
    document.addEventListener("visibilitychange", () => this.#markReadSoon());
  }

  /** @param {any} event */
  #heard(event) {
    switch (event.type) {
      case "message_sent":
        this.#log.merge(event.message);
        if (event.message.author.id === me?.id) this.#isMember = true;
        this.#show({ arrived: event.message });
        return this.#markReadSoon();
      case "message_edited":
        if (this.#log.find(event.message.id) !== null) this.#log.merge(event.message);
        return this.#show();
      case "message_deleted":
        this.#log.deleted(event);
        return this.#show();
      case "reactions_changed":
        return this.#log.reacted(event, me?.id) && this.#show();
      case "member_joined":
        if (event.member.id === me?.id) this.#isMember = true;
        return;
      case "member_changed":
        return event.user === me?.id && this.#changed(event);
      case "room_changed":
        this.#room.slow_mode_seconds = event.slow_mode_seconds;
        this.#rules?.slowed(event.slow_mode_seconds);
        if (event.slow_mode_seconds === 0 && this.#room.muted_until_ms === null)
          this.#composer?.resume();
    }
  }

  /** Somebody gave us another role, or muted us, or no longer. @param {any} event */
  async #changed({ role, muted_until_ms: muted = null }) {
    const wasRole = this.#room.role;
    Object.assign(this.#room, { role, muted_until_ms: muted });
    if (muted === null) this.#composer?.resume();
    else this.#showStanding();
    if (role === wasRole) return;
    const room = await ask("GET", `/v1/rooms/${this.#id}`).catch(() => null);
    if (room !== null) this.#room.powers.splice(0, Infinity, ...room.powers);
    this.#rules?.empowered();
  }

  /** We hear the room no longer: sent away, banned, or left in another tab. */
  async #ended() {
    const room = await ask("GET", `/v1/rooms/${this.#id}`).catch(() => null);
    if (room?.banned)
      this.#composer?.close("You were banned from this room. You can still read it.");
    else this.#composer?.close("You are no longer in this room.");
  }

  /** Show a message that may not be loaded yet. @param {any} message */
  async #goTo(message) {
    for (let page = 0; page < JUMP_PAGES_MAX; page += 1) {
      if (this.#log.find(message.id) !== null) break;
      if (!(await this.#loadEarlier(JUMP_PAGE_MESSAGES))) break;
    }
    if (this.#log.find(message.id) === null) problem("That was too long ago to show it here.");
    else this.#view.goTo(message.id);
  }

  /** Read what was said since the newest message we know, and the changes to those we show. */
  async #reread() {
    try {
      let { last } = this.#log.span;
      for (let page = 0; page < REREAD_PAGES_MAX; page += 1) {
        const { items, more } = await this.#read(last === 0 ? "" : `&after=${last}`);
        for (const message of items) this.#log.merge(message);
        if (last === 0) this.#more = more;
        if (!more || last === 0) break;
        last = items.at(-1).seq;
      }
      const { items } = await this.#read("");
      for (const message of items) this.#log.merge(message);
      this.#show();
      this.#markReadSoon();
    } catch (error) {
      problem(sentence(error));
    }
  }

  /** @param {number} [limit] */
  async #loadEarlier(limit) {
    const { first } = this.#log.span;
    if (!this.#more || first <= 1) return false;
    try {
      const { items, more } = await this.#read(`&before=${first}`, limit);
      for (const message of items) this.#log.merge(message);
      this.#more = more;
      this.#show({ earlier: true });
      return true;
    } catch (error) {
      problem(sentence(error));
      return false;
    }
  }

  /** @param {string} where @param {number} [limit] */
  #read(where, limit = PAGE_MESSAGES) {
    return ask("GET", `/v1/rooms/${this.#id}/messages?limit=${limit}${where}`);
  }

  /** @param {import("./room_composer.js").Draft} draft */
  async #send({ text, replyTo, parts, mentions }) {
    const key = mintKey();
    const author = /** @type {any} */ (me);
    const written = { text, parts, mentions, replyTo: replyTo?.id ?? null };
    this.#log.write({ key, room: this.#id, author, sentAtMs: live.now(), ...written });
    this.#show({ toEnd: true });
    /** @type {any} */
    const command = { type: "send_message", room: this.#id, text };
    if (replyTo !== null) command.reply_to = replyTo.id;
    if (parts.length > 0) command.parts = parts;
    if (mentions.length > 0) command.mentions = mentions.map((person) => person.id);
    try {
      const result = await live.command(command, { key }).outcome;
      if (result?.type === "message") this.#log.committed(key, result);
      this.#isMember = true;
      this.#slowDown();
    } catch (error) {
      this.#log.failed(key, sentence(error));
      this.#refused(error);
    }
    this.#show();
  }

  /** In a slow room one waits after each message. */
  #slowDown() {
    const { slow_mode_seconds: seconds, role } = this.#room;
    if (seconds > 0 && (role ?? "member") === "member")
      this.#composer?.pause(live.now() + seconds * 1000, "slow");
  }

  /** @param {unknown} error */
  #refused(error) {
    if (!(error instanceof CommandRejectedError) || error.retryAfterMs === null) return;
    const until = live.now() + error.retryAfterMs;
    if (error.code === "slow_mode") this.#composer?.pause(until, "slow");
    if (error.code === "muted") this.#composer?.pause(until, "muted");
  }

  /** A refused message is a new intent under a new key. @param {any} entry */
  #retry({ id, message }) {
    this.#log.discard(id);
    this.#send({
      text: message.text,
      replyTo: message.reply_to ? { id: message.reply_to } : null,
      parts: (message.parts ?? []).map((part) => part.ref),
      mentions: message.mentions ?? [],
    });
  }

  /** @param {any} message @param {string} emoji @param {boolean} on */
  async #react(message, emoji, on) {
    const command = { type: "set_reaction", room: this.#id, message: message.id, emoji, on };
    try {
      await live.command(/** @type {any} */ (command)).outcome;
    } catch (error) {
      problem(sentence(error));
    }
  }

  /** @param {any} entry */
  #discard(entry) {
    this.#log.discard(entry.id);
    this.#show();
  }

  /** @param {any} message @param {string} text @param {{ id: string }[]} mentions */
  async #saveEdit(message, text, mentions) {
    if (text === message.text) return;
    /** @type {any} */
    const command = { type: "edit_message", room: this.#id, message: message.id, text };
    command.version = message.version;
    if (mentions.length > 0) command.mentions = mentions.map((person) => person.id);
    await this.#change(message, { text, edited_at_ms: live.now() }, command);
  }

  /** @param {any} message */
  async #remove(message) {
    await this.#change(
      message,
      { text: "", deleted: true },
      { type: "delete_message", room: this.#id, message: message.id },
    );
  }

  /**
   * Show a change of a message at once; the event that tells of it has the same version.
   * @param {any} message @param {object} change @param {any} command
   */
  async #change(message, change, command) {
    this.#view.pending(message.id, change);
    this.#show();
    try {
      await live.command(command).outcome;
    } catch (error) {
      problem(sentence(error));
      this.#view.pending(message.id, null);
      this.#show();
    }
  }

  #lastOwn() {
    const own = this.#log
      .entries()
      .filter(
        ({ message, state }) =>
          state === "sent" && message.author.id === me?.id && !message.deleted,
      );
    return own.at(-1)?.message ?? null;
  }

  #markReadSoon() {
    clearTimeout(this.#markTimer);
    this.#markTimer = setTimeout(() => this.#markRead(), MARK_READ_AFTER_MS);
  }

  #markRead() {
    const { last } = this.#log.span;
    const isSeen = document.visibilityState === "visible" && this.#view.isAtEnd;
    if (client === null || !this.#isMember || !isSeen || last <= this.#readSeq) return;
    this.#readSeq = last;
    live.command({ type: "mark_read", room: this.#id, seq: last });
  }

  /** @param {{ room: string, seq: number, unread: number }} event */
  #readElsewhere({ room, seq, unread }) {
    if (room !== this.#id) return;
    this.#readSeq = Math.max(this.#readSeq, seq);
    if (unread === 0) this.#view.allRead();
  }

  /** @param {{ toEnd?: boolean, earlier?: boolean, arrived?: any }} [change] */
  #show(change = {}) {
    this.#view.show(this.#log.entries(), { ...change, more: this.#more });
  }
}
