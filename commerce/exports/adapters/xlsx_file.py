"""Excel's format, written row by row to the disk; a text is a text there and never a formula."""

from datetime import datetime
from pathlib import Path
from typing import Final

import msgspec
import xlsxwriter
from typing_extensions import override
from xlsxwriter.worksheet import Worksheet

from commerce.exports.model import Cell, Column, cells
from commerce.exports.ports import RowFile

SHEET_ROWS_MAX: Final = 1_048_576
"""As many as a sheet of Excel has; the rest goes on a further one."""

_CELL_CHARS_MAX: Final = 32_767
_WIDTH: Final = 18


class XlsxFile(RowFile):
    """A workbook with as many sheets as the rows need."""

    def __init__(
        self,
        path: Path,
        columns: tuple[Column, ...],
        *,
        made_at: datetime,
        sheet_rows_max: int = SHEET_ROWS_MAX,
    ) -> None:
        self._columns = columns
        self._sheet_rows_max = sheet_rows_max
        self._book = xlsxwriter.Workbook(
            str(path),
            {
                "constant_memory": True,
                "tmpdir": str(path.parent),
                "strings_to_formulas": False,
                "strings_to_urls": False,
                "strings_to_numbers": False,
                "use_zip64": True,
            },
        )
        self._book.set_properties({"created": made_at.replace(tzinfo=None)})
        self._bold = self._book.add_format({"bold": True})
        self._sheet, self._row = self._new_sheet()

    @override
    def write(self, row: msgspec.Struct) -> None:
        if self._row == self._sheet_rows_max:
            self._sheet, self._row = self._new_sheet()
        for place, (column, cell) in enumerate(
            zip(self._columns, cells(row, self._columns), strict=True)
        ):
            self._write_cell(place, column, cell)
        self._row += 1

    @override
    def close(self) -> None:
        self._book.close()

    def _new_sheet(self) -> tuple[Worksheet, int]:
        sheet = self._book.add_worksheet()
        sheet.freeze_panes(1, 0)
        sheet.set_column(0, len(self._columns) - 1, _WIDTH)
        for place, column in enumerate(self._columns):
            sheet.write_string(0, place, column.name, self._bold)
        return sheet, 1

    def _write_cell(self, place: int, column: Column, cell: Cell) -> None:
        if cell is None or cell == "":
            return
        if isinstance(cell, bool):
            self._sheet.write_boolean(self._row, place, cell)
        elif column.kind in {"amount", "number"}:
            # Excel keeps numbers as floats itself: up to 15 digits, which are written exactly.
            self._sheet.write_number(self._row, place, float(cell))
        else:
            self._sheet.write_string(self._row, place, str(cell)[:_CELL_CHARS_MAX])
