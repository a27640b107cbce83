"""Settings of the installation: read once from the environment, frozen, passed down; never imported by a rule.

What staff change in the channel lives in the database (`config_entry`); these are the first values and the secrets.
The names are an outside interface (DESIGN.md, section 6).
"""

from enum import StrEnum
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from lucy.domain.house import House
from lucy.domain.moodle_rules import MAIN_SITE, Leaving, MoodleAddress, MoodleRules
from lucy.domain.passwords import LENGTH, LONGEST, SHORTEST
from lucy.domain.students import is_test_name
from lucy.errors import ConfigurationError


class Mode(StrEnum):
    SANDBOX = "sandbox"
    TEST = "test"
    PRODUCTION = "production"


class MailSecurity(StrEnum):
    NONE = "none"
    STARTTLS = "starttls"
    TLS = "tls"


class MailTransport(StrEnum):
    SMTP = "smtp"
    GRAPH = "graph"


class SialDialect(StrEnum):
    V1 = "v1"
    V2 = "v2"


def _names(value: object) -> frozenset[str]:
    if isinstance(value, str):
        return frozenset(part.strip() for part in value.replace(";", ",").split(",") if part.strip())
    if isinstance(value, (set, frozenset, list, tuple)):
        return frozenset(str(part) for part in value)
    raise ValueError("a comma-separated list")


def _no_slash(value: str) -> str:
    return value.rstrip("/")


def _zone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError("no such time zone; one of the IANA list is, for example America/Argentina/Cordoba") from None
    return value


Url = Annotated[str, AfterValidator(_no_slash)]
Names = Annotated[frozenset[str], NoDecode, BeforeValidator(_names)]


