/**
 * A live room: what was said, what is being said, and who is here.
 *
 * This is the room's controller. `room_log.js` shows the messages, `room_people.js` who is here
 * and who is writing, `room_composer.js` is where one writes.
 */

import { MessageLog, mintKey } from "../rialto/index.js";
import { ask, sentence } from "./api.js";
import { find, pageData } from "./dom.js";
import { client, live, me } from "./live.js";
import { RoomComposer } from "./room_composer.js";
import { RoomLogView } from "./room_log.js";
import { RoomPeople } from "./room_people.js";
import { problem } from "./toasts.js";

const PAGE_MESSAGES = 50;
const MARK_READ_AFTER_MS = 700;

/** How far back a room that was away for long is read again, before history is loaded on demand. */
const REREAD_PAGES_MAX = 4;

export class Room {
  #id;
  #topic;
  #log = new MessageLog();
  #view;
  #people;
  #composer;
  #isMember;
  #readSeq;
  #more;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #markTimer;

  /** @param {HTMLElement} element */
  constructor(element) {
    const { room, messages, more } = pageData("room-data");
    this.#id = room.id;
    this.#topic = `room:${room.id}`;
    this.#isMember = room.role !== null;
    this.#readSeq = room.read_seq;
    this.#more = more;
    for (const message of messages) this.#log.merge(message);
    this.#view = new RoomLogView(element, {
      readSeq: room.unread > 0 ? room.read_seq : null,
      more: () => this.#loadEarlier(),
      edit: (message) => this.#composer?.edit(message),
      remove: (message) => this.#remove(message),
      retry: (entry) => this.#retry(entry),
      discard: (entry) => this.#discard(entry),
      seen: () => this.#markReadSoon(),
    });
    this.#people = new RoomPeople(element);
    this.#composer = client === null ? null : this.#makeComposer(element);
    this.#show({ toEnd: true });
    this.#listen();
  }

  /** @param {HTMLElement} element */
  #makeComposer(element) {
    const typing = live.typing(this.#topic);
    return new RoomComposer(find("form.composer", element), {
      typing,
      send: (text) => this.#send(text),
      saveEdit: (message, text) => this.#saveEdit(message, text),
      lastOwn: () => this.#lastOwn(),
    });
  }

  #listen() {
    client?.subscribe(this.#topic, {
      event: (event) => this.#heard(event),
      signal: (signal) => this.#people.show(signal),
      reread: () => this.#reread(),
      ended: () => problem("You can no longer hear this room."),
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
      case "member_joined":
        if (event.member.id === me?.id) this.#isMember = true;
    }
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

  async #loadEarlier() {
    const { first } = this.#log.span;
    if (!this.#more || first <= 1) return false;
    try {
      const { items, more } = await this.#read(`&before=${first}`);
      for (const message of items) this.#log.merge(message);
      this.#more = more;
      this.#show({ earlier: true });
      return true;
    } catch (error) {
      problem(sentence(error));
      return false;
    }
  }

  /** @param {string} where */
  #read(where) {
    return ask("GET", `/v1/rooms/${this.#id}/messages?limit=${PAGE_MESSAGES}${where}`);
  }

  /** @param {string} text @param {string} [key] */
  async #send(text, key = mintKey()) {
    this.#log.write({
      key,
      room: this.#id,
      author: /** @type {any} */ (me),
      text,
      sentAtMs: live.now(),
    });
    this.#show({ toEnd: true });
    try {
      const result = await live.command({ type: "send_message", room: this.#id, text }, { key })
        .outcome;
      if (result?.type === "message") this.#log.committed(key, result);
      this.#isMember = true;
    } catch (error) {
      this.#log.failed(key, sentence(error));
    }
    this.#show();
  }

  /** A refused message is a new intent under a new key. @param {any} entry */
  #retry(entry) {
    this.#log.discard(entry.id);
    this.#send(entry.message.text);
  }

  /** @param {any} entry */
  #discard(entry) {
    this.#log.discard(entry.id);
    this.#show();
  }

  /** @param {any} message @param {string} text */
  async #saveEdit(message, text) {
    if (text === message.text) return;
    await this.#change(
      message,
      { text, edited_at_ms: live.now() },
      { type: "edit_message", room: this.#id, message: message.id, text },
    );
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
