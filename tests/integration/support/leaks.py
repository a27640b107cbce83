"""What must never be seen where it does not belong, and a search for it."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

import redis

PASSWORD = re.compile(r"Contraseña provisoria:\s+(\S+)")


def passwords_in(letters: Iterable[str]) -> list[str]:
    """The temporary passwords that were mailed."""
    found = [match[1] for text in letters if (match := PASSWORD.search(text))]
    assert found, "no letter holds a password: nothing would be searched for"
    return found


def of_people(documents: Iterable[str], emails: Iterable[str]) -> dict[str, str]:
    """What names a student: the number as it is stored and as it is written, the addresses."""
    found: dict[str, str] = {}
    for document in documents:
        found[document] = f"document {document}"
        found[f"{document[:-6]}.{document[-6:-3]}.{document[-3:]}"] = f"document {document} with points"
    return found | {email: f"address {email}" for email in emails}


def leaks(secrets: Mapping[str, str], places: Mapping[str, str]) -> list[str]:
    """Where which secret stands; `secrets` is secret → what it is, `places` is place → text."""
    assert all(len(secret) >= 7 for secret in secrets), "too short to be searched for"
    return [
        f"{what} in {place}: …{text[max(0, text.find(secret) - 60) : text.find(secret) + 20]}…"
        for place, text in places.items()
        for secret, what in secrets.items()
        if secret in text
    ]


def redis_contents(url: str) -> str:
    """Every key with everything in it."""
    client: Any = redis.Redis.from_url(url, decode_responses=True)
    read = {
        "string": client.get,
        "hash": client.hgetall,
        "list": lambda key: client.lrange(key, 0, -1),
        "set": client.smembers,
        "zset": lambda key: client.zrange(key, 0, -1, withscores=True),
    }
    found = [f"{key}: {read[client.type(key)](key)}" for key in client.scan_iter()]
    client.close()
    return "\n".join(found)
