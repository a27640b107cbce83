"""The rules of this installation that flows need: plain values, made once from the settings."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from lucy.domain.moodle_rules import MAIN_SITE, MoodleRules
from lucy.domain.passwords import LENGTH
from lucy.domain.students import is_test_name


@dataclass(frozen=True, slots=True)
class House:
    """Rates are per second. `environment` is what every card says it belongs to; `public_url` may be unknown.

    `moodle_sites` by name; the main one is "". `licence_group`: the Entra group whose members have the licence from it;
    empty: the licence is assigned to each account. `account_groups`: ids of Entra groups that every account joins.
    """

    environment: str
    zone: ZoneInfo
    admins: frozenset[str]
    account_prefix: str
    account_domain: str
    licence_sku: str
    mail_domain: str
    approval_expires_h: float
    batch_size: int
    lease_s: float
    graph_per_s: float
    mail_per_s: float
    moodle_per_s: float = 30
    in_hand: int = 300  # students that a batch has begun and not finished, at most
    secret_keep_h: float = 72
    password_length: int = LENGTH
    ingest_overlap_s: float = 600
    public_url: str = ""
    moodle_sites: Mapping[str, MoodleRules] = field(default_factory=lambda: {MAIN_SITE: MoodleRules()})
    moodle_urls: Mapping[str, str] = field(default_factory=dict)  # by site, for letters
    usage_location: str = "AR"
    mail_fallback: bool = True  # letters to the institutional address where there is no personal one
    reads_returns: bool = False  # the mailbox to which letters come back
    licence_group: str = ""
    account_groups: tuple[str, ...] = ()
    payload_runs_kept: int = 14  # of each list

    @property
    def of_tests(self) -> bool:
        """Whether its accounts are test accounts."""
        return is_test_name(self.account_prefix)

    @property
    def moodle(self) -> MoodleRules:
        """The main site."""
        return self.moodle_sites[MAIN_SITE]
