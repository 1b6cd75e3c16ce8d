/**
 * Check a Rialto licence file without a network. Copy this one file into your product.
 *
 *     import { machineId, verify } from "./verify_license.mjs";
 *     const machine = await machineId("your machine's fingerprint");
 *     const answer = await verify(text, { keys, machine, now: Date.now() / 1000, seqSeen: 41 });
 *     if (answer.status === "valid" || answer.status === "grace") { … }
 *
 * It runs wherever WebCrypto knows Ed25519: Node 20, Deno, and browsers of 2025 and later. The keys
 * come with your product, never with the file. See README.md beside this file.
 *
 * @typedef {{ status: string, claims?: Record<string, any> }} Answer
 */

export const FILE_DOMAIN = "license-file/v1";
export const ANSWER_DOMAIN = "license-answer/v1";
const TEXT_CHARS_MAX = 16_384;
const CLOCK_SKEW_SECONDS = 300;
const STRINGS = ["license", "product", "machine"];
const NUMBERS = ["seq", "iat", "nbf", "exp", "grace"];
const utf8 = new TextEncoder();

/** @param {string} fingerprint @returns {Promise<string>} what a file calls this machine */
export async function machineId(fingerprint) {
  const told = utf8.encode(`rialto-machine/v1\0${fingerprint}`);
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", told));
  return [...digest].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/**
 * Say what a licence file is worth on this machine, now; see `Answer` in verify_license.py.
 * @param {string} text
 * @param {{ keys: Record<string, string>, machine: string, now: number, seqSeen?: number }} options
 * @returns {Promise<Answer>}
 */
export async function verify(text, { keys, machine, now, seqSeen = 0 }) {
  const claims = await openSigned(text, FILE_DOMAIN, keys);
  if (typeof claims === "string") return { status: claims };
  const isWhole =
    STRINGS.every((name) => typeof claims[name] === "string") &&
    NUMBERS.every((name) => Number.isSafeInteger(claims[name]));
  if (!isWhole) return { status: "malformed" };
  return { status: statusOf(claims, machine, now, seqSeen), claims };
}

/**
 * Return what a signed text says, or why not: "malformed" or "unknown_key".
 * @param {string} text @param {string} domain @param {Record<string, string>} keys
 * @returns {Promise<Record<string, any> | "malformed" | "unknown_key">}
 */
export async function openSigned(text, domain, keys) {
  const parts = text.length <= TEXT_CHARS_MAX ? text.trim().split(".") : [];
  if (parts.length !== 4 || parts[0] !== "v1") return "malformed";
  const [, headerPart, payloadPart, signaturePart] = parts;
  try {
    const header = JSON.parse(asText(decode(headerPart)));
    if (header?.alg !== "Ed25519") return "malformed";
    const key = Object.hasOwn(keys, header.kid) ? keys[header.kid] : undefined;
    if (key === undefined) return "unknown_key";
    const imported = await crypto.subtle.importKey("raw", decode(key), "Ed25519", false, ["verify"]);
    const signed = utf8.encode(`${domain}\0${headerPart}.${payloadPart}`);
    const isGood = await crypto.subtle.verify("Ed25519", imported, decode(signaturePart), signed);
    const claims = isGood ? JSON.parse(asText(decode(payloadPart))) : null;
    return typeof claims === "object" && claims !== null && !Array.isArray(claims) ? claims : "malformed";
  } catch {
    return "malformed";
  }
}

function statusOf(claims, machine, now, seqSeen) {
  if (claims.machine !== machine) return "other_machine";
  if (claims.seq < seqSeen) return "rolled_back";
  if (now + CLOCK_SKEW_SECONDS < Math.max(claims.nbf, claims.iat)) return "not_yet";
  if (now < claims.exp) return "valid";
  return now < claims.grace ? "grace" : "expired";
}

/** Read base64url without padding; throw on what an encoder would not have written. */
function decode(part) {
  if (!/^[A-Za-z0-9_-]+$/.test(part)) throw new TypeError("not base64url");
  const text = atob(part.replaceAll("-", "+").replaceAll("_", "/"));
  const again = btoa(text).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
  if (again !== part) throw new TypeError("not base64url");
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

function asText(bytes) {
  return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
}
