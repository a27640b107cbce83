"""A running tenant of the Graph simulator, and a connector to it."""

from pathlib import Path

import httpx

from connectors.graph import GraphDirectory, MsalTokens
from lucy.domain.students import Upn
from lucy.errors import System
from lucy.ports import NewAccount
from sandbox.control import Fault
from sandbox.graph import GraphState

TENANT, APP, SECRET = "7f3c1d9e-tenant", "0c5a-app", "s3cr3t~Value.of-the_app"
DOMAIN = "eco.example.org"
PASSWORD = "Xk7%vRq2#mTz9&Wd"
SKU = "STANDARDWOFFPACK_STUDENT"


class RecordingLimiter:
    """Lets everything through, and remembers."""

    def __init__(self) -> None:
        self.costs: list[int] = []
        self.silences: list[float] = []

    async def acquire(self, system: System, cost: int = 1) -> None:
        assert system is System.GRAPH
        self.costs.append(cost)

    async def hold_back(self, system: System, seconds: float) -> None:
        self.silences.append(seconds)

    async def held_back_for(self, system: System) -> float:
        return 0.0


class Tenant:
    """The running simulator and a connector to it."""

    def __init__(self, state: GraphState, port: int, ca_file: Path, http: httpx.AsyncClient) -> None:
        self.state, self.origin, self.ca_file, self.http = state, f"https://localhost:{port}", ca_file, http
        self.limiter = RecordingLimiter()
        self.tokens = self.sign_in()
        self.directory = self.connect()

    def sign_in(self, *, tenant: str = TENANT, secret: str = SECRET, origin: str = "") -> MsalTokens:
        return MsalTokens(origin or self.origin, tenant, APP, secret, self.ca_file)

    def connect(self, tokens: MsalTokens | None = None, *, timeout_s: float = 20.0) -> GraphDirectory:
        return GraphDirectory(
            base_url=f"{self.origin}/v1.0/",
            tokens=tokens or self.tokens,
            http=self.http,
            limiter=self.limiter,
            timeout_s=timeout_s,
        )

    def fault(self, match: str, action: str, **more: object) -> None:
        self.state.control.add_fault(Fault(match, action, **{"times": 1, **more}))  # type: ignore[arg-type]

    def calls(self, match: str) -> int:
        return len(self.state.control.calls(match))


def account(number: int, **changes: str) -> NewAccount:
    document = str(40_000_000 + number)
    values = {
        "upn": f"a{document}@{DOMAIN}",
        "first_name": "María",
        "last_name": "Ñáñez",
        "password": PASSWORD,
        **changes,
    }
    return NewAccount(
        key=f"k{number}",
        upn=Upn(values["upn"]),
        mail_nickname=f"a{document}",
        first_name=values["first_name"],
        last_name=values["last_name"],
        employee_id=document,
        password=values["password"],
    )
