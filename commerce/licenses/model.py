"""What a licence is, how its key is written, and what a file says. Pure: no clock, no secrets."""

import hashlib
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Annotated, Final, Literal

import msgspec

from commerce.licenses.errors import IllegalLicenseStepError
from protocol import views
from protocol.ids import LicenseId, OrderId, OrderLineId, ProductId, UserId
from protocol.views import LicenseState
from shared.clock import unix_ms

KEY_BITS: Final = 125
MACHINES_MAX: Final = 1_000
LICENSES_A_LINE_MAX: Final = 99
"""As many as a line of an order may have."""

RESET_HOURS_MIN: Final = 24
"""Hours between two times that a holder lets go of all machines."""

FILE_DAYS_MAX: Final = 366
FILE_GRACE_DAYS: Final = 7
"""Days a file that has run out still starts the product, with a warning."""

ENTITLEMENTS_MAX: Final = 32
FINGERPRINT_CHARS_MAX: Final = 256
MACHINE_NAME_CHARS_MAX: Final = 80

_ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_BODY_CHARS: Final = KEY_BITS // 5
_CHECK_CHARS: Final = 2
_CHECK_PRIME: Final = 1021
"""The largest prime below 32², so that two characters hold the check: every single wrong character
and every two neighbours changed about are noticed."""

_GROUP_CHARS: Final = 5
_MISREAD: Final = str.maketrans({"O": "0", "I": "1", "L": "1"})
_SEPARATORS: Final = str.maketrans(dict.fromkeys("-_ \t\u2010\u2011\u2012\u2013\u2014"))
KEY_TEXT_CHARS_MAX: Final = 64
PREFIX_PATTERN: Final = r"^[0-9A-HJKMNP-TV-Z]{2,6}$"

TRANSITIONS: Final[Mapping[LicenseState, frozenset[LicenseState]]] = {
    "granted": frozenset({"suspended", "revoked"}),
    "suspended": frozenset({"granted", "revoked"}),
    "revoked": frozenset(),
}
"""Every edge the staff may go. That a licence has run out is read off its date, and is no state."""

_STRICTNESS: Final[Mapping[LicenseState, int]] = {"granted": 0, "suspended": 1, "revoked": 2}

ValidationCode = Literal[
    "valid", "unknown_key", "expired", "suspended", "revoked", "not_activated", "machine_needed"
]


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """What a licence to a product allows, for licences issued from now on."""

    product_id: ProductId
    prefix: Annotated[str, msgspec.Meta(pattern=PREFIX_PATTERN)]
    machines_max: Annotated[int, msgspec.Meta(ge=1, le=MACHINES_MAX)] = 3
    valid_days: Annotated[int, msgspec.Meta(ge=1, le=36_600)] | None = None
    file_days: Annotated[int, msgspec.Meta(ge=1, le=FILE_DAYS_MAX)] = 30
    entitlements: Annotated[tuple[str, ...], msgspec.Meta(max_length=ENTITLEMENTS_MAX)] = ()


class License(msgspec.Struct, frozen=True, kw_only=True):
    """The right of one holder to use one product, as it was bought.

    `generation` grows when the key is rotated; `version` with every change. It follows the grant it
    came by, and may besides be stopped by the staff: `state` is the stricter of the two.
    """

    id: LicenseId
    product_id: ProductId
    title: str
    prefix: str
    holder_id: UserId
    order_id: OrderId
    order_line_id: OrderLineId
    unit: int
    generation: int
    key_ending: str
    state: LicenseState
    staff_state: LicenseState
    grant_state: LicenseState
    version: int
    machines_max: int
    active_count: int
    file_days: int
    file_seq: int
    entitlements: tuple[str, ...]
    issued_at: datetime
    expires_at: datetime | None
    reset_at: datetime | None

    def has_expired(self, now: datetime) -> bool:
        """Say whether its time is over."""
        return self.expires_at is not None and self.expires_at <= now

    def standing(self, now: datetime) -> LicenseState | Literal["expired"]:
        """Return its state, or that it has run out."""
        if self.state == "granted" and self.has_expired(now):
            return "expired"
        return self.state

    def require_step(self, to_state: LicenseState) -> None:
        """See that there is such an edge for the staff.

        Raises:
            IllegalLicenseStepError: if there is none.
        """
        if to_state not in TRANSITIONS[self.staff_state]:
            raise IllegalLicenseStepError(from_state=self.staff_state, to_state=to_state)

    def may_reset_at(self) -> datetime | None:
        """Return when all machines may be let go again; None if they may now."""
        return None if self.reset_at is None else self.reset_at + timedelta(hours=RESET_HOURS_MIN)


