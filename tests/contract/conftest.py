"""The services of the contract tests: simulators over real sockets, or what the environment names."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from connectors.http import build_http_client
from connectors.moodle import MoodleSite
from sandbox.control import serve
from sandbox.graph import GraphState, ServerCertificate, ensure_certificate
from sandbox.graph import build_app as build_graph
from sandbox.moodle import MoodleState
from sandbox.moodle import build_app as build_moodle
from tests.contract.graph_service import Tenant
from tests.contract.moodle_service import Campus
from tests.contract.services import named
from tests.integration.connectors.counting import CountingLimiter


@pytest.fixture
async def campus() -> AsyncIterator[Campus]:
    real = named("MOODLE", "url", "token")
    if real is not None:
        async with build_http_client(timeout_s=60) as http:
            site = MoodleSite(base_url=real["url"], token=real["token"], http=http, limiter=CountingLimiter())
            role = int(real.get("role", "5"))
            campus = Campus(site, real["url"], real["token"], http, role=role, real=True)
            courses = [one.strip() for one in real.get("courses", "").split(",") if one.strip()]
            await campus.prepare(courses)
            yield campus
            await campus.tidy()
        return
    state = MoodleState("a-token")
    runner, port = await serve(build_moodle(state), port=0)
    async with build_http_client() as http:
        url = f"http://127.0.0.1:{port}"
        site = MoodleSite(base_url=url, token=state.token, http=http, limiter=CountingLimiter())
        campus = Campus(site, url, state.token, http, role=5, real=False)
        await campus.prepare(["CONT-1", "ADM-1"])
        yield campus
        await campus.tidy()
        assert not [one for one in state.store.users.values() if one.username.startswith("test-") and not one.deleted]
    await runner.cleanup()


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> ServerCertificate:
    return ensure_certificate(tmp_path_factory.mktemp("graph"))


@pytest.fixture
async def tenant(certificate: ServerCertificate) -> AsyncIterator[Tenant]:
    real = named("GRAPH", "tenant", "client", "secret", "domain")
    if real is not None:
        async with build_http_client() as http:
            tenant = Tenant.of(real, http, ca_file=None)
            yield tenant
            await tenant.tidy()
        return
    async with simulated_tenant(certificate.ca_file, certificate) as tenant:
        yield tenant
        await tenant.tidy()


def simulated_tenant(ca_file: Path, certificate: ServerCertificate) -> "SimulatedTenant":
    return SimulatedTenant(ca_file, certificate)


class SimulatedTenant:
    """The Graph simulator with its login, for as long as a test runs."""

    def __init__(self, ca_file: Path, certificate: ServerCertificate) -> None:
        self._ca_file, self._certificate = ca_file, certificate

    async def __aenter__(self) -> Tenant:
        values = {"tenant": "7f3c1d9e-tenant", "client": "0c5a-app", "secret": "a~Secret.of-the_app"}
        self.state = GraphState(values["tenant"], values["client"], values["secret"], "eco.example.org")
        context = self._certificate.server_context()
        self._runner, port = await serve(build_graph(self.state), port=0, ssl_context=context)
        self._http = build_http_client(self._ca_file)
        origin = f"https://localhost:{port}"
        values |= {"domain": "eco.example.org", "url": f"{origin}/v1.0", "login": origin}
        return Tenant.of(values, self._http, ca_file=self._ca_file, state=self.state)

    async def __aexit__(self, *_: object) -> None:
        await self._http.aclose()
        await self._runner.cleanup()
