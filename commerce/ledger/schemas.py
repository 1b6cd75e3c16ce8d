"""What the ledger's endpoints take and give."""

from datetime import datetime
from typing import Annotated

import msgspec

from commerce.ledger.model import Account, Difference, Reconciliation, Written

_Moment = Annotated[datetime, msgspec.Meta(tz=True)]


class ReportQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Of which time: from `since` up to `until`."""

    since: _Moment | None = None
    until: _Moment | None = None


class AccountBalance(msgspec.Struct, frozen=True, kw_only=True):
    """What an account comes to in a currency: debits less credits."""

    account: Account
    currency: str
    debit_minor: int
    credit_minor: int
    amount_minor: int


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """Every account; the amounts of one currency come to nothing together."""

    balances: list[AccountBalance]


class Postings(msgspec.Struct, frozen=True, kw_only=True):
    """What was posted for an order, in order."""

    items: list[Written]


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """What the processor and the ledger do not say alike, and when that was last looked at."""

    differences: list[Difference]
    last: Reconciliation | None
