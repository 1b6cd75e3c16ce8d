"""The shop's REST interface, as far as simulated users need it, with every request timed."""

from collections import Counter
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from typing import Final, TypeVar

import msgspec

from loadtest.clients import Ticket, TicketUnavailableError
from loadtest.http_pool import HttpAnswer, HttpError, HttpPool, open_pool
from loadtest.recorder import Measure, Now, Recorder
from protocol.ids import OrderId, ProductId, RoomId, VariantId
from protocol.money import Money
from protocol.views import ChatMessage

Shape = TypeVar("Shape")

_HISTORY_PAGE: Final = 100


class RestError(Exception):
    """A request was not answered as hoped; status 0 when it was not answered at all."""

    def __init__(
        self, route: str, status: int, told: str, *, retry_after_seconds: float = 1.0
    ) -> None:
        super().__init__(f"{route}: {status or 'no answer'} {told}")
        self.route = route
        self.status = status
        self.retry_after_seconds = retry_after_seconds


class SignedIn(msgspec.Struct, frozen=True, kw_only=True):
    """What a sign-in answers, as far as we care."""

    token: str


class ListedProduct(msgspec.Struct, frozen=True, kw_only=True):
    """A product in a list, as far as we care."""

    id: ProductId
    slug: str
    stock: int | None = None


class ListedVariant(msgspec.Struct, frozen=True, kw_only=True):
    """One way to buy a product, as far as we care."""

    id: VariantId
    price: Money
    stock: int | None = None


class ProductDetails(msgspec.Struct, frozen=True, kw_only=True):
    """A product's own page, as far as we care."""

    id: ProductId
    variants: list[ListedVariant]


class CartAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """A cart, as far as we care."""

    version: int


class ProductPage(msgspec.Struct, frozen=True, kw_only=True):
    """One page of products."""

    items: list[ListedProduct]
    next: str | None = None


class History(msgspec.Struct, frozen=True, kw_only=True):
    """One page of a room's messages."""

    items: list[ChatMessage]
    more: bool = False


class RestCounts(msgspec.Struct, frozen=True, kw_only=True):
    """Requests and failures by route."""

    requests: dict[str, int]
    failures: dict[str, int]


