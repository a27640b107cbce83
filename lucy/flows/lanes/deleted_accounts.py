"""The deleted items of the directory: whether a student's account lies there for 30 days (FEATURES row 22)."""

from collections.abc import Mapping, Sequence
from time import monotonic

from lucy.domain.selections import fold
from lucy.domain.students import Student, StudentId, Upn
from lucy.ports import DeletedUser, Directory

# Shorter than it takes to delete an account and have another one approved; a hit is always looked at again.
KEPT_S = 15.0


class DeletedAccounts:
    """Reads them all, through all pages, and not more often than every few seconds."""

    def __init__(self, directory: Directory) -> None:
        self._directory = directory
        self._items: Sequence[DeletedUser] = ()
        self._read_at = float("-inf")

    async def find(self, wanted: Mapping[StudentId, tuple[Student, Upn]]) -> dict[StudentId, DeletedUser]:
        """The account of each student that has one there, the one deleted last. Raises RemoteError."""
        fresh = monotonic() - self._read_at > KEPT_S
        if fresh:
            await self._read()
        found = self._match(wanted)
        if found and not fresh:
            await self._read()
            found = self._match(wanted)
        return found

    async def _read(self) -> None:
        self._items = await self._directory.deleted_users()
        self._read_at = monotonic()

    def _match(self, wanted: Mapping[StudentId, tuple[Student, Upn]]) -> dict[StudentId, DeletedUser]:
        by_number: dict[str, list[DeletedUser]] = {}
        by_name: dict[str, list[DeletedUser]] = {}
        for item in self._items:
            by_number.setdefault(item.employee_id, []).append(item)
            by_name.setdefault(item.upn.lower(), []).append(item)
        found: dict[StudentId, DeletedUser] = {}
        for student_id, (student, upn) in wanted.items():
            unmarked = [one for one in by_name.get(upn, ()) if not one.employee_id and _same_name(one, student)]
            theirs = by_number.get(student.document_number, []) + unmarked
            if theirs:
                found[student_id] = max(theirs, key=lambda one: (one.deleted_at is not None, str(one.deleted_at)))
        return found


def _same_name(item: DeletedUser, student: Student) -> bool:
    """The same words in any order, as for an account that is adopted."""
    return sorted(fold(item.display_name).replace(",", " ").split()) == sorted(fold(student.full_name).split())
