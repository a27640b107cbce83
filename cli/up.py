"""`lucy up`: the stage of the demo with a chat in the browser, left running until Ctrl-C."""

import asyncio
import shutil
import socket
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import httpx

from cli.demo.expected import COURSE_RULES
from cli.serve import stopped
from cli.stage import CHECKOUT, Stage, staged
from lucy.db import members, rules
from lucy.domain.course_rules import CourseRule
from lucy.domain.roles import Role
from sandbox.chat.app import ChatPlaces, serving_chat
from sandbox.chat.renderer import bring_renderer
from sandbox.teams.directory import Directory, Person, example_directory
from sandbox.teams.people import Scene
from sandbox.together import Population

CHAT_PORT = 8787  # another one where it is taken
POPULATION = Population(preinscriptos=24, aspirantes=84, ingresantes=12)


async def run_up(*, port: int = CHAT_PORT) -> None:
    """Start everything, say where it is, and leave nothing behind at the end. `port` is the chat's; 0: a free one."""
    folder = CHECKOUT / ".run" / f"up-{int(time.time() * 1000)}"
    stop = stopped()
    print("Levantando PostgreSQL, Valkey, los simuladores, el bot, dos workers y el scheduler…", flush=True)
    try:
        async with chatting(folder, POPULATION, port=_free(port)) as (stage, address, official):
            print(f"\nEl chat: {address}\nSos quien elijas arriba: {_who(stage.directory)}.")
            drawn = "el renderer oficial" if official else "la página misma: no hay npm que traiga el oficial"
            print(f"Las tarjetas las dibuja {drawn}.")
            print(f"El bot escucha en {stage.bot_url}/api/messages; con otro cliente: docs/sandbox.md.")
            print("Ctrl-C termina todo.", flush=True)
            await stop.wait()
    finally:
        await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)


@asynccontextmanager
async def chatting(folder: Path, population: Population, *, port: int = 0) -> AsyncIterator[tuple[Stage, str, bool]]:
    """The stage, the address of its chat, and whether Microsoft's renderer draws the cards."""
    async with staged(folder, population, settings=_settings(example_directory())) as stage:
        renderer = await bring_renderer(CHECKOUT / ".cache" / "chat")
        places = ChatPlaces(stage.bot_url, stage.addresses.teams_url, renderer)
        async with serving_chat(stage.directory, places, port=port) as address:
            await _people_come_in(stage)
            yield stage, address, renderer is not None


def _settings(directory: Directory) -> Mapping[str, str]:
    """Carla administers; the others are given their roles."""
    return {"LUCY_ADMINS": directory.people[2].aad_object_id}


def roles(directory: Directory) -> dict[Person, Role | None]:
    """Who may do what in the local chat; the last one may nothing, to see how that is told."""
    given = (Role.OPERADOR, Role.APROBADOR, Role.ADMINISTRADOR, Role.CONSULTA, None)
    return dict(zip(directory.people, given, strict=True))


def _who(directory: Directory) -> str:
    named = ((one.name.split()[0], role.value if role else "sin rol") for one, role in roles(directory).items())
    return ", ".join(f"{name} {role}" for name, role in named)


async def _people_come_in(stage: Stage) -> None:
    """Rules and roles are given, Lucy is added to the team, Ana has a list read: there is something to see."""
    carla, now = stage.directory.people[2], datetime.now(UTC)
    db = stage.database()
    try:
        async with db.transaction() as session:
            await rules.replace_course_rules(session, [_rule(one) for one in COURSE_RULES])
            for person, role in roles(stage.directory).items():
                if role is None:
                    continue
                entra_id = person.aad_object_id
                await members.meet(session, entra_id=entra_id, name=person.name, teams_id=person.id)
                await members.grant(session, entra_id=entra_id, role=role, granted_by=carla.name, now=now)
    finally:
        await db.close()
    scene = Scene(stage.directory, stage.directory.team.channels[1], stage.addresses.teams_url + "/")
    asked = scene.channel_message(stage.directory.people[0], words := "ingesta aspirantes")
    async with httpx.AsyncClient(trust_env=False, timeout=20) as http:
        told = await http.post(f"{stage.addresses.teams_url}/_control/people", json=asked | {"text": words})
        told.raise_for_status()
        for activity in (scene.installation_update(carla), asked):
            (await http.post(f"{stage.bot_url}/api/messages", json=activity)).raise_for_status()


def _rule(one: Mapping[str, object]) -> CourseRule:
    careers, modalities = (frozenset(map(str, list(one[name]))) for name in ("careers", "modalities"))  # type: ignore[call-overload]
    return CourseRule(0, str(one["course"]), careers, modalities)


def _free(port: int) -> int:
    """The port, or 0 where somebody listens there."""
    with socket.socket() as probe:
        taken = port and probe.connect_ex(("127.0.0.1", port)) == 0
    return 0 if taken else port
