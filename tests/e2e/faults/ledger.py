"""The one judge of these tests: every student of a batch, on our side and in the simulators, exactly.

A test says who was wanted and which of their steps could not succeed; from that everything else follows: what each
student must have outside, the state of each step, the rows Lucy keeps, the audit. Nothing may be lost, doubled or left.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import httpx
from sqlalchemy import text

from cli.demo.expected import Wanted
from cli.demo.verify import verify
from lucy.db import audit
from lucy.db.engine import Database
from sandbox.together import Addresses
from tests.e2e.faults.outside import Having, Outside
from tests.integration.support.people import Known

GOOD = {"done", "already"}
PERSONAL = ("account", "licence", "credentials_mail", "moodle_user")
NONE_TWICE = range(1)
Key = tuple[str, str, str]  # document, kind, target


@dataclass(frozen=True)
class Steps:
    """What was planned and how it must have ended. `exceptions`: (document, kind) or (document, kind, course) → (state,
    code), for the steps that could not end well."""

    known: Sequence[Known]
    courses: frozenset[str]
    exceptions: Mapping[tuple[str, ...], tuple[str, str]] = field(default_factory=dict)
    mail: bool = True

    def planned(self) -> set[Key]:
        kinds = [kind for kind in PERSONAL if self.mail or kind != "credentials_mail"]
        personal = {(one.document, kind, "") for one in self.known for kind in kinds}
        return personal | {(one.document, "enrolment", course) for one in self.known for course in self.courses}

    def exception(self, key: Key) -> tuple[str, str] | None:
        return self.exceptions.get(key) or self.exceptions.get(key[:2])

    def good(self, document: str, kind: str, target: str = "") -> bool:
        return self.exception((document, kind, target)) is None

    def having(self, *, gone: Collection[str]) -> list[Having]:
        """What each student must have outside; `gone` are documents whose Moodle user somebody took away."""
        return [
            Having(
                one,
                account=self.good(one.document, "account"),
                licence=self.good(one.document, "licence"),
                letter=self.mail and self.good(one.document, "credentials_mail"),
                moodle=self.good(one.document, "moodle_user") and one.document not in gone,
                courses=frozenset(course for course in self.courses if self.good(one.document, "enrolment", course)),
            )
            for one in self.known
        ]


@dataclass(frozen=True)
class Found:
    """What a test may still want to look at: every step's row by its key, the addresses whose letter came twice."""

    steps: Mapping[Key, Any]
    twice: Sequence[str]

    def attempts(self, kind: str) -> Counter[int]:
        return Counter(row.attempts for key, row in self.steps.items() if key[1] == kind)


