"""What an action of the shop's staff is, as it is written down. Pure; see `audit`."""

from datetime import datetime
from typing import Annotated, Any, NewType

import msgspec

from protocol.ids import ID_PATTERN, UserId

AuditId = NewType("AuditId", str)  # aud_
AnyAuditId = Annotated[AuditId, msgspec.Meta(pattern=ID_PATTERN)]


class Act(msgspec.Struct, frozen=True, kw_only=True):
    """One action: who did what to which thing, and what it was before and after.

    `action` is named `noun.verb`, such as `order.hold`; `subject` is the id of the thing.
    """

    actor: UserId
    action: str
    subject: str
    reason: str = ""
    before: object = None
    after: object = None


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One action as it stands in the audit."""

    id: AuditId
    at: datetime
    actor_id: UserId
    action: str
    subject: str
    reason: str
    before: Any
    after: Any
