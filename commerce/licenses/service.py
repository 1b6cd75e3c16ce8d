"""What the rest of commerce may ask of licences."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final, Literal

import msgspec

from commerce.delivery import service as delivery
from commerce.delivery.model import Grant, ProductBenefit
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
    stricter,
)
from commerce.licenses.ports import LicenseKeys
from protocol.events import LicenseChanged
from protocol.ids import GrantId, LicenseId, OrderId, UserId
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
    """Say what licences to products allow, and that they come with one, from now on."""
    for policy in policies:
        await repository.set_policy(tx, policy)
    await delivery.set_benefits(
        tx,
        [
            ProductBenefit(product_id=policy.product_id, benefit="license", on_refund="prorate")
            for policy in policies
        ],
    )


async def follow(tx: Transaction, grant_id: GrantId, *, keys: LicenseKeys) -> list[License]:
    """Have the licences that a grant promises, each where the grant puts it; twice is once.

    A unit the buyer has no more is revoked; the staff's own word on a licence stays as it is.
    Returns those that were issued.
    """
    grant = await delivery.find(tx, grant_id)
    if grant.benefit != "license":
        return []
    issued = await _issue(tx, grant, keys) if grant.state == "granted" else []
    for held in await repository.lock_of_line(tx, grant.line_id):
        await _follow(tx, held, _due(held, grant))
    return issued


async def _issue(tx: Transaction, grant: Grant, keys: LicenseKeys) -> list[License]:
    """Issue a licence for every unit that has none."""
    policy = (await repository.policies(tx, [grant.product_id])).get(grant.product_id)
    if policy is None:
        return []
    issued = []
    for unit in range(1, min(grant.units, LICENSES_A_LINE_MAX) + 1):
        fresh = _fresh(tx, grant, policy, unit=unit)
        key = keys.make(fresh.id, generation=1, prefix=fresh.prefix)
        fresh = msgspec.structs.replace(fresh, key_ending=key[-_KEY_ENDING_CHARS:])
        if await repository.add(tx, fresh, key_hash=keys.hash(key)):
            await _tell(tx, fresh, "issued")
            issued.append(fresh)
    return issued


def _due(held: License, grant: Grant) -> LicenseState:
    if held.unit > grant.units or grant.state == "revoked":
        return "revoked"
    return "granted" if grant.state == "granted" else "suspended"


async def _follow(tx: Transaction, held: License, grant_state: LicenseState) -> None:
    if held.grant_state == grant_state:
        return
    state = stricter(held.staff_state, grant_state)
    after = msgspec.structs.replace(held, grant_state=grant_state, state=state)
    await repository.set_states(tx, after, is_step=state != held.state)
    if state != held.state:
        await _changed(tx, held.id, _STEPS[state], reason="the order it came with")


async def of_holder(
    tx: Transaction, holder: UserId, *, after: LicenseId | None = None, limit: int
) -> list[License]:
    """Return a holder's licences, the newest first."""
    return await repository.of_holder(tx, holder, after=after, limit=limit)


async def of_order(tx: Transaction, order: OrderId, holder: UserId) -> list[License]:
    """Return the licences a holder got with an order, up to `ORDER_LICENSES_SHOWN_MAX`."""
    return await repository.of_order(tx, order, holder, limit=ORDER_LICENSES_SHOWN_MAX)


async def find(tx: Transaction, license_id: LicenseId) -> License:
    """Return a licence, whoever holds it: for staff, who have been asked for.

    Raises:
        LicenseNotFoundError: if there is none.
    """
    found = await repository.find(tx, license_id)
    if found is None:
        raise LicenseNotFoundError(license_id)
    return found


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
    after = msgspec.structs.replace(
        held, staff_state=state, state=stricter(state, held.grant_state)
    )
    await repository.set_states(tx, after, is_step=True)
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


def _fresh(tx: Transaction, grant: Grant, policy: Policy, *, unit: int) -> License:
    days = policy.valid_days
    return License(
        id=LicenseId(tx.mint("lic")),
        product_id=grant.product_id,
        title=grant.title,
        prefix=policy.prefix,
        holder_id=grant.holder_id,
        order_id=grant.order_id,
        order_line_id=grant.line_id,
        unit=unit,
        generation=1,
        key_ending="",
        state="granted",
        staff_state="granted",
        grant_state="granted",
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
