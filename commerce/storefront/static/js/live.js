/** The page's one socket: there is one when somebody is signed in, else none. */

import { SignedOutError, connect } from "../rialto/index.js";
import { ProblemError, ask } from "./api.js";
import { pageData } from "./dom.js";

/** A ticket kept for the next page must be good for at least this long. */
const TICKET_LEFT_MS_MIN = 60_000;
const TICKET_KEY = "rialto.ticket";

/** @type {{ user: { id: string, name: string } | null, cart: any, unread: number } | null} */
const shell = pageData("shell");

/** Who is signed in, or null. */
export const me = shell?.user ?? null;

/** What the server knew when it wrote the page. */
export const known = shell;

/** @type {import("../rialto/index.js").Client | null} */
export const client = me === null ? null : connect({ user: me.id, fetchTicket });

/** The same, for code that only runs when somebody is signed in. */
export const live = /** @type {import("../rialto/index.js").Client} */ (client);

/** Forget the ticket, before the user changes. */
export function forgetTicket() {
  sessionStorage.removeItem(TICKET_KEY);
}

/** @param {{ fresh: boolean }} wish */
async function fetchTicket({ fresh }) {
  const kept = fresh ? null : keptTicket();
  if (kept !== null) return kept;
  try {
    const ticket = await ask("POST", "/v1/tickets");
    const kept = { ...ticket, user: me?.id, expires_at_ms: Date.now() + ticket.expires_in_ms };
    sessionStorage.setItem(TICKET_KEY, JSON.stringify(kept));
    return ticket;
  } catch (error) {
    if (error instanceof ProblemError && error.status === 401) throw new SignedOutError();
    throw error;
  }
}

/** The ticket an earlier page of this tab fetched saves a request on every page. */
function keptTicket() {
  const kept = JSON.parse(sessionStorage.getItem(TICKET_KEY) ?? "null");
  const isGood = kept?.user === me?.id && kept.expires_at_ms - Date.now() > TICKET_LEFT_MS_MIN;
  return isGood ? kept : null;
}
