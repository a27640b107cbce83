"""Spreadsheets as a person would open them, and the rows that they are written from."""

import io
from dataclasses import dataclass
from typing import Any

import openpyxl
from sqlalchemy import text

from lucy.db.engine import Database


@dataclass(frozen=True)
class Opened:
    """`students` are the rows by heading; `summary` all rows of the other sheet, without what is empty."""

    heading: list[str]
    students: list[dict[str, Any]]
    summary: list[list[Any]]

    def of(self, last_name: str) -> dict[str, Any]:
        (found,) = [row for row in self.students if str(row["Apellido"]).startswith(last_name)]
        return found


def opened(content: bytes) -> Opened:
    book = openpyxl.load_workbook(io.BytesIO(content))
    assert book.sheetnames == ["Alumnos", "Resumen"]
    heading, *rows = [[cell.value for cell in row] for row in book["Alumnos"].iter_rows()]
    summary = [[cell.value for cell in row if cell.value is not None] for row in book["Resumen"].iter_rows()]
    return Opened(heading, [dict(zip(heading, row, strict=True)) for row in rows], [row for row in summary if row])


async def note_students(db: Database, number: int) -> None:
    """The students of a batch's steps in the plan's order, where nobody noted them yet."""
    async with db.transaction() as session:
        await session.execute(
            text(
                """
                insert into batch_student (batch_id, student_id, position, basis_hash)
                select batch_id, student_id, min(position), '' from step
                where batch_id = :number group by batch_id, student_id
                on conflict do nothing
                """
            ),
            {"number": number},
        )
