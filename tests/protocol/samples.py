"""One sample of everything that travels. Only added to: a shipped sample is never changed."""

import msgspec

from protocol import (
    client_frames as client,
    commands,
    events,
    server_frames as server,
    signals,
    views,
)
from protocol.money import Money
from protocol.topics import Position

ULID = "01JD7Q3ZB2M4N5P6Q7R8S9T0VW"
USER, ROOM, PRODUCT, VARIANT = f"usr_{ULID}", f"rom_{ULID}", f"prd_{ULID}", f"var_{ULID}"
MESSAGE, ORDER, CART, NOTE = f"msg_{ULID}", f"ord_{ULID}", f"crt_{ULID}", f"ntf_{ULID}"
KEY = "k_01JD7Q3ZB2"
AT_MS = 1_790_000_000_123

ADA = views.Person(id=USER, name="Ada Łovelace 🦉")
PRICE = Money(amount_minor=1999, currency="EUR")
CHAT_MESSAGE = views.ChatMessage(
    id=MESSAGE,
    room=ROOM,
    seq=7,
    version=1,
    author=ADA,
    text="Läuft es auf Linux? <b>",
    sent_at_ms=AT_MS,
    key=KEY,
)
EDITED_MESSAGE = msgspec.structs.replace(
    CHAT_MESSAGE, version=2, text="Runs on Linux.", edited_at_ms=AT_MS + 5, reply_to=MESSAGE
)
FILE = f"fil_{ULID}"
RICH_MESSAGE = msgspec.structs.replace(
    CHAT_MESSAGE,
    version=3,
    text="@Ada Łovelace have a look 🦉",
    parts=[views.Part(ref=PRODUCT), views.Part(ref=ORDER)],
    attachments=[views.Attachment(id=FILE)],
    mentions=[ADA],
    reactions=views.Reactions(
        version=4,
        items=[
            views.Reaction(emoji="👍🏽", count=2, mine=True),
            views.Reaction(emoji="❤️", count=1),
        ],
    ),
)
CART_VIEW = views.Cart(
    id=CART,
    version=3,
    lines=[
        views.CartLine(
            variant=VARIANT,
            product=PRODUCT,
            slug="inkwell-serif",
            title="Inkwell Serif",
            quantity=2,
            unit_price=PRICE,
            total=Money(amount_minor=3998, currency="EUR"),
            variant_title="Desktop",
        )
    ],
    total=Money(amount_minor=3998, currency="EUR"),
)
ORDER_VIEW = views.Order(
    id=ORDER,
    number="R-2026-000042",
    version=1,
    state="awaiting_payment",
    buyer=USER,
    lines=[
        views.OrderLine(
            id=f"lin_{ULID}",
            variant=VARIANT,
            product=PRODUCT,
            title="Inkwell Serif",
            quantity=1,
            unit_price=PRICE,
            total=PRICE,
        )
    ],
    total=PRICE,
    placed_at_ms=AT_MS,
)
RICH_ORDER_VIEW = views.Order(
    id=ORDER,
    number="R-2026-000043",
    version=4,
    state="partially_refunded",
    buyer=USER,
    lines=[
        views.OrderLine(
            id=f"lin_{ULID}",
            variant=VARIANT,
            product=PRODUCT,
            title="Inkwell Serif",
            quantity=2,
            unit_price=PRICE,
            total=Money(amount_minor=3798, currency="EUR"),
            discount=Money(amount_minor=200, currency="EUR"),
            tax=Money(amount_minor=606, currency="EUR"),
            refunded=Money(amount_minor=1000, currency="EUR"),
        )
    ],
    total=Money(amount_minor=3798, currency="EUR"),
    placed_at_ms=AT_MS,
    subtotal=Money(amount_minor=3998, currency="EUR"),
    discount=Money(amount_minor=200, currency="EUR"),
    tax=Money(amount_minor=606, currency="EUR"),
    taxes=[
        views.TaxShare(
            name="VAT 19 %",
            rate_ppm=190_000,
            taxable=Money(amount_minor=3192, currency="EUR"),
            tax=Money(amount_minor=606, currency="EUR"),
            is_inclusive=True,
        )
    ],
    captured=Money(amount_minor=3798, currency="EUR"),
    refunded=Money(amount_minor=1000, currency="EUR"),
    payment="partially_refunded",
    delivery="delivered",
    disputed=True,
)

