"""Valid things by default; a test says only what matters to it."""

from datetime import UTC, datetime

from protocol.events import MessageSent, ProductChanged
from protocol.ids import MessageId, RoomId, SessionId, UserId
from protocol.money import Money
from protocol.topics import Topic
from protocol.views import ChatMessage, Person, Product
from shared.ids import mint_id
from shared.tickets import DEV_SIGNING_KEY, TicketSigner

SIGNER = TicketSigner(DEV_SIGNING_KEY)


def mint(prefix):
    """A new id."""
    return mint_id(prefix, datetime.now(UTC))  # noqa: TID251 - ids of tests


def a_user_id():
    return UserId(mint("usr"))


def a_room():
    return Topic("room:" + mint("rom"))


def a_product():
    return Topic("product:" + mint("prd"))


def a_ticket(user=None, *, name="Ada", sign_in=None, now=None):
    return SIGNER.sign(
        user=user or a_user_id(),
        name=name,
        session=sign_in or SessionId(mint("ses")),
        roles=(),
        now=now or datetime.now(UTC),  # noqa: TID251 - the tests' own clock
    )


def a_message(text="hello", *, seq=1, room=None):
    return MessageSent(
        message=ChatMessage(
            id=MessageId(mint("msg")),
            room=RoomId(room or mint("rom")),
            seq=seq,
            version=1,
            author=Person(id=a_user_id(), name="Ada"),
            text=text,
            sent_at_ms=1_790_000_000_000,
        )
    )


def a_change(topic, version, *, stock=None, price=1900):
    """What commerce tells when a product changes."""
    return ProductChanged(
        product=Product(
            id=topic.removeprefix("product:"),
            version=version,
            slug="inkwell",
            title="Inkwell",
            price=Money(amount_minor=price, currency="EUR"),
            stock=stock,
        )
    )
