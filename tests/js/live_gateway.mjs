/** The client against a real gateway; `test_client.py` sets the stage and names its address. */

import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, it } from "node:test";

import { MessageLog, connect, mintKey } from "../../protocol/js/index.js";

const STAGE = process.argv.at(-1);
const WAIT_MS_MAX = 30_000;

/** Ask the stage for something. */
async function stage(wish, details = {}) {
  const answer = await fetch(`${STAGE}/${wish}`, { method: "POST", body: JSON.stringify(details) });
  if (!answer.ok) throw new Error(`the stage could not ${wish}`);
  return answer.json();
}

/** Wait until `is()` gives something; fail with what was seen when it takes too long. */
async function until(is, seen = () => "") {
  const deadline = Date.now() + WAIT_MS_MAX;
  for (;;) {
    const found = await is();
    if (found) return found;
    if (Date.now() > deadline) assert.fail(`nothing happened: ${JSON.stringify(seen())}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

const range = (from, to) => Array.from({ length: to - from + 1 }, (_, place) => from + place);
const isOpen = (client) => () => client.state.name === "open";

describe("a client and a real gateway", { timeout: 120_000 }, () => {
  let user, room, topic, client, tickets;

  beforeEach(async () => {
    user = await stage("user");
    room = await stage("room");
    topic = `room:${room}`;
    tickets = 0;
  });
  afterEach(() => client.close());

  function come({ lifetimesMs = [] } = {}) {
    client = connect({
      fetchTicket: async () => {
        const lifetime_ms = lifetimesMs[tickets];
        tickets += 1;
        return stage("ticket", lifetime_ms === undefined ? { user } : { user, lifetime_ms });
      },
    });
    return client;
  }

  const message = (seq, more = {}) => ({
    type: "message_sent",
    message: {
      id: `msg_01JD${String(seq).padStart(22, "0")}`,
      room,
      seq,
      version: 1,
      author: { id: user, name: "Ada" },
      text: `number ${seq}`,
      sent_at_ms: 1,
      ...more,
    },
  });
  const say = (from, to) =>
    stage("publish", { topic, bodies: range(from, to).map((seq) => message(seq)) });

  /** Hear the room; returns what was heard, in order, once it is subscribed to. */
  async function listen() {
    const heard = [];
    let isHeard = false;
    client.subscribe(topic, {
      event: (event) => heard.push(event.message.seq),
      reread: (reason) => (reason === "start" ? (isHeard = true) : heard.push(reason)),
    });
    await until(() => isHeard);
    return heard;
  }

  it("is told who it is", async () => {
    come();

    await until(isOpen(client));

    assert.deepEqual(client.me, { id: user, name: "Ada" });
  });

  it("hears every event of a room once and in order", async () => {
    come();
    const heard = await listen();

    await say(1, 200);
    await until(
      () => heard.length >= 200,
      () => heard.length,
    );

    assert.deepEqual(heard, range(1, 200));
  });

  it("misses nothing while the gateway is dead", async () => {
    come();
    const heard = await listen();
    await say(1, 10);
    await until(() => heard.length >= 10);

    await stage("kill");
    await say(11, 60);
    await stage("start");
    await until(
      () => heard.length >= 60,
      () => heard,
    );
    await say(61, 70);
    await until(
      () => heard.length >= 70,
      () => heard,
    );

    assert.deepEqual(heard, range(1, 70));
  });

  it("moves on when the gateway is stopped for a deploy", async () => {
    come();
    const heard = await listen();

    await stage("stop");
    await say(1, 5);
    await stage("start");
    await until(
      () => heard.length >= 5,
      () => heard,
    );

    assert.deepEqual(heard, range(1, 5));
  });

  it("misses nothing in many short breaks", async () => {
    come();
    const heard = await listen();

    for (const round of range(0, 9)) {
      await say(round * 20 + 1, round * 20 + 20);
      client.reconnect();
    }
    await until(
      () => heard.length >= 200,
      () => heard.length,
    );

    assert.deepEqual(heard, range(1, 200));
  });

  it("is told to read its state again when it was away for too long", async () => {
    come();
    const heard = await listen();

    await stage("kill");
    await say(1, 400);
    await stage("start");
    await until(() => heard.length > 0);
    await say(401, 401);
    await until(() => heard.length > 1);

    assert.deepEqual(heard, ["too_far", 401]);
  });

  it("is told to read its state again when the log was lost", async () => {
    come();
    const heard = await listen();
    await say(1, 3);
    await until(() => heard.length >= 3);

    await stage("kill");
    await stage("forget", { topic });
    await say(4, 5);
    await stage("start");
    await until(() => heard.length > 3);
    await say(6, 6);
    await until(
      () => heard.at(-1) === 6,
      () => heard,
    );

    assert.deepEqual(heard, [1, 2, 3, "epoch", 6]);
  });

  it("shows its message once, from the first keystroke to the room's own copy", async () => {
    come();
    const log = new MessageLog();
    client.subscribe(topic, { event: (event) => log.merge(event.message) });
    await until(isOpen(client));
    const key = mintKey();

    log.write({ key, room, author: client.me, text: "hello", sentAtMs: 1 });
    const sending = client.command({ type: "send_message", room, text: "hello" }, { key });
    await sending.accepted;
    await stage("publish", { topic, bodies: [message(1, { key, text: "hello" })] });
    const result = { type: "message", message: message(1).message.id, seq: 1, version: 1 };
    await stage("publish", {
      topic: `user:${user}`,
      bodies: [{ type: "command_committed", key, result }],
    });

    assert.deepEqual(await sending.outcome, result);
    log.committed(key, result);
    await until(() => log.entries()[0]?.state === "sent");
    assert.deepEqual(
      log.entries().map(({ id, message: { seq } }) => [id, seq]),
      [[key, 1]],
    );
  });

  it("gives a command while the gateway is dead, and has its outcome when it is back", async () => {
    come();
    await until(isOpen(client));

    await stage("kill");
    const sending = client.command({ type: "send_message", room, text: "hello" });
    await stage("start");
    await sending.accepted;
    await stage("publish", {
      topic: `user:${user}`,
      bodies: [{ type: "command_committed", key: sending.key }],
    });

    assert.equal(await sending.outcome, null);
    const taken = (await stage("commands")).filter((one) => one.user === user);
    assert.deepEqual([...new Set(taken.map((one) => one.key))], [sending.key]);
  });

  it("hears an outcome that was told while it was away", async () => {
    come();
    await until(isOpen(client));
    const sending = client.command({ type: "mark_read", room, seq: 1 });
    await sending.accepted;

    await stage("kill");
    const rejection = {
      type: "command_rejected",
      key: sending.key,
      code: "room_not_found",
      message: "No.",
    };
    await stage("publish", { topic: `user:${user}`, bodies: [rejection] });
    await stage("start");

    await assert.rejects(sending.outcome, { name: "CommandRejectedError", code: "room_not_found" });
  });

  it("keeps its socket beyond the life of its first ticket", async () => {
    const states = [];
    come({ lifetimesMs: [4_000] });
    client.onState(({ name }) => states.push(name));
    const heard = await listen();
    const expiresAt = Date.now() + 4_000;

    await until(() => Date.now() > expiresAt);
    await say(1, 1);
    await until(() => heard.length >= 1);

    assert.deepEqual(states, ["connecting", "open"]);
    assert.equal(tickets, 2);
  });

  it("fetches a fresh ticket when the one it has is too old", async () => {
    come({ lifetimesMs: [-60_000] });

    await until(isOpen(client), () => client.state);

    assert.equal(tickets, 2);
  });

  it("sees itself in a room, and itself writing", async () => {
    const signals = new Map();
    come();
    client.subscribe(topic, { signal: (signal) => signals.set(signal.type, signal) });

    await until(
      () => signals.get("presence")?.count === 1,
      () => [...signals],
    );
    client.typing(topic).keystroke();
    await until(
      () => signals.get("typing")?.count === 1,
      () => [...signals],
    );

    assert.deepEqual(signals.get("presence").users, [{ id: user, name: "Ada", state: "online" }]);
  });

  it("is refused a room that is not its own", async () => {
    const heard = [];
    come();

    client.subscribe("room:rom_01JD0000000000000000000009", { ended: () => heard.push("ended") });

    await until(() => heard.length > 0);
  });
});
