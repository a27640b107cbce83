"""The keys with which the Bot Framework signs what it sends to the bot.

The SDK's own store downloads them inside the event loop, without a timeout, and after a roll-over fails with IndexError
for up to a day (contracts/teams-bot.md, section 9). This one is put in its place: it downloads in a thread and asks
again for a key that it does not know, but no more often than `ASK_AGAIN_S`, whoever sends forged tokens.
"""

import asyncio
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import requests
from botframework.connector.auth import AuthenticationConstants
from botframework.connector.auth.jwt_token_extractor import JwtTokenExtractor
from jwt.algorithms import RSAAlgorithm
from jwt.exceptions import InvalidKeyError

KEPT_S = 24 * 3600.0
ASK_AGAIN_S = 300.0
TIMEOUT_S = 8.0
METADATA_URL = str(AuthenticationConstants.TO_BOT_FROM_CHANNEL_OPENID_METADATA_URL)


class KeysUnavailableError(Exception):
    """The keys cannot be downloaded now: nobody can be authenticated, and nobody is refused for it."""


@dataclass(frozen=True, slots=True)
class SigningKey:
    """Named as the SDK reads them. `endorsements` are the channels that may use the key."""

    public_key: Any
    endorsements: tuple[str, ...]


class SigningKeys:
    """Kept for a day. `now` is a monotonic clock in seconds."""

    def __init__(self, url: str = METADATA_URL, *, now: Callable[[], float] = time.monotonic) -> None:
        self._url = url
        self._now = now
        self._keys: dict[str, SigningKey] = {}
        self._downloaded_at: float | None = None
        self._tried_at: float | None = None
        self._one_at_a_time = asyncio.Lock()

    async def get(self, key_id: object) -> SigningKey:
        """The key of a token. Raises PermissionError for an unknown one, KeysUnavailableError."""
        wanted = str(key_id)
        if self._should_ask(wanted):
            async with self._one_at_a_time:
                if self._should_ask(wanted):
                    await self._download()
        if wanted not in self._keys:
            raise PermissionError("Unauthorized. The key of the token is not known.")
        return self._keys[wanted]

    def _should_ask(self, wanted: str) -> bool:
        if not self._keys or self._downloaded_at is None or self._tried_at is None:
            return True
        outdated = wanted not in self._keys or self._now() - self._downloaded_at >= KEPT_S
        return outdated and self._now() - self._tried_at >= ASK_AGAIN_S

    async def _download(self) -> None:
        """Old keys serve on while the new ones cannot be had."""
        self._tried_at = self._now()
        try:
            self._keys = await asyncio.to_thread(_fetch, self._url)
            self._downloaded_at = self._now()
        except (requests.RequestException, ValueError, KeyError, TypeError, AttributeError, InvalidKeyError) as error:
            if not self._keys:
                raise KeysUnavailableError(type(error).__name__) from error


def install(keys: SigningKeys, url: str = METADATA_URL) -> None:
    """Put the store where the SDK looks for its own."""
    JwtTokenExtractor.metadataCache[url] = keys


def _fetch(url: str) -> dict[str, SigningKey]:
    keys = _get_json(_get_json(url)["jwks_uri"])["keys"]
    return {
        str(key["kid"]): SigningKey(RSAAlgorithm.from_jwk(json.dumps(key)), tuple(key.get("endorsements", ())))
        for key in keys
        if key.get("kty") == "RSA"
    }


def _get_json(url: str) -> Any:
    response = requests.get(url, timeout=TIMEOUT_S)
    response.raise_for_status()
    return response.json()