class Shop:
    """REST requests against one shop, on one pool of connections."""

    def __init__(self, http: HttpPool, *, recorder: Recorder | None, now: Now) -> None:
        self._http = http
        self._recorder = recorder
        self._now = now
        self._requests: Counter[str] = Counter()
        self._failures: Counter[str] = Counter()

    def counts(self) -> RestCounts:
        """Return how many requests there were, and how many failed."""
        return RestCounts(requests=dict(self._requests), failures=dict(self._failures))

    async def sign_in_demo(self, number: int) -> str:
        """Return the session token of a demo user; in the dev profile only."""
        body = {"user": number}
        return (await self.call("POST", "/v1/sessions/demo", SignedIn, body=body)).token

    async def register(self, *, email: str, name: str, password: str) -> str:
        """Open an account and return a session token of it."""
        body = {"email": email, "name": name, "password": password}
        return (await self.call("POST", "/v1/accounts", SignedIn, body=body)).token

    async def is_signed_in(self, token: str) -> bool:
        """Say whether a token is still good."""
        try:
            await self.call("GET", "/v1/me", dict[str, object], token=token)
        except RestError as error:
            if error.status == 401:
                return False
            raise
        return True

    async def ticket(self, token: str) -> Ticket:
        """Fetch what opens a socket.

        Raises:
            TicketUnavailableError: if asking again can help.
        """
        try:
            return await self.call("POST", "/v1/tickets", Ticket, token=token)
        except RestError as error:
            if error.status in {0, 429} or error.status >= 500:
                raise TicketUnavailableError(str(error)) from error
            raise

    async def products(
        self, *, after: str | None = None, search: str | None = None, token: str | None = None
    ) -> ProductPage:
        """Return one page of the catalogue, 100 products long unless searched."""
        query = {"limit": "30" if search else "100"}
        query |= {"after": after} if after else {}
        query |= {"q": search} if search else {}
        return await self.call("GET", "/v1/products", ProductPage, token=token, query=query)

    async def product(self, slug: str, *, token: str) -> None:
        """Look at one product."""
        await self.call(
            "GET", f"/v1/products/{slug}", dict[str, object], token=token, route="/v1/products/…"
        )

    async def product_details(self, slug: str) -> ProductDetails:
        """Return what a product costs and how many are left."""
        return await self.call(
            "GET", f"/v1/products/{slug}", ProductDetails, route="/v1/products/…"
        )

    async def set_cart_line(self, variant: VariantId, quantity: int, *, token: str) -> int:
        """Have so many of a variant in the cart; return the cart's version."""
        cart = await self.call(
            "PUT",
            f"/v1/cart/lines/{variant}",
            CartAnswer,
            token=token,
            body={"quantity": quantity},
            route="/v1/cart/lines/…",
        )
        return cart.version

    async def cancel_order(self, order: OrderId, *, token: str) -> None:
        """Give up an order that is not paid."""
        await self.call(
            "POST",
            f"/v1/orders/{order}/cancel",
            dict[str, object],
            token=token,
            route="/v1/orders/…/cancel",
        )

    async def history(self, room: RoomId, *, token: str, after: int = 0) -> list[ChatMessage]:
        """Return every stored message of a room after number `after`."""
        messages: list[ChatMessage] = []
        while True:
            page = await self.call(
                "GET",
                f"/v1/rooms/{room}/messages",
                History,
                token=token,
                query={"after": str(after), "limit": str(_HISTORY_PAGE)},
                route="/v1/rooms/…/messages",
            )
            messages += page.items
            if not page.more or not page.items:
                return messages
            after = page.items[-1].seq

    async def call(  # noqa: PLR0913  one request has that many independent parts
        self,
        method: str,
        path: str,
        shape: type[Shape],
        *,
        token: str | None = None,
        body: object = None,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        route: str | None = None,
    ) -> Shape:
        """Make one request and return its answer.

        Raises:
            RestError: if there is no answer, or not a good one.
        """
        name = f"{method} {route or path}"
        sent = dict(headers or {})
        if token is not None:
            sent["authorization"] = f"Bearer {token}"
        if body is not None:
            sent["content-type"] = "application/json"
        content = msgspec.json.encode(body) if body is not None else b""
        self._requests[name] += 1
        began_at = self._now()
        try:
            answer = await self._http.request(method, path, query=query, headers=sent, body=content)
            return self._read(name, answer, shape)
        except HttpError as error:
            raise self._failed(name, 0, str(error)) from error
        finally:
            if self._recorder is not None:
                self._recorder.record(Measure.REST, self._now() - began_at)

    def _read(self, name: str, answer: HttpAnswer, shape: type[Shape]) -> Shape:
        if answer.status >= 400:
            after = answer.headers.get("retry-after", "")
            raise self._failed(
                name,
                answer.status,
                answer.body[:200].decode(errors="replace"),
                retry_after_seconds=float(after) if after.isdigit() else 1.0,
            )
        try:
            return msgspec.json.decode(answer.body or b"{}", type=shape)
        except msgspec.DecodeError as error:
            raise self._failed(name, answer.status, f"cannot be read: {error}") from error

    def _failed(
        self, name: str, status: int, told: str, *, retry_after_seconds: float = 1.0
    ) -> RestError:
        self._failures[f"{name} {status or 'no answer'}"] += 1
        return RestError(name, status, told, retry_after_seconds=retry_after_seconds)


@asynccontextmanager
async def open_shop(
    web_url: str, *, recorder: Recorder | None, now: Now
) -> AsyncGenerator[Shop, None]:
    """Open a pool of connections to the shop at `web_url`."""
    async with open_pool(web_url) as http:
        yield Shop(http, recorder=recorder, now=now)
