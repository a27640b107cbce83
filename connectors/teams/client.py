"""Cards into channels, threads and chats, without a turn to answer."""

from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager

from botbuilder.core import TurnContext
from botbuilder.integration.aiohttp import CloudAdapter
from botbuilder.schema import ChannelAccount, ConversationAccount, ConversationParameters, ConversationReference

from connectors.teams import wire
from connectors.teams.activities import card_activity
from connectors.teams.authentication import TeamsAuthentication
from connectors.teams.failures import SDK_ERRORS, translate
from lucy.ports import ConversationAddress, PostedMessage

CHANNEL = "msteams"


class TeamsChannel:
    """`lucy.ports.Channel`.

    Addresses must come from authenticated activities: the bot's token is sent to their service URL. Nothing is retried
    here, and one conversation takes one operation at a time: the caller sees to both.
    """

    def __init__(self, authentication: TeamsAuthentication) -> None:
        self._authentication = authentication
        self._adapter = CloudAdapter(authentication)
        self._app_id = authentication.identity.app_id

    async def post_card(
        self, address: ConversationAddress, card: Mapping[str, object], *, summary: str
    ) -> PostedMessage:
        """Post into an existing conversation or thread. Raises RemoteError; OutcomeUnknown: it may stand there."""
        sent: list[str] = []

        async def post(context: TurnContext) -> None:
            response = await context.send_activity(card_activity(card, summary=summary))
            sent.append(response.id or "")

        await self._continue(address, "post_card", post, repeatable=False)
        return _posted("post_card", address.conversation_id, sent)

    async def start_thread(
        self, address: ConversationAddress, card: Mapping[str, object], *, summary: str
    ) -> PostedMessage:
        """Start a new thread in the channel of `address`; returns the thread's conversation id. Raises RemoteError.

        The call itself posts the first message.
        """
        started: list[tuple[str, str]] = []

        async def note(context: TurnContext) -> None:
            conversation_id = context.activity.conversation.id or ""
            root = wire.thread_root(conversation_id)  # without an activity id the SDK would have invented one
            started.append((conversation_id, root or context.activity.id))

        parameters = ConversationParameters(
            is_group=True,
            channel_data={"channel": {"id": wire.base_conversation(address.conversation_id)}},
            tenant_id=address.tenant_id or None,
            activity=card_activity(card, summary=summary),
        )
        with _understood("start_thread", repeatable=False):
            await self._authentication.warm("start_thread")
            await self._adapter.create_conversation(self._app_id, note, parameters, CHANNEL, address.service_url)
        conversation_id, activity_id = started[0] if started else ("", "")
        return _posted("start_thread", conversation_id, [activity_id])

    async def update_card(
        self, address: ConversationAddress, activity_id: str, card: Mapping[str, object], *, summary: str
    ) -> None:
        """Edit a card in place. Raises NotFound when somebody deleted it, else as RemoteError says; safe to repeat."""

        async def update(context: TurnContext) -> None:
            activity = card_activity(card, summary=summary)
            activity.id = activity_id
            await context.update_activity(activity)

        await self._continue(address, "update_card", update, repeatable=True)

    async def _continue(
        self,
        address: ConversationAddress,
        operation: str,
        act: Callable[[TurnContext], Awaitable[None]],
        *,
        repeatable: bool,
    ) -> None:
        async def run(context: TurnContext) -> None:
            context.activity.id = None  # the SDK's invention, which it would reply to
            await act(context)

        with _understood(operation, repeatable=repeatable):
            await self._authentication.warm(operation)
            await self._adapter.continue_conversation(self._reference(address), run, self._app_id)

    def _reference(self, address: ConversationAddress) -> ConversationReference:
        return ConversationReference(
            channel_id=CHANNEL,
            service_url=address.service_url,
            conversation=ConversationAccount(id=address.conversation_id, tenant_id=address.tenant_id or None),
            bot=ChannelAccount(id=f"28:{self._app_id}") if self._app_id else None,
        )


@contextmanager
def _understood(operation: str, *, repeatable: bool) -> Iterator[None]:
    """Raises the error family instead of the SDK's exceptions."""
    try:
        yield
    except SDK_ERRORS as error:
        raise translate(error, operation, repeatable=repeatable) from error


def _posted(operation: str, conversation_id: str, activity_ids: list[str]) -> PostedMessage:
    """Without its id a message stands there and can never be edited: the caller must not simply post again."""
    if not (conversation_id and activity_ids and activity_ids[0]):
        raise wire.undecided(operation, "the answer held no id", repeatable=False)
    return PostedMessage(conversation_id=conversation_id, activity_id=activity_ids[0])
