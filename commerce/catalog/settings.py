"""Where the catalogue keeps its files, and how much it hands out at once."""

from pathlib import Path
from typing import Annotated, Final

import msgspec

from shared.environment import variable

SEARCH_CANDIDATES_MAX: Final = 2_000
"""Matches that are ranked, the newest first: a word that is everywhere must not cost seconds."""

FILE_BYTES_MAX: Final = 8 * 1024 * 1024
"""Larger files are not served from memory."""


class CatalogSettings(msgspec.Struct, frozen=True, kw_only=True):
    """The catalogue's own knobs."""

    files_dir: Annotated[
        str,
        variable("RIALTO_FILES_DIR", "The folder of pictures and other files the shop serves."),
    ] = "./.rialto/files"

    @property
    def files_path(self) -> Path:
        """The folder as a path."""
        return Path(self.files_dir)
