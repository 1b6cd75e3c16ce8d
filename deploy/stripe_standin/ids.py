"""Ids and secrets in Stripe's shape: a prefix, then letters and digits that cannot be guessed."""

import secrets
import string
from typing import Final

_ALPHABET: Final = string.ascii_letters + string.digits
_ID_CHARACTERS: Final = 24
_SECRET_CHARACTERS: Final = 25


def mint(prefix: str) -> str:
    """Return a new id, such as `pi_3aB…`."""
    return f"{prefix}_{_random(_ID_CHARACTERS)}"


def mint_client_secret(identity: str) -> str:
    """Return a secret that lets a browser act on the intent with that id."""
    return f"{identity}_secret_{_random(_SECRET_CHARACTERS)}"


def mint_webhook_secret() -> str:
    """Return a new signing secret of a webhook endpoint."""
    return f"whsec_{_random(32)}"


def _random(characters: int) -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(characters))
