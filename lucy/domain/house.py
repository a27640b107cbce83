"""The rules of this installation that flows need: plain values, made once from the settings."""

from dataclasses import dataclass
from zoneinfo import ZoneInfo


@dataclass(frozen=True, slots=True)
class House:
    """Rates are per second. `environment` is what every card says it belongs to; `public_url` may be unknown."""

    environment: str
    zone: ZoneInfo
    admins: frozenset[str]
    account_prefix: str
    account_domain: str
    licence_sku: str
    moodle_auth: str
    moodle_role_id: int
    mail_domain: str
    approval_expires_h: float
    batch_size: int
    lease_s: float
    graph_per_s: float
    mail_per_s: float
    moodle_per_s: float = 30
    in_hand: int = 300  # students that a batch has begun and not finished, at most
    secret_keep_h: float = 72
    ingest_overlap_s: float = 600
    public_url: str = ""
