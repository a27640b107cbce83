"""The story: the night's ingest and report, a request, a refused self-approval, an approval, two faults, the result."""

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import httpx
from rich.console import Console
from sqlalchemy import func, select

from cards.as_text import as_text
from cli.demo.conversation import Conversation, DemoFailed, Entry, find_action
from cli.demo.expected import COURSE_RULES, Wanted
from cli.demo.faults import arm_throttling, kill_a_busy_worker
from cli.stage import CHECKOUT, Stage
from lucy.db.engine import Database
from lucy.db.tables import AccountRow, IngestRunRow
from lucy.domain.students import SourceList, format_document_number
from sandbox.teams.people import Scene


class Story:
    """One telling of it. Raises DemoFailed where it does not go as it must."""

    def __init__(
        self, stage: Stage, http: httpx.AsyncClient, console: Console, cards: Path, wanted: dict[str, Wanted]
    ) -> None:
        self._stage, self._http, self._wanted = stage, http, wanted
        self._operator, self._approver = stage.operator, stage.approver
        scene = Scene(stage.directory, stage.directory.team.channels[1], stage.addresses.teams_url)
        self._talk = Conversation(scene, stage.bot_url, stage.addresses.teams_url, http, console, cards)
        self._cards = cards

    async def play(self) -> None:
        db = self._stage.database()
        try:
            await self._prepare()
            await self._night(db)
            card = await self._request()
            code = str(card["summary"]).partition(" ")[0]
            await self._self_approval(card, code)
            await self._approval(card, code, db)
            await self._afterwards(code)
            await self._lucy("check", "--canaries")
        finally:
            await db.close()

    async def _prepare(self) -> None:
        rules = self._cards / "course-rules.json"
        rules.write_text(json.dumps({"course_rules": COURSE_RULES}, ensure_ascii=False))
        await self._lucy("config", "import", str(rules))
        await self._lucy("check")
        await self._talk.install(self._operator)

    async def _night(self, db: Database) -> None:
        self._talk.narrate("02:00, no hay nadie: la agenda lee las tres listas de SIAL.")
        await self._lucy("run-now", "ingesta-nocturna")
        await self._until(lambda: _lists_read(db), "the three lists to be read")
        self._talk.narrate("07:00: el informe de la noche, solo, en el canal.")
        await self._lucy("run-now", "informe")
        await self._talk.wait_for(lambda entry: "Informe de la noche" in entry["summary"], "the nightly report")

    async def _request(self) -> Entry:
        self._talk.narrate(f"08:12: {self._operator.name} pide la activación de los que no tienen cuenta.")
        card = await self._talk.says(self._operator, "activar aspirantes sin:cuenta")
        if card["card"] is None:
            raise DemoFailed(f"instead of a card the bot said: {card['text']}")
        return await self._talk.wait_for(
            lambda entry: entry["activity_id"] == card["activity_id"] and "Previsión" in as_text(entry["card"]),
            "the forecast on the card",
        )

    async def _self_approval(self, card: Entry, code: str) -> None:
        self._talk.narrate(f"{self._operator.name} intenta aprobar su propio pedido: en su vista no está el botón.")
        view = await self._own_view(card)
        if any(action.get("title") == "Aprobar" for action in view.get("actions", [])):
            raise DemoFailed("the requester's view has the approve button")
        refusal = await self._talk.says(self._operator, f"aprobar {code}")
        if "otra persona" not in refusal["text"]:
            raise DemoFailed(f"the self-approval was not refused: {refusal['text']}")

    async def _own_view(self, card: Entry) -> dict[str, Any]:
        """What the requester's client asks for by itself (refresh)."""
        refresh = card["card"]["refresh"]
        if self._operator.id not in refresh["userIds"]:
            raise DemoFailed("the card does not refresh for the requester")
        pressed = {**card, "card": {"actions": [{**refresh["action"], "title": "refresh"}]}}
        body = await self._talk.presses(self._operator, pressed, "refresh")
        value: dict[str, Any] = body["value"]
        return value

    async def _approval(self, card: Entry, code: str, db: Database) -> None:
        await arm_throttling(self._stage, self._http, after=len(self._wanted) // 4)
        self._talk.narrate(f"08:15: {self._approver.name} aprueba. La misma tarjeta empieza a moverse.")
        await self._talk.presses(self._approver, card, "Aprobar")
        find_action(card["card"], "Rechazar")  # it was there to be chosen
        watching = asyncio.ensure_future(self._watch(card))
        try:
            await self._until(lambda: _accounts_made(db, len(self._wanted) // 2), "half of the accounts")
            worker, steps = await kill_a_busy_worker(self._stage, db)
            self._talk.narrate(
                f"SIGKILL a {worker.name} con {steps} cuentas en la mano. El otro sigue; nadie se pierde."
            )
            await asyncio.sleep(3)
            await self._stage.start(worker.name, "worker")
            self._talk.narrate(f"{worker.name} vuelve a arrancar, como lo haría el sistema.")
            result = await watching
        finally:
            watching.cancel()
        if "pendiente" in result["summary"]:
            raise DemoFailed(f"{code} ended with something pending: {result['summary']}")

    async def _watch(self, card: Entry) -> Entry:
        return await self._talk.wait_for(
            lambda entry: entry["activity_id"] == card["activity_id"] and "Terminada" in entry["summary"],
            "the result card",
        )

    async def _afterwards(self, code: str) -> None:
        number = format_document_number(sorted(self._wanted)[0])
        self._talk.narrate("08:40, en el chat personal: ¿qué pasó con un alumno?")
        await self._talk.says(self._operator, f"alumno {number}", personal=True)
        self._talk.narrate("¿Qué cursos le tocan, y por qué? ¿Y está todo en Entra y en Moodle como Lucy lo conoce?")
        await self._talk.says(self._operator, f"reglas probar {number}")
        await self._drawn_again("reglas verificar", "Cursos revisados en Moodle")
        await self._drawn_again("deriva verificar", "Todo está en Entra y en Moodle")
        self._talk.narrate("Un filtro que no le toca a nadie no crea nada.")
        await self._talk.says(self._operator, "activar aspirantes carrera:CP sin:cuenta")
        self._talk.narrate("Y la auditoría, que se puede probar.")
        await self._talk.says(self._approver, f"auditoria {code}")
        await self._talk.says(self._approver, "lotes")

    async def _drawn_again(self, words: str, says: str) -> None:
        """A question that a worker answers on the card, once it has asked outside."""
        card = await self._talk.says(self._operator, words)
        await self._talk.wait_for(
            lambda entry: entry["activity_id"] == card["activity_id"] and says in as_text(entry["card"]),
            f"the answer to «{words}»",
        )

    async def _lucy(self, *arguments: str) -> None:
        """A command of `lucy`, as an administrator would give it in a terminal."""
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "cli",
            *arguments,
            env=self._stage.env,
            cwd=CHECKOUT,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
        )
        _out, problem = await process.communicate()
        if process.returncode != 0:
            raise DemoFailed(f"lucy {' '.join(arguments)} ended with {process.returncode}: {problem.decode()[-800:]}")

    async def _until(self, done: Any, what: str, *, patience_s: float = 60) -> None:
        deadline = asyncio.get_running_loop().time() + patience_s
        while not await done():
            if asyncio.get_running_loop().time() > deadline:
                raise DemoFailed(f"waited {patience_s:g} s for {what}")
            await asyncio.sleep(0.1)


async def _lists_read(db: Database) -> bool:
    async with db.transaction() as session:
        rows = (await session.scalars(select(IngestRunRow).where(IngestRunRow.finished_at.is_not(None)))).all()
    failed = [row.error_code for row in rows if row.error_code]
    if failed:
        raise DemoFailed(f"a list could not be read: {failed}")
    return {row.source_list for row in rows} == set(SourceList)


async def _accounts_made(db: Database, wanted: int) -> bool:
    async with db.transaction() as session:
        return int(await session.scalar(select(func.count()).select_from(AccountRow)) or 0) >= wanted
