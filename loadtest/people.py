"""Get every simulated user signed in, the cheapest way the shop allows.

In the dev profile a demo user is one request away. Elsewhere accounts are registered, which is
slow on purpose (password hashing). Either way their tokens are kept in a file for the next run.
"""

import hashlib
import os
import secrets
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path
from typing import Final, TypeVar

import click
import msgspec
import trio

from loadtest.limits import SIGN_INS_AT_ONCE
from loadtest.rest import RestError, Shop

Input = TypeVar("Input")

_FIRST_NAMES: Final = ("Ada", "Ben", "Chi", "Dana", "Elif", "Finn", "Gita", "Hugo", "Ines", "Jun")
_LAST_NAMES: Final = ("Amsel", "Birke", "Cedro", "Dorn", "Esche", "Farn", "Ginko", "Hasel")
_TEMPORARY: Final = frozenset({0, 429, 502, 503, 504})
_TRIES_MAX: Final = 5
_KEPT_TRIED: Final = 20


class KeptTokens(msgspec.Struct, frozen=True, kw_only=True):
    """The session tokens of users that were registered earlier."""

    web_url: str
    tokens: list[str]


class NobodySignedInError(Exception):
    """The shop lets in neither demo users nor new accounts."""


async def sign_in_everybody(
    shop: Shop, web_url: str, count: int, *, told: Callable[[int], None]
) -> list[str]:
    """Return `count` session tokens of different users; tells `told` how many there are so far.

    Raises:
        NobodySignedInError: if the shop refuses.
    """
    tokens: list[str] = []
    try:
        if await _has_demo_user(shop, count):
            tokens = await _demo_users(shop, web_url, count, told)
        else:
            tokens = await _registered(shop, web_url, count, told)
    except* RestError as errors:
        first = next(iter(_leaves(errors)))
        raise NobodySignedInError(f"No simulated user can sign in: {first}") from first
    return tokens


def _leaves(errors: BaseExceptionGroup[RestError]) -> Iterable[RestError]:
    for error in errors.exceptions:
        if isinstance(error, BaseExceptionGroup):
            yield from _leaves(error)
        else:
            yield error


async def _has_demo_user(shop: Shop, number: int) -> bool:
    try:
        await shop.sign_in_demo(number)
    except RestError as error:
        if error.status in _TEMPORARY:
            raise
        return False
    return True


async def _demo_users(
    shop: Shop, web_url: str, count: int, told: Callable[[int], None]
) -> list[str]:
    """Return the tokens of the first demo users: those of the last run, if a few still hold."""
    kept = _read_kept(web_url)[:count]
    if len(kept) == count and all(
        [await shop.is_signed_in(token) for token in kept[:: max(1, count // _KEPT_TRIED)]]
    ):
        told(count)
        return kept
    tokens = await _at_once(shop.sign_in_demo, range(1, count + 1), told)
    await _keep(web_url, tokens)
    return tokens


async def _registered(
    shop: Shop, web_url: str, count: int, told: Callable[[int], None]
) -> list[str]:
    kept = _read_kept(web_url)[:count]

    async def check(token: str) -> str:
        return token if await shop.is_signed_in(token) else ""

    good = [token for token in await _at_once(check, kept, lambda _: None) if token]

    async def register(number: int) -> str:
        email = f"load-{secrets.token_hex(8)}@example.com"
        password = secrets.token_urlsafe(18)
        return await shop.register(email=email, name=_name(number), password=password)

    fresh = await _at_once(register, range(len(good), count), lambda done: told(len(good) + done))
    tokens = good + fresh
    await _keep(web_url, tokens)
    return tokens


def _name(number: int) -> str:
    first = _FIRST_NAMES[number % len(_FIRST_NAMES)]
    return f"{first} {_LAST_NAMES[number // len(_FIRST_NAMES) % len(_LAST_NAMES)]} {number}"


def _kept_path(web_url: str) -> Path:
    name = hashlib.sha256(web_url.encode()).hexdigest()[:16]
    return Path(click.get_app_dir("rialto-loadtest")) / f"users-{name}.json"


def _read_kept(web_url: str) -> list[str]:
    try:
        kept = msgspec.json.decode(_kept_path(web_url).read_bytes(), type=KeptTokens)
    except (OSError, msgspec.DecodeError):  # nothing kept that can be used: register anew
        return []
    return kept.tokens


async def _keep(web_url: str, tokens: list[str]) -> None:
    path = _kept_path(web_url)
    content = msgspec.json.encode(KeptTokens(web_url=web_url, tokens=tokens))
    path.parent.mkdir(parents=True, exist_ok=True)
    await trio.to_thread.run_sync(_write_private, path, content)


def _write_private(path: Path, content: bytes) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(content)


async def _at_once(
    work: Callable[[Input], Awaitable[str]],
    inputs: Iterable[Input],
    told: Callable[[int], None],
) -> list[str]:
    """Return what `work` makes of each input, in order; a few are under way at one time."""
    numbered = enumerate(inputs)
    made: dict[int, str] = {}

    async def take_turns() -> None:
        for number, one in numbered:
            made[number] = await _patiently(work, one)
            told(len(made))

    async with trio.open_nursery() as nursery:
        for _ in range(SIGN_INS_AT_ONCE):
            nursery.start_soon(take_turns)
    return [made[number] for number in sorted(made)]


async def _patiently(work: Callable[[Input], Awaitable[str]], one: Input) -> str:
    """Try again while the shop is busy; as long as it likes when it says when to come back."""
    failures = 0
    while True:
        try:
            return await work(one)
        except RestError as error:
            failures += error.status != 429
            if error.status not in _TEMPORARY or failures >= _TRIES_MAX:
                raise
            await trio.sleep(error.retry_after_seconds)