class Machine(msgspec.Struct, frozen=True, kw_only=True):
    """One machine a licence is active on. Its fingerprint is kept as a hash only."""

    license_id: LicenseId
    fingerprint_hash: bytes
    name: str
    activated_at: datetime

    @property
    def id(self) -> str:
        """How the machine is named in addresses and files: the hash, in hexadecimal."""
        return self.fingerprint_hash.hex()


class FileClaims(msgspec.Struct, frozen=True, kw_only=True):
    """What a licence file says; times are Unix seconds. See `protocol/license_file/README.md`."""

    license: LicenseId
    product: ProductId
    title: str
    entitlements: tuple[str, ...]
    machine: str
    seq: int
    iat: int
    nbf: int
    exp: int
    grace: int


def stricter(first: LicenseState, second: LicenseState) -> LicenseState:
    """Return where a licence stands that two put differently."""
    return max(first, second, key=_STRICTNESS.__getitem__)


def fingerprint_hash(fingerprint: str) -> bytes:
    """Return what is kept of a machine's fingerprint."""
    return hashlib.sha256(b"rialto-machine/v1\0" + fingerprint.encode()).digest()


def write_key(prefix: str, body: int) -> str:
    """Return the key of 125 bits as people read it: `INK1-XXXXX-XXXXX-XXXXX-XXXXX-XXXXX-CC`."""
    assert 0 <= body < 2**KEY_BITS
    text = _digits(body, _BODY_CHARS)
    groups = [text[at : at + _GROUP_CHARS] for at in range(0, _BODY_CHARS, _GROUP_CHARS)]
    return "-".join((prefix, *groups, _check(prefix + text)))


def read_key(typed: str) -> str | None:
    """Return the key that was meant by `typed`, or None if it cannot be one.

    Case, spaces and dashes do not matter; O is read as 0, I and L as 1 (Crockford's base 32).
    """
    if len(typed) > KEY_TEXT_CHARS_MAX:
        return None
    text = typed.strip().upper().translate(_SEPARATORS).translate(_MISREAD)
    prefix, rest = text[: -_BODY_CHARS - _CHECK_CHARS], text[-_BODY_CHARS - _CHECK_CHARS :]
    if not prefix or len(rest) < _BODY_CHARS + _CHECK_CHARS or set(text) - set(_ALPHABET):
        return None
    body, check = rest[:_BODY_CHARS], rest[_BODY_CHARS:]
    return write_key(prefix, _value(body)) if _check(prefix + body) == check else None


def file_claims(held: License, machine: Machine, *, seq: int, now: datetime) -> FileClaims:
    """Return what a file for `machine` says, issued now."""
    expires = now + timedelta(days=held.file_days)
    if held.expires_at is not None:
        expires = min(expires, held.expires_at)
    begins, ends = int(now.timestamp()), int(expires.timestamp())
    return FileClaims(
        license=held.id,
        product=held.product_id,
        title=held.title,
        entitlements=held.entitlements,
        machine=machine.id,
        seq=seq,
        iat=begins,
        nbf=begins,
        exp=ends,
        grace=ends + FILE_GRACE_DAYS * 24 * 3600,
    )


def show(held: License) -> views.License:
    """Return the licence as its holder sees it in lists and events: without its key."""
    return views.License(
        id=held.id,
        version=held.version,
        product=held.product_id,
        title=held.title,
        order=held.order_id,
        state=held.state,
        key_ending=held.key_ending,
        machines_active=held.active_count,
        machines_max=held.machines_max,
        issued_at_ms=unix_ms(held.issued_at),
        expires_at_ms=None if held.expires_at is None else unix_ms(held.expires_at),
    )


def _digits(value: int, count: int) -> str:
    return "".join(_ALPHABET[(value >> 5 * place) & 31] for place in reversed(range(count)))


def _value(text: str) -> int:
    value = 0
    for character in text:
        value = value << 5 | _ALPHABET.index(character)
    return value


def _check(text: str) -> str:
    return _digits(_value(text) % _CHECK_PRIME, _CHECK_CHARS)
