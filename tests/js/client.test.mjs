import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, it, mock } from "node:test";

import { SignedOutError, connect } from "../../protocol/js/index.js";
import { ME, OWN, ROOM, ScriptedGateway, settled } from "./scripted_gateway.mjs";

const SEND = { type: "send_message", room: "rom_1", text: "hello" };

/** A client, the gateway it talks to, and what it asked tickets for. */
async function connected({ user, random = () => 0.5, fetchTicket } = {}) {
  const gateway = new ScriptedGateway();
  const wishes = [];
  const client = connect({
    url: "ws://gateway/ws",
    user,
    random,
    WebSocket: gateway.WebSocket,
    fetchTicket:
      fetchTicket ??
      (async (wish) => {
        wishes.push(wish.fresh);
        return { ticket: `ticket-${wishes.length}`, expires_in_ms: 300_000 };
      }),
  });
  await settled();
  return { client, gateway, wishes };
}

/** Let `ms` pass, and what then happens. */
async function pass(ms) {
  mock.timers.tick(ms);
  await settled();
}

describe("a client", () => {
  let open;
  beforeEach(() => mock.timers.enable({ apis: ["setTimeout", "Date"], now: 1_000_000 }));
  afterEach(() => {
    open?.client.close();
    mock.timers.reset();
  });

  it("says hello with its ticket in the protocol's JSON dialect", async () => {
    open = await connected();
    open.gateway.socket.open();

    const hello = open.gateway.socket.last("hello");
    assert.deepEqual(open.gateway.socket.protocols, ["rialto.v1.json"]);
    assert.equal(hello.ticket, "ticket-1");
    assert.match(hello.device, /^[A-Za-z0-9_-]{8,64}$/);
  });

  it("hears what those who run the shop say, whatever one listener does", async () => {
    open = await connected();
    const heard = [];
    open.client.onNotice(() => {
      throw new Error("a page's mistake");
    });
    const stop = open.client.onNotice(({ text }) => heard.push(text));
    open.gateway.welcome();
    const reported = mock.method(console, "error", () => {});

    const notice = { type: "notice", text: "Closing at noon", level: "info", at_ms: 1 };
    open.gateway.socket.say(notice);
    stop();
    open.gateway.socket.say({ ...notice, text: "Closed" });

    assert.deepEqual(heard, ["Closing at noon"]);
    assert.equal(reported.mock.callCount(), 2);
    assert.equal(open.client.state.name, "open");
  });

  it("comes back with its session and every position", async () => {
    open = await connected();
    open.client.subscribe(ROOM, {});
    open.gateway.welcome();
    open.gateway.socket.answer("subscribe", {
      type: "subscribed",
      topic: ROOM,
      position: ["r", 3],
    });
    open.gateway.socket.event(ROOM, 4, { type: "message_sent" });

    open.gateway.socket.drop();
    await pass(500);
    open.gateway.socket.open();

    const hello = open.gateway.socket.last("hello");
    assert.equal(hello.session, "session-1");
    assert.deepEqual(hello.positions, { [OWN]: ["e", 0], [ROOM]: ["r", 4] });
  });

  it("subscribes once for two parts of a page, and leaves with the last", async () => {
    open = await connected();
    open.gateway.welcome();
    const leaves = [open.client.subscribe(ROOM, {}), open.client.subscribe(ROOM, {})];

    leaves[0]();
    assert.equal(open.gateway.socket.all("unsubscribe").length, 0);
    leaves[1]();

    assert.equal(open.gateway.socket.all("subscribe").length, 1);
    assert.equal(open.gateway.socket.all("unsubscribe").length, 1);
  });

  it("asks again for a topic that could not be given for the moment", async () => {
    open = await connected();
    open.gateway.welcome();
    open.client.subscribe(ROOM, {});

    open.gateway.socket.answer("subscribe", {
      type: "error",
      code: 108,
      name: "unavailable",
      message: "",
      temporary: true,
      retry_after_ms: 700,
    });
    await pass(700);

    assert.equal(open.gateway.socket.all("subscribe").length, 2);
  });

  it("tells a part that its topic may not be heard", async () => {
    const heard = [];
    open = await connected();
    open.gateway.welcome();
    open.client.subscribe(ROOM, { ended: () => heard.push("ended") });

    open.gateway.socket.answer("subscribe", {
      type: "error",
      code: 102,
      name: "unknown_topic",
      message: "",
      temporary: false,
    });

    assert.deepEqual(heard, ["ended"]);
  });

  it("stops for good at a close code from 4500 on", async () => {
    open = await connected();
    open.gateway.welcome();

    open.gateway.socket.drop(4503, "revoked");
    await pass(600_000);

    assert.deepEqual([open.client.state.name, open.client.state.reason], ["stopped", "revoked"]);
    assert.equal(open.gateway.sockets.length, 1);
  });

  it("tries a refused ticket's fresh successor, once", async () => {
    open = await connected();
    open.gateway.socket.open();
    open.gateway.socket.drop(4500, "invalid_ticket");
    await pass(500);
    open.gateway.socket.open();
    open.gateway.socket.drop(4500, "invalid_ticket");
    await pass(600_000);

    assert.deepEqual(open.wishes, [false, true]);
    assert.equal(open.client.state.name, "stopped");
  });

  it("fetches a fresh ticket when the old one expired", async () => {
    open = await connected();
    open.gateway.welcome();

    open.gateway.socket.drop(4006, "ticket_expired");
    await pass(500);

    assert.deepEqual(open.wishes, [false, true]);
  });

  it("presents a fresh ticket before the old one expires", async () => {
    open = await connected();
    open.gateway.welcome(undefined, { ticket_expires_in_ms: 20_000 });

    await pass(15_000);

    assert.equal(open.gateway.socket.last("refresh").ticket, "ticket-2");
  });

  it("stops when nobody is signed in", async () => {
    open = await connected({
      fetchTicket: async () => {
        throw new SignedOutError();
      },
    });

    assert.deepEqual([open.client.state.name, open.client.state.reason], ["stopped", "signed_out"]);
  });

  it("tries again when no ticket could be fetched", async () => {
    let attempts = 0;
    open = await connected({
      fetchTicket: async () => {
        attempts += 1;
        throw new TypeError("Failed to fetch");
      },
    });

    await pass(250);

    assert.equal(attempts, 2);
  });

  it("waits longer after each failure in a row", async () => {
    open = await connected({ random: () => 1 });
    const pauses = [];
    for (let failure = 0; failure < 4; failure += 1) {
      open.gateway.socket.drop();
      pauses.push(open.client.state.retryInMs);
      await pass(open.client.state.retryInMs);
    }

    assert.deepEqual(pauses, [500, 1_000, 2_000, 4_000]);
  });

  it("moves to another worker within the time it was asked to", async () => {
    open = await connected();
    open.gateway.welcome();

    open.gateway.socket.say({ type: "reconnect", within_ms: 4_000 });
    await pass(1_999);
    assert.equal(open.gateway.sockets.length, 1);
    await pass(1);

    assert.equal(open.gateway.sockets.length, 2);
  });

  it("pings when it has been quiet, and holds a silent socket for dead", async () => {
    open = await connected();
    open.gateway.welcome();

    await pass(25_000);
    assert.equal(open.gateway.socket.all("ping").length, 1);
    await pass(10_000);

    assert.equal(open.client.state.name, "waiting");
  });

  it("stays with a socket that answers its pings", async () => {
    open = await connected();
    open.gateway.welcome();
    await pass(25_000);

    open.gateway.socket.answer("ping", { type: "pong", server_time_ms: 1 });
    await pass(10_000);

    assert.equal(open.client.state.name, "open");
  });

  it("gives up on a socket that does not open", async () => {
    open = await connected();

    await pass(10_000);

    assert.deepEqual(
      [open.client.state.name, open.client.state.reason],
      ["waiting", "unreachable"],
    );
  });

  it("that knows its user resumes the own topic from where the page was rendered", async () => {
    open = await connected({ user: ME });
    const heard = [];
    const handlers = {
      event: (body) => heard.push(body.type),
      reread: (reason) => heard.push(reason),
    };
    open.client.subscribeOwn(handlers, { position: ["e", 4] });

    open.gateway.welcome({ [OWN]: ["e", 5] });
    open.gateway.socket.event(OWN, 5, { type: "cart_changed" });

    assert.deepEqual(open.gateway.socket.last("hello").positions, { [OWN]: ["e", 4] });
    assert.deepEqual(heard, ["cart_changed"]);
  });

  it("ignores frames of a kind it does not know", async () => {
    open = await connected();
    open.gateway.welcome();

    open.gateway.socket.say({ type: "from_the_future", topic: OWN });

    assert.equal(open.client.state.name, "open");
  });
});

