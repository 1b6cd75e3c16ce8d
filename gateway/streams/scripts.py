"""Lua that runs inside Redis, kept in files beside this one."""

import hashlib
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Final

from gateway.streams.link import Calls
from gateway.streams.replies import Argument, LinkReplyError, Reply

_UNKNOWN_SCRIPT: Final = "NOSCRIPT"


class Script:
    """One script: called by its digest, sent whole when Redis does not know it."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @cached_property
    def source(self) -> bytes:
        """The text of the script."""
        return self.path.read_bytes()

    @cached_property
    def digest(self) -> str:
        """The name Redis knows it by."""
        return hashlib.sha1(self.source, usedforsecurity=False).hexdigest()

    async def run(
        self, link: Calls, *, keys: Sequence[str], arguments: Sequence[Argument]
    ) -> Reply:
        """Run the script, atomically.

        Raises:
            LinkDownError: if Redis cannot be asked.
            LinkReplyError: if the script failed.
        """
        try:
            return await link.call("EVALSHA", self.digest, len(keys), *keys, *arguments)
        except LinkReplyError as refusal:
            if not str(refusal).startswith(_UNKNOWN_SCRIPT):
                raise
        return await link.call("EVAL", self.source, len(keys), *keys, *arguments)


def script_beside(module_file: str, name: str) -> Script:
    """Return the script `name` in the folder of a module, given that module's `__file__`."""
    return Script(Path(module_file).with_name(name))
