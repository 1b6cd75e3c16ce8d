"""Write the published test vectors: `python -m tests.protocol.license_file.write_vectors`.

They are signed with a key made of a text everybody knows. Once published they are never changed.
"""

import base64
import json
from pathlib import Path

import msgspec

from commerce.licenses.adapters.ed25519_signer import Ed25519Signer
from commerce.licenses.model import FileClaims
from protocol.license_file.verify_license import machine_id

VECTORS = Path(__file__).parents[3] / "protocol" / "license_file" / "vectors.json"
NOW = 1_790_000_000
DAY = 86_400
FINGERPRINT = "4c4c4544-0043-3510-8056-b4c04f4a3233"
SEED = base64.b64encode(b"rialto licence file test vectors").decode()
ULID = "01JD7Q3ZB2M4N5P6Q7R8S9T0VW"
CLAIMS = FileClaims(
    license=f"lic_{ULID}",
    product=f"prd_{ULID}",
    title="Halden Grotesk, Żółć 🦉",
    entitlements=("desktop", "web"),
    machine=machine_id(FINGERPRINT),
    seq=7,
    iat=NOW,
    nbf=NOW,
    exp=NOW + 30 * DAY,
    grace=NOW + 37 * DAY,
)


def cases():
    signer = Ed25519Signer([f"2026-11:{SEED}"])
    stranger = Ed25519Signer([f"2026-12:{SEED}"])
    good = signer.sign("license-file/v1", CLAIMS)
    version, header, payload, signature = good.split(".")
    other = msgspec.structs.replace(CLAIMS, exp=CLAIMS.exp + DAY)
    longer = signer.sign("license-file/v1", other).split(".")[2]
    flipped = ("A" if signature[0] != "A" else "B") + signature[1:]
    no_alg = base64.urlsafe_b64encode(b'{"alg":"none","kid":"2026-11"}').rstrip(b"=").decode()

    def case(name, status, text=good, **more):
        return {"name": name, "text": text, "now": NOW, "seq_seen": 0, "status": status} | more

    return [
        case("a good file", "valid"),
        case("a line break at its end", "valid", good + "\n"),
        case("its last second", "valid", now=CLAIMS.exp - 1),
        case("run out, in its days of grace", "grace", now=CLAIMS.exp),
        case("run out for good", "expired", now=CLAIMS.grace),
        case("a clock a little slow", "valid", now=NOW - 300),
        case("a clock set back", "not_yet", now=NOW - 301),
        case("another machine", "other_machine", fingerprint="another-machine"),
        case("as new as the newest seen", "valid", seq_seen=7),
        case("older than one seen before", "rolled_back", seq_seen=8),
        case(
            "signed with a key that is not known",
            "unknown_key",
            stranger.sign("license-file/v1", CLAIMS),
        ),
        case("signed as an answer", "malformed", signer.sign("license-answer/v1", CLAIMS)),
        case(
            "the payload of another file",
            "malformed",
            f"{version}.{header}.{longer}.{signature}",
        ),
        case(
            "one character of the signature changed",
            "malformed",
            f"{version}.{header}.{payload}.{flipped}",
        ),
        case("no signature", "malformed", f"{version}.{header}.{payload}."),
        case("the algorithm none", "malformed", f"{version}.{no_alg}.{payload}.{signature}"),
        case("another version", "malformed", "v2" + good[2:]),
        case("padding", "malformed", good + "=="),
        case("a fifth part", "malformed", good + ".AAAA"),
        case(
            "no claims",
            "malformed",
            signer.sign("license-file/v1", msgspec.defstruct("None_", [])()),
        ),
        case("nothing", "malformed", ""),
    ]


def main():
    published = Ed25519Signer([f"2026-11:{SEED}"]).published()
    vectors = {
        "fingerprint": FINGERPRINT,
        "machine": machine_id(FINGERPRINT),
        "keys": {key.kid: key.key for key in published},
        "cases": cases(),
    }
    VECTORS.write_text(json.dumps(vectors, indent=2) + "\n")


if __name__ == "__main__":
    main()
