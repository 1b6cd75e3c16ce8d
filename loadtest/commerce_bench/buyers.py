"""Those who ask: buyers with a cart and a stored card, one of the staff, products with a key."""

import email.utils
import hashlib
import hmac
import itertools
import random
import secrets
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Final
from urllib.parse import parse_qs, urlencode, urlsplit

import msgspec
import trio

from loadtest.http_pool import HttpAnswer, HttpPool, open_pool
from loadtest.rest import CartAnswer, ProductDetails, ProductPage, SignedIn
from protocol.ids import OrderId, ProductId, VariantId

STATEMENTS_HEADER: Final = "x-rialto-statements"
STAFF_NUMBER: Final = 10
"""The demo user who works here."""

CARD: Final = "4242424242424242"
"""The documented test card that always pays."""

KEYS_BOUGHT: Final = 60
"""A key may be asked after 60 times a minute."""

_LICENSED_SHELF: Final = "fonts"
_FINGERPRINT: Final = "bench-machine-0001"
_OK: Final = range(200, 300)
_PAID_SECONDS_MAX: Final = 20.0
_POLL_SECONDS: Final = 0.2
_LOOPBACK: Final = frozenset({"localhost", "127.0.0.1"})
_VARIANTS: Final = 20


class RefusedError(Exception):
    """The shop did not do what it was asked."""


class Stock(msgspec.Struct, frozen=True, kw_only=True):
    """What there is to ask for."""

    variants: Sequence[VariantId]
    slugs: Sequence[str]
    product: ProductId


class _Quoted(msgspec.Struct, frozen=True, kw_only=True):
    id: str


class Ordered(msgspec.Struct, frozen=True, kw_only=True):
    """An order, as far as we care."""

    id: OrderId
    state: str


class _Payment(msgspec.Struct, frozen=True, kw_only=True):
    state: str


class _Paid(msgspec.Struct, frozen=True, kw_only=True):
    order: Ordered
    payment: _Payment


class _Method(msgspec.Struct, frozen=True, kw_only=True):
    id: str


class _Methods(msgspec.Struct, frozen=True, kw_only=True):
    items: list[_Method]


class _MethodBegun(msgspec.Struct, frozen=True, kw_only=True):
    pay_url: str | None


class _Licensed(msgspec.Struct, frozen=True, kw_only=True):
    key: str


class _Licenses(msgspec.Struct, frozen=True, kw_only=True):
    items: list[_Licensed]


