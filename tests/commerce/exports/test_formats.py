"""The files themselves, read back."""

import csv
import zipfile
from datetime import UTC, datetime, timedelta, timezone
from xml.etree import ElementTree as ET

import msgspec
import pytest
from hypothesis import given, strategies as some

from commerce.exports.adapters.text_files import CsvFile, JsonLinesFile
from commerce.exports.adapters.xlsx_file import XlsxFile
from commerce.exports.model import Column, cells, defused

COLUMNS = (
    Column(name="title"),
    Column(name="quantity", kind="number"),
    Column(name="total", kind="amount"),
    Column(name="at", kind="time"),
    Column(name="held", kind="flag"),
)
NOON = datetime(2026, 11, 25, 13, 0, tzinfo=timezone(timedelta(hours=1)))


class Row(msgspec.Struct, frozen=True, kw_only=True):
    title: str
    total_minor: int = -1999
    currency: str = "EUR"
    quantity: int = 2
    at: datetime | None = NOON
    held: bool = False


ROWS = [
    Row(title="Rain, on “Tin”\nand slate"),
    Row(title='=HYPERLINK("http://evil.example")', total_minor=6400, currency="KWD"),
    Row(title="", total_minor=1900, currency="JPY", at=None, held=True),
]


def write(file, rows=ROWS):
    for row in rows:
        file.write(row)
    file.close()


def sheets(path):
    """Return the cells of every sheet as (kind, text)."""
    space = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
    with zipfile.ZipFile(path) as book:
        names = sorted(name for name in book.namelist() if "/sheet" in name and "rels" not in name)
        for name in names:
            tree = ET.fromstring(book.read(name))  # noqa: S314 - our own file
            assert not list(tree.iter(f"{space}f"))  # a formula
            yield [
                [(cell.get("t"), "".join(cell.itertext())) for cell in row.iter(f"{space}c")]
                for row in tree.iter(f"{space}row")
            ]


class TestCsv:
    def test_has_amounts_with_their_places_and_times_in_utc(self, tmp_path):
        write(CsvFile(tmp_path / "f", COLUMNS))

        with (tmp_path / "f").open(newline="", encoding="utf-8") as file:
            head, first, second, third = csv.reader(file)

        assert head == ["title", "quantity", "total", "at", "held"]
        assert first == [ROWS[0].title, "2", "-19.99", "2026-11-25T12:00:00Z", "False"]
        assert second[2] == "6.400"
        assert third == ["", "2", "1900", "", "True"]

    def test_defuses_formulas_and_leaves_numbers_alone(self, tmp_path):
        write(CsvFile(tmp_path / "f", COLUMNS))

        text = (tmp_path / "f").read_text()

        assert "'=HYPERLINK" in text
        assert ",-19.99," in text

    @given(text=some.text())
    def test_has_no_cell_that_a_spreadsheet_would_run(self, text):
        safe = defused(text)

        assert not safe.startswith(("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d"))
        assert safe in {text, f"'{text}"}


class TestJsonLines:
    def test_has_every_field_as_it_is_kept(self, tmp_path):
        write(JsonLinesFile(tmp_path / "f"))

        lines = (tmp_path / "f").read_bytes().splitlines()

        assert [msgspec.json.decode(line, type=Row) for line in lines] == ROWS


class TestXlsx:
    def test_has_texts_that_are_no_formulas_and_numbers_that_are_numbers(self, tmp_path):
        write(XlsxFile(tmp_path / "f", COLUMNS, made_at=NOON))

        ((head, first, second, third),) = sheets(tmp_path / "f")

        assert [text for _, text in head] == ["title", "quantity", "total", "at", "held"]
        assert first[2] == (None, "-19.99")
        assert second[0] == ("inlineStr", '=HYPERLINK("http://evil.example")')
        assert third[-1] == ("b", "1")

    def test_goes_on_on_a_further_sheet(self, tmp_path):
        file = XlsxFile(tmp_path / "f", COLUMNS, made_at=NOON, sheet_rows_max=3)
        write(file, [Row(title=str(n)) for n in range(5)])

        first, second, third = sheets(tmp_path / "f")

        assert [row[0][1] for row in first] == ["title", "0", "1"]
        assert [row[0][1] for row in second] == ["title", "2", "3"]
        assert [row[0][1] for row in third] == ["title", "4"]


class TestCells:
    @pytest.mark.parametrize(
        ("currency", "shown"), [("JPY", "5"), ("EUR", "0.05"), ("KWD", "0.005")]
    )
    def test_of_amounts_have_the_places_of_their_currency(self, currency, shown):
        row = Row(title="", total_minor=5, currency=currency)

        assert cells(row, (Column(name="total", kind="amount"),)) == [shown]

    def test_of_times_are_in_utc(self):
        assert cells(Row(title="", at=NOON.astimezone(UTC)), (Column(name="at", kind="time"),)) == [
            "2026-11-25T12:00:00Z"
        ]
