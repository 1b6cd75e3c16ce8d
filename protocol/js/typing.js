/** Say that the user is writing: at most every 3 s, and that they stopped when they did. */

/** Others hear that somebody is writing for 10 s, so this may be lost twice and still be seen. */
export const TYPING_EVERY_MS = 3_000;

/** Without a keystroke for this long the user is thinking, not writing. */
export const TYPING_IDLE_MS = 5_000;

export class TypingReporter {
  #say;
  #topic;
  #on = false;
  #saidAt = -Infinity;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #idleTimer;

  /** @param {(frame: object) => void} say @param {string} topic */
  constructor(say, topic) {
    this.#say = say;
    this.#topic = topic;
  }

  /** Call it on every keystroke. */
  keystroke() {
    clearTimeout(this.#idleTimer);
    this.#idleTimer = setTimeout(() => this.stop(), TYPING_IDLE_MS);
    if (this.#on && Date.now() - this.#saidAt < TYPING_EVERY_MS) return;
    this.#on = true;
    this.#saidAt = Date.now();
    this.#say({ type: "typing", topic: this.#topic, on: true });
  }

  /** Call it when the field is emptied or left. */
  stop() {
    clearTimeout(this.#idleTimer);
    if (!this.#on) return;
    this.#on = false;
    this.#say({ type: "typing", topic: this.#topic, on: false });
  }

  /** Call it when the message is sent: the gateway ends the typing by itself. */
  sent() {
    clearTimeout(this.#idleTimer);
    this.#on = false;
    this.#saidAt = -Infinity;
  }
}
