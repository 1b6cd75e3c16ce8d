/**
 * One WebSocket's life: questions and their answers, a heartbeat, one ending.
 *
 * A conversation never comes back: `client.js` opens the next one. Answers are delivered by
 * callback, in the order of the frames, because a promise would let later frames overtake them.
 */

import { SILENT_PEER, UNREACHABLE } from "./close_codes.js";
import { ConnectionLostError, RefusedError } from "./errors.js";

/** @typedef {import("./types.d.ts").ServerFrame} ServerFrame */
/** @typedef {import("./types.d.ts").ClientFrame} ClientFrame */
/** @typedef {(error: Error | null, answer?: any) => void} Settle called exactly once */

export const SUBPROTOCOL = "rialto.v1.json";

/** From the first byte to `welcome`. */
export const OPENING_MS_MAX = 10_000;

/** A ping unanswered for this long means that the socket is dead, whatever the browser believes. */
export const PONG_MS_MAX = 10_000;

/** The same, where the page has a reason to doubt: it woke up, or the network changed. */
export const CHECK_MS_MAX = 3_000;

/** The heartbeat comes this much earlier, at random, so that clients do not march in step. */
export const HEARTBEAT_JITTER = 0.1;

/** Above this many unsent bytes, frames that may be lost are not sent. */
export const SIGNAL_BYTES_MAX = 64 * 1024;

const QUESTION_ID_MAX = 2 ** 32 - 1;

export class Conversation {
  #socket;
  #onFrame;
  #onClosed;
  /** @type {Map<number, Settle>} */
  #questions = new Map();
  #nextId = 1;
  #ended = false;
  #heartbeatMs = 0;
  #lastSentAt = 0;
  #lastHeardAt = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #heartbeatTimer;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #deadlineTimer;

  /**
   * @param {object} options
   * @param {string} options.url
   * @param {typeof WebSocket} options.WebSocket
   * @param {() => void} options.onOpen the socket is open: say hello
   * @param {(frame: ServerFrame) => void} options.onFrame a frame that answers no question
   * @param {(ending: { code: number, reason: string }) => void} options.onClosed called once
   */
  constructor({ url, WebSocket, onOpen, onFrame, onClosed }) {
    this.#onFrame = onFrame;
    this.#onClosed = onClosed;
    this.#socket = new WebSocket(url, [SUBPROTOCOL]);
    this.#socket.onopen = () => !this.#ended && onOpen();
    this.#socket.onmessage = (message) => this.#hear(message.data);
    this.#socket.onclose = ({ code, reason }) => this.#end(code, reason);
    this.#deadlineTimer = setTimeout(() => this.#abandon(UNREACHABLE), OPENING_MS_MAX);
  }

  get isOpen() {
    return !this.#ended && this.#socket.readyState === 1;
  }

  /**
   * Send a frame that is answered.
   * @param {object} frame a client frame without its `id`
   * @param {Settle} settle
   */
  ask(frame, settle) {
    if (!this.isOpen) {
      settle(new ConnectionLostError());
      return;
    }
    const id = this.#nextId;
    this.#nextId = id === QUESTION_ID_MAX ? 1 : id + 1;
    this.#questions.set(id, settle);
    this.#send({ ...frame, id });
  }

  /**
   * Send a signal: it is not answered, and not sent at all while the socket is congested.
   * @param {object} frame
   */
  say(frame) {
    if (this.isOpen && this.#socket.bufferedAmount <= SIGNAL_BYTES_MAX) this.#send(frame);
  }

  /**
   * The conversation is admitted: keep it alive from now on.
   * @param {number} heartbeatMs
   */
  admit(heartbeatMs) {
    clearTimeout(this.#deadlineTimer);
    this.#heartbeatMs = heartbeatMs * (1 - HEARTBEAT_JITTER * Math.random());
    this.#scheduleHeartbeat();
  }

  /** Find out soon whether the other side is still there. */
  check() {
    if (this.isOpen) this.#ping(CHECK_MS_MAX);
  }

  /** End it now, without waiting for the other side. */
  close() {
    if (this.#ended) return;
    this.#detach();
    this.#socket.close(1000);
  }

  /** @param {object} frame */
  #send(frame) {
    this.#lastSentAt = Date.now();
    this.#socket.send(JSON.stringify(frame));
  }

  /** @param {unknown} payload */
  #hear(payload) {
    if (this.#ended || typeof payload !== "string") return;
    this.#lastHeardAt = Date.now();
    const frame = JSON.parse(payload);
    const settle =
      frame.id === undefined || frame.type === "event" ? undefined : this.#take(frame.id);
    if (settle === undefined) this.#onFrame(frame);
    else if (frame.type === "error") settle(new RefusedError(frame));
    else settle(null, frame);
  }

  /** @param {number} id */
  #take(id) {
    const settle = this.#questions.get(id);
    this.#questions.delete(id);
    return settle;
  }

  #scheduleHeartbeat() {
    clearTimeout(this.#heartbeatTimer);
    if (this.#ended) return;
    const quietSince = Math.min(this.#lastSentAt, this.#lastHeardAt);
    const dueMs = Math.max(0, quietSince + this.#heartbeatMs - Date.now());
    this.#heartbeatTimer = setTimeout(() => {
      const quietMs = Date.now() - Math.min(this.#lastSentAt, this.#lastHeardAt);
      if (quietMs >= this.#heartbeatMs) this.#ping(PONG_MS_MAX);
      else this.#scheduleHeartbeat();
    }, dueMs);
  }

  /** @param {number} withinMs */
  #ping(withinMs) {
    clearTimeout(this.#heartbeatTimer);
    clearTimeout(this.#deadlineTimer);
    this.#deadlineTimer = setTimeout(() => this.#abandon(SILENT_PEER), withinMs);
    this.ask({ type: "ping" }, () => {
      clearTimeout(this.#deadlineTimer);
      this.#scheduleHeartbeat();
    });
  }

  /** @param {number} code */
  #abandon(code) {
    const socket = this.#socket;
    this.#end(code, "");
    socket.close();
  }

  /** @param {number} code @param {string} reason */
  #end(code, reason) {
    if (this.#ended) return;
    this.#detach();
    this.#onClosed({ code, reason });
  }

  #detach() {
    this.#ended = true;
    clearTimeout(this.#heartbeatTimer);
    clearTimeout(this.#deadlineTimer);
    this.#socket.onopen = this.#socket.onmessage = this.#socket.onclose = null;
    const waiting = [...this.#questions.values()];
    this.#questions.clear();
    for (const settle of waiting) settle(new ConnectionLostError());
  }
}
