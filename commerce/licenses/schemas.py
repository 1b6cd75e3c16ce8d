"""Licences over HTTP; a licence itself looks as `protocol.views.License` says."""

from collections.abc import Sequence
from typing import Annotated, Literal

import msgspec

from commerce.licenses.model import (
    FINGERPRINT_CHARS_MAX,
    KEY_TEXT_CHARS_MAX,
    MACHINE_NAME_CHARS_MAX,
    License,
    Machine,
    ValidationCode,
    show,
)
from commerce.licenses.ports import LicenseKeys, PublishedKey
from protocol import views
from protocol.ids import ID_PATTERN, LicenseId, ProductId
from shared.clock import unix_ms

Key = Annotated[str, msgspec.Meta(min_length=1, max_length=KEY_TEXT_CHARS_MAX)]
Fingerprint = Annotated[str, msgspec.Meta(min_length=8, max_length=FINGERPRINT_CHARS_MAX)]
MachineName = Annotated[str, msgspec.Meta(max_length=MACHINE_NAME_CHARS_MAX)]


class KeyOnMachine(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A licence key as typed, and the machine it is to be used on.

    `fingerprint` is whatever the product tells machines apart by; only its hash is kept. `nonce`
    comes back in the signed answer, so that an old answer cannot be passed off as a new one.
    """

    key: Key
    fingerprint: Fingerprint
    name: MachineName = ""
    nonce: Annotated[str, msgspec.Meta(max_length=64)] = ""


class KeyToValidate(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A licence key as typed; with a fingerprint it is asked of that machine."""

    key: Key
    fingerprint: Fingerprint | None = None
    nonce: Annotated[str, msgspec.Meta(max_length=64)] = ""


class Verdict(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is known of a key. `valid` is true for the code `valid` alone."""

    code: ValidationCode
    valid: bool
    at_ms: int
    nonce: str = ""
    machine: str | None = None
    license: LicenseId | None = None
    product: ProductId | None = None
    entitlements: tuple[str, ...] = ()
    machines_active: int | None = None
    machines_max: int | None = None
    expires_at_ms: int | None = None


class SignedVerdict(msgspec.Struct, frozen=True, kw_only=True):
    """A verdict, and the same signed, as `v1.header.payload.signature`."""

    verdict: Verdict
    signed: str


class MachineFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The machine that a licence file is wanted for."""

    fingerprint: Fingerprint
    name: MachineName = ""


class LicenseFile(msgspec.Struct, frozen=True, kw_only=True):
    """A licence file: one line of text to be saved as it is. `seq` grows with each file."""

    file: str
    seq: int
    expires_at_ms: int


class MachineView(msgspec.Struct, frozen=True, kw_only=True):
    """A machine the licence is active on."""

    id: str
    name: str
    activated_at_ms: int


class LicenseDetails(msgspec.Struct, frozen=True, kw_only=True):
    """A licence with its key and its machines, for its holder's eyes."""

    license: views.License
    key: str
    entitlements: tuple[str, ...]
    machines: list[MachineView]
    may_reset_at_ms: int | None


class PublishedKeys(msgspec.Struct, frozen=True, kw_only=True):
    """The keys whose signatures are good, the current one first."""

    alg: Literal["Ed25519"]
    keys: Sequence[PublishedKey]


class HeldAfter(msgspec.Struct, frozen=True, array_like=True):
    """Where a list of licences goes on."""

    id: Annotated[LicenseId, msgspec.Meta(pattern=ID_PATTERN)]


class OrderLicense(msgspec.Struct, frozen=True, kw_only=True):
    """A licence that came with an order, and its key."""

    license: views.License
    key: str


class OrderLicenses(msgspec.Struct, frozen=True, kw_only=True):
    """Every licence that came with one order, in order."""

    items: list[OrderLicense]


def view_details(held: License, machines: list[Machine], *, key: str) -> LicenseDetails:
    """Show a licence to its holder."""
    may_again = held.may_reset_at()
    return LicenseDetails(
        license=show(held),
        key=key,
        entitlements=held.entitlements,
        machines=[view_machine(machine) for machine in machines],
        may_reset_at_ms=None if may_again is None else unix_ms(may_again),
    )


def view_order_licenses(found: Sequence[License], *, keys: LicenseKeys) -> OrderLicenses:
    """Show what came with an order to who bought it."""
    return OrderLicenses(
        items=[
            OrderLicense(
                license=show(held),
                key=keys.make(held.id, generation=held.generation, prefix=held.prefix),
            )
            for held in found
        ]
    )


def view_machine(machine: Machine) -> MachineView:
    """Show a machine."""
    return MachineView(
        id=machine.id, name=machine.name, activated_at_ms=unix_ms(machine.activated_at)
    )


def verdict_of(
    code: ValidationCode, held: License | None, *, machine: str | None, nonce: str, at_ms: int
) -> Verdict:
    """Show what is known of a key; of one that is unknown, nothing."""
    if held is None:
        return Verdict(code=code, valid=False, at_ms=at_ms, nonce=nonce, machine=machine)
    return Verdict(
        code=code,
        valid=code == "valid",
        at_ms=at_ms,
        nonce=nonce,
        machine=machine,
        license=held.id,
        product=held.product_id,
        entitlements=held.entitlements,
        machines_active=held.active_count,
        machines_max=held.machines_max,
        expires_at_ms=None if held.expires_at is None else unix_ms(held.expires_at),
    )
