/** Mint idempotency keys and device names: 26 characters that sort by time, like a ULID. */

const ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const TIME_CHARACTERS = 10;
const RANDOM_CHARACTERS = 16;

/**
 * Return a new key. Mint one for each thing the user means to do, and keep it across retries.
 * @param {number} [nowMs]
 */
export function mintKey(nowMs = Date.now()) {
  let time = "";
  for (let rest = nowMs, place = 0; place < TIME_CHARACTERS; place += 1) {
    time = ALPHABET[rest % 32] + time;
    rest = Math.floor(rest / 32);
  }
  const bytes = crypto.getRandomValues(new Uint8Array(RANDOM_CHARACTERS));
  return time + Array.from(bytes, (byte) => ALPHABET[byte % 32]).join("");
}