describe("a command", () => {
  let open;
  beforeEach(() => mock.timers.enable({ apis: ["setTimeout", "Date"], now: 1_000_000 }));
  afterEach(() => {
    open?.client.close();
    mock.timers.reset();
  });

  const accept = (gateway, key) => gateway.socket.answer("command", { type: "accepted", key });

  it("is accepted, then committed with its result", async () => {
    open = await connected();
    open.gateway.welcome();
    const sending = open.client.command(SEND);

    accept(open.gateway, sending.key);
    await sending.accepted;
    open.gateway.socket.event(OWN, 1, {
      type: "command_committed",
      key: sending.key,
      result: { type: "cart", version: 7 },
    });

    assert.deepEqual(await sending.outcome, { type: "cart", version: 7 });
  });

  it("tells why it was rejected", async () => {
    open = await connected();
    open.gateway.welcome();
    const sending = open.client.command(SEND);

    open.gateway.socket.event(OWN, 1, {
      type: "command_rejected",
      key: sending.key,
      code: "room_not_found",
      message: "There is no such room.",
    });

    await assert.rejects(sending.outcome, { name: "CommandRejectedError", code: "room_not_found" });
  });

  it("given before the socket is open is sent when it is", async () => {
    open = await connected();
    const sending = open.client.command(SEND);

    open.gateway.welcome();

    assert.equal(open.gateway.socket.last("command").key, sending.key);
  });

  it("is sent again under the same key after a break", async () => {
    open = await connected();
    open.gateway.welcome();
    const sending = open.client.command(SEND);

    open.gateway.socket.drop();
    await pass(500);
    open.gateway.welcome({ [OWN]: ["e", 0] });
    open.gateway.socket.say({ type: "replayed", topic: OWN, position: ["e", 0], count: 0 });

    assert.deepEqual(
      open.gateway.socket.all("command").map((frame) => frame.key),
      [sending.key],
    );
  });

  it("whose outcome was replayed is not sent again", async () => {
    open = await connected();
    open.gateway.welcome();
    const sending = open.client.command(SEND);
    accept(open.gateway, sending.key);

    open.gateway.socket.drop();
    await pass(500);
    open.gateway.welcome({ [OWN]: ["e", 1] });
    open.gateway.socket.event(OWN, 1, { type: "command_committed", key: sending.key });
    open.gateway.socket.say({ type: "replayed", topic: OWN, position: ["e", 1], count: 1 });

    assert.equal(await sending.outcome, null);
    assert.equal(open.gateway.socket.all("command").length, 0);
  });

  it("keeps its order with others after a break", async () => {
    open = await connected();
    open.gateway.welcome();
    const keys = [1, 2, 3].map(() => open.client.command(SEND).key);

    open.gateway.socket.drop();
    await pass(500);
    open.gateway.welcome();
    open.gateway.socket.say({ type: "gap", topic: OWN, position: ["f", 0], reason: "epoch" });

    assert.deepEqual(
      open.gateway.socket.all("command").map((frame) => frame.key),
      keys,
    );
  });

  it("that cannot be taken for the moment is tried again, with what was given meanwhile", async () => {
    open = await connected();
    open.gateway.welcome();
    const first = open.client.command(SEND);

    open.gateway.socket.answer("command", {
      type: "error",
      code: 108,
      name: "unavailable",
      message: "",
      temporary: true,
      retry_after_ms: 2_000,
    });
    const second = open.client.command(SEND);
    await pass(2_000);

    assert.deepEqual(
      open.gateway.socket.all("command").map((frame) => frame.key),
      [first.key, first.key, second.key],
    );
  });

  it("that is no command is refused for good", async () => {
    open = await connected();
    open.gateway.welcome();
    const sending = open.client.command(SEND);

    open.gateway.socket.answer("command", {
      type: "error",
      code: 107,
      name: "bad_frame",
      message: "No.",
      temporary: false,
    });

    await assert.rejects(sending.outcome, { name: "RefusedError", code: 107 });
  });

  it("without an outcome for long is asked for again", async () => {
    open = await connected();
    open.gateway.welcome();
    const sending = open.client.command(SEND);
    accept(open.gateway, sending.key);

    await pass(20_000);

    assert.deepEqual(
      open.gateway.socket.all("command").map((frame) => frame.key),
      [sending.key, sending.key],
    );
  });

  it("given twice under one key is one command", async () => {
    open = await connected();
    open.gateway.welcome();

    assert.equal(
      open.client.command(SEND, { key: "key-00001" }),
      open.client.command(SEND, { key: "key-00001" }),
    );
  });

  it("is refused when too many wait already", async () => {
    open = await connected();
    for (let n = 0; n < 256; n += 1) open.client.command(SEND);

    assert.throws(() => open.client.command(SEND), { name: "TooManyCommandsError" });
  });
});

describe("typing", () => {
  let open;
  beforeEach(() => mock.timers.enable({ apis: ["setTimeout", "Date"], now: 1_000_000 }));
  afterEach(() => {
    open?.client.close();
    mock.timers.reset();
  });

  it("is said at most every three seconds, and its end after five", async () => {
    open = await connected();
    open.gateway.welcome();
    const typing = open.client.typing(ROOM);

    for (let stroke = 0; stroke < 7; stroke += 1) {
      typing.keystroke();
      await pass(500);
    }
    await pass(5_000);

    assert.deepEqual(
      open.gateway.socket.all("typing").map((frame) => frame.on),
      [true, true, false],
    );
  });

  it("is not said over a congested socket", async () => {
    open = await connected();
    open.gateway.welcome();
    open.gateway.socket.bufferedAmount = 1_000_000;

    open.client.typing(ROOM).keystroke();

    assert.equal(open.gateway.socket.all("typing").length, 0);
  });
});
