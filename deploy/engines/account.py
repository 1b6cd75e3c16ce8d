"""The unprivileged user that engines run under when root starts them."""

import os
import pwd
from pathlib import Path
from typing import Final

from deploy.engines.errors import EngineError
from deploy.launch import Account

_CANDIDATES: Final = ("postgres", "nobody", "daemon")


def engine_account(folder: Path) -> Account | None:
    """Return who must run the engine whose files are in `folder`; None means ourselves.

    Files that already belong to an ordinary user stay with that user.

    Raises:
        EngineError: if we are root and the machine has no unprivileged user.
    """
    if os.geteuid() != 0:
        return None
    owner = folder.stat().st_uid if folder.exists() else 0
    known = _by_id(owner) if owner else None
    if known is not None:
        return known
    for name in _CANDIDATES:
        found = _by_name(name)
        if found is not None:
            return found
    raise EngineError(
        "Postgres refuses to run as root, and there is no unprivileged user to run it under; "
        f"create one of {', '.join(_CANDIDATES)}."
    )


def give_to(folder: Path, account: Account | None) -> None:
    """Make `folder`, private to whoever runs the engine."""
    folder.mkdir(mode=0o700, exist_ok=True)
    folder.chmod(0o700)
    if account is not None:
        os.chown(folder, account.user_id, account.group_id)


def _by_name(name: str) -> Account | None:
    try:
        return _account(pwd.getpwnam(name))
    except KeyError:
        return None


def _by_id(user_id: int) -> Account | None:
    try:
        return _account(pwd.getpwuid(user_id))
    except KeyError:
        return Account(name=str(user_id), user_id=user_id, group_id=user_id)


def _account(entry: pwd.struct_passwd) -> Account:
    return Account(name=entry.pw_name, user_id=entry.pw_uid, group_id=entry.pw_gid)
