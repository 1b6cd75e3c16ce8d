"""The HTTP door of licences: for products that ask with a key, and for holders and staff."""

from collections.abc import Mapping
from typing import Final

from commerce.foundation.errors import InvalidRequestError
from commerce.foundation.http import Call, Door
from commerce.foundation.pagination import Page, PageQuery, decode_cursor, page_of
from commerce.foundation.rate_limit import RateLimit
from commerce.licenses import service
from commerce.licenses.adapters.derived_keys import DerivedKeys
from commerce.licenses.adapters.ed25519_signer import Ed25519Signer
from commerce.licenses.errors import (
    LicenseNotActiveError,
    LicenseNotFoundError,
    MachineNotFoundError,
    ResetTooSoonError,
    TooManyMachinesError,
    UnknownLicenseKeyError,
)
from commerce.licenses.model import License, ValidationCode, fingerprint_hash, read_key, show
from commerce.licenses.schemas import (
    HeldAfter,
    KeyOnMachine,
    KeyToValidate,
    LicenseDetails,
    LicenseFile,
    MachineFile,
    OrderLicenses,
    PublishedKeys,
    SignedVerdict,
    verdict_of,
    view_details,
    view_order_licenses,
)
from protocol import views
from protocol.ids import LicenseId, OrderId
from shared.clock import unix_ms

door: Final = Door("licenses")

_PER_ADDRESS: Final = RateLimit(name="licenses", count=600, per_seconds=60)
_PER_KEY: Final = RateLimit(name="license-key", count=60, per_seconds=60)
"""Each key by itself, however many addresses it is tried from."""

_FINGERPRINT_HASH_BYTES: Final = 32


@door.api(
    "POST",
    "/v1/licenses/validate",
    body=KeyToValidate,
    out=SignedVerdict,
    auth="none",
    limit=_PER_ADDRESS,
)
async def validate(call: Call[KeyToValidate, None]) -> SignedVerdict:
    """Say whether a key is good, on a machine if one is named; signed, and never an error."""
    asked = call.body
    await _take_key(call, asked.key)
    async with call.database.transaction() as tx:
        code, held = await service.validate(
            tx, asked.key, asked.fingerprint, keys=call.service(DerivedKeys)
        )
    return _signed(call, code, held, fingerprint=asked.fingerprint, nonce=asked.nonce)


@door.api(
    "POST",
    "/v1/licenses/activate",
    body=KeyOnMachine,
    out=SignedVerdict,
    auth="none",
    limit=_PER_ADDRESS,
    errors=(UnknownLicenseKeyError, LicenseNotActiveError, TooManyMachinesError),
)
async def activate(call: Call[KeyOnMachine, None]) -> SignedVerdict:
    """Use a licence on a machine. One that has it already takes no second place."""
    asked = call.body
    await _take_key(call, asked.key)
    async with call.database.transaction() as tx:
        held, _ = await service.activate(
            tx, asked.key, asked.fingerprint, asked.name, keys=call.service(DerivedKeys)
        )
    return _signed(call, "valid", held, fingerprint=asked.fingerprint, nonce=asked.nonce)


@door.api(
    "POST",
    "/v1/licenses/deactivate",
    body=KeyOnMachine,
    out=SignedVerdict,
    auth="none",
    limit=_PER_ADDRESS,
    errors=(UnknownLicenseKeyError, MachineNotFoundError),
)
async def deactivate(call: Call[KeyOnMachine, None]) -> SignedVerdict:
    """Stop using a licence on a machine; its place is free at once."""
    asked = call.body
    await _take_key(call, asked.key)
    async with call.database.transaction() as tx:
        held = await service.deactivate(
            tx, asked.key, asked.fingerprint, keys=call.service(DerivedKeys)
        )
    return _signed(call, "not_activated", held, fingerprint=asked.fingerprint, nonce=asked.nonce)


@door.api("GET", "/v1/licenses/keys", out=PublishedKeys, auth="none")
async def published_keys(call: Call[None, None]) -> PublishedKeys:
    """List the public keys that licence files and answers are checked with."""
    return PublishedKeys(alg="Ed25519", keys=call.service(Ed25519Signer).published())


@door.api("GET", "/v1/licenses", query=PageQuery, out=Page[views.License])
async def mine(call: Call[None, PageQuery]) -> Page[views.License]:
    """List one's licences, the newest first."""
    query = call.query
    after = None if query.after is None else decode_cursor(HeldAfter, query.after).id
    async with call.database.transaction() as tx:
        found = await service.of_holder(tx, call.principal.user, after=after, limit=query.limit + 1)
    page = page_of(found, limit=query.limit, key=lambda held: HeldAfter(id=held.id))
    return Page(items=[show(held) for held in page.items], next=page.next)


