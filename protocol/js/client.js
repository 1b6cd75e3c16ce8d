/**
 * The client: one socket for the whole page, kept alive for as long as the page lives.
 *
 * It opens a conversation, and when that ends the next one, with everything the page hears taken
 * up where it was. Start reading at `#attempt`: it is one turn of that wheel.
 */

import { Backoff } from "./backoff.js";
import {
  INVALID_TICKET,
  REPLACED,
  TICKET_EXPIRED,
  UNREACHABLE,
  mayReconnect,
} from "./close_codes.js";
import { CommandBook } from "./commands.js";
import { RefusedError, SignedOutError } from "./errors.js";
import { mintKey } from "./keys.js";
import { isOnline, isVisible, watchPage } from "./page.js";
import { PeopleBook } from "./people.js";
import { ProductBook } from "./products.js";
import { Conversation } from "./socket.js";
import { TicketRefresher } from "./tickets.js";
import { OWN_TOPIC, TopicBook } from "./topics.js";
import { TypingReporter } from "./typing.js";

/** @typedef {import("./types.d.ts").Welcome} Welcome */
/** @typedef {import("./types.d.ts").ServerFrame} ServerFrame */
/** @typedef {import("./types.d.ts").Notice} Notice */

/** A conversation that lasted this long was good: the next pause starts small again. */
export const GOOD_CONVERSATION_MS = 5_000;

/** How long commands wait for the own topic's replay, which may hold their outcomes. */
export const REPLAY_MS_MAX = 5_000;

const ALREADY_SUBSCRIBED = 105;

/**
 * @typedef {"connecting" | "open" | "waiting" | "offline" | "stopped"} StateName
 * @typedef {object} State
 * @property {StateName} name
 * @property {string} reason why it waits or stopped: a close code's name, or `signed_out`
 * @property {number} retryInMs until the next attempt
 */

/**
 * @typedef {object} Options
 * @property {string} [url] of the socket; else the one that comes with the ticket
 * @property {import("./tickets.js").FetchTicket} fetchTicket
 * @property {string} [user] who is signed in, if the page knows; lets the own topic be resumed
 * @property {string} [device] a name of 8 to 64 characters for this tab
 * @property {typeof WebSocket} [WebSocket]
 * @property {() => number} [random]
 */

export class Client {
  #options;
  #device;
  #backoff;
  #topics;
  #commands;
  #products;
  #people;
  #refresher;
  #isIdle = false;
  /** @type {Conversation | null} */
  #conversation = null;
  /** @type {string | undefined} */
  #session;
  /** @type {Welcome | null} */
  #welcome = null;
  /** @type {import("./types.d.ts").Person | null} */
  #me = null;
  /** @type {State} */
  #state = { name: "connecting", reason: "", retryInMs: 0 };
  /** @type {Set<(state: State) => void>} */
  #listeners = new Set();
  /** @type {Set<(notice: Notice) => void>} */
  #noticeListeners = new Set();
  #turn = 0;
  #freshTicket = false;
  #clockAheadMs = 0;
  #openedAt = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #replayTimer;
  #stopWatching;

