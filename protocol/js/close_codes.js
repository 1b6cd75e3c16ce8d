/** What a close code asks of the client; the table is `protocol/close_codes.py`. */

export const TICKET_EXPIRED = 4006;
export const REPLACED = 4009;
export const INVALID_TICKET = 4500;

/** Codes the client itself ends a conversation with; they never travel. */
export const SILENT_PEER = 4900;
export const UNREACHABLE = 4901;

/**
 * Say whether to reconnect without being asked: always, but for 4500 to 4899.
 * @param {number} code
 */
export function mayReconnect(code) {
  return code < 4500 || code === SILENT_PEER || code === UNREACHABLE;
}