@door.api("GET", "/v1/orders/{order}/licenses", out=OrderLicenses)
async def of_order(call: Call[None, None]) -> OrderLicenses:
    """List the licences that came with one of one's orders, with their keys."""
    order = OrderId(call.path["order"])
    async with call.database.transaction() as tx:
        found = await service.of_order(tx, order, call.principal.user)
    return view_order_licenses(found, keys=call.service(DerivedKeys))


@door.api("GET", "/v1/licenses/{license}", out=LicenseDetails, errors=(LicenseNotFoundError,))
async def details(call: Call[None, None]) -> LicenseDetails:
    """Show one of one's licences with its key and its machines."""
    async with call.database.transaction() as tx:
        held, machines = await service.view(tx, call.principal.user, _license(call.path))
    return view_details(held, machines, key=service.key_of(held, call.service(DerivedKeys)))


@door.api(
    "POST",
    "/v1/licenses/{license}/files",
    body=MachineFile,
    out=LicenseFile,
    status=201,
    errors=(LicenseNotFoundError, LicenseNotActiveError, TooManyMachinesError),
)
async def issue_file(call: Call[MachineFile, None]) -> LicenseFile:
    """Make a file that proves the licence on a machine without a network."""
    asked = call.body
    async with call.database.transaction() as tx:
        claims = await service.issue_file(
            tx,
            call.principal.user,
            _license(call.path),
            fingerprint=asked.fingerprint,
            name=asked.name,
        )
    signed = call.service(Ed25519Signer).sign("license-file/v1", claims)
    return LicenseFile(file=signed, seq=claims.seq, expires_at_ms=claims.exp * 1000)


@door.api(
    "POST",
    "/v1/licenses/{license}/rotate",
    out=LicenseDetails,
    errors=(LicenseNotFoundError, LicenseNotActiveError),
)
async def rotate(call: Call[None, None]) -> LicenseDetails:
    """Give one's licence another key; the one before is unknown at once."""
    keys = call.service(DerivedKeys)
    user, wanted = call.principal.user, _license(call.path)
    async with call.database.transaction() as tx:
        await service.rotate(tx, user, wanted, keys=keys)
        held, machines = await service.view(tx, user, wanted)
    return view_details(held, machines, key=service.key_of(held, keys))


@door.api(
    "POST",
    "/v1/licenses/{license}/reset",
    out=views.License,
    errors=(LicenseNotFoundError, ResetTooSoonError),
)
async def reset(call: Call[None, None]) -> views.License:
    """Let go of every machine of one's licence, once a day at most."""
    async with call.database.transaction() as tx:
        return show(await service.reset(tx, call.principal.user, _license(call.path)))


@door.api(
    "DELETE",
    "/v1/licenses/{license}/machines/{machine}",
    out=views.License,
    errors=(LicenseNotFoundError, MachineNotFoundError),
)
async def remove_machine(call: Call[None, None]) -> views.License:
    """Let go of one machine of one's licence."""
    machine = _machine_hash(call.path["machine"])
    async with call.database.transaction() as tx:
        return show(
            await service.remove_machine(tx, call.principal.user, _license(call.path), machine)
        )


async def _take_key(call: Call[KeyOnMachine, None] | Call[KeyToValidate, None], typed: str) -> None:
    key = read_key(typed)
    if key is not None:
        await call.take(_PER_KEY, call.service(DerivedKeys).hash(key).hex())


def _signed(
    call: Call[KeyOnMachine, None] | Call[KeyToValidate, None],
    code: ValidationCode,
    held: License | None,
    *,
    fingerprint: str | None,
    nonce: str,
) -> SignedVerdict:
    machine = None if fingerprint is None else fingerprint_hash(fingerprint).hex()
    at_ms = unix_ms(call.clock.now())
    verdict = verdict_of(code, held, machine=machine, nonce=nonce, at_ms=at_ms)
    return SignedVerdict(
        verdict=verdict, signed=call.service(Ed25519Signer).sign("license-answer/v1", verdict)
    )


def _license(path: Mapping[str, str]) -> LicenseId:
    return LicenseId(path["license"])


def _machine_hash(text: str) -> bytes:
    try:
        raw = bytes.fromhex(text)
    except ValueError:
        raw = b""
    if len(raw) != _FINGERPRINT_HASH_BYTES:
        raise InvalidRequestError("A machine is named by 64 hexadecimal digits.")
    return raw
