"""How a letter looks: a picture where there is a browser, a page that opens once everywhere."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from connectors.chromium import Chromium, find_browser
from lucy.db.tables import LetterPageRow, LetterPictureRow
from lucy.domain.letters import LetterName
from lucy.flows.preview_letter import draw_letters
from tests.integration.bot.test_letters import HTML, propose
from tests.integration.support.channel import Talk, talking
from tests.integration.support.office import Office
from tests.integration.support.people import students
from tests.integration.support.works import Works

PNG = b"\x89PNG\r\n\x1a\n" + b"drawn"
# A browser of the tests: it writes the picture that it is asked for, and keeps its command and its page.
DRAWS = """#!/bin/sh
for one; do case "$one" in --screenshot=*) out="${one#--screenshot=}";; file://*) page="${one#file://}";; esac; done
printf '%s\\n' "$@" > "$(dirname "$0")/asked"; env > "$(dirname "$0")/env"; cat "$page" >> "$(dirname "$0")/pages"
printf '\\211PNG\\r\\n\\032\\ndrawn' > "$out"
"""


@pytest.fixture
async def talk(database_url: str) -> AsyncIterator[Talk]:
    async with talking(database_url) as opened:
        yield opened


@pytest.fixture
def office(talk: Talk, works: Works) -> Office:
    return Office(talk, works)


def browser(folder: Path, script: str = DRAWS) -> str:
    path = folder / "browser"
    path.write_text(script)
    path.chmod(0o755)
    return str(path)


async def draw(office: Office, folder: Path) -> int:
    house = office.talk.settings.house()
    return await draw_letters(office.talk.db, Chromium(browser(folder)), house=house)


def picture_in(card: Any) -> str:
    """The address of the picture that a card shows; empty where it shows text."""
    found = [one for block in card["body"] for one in block.get("items", []) if one.get("type") == "Image"]
    return str(found[0]["url"]) if found else ""


async def fetch(talk: Talk, url: str, method: str = "GET") -> Any:
    return await talk.http.request(method, url[url.index("/cartas/") :])


async def test_without_a_browser_the_text_is_shown_and_a_page_opens_once(office: Office) -> None:
    (known,) = await students(office.talk.db)
    talk = office.talk
    shown = await talk.says(talk.dario, "plantillas credenciales")
    assert picture_in(shown.card) == ""
    assert "Contraseña provisoria" in shown.text
    offered = await office.presses(talk.dario, shown.card, "Verla como página")
    (url,) = [one["url"] for one in offered.card["actions"]]
    assert (await fetch(talk, url, "HEAD")).status_code == 200, "a scanner that looks does not use it up"
    page = await fetch(talk, url)
    assert page.status_code == 200
    assert "●●●●●●●●" in page.text
    for personal in (known.document, known.email):
        assert personal not in page.text
    assert "script" not in page.headers["content-security-policy"]
    again = await fetch(talk, url)
    assert again.status_code == 410
    assert "ya no sirve" in again.text
    for wrong in ("/cartas/x", "/cartas/" + "a" * 43, "/cartas/imagen/" + "a" * 43):
        assert (await fetch(talk, wrong)).status_code in (404, 410)


async def test_a_page_is_not_there_for_long(office: Office) -> None:
    talk = office.talk
    shown = await talk.says(talk.dario, "plantillas bienvenida")
    offered = await office.presses(talk.dario, shown.card, "Verla como página")
    talk.clock[0] += timedelta(minutes=16)
    assert (await fetch(talk, offered.card["actions"][0]["url"])).status_code == 410


async def test_what_goes_out_and_what_waits_is_drawn_once_and_shown(office: Office, tmp_path: Path) -> None:
    (known,) = await students(office.talk.db)
    await propose(office)
    assert await draw(office, tmp_path) == len(LetterName) + 1
    assert await draw(office, tmp_path) == 0
    drawn = (tmp_path / "pages").read_text()
    assert "Buen día, A●●●" in drawn, "the one that waits"
    assert known.document not in drawn
    shown = await office.talk.says(office.talk.bruno, "plantillas credenciales")
    url = picture_in(shown.card)
    for _ in range(2):  # Teams asks for each reader
        answer = await fetch(office.talk, url)
        assert (answer.status_code, answer.content, answer.headers["content-type"]) == (200, PNG, "image/png")
    async with office.talk.db.transaction() as session:
        assert len((await session.scalars(select(LetterPictureRow))).all()) == len(LetterName) + 1
        assert (await session.scalars(select(LetterPageRow))).all() == []


async def test_the_browser_runs_nothing_and_reaches_nobody(office: Office, tmp_path: Path) -> None:
    await draw(office, tmp_path)
    asked = (tmp_path / "asked").read_text()
    assert "default-src 'none'" in (tmp_path / "pages").read_text()
    assert "--host-resolver-rules=MAP * ~NOTFOUND" in asked
    assert "LUCY_" not in (tmp_path / "env").read_text()


async def test_a_picture_of_a_text_that_is_gone_is_forgotten(office: Office, tmp_path: Path) -> None:
    await propose(office)
    await draw(office, tmp_path)
    await propose(office, html=HTML + "<p>Otra</p>")
    await draw(office, tmp_path)
    async with office.talk.db.transaction() as session:
        assert len((await session.scalars(select(LetterPictureRow))).all()) == len(LetterName) + 1


@pytest.mark.parametrize(
    "script",
    ["#!/bin/sh\nexit 3\n", "#!/bin/sh\nexit 0\n", "#!/bin/sh\nsleep 30\n", "not a program"],
    ids=["fails", "leaves-nothing", "hangs", "none"],
)
async def test_a_browser_that_fails_leaves_the_text(tmp_path: Path, script: str) -> None:
    assert await Chromium(browser(tmp_path, script), timeout_s=0.5).picture("<p>hola</p>") is None


def test_which_browser_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert find_browser("/opt/mine") == "/opt/mine"
    assert find_browser("") == ""
    monkeypatch.setenv("PATH", str(tmp_path))
    assert find_browser("auto") == ""
    Path(browser(tmp_path)).rename(tmp_path / "chromium")
    assert find_browser("auto") == str(tmp_path / "chromium")
