"""What every route works on: the objects, the time, and the events of what happens to them."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from typing_extensions import override

from deploy.stripe_standin.errors import MissingError
from deploy.stripe_standin.ids import mint
from deploy.stripe_standin.limits import API_VERSION
from deploy.stripe_standin.store import Document, Store
from shared.clock import Clock


class ShiftedClock(Clock):
    """The machine's clock, moved by as much as the control endpoints said; or standing still."""

    def __init__(self, inner: Clock) -> None:
        self._inner = inner
        self._shift = timedelta()
        self._frozen: datetime | None = None

    @override
    def now(self) -> datetime:
        """Return the time of the stand-in."""
        return self._frozen or self._inner.now() + self._shift

    def advance(self, seconds: float) -> None:
        """Move on."""
        if self._frozen is not None:
            self._frozen += timedelta(seconds=seconds)
        self._shift += timedelta(seconds=seconds)

    def freeze(self, moment: int) -> None:
        """Stand still at a moment, in unix seconds."""
        self._frozen = datetime.fromtimestamp(moment, UTC)

    def run(self) -> None:
        """Go with the machine's clock again, exactly."""
        self._frozen, self._shift = None, timedelta()


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """What the request under way is called in events."""

    id: str | None = None
    idempotency_key: str | None = None


class World:
    """The objects of one account. Not to be used by two requests at once: nothing here waits."""

    def __init__(self, store: Store, clock: Clock, *, public_url: str = "") -> None:
        self.store = store
        self.clock = clock
        self.public_url = public_url
        self.request = Request()
        self._moment: int | None = None
        self.listeners: list[Callable[[str, Document], None]] = []
        """Told of every event, with its name, while the request is being carried out."""

    def now(self) -> int:
        """Return the time in unix seconds."""
        return int(self.clock.now().timestamp()) if self._moment is None else self._moment

    @contextmanager
    def at(self, moment: int) -> Iterator[None]:
        """Let it be a given unix second within the block."""
        before, self._moment = self._moment, moment
        try:
            yield
        finally:
            self._moment = before

    def now_for(self, owner: Document | None) -> int:
        """Return the time for a customer or what belongs to one: that of its test clock, if any."""
        named = (owner or {}).get("test_clock")
        if not named:
            return self.now()
        return int(self.get("test_helpers.test_clock", named)["frozen_time"])

    def new(self, prefix: str, kind: str, **fields: Any) -> Document:  # noqa: ANN401 - JSON
        """Return a new object that is not kept yet."""
        created = fields.pop("created", self.now())
        return {
            "id": mint(prefix),
            "object": kind,
            "created": created,
            "livemode": False,
            "metadata": {},
            **fields,
        }

    def find(self, kind: str, identity: str | None) -> Document | None:
        """Return an object, or None."""
        return self.store.find(kind, identity) if identity else None

    def get(self, kind: str, identity: str, *, param: str | None = None) -> Document:
        """Return an object.

        Raises:
            MissingError: if there is none; `param` is the parameter that named it.
        """
        found = self.store.find(kind, identity)
        if found is None:
            raise MissingError(kind.removeprefix("test_helpers."), identity, param=param)
        return found

    def save(self, document: Document) -> Document:
        """Keep an object as it is now."""
        self.store.put(document)
        return document

    def select(self, kind: str, *, oldest_first: bool = False, **fields: object) -> list[Document]:
        """Return all objects of a kind with these fields; `__` in a name is a step inward."""
        where = {name.replace("__", "."): value for name, value in fields.items()}
        return self.store.select(kind, where, oldest_first=oldest_first)

    def change(self, document: Document, event: str | None, **fields: Any) -> Document:  # noqa: ANN401 - JSON
        """Set fields of an object, keep it, and record the event with what the fields were."""
        previous = {
            name: document.get(name)
            for name, value in fields.items()
            if document.get(name) != value and not name.startswith("_")
        }
        document.update(fields)
        self.save(document)
        if event is not None and (previous or not event.endswith(".updated")):
            self.emit(event, document, previous=previous if event.endswith(".updated") else None)
        return document

    def emit(
        self, name: str, document: Document, *, previous: Mapping[str, Any] | None = None
    ) -> None:
        """Record that something happened, for the list of events and for webhooks."""
        body: dict[str, Any] = {"object": shown(document)}
        if previous is not None:
            body["previous_attributes"] = dict(previous)
        event = self.new(
            "evt",
            "event",
            api_version=API_VERSION,
            type=name,
            data=body,
            pending_webhooks=0,
            request={"id": self.request.id, "idempotency_key": self.request.idempotency_key},
        )
        del event["metadata"]
        endpoints = [
            each for each in self.select("webhook_endpoint", status="enabled") if _wants(each, name)
        ]
        event["pending_webhooks"] = len(endpoints)
        self.save(event)
        for endpoint in reversed(endpoints):
            self.store.execute(
                "insert into deliveries (event, endpoint, state, due) values (?, ?, 'waiting', 0)",
                event["id"],
                endpoint["id"],
            )
        for tell in self.listeners:
            tell(name, document)


def shown(value: Any) -> Any:  # noqa: ANN401 - JSON
    """Return a document without what is only ours."""
    if isinstance(value, dict):
        return {name: shown(each) for name, each in value.items() if not name.startswith("_")}
    if isinstance(value, list):
        return [shown(each) for each in value]
    return value


def merged(metadata: Mapping[str, str], asked: Mapping[str, str] | str | None) -> dict[str, str]:
    """Return metadata after a change: an empty value removes its key, an empty string all."""
    if asked is None:
        return dict(metadata)
    if isinstance(asked, str):
        return {}
    return {name: value for name, value in {**metadata, **asked}.items() if value}


def _wants(endpoint: Document, name: str) -> bool:
    return bool({"*", name} & set(endpoint["enabled_events"]))
