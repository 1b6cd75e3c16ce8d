/** A stand-in for the browser's WebSocket, whose other side the test plays itself. */

export const ME = "usr_01JD0000000000000000000001";
export const OWN = `user:${ME}`;
export const ROOM = "room:rom_01JD0000000000000000000002";

export class ScriptedGateway {
  /** @type {ScriptedSocket[]} every socket the client opened, oldest first */
  sockets = [];

  constructor() {
    const gateway = this;
    this.WebSocket = class extends ScriptedSocket {
      constructor(url, protocols) {
        super(url, protocols);
        gateway.sockets.push(this);
      }
    };
  }

  /** The socket the client uses now. */
  get socket() {
    return this.sockets.at(-1);
  }

  /** Let the newest socket open and be welcomed, in the positions given. */
  welcome(positions = { [OWN]: ["e", 0] }, more = {}) {
    this.socket.open();
    this.socket.answer("hello", {
      type: "welcome",
      session: "session-1",
      user: ME,
      name: "Ada",
      positions,
      heartbeat_ms: 25_000,
      ticket_expires_in_ms: 300_000,
      server_time_ms: Date.now(),
      limits: {
        frame_bytes_max: 16384,
        message_text_bytes_max: 4096,
        topics_max: 128,
        replay_events_max: 300,
      },
      ...more,
    });
  }
}

class ScriptedSocket {
  readyState = 0;
  bufferedAmount = 0;
  /** Frames the client sent. */
  sent = [];

  constructor(url, protocols) {
    this.url = url;
    this.protocols = protocols;
  }

  send(text) {
    this.sent.push(JSON.parse(text));
  }

  close() {
    this.readyState = 3;
  }

  open() {
    this.readyState = 1;
    this.onopen?.();
  }

  /** Say something to the client. */
  say(frame) {
    this.onmessage?.({ data: JSON.stringify(frame) });
  }

  /** Answer the newest question of a type. */
  answer(type, frame) {
    this.say({ ...frame, id: this.last(type).id });
  }

  event(topic, offset, body) {
    this.say({ type: "event", topic, offset, id: `evt_${topic}_${offset}`, at_ms: 1, body });
  }

  drop(code = 1006, reason = "") {
    this.readyState = 3;
    this.onclose?.({ code, reason });
  }

  all(type) {
    return this.sent.filter((frame) => frame.type === type);
  }

  last(type) {
    return this.all(type).at(-1);
  }
}

/** Let promises that are already settled be heard. */
export async function settled() {
  for (let turn = 0; turn < 10; turn += 1) await Promise.resolve();
}
