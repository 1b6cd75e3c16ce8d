"""Every line of SQL about licences."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final, LiteralString

import msgspec

from commerce.foundation.database import Transaction
from commerce.licenses.model import License, Machine, Policy
from protocol.ids import LicenseId, OrderId, OrderLineId, ProductId, UserId

_COLUMNS: Final[LiteralString] = """
    select id, product_id, title, prefix, holder_id, order_id, order_line_id, unit, generation,
           key_ending, state, staff_state, grant_state, version, machines_max, active_count,
           file_days, file_seq, entitlements, issued_at, expires_at, reset_at
      from licenses
"""

_FIND: Final[LiteralString] = _COLUMNS + " where id = $1"

_LOCK: Final[LiteralString] = _FIND + " for update"

_BY_KEY: Final[LiteralString] = _COLUMNS + " where key_hash = $1"

_LOCK_BY_KEY: Final[LiteralString] = _BY_KEY + " for update"

_OF_HOLDER: Final[LiteralString] = (
    _COLUMNS
    + """
     where holder_id = $1
       and ($2::text is null or id < $2)
     order by id desc
     limit $3
"""
)

_OF_ORDER: Final[LiteralString] = (
    _COLUMNS
    + """
     where order_id = $1
       and holder_id = $2
     order by id
     limit $3
"""
)

_LOCK_OF_LINE: Final[LiteralString] = (
    _COLUMNS
    + """
     where order_line_id = $1
     order by unit
       for update
"""
)

_POLICIES: Final[LiteralString] = """
    select product_id, prefix, machines_max, valid_days, file_days, entitlements
      from license_policies
     where product_id = any($1::text[])
"""

_SET_POLICY: Final[LiteralString] = """
    insert into license_policies
           (product_id, prefix, machines_max, valid_days, file_days, entitlements)
    values ($1, $2, $3, $4, $5, $6)
        on conflict (product_id) do update
       set prefix = excluded.prefix,
           machines_max = excluded.machines_max,
           valid_days = excluded.valid_days,
           file_days = excluded.file_days,
           entitlements = excluded.entitlements
"""

_ADD: Final[LiteralString] = """
    insert into licenses
           (id, product_id, title, prefix, holder_id, order_id, order_line_id, unit, key_hash,
            key_ending, machines_max, file_days, entitlements, issued_at, expires_at)
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
        on conflict (order_line_id, unit) do nothing
"""

# Two tries for the same machine meet at the primary key, two for the last place at the licence's
# row: whoever comes second sees what the first has done.
_ACTIVATE: Final[LiteralString] = """
    with added as (
        insert into license_activations (license_id, fingerprint_hash, name, activated_at)
        values ($1, $2, $3, $4)
            on conflict do nothing
        returning license_id
    ), counted as (
        update licenses
           set active_count = active_count + 1,
               version = version + 1
          from added
         where licenses.id = added.license_id
           and state = 'granted'
           and (expires_at is null or expires_at > $4)
           and active_count < machines_max
        returning id
    )
    select (select count(*) from added) as added_count,
           (select count(*) from counted) as counted_count
"""

_DEACTIVATE: Final[LiteralString] = """
    with taken as (
        delete from license_activations
         where license_id = $1
           and fingerprint_hash = $2
        returning license_id
    )
    update licenses
       set active_count = active_count - 1,
           version = version + 1
      from taken
     where licenses.id = taken.license_id
"""

_MACHINE: Final[LiteralString] = """
    select license_id, fingerprint_hash, name, activated_at
      from license_activations
     where license_id = $1
       and fingerprint_hash = $2
"""

_MACHINES: Final[LiteralString] = """
    select license_id, fingerprint_hash, name, activated_at
      from license_activations
     where license_id = $1
     order by activated_at, fingerprint_hash
     limit $2
"""

_FORGET_MACHINES: Final[LiteralString] = """
    delete from license_activations
     where license_id = $1
"""

_RESET: Final[LiteralString] = """
    update licenses
       set active_count = 0, reset_at = $2, version = version + 1
     where id = $1
"""

_ROTATE: Final[LiteralString] = """
    update licenses
       set generation = $2, key_hash = $3, key_ending = $4, version = version + 1
     where id = $1
"""

_SET_STATES: Final[LiteralString] = """
    update licenses
       set state = $2, staff_state = $3, grant_state = $4, version = version + $5
     where id = $1
"""

_NEXT_FILE: Final[LiteralString] = """
    update licenses
       set file_seq = file_seq + 1
     where id = $1
    returning file_seq
"""

_ADD_STEP: Final[LiteralString] = """
    insert into license_steps (license_id, version, type, actor_id, reason, at)
    values ($1, $2, $3, $4, $5, $6)
"""


class Activation(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a try: whether the machine is new, and whether there was room for it."""

    added_count: int
    counted_count: int


