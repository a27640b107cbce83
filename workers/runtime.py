"""What a worker process holds open: one database, one client per outside system, all on the worker's event loop."""

from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self
from zoneinfo import ZoneInfo

import httpx
import redis.asyncio as redis

from connectors.chromium import Chromium, find_browser
from connectors.graph.certificate import Certificate
from connectors.graph.client import GraphDirectory
from connectors.graph.mail import GraphMailer
from connectors.graph.token import MsalTokens
from connectors.http import build_http_client
from connectors.imap.client import ImapReturns
from connectors.limits import RedisLimiter
from connectors.moodle.client import MoodleSite
from connectors.moodle.tokens import FixedToken, SignedInToken
from connectors.moodle.tokens import TokenSource as MoodleTokens
from connectors.nudges import RedisNudger, make_broker
from connectors.sial.client import SialFlatRecords, SialRecords
from connectors.smtp.client import SmtpMailer
from connectors.teams.authentication import BotIdentity, TeamsAuthentication
from connectors.teams.client import TeamsChannel
from lucy.db.engine import Database
from lucy.domain.house import House
from lucy.domain.moodle_rules import MAIN_SITE
from lucy.domain.operations import StepKind
from lucy.errors import System
from lucy.flows.lanes.account import AccountLane
from lucy.flows.lanes.account_delete import AccountDeleteLane
from lucy.flows.lanes.account_group import JoinAccountGroupLane, LeaveAccountGroupLane
from lucy.flows.lanes.account_restore import AccountRestoreLane
from lucy.flows.lanes.account_switch import DisableAccountLane, EnableAccountLane
from lucy.flows.lanes.account_update import AccountUpdateLane
from lucy.flows.lanes.base import Lane, Noter
from lucy.flows.lanes.course_group import JoinCourseGroupLane, LeaveCourseGroupLane
from lucy.flows.lanes.courses_mail import CoursesMailLane
from lucy.flows.lanes.credentials_mail import CredentialsMailLane, PasswordMailLane
from lucy.flows.lanes.enrolment import EnrolmentLane
from lucy.flows.lanes.licence import LicenceLane
from lucy.flows.lanes.licence_removal import LicenceRemovalLane
from lucy.flows.lanes.moodle_suspension import MoodleSuspensionLane
from lucy.flows.lanes.moodle_user import MoodleUserLane
from lucy.flows.lanes.new_secret import NewSecretLane, ResetPasswordLane
from lucy.flows.lanes.plain_letters import NoticeMailLane, StatusMailLane, WelcomeMailLane
from lucy.flows.lanes.rectify_mail import RectifyMailLane
from lucy.flows.lanes.unenrolment import SuspendEnrolmentLane, UnenrolLane
from lucy.flows.note_steps import noter
from lucy.ports import Channel, Directory, Limiter, Mailer, Moodle, Nudger, Painter, ReturnMailbox, StudentRecords
from lucy.sealing import Sealer
from lucy.settings import MailTransport, MoodleSiteSettings, Settings, SialDialect

# https://learn.microsoft.com/exchange/client-developer/legacy-protocols/how-to-authenticate-an-imap-pop-smtp-application-by-using-oauth
EXCHANGE_URL = "https://outlook.office365.com/"


@dataclass(frozen=True, slots=True)
class Runtime:
    """Opened once per process by `open`, closed by `close` on the same loop."""

    settings: Settings
    house: House
    db: Database
    limiter: Limiter
    nudger: Nudger
    directory: Directory
    moodle: Moodle
    moodle_sites: Mapping[str, Moodle]
    records: StudentRecords
    channel: Channel
    mailer: Mailer
    returns: ReturnMailbox | None
    painter: Painter | None
    lanes: dict[StepKind, Lane[Any]]
    sealer: Sealer
    redis_client: redis.Redis
    _stack: AsyncExitStack

    @classmethod
    async def open(cls, settings: Settings) -> Self:
        stack = AsyncExitStack()
        house = settings.house()
        db = Database(settings.database_url)
        stack.push_async_callback(db.close)
        redis_client = redis.from_url(settings.redis_url, socket_timeout=5, socket_connect_timeout=5)
        stack.push_async_callback(redis_client.aclose)
        limiter = RedisLimiter(redis_client, _rates(settings))
        http = await stack.enter_async_context(build_http_client(settings.ca_file))
        tokens = _tokens(settings, settings.graph_url, stack)
        directory = GraphDirectory(base_url=settings.graph_url, tokens=tokens, http=http, limiter=limiter)
        moodle_sites = _moodle_sites(settings, http, limiter)
        moodle = moodle_sites[MAIN_SITE]
        mailer = _mailer(settings, tokens, http, limiter, stack)
        teams = _teams(settings)
        stack.push_async_callback(teams.aclose)
        broker = make_broker(settings.redis_url)
        stack.callback(broker.close)
        sealer = Sealer(settings.secret_keys.get_secret_value())
        lanes = every_lane(directory, moodle_sites, mailer, sealer=sealer, note=noter(db), house=house)
        return cls(
            settings=settings,
            house=house,
            db=db,
            limiter=limiter,
            nudger=RedisNudger(broker),
            directory=directory,
            moodle=moodle,
            moodle_sites=moodle_sites,
            records=_records(settings, http, limiter),
            channel=TeamsChannel(teams),
            mailer=mailer,
            returns=_returns(settings, stack),
            painter=Chromium(browser) if (browser := find_browser(settings.browser)) else None,
            lanes=lanes,
            sealer=sealer,
            redis_client=redis_client,
            _stack=stack,
        )

    async def close(self) -> None:
        await self._stack.aclose()


