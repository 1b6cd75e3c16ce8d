import base64
from datetime import UTC, datetime, timedelta

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519

from shared.tickets import (
    TICKET_AUDIENCE,
    TICKET_LIFETIME_SECONDS,
    ExpiredTicketError,
    InvalidTicketError,
    MalformedKeyError,
    TicketSigner,
    TicketVerifier,
    generate_signing_key,
)

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
KEY = ed25519.Ed25519PrivateKey.from_private_bytes(b"a seed that only this test knows"[:32])
SIGNER = TicketSigner(f"k1:{base64.b64encode(KEY.private_bytes_raw()).decode()}")
VERIFIER = TicketVerifier((SIGNER.verifying_key,))


def a_ticket(signer=SIGNER, now=NOW):
    return signer.sign(user="usr_1", name="Ada", session="ses_1", roles=("staff",), now=now)


def a_forged_ticket(**changes):
    claims = {
        "aud": TICKET_AUDIENCE,
        "sub": "usr_1",
        "sid": "ses_1",
        "name": "Ada",
        "iat": int(NOW.timestamp()),
        "exp": int(NOW.timestamp()) + 60,
        **changes,
    }
    return {name: value for name, value in claims.items() if value is not None}


class TestATicket:
    def test_says_who_and_on_which_sign_in(self):
        claims = VERIFIER.verify(a_ticket(), NOW)

        assert (claims.sub, claims.sid, claims.name, claims.roles) == (
            "usr_1",
            "ses_1",
            "Ada",
            ("staff",),
        )

    def test_is_good_until_its_time_is_over(self):
        ticket = a_ticket()

        VERIFIER.verify(ticket, NOW + timedelta(seconds=TICKET_LIFETIME_SECONDS - 1))
        with pytest.raises(ExpiredTicketError):
            VERIFIER.verify(ticket, NOW + timedelta(seconds=TICKET_LIFETIME_SECONDS))

    def test_from_the_future_is_refused(self):
        with pytest.raises(InvalidTicketError, match="future"):
            VERIFIER.verify(a_ticket(now=NOW + timedelta(seconds=31)), NOW)

    def test_signed_by_another_key_is_refused(self):
        stranger = TicketSigner(generate_signing_key("k1"))

        with pytest.raises(InvalidTicketError):
            VERIFIER.verify(a_ticket(stranger), NOW)

    def test_of_an_unknown_key_id_is_refused(self):
        with pytest.raises(InvalidTicketError):
            VERIFIER.verify(a_ticket(TicketSigner(generate_signing_key("k2"))), NOW)

    @pytest.mark.parametrize("changed", ["ticket"[::-1], "", "a.b.c", "é" * 10])
    def test_that_is_none_is_refused(self, changed):
        with pytest.raises(InvalidTicketError):
            VERIFIER.verify(changed, NOW)

    def test_that_was_altered_is_refused(self):
        header, payload, signature = a_ticket().split(".")
        _, other_payload, _ = a_ticket(now=NOW + timedelta(seconds=1)).split(".")
        assert payload != other_payload

        with pytest.raises(InvalidTicketError):
            VERIFIER.verify(f"{header}.{other_payload}.{signature}", NOW)

    @pytest.mark.parametrize(
        "change",
        [
            lambda ticket: ticket + "=",
            lambda ticket: ticket + "\n",
            lambda ticket: " " + ticket,
            lambda ticket: ticket + ".",
            lambda ticket: "." + ticket,
            lambda ticket: ticket.replace(".", "=.", 1),
            lambda ticket: ticket.replace(".", ".!", 1),
            lambda ticket: ticket[:-2],
            lambda ticket: ticket + "\u00e9",
            lambda ticket: ticket.rpartition(".")[0],
            lambda ticket: ticket.rpartition(".")[0] + ".",
        ],
    )
    def test_that_is_written_otherwise_is_refused(self, change):
        with pytest.raises(InvalidTicketError):
            VERIFIER.verify(change(a_ticket()), NOW)

    @pytest.mark.parametrize(
        "header",
        [
            b'{"alg":"EdDSA"}',
            b'{"alg":"EdDSA","kid":5}',
            b'{"alg":"EdDSA","kid":"k1","crit":["b64"],"b64":false}',
            b'{"alg":"EdDSA","kid":"k1","crit":[]}',
            b'{"alg":"EdDSA","kid":"k1","x":' + b"[" * 5000 + b"]" * 5000 + b"}",
            b'["EdDSA","k1"]',
            b"",
        ],
    )
    def test_with_a_header_that_is_none_of_ours_is_refused(self, header):
        encoded = base64.urlsafe_b64encode(header).decode().rstrip("=")
        _, payload, _ = a_ticket().split(".")
        signed = f"{encoded}.{payload}".encode()
        signature = base64.urlsafe_b64encode(KEY.sign(signed)).decode().rstrip("=")

        with pytest.raises(InvalidTicketError):
            VERIFIER.verify(f"{encoded}.{payload}.{signature}", NOW)

    def test_signed_by_the_same_hand_is_good(self):
        signed, _, _ = a_ticket().rpartition(".")
        signature = base64.urlsafe_b64encode(KEY.sign(signed.encode())).decode().rstrip("=")

        assert VERIFIER.verify(f"{signed}.{signature}", NOW).sub == "usr_1"


class TestAlgorithmConfusion:
    def test_an_unsigned_ticket_is_refused(self):
        ticket = jwt.encode(a_forged_ticket(), key=None, algorithm="none", headers={"kid": "k1"})

        with pytest.raises(InvalidTicketError):
            VERIFIER.verify(ticket, NOW)

    def test_a_ticket_signed_with_the_public_key_as_a_secret_is_refused(self):
        secret = SIGNER.verifying_key.partition(":")[2].ljust(64, "=")
        ticket = jwt.encode(a_forged_ticket(), secret, algorithm="HS256", headers={"kid": "k1"})

        with pytest.raises(InvalidTicketError):
            VERIFIER.verify(ticket, NOW)


class TestClaims:
    @pytest.mark.parametrize(
        "change",
        [{"aud": "somebody-else"}, {"aud": None}, {"exp": None}, {"sub": None}, {"sid": 5}],
    )
    def test_that_are_wrong_or_missing_are_refused(self, change):
        key = ed25519.Ed25519PrivateKey.generate()
        raw = key.private_bytes(
            serialization.Encoding.Raw,
            serialization.PrivateFormat.Raw,
            serialization.NoEncryption(),
        )
        signer = TicketSigner("k1:" + base64.b64encode(raw).decode())
        ticket = jwt.encode(
            a_forged_ticket(**change), key, algorithm="EdDSA", headers={"kid": "k1"}
        )

        with pytest.raises(InvalidTicketError):
            TicketVerifier((signer.verifying_key,)).verify(ticket, NOW)


class TestWhileKeysRotate:
    def test_tickets_of_both_keys_are_good(self):
        old, new = (
            TicketSigner(generate_signing_key("old")),
            TicketSigner(generate_signing_key("new")),
        )
        verifier = TicketVerifier((old.verifying_key, new.verifying_key))

        assert verifier.verify(a_ticket(old), NOW) == verifier.verify(a_ticket(new), NOW)


class TestAKey:
    @pytest.mark.parametrize("text", ["", "k1", "k1:", ":AAAA", "k1:not base64!", "k1:c2hvcnQ="])
    def test_that_is_malformed_is_refused(self, text):
        with pytest.raises(MalformedKeyError):
            TicketSigner(text)
