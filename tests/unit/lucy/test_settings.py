import os
import re
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from pydantic import ValidationError

from lucy.errors import ConfigurationError
from lucy.settings import MailSecurity, Mode, Settings, SialDialect, is_loopback

PRODUCTION = {
    "LUCY_DATABASE_URL": "postgresql+asyncpg://lucy:w9x@db:5432/lucy",
    "LUCY_REDIS_URL": "redis://redis:6379/0",
    "LUCY_SECRET_KEYS": "a-real-key",
    "LUCY_ADMINS": "admin-1",
    "LUCY_TENANT_ID": "tenant",
    "LUCY_BOT_APP_ID": "app",
}
SANDBOX = {
    "LUCY_MODE": "sandbox",
    "LUCY_DATABASE_URL": "postgresql+asyncpg://lucy:example@localhost/lucy",
    "LUCY_REDIS_URL": "redis://localhost",
    "LUCY_SECRET_KEYS": "example-key",
    "LUCY_ADMINS": "admin-1",
}
SECRETS = [
    "SECRET_KEYS",
    "BOT_APP_PASSWORD",
    "GRAPH_CLIENT_SECRET",
    "MOODLE_TOKEN",
    "MOODLE_PASSWORD",
    "SIAL_PASSWORD",
    "SMTP_PASSWORD",
    "IMAP_PASSWORD",
]


@pytest.fixture(autouse=True)
def nothing_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("LUCY_")]:
        monkeypatch.delenv(name)


