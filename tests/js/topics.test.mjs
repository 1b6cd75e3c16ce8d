import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { OWN_TOPIC, TOPICS_MAX, TopicBook } from "../../protocol/js/topics.js";

const ROOM = "room:rom_1";
const OWN = "user:usr_1";

/** A part of a page that writes down what it is told. */
function listener() {
  const heard = [];
  return {
    heard,
    event: (body) => heard.push(body.n),
    reread: (reason) => heard.push(reason),
    signal: (body) => heard.push(body.type),
    ended: () => heard.push("ended"),
  };
}

function bookWith(part, position = ["e", 0]) {
  const book = new TopicBook(() => {});
  book.add(ROOM, part, position);
  book.subscribed(ROOM, position, true);
  return book;
}

const event = (offset, topic = ROOM) => ({
  topic,
  offset,
  id: "evt",
  at_ms: 1,
  body: { n: offset },
});

describe("a topic", () => {
  it("tells each event once, though it came twice", () => {
    const part = listener();
    const book = bookWith(part);

    for (const offset of [1, 2, 2, 1, 3]) book.event(event(offset));

    assert.deepEqual(part.heard, [1, 2, 3]);
  });

  it("moves its position with every event", () => {
    const book = bookWith(listener());

    book.event(event(1));

    assert.deepEqual(book.positions(), { [ROOM]: ["e", 1] });
  });

  it("has its state read again when an offset is missing", () => {
    const part = listener();
    const book = bookWith(part);

    book.event(event(2));

    assert.deepEqual(part.heard, [2, "lost"]);
  });

  it("has its state read again after a gap, and goes on from there", () => {
    const part = listener();
    const book = bookWith(part);

    book.gap({ topic: ROOM, position: ["f", 7], reason: "epoch" });
    book.event(event(8));

    assert.deepEqual(part.heard, ["epoch", 8]);
  });

  it("keeps its own position when the gateway answers with a later one, until it was replayed", () => {
    const part = listener();
    const book = new TopicBook(() => {});
    book.add(ROOM, part, ["e", 1]);

    book.subscribed(ROOM, ["e", 3], true);
    for (const offset of [2, 3]) book.event(event(offset));
    book.replayed({ topic: ROOM, position: ["e", 3] });

    assert.deepEqual(part.heard, [2, 3]);
  });

  it("tells a part without a position to read its state once the topic is heard", () => {
    const part = listener();
    const book = new TopicBook(() => {});
    book.add(ROOM, part, null);

    book.subscribed(ROOM, ["e", 5], false);
    book.event(event(6));

    assert.deepEqual(part.heard, ["start", 6]);
  });

  it("tells a part that joins later to read its state at once", () => {
    const late = listener();
    const book = bookWith(listener());

    book.add(ROOM, late, null);

    assert.deepEqual(late.heard, ["start"]);
  });

  it("gives a part that joins later the newest signals", () => {
    const late = listener();
    const book = bookWith(listener());
    book.signal({ topic: ROOM, body: { type: "presence" } });

    book.add(ROOM, late, ["e", 0]);

    assert.deepEqual(late.heard, ["presence"]);
  });

  it("is given up when its last part leaves", () => {
    const [one, other] = [listener(), listener()];
    const book = bookWith(one);
    book.add(ROOM, other, null);

    assert.equal(book.remove(ROOM, one), false);
    assert.equal(book.remove(ROOM, other), true);
  });

  it("goes on for the others when one part throws", () => {
    const reports = [];
    const other = listener();
    const book = new TopicBook((error) => reports.push(error.message));
    book.add(
      ROOM,
      {
        event: () => {
          throw new Error("oops");
        },
      },
      ["e", 0],
    );
    book.add(ROOM, other, ["e", 0]);

    book.event(event(1));

    assert.deepEqual([other.heard, reports], [[1], ["oops"]]);
  });
});

describe("the own topic", () => {
  it("is named by the welcome", () => {
    const part = listener();
    const book = new TopicBook(() => {});
    book.add(OWN_TOPIC, part, null);

    book.welcome(OWN, { [OWN]: ["e", 4] }, {});
    book.event(event(5, OWN));

    assert.deepEqual(part.heard, ["start", 5]);
  });

  it("has its state read again when the page's position could not be resumed", () => {
    const part = listener();
    const book = new TopicBook(() => {});
    book.add(OWN_TOPIC, part, ["e", 2]);

    book.welcome(OWN, { [OWN]: ["e", 4] }, {});

    assert.deepEqual(part.heard, ["start"]);
  });
});

describe("a page", () => {
  it("may hear as many topics as the protocol allows, and not one more", () => {
    const book = new TopicBook(() => {});
    for (let n = 1; n < TOPICS_MAX; n += 1) book.add(`room:${n}`, listener(), null);

    assert.throws(() => book.add("room:one-more", listener(), null), RangeError);
  });
});