class Buyer:
    """Somebody signed in. `statements` is the most SQL that one answer took since it was reset."""

    def __init__(self, http: HttpPool, *, number: int, token: str, stock: Stock) -> None:
        self._http = http
        self._token = token
        self._turns = itertools.count(number)
        self.stock = stock
        self.method = ""
        self.prepared = ""
        self.statements = 0

    async def ask(self, method: str, path: str, body: object = None, **query: str) -> HttpAnswer:
        """Ask the shop something.

        Raises:
            RefusedError: if it does not do it.
        """
        headers = {"authorization": f"Bearer {self._token}"}
        if method == "POST":
            headers["idempotency-key"] = secrets.token_hex(8) if "/payment" in path else ""
        sent = {name: value for name, value in headers.items() if value}
        answer = await ask(self._http, method, path, body=body, headers=sent, query=query)
        self.statements = max(self.statements, statements_of(answer))
        return answer

    def turn(self) -> int:
        """Return another number each time."""
        return next(self._turns)

    async def fill(self, variant: VariantId | None = None, quantity: int | None = None) -> int:
        """Have something in the cart; return its version."""
        turn = self.turn()
        chosen = variant or self.stock.variants[turn % len(self.stock.variants)]
        body = {"quantity": quantity or 1 + turn % 3}
        answer = await self.ask("PUT", f"/v1/cart/lines/{chosen}", body)
        return msgspec.json.decode(answer.body, type=CartAnswer).version

    async def have_quoted(self, version: int) -> str:
        """Have the cart priced; return the quote."""
        body = {"cart_version": version, "country": "DE"}
        answer = await self.ask("POST", "/v1/quotes", body)
        return msgspec.json.decode(answer.body, type=_Quoted).id

    async def order(self, quote: str) -> Ordered:
        """Order what was quoted."""
        answer = await self.ask("POST", "/v1/orders", {"quote": quote, "confirm_repeat": True})
        return msgspec.json.decode(answer.body, type=Ordered)

    async def pay(self, order: Ordered) -> None:
        """Pay with the stored card.

        Raises:
            RefusedError: if that does not end in a payment that succeeded.
        """
        body = {"method": self.method}
        answer = await self.ask("POST", f"/v1/orders/{order.id}/payments", body)
        paid = msgspec.json.decode(answer.body, type=_Paid)
        if paid.payment.state != "succeeded":
            raise RefusedError(f"the payment is {paid.payment.state}")

    async def buy(self, variant: VariantId | None = None, quantity: int | None = None) -> Ordered:
        """Fill the cart, have it quoted, order it and pay it, unless it is free."""
        order = await self.order(await self.have_quoted(await self.fill(variant, quantity)))
        if order.state == "awaiting_payment":
            await self.pay(order)
        return order

    async def keep_card(self) -> None:
        """Have a stored card: one that is there, or else a new one given on the stand-in's page.

        Raises:
            RefusedError: if the shop has no stand-in.
        """
        kept = await self._methods()
        if not kept:
            answer = await self.ask("POST", "/v1/payment-methods")
            url = msgspec.json.decode(answer.body, type=_MethodBegun).pay_url
            if url is None:
                raise RefusedError("the shop is not paid at the stand-in")
            await _give_card(url)
            kept = await self._methods()
        self.method = kept[0].id

    async def _methods(self) -> list[_Method]:
        answer = await self.ask("GET", "/v1/payment-methods")
        return msgspec.json.decode(answer.body, type=_Methods).items

    async def buy_keys(self) -> list[str]:
        """Buy a product that comes with licence keys; return them, each active on a machine.

        Raises:
            RefusedError: if no keys come.
        """
        page = await self.ask("GET", "/v1/products", limit="20", category=_LICENSED_SHELF)
        products = msgspec.json.decode(page.body, type=ProductPage).items
        shown = await self.ask(
            "GET", f"/v1/products/{next(one.slug for one in products if one.stock is None)}"
        )
        variant = msgspec.json.decode(shown.body, type=ProductDetails).variants[0].id
        order = await self.buy(variant, KEYS_BOUGHT)
        with trio.move_on_after(_PAID_SECONDS_MAX):
            while True:
                answer = await self.ask("GET", f"/v1/orders/{order.id}/licenses")
                found = msgspec.json.decode(answer.body, type=_Licenses).items
                if found:
                    return [each.key for each in found]
                await trio.sleep(_POLL_SECONDS)
        raise RefusedError("an order that was paid brought no licence keys")


class Product:
    """A sold product that asks whether its key is good, from addresses of its own."""

    def __init__(self, pools: Sequence[HttpPool], keys: Sequence[str]) -> None:
        self._pools = itertools.cycle(pools)
        self._keys = itertools.cycle(keys)
        self.count = len(keys)

    async def validate(self) -> HttpAnswer:
        """Ask after the next key on its machine."""
        return await self._about_key("validate")

    async def activate(self) -> None:
        """Use every key on a machine."""
        for _ in range(self.count):
            await self._about_key("activate")

    async def _about_key(self, act: str) -> HttpAnswer:
        body = {"key": next(self._keys), "fingerprint": _FINGERPRINT}
        return await ask(next(self._pools), "POST", f"/v1/licenses/{act}", body=body)


class Bank:
    """Signs events as Stripe does. They are of no concern to the shop, so that no worker acts."""

    def __init__(self, http: HttpPool, secret: str, *, at: int) -> None:
        self._http = http
        self._secret = secret.encode()
        self._at = at
        self._began = trio.current_time()
        self._run = secrets.token_hex(6)
        self._numbers = itertools.count(1)

    async def tell(self) -> HttpAnswer:
        """Tell another event."""
        now = self._at + int(trio.current_time() - self._began)
        raw = msgspec.json.encode(_event(f"evt_bench_{self._run}_{next(self._numbers)}", now))
        mark = hmac.new(self._secret, b"%d." % now + raw, hashlib.sha256).hexdigest()
        headers = {"stripe-signature": f"t={now},v1={mark}", "content-type": "application/json"}
        answer = await self._http.request("POST", "/v1/webhooks/stripe", headers=headers, body=raw)
        return _checked("/v1/webhooks/stripe", answer)


class Cast(msgspec.Struct, frozen=True, kw_only=True):
    """Everybody who asks."""

    buyers: Sequence[Buyer]
    staff: Buyer
    product: Product | None = None
    bank: Bank | None = None


