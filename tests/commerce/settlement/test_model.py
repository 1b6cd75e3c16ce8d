"""How an event is signed and read."""

import hashlib
import hmac

import msgspec
import pytest

from commerce.settlement.errors import NotOurEventError
from commerce.settlement.model import (
    RETRY_SECONDS,
    SUBJECT_OF,
    Taken,
    groups_of,
    is_signed,
    read_event,
)
from tests.fakes.clock import SettableClock

NOW = SettableClock().now()
SECRET = "whsec_a"
BODY = b'{"id": "evt_1"}'


def header(body=BODY, *, secret=SECRET, age=0, extra=""):
    at = int(NOW.timestamp()) - age
    digest = hmac.new(secret.encode(), b"%d." % at + body, hashlib.sha256).hexdigest()
    return f"t={at},v1={digest}{extra}"


def an_event(kind="payment_intent.succeeded", **facts):
    told = {
        "id": "evt_1",
        "object": "event",
        "type": kind,
        "created": int(NOW.timestamp()),
        "livemode": False,
        "api_version": "2026-10-28.endive",
        "data": {"object": {"id": "pi_1", "metadata": {"rialto_payment": "pay_1"}}},
        **facts,
    }
    return msgspec.json.encode(told)


class TestASignature:
    def test_is_good_with_any_of_our_secrets(self):
        assert is_signed(BODY, header(), secrets=["whsec_b", "whsec_a"], now=NOW)

    def test_may_be_one_of_several_while_a_secret_is_rotated(self):
        both = header(secret="whsec_old") + "," + header().partition(",")[2]

        assert is_signed(BODY, both, secrets=["whsec_a"], now=NOW)

    @pytest.mark.parametrize("age", [300, 0, -60])
    def test_is_good_for_five_minutes_and_a_clock_that_is_a_minute_fast(self, age):
        assert is_signed(BODY, header(age=age), secrets=["whsec_a"], now=NOW)

    @pytest.mark.parametrize("age", [301, -61])
    def test_is_refused_when_it_is_old_or_of_the_future(self, age):
        assert not is_signed(BODY, header(age=age), secrets=["whsec_a"], now=NOW)

    @pytest.mark.parametrize(
        "told",
        [
            "",
            "t=,v1=",
            "t=1,v1=00",
            "v1=00",
            "nonsense",
            header(secret="whsec_other"),
            header(BODY + b" "),
            header(extra=",t=1"),
            header().replace("v1=", "v0="),
            "t=" + "9" * 40 + ",v1=00",
            "t=²,v1=00",
        ],
    )
    def test_is_refused_when_it_is_not_one(self, told):
        assert not is_signed(BODY, told, secrets=["whsec_a"], now=NOW)

    @pytest.mark.parametrize("secrets", [(), ("",)])
    def test_cannot_be_made_with_no_secret(self, secrets):
        assert not is_signed(BODY, header(secret=""), secrets=secrets, now=NOW)


class TestAnEvent:
    def test_says_what_it_is_about(self):
        event = read_event(an_event(), is_live=False)

        assert (event.subject, event.object_id) == ("payment", "pi_1")

    def test_of_a_charge_is_about_its_intent(self):
        about = {"object": {"id": "ch_1", "payment_intent": {"id": "pi_9"}}}
        event = read_event(an_event("charge.succeeded", data=about), is_live=False)

        assert (event.subject, event.object_id) == ("payment", "pi_9")

    @pytest.mark.parametrize(
        ("kind", "subject"),
        [
            ("charge.refund.updated", "refund"),
            ("refund.failed", "refund"),
            ("charge.dispute.funds_withdrawn", "dispute"),
            ("radar.early_fraud_warning.created", "warning"),
            ("invoice.paid", "nothing"),
            ("something.stripe.made.up.yesterday", "nothing"),
        ],
    )
    def test_is_about_one_of_few_things(self, kind, subject):
        assert read_event(an_event(kind), is_live=False).subject == subject

    def test_about_nothing_we_can_name_is_about_nothing(self):
        about = {"object": {"id": "ch_1", "payment_intent": None}}

        assert read_event(an_event("charge.failed", data=about), is_live=False).subject == "nothing"

    @pytest.mark.parametrize(
        "raw",
        [
            b"",
            b"[]",
            b"{}",
            b"\xff",
            an_event(livemode=True),
            an_event(account="acct_1"),
            an_event(object="charge"),
            an_event(data={}),
        ],
    )
    def test_that_is_none_of_ours_is_refused(self, raw):
        with pytest.raises(NotOurEventError):
            read_event(raw, is_live=False)

    def test_has_a_name_that_we_know(self):
        assert len(SUBJECT_OF) > 120
        assert all("." in name for name in SUBJECT_OF)


class TestEventsTakenUpTogether:
    def test_are_one_thing_to_ask_after_for_each_object(self):
        taken = [
            Taken(id=str(n), type=kind, object_id=about, payload=an_event(), attempts=1)
            for n, (kind, about) in enumerate(
                [
                    ("payment_intent.succeeded", "pi_1"),
                    ("refund.created", "re_1"),
                    ("charge.succeeded", "pi_1"),
                ]
            )
        ]

        assert [(group.object_id, group.ids) for group in groups_of(taken)] == [
            ("pi_1", ["0", "2"]),
            ("re_1", ["1"]),
        ]
        assert groups_of(taken)[0].payment == "pay_1"

    def test_are_taken_up_again_later_and_later_and_then_never(self):
        waits = [
            Taken(id="e", type="x", object_id="o", payload=b"", attempts=n).next_seconds
            for n in range(1, len(RETRY_SECONDS) + 2)
        ]

        assert waits == [*RETRY_SECONDS, None]
        assert waits[:-1] == sorted(waits[:-1])
