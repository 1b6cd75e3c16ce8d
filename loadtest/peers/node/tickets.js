// Who a client is: the same signed tickets (JSON Web Tokens, Ed25519) that the gateway verifies.
import { createPublicKey, verify } from "node:crypto";

const SPKI_HEAD = Buffer.from("302a300506032b6570032100", "hex");

function publicKey() {
  const raw = Buffer.from(process.env.BENCH_VERIFYING_KEY.split(":")[1], "base64");
  return createPublicKey({ key: Buffer.concat([SPKI_HEAD, raw]), format: "der", type: "spki" });
}

const key = publicKey();

/** Return what a good ticket says; throws if it is not one. */
export function claimsOf(ticket) {
  const [head, body, signature] = String(ticket).split(".");
  const good = verify(null, Buffer.from(`${head}.${body}`), key, Buffer.from(signature, "base64url"));
  const claims = good && JSON.parse(Buffer.from(body, "base64url"));
  if (!claims || claims.exp * 1000 < Date.now()) throw new Error("unauthorized");
  return claims;
}
