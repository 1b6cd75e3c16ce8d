"""What exports need of the outside: files that rows are written to."""

from typing import Protocol

import msgspec


class RowFile(Protocol):
    """A file under way. Whatever its size, it holds a few rows in memory."""

    def write(self, row: msgspec.Struct) -> None:
        """Add a row."""
        ...

    def close(self) -> None:
        """Finish the file; without it nothing usable is there."""
        ...