@dataclass
class Ledger:
    """Judges batches of one installation."""

    db: Database
    addresses: Addresses
    http: httpx.AsyncClient

    async def check(
        self,
        batch: int,
        known: Sequence[Known],
        courses: Iterable[str],
        *,
        exceptions: Mapping[tuple[str, ...], tuple[str, str]] | None = None,
        letters_twice: range = NONE_TWICE,
        gone: Collection[str] = (),
        others: Collection[str] = (),
        mail: bool = True,
    ) -> Found:
        """`letters_twice`: how many letters may have come twice, because nobody could know that they were accepted."""
        plan = Steps(known, frozenset(courses), exceptions or {}, mail)
        having = plan.having(gone=gone)
        outside = await Outside.look(self.addresses, self.http)
        outside.accounts(having)
        twice = await outside.mailed(having)
        assert len(twice) in letters_twice, f"letters that came twice: {twice}"
        outside.campus(having, others=others)
        if mail:
            await self._as_the_demo_judges(plan, gone)
        steps = await self._steps(batch, plan)
        self._copies_have_attempts(outside, steps)
        await self._rows(batch, having, outside, steps, gone)
        await self._batch(batch, plan)
        await self._audit(batch, steps)
        return Found(steps, twice)

    async def _as_the_demo_judges(self, plan: Steps, gone: Collection[str]) -> None:
        """By other code; it knows no exceptions, so it is asked about the others."""
        wanted = {one.document: Wanted(one.document, one.email, plan.courses) for one in plan.known}
        verdict = await verify(self.addresses, self.http, wanted, held=0)
        odd = {key[0] for key in plan.exceptions} | set(gone)
        assert [line for line in verdict.wrong if not any(document in line for document in odd)] == []
        assert odd or verdict.well, verdict.counts

    async def _steps(self, batch: int, plan: Steps) -> dict[Key, Any]:
        """As many as planned, each once, each closed and let go of."""
        rows = await self._rows_of(
            """select student.document_number, step.* from step join student on student.id = step.student_id
               where batch_id = :batch""",
            batch=batch,
        )
        assert len(rows) == len(plan.planned())
        steps = {(row.document_number, row.kind, row.target): row for row in rows}
        assert set(steps) == plan.planned()
        for key, row in steps.items():
            expected = plan.exception(key)
            if expected is None:
                assert row.state in GOOD, (key, row.state, row.error_code)
                assert (row.error_code, row.error_detail, row.remedy) == ("", "", ""), key
                assert row.attempts >= 1, key
            else:
                assert (row.state, row.error_code) == expected, key
            assert row.closed_at is not None, key
            assert (row.due_at, row.lease_until, row.lease_id) == (None, None, ""), key
        return steps

    def _copies_have_attempts(self, outside: Outside, steps: Mapping[Key, Any]) -> None:
        """A letter is sent again only by another attempt of its step."""
        copies = outside.copies()
        for (_document, kind, _target), row in steps.items():
            if kind == "credentials_mail" and row.state == "done":
                assert 1 <= copies[row.outcome["message_id"]] <= row.attempts
        assert set(copies) == {row.outcome["message_id"] for row in steps.values() if "message_id" in row.outcome}

    async def _rows(
        self, batch: int, having: Sequence[Having], outside: Outside, steps: Mapping[Key, Any], gone: Collection[str]
    ) -> None:
        """What Lucy keeps about each student is what is there; what she found there she does not call her own."""

        def maker(one: Having, kind: str, target: str = "") -> int | None:
            return batch if steps[one.known.document, kind, target].state == "done" else None

        ids = [int(one.known.id) for one in having]
        accounts = await self._rows_of("select * from account where student_id = any(:ids)", ids=ids)
        assert {
            (row.student_id, row.upn, row.entra_id, row.enabled, row.licensed, row.mailed_at is not None)
            for row in accounts
        } == {
            (one.known.id, one.known.upn, outside.entra_ids[one.known.upn], True, one.licence, one.letter)
            for one in having
            if one.account
        }
        assert all(row.made_by_batch == batch and row.secret_fingerprint for row in accounts)
        assert {row.student_id: row.licensed_by_batch for row in accounts} == {
            one.known.id: maker(one, "licence") for one in having if one.account
        }
        users = await self._rows_of("select * from moodle_user where student_id = any(:ids)", ids=ids)
        assert {(row.student_id, row.username, row.made_by_batch) for row in users} == {
            (one.known.id, one.known.upn, maker(one, "moodle_user"))
            for one in having
            if one.moodle or one.known.document in gone
        }
        here = {row.student_id: row.moodle_id for row in users}
        assert all(here[one.known.id] == outside.moodle_ids[one.known.upn] for one in having if one.moodle)
        enrolments = await self._rows_of("select * from enrolment where student_id = any(:ids)", ids=ids)
        shortnames = {course["id"]: course["shortname"] for course in outside.moodle["courses"]}
        assert Counter((row.student_id, row.course, row.made_by_batch) for row in enrolments) == {
            (one.known.id, course, maker(one, "enrolment", course)): 1 for one in having for course in one.courses
        }
        assert all(shortnames[row.course_id] == row.course for row in enrolments)
        sealed = await self._rows_of("select student_id from sealed_secret where student_id = any(:ids)", ids=ids)
        untold = {one.known.id for one in having if one.account and not one.letter}
        assert {row.student_id for row in sealed} <= untold, "a password outlived its letter"

    async def _batch(self, batch: int, plan: Steps) -> None:
        (row,) = await self._rows_of("select * from batch where id = :batch", batch=batch)
        failures = {"failed", "dropped"} & {state for state, _code in plan.exceptions.values()}
        assert row.state == ("finished_with_failures" if failures else "finished")
        assert row.started_at is not None
        assert row.finished_at is not None
        assert row.students == len(plan.known)

    async def _audit(self, batch: int, steps: Mapping[Key, Any]) -> None:
        """One end told of each step, one beginning and one end of the batch; the chain holds over all of it."""
        rows = await self._rows_of("select * from audit_event where batch_id = :batch order by id", batch=batch)
        told = Counter((row.action, row.outcome, row.student_id) for row in rows if row.action.startswith("step."))
        assert told == Counter((f"step.{row.kind}", row.state, row.student_id) for row in steps.values())
        named = Counter((row.student_id, row.detail["target"]) for row in rows if "target" in row.detail)
        assert named == Counter(
            (row.student_id, row.target) for row in steps.values() if row.target and row.state != "skipped"
        )
        (state,) = {row.state for row in await self._rows_of("select state from batch where id = :batch", batch=batch)}
        lives = Counter((row.action, row.outcome) for row in rows if row.outcome != "declined")
        for action, outcome in (("approve", "approved"), ("start", "running"), ("finish", state)):
            assert lives[f"batch.{action}", outcome] == 1
            assert sum(count for key, count in lives.items() if key[0] == f"batch.{action}") == 1
        async with self.db.transaction() as session:
            await audit.seal_next(session, now=datetime.now(UTC))
        async with self.db.transaction() as session:
            chain, events = await audit.verify(session), await audit.count(session)
        assert chain.broken_at is None
        assert chain.events == events

    async def _rows_of(self, statement: str, **values: object) -> list[Any]:
        async with self.db.transaction() as session:
            return list(await session.execute(text(statement), values))
