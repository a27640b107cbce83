"""A tenant to hold the connector against: the simulator, or a real one."""

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import httpx

from connectors.graph import GraphDirectory, MsalTokens
from lucy.domain.students import Upn
from lucy.ports import DirectoryUser, NewAccount
from sandbox.graph import GraphState
from tests.integration.connectors.counting import CountingLimiter

PUBLIC = "https://graph.microsoft.com/v1.0"
LOGIN = "https://login.microsoftonline.com"
WAITS_S = (0.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0)  # replication: contracts/graph.md, section 10

T = TypeVar("T")


@dataclass
class Tenant:
    """`state` is the simulator's own, None for a real tenant."""

    directory: GraphDirectory
    tokens: MsalTokens
    domain: str
    url: str
    login: str
    tenant: str
    client: str
    secret: str = field(repr=False)
    ca_file: Path | None = None
    state: GraphState | None = None
    run: str = field(default_factory=lambda: secrets.token_hex(3))
    _made: list[str] = field(default_factory=list)

    @classmethod
    def of(
        cls,
        values: Mapping[str, str],
        http: httpx.AsyncClient,
        *,
        ca_file: Path | None,
        state: GraphState | None = None,
    ) -> "Tenant":
        url, login = values.get("url", PUBLIC), values.get("login", LOGIN)
        tokens = MsalTokens(login, values["tenant"], values["client"], values["secret"], ca_file, graph_url=url)
        directory = GraphDirectory(base_url=url, tokens=tokens, http=http, limiter=CountingLimiter())
        return cls(
            directory,
            tokens,
            values["domain"],
            url,
            login,
            values["tenant"],
            values["client"],
            values["secret"],
            ca_file,
            state,
        )

    def account(self, number: int) -> NewAccount:
        name = f"test-{self.run}-{number}"
        return NewAccount(
            key=str(number),
            upn=Upn(f"{name}@{self.domain}"),
            mail_nickname=name,
            first_name="Ñusta",
            last_name="O'Higgins Suárez",
            employee_id=f"T{self.run}{number}",
            password=secrets.token_urlsafe(18) + "aA1-",
        )

    async def users(self, first: int, count: int = 1) -> list[DirectoryUser]:
        made = await self.directory.create_users([self.account(number) for number in range(first, first + count)])
        found = [one for one in made.values() if isinstance(one, DirectoryUser)]
        self._made += [one.id for one in found]
        assert len(found) == count, {key: str(one) for key, one in made.items()}
        return found

    async def until(self, ask: Callable[[], Awaitable[T]], good: Callable[[T], bool]) -> T:
        """Ask until the replicas agree, as a step of a batch would."""
        for wait in WAITS_S:
            await asyncio.sleep(wait)
            answer = await ask()
            if good(answer):
                return answer
        return answer

    async def tidy(self) -> None:
        await self.directory.delete_users({one: one for one in self._made})
        self.tokens.close()
