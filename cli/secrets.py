"""`lucy secrets rotate`: close what is sealed anew with the newest key, so that the older ones can go."""

import asyncio
from typing import Annotated

import typer
from sqlalchemy import select

from lucy.db.engine import Database
from lucy.db.tables import SealedSecretRow
from lucy.sealing import SealBroken, Sealer
from lucy.settings import Settings

secrets_app = typer.Typer(no_args_is_help=True, help="The keys that seal temporary passwords.")


@secrets_app.command("rotate")
def rotate(dry: Annotated[bool, typer.Option("--dry", help="only look whether every seal opens")] = False) -> None:
    """Put the new key first in LUCY_SECRET_KEYS and restart everything; then this; then take the old keys out."""
    settings = Settings.load()
    sealed, broken = asyncio.run(rotate_all(settings, dry=dry))
    if broken:
        typer.echo(f"{broken} of {sealed + broken} seals open with no key in force: keep the keys they were made with.")
        raise typer.Exit(1)
    typer.echo(f"{sealed} seals {'open' if dry else 'are closed with the newest key; the older keys may go'}.")


async def rotate_all(settings: Settings, *, dry: bool) -> tuple[int, int]:
    """How many were closed anew, and how many open with no key. A worker that reads one meanwhile waits for the row."""
    sealer, db = Sealer(settings.secret_keys.get_secret_value()), Database(settings.database_url)
    sealed = broken = 0
    try:
        async with db.transaction() as session:
            rows = await session.scalars(select(SealedSecretRow).order_by(SealedSecretRow.step_id).with_for_update())
            for row in rows.all():
                try:
                    anew = sealer.rotate(row.ciphertext)
                except SealBroken:
                    broken += 1
                    continue
                sealed += 1
                if not dry:
                    row.ciphertext = anew
    finally:
        await db.close()
    return sealed, broken
