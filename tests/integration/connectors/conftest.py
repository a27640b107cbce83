"""The simulators of Graph and Moodle over real sockets, with the connectors to them."""

from collections.abc import AsyncIterator

import httpx
import pytest

from connectors.http import build_http_client
from connectors.moodle import MoodleSite
from sandbox.control import serve
from sandbox.graph import GraphState, ServerCertificate, ensure_certificate
from sandbox.graph import build_app as build_graph
from sandbox.moodle import MoodleState
from sandbox.moodle import build_app as build_moodle
from tests.integration.connectors.campus import TOKEN, Bench
from tests.integration.connectors.counting import CountingLimiter
from tests.integration.connectors.tenants import APP, DOMAIN, SECRET, TENANT, Tenant


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> ServerCertificate:
    return ensure_certificate(tmp_path_factory.mktemp("graph"))


@pytest.fixture
async def tenant(certificate: ServerCertificate) -> AsyncIterator[Tenant]:
    state = GraphState(TENANT, APP, SECRET, DOMAIN)
    runner, port = await serve(build_graph(state), port=0, ssl_context=certificate.server_context())
    async with build_http_client(certificate.ca_file) as http:
        tenant = Tenant(state, port, certificate.ca_file, http)
        yield tenant
        tenant.tokens.close()
    await runner.cleanup()


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    state = MoodleState(TOKEN)
    runner, port = await serve(build_moodle(state), port=0)
    limiter = CountingLimiter()
    async with httpx.AsyncClient(trust_env=False) as http:
        address = f"http://127.0.0.1:{port}"
        site = MoodleSite(base_url=address, token=TOKEN, http=http, limiter=limiter)
        impatient = MoodleSite(base_url=address, token=TOKEN, http=http, limiter=limiter, timeout_s=0.2)
        yield Bench(state, site, limiter, impatient)
    await runner.cleanup()