  /** @param {Options} options */
  constructor(options) {
    this.#options = { WebSocket: globalThis.WebSocket, random: Math.random, ...options };
    this.#device = options.device ?? mintKey();
    this.#backoff = new Backoff(this.#options.random);
    this.#topics = new TopicBook(reportMistake);
    if (options.user !== undefined) this.#topics.nameOwn(`user:${options.user}`);
    this.#commands = new CommandBook((frame, settle) => this.#conversation?.ask(frame, settle));
    const ask = /** @type {Conversation["ask"]} */ (frame, settle) =>
      this.#conversation?.ask(frame, settle);
    const report = reportMistake;
    this.#products = new ProductBook({ ask, report, random: this.#options.random });
    this.#people = new PeopleBook({ ask, report });
    this.#refresher = new TicketRefresher(options.fetchTicket, (ticket, settle) =>
      this.#conversation?.ask({ type: "refresh", ticket }, settle),
    );
    this.#stopWatching = watchPage({
      visibility: (visible) => this.#visibilityChanged(visible),
      idle: (idle) => this.#idleChanged(idle),
      network: (online) => this.#networkChanged(online),
      frozen: (shown) => (shown ? this.reconnect() : this.#leave()),
    });
    queueMicrotask(() => this.reconnect());
  }

  get state() {
    return this.#state;
  }

  /** Who the gateway says we are, once it said so. */
  get me() {
    return this.#me;
  }

  /** What the gateway holds this client to, once it said so. */
  get limits() {
    return this.#welcome?.limits ?? null;
  }

  /** The server's clock, in Unix milliseconds, as well as we know it. */
  now() {
    return Date.now() + this.#clockAheadMs;
  }

  /**
   * Hear of every change of `state`, and of the present one at once.
   * @param {(state: State) => void} listener
   * @returns {() => void} stop hearing
   */
  onState(listener) {
    this.#listeners.add(listener);
    listener(this.#state);
    return () => this.#listeners.delete(listener);
  }

  /**
   * Hear what those who run the shop say to everybody, to a topic or to this user. Show `text` as
   * plain text.
   * @param {(notice: Notice) => void} listener
   * @returns {() => void} stop hearing
   */
  onNotice(listener) {
    this.#noticeListeners.add(listener);
    return () => this.#noticeListeners.delete(listener);
  }

  /**
   * Hear a topic. Parts of a page that hear the same one share a subscription.
   * @param {string} topic
   * @param {import("./topics.js").Handlers} handlers
   * @param {{ position?: import("./topics.js").Position | null }} [options] where the part's state
   *   was read; without it the part is told to `reread` once the topic is heard
   * @returns {() => void} stop hearing
   */
  subscribe(topic, handlers, { position = null } = {}) {
    const part = { ...handlers };
    if (this.#topics.add(topic, part, position) && this.#welcome !== null) this.#askFor(topic);
    return () => {
      if (this.#topics.remove(topic, part)) {
        this.#conversation?.ask({ type: "unsubscribe", topic }, () => {});
      }
    };
  }

  /**
   * Hear everything that concerns the signed-in user.
   * @param {import("./topics.js").Handlers} handlers
   * @param {{ position?: import("./topics.js").Position | null }} [options]
   */
  subscribeOwn(handlers, options) {
    return this.subscribe(OWN_TOPIC, handlers, options);
  }

  /**
   * Show a product: hear of every state newer than `version`. Costs no topic.
   * @param {string} product
   * @param {import("./products.js").ProductHandlers} handlers
   * @param {{ version?: number, ageMs?: number }} [known] what the page shows already, and how long
   *   ago it was read
   * @returns {import("./products.js").Watch}
   */
  watch(product, handlers, { version = 0, ageMs = 0 } = {}) {
    return this.#products.add(product, { ...handlers }, version, ageMs);
  }

  /**
   * Show a user: hear whether they are `online`, `away` or `offline`.
   * @param {string} user @param {(state: import("./people.js").PersonPresence) => void} listener
   * @returns {() => void} stop hearing
   */
  follow(user, listener) {
    return this.#people.add(user, listener);
  }

  /**
   * Ask the shop to do something, once, however often the socket breaks.
   * @param {import("./types.d.ts").Command} body
   * @param {{ key?: string }} [options]
   */
  command(body, options) {
    return this.#commands.give(body, options);
  }

  /** @param {string} topic of a room that is heard */
  typing(topic) {
    return new TypingReporter((frame) => this.#welcome && this.#conversation?.say(frame), topic);
  }

  /** Try now, whatever was planned. */
  reconnect() {
    this.#leave();
    if (isOnline()) this.#attempt();
    else this.#become("offline");
  }

  /** End everything; a closed client does not come back. */
  close() {
    this.#stopWatching();
    this.#stop("closed");
  }

  async #attempt() {
    const turn = this.#turn;
    this.#become("connecting");
    const fresh = this.#freshTicket;
    this.#freshTicket = false;
    try {
      const ticket = await this.#options.fetchTicket({ fresh });
      if (turn === this.#turn) this.#open(ticket, fresh);
    } catch (error) {
      if (turn !== this.#turn) return;
      if (error instanceof SignedOutError) this.#stop("signed_out");
      else this.#wait(this.#pause(), "no_ticket");
    }
  }

  /** @param {import("./tickets.js").Ticket} ticket @param {boolean} fresh */
  #open({ ticket, socket_url: url }, fresh) {
    /** @type {Record<string, import("./topics.js").Position>} */
    let given = {};
    const conversation = new Conversation({
      url: this.#options.url ?? /** @type {string} */ (url),
      WebSocket: this.#options.WebSocket,
      onOpen: () => {
        given = this.#topics.positions();
        conversation.ask(this.#hello(ticket, given), (error, welcome) => {
          if (error === null) this.#welcomed(welcome, given);
        });
      },
      onFrame: (frame) => this.#heard(frame),
      onClosed: ({ code, reason }) => this.#closed(code, reason, fresh),
    });
    this.#conversation = conversation;
  }

  /** @param {string} ticket @param {Record<string, import("./topics.js").Position>} positions */
  #hello(ticket, positions) {
    const hello = { type: "hello", ticket, device: this.#device, positions, visible: this.#isLookedAt() };
    return this.#session === undefined ? hello : { ...hello, session: this.#session };
  }

  /** @param {Welcome} welcome @param {Record<string, import("./topics.js").Position>} given */
  #welcomed(welcome, given) {
    this.#welcome = welcome;
    this.#me = { id: welcome.user, name: welcome.name };
    this.#session = welcome.session;
    this.#clockAheadMs = welcome.server_time_ms - Date.now();
    this.#openedAt = Date.now();
    this.#conversation?.admit(welcome.heartbeat_ms);
    this.#refresher.schedule(welcome.ticket_expires_in_ms);
    const own = `user:${welcome.user}`;
    this.#topics.welcome(own, welcome.positions, given);
    for (const topic of this.#topics.unheard()) this.#askFor(topic);
    this.#products.connected();
    this.#people.connected();
    if (own in given)
      this.#replayTimer = setTimeout(() => this.#commands.connected(), REPLAY_MS_MAX);
    else this.#commands.connected();
    this.#become("open");
  }

  /** @param {string} topic */
  #askFor(topic) {
    const position = this.#topics.positionOf(topic);
    const conversation = this.#conversation;
    conversation?.ask(
      position === null ? { type: "subscribe", topic } : { type: "subscribe", topic, position },
      (error, answer) => {
        if (error === null) this.#topics.subscribed(topic, answer.position, position !== null);
        else if (!(error instanceof RefusedError) || error.code === ALREADY_SUBSCRIBED) return;
        else if (!error.temporary) this.#topics.ended(topic);
        else
          setTimeout(
            () => {
              if (conversation === this.#conversation && this.#topics.has(topic))
                this.#askFor(topic);
            },
            error.retryAfterMs ?? this.#options.random() * 4_000 + 1_000,
          );
      },
    );
  }

  /** @param {ServerFrame} frame */
  #heard(frame) {
    switch (frame.type) {
      case "event":
        return this.#heardEvent(frame);
      case "signal":
        return this.#topics.signal(frame);
      case "product":
        return this.#products.state(frame);
      case "stale":
        return this.#products.stale(frame);
      case "person":
        return this.#people.person(frame);
      case "gap":
        this.#topics.gap(frame);
        return this.#caughtUp(frame.topic);
      case "replayed":
        this.#topics.replayed(frame);
        return this.#caughtUp(frame.topic);
      case "unsubscribed":
        return this.#topics.ended(frame.topic);
      case "notice":
        return this.#heardNotice(frame);
      case "reconnect":
        this.#timer = setTimeout(() => this.reconnect(), this.#options.random() * frame.within_ms);
    }
  }

  /** @param {import("./types.d.ts").EventFrame} frame */
  #heardEvent(frame) {
    const { body } = frame;
    if (body.type === "command_committed" || body.type === "command_rejected")
      this.#commands.settle(body);
    this.#topics.event(frame);
  }

  /** A page's mistake with a notice must not end the conversation. @param {Notice} notice */
  #heardNotice(notice) {
    for (const listener of [...this.#noticeListeners]) {
      try {
        listener(notice);
      } catch (error) {
        reportMistake(error);
      }
    }
  }

  /** Outcomes that were replayed are known now: what has none is sent again.
   * @param {string} topic
   */
  #caughtUp(topic) {
    if (!this.#topics.isOwn(topic)) return;
    clearTimeout(this.#replayTimer);
    this.#commands.connected();
  }

  /** @param {number} code @param {string} reason @param {boolean} ticketWasFresh */
  #closed(code, reason, ticketWasFresh) {
    const lastedMs = this.#welcome === null ? 0 : Date.now() - this.#openedAt;
    this.#leave();
    this.#freshTicket = code === TICKET_EXPIRED || code === INVALID_TICKET;
    if (code === REPLACED) this.#session = undefined;
    if (!mayReconnect(code) && (code !== INVALID_TICKET || ticketWasFresh))
      return this.#stop(reason || String(code));
    if (lastedMs >= GOOD_CONVERSATION_MS) this.#backoff.reset();
    if (!isOnline()) return this.#become("offline");
    this.#wait(this.#pause(), code === UNREACHABLE ? "unreachable" : reason);
  }

  #pause() {
    return this.#backoff.next({ hidden: !isVisible() });
  }

  /** @param {number} pauseMs @param {string} reason */
  #wait(pauseMs, reason) {
    this.#become("waiting", reason, pauseMs);
    this.#timer = setTimeout(() => this.reconnect(), pauseMs);
  }

  /** Leave the present conversation, if any, and forget what was planned. */
  #leave() {
    this.#turn += 1;
    clearTimeout(this.#timer);
    clearTimeout(this.#replayTimer);
    const conversation = this.#conversation;
    this.#conversation = null;
    this.#welcome = null;
    this.#refresher.stop();
    this.#topics.lost();
    this.#products.lost();
    this.#people.lost();
    this.#commands.lost();
    conversation?.close();
  }

  /** @param {string} reason */
  #stop(reason) {
    this.#leave();
    this.#commands.abandon(new SignedOutError("The connection was closed for good."));
    this.#become("stopped", reason);
  }

  /** @param {StateName} name @param {string} [reason] @param {number} [retryInMs] */
  #become(name, reason = "", retryInMs = 0) {
    if (name === this.#state.name && retryInMs === 0) return;
    this.#state = { name, reason, retryInMs };
    for (const listener of [...this.#listeners]) listener(this.#state);
  }

  /** @param {boolean} visible */
  #visibilityChanged(visible) {
    this.#sayStatus();
    if (visible && this.#state.name === "waiting") this.reconnect();
    else if (visible) this.#conversation?.check();
  }

  /** @param {boolean} idle */
  #idleChanged(idle) {
    this.#isIdle = idle;
    this.#sayStatus();
  }

  #sayStatus() {
    if (this.#welcome === null) return;
    const status = { type: "status", visible: isVisible() };
    this.#conversation?.say(this.#isIdle ? { ...status, idle: true } : status);
  }

  #isLookedAt() {
    return isVisible() && !this.#isIdle;
  }

  /** @param {boolean} online */
  #networkChanged(online) {
    if (online && this.#state.name !== "stopped") this.reconnect();
    else if (!online) this.#conversation?.check();
  }
}

/** Show a page's own mistake where its author looks for it. @param {unknown} error */
function reportMistake(error) {
  if (typeof globalThis.reportError === "function") globalThis.reportError(error);
  else console.error(error);
}
