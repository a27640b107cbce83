"""Hold what Lucy knows of accounts against Entra: all of them once a week, what changed on the other days.

Nothing is put right by itself. An account that is gone is believed to be gone when a second check, hours later, does
not find it either (FEATURES row 17).
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from lucy.db import accounts as accounts_db
from lucy.db import audit, drifts, outbox
from lucy.db import cards as cards_db
from lucy.db import students as students_db
from lucy.db.drifts import Found
from lucy.db.engine import Database
from lucy.domain.audit import LUCY, AuditEvent
from lucy.domain.drift import Drift, KnownAccount, SeenAccount, differences, document_in, lasting
from lucy.domain.house import House
from lucy.domain.students import StudentId
from lucy.errors import RemoteError
from lucy.flows.redraw import ANNOUNCE
from lucy.ports import Directory, DirectoryUser

log = structlog.get_logger(__name__)

SHOWS = "drift"
# Two readings of one bad hour are one witness.
SECOND_LOOK = timedelta(hours=6)
READ_AT_ONCE = 100


async def check_accounts(db: Database, directory: Directory, *, house: House, whole: bool) -> None:
    """Raises RemoteError; then what was read so far counts, and the next check begins where this one did."""
    started = datetime.now(UTC)
    sku_id = (await directory.licence_seats(house.licence_sku)).sku_id
    async with db.transaction() as session:
        cursor = await drifts.cursor(session)
    link = "" if whole or cursor is None else cursor.link
    check = _Check(db, directory, house, sku_id)
    page = await directory.changes(link)
    if page.start_over:
        link = ""
        page = await directory.changes(link)
    while True:
        await check.look_at(page.changed)
        await check.look_again(sorted(page.removed))
        if not page.next_link:
            break
        page = await directory.changes(page.next_link)
    if not link:
        await check.look_for_the_unseen(started)
    async with db.transaction() as session:
        missing = await drifts.missing(session)
    await check.look_again(sorted(missing))
    async with db.transaction() as session:
        now = datetime.now(UTC)
        await drifts.keep_cursor(session, link=page.delta_link, whole=not link, now=now)
        counts = {drift.value: count for drift, count in (await drifts.counts(session)).items()}
        await audit.record(session, [AuditEvent(LUCY, "accounts.check", "done", detail=dict(counts))], now=now)
        await cards_db.want_redraw(session, shows=SHOWS, subject="")
        await outbox.put(session, [ANNOUNCE], now=now)
    log.info("accounts.checked", whole=not link, **counts)


class _Check:
    def __init__(self, db: Database, directory: Directory, house: House, sku_id: str) -> None:
        self._db, self._directory, self._house, self._sku_id = db, directory, house, sku_id

    async def look_at(self, users: Sequence[DirectoryUser]) -> None:
        """Compare accounts that are there."""
        for start in range(0, len(users), READ_AT_ONCE):
            part = {user.id: user for user in users[start : start + READ_AT_ONCE]}
            async with self._db.transaction() as session:
                await self._compare(session, part)

    async def look_again(self, entra_ids: Sequence[str]) -> None:
        """Read accounts that a list says, or does not say, one by one: those that are gone are told so."""
        for start in range(0, len(entra_ids), READ_AT_ONCE):
            part = {one: one for one in entra_ids[start : start + READ_AT_ONCE]}
            read = await self._directory.read_users(part)
            for answer in read.values():
                if isinstance(answer, RemoteError):
                    raise answer
            there = {key: user for key, user in read.items() if isinstance(user, DirectoryUser)}
            async with self._db.transaction() as session:
                await self._compare(session, there)
                await self._gone(session, [key for key, user in read.items() if user is None])

    async def look_for_the_unseen(self, started: datetime) -> None:
        """After a whole reading: accounts that it did not show."""
        after = ""
        while True:
            async with self._db.transaction() as session:
                unseen = await drifts.unseen_since(session, started, after=after, size=READ_AT_ONCE)
            if not unseen:
                return
            await self.look_again(unseen)
            after = unseen[-1]

    async def _compare(self, session: AsyncSession, users: Mapping[str, DirectoryUser]) -> None:
        if not users:
            return
        now = datetime.now(UTC)
        accounts = await drifts.accounts_of(session, users)
        students = await students_db.load(session, [row.student_id for row in accounts.values()])
        before = await drifts.of_accounts(session, users)
        found: list[Found] = []
        follow: dict[StudentId, tuple[bool, bool]] = {}
        for entra_id, row in accounts.items():
            seen = self._seen(users[entra_id])
            known = KnownAccount(row.upn, row.enabled, row.licensed)
            drift = differences(students[row.student_id], known, seen) | lasting(before.get(entra_id, ()), seen)
            found += [Found(entra_id, one, row.student_id) for one in drift]
            if Drift.SOMEBODY_ELSES not in drift:
                follow[row.student_id] = (seen.enabled, seen.licensed)
        found += await self._strangers(session, {key: user for key, user in users.items() if key not in accounts})
        await drifts.replace(session, users, found, now=now)
        await drifts.follow(session, follow, now=now)

    def _seen(self, user: DirectoryUser) -> SeenAccount:
        return SeenAccount(
            upn=user.upn,
            employee_id=user.employee_id,
            enabled=user.enabled,
            licensed=self._sku_id in user.sku_ids,
            given_name=user.given_name,
            surname=user.surname,
        )

    async def _strangers(self, session: AsyncSession, users: Mapping[str, DirectoryUser]) -> list[Found]:
        """Accounts with a name that Lucy could have given, and no record of hers."""
        prefix, domain = self._house.account_prefix, self._house.account_domain
        numbers = {
            key: number
            for key, user in users.items()
            if (number := document_in(user.upn, prefix=prefix, domain=domain))
        }
        known = await students_db.ids_by_number(session, numbers.values())
        return [
            Found(key, Drift.UNKNOWN if number in known else Drift.NOBODYS, known.get(number))
            for key, number in numbers.items()
        ]

    async def _gone(self, session: AsyncSession, entra_ids: Sequence[str]) -> None:
        """Told the first time; at the second one Lucy knows of no account any more."""
        now = datetime.now(UTC)
        accounts = await drifts.accounts_of(session, entra_ids)
        since = await drifts.missing(session)
        twice = [key for key in accounts if key in since and since[key] <= now - SECOND_LOOK]
        found = [Found(key, Drift.MISSING, row.student_id) for key, row in accounts.items() if key not in twice]
        await drifts.replace(session, entra_ids, found, now=now)
        students = [accounts[key].student_id for key in twice]
        await accounts_db.forget_accounts(session, students)
        events = [AuditEvent(LUCY, "account.gone", "done", student=student) for student in students]
        await audit.record(session, events, now=now)
