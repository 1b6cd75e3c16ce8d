"""Valid things by default; a test says only what matters to it."""

from datetime import UTC, datetime

import msgspec

from commerce.licenses.model import License
from commerce.refunds.model import Refund
from protocol.commands import AnyCommand, SendMessage
from protocol.envelopes import CommandEnvelope
from protocol.ids import RoomId, SessionId, UserId
from shared.ids import mint_id

A_MOMENT = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def a_user_id() -> UserId:
    """Return the id of some user."""
    return UserId(mint_id("usr", A_MOMENT))


def a_room_id() -> RoomId:
    """Return the id of some room."""
    return RoomId(mint_id("rom", A_MOMENT))


def a_session_id() -> SessionId:
    """Return the id of some sign-in."""
    return SessionId(mint_id("ses", A_MOMENT))


def a_command_key() -> str:
    """Return a key nobody has used."""
    return mint_id("key", A_MOMENT)


def a_message_command(*, room: RoomId | None = None, text: str = "Hello.") -> SendMessage:
    """Return the wish to say something."""
    return SendMessage(room=room or a_room_id(), text=text)


def a_command_envelope(
    *,
    command: AnyCommand | None = None,
    user: UserId | None = None,
    key: str | None = None,
) -> CommandEnvelope:
    """Return a command as the gateway puts it into the stream."""
    return CommandEnvelope(
        key=key or a_command_key(),
        user=user or a_user_id(),
        user_name="Ada",
        session=a_session_id(),
        sent_at_ms=int(A_MOMENT.timestamp() * 1000),
        command=command or a_message_command(),
    )


def a_license(**facts: object) -> License:
    """Return a licence for three machines that never runs out."""
    usual: dict[str, object] = {
        "id": mint_id("lic", A_MOMENT),
        "product_id": mint_id("prd", A_MOMENT),
        "title": "Inkwell",
        "prefix": "1NK",
        "holder_id": a_user_id(),
        "order_id": mint_id("ord", A_MOMENT),
        "order_line_id": mint_id("lin", A_MOMENT),
        "unit": 1,
        "generation": 1,
        "key_ending": "XX-00",
        "staff_state": "granted",
        "grant_state": "granted",
        "state": "granted",
        "version": 1,
        "machines_max": 3,
        "active_count": 0,
        "file_days": 30,
        "file_seq": 0,
        "entitlements": (),
        "issued_at": A_MOMENT,
        "expires_at": None,
        "reset_at": None,
    }
    return msgspec.convert(usual | facts, License)


def a_refund(**facts):
    """Return a refund that was reserved; give what matters."""
    usual = {
        "id": mint_id("rfd", A_MOMENT),
        "order_id": mint_id("ord", A_MOMENT),
        "buyer_id": a_user_id(),
        "state": "reserved",
        "version": 1,
        "amount_minor": 1000,
        "currency": "EUR",
        "reason": "",
        "origin": "staff",
        "actor_id": None,
        "restocks": False,
        "stripe_refund_id": None,
        "failure": "",
        "has_succeeded": False,
        "attempts": 0,
        "next_try_at": None,
        "submitted_at": None,
        "created_at": A_MOMENT,
    }
    return Refund(**(usual | facts))
