"""The events that happened, and the endpoints that are told."""

from typing import Final, Literal

from deploy.stripe_standin.errors import InvalidRequestError, MalformedError
from deploy.stripe_standin.ids import mint_webhook_secret
from deploy.stripe_standin.limits import API_VERSION, ENDPOINTS_COUNT_MAX
from deploy.stripe_standin.listing import Page, Retrieve, page_of
from deploy.stripe_standin.routing import Route, route
from deploy.stripe_standin.store import Document
from deploy.stripe_standin.world import World, merged

_UNDELIVERED: Final = "id in (select event from deliveries where state != 'delivered') is ?"


class ListEvents(Page, frozen=True, kw_only=True):
    """Which events."""

    type: str | None = None
    types: list[str] | None = None
    delivery_success: bool | None = None


class CreateEndpoint(Retrieve, frozen=True, kw_only=True):
    """Where to tell what."""

    url: str
    enabled_events: list[str]
    api_version: str | None = None
    description: str | None = None
    metadata: dict[str, str] | Literal[""] | None = None


class UpdateEndpoint(Retrieve, frozen=True, kw_only=True):
    """What changes."""

    url: str | None = None
    enabled_events: list[str] | None = None
    description: str | None = None
    disabled: bool | None = None
    metadata: dict[str, str] | Literal[""] | None = None


def add(world: World, *, url: str, events: list[str], secret: str | None = None) -> Document:
    """Make an endpoint; its secret is made too, unless one is given.

    Raises:
        InvalidRequestError: if there are too many.
        MalformedError: if the address is none.
    """
    if len(world.select("webhook_endpoint")) >= ENDPOINTS_COUNT_MAX:
        raise InvalidRequestError(
            f"You have reached the maximum of {ENDPOINTS_COUNT_MAX} webhook endpoints."
        )
    _check_url(url)
    endpoint = world.new(
        "we",
        "webhook_endpoint",
        api_version=API_VERSION,
        application=None,
        description=None,
        enabled_events=events,
        status="enabled",
        url=url,
        _secrets=[secret or mint_webhook_secret()],
    )
    return world.save(endpoint)


def configure(world: World, urls: tuple[str, ...], secret: str) -> None:
    """See that every one of the addresses is an endpoint, once, signed with the secret."""
    known = {each["url"]: each for each in world.select("webhook_endpoint")}
    for url in urls:
        if url in known:
            world.change(known[url], None, _secrets=[secret], status="enabled")
        else:
            add(world, url=url, events=["*"], secret=secret)


def roll(world: World, endpoint: Document) -> Document:
    """Give an endpoint a new secret, beside the last one: deliveries are signed with both."""
    fresh = mint_webhook_secret()
    world.change(endpoint, None, _secrets=[fresh, *endpoint["_secrets"][:1]])
    return {**endpoint, "secret": fresh}


def _check_url(url: str) -> None:
    if not url.startswith(("http://", "https://")):
        raise MalformedError("Invalid URL: An explicit scheme must be provided.", param="url")


def _create(world: World, asked: CreateEndpoint, _: str) -> Document:
    endpoint = add(world, url=asked.url, events=asked.enabled_events)
    endpoint["description"] = asked.description
    endpoint["metadata"] = merged({}, asked.metadata)
    world.save(endpoint)
    return {**endpoint, "secret": endpoint["_secrets"][0]}


def _update(world: World, asked: UpdateEndpoint, identity: str) -> Document:
    endpoint = world.get("webhook_endpoint", identity)
    if asked.url is not None:
        _check_url(asked.url)
    changes = {
        "url": asked.url,
        "enabled_events": asked.enabled_events,
        "description": asked.description,
    }
    found = {name: value for name, value in changes.items() if value is not None}
    if asked.disabled is not None:
        found["status"] = "disabled" if asked.disabled else "enabled"
    metadata = merged(endpoint["metadata"], asked.metadata)
    return world.change(endpoint, None, **found, metadata=metadata)


def _delete(world: World, _: Retrieve, identity: str) -> Document:
    world.get("webhook_endpoint", identity)
    world.store.execute("delete from objects where id = ?", identity)
    world.store.execute(
        "update deliveries set state = 'dropped' where endpoint = ? and state = 'waiting'", identity
    )
    return {"id": identity, "object": "webhook_endpoint", "deleted": True}


def _retrieve(world: World, _: Retrieve, identity: str) -> Document:
    return world.get("webhook_endpoint", identity)


def _list(world: World, asked: Page, _: str) -> Document:
    return page_of(world, "webhook_endpoint", asked, url="/v1/webhook_endpoints")


def _event(world: World, _: Retrieve, identity: str) -> Document:
    event = world.get("event", identity)
    return {**event, "pending_webhooks": _pending(world, identity)}


def _events(world: World, asked: ListEvents, _: str) -> Document:
    conditions: tuple[tuple[str, object], ...] = ()
    if asked.types is not None and asked.type is not None:
        raise MalformedError("You may only specify one of these parameters: type, types.")
    if asked.types is not None:
        named = ",".join(asked.types)
        conditions += (
            ("instr(',' || ? || ',', ',' || json_extract(document, '$.type') || ',') > 0", named),
        )
    if asked.type is not None:
        kind = asked.type.replace(".*", ".%")
        conditions += (("json_extract(document, '$.type') like ?", kind),)
    if asked.delivery_success is not None:
        conditions += ((_UNDELIVERED, int(not asked.delivery_success)),)
    page = page_of(world, "event", asked, url="/v1/events", conditions=conditions)
    for event in page["data"]:
        event["pending_webhooks"] = _pending(world, event["id"])
    return page


def _pending(world: World, event: str) -> int:
    rows = world.store.query(
        "select count(distinct endpoint) as waiting from deliveries"
        " where event = ? and state in ('waiting', 'failed', 'lost')",
        event,
    )
    return int(rows[0]["waiting"])


ROUTES: Final[tuple[Route, ...]] = (
    route("GET", "events", ListEvents, _events),
    route("GET", "events/*", Retrieve, _event),
    route("POST", "webhook_endpoints", CreateEndpoint, _create),
    route("GET", "webhook_endpoints", Page, _list),
    route("GET", "webhook_endpoints/*", Retrieve, _retrieve),
    route("POST", "webhook_endpoints/*", UpdateEndpoint, _update),
    route("DELETE", "webhook_endpoints/*", Retrieve, _delete),
)
