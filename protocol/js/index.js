/**
 * Rialto's client for browsers and for Node: `connect`, and what its promises may throw.
 *
 * ```js
 * const client = connect({ fetchTicket });
 * client.subscribe("room:rom_…", { event: show, signal: showWhoIsHere, reread: readHistory });
 * client.watch("prd_…", { state: showPrice, stale: readAgain }, { version: 4 });
 * client.follow("usr_…", showWhetherOnline);
 * const sending = client.command({ type: "send_message", room: "rom_…", text: "Hello" });
 * await sending.outcome;
 * ```
 */

import { Client } from "./client.js";

export { Client };
export {
  CommandRejectedError,
  ConnectionLostError,
  RefusedError,
  SignedOutError,
  TooManyCommandsError,
} from "./errors.js";
export { mintKey } from "./keys.js";
export { MessageLog } from "./messages.js";

/**
 * Open the page's one socket. It connects by itself, and again whenever it was lost.
 * @param {import("./client.js").Options} options
 */
export function connect(options) {
  return new Client(options);
}
