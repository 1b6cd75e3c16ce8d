/** Say quietly when the page is not live, and again when it is. */

import { find } from "./dom.js";
import { forgetTicket } from "./live.js";

/** A break shorter than this is nobody's business. */
const PATIENCE_MS = 1_500;

const SENTENCES = {
  connecting: "Connecting…",
  waiting: "Reconnecting…",
  offline: "You are offline. What you do now is sent when you are back.",
};
const ENDINGS = {
  signed_out: "You were signed out. Reload the page to sign in again.",
  revoked: "You were signed out. Reload the page to sign in again.",
  removed: "The shop has ended this connection. Reload the page to try again.",
  connection_limit: "Too many tabs are open. Close some and reload.",
};

/** @param {import("../rialto/index.js").Client} client */
export function showConnection(client) {
  const line = find("#connection");
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  client.onState(({ name, reason }) => {
    document.documentElement.dataset.live = name;
    clearTimeout(timer);
    if (name === "open" || reason === "closed") {
      line.hidden = true;
    } else if (name === "stopped") {
      forgetTicket();
      say(line, ENDINGS[reason] ?? "This page is no longer live. Reload it.");
    } else {
      timer = setTimeout(() => say(line, SENTENCES[name]), line.hidden ? PATIENCE_MS : 0);
    }
  });
}

/** @param {HTMLElement} line @param {string} text */
function say(line, text) {
  line.textContent = text;
  line.hidden = false;
}
