/** What can go wrong on purpose. Everything else that is thrown is a bug. */

/** The socket went away before the answer came. Commands survive this by themselves. */
export class ConnectionLostError extends Error {
  constructor() {
    super("The connection was lost before the answer came.");
    this.name = "ConnectionLostError";
  }
}

/** The gateway answered a question with an `error` frame. */
export class RefusedError extends Error {
  /** @param {import("./types.d.ts").Error} frame */
  constructor(frame) {
    super(frame.message);
    this.name = "RefusedError";
    /** The number in the table of `protocol/error_codes.py`. */
    this.code = frame.code;
    /** Its name there. */
    this.reason = frame.name;
    /** Whether asking again later can help. */
    this.temporary = frame.temporary;
    /** How long to wait before that, if the gateway said so. */
    this.retryAfterMs = frame.retry_after_ms ?? null;
  }
}

/** The shop refused a command; it changed nothing. */
export class CommandRejectedError extends Error {
  /**
   * @param {{ code: string, message: string, temporary?: boolean,
   *   retry_after_ms?: number | null }} rejection
   */
  constructor({ code, message, temporary = false, retry_after_ms: retryAfterMs = null }) {
    super(message);
    this.name = "CommandRejectedError";
    /** The error's fixed name, such as `room_not_found`. */
    this.code = code;
    /** Whether the same wish may be granted later, under a new key. */
    this.temporary = temporary;
    /** How long to wait before that, if the shop said so. */
    this.retryAfterMs = retryAfterMs;
  }
}

/** More commands wait for an outcome than the client may hold. */
export class TooManyCommandsError extends Error {
  /** @param {number} max */
  constructor(max) {
    super(`${max} commands already wait for an outcome.`);
    this.name = "TooManyCommandsError";
  }
}

/** Thrown by `fetchTicket` when asking again cannot help: nobody is signed in. */
export class SignedOutError extends Error {
  constructor(message = "Nobody is signed in.") {
    super(message);
    this.name = "SignedOutError";
  }
}