SHOWN_PRODUCT = views.Product(
    id=PRODUCT,
    version=5,
    slug="inkwell-serif",
    title="Inkwell Serif",
    price=PRICE,
    stock=2,
    variants=[views.ProductVariant(id=VARIANT, price=PRICE, stock=2)],
)

COMMANDS = [
    commands.SendMessage(room=ROOM, text="Läuft es auf Linux?", reply_to=MESSAGE),
    commands.EditMessage(room=ROOM, message=MESSAGE, text="Runs on Linux."),
    commands.DeleteMessage(room=ROOM, message=MESSAGE),
    commands.SetReaction(room=ROOM, message=MESSAGE, emoji="👍🏽", on=True),
    commands.JoinRoom(room=ROOM),
    commands.LeaveRoom(room=ROOM),
    commands.MarkRead(room=ROOM, seq=7),
    commands.SetCartLine(variant=VARIANT, quantity=2, version=2),
    commands.PlaceOrder(cart_version=3),
    commands.CancelOrder(order=ORDER),
]

EVENTS = [
    events.MessageSent(message=CHAT_MESSAGE),
    events.MessageEdited(message=EDITED_MESSAGE),
    events.MessageDeleted(room=ROOM, message=MESSAGE, seq=7, version=3),
    events.MemberJoined(room=ROOM, member=ADA),
    events.MemberLeft(room=ROOM, user=USER),
    events.ReadMarked(room=ROOM, seq=7, unread=0),
    events.ReactionsChanged(
        room=ROOM,
        message=MESSAGE,
        seq=7,
        reactions=views.Reactions(version=4, items=[views.Reaction(emoji="👍🏽", count=2)]),
        user=USER,
        emoji="👍🏽",
        on=True,
    ),
    events.Mentioned(
        user=USER,
        room=ROOM,
        room_title="Inkwell Serif",
        message=MESSAGE,
        seq=7,
        author=ADA,
        text="@Ada Łovelace have a look 🦉",
    ),
    events.MemberChanged(room=ROOM, user=USER, role="moderator", muted_until_ms=AT_MS),
    events.MemberBanned(room=ROOM, user=USER),
    events.MemberUnbanned(room=ROOM, user=USER),
    events.RoomChanged(room=ROOM, slow_mode_seconds=30),
    events.CommandCommitted(
        key=KEY, result=commands.MessageResult(message=MESSAGE, seq=7, version=1)
    ),
    events.CommandRejected(key=KEY, code="room_not_found", message="There is no such room."),
    events.CartChanged(cart=CART_VIEW),
    events.OrderPlaced(order=ORDER_VIEW, at_ms=AT_MS),
    events.OrderPaid(
        order=msgspec.structs.replace(ORDER_VIEW, state="paid", version=2), at_ms=AT_MS
    ),
    events.OrderFulfilled(
        order=msgspec.structs.replace(ORDER_VIEW, state="fulfilled", version=3), at_ms=AT_MS
    ),
    events.OrderCanceled(
        order=msgspec.structs.replace(ORDER_VIEW, state="canceled", version=2), at_ms=AT_MS
    ),
    events.OrderExpired(
        order=msgspec.structs.replace(ORDER_VIEW, state="expired", version=2), at_ms=AT_MS
    ),
    events.ProductChanged(
        product=views.Product(
            id=PRODUCT, version=4, slug="inkwell-serif", title="Inkwell Serif", price=PRICE, stock=3
        )
    ),
    events.NotificationReceived(
        notification=views.Notification(
            id=NOTE,
            category="order",
            title="Your order is ready",
            created_at_ms=AT_MS,
            body="Have fun.",
            link=f"/orders/{ORDER}",
        ),
        unread=1,
    ),
    events.NotificationsRead(up_to=NOTE, unread=0),
    events.SessionRevoked(session=f"ses_{ULID}"),
    events.LicenseChanged(
        license=views.License(
            id=f"lic_{ULID}",
            version=2,
            product=PRODUCT,
            title="Halden Grotesk",
            order=ORDER,
            state="granted",
            key_ending="XK-7Q",
            machines_active=1,
            machines_max=3,
            issued_at_ms=AT_MS,
        )
    ),
    events.OrderProcessing(
        order=msgspec.structs.replace(ORDER_VIEW, state="processing", version=2), at_ms=AT_MS
    ),
    events.OrderPaymentFailed(order=ORDER_VIEW, at_ms=AT_MS),
    events.OrderPaidLate(
        order=msgspec.structs.replace(ORDER_VIEW, state="paid_late", version=3), at_ms=AT_MS
    ),
    events.OrderRefunded(order=RICH_ORDER_VIEW, at_ms=AT_MS),
    events.OrderDisputed(order=RICH_ORDER_VIEW, at_ms=AT_MS),
    events.OrderDisputeClosed(order=RICH_ORDER_VIEW, won=True, at_ms=AT_MS),
    events.OrderHeld(order=RICH_ORDER_VIEW, at_ms=AT_MS),
    events.OrderReleased(order=RICH_ORDER_VIEW, at_ms=AT_MS),
    events.OrderDeliveryChanged(order=RICH_ORDER_VIEW, at_ms=AT_MS),
    events.PaymentChanged(
        payment=views.Payment(
            id=f"pay_{ULID}",
            version=3,
            order=ORDER,
            state="failed",
            amount=PRICE,
            failure="insufficient_funds",
        )
    ),
    events.RefundChanged(
        refund=views.Refund(id=f"rfd_{ULID}", version=2, order=ORDER, state="pending", amount=PRICE)
    ),
    events.GrantChanged(
        grant=views.Grant(
            id=f"grn_{ULID}",
            version=1,
            order=ORDER,
            line=f"lin_{ULID}",
            product=PRODUCT,
            benefit="license",
            state="granted",
        )
    ),
    events.InvoiceIssued(
        invoice=views.Invoice(
            id=f"inv_{ULID}",
            number="R-2026-000017",
            kind="invoice",
            order=ORDER,
            total=PRICE,
            issued_at_ms=AT_MS,
        )
    ),
    events.SubscriptionChanged(
        subscription=views.Subscription(
            id=f"sub_{ULID}",
            version=2,
            plan=f"pln_{ULID}",
            title="Type Club",
            state="active",
            price=PRICE,
            period_ends_at_ms=AT_MS,
        )
    ),
    events.ExportChanged(
        export=views.Export(
            id=f"exp_{ULID}",
            version=5,
            title="Orders as CSV",
            state="running",
            rows_done=2000,
            rows_expected=10000,
        )
    ),
]

