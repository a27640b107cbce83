"""The seam to botbuilder: authenticates an activity, runs a handler in its turn, sends what it answers.

botbuilder 4.17.1 breaks every invoke response of its own and its HTTP processing is not used: the answer for the Teams
service is made here (contracts/teams-bot.md, section 0). botbuilder is at its end of life; this file and
`connectors/teams` are all that knows of it.
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import structlog
from botbuilder.core import TurnContext
from botbuilder.integration.aiohttp import CloudAdapter
from botbuilder.schema import Activity, ChannelAccount, ConversationAccount
from botframework.connector.auth import EmulatorValidation, SkillValidation

from bot.answers import Answer, Handler, HttpAnswer, InvokeMessage, OnPosted, Reply, invoke_body
from bot.turns import ConversationType, Turn, TurnKind, read_turn
from connectors.teams.activities import card_activity, text_activity
from connectors.teams.authentication import BotIdentity, TeamsAuthentication
from connectors.teams.failures import SDK_ERRORS, translate
from connectors.teams.signing_keys import KeysUnavailableError
from lucy.errors import ConfigurationError, RemoteError
from lucy.ports import PostedMessage
from lucy.settings import Settings, is_loopback
from lucy.texts import _

log = structlog.get_logger(__name__)

CHANNEL = "msteams"


class BotAdapter:
    """One per process. Without an app id it hears anybody: only where `settings.anonymous_bot` allows it."""

    def __init__(self, settings: Settings) -> None:
        if not settings.bot_app_id and not settings.anonymous_bot:
            raise ConfigurationError("LUCY_BOT_APP_ID is empty: without it anybody could speak to the bot.")
        self._anonymous = not settings.bot_app_id
        self.authentication = TeamsAuthentication(
            BotIdentity(
                app_id=settings.bot_app_id,
                app_password=settings.bot_app_password.get_secret_value(),
                tenant_id=settings.tenant_id,
            )
        )
        self._adapter = CloudAdapter(self.authentication)

    async def authenticate_and_run(
        self, auth_header: str, activity: Mapping[str, object], handler: Handler
    ) -> HttpAnswer:
        """The whole turn; what goes back to the Teams service.

        400: not an activity. 401: not from the Teams service. 403: from a place that the handler does not hear. 503:
        the signing keys cannot be had now; Teams may ask again.
        """
        turn = read_turn(activity)
        if turn is None:
            return HttpAnswer(400)
        sdk_activity = _sdk_activity(activity, turn)
        try:
            authenticated = await self._authenticate(auth_header, sdk_activity)
        except PermissionError as refusal:
            log.warning("unauthenticated", reason=str(refusal)[:200])
            return HttpAnswer(401)
        except KeysUnavailableError as error:
            log.error("signing_keys_unavailable", reason=str(error))
            return HttpAnswer(503)
        answers: list[Answer] = []

        async def run(context: TurnContext) -> None:
            answer = await handler.handle(turn)
            answers.append(answer)
            for reply in answer.replies:
                await self._send(context, turn, reply)

        await self._adapter.process_activity(authenticated, sdk_activity, run)
        return _http_answer(turn, answers[0] if answers else Answer())

    async def aclose(self) -> None:
        await self.authentication.aclose()

    async def _authenticate(self, auth_header: str, activity: Activity) -> Any:
        """Raises PermissionError, KeysUnavailableError. Only after this the service URL may be used."""
        if self._anonymous:
            if not _is_local(activity.service_url):
                raise PermissionError("A service URL beyond this machine, without authentication.")
            return await self.authentication.authenticate_request(activity, "")
        if activity.channel_id != CHANNEL:
            raise PermissionError("Not from Teams: on other channels a client names its sender itself.")
        try:
            if SkillValidation.is_skill_token(auth_header) or EmulatorValidation.is_token_from_emulator(auth_header):
                raise PermissionError("A token of a skill or the emulator: its service URL is not vouched for.")
            return await self.authentication.authenticate_request(activity, auth_header)
        except (PermissionError, KeysUnavailableError):
            raise
        except Exception as error:  # the SDK raises bare Exceptions and whatever a broken token makes jwt raise
            raise PermissionError(f"The token cannot be read: {type(error).__name__}.") from error

    async def _send(self, context: TurnContext, turn: Turn, reply: Reply) -> None:
        """A reply that Teams does not take is logged: the turn itself is done, and its answer stands."""
        message = text_activity(reply.text) if reply.card is None else card_activity(reply.card, summary=reply.summary)
        try:
            await self.authentication.warm("reply")
            response = await context.send_activity(message)
        except RemoteError as error:
            log.warning("reply_not_sent", code=error.code, error=str(error))
            return
        except SDK_ERRORS as error:
            failure = translate(error, "reply", repeatable=False)
            log.warning("reply_not_sent", code=failure.code, error=str(failure), outcome=type(failure).__name__)
            return
        if reply.on_posted is not None and response.id:
            await _note(reply.on_posted, PostedMessage(turn.conversation_id, response.id))


async def _note(on_posted: OnPosted, posted: PostedMessage) -> None:
    """The message stands there already: a failure to note it must not look like a failure of the turn."""
    try:
        await on_posted(posted)
    except Exception:
        log.exception("posted_but_not_noted")


def _http_answer(turn: Turn, answer: Answer) -> HttpAnswer:
    if not answer.heard:
        return HttpAnswer(403)
    if not turn.is_invoke:
        return HttpAnswer(201)
    if turn.kind is not TurnKind.CARD_ACTION:
        return HttpAnswer(501)  # as the SDK answers invokes nobody handles
    return HttpAnswer(200, invoke_body(answer.invoke or InvokeMessage(_("Listo."))))


def _sdk_activity(activity: Mapping[str, object], turn: Turn) -> Activity:
    """Only what the SDK needs to authenticate and to reply, so that nothing else of the body can trip it.

    It replies to `id`: to the message itself, or to the card that was pressed, since a press is no message.
    """
    return Activity(
        type=str(activity.get("type")),
        id=(turn.activity_id if turn.kind is TurnKind.MESSAGE else turn.reply_to_id) or None,
        channel_id=str(activity.get("channelId", "")),
        service_url=turn.service_url,
        conversation=ConversationAccount(
            id=turn.conversation_id,
            tenant_id=turn.tenant_id or None,
            is_group=turn.conversation_type is not ConversationType.PERSONAL,
        ),
        from_property=ChannelAccount(id=turn.person.teams_id, name=turn.person.name),
        recipient=_account(activity.get("recipient")),
    )


def _account(value: object) -> ChannelAccount:
    named = value if isinstance(value, Mapping) else {}
    return ChannelAccount(id=str(named.get("id", "")), name=str(named.get("name", "")))


def _is_local(url: str) -> bool:
    try:
        return is_loopback(urlsplit(url).hostname or "")
    except ValueError:
        return False
