"""The HTTP door: an endpoint says what it takes and gives; the door does the rest.

    door = Door("chat")

    @door.api("POST", "/v1/rooms", body=NewRoom, out=RoomView, status=201, errors=(RoomFullError,))
    async def open_room(call: Call[NewRoom, None]) -> RoomView:
        \"\"\"Open a room.\"\"\"

The door decodes and checks, authenticates, answers a repeated Idempotency-Key, encodes, and
renders every refusal as a problem. Whatever it knows of an endpoint is also the OpenAPI document.
"""

import inspect
import re
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from typing import (
    Any,
    Final,
    Generic,
    Literal,
    Protocol,
    TypedDict,
    TypeVar,
    get_type_hints,
)

import msgspec
from redis.asyncio import Redis
from typing_extensions import Unpack

from commerce.foundation.database import Database, Transaction
from commerce.foundation.errors import ForbiddenError, UnauthenticatedError
from commerce.foundation.idempotency import LeasedDatabase, RecoveryPoint
from commerce.foundation.rate_limit import RateLimit, RateLimiter, refusal
from commerce.foundation.security import SessionCookie
from protocol.ids import SessionId, UserId
from shared.clock import Clock
from shared.errors import ExpectedError

Body = TypeVar("Body")
Query = TypeVar("Query")
Service = TypeVar("Service")
Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
Auth = Literal["required", "optional", "none"]
Idempotency = Literal["optional", "required", "none"]

_PATH_PARAMETER: Final = re.compile(r"[<{](\w+)[>}]")


class Principal(msgspec.Struct, frozen=True, kw_only=True):
    """Who is signed in."""

    user: UserId
    name: str
    session: SessionId
    roles: tuple[str, ...] = ()


class Authenticator(Protocol):
    """Knows whose session a token is."""

    async def authenticate(self, token: str) -> Principal | None:
        """Return who holds `token`, or None if nobody does any more."""
        ...


class WebContext(msgspec.Struct, frozen=True, kw_only=True):
    """What every endpoint may reach; `services` are the features' own, by type."""

    database: Database
    redis: Redis
    clock: Clock
    authenticator: Authenticator
    limiter: RateLimiter
    cookie: SessionCookie
    allowed_origins: tuple[str, ...]
    services: Mapping[type, object]


class Call(Generic[Body, Query]):
    """One request, as its endpoint gets it. `headers` go out with the answer."""

    def __init__(  # noqa: PLR0913 - a request has this many sides, each named
        self,
        *,
        context: WebContext,
        database: Database,
        body: Body,
        query: Query,
        path: Mapping[str, str],
        principal: Principal | None,
        token: str | None,
        client_address: str,
        asked_headers: Mapping[str, str] | None = None,
        asked_cookies: Mapping[str, str] | None = None,
    ) -> None:
        self._context = context
        self._asked_cookies = asked_cookies or {}
        self.database = database
        self.body = body
        self.query = query
        self.path = path
        self.principal_or_none = principal
        self.token = token
        self.client_address = client_address
        self._asked_headers = asked_headers or {}
        self.headers: list[tuple[str, str]] = []
        self._leased: LeasedDatabase | None = None

    def lease(self, leased: LeasedDatabase) -> None:
        """Have the request carried out on what its Idempotency-Key leased."""
        self.database = self._leased = leased

    @property
    def recovery_point(self) -> RecoveryPoint | None:
        """How far the same request came before it was broken off; None if this is the first try."""
        return None if self._leased is None else self._leased.recovery_point

    async def reached(self, tx: Transaction, point: str, subject: str | None = None) -> None:
        """Say, with what brought it there, that the request came so far: now it will be finished.

        Without an Idempotency-Key nobody finishes it.

        Raises:
            RequestInFlightError: if it took so long that another carries it out instead.
        """
        if self._leased is not None:
            await self._leased.reach(tx, point, subject)

    def last_transaction(self) -> AbstractAsyncContextManager[Transaction]:
        """Open a unit of work that commits with the answer, where the outside is called, too."""
        if self._leased is not None:
            return self._leased.last_transaction()
        return self.database.transaction()

    @property
    def principal(self) -> Principal:
        """Who asks.

        Raises:
            UnauthenticatedError: if nobody is signed in.
        """
        if self.principal_or_none is None:
            raise UnauthenticatedError
        return self.principal_or_none

    @property
    def clock(self) -> Clock:
        """The program's clock."""
        return self._context.clock

    @property
    def redis(self) -> Redis:
        """The program's Redis client."""
        return self._context.redis

    @property
    def cookie(self) -> SessionCookie:
        """How the session's token is kept in a browser."""
        return self._context.cookie

    def header(self, name: str) -> str | None:
        """Return a header of the request, whatever the case of its name."""
        return self._asked_headers.get(name.lower())

    def asked_cookie(self, name: str) -> str | None:
        """Return a cookie of the request."""
        return self._asked_cookies.get(name)

    def service(self, kind: type[Service]) -> Service:
        """Return the service of this type that `create_app` was wired with."""
        found = self._context.services[kind]
        assert isinstance(found, kind)
        return found

    def require_role(self, role: str) -> Principal:
        """Return who asks.

        Raises:
            UnauthenticatedError: if nobody is signed in.
            ForbiddenError: if they do not have `role`.
        """
        if role not in self.principal.roles:
            raise ForbiddenError(f"Only a user with the role {role} may do this.")
        return self.principal

    async def take(self, limit: RateLimit, subject: str) -> None:
        """Count one try of `subject`, and tell the client what is left.

        Raises:
            RateLimitedError: if it is one too many.
        """
        allowance = await self._context.limiter.take(limit, subject)
        if not allowance.allowed:
            raise refusal(allowance)
        self.headers.extend(allowance.headers().items())


