"""What subscriptions ask of the outside."""

import msgspec

from commerce.payments.ports import PaymentGateway


class Bank(msgspec.Struct, frozen=True):
    """Where endpoints find who moves the money."""

    gateway: PaymentGateway
