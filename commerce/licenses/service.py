"""What the rest of commerce may ask of licences."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final, Literal

import msgspec

from commerce.foundation.database import Transaction
from commerce.licenses import repository
from commerce.licenses.errors import (
    LicenseNotActiveError,
    LicenseNotFoundError,
    MachineNotFoundError,
    ResetTooSoonError,
    TooManyMachinesError,
    UnknownLicenseKeyError,
)
from commerce.licenses.model import (
    LICENSES_A_LINE_MAX,
    MACHINES_MAX,
    RESET_HOURS_MIN,
    FileClaims,
    License,
    Machine,
    Policy,
    ValidationCode,
    file_claims,
    fingerprint_hash,
    read_key,
    show,
)
from commerce.licenses.ports import LicenseKeys
from protocol import views
from protocol.events import LicenseChanged
from protocol.ids import LicenseId, OrderId, UserId
from protocol.topics import user_topic
from protocol.views import LicenseState

ORDER_LICENSES_SHOWN_MAX: Final = 1_000
_KEY_ENDING_CHARS: Final = 5

Step = Literal[
    "issued", "activated", "deactivated", "reset", "rotated", "suspended", "restored", "revoked"
]
_STEPS: Final[dict[LicenseState, Step]] = {
    "granted": "restored",
    "suspended": "suspended",
    "revoked": "revoked",
}


async def set_policies(tx: Transaction, policies: Sequence[Policy]) -> None:
    """Say what licences to products allow, for those issued from now on."""
    for policy in policies:
        await repository.set_policy(tx, policy)


async def issue(tx: Transaction, order: views.Order, *, keys: LicenseKeys) -> list[License]:
    """Issue a licence for every unit of every line that comes with one; twice is once."""
    policies = await repository.policies(tx, [line.product for line in order.lines])
    issued = []
    for line in order.lines:
        policy = policies.get(line.product)
        if policy is None:
            continue
        for unit in range(1, min(line.quantity, LICENSES_A_LINE_MAX) + 1):
            fresh = _fresh(tx, order, line, policy, unit=unit)
            key = keys.make(fresh.id, generation=1, prefix=fresh.prefix)
            fresh = msgspec.structs.replace(fresh, key_ending=key[-_KEY_ENDING_CHARS:])
            if await repository.add(tx, fresh, key_hash=keys.hash(key)):
                await _tell(tx, fresh, "issued")
                issued.append(fresh)
    return issued


async def of_holder(
    tx: Transaction, holder: UserId, *, after: LicenseId | None = None, limit: int
) -> list[License]:
    """Return a holder's licences, the newest first."""
    return await repository.of_holder(tx, holder, after=after, limit=limit)


async def of_order(tx: Transaction, order: OrderId, holder: UserId) -> list[License]:
    """Return the licences a holder got with an order, up to `ORDER_LICENSES_SHOWN_MAX`."""
    return await repository.of_order(tx, order, holder, limit=ORDER_LICENSES_SHOWN_MAX)


async def view(
    tx: Transaction, holder: UserId, license_id: LicenseId
) -> tuple[License, list[Machine]]:
    """Return one of a holder's licences, and the machines it is active on.

    Raises:
        LicenseNotFoundError: if this holder has no such licence.
    """
    held = _of(holder, await repository.find(tx, license_id), license_id)
    return held, await repository.machines(tx, license_id, limit=MACHINES_MAX)


def key_of(held: License, keys: LicenseKeys) -> str:
    """Return a licence's present key, for its holder's eyes."""
    return keys.make(held.id, generation=held.generation, prefix=held.prefix)


async def validate(
    tx: Transaction, typed_key: str, fingerprint: str | None, *, keys: LicenseKeys
) -> tuple[ValidationCode, License | None]:
    """Say whether a key is good, and on this machine. What cannot be a key is looked up as well.

    A `fingerprint` of None asks of the key alone, and gets `machine_needed` for one that is good.
    """
    held = await repository.by_key(tx, keys.hash(read_key(typed_key) or ""))
    if held is None:
        return "unknown_key", None
    standing = held.standing(tx.now)
    if standing != "granted":
        return standing, held
    if fingerprint is None:
        return "machine_needed", held
    known = await repository.machine(tx, held.id, fingerprint_hash(fingerprint))
    return ("not_activated" if known is None else "valid"), held


async def activate(
    tx: Transaction, typed_key: str, fingerprint: str, name: str, *, keys: LicenseKeys
) -> tuple[License, Machine]:
    """Use a licence on a machine; on one that has it already nothing changes.

    Raises:
        UnknownLicenseKeyError: if there is no such key.
        LicenseNotActiveError: if the licence is suspended, revoked or expired.
        TooManyMachinesError: if every machine it allows is taken.
    """
    found = await repository.by_key(tx, keys.hash(read_key(typed_key) or ""))
    if found is None:
        raise UnknownLicenseKeyError
    return await _activate(tx, found, fingerprint, name)


async def deactivate(
    tx: Transaction, typed_key: str, fingerprint: str, *, keys: LicenseKeys
) -> License:
    """Stop using a licence on a machine, and give its place back.

    Raises:
        UnknownLicenseKeyError: if there is no such key.
        MachineNotFoundError: if the licence is not active there.
    """
    found = await repository.by_key(tx, keys.hash(read_key(typed_key) or ""))
    if found is None:
        raise UnknownLicenseKeyError
    return await _let_go(tx, found.id, fingerprint_hash(fingerprint), actor=None)


async def remove_machine(
    tx: Transaction, holder: UserId, license_id: LicenseId, machine_hash: bytes
) -> License:
    """Let go of one machine, as the licence's holder.

    Raises:
        LicenseNotFoundError: if this holder has no such licence.
        MachineNotFoundError: if the licence is not active there.
    """
    _of(holder, await repository.find(tx, license_id), license_id)
    return await _let_go(tx, license_id, machine_hash, actor=holder)


