import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, it, mock } from "node:test";

import { connect } from "../../protocol/js/index.js";
import { STALE_SPREAD_MS } from "../../protocol/js/products.js";
import { WISH_MS } from "../../protocol/js/wishes.js";
import { ScriptedGateway, settled } from "./scripted_gateway.mjs";

const INK = "prd_01JD0000000000000000000011";
const OAK = "prd_01JD0000000000000000000012";
const ADA = "usr_01JD0000000000000000000021";

/** A client that is welcome. */
async function connected() {
  const gateway = new ScriptedGateway();
  const client = connect({
    url: "ws://gateway/ws",
    random: () => 0.5,
    WebSocket: gateway.WebSocket,
    fetchTicket: async () => ({ ticket: "ticket", expires_in_ms: 3_000_000 }),
  });
  await settled();
  gateway.welcome();
  return { client, gateway };
}

async function pass(ms) {
  mock.timers.tick(ms);
  await settled();
}

const state = (id, version, more = {}) => ({
  type: "product",
  product: { id, version, slug: "ink", title: "Ink", price: {}, ...more },
});

describe("what a page shows", () => {
  let open;
  let told;
  const hear = (name) => ({
    state: (product) => told.push([name, product.version]),
    stale: () => told.push([name, "stale"]),
  });
  beforeEach(async () => {
    mock.timers.enable({ apis: ["setTimeout", "Date"], now: 1_000_000 });
    told = [];
    open = await connected();
  });
  afterEach(() => {
    open.client.close();
    mock.timers.reset();
  });

  it("is watched with one frame, a moment after it last changed", async () => {
    open.client.watch(INK, hear("ink"), { version: 3 });
    open.client.watch(OAK, hear("oak"));
    assert.equal(open.gateway.socket.all("watch").length, 0);
    await pass(WISH_MS);

    const watches = open.gateway.socket.all("watch");
    assert.equal(watches.length, 1);
    assert.deepEqual(watches[0].products, { [INK]: 3, [OAK]: 0 });
  });

  it("never goes back to an older state", async () => {
    open.client.watch(INK, hear("ink"), { version: 3 });
    for (const version of [2, 5, 4, 5, 6]) open.gateway.socket.say(state(INK, version));

    assert.deepEqual(told, [
      ["ink", 5],
      ["ink", 6],
    ]);
  });

  it("is watched once for two parts, each told what it lacks", async () => {
    open.client.watch(INK, hear("one"), { version: 5 });
    await pass(WISH_MS);
    open.gateway.socket.say(state(INK, 6));
    open.client.watch(INK, hear("two"), { version: 5 });
    await pass(WISH_MS);

    assert.deepEqual(told, [
      ["one", 6],
      ["two", 6],
    ]);
    assert.equal(open.gateway.socket.all("watch").length, 1);
  });

  it("is said again when it is less, and not at all to a new gateway when it is nothing", async () => {
    const watch = open.client.watch(INK, hear("ink"), { version: 5 });
    await pass(WISH_MS);
    watch.leave();
    await pass(WISH_MS);
    assert.deepEqual(open.gateway.socket.last("watch").products, {});

    open.gateway.socket.drop();
    await pass(500);
    open.gateway.welcome();
    assert.equal(open.gateway.socket.all("watch").length, 0);
  });

  it("is watched again after a reconnect with what is known by then, and how old that is", async () => {
    open.client.watch(INK, hear("ink"), { version: 3, ageMs: 700 });
    await pass(WISH_MS);
    assert.equal(open.gateway.socket.last("watch").age_ms, 700 + WISH_MS);
    open.gateway.socket.answer("watch", { type: "watching" });
    open.gateway.socket.say(state(INK, 4));
    await pass(60_000);

    open.gateway.socket.drop();
    await pass(500);
    open.gateway.welcome();

    const again = open.gateway.socket.last("watch");
    assert.deepEqual(again.products, { [INK]: 4 });
    assert.equal(again.age_ms, 500);
  });

  it("is read again where the gateway cannot vouch for it", async () => {
    const watch = open.client.watch(INK, hear("ink"), { version: 3 });
    open.client.watch(OAK, hear("oak"), { version: 1 });
    await pass(WISH_MS);
    open.gateway.socket.answer("watch", { type: "watching", stale: [INK] });
    open.gateway.socket.say({ type: "stale", products: [OAK] });
    assert.deepEqual(told, []);
    await pass(STALE_SPREAD_MS);

    assert.deepEqual(told, [
      ["ink", "stale"],
      ["oak", "stale"],
    ]);
    watch.has(9);
    open.gateway.socket.say(state(INK, 8));
    assert.equal(told.length, 2);
  });

  it("is asked for again when it was refused for the moment", async () => {
    open.client.watch(INK, hear("ink"), { version: 3 });
    await pass(WISH_MS);
    open.gateway.socket.answer("watch", {
      type: "error",
      code: 108,
      name: "unavailable",
      message: "",
      temporary: true,
      retry_after_ms: 700,
    });
    await pass(700);

    assert.equal(open.gateway.socket.all("watch").length, 2);
  });

  it("is at most two hundred products", () => {
    for (let number = 0; number < 200; number += 1)
      open.client.watch(`prd_${number}`, hear("many"));

    assert.throws(() => open.client.watch("prd_more", hear("more")), RangeError);
  });

  it("does not suffer from one part's mistake", () => {
    const reported = mock.method(console, "error", () => {});
    open.client.watch(INK, { state: () => assert.fail("a mistake") });
    open.client.watch(INK, hear("ink"));
    open.gateway.socket.say(state(INK, 1));

    assert.deepEqual(told, [["ink", 1]]);
    assert.equal(reported.mock.callCount() > 0 || "reportError" in globalThis, true);
    reported.mock.restore();
  });

  it("is people too, told once for each change, also after a reconnect", async () => {
    const seen = [];
    const leave = open.client.follow(ADA, (presence) => seen.push(presence));
    await pass(WISH_MS);
    assert.deepEqual(open.gateway.socket.last("watch_people").users, [ADA]);
    const answer = (presence) => ({
      type: "watching_people",
      people: [{ user: ADA, state: presence }],
    });
    open.gateway.socket.answer("watch_people", answer("offline"));
    open.gateway.socket.say({ type: "person", person: { user: ADA, state: "online" } });
    open.gateway.socket.drop();
    await pass(500);
    open.gateway.welcome();
    open.gateway.socket.answer("watch_people", answer("online"));
    open.gateway.socket.say({ type: "person", person: { user: ADA, state: "away" } });

    assert.deepEqual(seen, ["offline", "online", "away"]);
    leave();
    await pass(WISH_MS);
    assert.deepEqual(open.gateway.socket.last("watch_people").users, []);
  });
});
