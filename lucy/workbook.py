"""XLSX workbooks, written and read row by row so that thousands take little memory: the only importer of openpyxl.

Everything blocks: call it from a thread. Times are written in one zone, because a spreadsheet knows none.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from io import BytesIO
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from zipfile import BadZipFile
from zoneinfo import ZoneInfo

import openpyxl
from openpyxl.cell import WriteOnlyCell
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.styles import Font
from openpyxl.utils import get_column_letter
from openpyxl.utils.exceptions import InvalidFileException

Value = str | int | datetime | None

MOMENT = "dd/mm/yyyy hh:mm"
# What a spreadsheet runs, or takes for an error, instead of showing it; also once it was saved as CSV and read again.
# https://owasp.org/www-community/attacks/CSV_Injection
_RUNS = ("=", "+", "-", "@", "\t", "\r", "\n", "#", "＝", "＋", "－", "＠")
_BOLD = Font(bold=True)


class Sheet:
    """One sheet of a workbook. `widths` are in characters; a heading stays in sight and can be filtered by."""

    def __init__(self, sheet: Any, zone: ZoneInfo, *, widths: Sequence[int], heading: Sequence[str]) -> None:
        self._sheet, self._zone, self._heading, self._rows = sheet, zone, heading, 0
        for place, width in enumerate(widths, 1):
            sheet.column_dimensions[get_column_letter(place)].width = width
        if heading:
            sheet.freeze_panes = "A2"
            self.add([heading], bold=True)

    def add(self, rows: Iterable[Sequence[Value]], *, bold: bool = False) -> None:
        """Write rows below the last one."""
        for row in rows:
            cells = [self._cell(value) for value in row]
            self._sheet.append([self._bold(cell) for cell in cells] if bold else cells)
            self._rows += 1

    def close(self) -> None:
        """No rows come after this."""
        if self._heading:
            self._sheet.auto_filter.ref = f"A1:{get_column_letter(len(self._heading))}{self._rows}"
        if not self._sheet.closed:
            self._sheet.close()

    def forget(self) -> None:
        """Remove what was written so far, unless the workbook took it."""
        self.close()
        written = Path(self._sheet._writer.out)
        if written.exists():
            self._sheet._writer.cleanup()

    def _cell(self, value: Value) -> Any:
        """Text stays text, whatever it begins with."""
        if isinstance(value, str):
            text = ILLEGAL_CHARACTERS_RE.sub("", value)
            if not text.startswith(_RUNS) and not text.lstrip().startswith(_RUNS):
                return text
            cell = WriteOnlyCell(self._sheet, text)
            cell.data_type = "s"
            cell.quotePrefix = True  # it stays text when somebody edits the cell
            return cell
        if isinstance(value, datetime):
            cell = WriteOnlyCell(self._sheet, value.astimezone(self._zone).replace(tzinfo=None, microsecond=0))
            cell.number_format = MOMENT
            return cell
        return value

    def _bold(self, cell: Any) -> Any:
        if cell is None:
            return None
        styled = cell if hasattr(cell, "font") else WriteOnlyCell(self._sheet, cell)
        styled.font = _BOLD
        return styled


class Workbook:
    """A context manager: leaving it removes the temporary files, also when the workbook was not finished."""

    def __init__(self, zone: ZoneInfo) -> None:
        self._book, self._zone = openpyxl.Workbook(write_only=True), zone
        self._sheets: list[Sheet] = []

    def sheet(self, title: str, *, widths: Sequence[int], heading: Sequence[str] = ()) -> Sheet:
        """A new sheet after the others; rows may be added to several in turn."""
        self._sheets.append(Sheet(self._book.create_sheet(title), self._zone, widths=widths, heading=heading))
        return self._sheets[-1]

    def content(self) -> bytes:
        """The whole file; afterwards nothing can be added."""
        for sheet in self._sheets:
            sheet.close()
        file = BytesIO()
        self._book.save(file)
        return file.getvalue()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for sheet in self._sheets:
            sheet.forget()


MOST_ROWS = 5000


def read_sheet(content: bytes) -> list[list[str]]:
    """The first sheet as text, at most `MOST_ROWS` rows; formulas count as the value they had when it was saved.

    Raises ValueError for what is no workbook, or one with more rows.
    """
    try:
        book = openpyxl.load_workbook(BytesIO(content), read_only=True, data_only=True)
    except (InvalidFileException, BadZipFile, KeyError, OSError) as error:
        raise ValueError(f"not an XLSX workbook ({type(error).__name__})") from None
    try:
        rows = [
            ["" if cell is None else str(cell) for cell in row]
            for row in book.worksheets[0].iter_rows(values_only=True, max_row=MOST_ROWS + 1)
        ]
    finally:
        book.close()
    if len(rows) > MOST_ROWS:
        raise ValueError(f"more than {MOST_ROWS} rows")
    return rows
