"""CSV as RFC 4180 has it, and JSON Lines."""

import csv
from pathlib import Path
from typing import Final

import msgspec
from typing_extensions import override

from commerce.exports.model import Column, cells, defused
from commerce.exports.ports import RowFile

_BUFFER_BYTES: Final = 1024 * 1024


class CsvFile(RowFile):
    """For people and spreadsheets: text is defused, amounts have their decimal places."""

    def __init__(self, path: Path, columns: tuple[Column, ...]) -> None:
        self._columns = columns
        self._texts = tuple(column.kind == "text" for column in columns)
        self._file = path.open("w", buffering=_BUFFER_BYTES, encoding="utf-8", newline="")
        self._csv = csv.writer(self._file)
        self._csv.writerow([column.name for column in columns])

    @override
    def write(self, row: msgspec.Struct) -> None:
        self._csv.writerow(
            [
                defused(cell) if is_text and isinstance(cell, str) else cell
                for cell, is_text in zip(cells(row, self._columns), self._texts, strict=True)
            ]
        )

    @override
    def close(self) -> None:
        self._file.close()


class JsonLinesFile(RowFile):
    """For programs: every field as it is kept, amounts in minor units, nothing defused."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("wb", buffering=_BUFFER_BYTES)
        self._encode = msgspec.json.Encoder().encode_into
        self._line = bytearray()

    @override
    def write(self, row: msgspec.Struct) -> None:
        self._encode(row, self._line)
        self._line += b"\n"
        self._file.write(self._line)

    @override
    def close(self) -> None:
        self._file.close()
