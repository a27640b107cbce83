"""The migrated schema is the declared one, and the audit trail defends itself."""

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from lucy.db.engine import Database
from lucy.db.tables import Base
from migrations.runner import is_current, migrate


async def test_migrated_schema_equals_the_declared_one(db: Database) -> None:
    def differences(connection: Connection) -> object:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        return compare_metadata(context, Base.metadata)

    async with db.engine.connect() as connection:
        assert await connection.run_sync(differences) == []


async def test_a_difference_would_be_seen(db: Database) -> None:
    async with db.engine.begin() as connection:
        await connection.execute(text("alter table batch add column stray int"))
        found = await connection.run_sync(
            lambda sync: compare_metadata(MigrationContext.configure(sync), Base.metadata)
        )
    assert found


async def test_migrating_again_changes_nothing(db: Database) -> None:
    assert await is_current(db.engine)
    await migrate(db.engine)
    assert await is_current(db.engine)


@pytest.mark.parametrize(
    "statement",
    [
        "update audit_event set outcome = 'x'",
        "delete from audit_event",
        "truncate audit_event",
        "delete from audit_seal",
    ],
)
async def test_the_audit_trail_refuses_changes(db: Database, statement: str) -> None:
    async with db.engine.begin() as connection:
        await connection.execute(
            text(
                "insert into audit_event (at, actor_id, actor_name, action, outcome) values (now(), 'a', 'a', 'x', 'y')"
            )
        )
        await connection.execute(
            text(
                "insert into audit_seal (first_event, last_event, events, previous_hash, hash, sealed_at)"
                " values (1, 1, 1, '0', '1', now())"
            )
        )
    with pytest.raises(DBAPIError, match="append-only"):
        async with db.engine.begin() as connection:
            await connection.execute(text(statement))
