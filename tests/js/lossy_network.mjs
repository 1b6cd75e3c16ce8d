/**
 * Several clients talk in one room over a network that cuts their sockets at any byte.
 * `test_lossy_network.py` names the shop in one argument of JSON, and judges what is printed.
 */

import { MessageLog, connect } from "../../protocol/js/index.js";

const WAIT_MS_MAX = 60_000;
const PAUSE_MS_MAX = 60;

/** Small pauses: the client's own full jitter, at its lowest. */
const RANDOM = () => 0.01;

const { web, socket, room, tokens, messages } = JSON.parse(process.argv.at(-1));
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

async function ask(method, path, token) {
  const answer = await fetch(web + path, { method, headers: { authorization: `Bearer ${token}` } });
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status}`);
  return answer.json();
}

class Tab {
  log = new MessageLog();
  /** Numbers of the messages as the room's events told them. */
  heard = [];
  rereads = 0;
  drops = 0;
  #ticket = null;
  #reading = Promise.resolve();

  constructor(name, token) {
    this.name = name;
    this.token = token;
    this.client = connect({
      url: socket,
      random: RANDOM,
      fetchTicket: async ({ fresh }) => {
        if (fresh || this.#ticket === null)
          this.#ticket = await ask("POST", "/v1/tickets", token);
        return this.#ticket;
      },
    });
    this.client.onState(({ name: state }) => {
      if (state === "waiting") this.drops += 1;
    });
    this.client.subscribe(`room:${room}`, {
      event: (event) => {
        if (event.type !== "message_sent") return;
        this.heard.push(event.message.seq);
        this.log.merge(event.message);
      },
      reread: () => {
        this.rereads += 1;
        this.#reading = this.#reading.then(() => this.#read());
      },
    });
  }

  async #read() {
    for (let after = 0, more = true; more; ) {
      const page = await ask(
        "GET",
        `/v1/rooms/${room}/messages?after=${after}&limit=100`,
        this.token,
      );
      for (const message of page.items) this.log.merge(message);
      more = page.more === true && page.items.length > 0;
      after = page.items.at(-1)?.seq ?? after;
    }
  }

  /** Say everything, without waiting for one to be committed before the next. */
  async talk() {
    const outcomes = [];
    for (let number = 0; number < messages; number += 1) {
      const text = `${this.name} says number ${number}`;
      outcomes.push(this.client.command({ type: "send_message", room, text }).outcome);
      await pause(Math.random() * PAUSE_MS_MAX);
    }
    return Promise.all(outcomes);
  }

  texts() {
    return this.log.entries().map(({ message }) => message.text);
  }

  report() {
    const numbers = this.log.entries().map(({ message }) => message.seq);
    const { heard, rereads, drops } = this;
    return { texts: this.texts(), numbers, heard, rereads, drops };
  }
}

const tabs = tokens.map((token, number) => new Tab(`member ${number}`, token));
const deadline = Date.now() + WAIT_MS_MAX;
const everything = tabs.length * messages;
let committed = false;
const talking = Promise.all(tabs.map((tab) => tab.talk())).then(() => (committed = true));
talking.catch((error) => console.error(error));
while (!committed || tabs.some((tab) => tab.texts().length < everything)) {
  if (Date.now() > deadline) break;
  await pause(20);
}
console.log(JSON.stringify({ committed, tabs: tabs.map((tab) => tab.report()) }));
for (const tab of tabs) tab.client.close();
process.exit(0);
