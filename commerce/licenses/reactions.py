"""What licences hear: that a buyer has something, has it no more, or has it back."""

from commerce.foundation.database import Transaction
from commerce.foundation.reactions import Reaction
from commerce.licenses import service
from commerce.licenses.ports import LicenseKeys
from protocol.events import GrantChanged


def reactions(keys: LicenseKeys) -> tuple[Reaction, ...]:
    """Return the reactions of licences, which make keys with `keys`."""

    async def follow_the_grant(tx: Transaction, event: GrantChanged) -> None:
        if event.grant.benefit == "license":
            await service.follow(tx, event.grant.id, keys=keys)

    return (Reaction(name="licenses.grant_changed", event=GrantChanged, run=follow_the_grant),)