def every_lane(
    directory: Directory, sites: Mapping[str, Moodle], mailer: Mailer, *, sealer: Sealer, note: Noter, house: House
) -> dict[StepKind, Lane[Any]]:
    """A lane for each kind of step."""
    lanes: list[Lane[Any]] = [
        AccountLane(directory, sealer, house),
        AccountRestoreLane(directory, note, house),
        EnableAccountLane(directory, note, house),
        AccountUpdateLane(directory, note, house),
        JoinAccountGroupLane(directory, note, house),
        LeaveAccountGroupLane(directory, note, house),
        LicenceLane(directory, house),
        CredentialsMailLane(mailer, sealer, note, house),
        PasswordMailLane(mailer, sealer, note, house),
        NoticeMailLane(mailer, note, house),
        WelcomeMailLane(mailer, note, house),
        StatusMailLane(mailer, note, house),
        CoursesMailLane(mailer, note, house),
        MoodleUserLane(sites, note, house),
        EnrolmentLane(sites, note, house),
        JoinCourseGroupLane(sites, note, house),
        LeaveCourseGroupLane(sites, note, house),
        UnenrolLane(sites, note, house),
        SuspendEnrolmentLane(sites, note, house),
        MoodleSuspensionLane(sites, note, house),
        LicenceRemovalLane(directory, note, house),
        DisableAccountLane(directory, note, house),
        AccountDeleteLane(directory, note, house),
        NewSecretLane(directory, sealer, note, house),
        ResetPasswordLane(directory, sealer, note, house),
        RectifyMailLane(mailer, note, house),
    ]
    return {lane.kind: lane for lane in lanes}


def _tokens(settings: Settings, resource_url: str, stack: AsyncExitStack) -> MsalTokens:
    """Of the Graph application, for one of Microsoft's services."""
    tokens = MsalTokens(
        settings.login_url,
        settings.graph_tenant_id,
        settings.graph_client_id,
        settings.graph_client_secret.get_secret_value(),
        settings.ca_file,
        graph_url=resource_url,
        certificate=Certificate.read(settings.graph_certificate) if settings.graph_certificate else None,
    )
    stack.callback(tokens.close)
    return tokens


def _rates(settings: Settings) -> dict[System, float]:
    """Requests per second for each system."""
    return {
        System.GRAPH: settings.rate_graph,
        System.MOODLE: settings.rate_moodle,
        System.SIAL: settings.rate_sial / 60,
        System.MAIL: settings.rate_mail / 60,
    }


def _moodle_sites(settings: Settings, http: httpx.AsyncClient, limiter: Limiter) -> dict[str, Moodle]:
    """By name. They share one pace: `LUCY_RATE_MOODLE` is what all of them are asked together."""
    main = MoodleSiteSettings(
        url=settings.moodle_url,
        token=settings.moodle_token,
        user=settings.moodle_user,
        password=settings.moodle_password,
        service=settings.moodle_service,
    )
    return {
        name: MoodleSite(base_url=site.url, token=_moodle_token(site, http, limiter), http=http, limiter=limiter)
        for name, site in {MAIN_SITE: main, **settings.moodle_sites}.items()
    }


def _moodle_token(site: MoodleSiteSettings, http: httpx.AsyncClient, limiter: Limiter) -> MoodleTokens:
    if not site.user:
        return FixedToken(site.token.get_secret_value())
    return SignedInToken(
        base_url=site.url,
        user=site.user,
        password=site.password.get_secret_value(),
        service=site.service,
        http=http,
        limiter=limiter,
    )


def _records(settings: Settings, http: httpx.AsyncClient, limiter: Limiter) -> StudentRecords:
    """SIAL in the dialect that this university speaks."""
    password = settings.sial_password.get_secret_value()
    if settings.sial_dialect is SialDialect.V1:
        return SialFlatRecords(
            base_url=settings.sial_url, user=settings.sial_user, password=password, http=http, limiter=limiter
        )
    zone = ZoneInfo(settings.timezone)
    return SialRecords(
        base_url=settings.sial_url,
        user=settings.sial_user,
        password=password,
        http=http,
        limiter=limiter,
        zone=zone,
        today=lambda: datetime.now(zone).date(),
    )


def _mailer(
    settings: Settings, tokens: MsalTokens, http: httpx.AsyncClient, limiter: Limiter, stack: AsyncExitStack
) -> Mailer:
    if settings.mail_transport is MailTransport.GRAPH:
        return GraphMailer(
            base_url=settings.graph_url, tokens=tokens, http=http, limiter=limiter, sender=settings.mail_from
        )
    mailer = SmtpMailer(
        host=settings.smtp_host,
        port=settings.smtp_port,
        security=settings.smtp_security.value,
        sender=settings.mail_from,
        limiter=limiter,
        user=settings.smtp_user,
        password=settings.smtp_password.get_secret_value(),
        ca_file=settings.ca_file,
        returns_to=settings.mail_return,
    )
    stack.push_async_callback(mailer.close)
    return mailer


def _returns(settings: Settings, stack: AsyncExitStack) -> ReturnMailbox | None:
    if not settings.imap_host:
        return None
    password = settings.imap_password.get_secret_value()
    return ImapReturns(
        host=settings.imap_host,
        port=settings.imap_port,
        security=settings.imap_security.value,
        user=settings.imap_user,
        password=password,
        token=None if password else _tokens(settings, EXCHANGE_URL, stack).token,
        folder=settings.imap_folder,
        ca_file=settings.ca_file,
    )


def _teams(settings: Settings) -> TeamsAuthentication:
    return TeamsAuthentication(
        BotIdentity(
            app_id=settings.bot_app_id,
            app_password=settings.bot_app_password.get_secret_value(),
            tenant_id=settings.tenant_id,
        )
    )
