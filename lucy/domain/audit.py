"""Audit events and the chain that proves them: no other code of ours is needed to verify one."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

GENESIS = "0" * 64


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts: a person by Entra object id, or a process by its name."""

    id: str
    name: str


LUCY = Actor("lucy", "Lucy")


@dataclass(frozen=True, slots=True)
class AuditEvent:
    """Who did what to whom, with what outcome. `detail` never holds a secret, an address or a document number."""

    actor: Actor
    action: str
    outcome: str
    batch: int | None = None
    student: int | None = None
    detail: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SealedEvent:
    """An event as the chain hashes it."""

    id: int
    at: datetime
    actor_id: str
    actor_name: str
    action: str
    batch: int | None
    student: int | None
    outcome: str
    detail: Mapping[str, object]

    def canonical(self) -> bytes:
        """Canonical JSON: keys sorted, no blanks, UTC with microseconds."""
        body = {
            "id": self.id,
            "at": self.at.astimezone(UTC).isoformat(timespec="microseconds"),
            "actor_id": self.actor_id,
            "actor_name": self.actor_name,
            "action": self.action,
            "batch": self.batch,
            "student": self.student,
            "outcome": self.outcome,
            "detail": self.detail,
        }
        return json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def seal(previous: str, events: Iterable[SealedEvent]) -> str:
    """The hash of a link: SHA-256 over the previous link's hash and the events in order of id."""
    digest = hashlib.sha256(previous.encode())
    for event in events:
        digest.update(b"\n")
        digest.update(event.canonical())
    return digest.hexdigest()


def short(hash_: str) -> str:
    """9f3c…b21, as the report shows it."""
    return f"{hash_[:4]}…{hash_[-3:]}" if hash_ else ""
