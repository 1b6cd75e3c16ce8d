"""Secrets that are made once for a data folder."""

import hashlib
import hmac
import os
import secrets
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

import msgspec

from deploy.supervisor.errors import StartError
from shared.tickets import TicketSigner, generate_signing_key


class Keys(msgspec.Struct, frozen=True, kw_only=True):
    """What only this shop knows."""

    ticket_signing_key: str
    postgres_password: str
    operator_token: str
    license_secret: str
    license_file_key: str

    def derived(self, purpose: str) -> str:
        """Return a secret for one purpose, the same each time for this data folder."""
        mark = hmac.new(self.postgres_password.encode(), purpose.encode(), hashlib.sha256)
        return mark.hexdigest()

    @property
    def ticket_verifying_key(self) -> str:
        """The public half, for the gateway."""
        return TicketSigner(self.ticket_signing_key).verifying_key


_MAKE: Final[Mapping[str, Callable[[], str]]] = {
    "ticket_signing_key": lambda: generate_signing_key(f"local-{secrets.token_hex(4)}"),
    "postgres_password": lambda: secrets.token_urlsafe(24),
    "operator_token": lambda: secrets.token_urlsafe(32),
    "license_secret": lambda: secrets.token_urlsafe(48),
    "license_file_key": lambda: generate_signing_key(f"local-{secrets.token_hex(4)}"),
}
"""How each of them is made, when there is none."""


def read_or_make_keys(path: Path) -> Keys:
    """Return the keys in the file `path` (mode 0600); what is missing there is made and added.

    Raises:
        StartError: if the file cannot be read as keys.
    """
    known = _read(path)
    missing = {name: make() for name, make in _MAKE.items() if name not in known}
    keys = msgspec.convert({**known, **missing}, Keys)
    if missing:
        _write_privately(path, msgspec.json.encode(keys))
    return keys


def _read(path: Path) -> dict[str, str]:
    try:
        return msgspec.json.decode(path.read_bytes(), type=dict[str, str])
    except FileNotFoundError:
        return {}
    except (OSError, msgspec.DecodeError) as error:
        raise StartError(f"{path} cannot be read: {error}.", exit_code=2) from error


def _write_privately(path: Path, content: bytes) -> None:
    fresh = path.with_suffix(".new")
    fresh.unlink(missing_ok=True)
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
