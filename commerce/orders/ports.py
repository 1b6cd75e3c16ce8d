"""What orders need of the outside: somebody who takes the money."""

import msgspec

from commerce.payments.ports import PaymentGateway


class Till(msgspec.Struct, frozen=True, kw_only=True):
    """Where orders are paid. With the stand-in buyers pay on its page, else by Stripe.js."""

    gateway: PaymentGateway
    standin_url: str | None = None

    def pay_url(self, intent_id: str, client_secret: str) -> str | None:
        """Return the page on which a buyer pays; the browser adds where to come back to."""
        if self.standin_url is None:
            return None
        return f"{self.standin_url}/pay/{intent_id}?client_secret={client_secret}"
