"""Where exports are kept."""

from pathlib import Path

import msgspec


class ExportFolder(msgspec.Struct, frozen=True, kw_only=True):
    """The folder of finished files: among the shop's files, but served by no page."""

    path: Path


def folder_in(files_path: Path) -> ExportFolder:
    """Return the folder of exports among the shop's files."""
    return ExportFolder(path=files_path / "exports")
