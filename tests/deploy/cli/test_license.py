"""A licence file is checked without a server, from the command line."""

import json

import msgspec
import pytest

from commerce.licenses.adapters.ed25519_signer import Ed25519Signer
from shared.clock import SystemClock
from tests.deploy.cli.rialto import run
from tests.protocol.license_file.write_vectors import CLAIMS, FINGERPRINT, SEED


@pytest.fixture
def signer():
    return Ed25519Signer([f"2026-11:{SEED}"])


@pytest.fixture
def files(tmp_path, signer):
    """A licence file that is good now, and the published keys."""
    now = int(SystemClock().now().timestamp())
    claims = msgspec.structs.replace(CLAIMS, iat=now, nbf=now, exp=now + 3600, grace=now + 7200)
    (tmp_path / "ink.license").write_text(signer.sign("license-file/v1", claims))
    keys = [msgspec.to_builtins(key) for key in signer.published()]
    (tmp_path / "keys.json").write_text(json.dumps({"alg": "Ed25519", "keys": keys}))
    return tmp_path


def verify(files, *more):
    return run(
        *("license", "verify", files / "ink.license"),
        *("--keys", files / "keys.json", "--fingerprint", FINGERPRINT),
        *more,
    )


class TestVerify:
    def test_says_that_a_file_is_good_and_what_it_says(self, files):
        code, said = verify(files)

        assert code == 0
        assert "valid" in said
        assert "Halden Grotesk" in said

    def test_says_so_to_scripts_as_well(self, files):
        code, said = verify(files, "--json")

        told = json.loads(said)
        assert (code, told["status"], told["claims"]["seq"]) == (0, "valid", 7)

    def test_ends_with_1_for_a_file_that_is_not_good(self, files):
        code, said = verify(files, "--seq-seen", "8")

        assert code == 1
        assert "rolled_back" in said

    def test_ends_with_2_when_there_are_no_keys(self, files):
        (files / "keys.json").write_text("{}")

        code, said = verify(files)

        assert code == 2
        assert "published keys" in said
