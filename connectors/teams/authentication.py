"""Who the bot is towards Teams; shared by the inbound adapter and the outbound channel.

Always through the SDK's configured authentication: credentials built aside lack the tenant of a single-tenant bot
(contracts/teams-bot.md, section 9). What the SDK makes anew for each turn, with a login request each time, is kept.
"""

import asyncio
import time
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

import requests
from botbuilder.integration.aiohttp import (
    ConfigurationBotFrameworkAuthentication,
    ConfigurationServiceClientCredentialFactory,
)
from botframework.connector.auth import AuthenticationConstants, ConnectorFactory, ServiceClientCredentialsFactory

from connectors.teams import signing_keys
from connectors.teams.failures import token_error
from lucy.errors import ConfigurationError

WARM_S = 60.0  # MSAL renews five minutes before the end: until then a token asked for within this time is not renewed
TIMEOUTS_S = (4.0, 15.0)  # to connect, to answer
MOST_CLIENTS = 16
SCOPE = str(AuthenticationConstants.TO_CHANNEL_FROM_BOT_OAUTH_SCOPE)
LOGIN_URL = str(AuthenticationConstants.TO_CHANNEL_FROM_BOT_LOGIN_URL_PREFIX)
_LOCAL_HOSTS = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True, slots=True)
class BotIdentity:
    """The Entra app of the bot. Without `app_id` nothing is authenticated, in or out: the sandbox only."""

    app_id: str = ""
    app_password: str = field(default="", repr=False)
    tenant_id: str = ""

    def configuration(self) -> SimpleNamespace:
        """Under the names the SDK reads. An absent type would silently be multi-tenant."""
        if not self.app_id:
            return SimpleNamespace(APP_ID="", APP_PASSWORD="", APP_TYPE="MultiTenant")
        if not (self.app_password and self.tenant_id):
            raise ConfigurationError(
                "LUCY_BOT_APP_ID needs LUCY_BOT_APP_PASSWORD and LUCY_TENANT_ID: the bot's app is of a single tenant."
            )
        return SimpleNamespace(
            APP_ID=self.app_id,
            APP_PASSWORD=self.app_password,
            APP_TENANTID=self.tenant_id,
            APP_TYPE="SingleTenant",
        )


class TeamsAuthentication(ConfigurationBotFrameworkAuthentication):  # type: ignore[misc]
    """The SDK's authentication with kept credentials, kept connections and no retries of its own.

    One per process and loop; `aclose()` at the end. Raises ConfigurationError.
    """

    def __init__(self, identity: BotIdentity) -> None:
        configuration = identity.configuration()
        self._credentials = _KeptCredentials(ConfigurationServiceClientCredentialFactory(configuration))
        super().__init__(configuration, credentials_factory=self._credentials)
        self._connectors = _KeptConnectors()
        self.identity = identity
        signing_keys.install(signing_keys.SigningKeys())

    async def authenticate_request(self, activity: Any, auth_header: str) -> Any:
        result = await super().authenticate_request(activity, auth_header)
        result.connector_factory = self._connectors.through(result.connector_factory)
        return result

    def create_connector_factory(self, claims_identity: Any) -> Any:
        return self._connectors.through(super().create_connector_factory(claims_identity))

    async def create_user_token_client(self, claims_identity: Any) -> Any:
        """For signing people in, which this bot never does; the SDK would open a session for it in each turn."""
        return None

    async def warm(self, operation: str) -> None:
        """Have a token at hand, so that sending does not stop the loop to fetch one. Raises RemoteError."""
        if self.identity.app_id:
            await self._credentials.warm(self.identity.app_id, operation)

    async def aclose(self) -> None:
        await self._connectors.aclose()


class _KeptCredentials(ServiceClientCredentialsFactory):  # type: ignore[misc]
    """One credentials object per scope: MSAL keeps its tokens in it."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner
        self._kept: dict[tuple[str, str], Any] = {}
        self._warm_until = 0.0
        self._one_at_a_time = asyncio.Lock()

    async def is_valid_app_id(self, app_id: str) -> bool:
        return bool(await self._inner.is_valid_app_id(app_id))

    async def is_authentication_disabled(self) -> bool:
        return bool(await self._inner.is_authentication_disabled())

    async def create_credentials(
        self, app_id: str, oauth_scope: str, login_endpoint: str, validate_authority: bool
    ) -> Any:
        key = (app_id, oauth_scope)
        if key not in self._kept:
            self._kept[key] = await self._inner.create_credentials(
                app_id, oauth_scope, login_endpoint, validate_authority
            )
        return self._kept[key]

    async def warm(self, app_id: str, operation: str) -> None:
        """The token for the connector service, asked for in a thread."""
        async with self._one_at_a_time:
            if time.monotonic() < self._warm_until:
                return
            credentials = await self.create_credentials(app_id, SCOPE, LOGIN_URL, True)
            try:
                await asyncio.to_thread(credentials.get_access_token)
            except (PermissionError, ValueError, requests.RequestException) as error:
                raise token_error(error, operation) from error
            self._warm_until = time.monotonic() + WARM_S


class _KeptConnectors:
    """One client, with its connections, per service URL. Service URLs are few; the oldest gives way."""

    def __init__(self) -> None:
        self._clients: dict[tuple[str, str], Any] = {}

    def through(self, factory: Any) -> "_KeptConnectorFactory":
        return _KeptConnectorFactory(self, factory)

    async def client(self, factory: Any, service_url: str, audience: str | None) -> Any:
        key = (service_url, audience or "")
        if key not in self._clients:
            client = await factory.create(service_url, audience)
            _tune(client.config, service_url)
            while len(self._clients) >= MOST_CLIENTS:
                await self._close(self._clients.pop(next(iter(self._clients))))
            self._clients[key] = client
        return self._clients[key]

    async def aclose(self) -> None:
        while self._clients:
            await self._close(self._clients.popitem()[1])

    async def _close(self, client: Any) -> None:
        await client.__aexit__(None, None, None)


class _KeptConnectorFactory(ConnectorFactory):  # type: ignore[misc]
    def __init__(self, connectors: _KeptConnectors, factory: Any) -> None:
        self._connectors = connectors
        self._factory = factory

    async def create(self, service_url: str, audience: str | None = None) -> Any:
        return await self._connectors.client(self._factory, service_url, audience)


def _tune(config: Any, service_url: str) -> None:
    """No retries inside: callers decide by the kind of error, and Retry-After is for every worker at once."""
    config.retry_policy.retries = 0
    config.retry_policy.policy.status_forcelist = frozenset()
    config.connection.timeout = TIMEOUTS_S
    config.redirect_policy.allow = False
    if urlsplit(service_url).hostname in _LOCAL_HOSTS:
        config.proxies.use_env_settings = False
