"""The `Stripe-Signature` header."""

import hashlib
import hmac
from collections.abc import Sequence


def signature(body: bytes, *, secrets: Sequence[str], at: int) -> str:
    """Return the header for a body sent at a unix second: one `v1` for each secret."""
    signed = f"{at}.".encode() + body
    marks = (hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest() for secret in secrets)
    return ",".join((f"t={at}", *(f"v1={mark}" for mark in marks)))
