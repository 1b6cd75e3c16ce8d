import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { Backoff } from "../../protocol/js/backoff.js";
import { mayReconnect } from "../../protocol/js/close_codes.js";
import { mintKey } from "../../protocol/js/keys.js";

describe("a back-off", () => {
  it("draws from a ceiling that doubles from half a second to twenty", () => {
    const backoff = new Backoff(() => 1);

    const pauses = Array.from({ length: 8 }, () => backoff.next());

    assert.deepEqual(pauses, [500, 1_000, 2_000, 4_000, 8_000, 16_000, 20_000, 20_000]);
  });

  it("may draw no pause at all", () => {
    assert.equal(new Backoff(() => 0).next(), 0);
  });

  it("waits longer in a hidden tab", () => {
    assert.equal(new Backoff(() => 1).next({ hidden: true }), 1_500);
  });

  it("starts over once an attempt proved good", () => {
    const backoff = new Backoff(() => 1);
    backoff.next();

    backoff.reset();

    assert.equal(backoff.next(), 500);
  });
});

describe("close codes", () => {
  it("ask for a reconnect below 4500, and for none from there on", () => {
    assert.deepEqual([1000, 1006, 4001, 4009, 4499].map(mayReconnect), [
      true,
      true,
      true,
      true,
      true,
    ]);
    assert.deepEqual([4500, 4501, 4503, 4504].map(mayReconnect), [false, false, false, false]);
  });
});

describe("a key", () => {
  it("is what the protocol takes for one", () => {
    assert.match(mintKey(), /^[A-Za-z0-9_-]{26}$/);
  });

  it("sorts by the time it was minted", () => {
    assert.ok(mintKey(1_000) < mintKey(2_000));
  });
});