RICH_EVENTS = {
    "event.message_edited.rich": events.MessageEdited(message=RICH_MESSAGE),
    "event.command_rejected.later": events.CommandRejected(
        key=KEY,
        code="slow_mode",
        message="Wait a little.",
        temporary=True,
        retry_after_ms=1500,
    ),
}

SIGNALS = [
    signals.Typing(users=[ADA], count=1),
    signals.Presence(count=1, users=[signals.Present(id=USER, name="Ada", state="online")]),
]

RESULTS = [
    commands.MessageResult(message=MESSAGE, seq=7, version=1),
    commands.CartResult(version=3),
    commands.OrderResult(order=ORDER, number="R-2026-000042", version=1),
    commands.ReactionResult(message=MESSAGE, reactions_version=4),
]

HERE = Position("c9a1", 41)

RICH_COMMANDS = {
    "command.send_message.rich": commands.SendMessage(
        room=ROOM,
        text="@Ada Łovelace have a look 🦉",
        parts=[PRODUCT, ORDER],
        attachments=[FILE],
        mentions=[USER],
    ),
    "command.edit_message.versioned": commands.EditMessage(
        room=ROOM, message=MESSAGE, text="Runs on Linux.", version=2, mentions=[USER]
    ),
}

CLIENT_FRAMES = {
    "hello": client.Hello(
        id=1,
        ticket="eyJhbGciOiJFZERTQSJ9.e30.c2ln",
        device="tab-7f3a9c21",
        session="con_1",
        positions={f"user:{USER}": HERE, f"room:{ROOM}": Position("77fe", 0)},
        visible=False,
    ),
    "subscribe": client.Subscribe(id=2, topic=f"room:{ROOM}", position=HERE),
    "unsubscribe": client.Unsubscribe(id=3, topic=f"room:{ROOM}"),
    "resume": client.Resume(id=4, positions={f"product:{PRODUCT}": HERE}),
    "typing": client.SetTyping(topic=f"room:{ROOM}", on=True),
    "status": client.SetStatus(visible=False),
    "status.idle": client.SetStatus(visible=True, idle=True),
    "watch": client.Watch(id=7, products={PRODUCT: 3}, age_ms=1500),
    "watch_people": client.WatchPeople(id=8, users=[USER]),
    "ping": client.Ping(id=2**32 - 1),
    "refresh": client.Refresh(id=6, ticket="eyJhbGciOiJFZERTQSJ9.e30.c2ln"),
    **{
        f"command.{command.__struct_config__.tag}": client.GiveCommand(id=5, key=KEY, body=command)
        for command in COMMANDS
    },
    **{
        name: client.GiveCommand(id=5, key=KEY, body=command)
        for name, command in RICH_COMMANDS.items()
    },
}

