"""Who a client is: the same signed tickets that the gateway verifies."""

import base64
import os
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

_KEY = Ed25519PublicKey.from_public_bytes(
    base64.b64decode(os.environ["BENCH_VERIFYING_KEY"].split(":")[1])
)


def claims_of(ticket: str) -> dict[str, Any]:
    """Return what a good ticket says; raises `jwt.InvalidTokenError` if it is not one."""
    claims: dict[str, Any] = jwt.decode(
        ticket, _KEY, algorithms=["EdDSA"], audience="rialto-gateway"
    )
    return claims
