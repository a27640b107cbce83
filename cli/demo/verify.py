"""Ask the simulators what really happened, and hold it against what had to happen, student by student."""

import re
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import httpx

from cli.demo.expected import Wanted
from sandbox.together import Addresses

_PASSWORD = re.compile(r"Contraseña provisoria:\s+(\S+)")
_USER = re.compile(r"Usuario:\s+(\S+)")


@dataclass
class Count:
    """One row of the summary."""

    name: str
    wanted: int
    done: int = 0
    held: int = 0
    failed: int = 0

    @property
    def well(self) -> bool:
        return self.done == self.wanted and not self.failed


@dataclass
class Verdict:
    counts: list[Count]
    wrong: list[str] = field(default_factory=list)

    @property
    def well(self) -> bool:
        return not self.wrong and all(count.well for count in self.counts)


async def verify(addresses: Addresses, http: httpx.AsyncClient, wanted: dict[str, Wanted], *, held: int) -> Verdict:
    """Each account exists once, with its licence; each letter came once and its password opens that account; each
    student is in exactly the right courses. `held` people of the list could not be used at the source."""
    root = addresses.graph_url.removesuffix("/v1.0")
    graph = (await http.get(f"{root}/_control/state")).json()
    moodle = (await http.get(f"{addresses.moodle_url}/_control/state")).json()
    letters = (await http.get(f"{addresses.inbox_url}/_control/inbox/messages", params={"full": "1"})).json()
    verdict = Verdict([])
    verdict.counts.append(_accounts(graph, wanted, verdict.wrong, held))
    verdict.counts.append(_licences(graph, wanted, verdict.wrong, held))
    verdict.counts.append(await _letters(letters, wanted, verdict.wrong, held, http, root))
    verdict.counts += _moodle(moodle, wanted, verdict.wrong, held)
    return verdict


def upn(document: str) -> str:
    return f"a{document}@eco.unrc.edu.ar"


def _accounts(graph: dict[str, Any], wanted: dict[str, Wanted], wrong: list[str], held: int) -> Count:
    names = Counter(user["userPrincipalName"].lower() for user in graph["users"])
    wrong += [f"account {name} exists {times} times" for name, times in names.items() if times > 1]
    extra = set(names) - {upn(document) for document in wanted}
    wrong += [f"account {name} was not asked for" for name in sorted(extra)]
    done = sum(upn(document) in names for document in wanted)
    return Count("Cuentas", len(wanted), done, held, len(wanted) - done)


def _licences(graph: dict[str, Any], wanted: dict[str, Wanted], wrong: list[str], held: int) -> Count:
    licensed = {user["userPrincipalName"].lower() for user in graph["users"] if user["assignedLicenses"]}
    done = sum(upn(document) in licensed for document in wanted)
    return Count("Licencias", len(wanted), done, held, len(wanted) - done)


async def _letters(
    letters: list[dict[str, Any]],
    wanted: dict[str, Wanted],
    wrong: list[str],
    held: int,
    http: httpx.AsyncClient,
    root: str,
) -> Count:
    by_user: dict[str, list[dict[str, Any]]] = {}
    for letter in letters:
        user = _USER.search(letter["text"])
        by_user.setdefault(user[1] if user else "?", []).append(letter)
    count = Count("Cartas", len(wanted), held=held)
    for document, one in wanted.items():
        received = by_user.pop(upn(document), [])
        ids = {letter["message_id"] for letter in received}
        if len(ids) != 1:
            wrong.append(f"{document} got {len(ids)} different letters")
        problem = await _opens(received, one, http, root)
        if problem:
            wrong.append(f"{document}: {problem}")
            count.failed += 1
        else:
            count.done += 1
    wrong += [f"a letter for {name} was not asked for" for name in by_user]
    return count


async def _opens(letters: list[dict[str, Any]], one: Wanted, http: httpx.AsyncClient, root: str) -> str:
    """Whether the letter went to the right person and its password opens the account; empty when it does."""
    if not letters:
        return "no letter"
    letter = letters[-1]
    if letter["recipients"] != [one.email]:
        return "the letter went to another address"
    found = _PASSWORD.search(letter["text"])
    if found is None:
        return "the letter holds no password"
    answer = await http.post(f"{root}/_control/graph/sign-in", json={"upn": upn(one.document), "password": found[1]})
    result = answer.json()
    if not result["ok"]:
        return "the mailed password does not open the account"
    return "" if result["must_change"] else "the password need not be changed"


def _moodle(moodle: dict[str, Any], wanted: dict[str, Wanted], wrong: list[str], held: int) -> list[Count]:
    users = {user["username"]: user for user in moodle["users"] if not user.get("deleted")}
    shortnames = {course["id"]: course["shortname"] for course in moodle["courses"]}
    enrolled: dict[int, list[str]] = {}
    for enrolment in moodle["enrolments"]:
        enrolled.setdefault(enrolment["user_id"], []).append(shortnames[enrolment["course_id"]])
    done_users, done_courses = 0, 0
    for document, one in wanted.items():
        user = users.get(upn(document))
        if user is None or user["idnumber"] != document:
            wrong.append(f"{document} is not in Moodle, or not as himself")
            continue
        done_users += 1
        courses = enrolled.get(user["id"], [])
        if sorted(courses) != sorted(one.courses):
            wrong.append(f"{document} is in {sorted(courses)} instead of {sorted(one.courses)}")
        done_courses += len(set(courses) & one.courses)
    total = sum(len(one.courses) for one in wanted.values())
    return [
        Count("Usuarios de Moodle", len(wanted), done_users, held, len(wanted) - done_users),
        Count("Matriculaciones", total, done_courses, 0, total - done_courses),
    ]