@asynccontextmanager
async def assembled(
    url: str, *, buyers: int, secret: str, pays: bool, sells_keys: bool
) -> AsyncGenerator[Cast, None]:
    """Sign everybody in, and have what they need.

    Raises:
        RefusedError: if the shop is not in the dev profile, or cannot be paid.
    """
    async with AsyncExitStack() as stack:
        http = await stack.enter_async_context(open_pool(url))
        stock = await _stock(http)
        numbers = [number for number in range(1, buyers + 2) if number != STAFF_NUMBER][:buyers]
        people = [await _sign_in(http, number, stock) for number in numbers]
        if pays or sells_keys:
            for buyer in people:
                await buyer.keep_card()
        product = None
        if sells_keys:
            pools = [
                await stack.enter_async_context(open_pool(url, source=source))
                for source in _sources(url)
            ]
            product = Product(pools, await people[0].buy_keys())
            await product.activate()
        now = await _now(http)
        yield Cast(
            buyers=people,
            staff=await _sign_in(http, STAFF_NUMBER, stock),
            product=product,
            bank=Bank(http, secret, at=now) if secret else None,
        )


async def ask(
    http: HttpPool,
    method: str,
    path: str,
    *,
    body: object = None,
    headers: Mapping[str, str] | None = None,
    query: Mapping[str, str] | None = None,
) -> HttpAnswer:
    """Make a request with a JSON body.

    Raises:
        RefusedError: if the answer is not a good one.
    """
    sent = dict(headers or {})
    if body is not None:
        sent["content-type"] = "application/json"
    content = b"" if body is None else msgspec.json.encode(body)
    answer = await http.request(method, path, query=query, headers=sent, body=content)
    return _checked(f"{method} {path}", answer)


def statements_of(answer: HttpAnswer) -> int:
    """Return how much SQL an answer took; 0 if the shop does not say."""
    return int(answer.headers.get(STATEMENTS_HEADER, 0))


def _checked(what: str, answer: HttpAnswer) -> HttpAnswer:
    if answer.status not in _OK:
        raise RefusedError(f"{what}: {answer.status} {answer.body[:200].decode(errors='replace')}")
    return answer


async def _sign_in(http: HttpPool, number: int, stock: Stock) -> Buyer:
    answer = await ask(http, "POST", "/v1/sessions/demo", body={"user": number})
    token = msgspec.json.decode(answer.body, type=SignedIn).token
    return Buyer(http, number=number, token=token, stock=stock)


async def _stock(http: HttpPool) -> Stock:
    page = await ask(http, "GET", "/v1/products", query={"limit": str(_VARIANTS)})
    products = msgspec.json.decode(page.body, type=ProductPage).items
    variants = []
    for product in products:
        if product.stock is None:
            shown = await ask(http, "GET", f"/v1/products/{product.slug}")
            found = msgspec.json.decode(shown.body, type=ProductDetails).variants
            variants.append(next((one.id for one in found if one.price.amount_minor), found[0].id))
    return Stock(
        variants=variants, slugs=[product.slug for product in products], product=products[0].id
    )


async def _now(http: HttpPool) -> int:
    """Return the shop's own idea of the time, in seconds."""
    answer = await ask(http, "GET", "/v1/products", query={"limit": "1"})
    return int(email.utils.parsedate_to_datetime(answer.headers["date"]).timestamp())


def _sources(url: str) -> list[str | None]:
    """Return addresses to ask from: one address may ask after keys 600 times a minute only."""
    if urlsplit(url).hostname not in _LOOPBACK:
        return [None]
    net = f"127.{random.randint(1, 254)}.{random.randint(1, 254)}"
    return [f"{net}.{last}" for last in range(1, 17)]


async def _give_card(url: str) -> None:
    parts = urlsplit(url)
    form = {"client_secret": parse_qs(parts.query)["client_secret"][0], "card": CARD}
    async with open_pool(f"{parts.scheme}://{parts.netloc}") as standin:
        answer = await standin.request(
            "POST",
            parts.path,
            headers={"content-type": "application/x-www-form-urlencoded"},
            body=urlencode(form).encode(),
        )
    if answer.status >= 400:
        raise RefusedError(f"the stand-in's page: {answer.status}")


def _event(identity: str, now: int) -> dict[str, object]:
    customer = {
        "id": "cus_bench",
        "object": "customer",
        "created": now,
        "email": "bench@rialto.example",
        "metadata": {"note": "x" * 900},
    }
    return {
        "id": identity,
        "object": "event",
        "type": "customer.updated",
        "created": now,
        "livemode": False,
        "api_version": "2026-10-28.endive",
        "data": {"object": customer},
    }