Run = Callable[[Call[Any, Any]], Awaitable[object]]
Endpoint = TypeVar("Endpoint", bound=Run)


class EndpointSpec(TypedDict, total=False):
    """What an endpoint says of itself; all but `out` may be left out."""

    body: Any
    query: Any
    out: Any
    status: int
    auth: Auth
    errors: tuple[type[ExpectedError], ...]
    limit: RateLimit | None
    idempotency: Idempotency
    body_bytes_max: int | None
    calls_outside: bool


class Route(msgspec.Struct, frozen=True, kw_only=True):
    """One endpoint and all the door knows of it. `path` is written `/v1/rooms/{room}`."""

    feature: str
    method: Method
    path: str
    run: Run
    body: Any = None
    query: Any = None
    out: Any = None
    status: int = 200
    auth: Auth = "required"
    errors: tuple[type[ExpectedError], ...] = ()
    limit: RateLimit | None = None
    idempotency: Idempotency = "optional"
    body_bytes_max: int | None = None
    calls_outside: bool = False

    @property
    def name(self) -> str:
        """The endpoint's own name, unique in its feature."""
        return self.run.__name__

    @property
    def description(self) -> str:
        """The endpoint's docstring."""
        return inspect.getdoc(self.run) or self.name

    @property
    def path_parameters(self) -> list[str]:
        """The names in `path`, in order."""
        return _PATH_PARAMETER.findall(self.path)


class Door:
    """The HTTP endpoints of one feature; `create_app` opens it."""

    def __init__(self, feature: str) -> None:
        self.feature = feature
        self.routes: list[Route] = []

    def api(
        self, method: Method, path: str, **spec: Unpack[EndpointSpec]
    ) -> Callable[[Endpoint], Endpoint]:
        """Make a function the endpoint of `method` and `path`.

        Args:
            method: the HTTP method.
            path: such as `/v1/rooms/{room}`; what is in braces comes in `call.path`.
            spec: `body`, `query` and `out` are the types taken and given (a body of `bytes` comes
                as it is, of any media type), `status` that of success, `auth` who may come,
                `errors` the refusals to document, `limit` how often one client address may come,
                `idempotency` whether an Idempotency-Key must come, as it must where money moves,
                `calls_outside` that the outside is called between transactions, so that each
                commits as its block ends, and the endpoint says what it `reached`, and
                `body_bytes_max` how large a body may be, if not as elsewhere.
        """

        def register(endpoint: Endpoint) -> Endpoint:
            template = _PATH_PARAMETER.sub(r"{\1}", path)
            route = Route(feature=self.feature, method=method, path=template, run=endpoint, **spec)
            _check_signature(route)
            self.routes.append(route)
            return endpoint

        return register


def _check_signature(route: Route) -> None:
    """An endpoint whose types differ from what its door was told fails at import, not in use."""
    hints = get_type_hints(route.run)
    expected: object = Call.__class_getitem__((route.body, route.query))  # type: ignore[attr-defined]  # typing's own
    told = {"call": expected, "return": type(None) if route.out is None else route.out}
    for name, kind in told.items():
        if hints.get(name) != kind:
            raise TypeError(
                f"{route.feature}.{route.name}: `{name}` is {hints.get(name)}, "
                f"but its door was told {kind}"
            )
