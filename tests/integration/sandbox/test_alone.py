"""`lucy sandbox <one>`: each simulator by itself, the variables that point Lucy at it, and its status page."""

import asyncio
import os
import signal
import sys
from pathlib import Path

import aiohttp
import pytest

from sandbox.alone import NAMES, simulating_one
from sandbox.sial.app import V2_BASE
from sandbox.together import Population, simulators

POPULATION = Population(aspirantes=3)


@pytest.mark.parametrize("name", NAMES)
async def test_each_runs_by_itself_and_shows_a_page(name: str, tmp_path: Path) -> None:
    async with (
        simulating_one(name, simulators(POPULATION), tmp_path) as variables,
        aiohttp.ClientSession() as session,
        session.get(variables["status"], ssl=False) as answer,
    ):
        text = await answer.text()
    assert answer.status == 200
    assert "simulator</h1>" in text
    assert [variable for variable in variables if variable.startswith("LUCY_")]


async def test_the_page_shows_faults_and_calls_and_hides_people(tmp_path: Path) -> None:
    states = simulators(POPULATION)
    number = states.sial.data.lists["aspirantes"][0].document
    person = f"{V2_BASE}/alumnos/datospersonales/{number}"
    async with simulating_one("sial", states, tmp_path) as variables, aiohttp.ClientSession() as session:
        base = variables["LUCY_SIAL_URL"]
        fault = {"match": "datospersonales", "action": "status", "status": 503, "times": 2}
        async with session.post(f"{base}/_control/faults", json=fault) as answer:
            assert answer.status == 200
        login = {
            "Authorization": aiohttp.encode_basic_auth(variables["LUCY_SIAL_USER"], variables["LUCY_SIAL_PASSWORD"])
        }
        async with session.get(f"{base}{person}", headers=login) as answer:
            assert answer.status == 503
        async with session.get(variables["status"]) as answer:
            text = await answer.text()
    assert "Faults in wait (1)" in text
    assert "datospersonales" in text
    assert f"…{str(number)[-3:]}" in text
    assert str(number) not in text


async def test_a_name_that_is_none_says_which_there_are(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="sial, graph, moodle, smtp, teams"):
        async with simulating_one("sail", simulators(POPULATION), tmp_path):
            pass


async def test_the_command_serves_until_it_is_told_to_stop(tmp_path: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "cli", "sandbox", "moodle", "--folder", str(tmp_path)),
        stdout=asyncio.subprocess.PIPE,
        env=os.environ,
    )
    assert process.stdout is not None
    said = [(await asyncio.wait_for(process.stdout.readline(), 60)).decode() for _ in range(3)]
    page = said[-1].rsplit(" ", 1)[-1].strip()
    async with aiohttp.ClientSession() as session, session.get(page) as answer:
        assert answer.status == 200
    process.send_signal(signal.SIGTERM)
    assert await asyncio.wait_for(process.wait(), 30) == 0
    assert said[0].startswith("LUCY_MOODLE_URL=")