async def reset(tx: Transaction, holder: UserId, license_id: LicenseId) -> License:
    """Let go of every machine at once.

    Raises:
        LicenseNotFoundError: if this holder has no such licence.
        ResetTooSoonError: if that was done less than `RESET_HOURS_MIN` hours ago.
    """
    held = _of(holder, await repository.lock(tx, license_id), license_id)
    may_again = held.may_reset_at()
    if may_again is not None and may_again > tx.now:
        raise ResetTooSoonError(hours=RESET_HOURS_MIN)
    await repository.reset(tx, license_id, tx.now)
    return await _changed(tx, license_id, "reset", actor=holder)


async def rotate(
    tx: Transaction, holder: UserId, license_id: LicenseId, *, keys: LicenseKeys
) -> License:
    """Give a licence another key; the one before is unknown at once. Machines stay active.

    Raises:
        LicenseNotFoundError: if this holder has no such licence.
        LicenseNotActiveError: if it is suspended, revoked or expired.
    """
    held = _of(holder, await repository.lock(tx, license_id), license_id)
    if held.standing(tx.now) != "granted":
        raise LicenseNotActiveError(held.standing(tx.now))
    generation = held.generation + 1
    key = keys.make(held.id, generation=generation, prefix=held.prefix)
    await repository.rotate(
        tx,
        license_id,
        generation=generation,
        key_hash=keys.hash(key),
        key_ending=key[-_KEY_ENDING_CHARS:],
    )
    return await _changed(tx, license_id, "rotated", actor=holder)


async def set_state(
    tx: Transaction, staff: UserId, license_id: LicenseId, state: LicenseState, *, reason: str
) -> License:
    """Suspend, restore or revoke a licence, as the shop's staff.

    Raises:
        LicenseNotFoundError: if there is no such licence.
        IllegalLicenseStepError: if its state does not allow that.
    """
    held = await repository.lock(tx, license_id)
    if held is None:
        raise LicenseNotFoundError(license_id)
    held.require_step(state)
    await repository.set_state(tx, license_id, state)
    return await _changed(tx, license_id, _STEPS[state], actor=staff, reason=reason)


async def issue_file(
    tx: Transaction, holder: UserId, license_id: LicenseId, *, fingerprint: str, name: str
) -> FileClaims:
    """Return what a file for a machine says, which is made active if it is not yet.

    Raises:
        LicenseNotFoundError: if this holder has no such licence.
        LicenseNotActiveError: if it is suspended, revoked or expired.
        TooManyMachinesError: if every machine it allows is taken.
    """
    found = _of(holder, await repository.find(tx, license_id), license_id)
    held, machine = await _activate(tx, found, fingerprint, name)
    seq = await repository.next_file(tx, license_id)
    return file_claims(held, machine, seq=seq, now=tx.now)


async def _activate(
    tx: Transaction, found: License, fingerprint: str, name: str
) -> tuple[License, Machine]:
    standing = found.standing(tx.now)
    if standing != "granted":
        raise LicenseNotActiveError(standing)
    machine = Machine(
        license_id=found.id,
        fingerprint_hash=fingerprint_hash(fingerprint),
        name=name,
        activated_at=tx.now,
    )
    done = await repository.activate(tx, machine)
    if not done.added_count:
        known = await repository.machine(tx, found.id, machine.fingerprint_hash)
        assert known is not None
        return found, known
    if not done.counted_count:  # the refusal takes the row back with the transaction
        now = await repository.find(tx, found.id)
        assert now is not None
        if now.standing(tx.now) != "granted":
            raise LicenseNotActiveError(now.standing(tx.now))
        raise TooManyMachinesError(machines_max=now.machines_max)
    return await _changed(tx, found.id, "activated"), machine


async def _let_go(
    tx: Transaction, license_id: LicenseId, machine_hash: bytes, *, actor: UserId | None
) -> License:
    if not await repository.deactivate(tx, license_id, machine_hash):
        raise MachineNotFoundError
    return await _changed(tx, license_id, "deactivated", actor=actor)


async def _changed(
    tx: Transaction,
    license_id: LicenseId,
    step: Step,
    *,
    actor: UserId | None = None,
    reason: str = "",
) -> License:
    """Read a licence that was just changed, write down why, and tell its holder."""
    held = await repository.find(tx, license_id)
    assert held is not None
    await _tell(tx, held, step, actor=actor, reason=reason)
    return held


async def _tell(
    tx: Transaction, held: License, step: Step, *, actor: UserId | None = None, reason: str = ""
) -> None:
    await repository.add_step(tx, held, step=step, actor=actor, reason=reason)
    await tx.emit(user_topic(held.holder_id), LicenseChanged(license=show(held)))


def _of(holder: UserId, found: License | None, license_id: LicenseId) -> License:
    if found is None or found.holder_id != holder:
        raise LicenseNotFoundError(license_id)
    return found


def _fresh(
    tx: Transaction, order: views.Order, line: views.OrderLine, policy: Policy, *, unit: int
) -> License:
    days = policy.valid_days
    return License(
        id=LicenseId(tx.mint("lic")),
        product_id=line.product,
        title=line.title,
        prefix=policy.prefix,
        holder_id=order.buyer,
        order_id=order.id,
        order_line_id=line.id,
        unit=unit,
        generation=1,
        key_ending="",
        state="granted",
        version=1,
        machines_max=policy.machines_max,
        active_count=0,
        file_days=policy.file_days,
        file_seq=0,
        entitlements=policy.entitlements,
        issued_at=tx.now,
        expires_at=None if days is None else tx.now + timedelta(days=days),
        reset_at=None,
    )