class MoodleSiteSettings(BaseModel):
    """Another Moodle site: one entry of `LUCY_MOODLE_SITES`, a JSON object of them by name."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    url: Url
    token: SecretStr = SecretStr("")
    user: str = ""
    password: SecretStr = SecretStr("")
    service: str = "lucy"
    auth: str = "oidc"
    role_id: int = 5
    address: MoodleAddress = MoodleAddress.INSTITUTIONAL
    address_fallback: bool = True
    lang: str = "es"
    groups: bool = False
    leaving: Leaving = Leaving.UNENROL

    def rules(self) -> MoodleRules:
        return MoodleRules(
            auth=self.auth,
            role_id=self.role_id,
            address=self.address,
            address_fallback=self.address_fallback,
            lang=self.lang,
            groups=self.groups,
            leaving=self.leaving,
        )


SiteName = Annotated[str, Field(pattern="^[a-z0-9][a-z0-9-]{0,30}$")]


class Settings(BaseSettings):
    """Everything `LUCY_…` says. Rates: Graph, Moodle and mail per second (mail per minute), SIAL per minute."""

    model_config = SettingsConfigDict(env_prefix="LUCY_", frozen=True, extra="ignore", validate_default=True)

    mode: Mode = Mode.PRODUCTION
    database_url: str = Field(repr=False)  # these two may carry a password
    redis_url: str = Field(repr=False)
    secret_keys: SecretStr  # comma-separated Fernet keys, newest first

    admins: Names = frozenset()
    tenant_id: str = ""
    allowed_teams: Names = frozenset()
    allowed_channels: Names = frozenset()

    bot_app_id: str = ""
    bot_app_password: SecretStr = SecretStr("")
    bot_host: str = "127.0.0.1"
    bot_port: int = 3978
    metrics_port: int = 0  # 0: off
    public_url: Url = ""  # where staff reach the bot with a browser

    app_id: str = ""  # of the Teams app; empty: made from the bot's
    app_name: str = "Lucy"
    app_developer: str = "FCE · UNRC"
    app_site: Url = ""  # of whoever answers for it; empty: the public address

    graph_url: Url = "https://graph.microsoft.com/v1.0"
    login_url: Url = "https://login.microsoftonline.com"
    graph_tenant_id: str = ""
    graph_client_id: str = ""
    graph_client_secret: SecretStr = SecretStr("")
    graph_certificate: Path | None = None  # PEM, certificate and unencrypted key; then no secret is used
    ca_file: Path | None = None

    account_prefix: str = "a"
    account_domain: str = "eco.unrc.edu.ar"
    licence_sku: str = "STANDARDWOFFPACK_STUDENT"
    usage_location: Annotated[str, Field(pattern="^[A-Z]{2}$")] = "AR"
    browser: str = "auto"  # a Chromium that draws letters: its path; auto: looked for; empty: none
    credentials_length: int = Field(default=LENGTH, ge=SHORTEST, le=LONGEST)  # of temporary passwords
    credentials_keep_h: float = Field(default=72, ge=1, le=720)  # then one that no letter took is destroyed
    licence_group: str = ""  # Entra group whose members have the licence from it; empty: assigned to each account
    account_groups: Names = frozenset()  # Entra groups (a class team is one) that every account joins, by id

    moodle_url: Url = ""
    moodle_token: SecretStr = SecretStr("")
    moodle_user: str = ""  # instead of a token: whose Moodle makes one for the service
    moodle_password: SecretStr = SecretStr("")
    moodle_service: str = "lucy"
    moodle_auth: str = "oidc"
    moodle_role_id: int = 5
    moodle_address: MoodleAddress = MoodleAddress.INSTITUTIONAL
    moodle_address_fallback: bool = True
    moodle_lang: str = "es"
    moodle_groups: bool = False
    moodle_leaving: Leaving = Leaving.UNENROL
    moodle_sites: dict[SiteName, MoodleSiteSettings] = Field(default_factory=dict, repr=False)

    sial_url: Url = ""
    sial_dialect: SialDialect = SialDialect.V2
    sial_user: str = ""
    sial_password: SecretStr = SecretStr("")
    payload_runs_kept: int = Field(default=14, ge=0)  # readings of each list kept as received, for `ingest replay`

    mail_transport: MailTransport = MailTransport.SMTP
    smtp_host: str = ""
    smtp_port: int = 587
    smtp_security: MailSecurity = MailSecurity.STARTTLS
    smtp_user: str = ""
    smtp_password: SecretStr = SecretStr("")
    mail_from: str = ""
    mail_return: str = ""  # where letters come back that cannot be delivered; empty: to the sender
    imap_host: str = ""  # of the mailbox that they come back to; empty: nobody reads it
    imap_port: int = 993
    imap_security: MailSecurity = MailSecurity.TLS
    imap_user: str = ""
    imap_password: SecretStr = SecretStr("")  # empty: signs in as the Graph application, as Exchange Online wants it
    imap_folder: str = "INBOX"
    mail_fallback: bool = True  # to the institutional address where there is no personal one

    rate_graph: float = Field(default=10, gt=0)  # per second, each sub-request of a $batch counts
    rate_moodle: float = Field(default=30, gt=0)  # per second
    rate_sial: float = Field(default=60, gt=0)  # per minute
    rate_mail: float = Field(default=30, gt=0)  # per minute; Exchange Online's limit

    batch_size: int = Field(default=20, ge=1, le=300)  # students a lane takes in hand at once
    in_hand: int = Field(default=300, ge=1)  # students a batch has begun and not finished; a pause finishes these
    lease_s: float = Field(default=60, ge=2)  # how long a worker may hold a step without a sign of life
    approval_expires_h: float = Field(default=72, gt=0)
    language: str = "es_AR"
    timezone: Annotated[str, AfterValidator(_zone)] = "America/Argentina/Cordoba"

    @property
    def environment(self) -> str:
        """What every card says it belongs to."""
        return {Mode.SANDBOX: "SIMULADOR", Mode.TEST: "PRUEBA", Mode.PRODUCTION: "PRODUCCIÓN"}[self.mode]

    @property
    def reachable_url(self) -> str:
        """Where links to the bot lead. In the sandbox staff sit at this machine, and its port will do."""
        if self.public_url or self.mode is not Mode.SANDBOX:
            return self.public_url
        return f"http://127.0.0.1:{self.bot_port}"

    @property
    def anonymous_bot(self) -> bool:
        """Unsigned activities are accepted: only in the sandbox, on loopback, without an app id."""
        return self.mode is Mode.SANDBOX and not self.bot_app_id and is_loopback(self.bot_host)

    def house(self) -> House:
        """The part that flows need, as plain values."""
        return House(
            environment=self.environment,
            zone=ZoneInfo(self.timezone),
            admins=frozenset(one.lower() for one in self.admins),
            account_prefix=self.account_prefix,
            account_domain=self.account_domain,
            licence_sku=self.licence_sku,
            mail_domain=self.mail_from.rpartition("@")[2].strip(">") or self.account_domain,
            approval_expires_h=self.approval_expires_h,
            batch_size=self.batch_size,
            lease_s=self.lease_s,
            graph_per_s=self.rate_graph,
            mail_per_s=self.rate_mail / 60,
            moodle_per_s=self.rate_moodle,
            in_hand=self.in_hand,
            public_url=self.reachable_url,
            moodle_sites={
                MAIN_SITE: MoodleRules(
                    auth=self.moodle_auth,
                    role_id=self.moodle_role_id,
                    address=self.moodle_address,
                    address_fallback=self.moodle_address_fallback,
                    lang=self.moodle_lang,
                    groups=self.moodle_groups,
                    leaving=self.moodle_leaving,
                ),
                **{name: site.rules() for name, site in self.moodle_sites.items()},
            },
            moodle_urls={
                MAIN_SITE: self.moodle_url,
                **{name: site.url for name, site in self.moodle_sites.items()},
            },
            usage_location=self.usage_location,
            mail_fallback=self.mail_fallback,
            reads_returns=bool(self.imap_host),
            password_length=self.credentials_length,
            secret_keep_h=self.credentials_keep_h,
            licence_group=self.licence_group,
            account_groups=tuple(sorted(self.account_groups)),
            payload_runs_kept=self.payload_runs_kept,
        )

    @classmethod
    def load(cls) -> Self:
        """Read the environment. Raises ConfigurationError naming each variable and its mend."""
        try:
            settings = cls()  # type: ignore[call-arg]
        except ValidationError as error:
            raise ConfigurationError(_explain(error)) from None
        problems = settings.problems()
        if problems:
            raise ConfigurationError("\n".join(problems))
        return settings

    def problems(self) -> list[str]:
        """What forbids starting. Example secrets and missing administrators are fatal outside the sandbox."""
        found: list[str] = []
        if not self.bot_app_id and not (self.mode is Mode.SANDBOX and is_loopback(self.bot_host)):
            found.append(
                "LUCY_BOT_APP_ID is empty: without it anybody could speak to the bot. Set it, or use "
                "LUCY_MODE=sandbox with LUCY_BOT_HOST on loopback."
            )
        if not self.admins:
            found.append("LUCY_ADMINS is empty: nobody could approve anything. Name at least one Entra object id.")
        if self.mode is Mode.SANDBOX:
            return found
        for name, secret in self.secrets().items():
            if "example" in secret.lower():
                found.append(f"LUCY_{name.upper()} still holds the example secret. Put the real one.")
        if not self.tenant_id:
            found.append("LUCY_TENANT_ID is empty: messages of any tenant would be heard.")
        test_prefix = is_test_name(self.account_prefix)
        if self.mode is Mode.TEST and not test_prefix:
            found.append("LUCY_MODE=test needs LUCY_ACCOUNT_PREFIX to start with 'test-' (for example test-a).")
        if self.mode is Mode.PRODUCTION and test_prefix:
            found.append("LUCY_MODE=production must not have the test prefix in LUCY_ACCOUNT_PREFIX.")
        for name in ("graph_url", "login_url", "moodle_url", "public_url"):
            address = getattr(self, name)
            if address and not address.lower().startswith("https://"):
                found.append(f"LUCY_{name.upper()} must be an https address outside the sandbox.")
        for name, site in self.moodle_sites.items():
            if not site.url.lower().startswith("https://"):
                found.append(f"The url of {name} in LUCY_MOODLE_SITES must be an https address outside the sandbox.")
            for kind, hidden in (("token", site.token), ("password", site.password)):
                if "example" in hidden.get_secret_value().lower():
                    found.append(f"The {kind} of {name} in LUCY_MOODLE_SITES is the example's. Put the real one.")
        return found

    def secrets(self) -> dict[str, str]:
        """Every secret by the name of its setting; empty where there is none."""
        secrets = {
            name: value.get_secret_value()
            for name in type(self).model_fields
            if isinstance(value := getattr(self, name), SecretStr)
        }
        for name in ("database_url", "redis_url"):
            credentials = getattr(self, name).partition("://")[2].rpartition("@")[0]
            secrets[name] = credentials.partition(":")[2]
        return secrets


def is_loopback(host: str) -> bool:
    """True for the addresses that only this machine can reach."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _explain(error: ValidationError) -> str:
    """Each problem in one line, without the value: it may be a secret."""
    lines = []
    for problem in error.errors(include_input=False, include_url=False, include_context=False):
        name = "LUCY_" + "_".join(str(part) for part in problem["loc"]).upper()
        reason = "is not set." if problem["type"] == "missing" else f"cannot be used: {problem['msg']}."
        lines.append(f"{name} {reason} See .env.example.")
    return "\n".join(lines)
