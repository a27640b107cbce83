"""The login authority and Graph simulator on a socket of its own."""

import ssl
from collections.abc import AsyncIterator

import httpx
import pytest

from sandbox.control import serve
from sandbox.graph import GraphState, ServerCertificate, build_app, ensure_certificate
from tests.integration.sandbox.graph.calls import CLIENT, DOMAIN, SECRET, TENANT, Clock, Graph, token_answer


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> ServerCertificate:
    return ensure_certificate(tmp_path_factory.mktemp("tls"))


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def state(clock: Clock) -> GraphState:
    return GraphState(TENANT, CLIENT, SECRET, DOMAIN, clock=clock)


@pytest.fixture
async def origin(state: GraphState, certificate: ServerCertificate) -> AsyncIterator[str]:
    runner, port = await serve(build_app(state), port=0, ssl_context=certificate.server_context())
    yield f"https://localhost:{port}"
    await runner.cleanup()


@pytest.fixture
async def http(origin: str, certificate: ServerCertificate) -> AsyncIterator[httpx.AsyncClient]:
    context = ssl.create_default_context(cafile=certificate.ca_file)
    async with httpx.AsyncClient(base_url=origin, verify=context, timeout=5, trust_env=False) as client:
        yield client


@pytest.fixture
async def graph(http: httpx.AsyncClient) -> Graph:
    token = (await token_answer(http)).json()["access_token"]
    http.headers["Authorization"] = f"Bearer {token}"
    return Graph(http)
