"""The scripts, styles and fonts of the pages, read once and served from memory.

Every file has two addresses: `/static/<version>/…`, where the version is the hash of all of them
and the answer may be kept for ever, and `/static/…`, which is asked about anew each time. Modules
import one another by relative paths, so that whoever starts at a versioned address stays there.
"""

import gzip
import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

import msgspec

STATIC_PATH: Final = "/static/"
CLIENT_FOLDER: Final = "rialto"
"""Where pages find the JavaScript client of `protocol/js`."""

KEPT_FOR_EVER: Final = "public, max-age=31536000, immutable"
ASKED_ANEW: Final = "no-cache"

_VERSION_CHARACTERS: Final = 12
_MEDIA_TYPES: Final[Mapping[str, str]] = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".woff2": "font/woff2",
}
_COMPRESSED_ALREADY: Final = frozenset({".woff2"})

_OWN_FOLDER: Final = Path(__file__).parent / "static"
_CLIENT_SOURCE: Final = Path(__file__).parents[2] / "protocol" / "js"


class Asset(msgspec.Struct, frozen=True, kw_only=True):
    """One file, ready to be sent."""

    content: bytes
    compressed: bytes | None
    media_type: str
    etag: str


class Assets:
    """All files of the pages, by their path below `/static/`."""

    def __init__(self, files: Mapping[str, Asset]) -> None:
        self._files = files
        every = "".join(f"{path} {asset.etag}\n" for path, asset in sorted(files.items()))
        self.version = hashlib.sha256(every.encode()).hexdigest()[:_VERSION_CHARACTERS]

    def url(self, path: str) -> str:
        """Return the address under which a file may be kept for ever."""
        assert path in self._files, path
        return f"{STATIC_PATH}{self.version}/{path}"

    def find(self, path: str) -> tuple[Asset, str] | None:
        """Return a file and its Cache-Control; None if there is no such file.

        An address of another version, from a page that was rendered before a deploy, gives the
        present file, which must then not be kept.
        """
        head, _, rest = path.partition("/")
        if head == self.version:
            asset = self._files.get(rest)
            return None if asset is None else (asset, KEPT_FOR_EVER)
        asset = self._files.get(path) or self._files.get(rest)
        return None if asset is None else (asset, ASKED_ANEW)

    def modules(self) -> list[str]:
        """Return the addresses of all scripts, for the browser to fetch at once."""
        return [self.url(path) for path in sorted(self._files) if path.endswith(".js")]


def load_assets() -> Assets:
    """Read every file that pages may ask for."""
    own = dict(_read(_OWN_FOLDER))
    client = {f"{CLIENT_FOLDER}/{path}": asset for path, asset in _read(_CLIENT_SOURCE)}
    return Assets({**own, **client})


def _read(folder: Path) -> Iterator[tuple[str, Asset]]:
    for file in sorted(folder.rglob("*")):
        if file.suffix in _MEDIA_TYPES and file.is_file():
            yield file.relative_to(folder).as_posix(), _asset(file)


def _asset(file: Path) -> Asset:
    content = file.read_bytes()
    small = None if file.suffix in _COMPRESSED_ALREADY else gzip.compress(content, mtime=0)
    return Asset(
        content=content,
        compressed=small,
        media_type=_MEDIA_TYPES[file.suffix],
        etag=hashlib.sha256(content).hexdigest()[:16],
    )
