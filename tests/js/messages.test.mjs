import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { MESSAGES_MAX, MessageLog } from "../../protocol/js/messages.js";

const ADA = { id: "usr_ada", name: "Ada" };

const message = (seq, more = {}) => ({
  id: `msg_${seq}`,
  room: "rom_1",
  seq,
  version: 1,
  author: ADA,
  text: `number ${seq}`,
  sent_at_ms: seq,
  ...more,
});
const draft = (key) => ({ key, room: "rom_1", author: ADA, text: "hello", sentAtMs: 9 });
const texts = (log) => log.entries().map((entry) => entry.message.text);

describe("a message log", () => {
  it("orders messages by number, however they came", () => {
    const log = new MessageLog();

    for (const seq of [3, 1, 2]) log.merge(message(seq));

    assert.deepEqual(texts(log), ["number 1", "number 2", "number 3"]);
  });

  it("keeps one copy of a message that came twice", () => {
    const log = new MessageLog();
    log.merge(message(1));

    assert.equal(log.merge(message(1)), false);
    assert.equal(log.entries().length, 1);
  });

  it("never shows an older version over a newer one", () => {
    const log = new MessageLog();
    log.merge(message(1, { version: 3, text: "third" }));

    log.merge(message(1, { version: 2, text: "second" }));

    assert.deepEqual(texts(log), ["third"]);
  });

  it("shows what is on its way after everything else", () => {
    const log = new MessageLog();
    log.write(draft("key-1"));
    log.merge(message(1));

    assert.deepEqual(
      log.entries().map((entry) => entry.state),
      ["sent", "sending"],
    );
  });

  it("lets a message take the place of the optimistic one with its key", () => {
    const log = new MessageLog();
    log.write(draft("key-1"));

    log.merge(message(1, { key: "key-1" }));

    assert.deepEqual(
      log.entries().map(({ id, state }) => [id, state]),
      [["key-1", "sent"]],
    );
  });

  it("shows one line when the outcome came first and the event after it", () => {
    const log = new MessageLog();
    log.write(draft("key-1"));

    log.committed("key-1", { message: "msg_1", seq: 1, version: 1 });
    log.merge(message(1, { key: "key-1" }));

    assert.deepEqual(
      log.entries().map(({ id, message: { seq } }) => [id, seq]),
      [["key-1", 1]],
    );
  });

  it("shows one line when the event came before the message was written", () => {
    const log = new MessageLog();
    log.write(draft("key-1"));
    log.merge(message(1, { key: "key-1" }));

    log.write(draft("key-1"));

    assert.equal(log.entries().length, 1);
  });

  it("keeps a refused message, with the reason, until it is discarded", () => {
    const log = new MessageLog();
    log.write(draft("key-1"));

    log.failed("key-1", "The room is closed.");

    assert.deepEqual(
      log.entries().map(({ state, reason }) => [state, reason]),
      [["failed", "The room is closed."]],
    );
    assert.equal(log.discard("key-1"), true);
    assert.deepEqual(log.entries(), []);
  });

  it("keeps the number of a deleted message, without its text", () => {
    const log = new MessageLog();
    log.merge(message(1));

    log.deleted({ message: "msg_1", version: 2 });

    assert.deepEqual(
      log.entries().map((entry) => [entry.message.text, entry.message.deleted]),
      [["", true]],
    );
  });

  it("lets go of the oldest above its bound", () => {
    const log = new MessageLog();

    for (let seq = 1; seq <= MESSAGES_MAX + 1; seq += 1) log.merge(message(seq));

    assert.deepEqual(log.span, { first: 2, last: MESSAGES_MAX + 1 });
  });
});

describe("the reactions to a message", () => {
  const reactions = (version, ...items) => ({
    version,
    items: items.map(([emoji, count, mine]) => ({ emoji, count, ...(mine ? { mine } : {}) })),
  });
  const changed = (version, user, on, ...items) => ({
    type: "reactions_changed",
    room: "rom_1",
    message: "msg_1",
    seq: 1,
    reactions: reactions(version, ...items),
    user,
    emoji: "👍",
    on,
  });
  const shown = (log) => log.find("msg_1").reactions.items.map((one) => [one.count, one.mine]);

  it("are marked as ours by the events that are ours", () => {
    const log = new MessageLog();
    log.merge(message(1));

    log.reacted(changed(1, "usr_ben", true, ["👍", 1]), "usr_ada");
    assert.deepEqual(shown(log), [[1, false]]);
    log.reacted(changed(2, "usr_ada", true, ["👍", 2]), "usr_ada");
    assert.deepEqual(shown(log), [[2, true]]);
    log.reacted(changed(3, "usr_ada", false, ["👍", 1]), "usr_ada");
    assert.deepEqual(shown(log), [[1, false]]);
  });

  it("never go back to an older state, and never change the text", () => {
    const log = new MessageLog();
    log.merge(message(1, { version: 2, text: "second", reactions: reactions(5, ["👍", 9, true]) }));

    assert.equal(log.reacted(changed(4, "usr_ben", true, ["👍", 8]), "usr_ada"), false);
    log.merge(message(1, { text: "first", reactions: reactions(6, ["👍", 10, true]) }));

    assert.equal(log.find("msg_1").text, "second");
    assert.deepEqual(shown(log), [[10, true]]);
  });

  it("survive an edit that was told without knowing whose they are", () => {
    const log = new MessageLog();
    log.merge(message(1, { reactions: reactions(1, ["👍", 1, true]) }));

    log.merge(message(1, { version: 2, text: "edited", reactions: reactions(1, ["👍", 1]) }));

    assert.equal(log.find("msg_1").text, "edited");
    assert.deepEqual(shown(log), [[1, true]]);
  });

  it("go with a message that is taken back", () => {
    const log = new MessageLog();
    log.merge(message(1, { parts: [{ ref: "prd_1" }], reactions: reactions(1, ["👍", 1]) }));

    log.deleted({ message: "msg_1", version: 2 });
    log.reacted(changed(2, "usr_ben", true, ["👍", 2]), "usr_ada");

    assert.equal(log.find("msg_1").reactions, undefined);
    assert.equal(log.find("msg_1").parts, undefined);
  });
});
