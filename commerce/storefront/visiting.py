"""How a page comes about: who asks, what they see, HTML.

A page is a function from a `Visit` to a `Page`; all it shows is read in one transaction.
"""

import gzip
from collections.abc import Awaitable, Callable, Mapping
from typing import Final
from urllib.parse import quote

import msgspec
from quart import Response, request

from commerce.accounts.model import STAFF_ROLE
from commerce.cart import service as carts
from commerce.cart.model import Guest, guest_of
from commerce.foundation.answering import current_principal
from commerce.foundation.database import Transaction
from commerce.foundation.errors import InvalidRequestError, UnauthenticatedError
from commerce.foundation.http import Principal, WebContext
from commerce.foundation.problems import Problem
from commerce.foundation.security import guest_cart_cookie
from commerce.notifications import service as notifications
from commerce.storefront.assets import Assets
from commerce.storefront.rendering import Renderer
from protocol.ids import UserId
from protocol.views import Cart, Person

_COMPRESSED_FROM_BYTES: Final = 1024
_COMPRESSION_LEVEL: Final = 5
_PROBLEM_TITLES: Final[Mapping[int, str]] = {
    404: "There is nothing here",
    429: "Slow down a little",
    500: "That is our mistake",
    503: "The shop is catching its breath",
}


class Shell(msgspec.Struct, frozen=True, kw_only=True):
    """What the frame around every page shows; nobody is signed in without a user."""

    user: Person | None = None
    cart: Cart | None = None
    unread: int = 0
    is_staff: bool = False

    @property
    def items_count(self) -> int:
        """How many things are in the cart."""
        return 0 if self.cart is None else sum(line.quantity for line in self.cart.lines)


class Visit(msgspec.Struct, frozen=True, kw_only=True):
    """One request for a page."""

    tx: Transaction
    shell: Shell
    path: Mapping[str, str]
    query: Mapping[str, str]
    is_demo: bool
    is_staff: bool = False

    @property
    def reader(self) -> UserId | None:
        """Who looks; None is a visitor."""
        return None if self.shell.user is None else self.shell.user.id

    @property
    def user(self) -> UserId:
        """Who looks.

        Raises:
            UnauthenticatedError: if nobody is signed in; the page then leads to the sign-in.
        """
        if self.shell.user is None:
            raise UnauthenticatedError
        return self.shell.user.id


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """A template and what it shows; `section` is where in the shop one is."""

    template: str
    shown: Mapping[str, object] = {}
    section: str = ""


PageFunction = Callable[[Visit], Awaitable[Page]]


class Storefront:
    """Answers requests for pages."""

    def __init__(self, context: WebContext, assets: Assets, *, is_demo: bool) -> None:
        self._context = context
        self._assets = assets
        self._renderer = Renderer(assets)
        self._is_demo = is_demo

    def page(self, function: PageFunction) -> Callable[..., Awaitable[Response]]:
        """Return the request handler that answers with this page."""

        async def answer(**path: str) -> Response:
            if any("\x00" in text for text in (*path.values(), *request.args.values())):
                raise InvalidRequestError("The address holds a character that cannot be stored.")
            principal, _token = await current_principal(self._context)
            try:
                return await self._answer(function, principal, path)
            except UnauthenticatedError:
                return _to_sign_in()

        return answer

    async def static(self, path: str) -> Response:
        """Answer with a script, a style or a font."""
        found = self._assets.find(path)
        if found is None:
            return Response("There is no such file.", 404, content_type="text/plain")
        asset, cache_control = found
        headers = {"cache-control": cache_control, "etag": f'"{asset.etag}"'}
        if request.if_none_match.contains(asset.etag):
            return Response(b"", 304, headers=headers)
        content = asset.content
        if asset.compressed is not None:
            headers["vary"] = "Accept-Encoding"
            if request.accept_encodings.quality("gzip") > 0:
                content, headers["content-encoding"] = asset.compressed, "gzip"
        return Response(content, 200, headers=headers, content_type=asset.media_type)

    async def problem(self, problem: Problem) -> Response:
        """Answer with a page that says what went wrong, without asking anything of anyone."""
        html = self._renderer.render(
            "problem.html",
            **_frame(Shell(), ""),
            status=problem.status,
            title=_PROBLEM_TITLES.get(problem.status, problem.title),
            detail=problem.detail,
            request_id=problem.request_id,
        )
        return _html(html, problem.status)

    async def _answer(
        self, function: PageFunction, principal: Principal | None, path: Mapping[str, str]
    ) -> Response:
        cookie = guest_cart_cookie(self._context.cookie)
        token = request.cookies.get(cookie.name)
        guest = guest_of(token) if token else None
        async with self._context.database.transaction() as tx:
            shell = await _shell(tx, principal, guest)
            page = await function(
                Visit(
                    tx=tx,
                    shell=shell,
                    path=path,
                    query=request.args,
                    is_demo=self._is_demo,
                    is_staff=principal is not None and STAFF_ROLE in principal.roles,
                )
            )
        shown = {**_frame(shell, page.section), **page.shown}
        answer = _html(self._renderer.render(page.template, **shown), 200)
        if principal is not None and guest is not None:
            answer.headers["set-cookie"] = cookie.take_back()
        return answer


async def _shell(tx: Transaction, principal: Principal | None, guest: Guest | None) -> Shell:
    """Return what the frame shows; what a guest put in goes over when they have signed in."""
    if principal is None:
        return Shell(cart=None if guest is None else await carts.read(tx, guest))
    if guest is not None:
        await carts.merge(tx, guest, principal.user)
    told = await notifications.newest(tx, principal.user, before=None, limit=1)
    return Shell(
        user=Person(id=principal.user, name=principal.name),
        cart=await carts.read(tx, principal.user),
        unread=told.inbox.unread,
        is_staff=STAFF_ROLE in principal.roles,
    )


def _frame(shell: Shell, section: str) -> dict[str, object]:
    is_entry = request.path in {"/signin", "/register"}
    next_page = request.args.get("next", "/") if is_entry else _here()
    return {
        "shell": shell,
        "cart_count": shell.items_count,
        "section": section,
        "query": "",
        "next_query": f"?next={quote(next_page, safe='/')}",
    }


def _here() -> str:
    """Where the visitor is, to come back to; problems are nowhere."""
    return request.full_path.rstrip("?") if request.url_rule is not None else "/"


def _to_sign_in() -> Response:
    address = f"/signin?next={quote(_here(), safe='/')}"
    return Response(b"", 303, headers={"location": address, "cache-control": "no-store"})


def _html(html: str, status: int) -> Response:
    """A page is somebody's own, and asked for anew; only the way back may show it again."""
    content = html.encode()
    headers = {"cache-control": "private, no-cache", "vary": "Accept-Encoding, Cookie"}
    if len(content) >= _COMPRESSED_FROM_BYTES and request.accept_encodings.quality("gzip") > 0:
        content = gzip.compress(content, _COMPRESSION_LEVEL)
        headers["content-encoding"] = "gzip"
    return Response(content, status, headers=headers, content_type="text/html; charset=utf-8")
