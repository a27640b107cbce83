"""The simulators after a batch, read over their control API and held against what each student must have."""

import re
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import httpx

from sandbox.together import Addresses
from tests.integration.support.people import Known

PASSWORD = re.compile(r"Contraseña provisoria:\s+(\S+)")
MOODLE_STAFF = {"admin", "lucy-ws"}
STUDENT_ROLE = 5


@dataclass(frozen=True)
class Having:
    """What one student must have outside, and nothing else."""

    known: Known
    account: bool
    licence: bool
    letter: bool
    moodle: bool
    courses: frozenset[str]


@dataclass
class Outside:
    """One look at all simulators."""

    graph: dict[str, Any]
    creations: list[dict[str, Any]]
    letters: list[dict[str, Any]]
    moodle: dict[str, Any]
    http: httpx.AsyncClient
    root: str

    @classmethod
    async def look(cls, addresses: Addresses, http: httpx.AsyncClient) -> "Outside":
        root = addresses.login_url

        async def get(url: str, **query: str) -> Any:
            return (await http.get(url, params=query)).raise_for_status().json()

        return cls(
            await get(f"{root}/_control/state"),
            await get(f"{root}/_control/calls", match="POST /users"),
            await get(f"{addresses.inbox_url}/_control/inbox/messages", full="1"),
            await get(f"{addresses.moodle_url}/_control/state"),
            http,
            root,
        )

    @property
    def entra_ids(self) -> dict[str, str]:
        return {user["userPrincipalName"]: user["id"] for user in self.graph["users"]}

    @property
    def moodle_ids(self) -> dict[str, int]:
        return {user["username"]: user["id"] for user in self.moodle["users"] if not user["deleted"]}

    def accounts(self, having: Collection[Having]) -> None:
        """One account each, made once and as asked, with the one licence; no other account, no other seat."""
        wanted = {one.known.upn: one for one in having if one.account}
        users: Counter[str] = Counter(user["userPrincipalName"] for user in self.graph["users"])
        assert users == dict.fromkeys(wanted, 1)
        assert self.graph["deletedUsers"] == []
        sku = self.graph["sku"]["skuId"]
        for user in self.graph["users"]:
            one = wanted[user["userPrincipalName"]]
            assert user["employeeId"] == one.known.document
            assert user["accountEnabled"] is True
            assert user["usageLocation"] == "AR"
            assert [given["skuId"] for given in user["assignedLicenses"]] == ([sku] if one.licence else [])
        assert self.graph["consumedUnits"] == sum(one.licence for one in having)
        made = Counter(call["upn"] for call in self.creations if call.get("status") == 201)
        assert made == dict.fromkeys(wanted, 1)

    async def mailed(self, having: Collection[Having]) -> list[str]:
        """One letter each, to nobody else, with the password that opens the account; returns who got theirs twice.

        Letters that came again are the same letter: Message-ID, subject and password agree.
        """
        by_address: dict[str, list[dict[str, Any]]] = {}
        for letter in self.letters:
            (address,) = letter["recipients"]
            by_address.setdefault(address, []).append(letter)
        wanted = {one.known.email: one for one in having if one.letter}
        assert set(by_address) == set(wanted)
        ids = {address: {letter["message_id"] for letter in came} for address, came in by_address.items()}
        assert all(len(found) == 1 and "" not in found for found in ids.values()), "a copy has another Message-ID"
        assert len(set.union(set(), *ids.values())) == len(wanted), "two people's letters share a Message-ID"
        for address, came in by_address.items():
            assert len({(one["subject"], one["text"]) for one in came}) == 1, address
            await self._opens(wanted[address], came[0]["text"])
        return sorted(address for address, came in by_address.items() if len(came) > 1)

    def copies(self) -> Counter[str]:
        """How often each Message-ID was accepted."""
        return Counter(letter["message_id"] for letter in self.letters)

    async def _opens(self, one: Having, text: str) -> None:
        assert one.known.upn in text
        found = PASSWORD.search(text)
        assert found is not None
        sent = {"upn": one.known.upn, "password": found[1]}
        answer = (await self.http.post(f"{self.root}/_control/graph/sign-in", json=sent)).json()
        assert answer == {"ok": True, "must_change": True}, f"the letter does not open {one.known.upn}"

    def campus(self, having: Collection[Having], *, others: Collection[str] = ()) -> None:
        """One Moodle user each, in exactly their courses as students. `others`: usernames that the test put there."""
        wanted = {one.known.upn: one for one in having if one.moodle}
        live = [user for user in self.moodle["users"] if not user["deleted"]]
        names: Counter[str] = Counter(user["username"] for user in live)
        assert names == dict.fromkeys({*wanted, *others, *MOODLE_STAFF}, 1)
        ours = {user["id"]: user for user in live if user["username"] in wanted}
        for user in ours.values():
            one = wanted[user["username"]]
            assert (user["idnumber"], user["email"]) == (one.known.document, one.known.upn)
            assert (user["auth"], user["suspended"]) == ("oidc", False)
        courses = {course["id"]: course["shortname"] for course in self.moodle["courses"]}
        enrolled = Counter(
            (ours[one["user_id"]]["username"], courses[one["course_id"]], tuple(one["role_ids"]), one["suspended"])
            for one in self.moodle["enrolments"]
            if one["user_id"] in ours
        )
        assert enrolled == {
            (upn, course, (STUDENT_ROLE,), False): 1 for upn, one in wanted.items() for course in one.courses
        }
        strangers = [one for one in self.moodle["enrolments"] if one["user_id"] not in ours]
        assert not strangers or others, "somebody was enrolled who was not asked for"