@pytest.fixture
def load(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Load the settings from an environment; `None` takes a variable out."""

    def load_from(base: dict[str, str], **changes: str | None) -> Settings:
        for name, value in {**base, **{f"LUCY_{name}": value for name, value in changes.items()}}.items():
            if value is not None:
                monkeypatch.setenv(name, value)
            else:
                monkeypatch.delenv(name, raising=False)
        return Settings.load()

    return load_from


@pytest.fixture
def refusal(load: Any) -> Any:
    def refused(base: dict[str, str], **changes: str | None) -> list[str]:
        with pytest.raises(ConfigurationError) as caught:
            load(base, **changes)
        return str(caught.value).splitlines()

    return refused


def names(lines: list[str]) -> list[str]:
    return [line.split()[0] for line in lines]


def test_production_is_the_mode_of_whoever_says_nothing(load: Any) -> None:
    settings = load(PRODUCTION)
    assert settings.mode is Mode.PRODUCTION
    assert settings.environment == "PRODUCCIÓN"
    assert not settings.anonymous_bot


def test_everything_is_read_from_the_environment(load: Any) -> None:
    settings = load(
        PRODUCTION,
        ADMINS=" Admin-1, admin-2;admin-3,, ",
        ALLOWED_TEAMS="19:a@thread.tacv2",
        BOT_PORT="4000",
        MOODLE_URL="https://moodle.unrc.edu.ar/",
        SIAL_DIALECT="v1",
        SMTP_SECURITY="tls",
        RATE_GRAPH="2.5",
        SOMETHING_ELSE="is no business of ours",
    )
    assert settings.admins == {"Admin-1", "admin-2", "admin-3"}
    assert settings.allowed_teams == {"19:a@thread.tacv2"}
    assert settings.bot_port == 4000
    assert settings.moodle_url == "https://moodle.unrc.edu.ar"
    assert settings.sial_dialect is SialDialect.V1
    assert settings.smtp_security is MailSecurity.TLS
    assert settings.rate_graph == 2.5


def test_settings_are_frozen(load: Any) -> None:
    with pytest.raises(ValidationError):
        load(PRODUCTION).mode = Mode.SANDBOX


@pytest.mark.parametrize("name", ["DATABASE_URL", "REDIS_URL", "SECRET_KEYS"])
def test_what_is_missing_is_named(refusal: Any, name: str) -> None:
    assert refusal(PRODUCTION, **{name: None}) == [f"LUCY_{name} is not set. See .env.example."]


def test_all_that_is_missing_is_named_at_once(refusal: Any) -> None:
    assert names(refusal({})) == ["LUCY_DATABASE_URL", "LUCY_REDIS_URL", "LUCY_SECRET_KEYS"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("MODE", "produccion-hunter2"),
        ("BOT_PORT", "hunter2"),
        ("SIAL_DIALECT", "hunter2"),
        ("SMTP_SECURITY", "hunter2"),
        ("RATE_GRAPH", "0"),
        ("RATE_SIAL", "-1"),
        ("RATE_MAIL", "nan"),
        ("BATCH_SIZE", "0"),
        ("BATCH_SIZE", "301"),
        ("LEASE_S", "1"),
        ("APPROVAL_EXPIRES_H", "0"),
        ("TIMEZONE", "America/hunter2"),
        ("TIMEZONE", "../../hunter2"),
        ("TIMEZONE", ""),
    ],
)
def test_what_cannot_be_used_is_named_without_its_value(refusal: Any, name: str, value: str) -> None:
    lines = refusal(PRODUCTION, **{name: value})
    assert len(lines) == 1
    assert re.fullmatch(rf"LUCY_{name} cannot be used: .+\. See \.env\.example\.", lines[0])
    assert "hunter2" not in lines[0]


@pytest.mark.parametrize("name", SECRETS)
@pytest.mark.parametrize("value", ["example-hunter2", "Example", "my-EXAMPLE-hunter2"])
@pytest.mark.parametrize("mode", ["test", "production"])
def test_example_secrets_are_refused_outside_the_sandbox(refusal: Any, name: str, value: str, mode: str) -> None:
    prefix = "test-a" if mode == "test" else "a"
    lines = refusal(PRODUCTION, MODE=mode, ACCOUNT_PREFIX=prefix, **{name: value})
    assert lines == [f"LUCY_{name} still holds the example secret. Put the real one."]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DATABASE_URL", "postgresql+asyncpg://lucy:example-hunter2@db:5432/lucy"),
        ("DATABASE_URL", "postgresql+asyncpg://lucy:a@b:example-hunter2@db/lucy"),
        ("REDIS_URL", "redis://:Example-hunter2@redis:6379/0"),
    ],
)
def test_example_passwords_inside_addresses_are_refused(refusal: Any, name: str, value: str) -> None:
    assert refusal(PRODUCTION, **{name: value}) == [f"LUCY_{name} still holds the example secret. Put the real one."]


def test_an_example_host_is_no_example_secret(load: Any) -> None:
    assert load(PRODUCTION, DATABASE_URL="postgresql+asyncpg://lucy:w9x@db.example.edu/example", SIAL_USER="example")


def test_every_secret_is_watched() -> None:
    secrets = {name for name, field in Settings.model_fields.items() if "SecretStr" in str(field.annotation)}
    assert secrets == {name.lower() for name in SECRETS}


@pytest.mark.parametrize("name", [*SECRETS, "DATABASE_URL", "REDIS_URL"])
def test_settings_never_show_a_secret(load: Any, name: str) -> None:
    settings = load(PRODUCTION, **{name: "redis://lucy:hunter2@db/lucy"})
    assert "hunter2" not in repr(settings)
    assert "hunter2" not in str(settings)


def test_the_sandbox_starts_with_example_secrets(load: Any) -> None:
    settings = load(SANDBOX, MOODLE_URL="http://127.0.0.1:9/", ACCOUNT_PREFIX="test-a")
    assert settings.environment == "SIMULADOR"
    assert settings.anonymous_bot


def test_the_shipped_example_does_not_start_in_production(refusal: Any) -> None:
    text = (Path(__file__).parents[3] / ".env.example").read_text(encoding="utf-8")
    example = dict(line.split("=", 1) for line in text.splitlines() if line.startswith("LUCY_"))
    named = names(refusal(example))
    commented_out = {"MOODLE_PASSWORD", "IMAP_PASSWORD"}
    assert set(named) == {f"LUCY_{name}" for name in {*SECRETS, "DATABASE_URL"} - commented_out}


@pytest.mark.parametrize("base", [PRODUCTION, SANDBOX], ids=["production", "sandbox"])
@pytest.mark.parametrize("admins", ["", " , ", None])
def test_nobody_starts_without_administrators(refusal: Any, base: dict[str, str], admins: str | None) -> None:
    assert names(refusal(base, ADMINS=admins)) == ["LUCY_ADMINS"]


def test_the_tenant_is_needed_outside_the_sandbox(refusal: Any, load: Any) -> None:
    assert names(refusal(PRODUCTION, TENANT_ID="")) == ["LUCY_TENANT_ID"]
    assert load(SANDBOX, TENANT_ID="").tenant_id == ""


@pytest.mark.parametrize(
    ("mode", "prefix", "wired_across"),
    [
        ("production", "a", False),
        ("production", "test-a", True),
        ("production", "Test-a", True),  # sign-in names are lower case
        ("production", "testa", False),
        ("test", "test-a", False),
        ("test", "TEST-a", False),
        ("test", "a", True),
        ("test", "a-test-", True),
        ("test", "", True),
    ],
)
def test_test_and_production_are_not_wired_across(
    load: Any, refusal: Any, mode: str, prefix: str, wired_across: bool
) -> None:
    if not wired_across:
        assert load(PRODUCTION, MODE=mode, ACCOUNT_PREFIX=prefix).account_prefix == prefix
        return
    lines = refusal(PRODUCTION, MODE=mode, ACCOUNT_PREFIX=prefix)
    assert names(lines) == [f"LUCY_MODE={mode}"]
    assert "LUCY_ACCOUNT_PREFIX" in lines[0]


@pytest.mark.parametrize("name", ["GRAPH_URL", "LOGIN_URL", "MOODLE_URL", "PUBLIC_URL"])
@pytest.mark.parametrize("value", ["http://x.org", "x.org", "ftp://x.org", "http://[::1", "//x.org"])
def test_addresses_are_https_outside_the_sandbox(refusal: Any, name: str, value: str) -> None:
    assert names(refusal(PRODUCTION, **{name: value})) == [f"LUCY_{name}"]


def test_https_in_capitals_is_https(load: Any) -> None:
    assert load(PRODUCTION, MOODLE_URL="HTTPS://moodle.unrc.edu.ar").moodle_url == "HTTPS://moodle.unrc.edu.ar"


@pytest.mark.parametrize("mode", ["test", "production", "sandbox"])
@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost", "0.0.0.0", "::", "", "10.0.0.7", "lucy.unrc.edu.ar"])
@pytest.mark.parametrize("app_id", ["", "app"])
def test_the_bot_is_anonymous_only_in_the_sandbox_on_loopback(
    load: Any, refusal: Any, mode: str, host: str, app_id: str
) -> None:
    changes = {"MODE": mode, "BOT_HOST": host, "BOT_APP_ID": app_id}
    changes["ACCOUNT_PREFIX"] = "test-a" if mode == "test" else "a"
    private = mode == "sandbox" and host in {"127.0.0.1", "::1", "localhost"}
    if app_id or private:
        assert load(PRODUCTION, **changes).anonymous_bot is (not app_id)
    else:
        assert names(refusal(PRODUCTION, **changes)) == ["LUCY_BOT_APP_ID"]


@pytest.mark.parametrize(
    ("mode", "host", "app_id", "anonymous"),
    [
        ("sandbox", "127.0.0.1", "", True),
        ("sandbox", "127.0.0.1", "app", False),
        ("sandbox", "0.0.0.0", "", False),
        ("test", "127.0.0.1", "", False),
        ("production", "127.0.0.1", "", False),
    ],
)
def test_settings_that_were_not_checked_are_not_anonymous_either(
    mode: str, host: str, app_id: str, anonymous: bool
) -> None:
    """Whoever builds them without `load` gets no open bot by it."""
    settings = Settings(mode=mode, database_url="d", redis_url="r", secret_keys="k", bot_host=host, bot_app_id=app_id)
    assert settings.anonymous_bot is anonymous


def test_all_problems_are_told_at_once(refusal: Any) -> None:
    lines = refusal(
        PRODUCTION, ADMINS="", TENANT_ID="", BOT_APP_ID="", MOODLE_TOKEN="example", ACCOUNT_PREFIX="test-a",
        MOODLE_URL="http://x",
    )  # fmt: skip
    assert names(lines) == [
        "LUCY_BOT_APP_ID",
        "LUCY_ADMINS",
        "LUCY_MOODLE_TOKEN",
        "LUCY_TENANT_ID",
        "LUCY_MODE=production",
        "LUCY_MOODLE_URL",
    ]


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.8.9.10", "::1"])
def test_loopback(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize("host", ["", "0.0.0.0", "::", "192.168.0.1", "127.0.0.1.evil.org", "localhost.evil.org"])
def test_not_loopback(host: str) -> None:
    assert not is_loopback(host)


def test_the_house_holds_plain_values(load: Any) -> None:
    house = load(
        PRODUCTION, ADMINS="Admin-1,ADMIN-2", MAIL_FROM="Campus virtual <campus@fce.unrc.edu.ar>", RATE_MAIL="30"
    ).house()
    assert house.admins == {"admin-1", "admin-2"}
    assert house.mail_domain == "fce.unrc.edu.ar"
    assert house.mail_per_s == 0.5
    assert house.zone == ZoneInfo("America/Argentina/Cordoba")
    assert (house.environment, house.account_prefix, house.graph_per_s) == ("PRODUCCIÓN", "a", 10)


def test_where_links_to_the_bot_lead(load: Any) -> None:
    """Outside the sandbox an address of this machine would lead the staff nowhere."""
    assert load(PRODUCTION).house().public_url == ""
    assert load(PRODUCTION, PUBLIC_URL="https://lucy.x.org/").house().public_url == "https://lucy.x.org"
    assert load(SANDBOX, PUBLIC_URL="http://127.0.0.1:9/").house().public_url == "http://127.0.0.1:9"
    assert load(SANDBOX, PUBLIC_URL="", BOT_PORT="4000").house().public_url == "http://127.0.0.1:4000"


@pytest.mark.parametrize(("sender", "domain"), [("campus@x.org", "x.org"), ("", "eco.unrc.edu.ar")])
def test_the_domain_of_the_letters(load: Any, sender: str, domain: str) -> None:
    assert load(PRODUCTION, MAIL_FROM=sender).house().mail_domain == domain
