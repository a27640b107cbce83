"""The main job as production runs it: every part a process of its own, two faults on the way, nothing left behind."""

import io
import json
import os
import re
import ssl
from pathlib import Path

import httpx
import pytest
from rich.console import Console
from sqlalchemy import text

from cli.demo.expected import wanted_aspirantes
from cli.demo.run import SETTINGS
from cli.demo.story import Story
from cli.demo.verify import verify
from cli.stage import Stage, staged
from lucy.db import audit
from sandbox.together import Population
from tests.integration.support.leaks import leaks, of_people, passwords_in, redis_contents

# 22 aspirantes can be activated: two handfuls, so that one worker can die with the other at work.
# Folders outside ours, that servers borrow where their user may not enter it.
BORROWED = re.compile(r"(/\S*?/lucy-pg-[^/\s]+)")
POPULATION = Population(preinscriptos=8, aspirantes=28, ingresantes=4)


async def test_forty_students_from_the_source_to_the_result(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LUCY_DATABASE_URL", "LUCY_REDIS_URL"):
        monkeypatch.delenv(name, raising=False)
    before = children()
    folder, cards, told = tmp_path / "stage", tmp_path / "cards", io.StringIO()
    cards.mkdir()
    data = POPULATION.people()
    wanted = wanted_aspirantes(data)
    assert len(wanted) > 20
    async with staged(folder, POPULATION, settings=SETTINGS, durable=False) as stage:
        started = children() - before
        borrowed = {Path(found) for pid in started for found in BORROWED.findall(_command(pid))}
        assert len(started) >= 7, "database, queue, simulators, bot, two workers, scheduler"
        trust = ssl.create_default_context(cafile=stage.addresses.ca_file)
        async with httpx.AsyncClient(verify=trust, trust_env=False, timeout=30) as http:
            console = Console(file=told, soft_wrap=True, highlight=False)
            await Story(stage, http, console, cards, wanted).play()
            held = len({one.document for one in data.unusable("aspirantes")})
            verdict = await verify(stage.addresses, http, wanted, held=held)
            channel = await said_in_the_channel(stage, http)
            letters = (
                await http.get(f"{stage.addresses.inbox_url}/_control/inbox/messages", params={"full": "1"})
            ).json()
        await the_chain_holds(stage)
        queue, tables = redis_contents(stage.env["LUCY_REDIS_URL"]), await what_is_kept(stage)
    assert verdict.wrong == []
    assert verdict.well
    the_faults_were_survived(told.getvalue())
    nothing_is_left(before, borrowed, folder)

    logs = {log.name: log.read_text() for log in (folder / "logs").glob("*.log") if log.stem != "sandbox"}
    assert {"bot.log", "worker-1.log", "worker-2.log", "scheduler.log"} <= set(logs)
    assert not any("Traceback" in log for log in logs.values())
    secrets = dict.fromkeys(passwords_in(letter["text"] for letter in letters), "a mailed password") | {
        stage.addresses.graph_client_secret: "the client secret",
        stage.addresses.moodle_token: "the token of Moodle",
        stage.addresses.sial_password: "the password of SIAL",
        stage.env["LUCY_SECRET_KEYS"]: "the key of the seals",
        **of_people(wanted, [one.email for one in wanted.values()]),
    }
    assert leaks(secrets, {**logs, "channel": channel, "redis": queue, **tables}) == []


def children() -> set[int]:
    """Every process below this one, wherever its parent went."""
    parents: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parents[int(entry.name)] = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue
    below = {os.getpid()}
    while more := {pid for pid, parent in parents.items() if parent in below} - below:
        below |= more
    return below - {os.getpid()}


def nothing_is_left(before: set[int], borrowed: set[Path], folder: Path) -> None:
    """No process of the stage runs on, whoever its parent is now; no folder outside the test's own is left."""
    assert children() - before == set()
    others = {int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()} - {os.getpid()}
    assert [pid for pid in others if str(folder) in _command(pid)] == []
    assert [one for one in borrowed if one.exists()] == []
    assert {one.name for one in folder.iterdir()} <= {"logs", "sandbox", "postgres", "valkey"}


def _command(pid: int) -> str:
    """Command line and environment of a process: where it was started for."""
    found = ""
    for name in ("cmdline", "environ"):
        try:
            found += (Path("/proc") / str(pid) / name).read_bytes().decode(errors="replace").replace("\0", " ")
        except OSError:
            continue
    return found


def the_faults_were_survived(story: str) -> None:
    assert "SIGKILL a worker-" in story
    assert "Graph pidió esperar" in story
    assert "volvieron a la cola" in story or "volvió a la cola" in story
    assert "otra persona" in story
    assert "La cadena está entera" in story
    assert "No se creó ningún lote" in story


async def said_in_the_channel(stage: Stage, http: httpx.AsyncClient) -> str:
    """All that the bot posted where everybody reads."""
    answer = await http.get(f"{stage.addresses.teams_url}/_control/transcript", params={"since": 0})
    entries = [one for one in answer.json()["entries"] if one["kind"] != "person"]
    public = [one for one in entries if one["conversation"].startswith("19:")]
    assert len(public) > 8
    assert len(public) < len(entries), "and one answer in private, which may hold more"
    return json.dumps(public, ensure_ascii=False)


async def the_chain_holds(stage: Stage) -> None:
    db = stage.database()
    async with db.transaction() as session:
        state = await audit.verify(session)
    await db.close()
    assert state.broken_at is None
    assert state.events > 100


async def what_is_kept(stage: Stage) -> dict[str, str]:
    """The tables that are shown or exported: they name nobody."""
    db = stage.database()
    found: dict[str, str] = {}
    async with db.transaction() as session:
        for name in ("audit_event", "step", "outbox", "batch"):
            rows = await session.execute(text(f"select row_to_json(t)::text as row from {name} t"))
            found[name] = "\n".join(str(row.row) for row in rows)
    await db.close()
    return found