SERVER_FRAMES = {
    "welcome": server.Welcome(
        id=1,
        session="con_1",
        user=USER,
        name="Ada",
        positions={f"user:{USER}": HERE},
        heartbeat_ms=25_000,
        ticket_expires_in_ms=299_000,
        server_time_ms=AT_MS,
        limits=server.Limits(
            frame_bytes_max=16_384,
            message_text_bytes_max=4096,
            topics_max=128,
            replay_events_max=300,
        ),
    ),
    "welcome.rates": server.Welcome(
        id=1,
        session="con_1",
        user=USER,
        name="Ada",
        positions={},
        heartbeat_ms=23_117,
        ticket_expires_in_ms=299_000,
        server_time_ms=AT_MS,
        limits=server.Limits(
            frame_bytes_max=16_384,
            message_text_bytes_max=4096,
            topics_max=128,
            replay_events_max=300,
            replay_bytes_max=262_144,
            connections_max=10,
            frames=server.Rate(per_minute=3000, burst=200),
            commands={"send_message": server.Rate(per_minute=1200, burst=100)},
            other_commands=server.Rate(per_minute=600, burst=50),
        ),
    ),
    "subscribed": server.Subscribed(id=2, topic=f"room:{ROOM}", position=HERE),
    "resumed": server.Resumed(id=4, positions={f"room:{ROOM}": HERE}),
    "accepted": server.Accepted(id=5, key=KEY),
    "watching": server.Watching(id=7, stale=[PRODUCT]),
    "product": server.ProductState(product=SHOWN_PRODUCT),
    "stale": server.Stale(products=[PRODUCT]),
    "watching_people": server.WatchingPeople(
        id=8, people=[signals.PersonState(user=USER, state="away")]
    ),
    "person": server.PersonFrame(person=signals.PersonState(user=USER, state="offline")),
    "ok": server.Ok(id=3),
    "refreshed": server.Refreshed(id=6, ticket_expires_in_ms=299_000),
    "gap": server.Gap(topic=f"room:{ROOM}", position=HERE, reason="trimmed"),
    "replayed": server.Replayed(topic=f"room:{ROOM}", position=HERE, count=12),
    "unsubscribed": server.Unsubscribed(topic=f"room:{ROOM}"),
    "reconnect": server.Reconnect(within_ms=5_000),
    "notice": server.Notice(
        text="The shop closes for ten minutes at noon.",
        level="warning",
        at_ms=AT_MS,
        topic=f"room:{ROOM}",
    ),
    "pong": server.Pong(id=2**32 - 1, server_time_ms=AT_MS),
    "error": server.Error(
        id=5,
        code=111,
        name="rate_limited",
        message="Too much at once; wait and ask again.",
        temporary=True,
        retry_after_ms=1500,
    ),
    **{
        f"event.{event.__struct_config__.tag}": server.EventFrame(
            topic=f"user:{USER}", offset=42, id=f"evt_{ULID}", at_ms=AT_MS, body=event
        )
        for event in EVENTS
    },
    **{
        f"event.command_committed.{result.__struct_config__.tag}": server.EventFrame(
            topic=f"user:{USER}",
            offset=43,
            id=f"evt_{ULID}",
            at_ms=AT_MS,
            body=events.CommandCommitted(key=KEY, result=result),
        )
        for result in RESULTS
    },
    **{
        name: server.EventFrame(
            topic=f"room:{ROOM}", offset=44, id=f"evt_{ULID}", at_ms=AT_MS, body=event
        )
        for name, event in RICH_EVENTS.items()
    },
    **{
        f"signal.{signal.__struct_config__.tag}": server.SignalFrame(
            topic=f"room:{ROOM}", body=signal
        )
        for signal in SIGNALS
    },
}