async def find(tx: Transaction, license_id: LicenseId) -> License | None:
    """Return a licence."""
    return await tx.one_or_none(License, _FIND, license_id)


async def lock(tx: Transaction, license_id: LicenseId) -> License | None:
    """Return a licence and hold it until the transaction ends."""
    return await tx.one_or_none(License, _LOCK, license_id)


async def by_key(tx: Transaction, key_hash: bytes) -> License | None:
    """Return the licence whose current key has this hash."""
    return await tx.one_or_none(License, _BY_KEY, key_hash)


async def lock_by_key(tx: Transaction, key_hash: bytes) -> License | None:
    """Return the licence whose current key has this hash, and hold it."""
    return await tx.one_or_none(License, _LOCK_BY_KEY, key_hash)


async def of_holder(
    tx: Transaction, holder: UserId, *, after: LicenseId | None, limit: int
) -> list[License]:
    """Return a holder's licences, the newest first."""
    return await tx.all(License, _OF_HOLDER, holder, after, limit)


async def of_order(tx: Transaction, order: OrderId, holder: UserId, *, limit: int) -> list[License]:
    """Return the licences a holder got with an order, in order."""
    return await tx.all(License, _OF_ORDER, order, holder, limit)


async def lock_of_line(tx: Transaction, line: OrderLineId) -> list[License]:
    """Return the licences of a line of an order, unit by unit, and hold them."""
    return await tx.all(License, _LOCK_OF_LINE, line)


async def policies(tx: Transaction, products: Sequence[ProductId]) -> dict[ProductId, Policy]:
    """Return the policies of those products that have one."""
    found = await tx.all(Policy, _POLICIES, list(products))
    return {policy.product_id: policy for policy in found}


async def set_policy(tx: Transaction, policy: Policy) -> None:
    """Write what licences to a product allow from now on."""
    await tx.execute(
        _SET_POLICY,
        policy.product_id,
        policy.prefix,
        policy.machines_max,
        policy.valid_days,
        policy.file_days,
        list(policy.entitlements),
    )


async def add(tx: Transaction, fresh: License, *, key_hash: bytes) -> bool:
    """Write a new licence; False if the unit of that line has one already."""
    added = await tx.execute(
        _ADD,
        fresh.id,
        fresh.product_id,
        fresh.title,
        fresh.prefix,
        fresh.holder_id,
        fresh.order_id,
        fresh.order_line_id,
        fresh.unit,
        key_hash,
        fresh.key_ending,
        fresh.machines_max,
        fresh.file_days,
        list(fresh.entitlements),
        fresh.issued_at,
        fresh.expires_at,
    )
    return added == 1


async def activate(tx: Transaction, machine: Machine) -> Activation:
    """Take a place for a machine, in one statement; see `Activation`."""
    return await tx.one(
        Activation,
        _ACTIVATE,
        machine.license_id,
        machine.fingerprint_hash,
        machine.name,
        machine.activated_at,
    )


async def deactivate(tx: Transaction, license_id: LicenseId, fingerprint_hash: bytes) -> bool:
    """Give a machine's place back; False if it had none."""
    return await tx.execute(_DEACTIVATE, license_id, fingerprint_hash) == 1


async def machine(
    tx: Transaction, license_id: LicenseId, fingerprint_hash: bytes
) -> Machine | None:
    """Return a machine the licence is active on."""
    return await tx.one_or_none(Machine, _MACHINE, license_id, fingerprint_hash)


async def machines(tx: Transaction, license_id: LicenseId, *, limit: int) -> list[Machine]:
    """Return the machines a licence is active on, the oldest first."""
    return await tx.all(Machine, _MACHINES, license_id, limit)


async def reset(tx: Transaction, license_id: LicenseId, at: datetime) -> None:
    """Let go of every machine of a licence that is held."""
    await tx.execute(_FORGET_MACHINES, license_id)
    await tx.execute(_RESET, license_id, at)


async def rotate(
    tx: Transaction, license_id: LicenseId, *, generation: int, key_hash: bytes, key_ending: str
) -> None:
    """Write the next key of a licence that is held; the one before is unknown from now on."""
    await tx.execute(_ROTATE, license_id, generation, key_hash, key_ending)


async def set_states(tx: Transaction, held: License, *, is_step: bool) -> None:
    """Write where a licence that is held stands; with a step its version grows."""
    await tx.execute(
        _SET_STATES, held.id, held.state, held.staff_state, held.grant_state, int(is_step)
    )


async def next_file(tx: Transaction, license_id: LicenseId) -> int:
    """Return the number of a new licence file; they grow and are never given twice."""
    return await tx.value(int, _NEXT_FILE, license_id)


async def add_step(
    tx: Transaction, held: License, *, step: str, actor: UserId | None, reason: str
) -> None:
    """Write down what brought a licence to its version."""
    await tx.execute(_ADD_STEP, held.id, held.version, step, actor, reason, tx.now)
