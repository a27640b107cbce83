"""`lucy check` over the simulators: all well, and each thing that has to be mended, named with who mends it."""

from io import StringIO
from typing import Any

import pytest
from rich.console import Console

from cli.check import check_all
from tests.integration.conftest import OpenWorks
from tests.integration.support.people import course_rules
from tests.integration.support.works import Works


async def checked(works: Works) -> tuple[bool, str]:
    console = Console(file=StringIO(), width=200)
    well = await check_all(works.settings, console)
    written = console.file
    assert isinstance(written, StringIO)
    return well, written.getvalue()


async def test_all_is_well(works: Works) -> None:
    await course_rules(works.db, "CONT-1")
    well, text = await checked(works)
    assert well, text
    for what in ("PostgreSQL", "Redis", "Graph: permissions", "Graph: licence", "Moodle: service", "SIAL", "Mail"):
        assert f"{what}: ok" in text
    assert "1 courses of the rules can be used" in text
    assert works.states.inbox.messages == []


@pytest.mark.parametrize(
    ("system", "seed", "says"),
    [
        ("graph", {"permissions": ["User.Read.All"]}, ["T-011", "create_users needs User.Create"]),
        ("graph", {"seats": 0}, ["T-005"]),
        ("moodle", {"site": {"functions": ["core_webservice_get_site_info"]}}, ["M-003", "enrol_manual_enrol_users"]),
        ("moodle", {"site": {"maintenance": True}}, ["M-009"]),
    ],
)
async def test_what_has_to_be_mended_is_named(works: Works, system: str, seed: dict[str, Any], says: list[str]) -> None:
    getattr(works.states, system).seed(seed)
    well, text = await checked(works)
    assert not well
    for words in says:
        assert words in text
    assert "Mail: ok" in text, "one system in trouble does not stop the others"


async def test_a_course_that_cannot_be_used_is_named(works: Works) -> None:
    await course_rules(works.db, "CONT-1", "NO-HAY")
    well, text = await checked(works)
    assert not well
    assert "M-005. NO-HAY" in text


async def test_groups_of_the_settings_are_looked_at(open_works: OpenWorks) -> None:
    works = await open_works(account_groups="g-rule,g-class", licence_group="g-none")
    works.states.graph.seed(
        {
            "groups": [
                {"id": "g-rule", "displayName": "Por regla", "dynamic": True},
                {"id": "g-class", "displayName": "Aula", "team": True},
                {"id": "g-none", "displayName": "Sin licencia"},
            ]
        }
    )
    well, text = await checked(works)
    assert not well
    assert "T-021. Por regla" in text
    assert "Aula, a team, takes members" in text
    assert "T-014. Sin licencia does not give" in text


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        ({"match": "MAIL", "action": "reply", "status": 550}, "E-002"),
        ({"match": "CONNECT", "action": "reply", "status": 421}, "E-006"),
    ],
)
async def test_a_mail_server_that_refuses_is_told(works: Works, fault: dict[str, Any], says: str) -> None:
    works.fault("inbox", **fault)
    well, text = await checked(works)
    assert not well
    assert says in text


async def test_no_secret_is_printed(open_works: OpenWorks) -> None:
    works = await open_works(smtp_user="lucy", smtp_password="muy-secreta", smtp_security="none")
    _well, text = await checked(works)
    for secret in ("muy-secreta", works.addresses.moodle_token, works.addresses.graph_client_secret):
        assert secret not in text
