"""Files in a local folder, named after their content so that they never change."""

import hashlib
import os
import re
from pathlib import Path
from typing import Final

from commerce.catalog.settings import FILE_BYTES_MAX

_HASH_CHARACTERS: Final = 32
_is_path = re.compile(r"[a-z0-9-]{1,40}/[0-9a-f]{32}\.[a-z0-9]{2,5}").fullmatch


def store(root: Path, *, folder: str, content: bytes, suffix: str) -> str:
    """Keep `content` and return its path below `root`; the same content is kept once."""
    digest = hashlib.sha256(content).hexdigest()[:_HASH_CHARACTERS]
    path = f"{folder}/{digest}.{suffix}"
    assert _is_path(path)
    target = root / path
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        unfinished = target.with_name(f".{digest}.{os.getpid()}")
        unfinished.write_bytes(content)
        unfinished.replace(target)
    return path


def read(root: Path, path: str) -> bytes | None:
    """Return a file's content; None if there is none that may be served."""
    if _is_path(path) is None:
        return None
    target = (root / path).resolve()
    if not target.is_relative_to(root.resolve()) or not target.is_file():
        return None
    if target.stat().st_size > FILE_BYTES_MAX:
        return None
    return target.read_bytes()
