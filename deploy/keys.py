"""Secrets that are made once for a data folder."""

import os
import secrets
from pathlib import Path

import msgspec

from deploy.supervisor.errors import StartError
from shared.tickets import TicketSigner, generate_signing_key


class Keys(msgspec.Struct, frozen=True, kw_only=True):
    """What only this shop knows."""

    ticket_signing_key: str
    postgres_password: str
    operator_token: str = ""

    @property
    def ticket_verifying_key(self) -> str:
        """The public half, for the gateway."""
        return TicketSigner(self.ticket_signing_key).verifying_key


def read_or_make_keys(path: Path) -> Keys:
    """Return the keys in the file `path`, which is made (mode 0600) if it is not there.

    A file of an earlier version is completed with what it lacks.

    Raises:
        StartError: if the file cannot be read as keys.
    """
    if not path.exists():
        fresh = Keys(
            ticket_signing_key=generate_signing_key(f"local-{secrets.token_hex(4)}"),
            postgres_password=secrets.token_urlsafe(24),
            operator_token=secrets.token_urlsafe(32),
        )
        _write_privately(path, msgspec.json.encode(fresh))
        return fresh
    try:
        keys = msgspec.json.decode(path.read_bytes(), type=Keys)
    except (OSError, msgspec.DecodeError) as error:
        raise StartError(f"{path} cannot be read: {error}.", exit_code=2) from error
    if not keys.operator_token:
        keys = msgspec.structs.replace(keys, operator_token=secrets.token_urlsafe(32))
        _write_privately(path, msgspec.json.encode(keys))
    return keys


def _write_privately(path: Path, content: bytes) -> None:
    fresh = path.with_suffix(".new")
    fresh.unlink(missing_ok=True)
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
