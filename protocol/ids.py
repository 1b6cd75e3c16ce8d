"""Identities. One type per thing, so an order id can never stand in for a room id.

An id is a three-letter prefix, an underscore and 26 characters of Crockford base32 (a ULID: 48
bits of Unix milliseconds, then 80 random bits), so ids of one kind sort by the time they were
minted. `shared.ids` mints them.
"""

from typing import Annotated, Final, NewType

import msgspec

ID_PATTERN: Final = r"^[a-z]{3}_[0-9A-HJKMNP-TV-Z]{26}$(?!\n)"
"""In Python `$` also matches before a newline at the end; `(?!\\n)` says that none may follow."""

UserId = NewType("UserId", str)  # usr_
SessionId = NewType("SessionId", str)  # ses_  one sign-in, whatever number of sockets it opens
ConnectionId = NewType("ConnectionId", str)  # con_  one WebSocket
WorkerId = NewType("WorkerId", str)  # wrk_  one run of one gateway worker process
ProductId = NewType("ProductId", str)  # prd_
VariantId = NewType("VariantId", str)  # var_
PriceId = NewType("PriceId", str)  # prc_  one version of what a variant costs in a currency
RoomId = NewType("RoomId", str)  # rom_
MessageId = NewType("MessageId", str)  # msg_
CartId = NewType("CartId", str)  # crt_
OrderId = NewType("OrderId", str)  # ord_
OrderLineId = NewType("OrderLineId", str)  # lin_
NotificationId = NewType("NotificationId", str)  # ntf_
LicenseId = NewType("LicenseId", str)  # lic_
QuoteId = NewType("QuoteId", str)  # quo_
PaymentId = NewType("PaymentId", str)  # pay_  one attempt to be paid for an order
PaymentMethodId = NewType("PaymentMethodId", str)  # pmt_
RefundId = NewType("RefundId", str)  # rfd_
DisputeId = NewType("DisputeId", str)  # dsp_
GrantId = NewType("GrantId", str)  # grn_
InvoiceId = NewType("InvoiceId", str)  # inv_
DiscountId = NewType("DiscountId", str)  # dsc_
PlanId = NewType("PlanId", str)  # pln_
SubscriptionId = NewType("SubscriptionId", str)  # sub_
ExportId = NewType("ExportId", str)  # exp_
FileId = NewType("FileId", str)  # fil_
EventId = NewType("EventId", str)  # evt_

AnyUserId = Annotated[UserId, msgspec.Meta(pattern=r"^usr_[0-9A-HJKMNP-TV-Z]{26}$(?!\n)")]
"""The id of a user, as accepted from outside."""

AnyProductId = Annotated[ProductId, msgspec.Meta(pattern=r"^prd_[0-9A-HJKMNP-TV-Z]{26}$(?!\n)")]
"""The id of a product, as accepted from outside."""

CommandKey = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9_-]{8,64}$(?!\n)")]
"""The client's idempotency key: minted once per intent, kept across retries, sockets and tabs."""

DeviceId = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9_-]{8,64}$(?!\n)")]
"""A name a browser or app keeps for itself, to tell its devices and tabs apart."""

Id = Annotated[str, msgspec.Meta(pattern=ID_PATTERN)]
"""Any id, as accepted from outside."""
