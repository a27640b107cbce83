"""The card of a batch: shown to one reader, or posted so that it moves with the batch."""

from datetime import timedelta

from bot.answers import Answer, OnPosted
from bot.ask import Ask
from bot.turns import ConversationType
from cards import batch
from lucy.db import cards as cards_db
from lucy.db import outbox
from lucy.db.engine import Database
from lucy.domain.batches import batch_code
from lucy.domain.views import BatchView
from lucy.errors import RequestError
from lucy.flows.redraw import ANNOUNCE
from lucy.flows.view_batch import Reader, view_batch
from lucy.ports import PostedMessage
from lucy.texts import _

# While the turn posts the card itself, the announcer leaves it alone for this long.
POSTING = timedelta(seconds=30)


async def view_for(ask: Ask, number: int) -> BatchView:
    """The batch as this reader may see it. Raises RequestError when there is none."""
    reader = Reader(ask.actor.id, ask.role)
    view = await view_batch(ask.session, number, reader=reader, house=ask.house, now=ask.now)
    if view is None:
        text = _("No hay ningún lote {code}. Con «lotes» ves los últimos.")
        raise RequestError(text.format(code=batch_code(number)))
    return view


async def post_batch_card(ask: Ask, db: Database, number: int) -> Answer:
    """Post the batch's card here; it moves with the batch from now on.

    A press is answered with the presser's own view; the card for everybody is posted by the announcer.
    """
    alone = ask.turn.conversation_type is ConversationType.PERSONAL
    reader = Reader(ask.actor.id, ask.role) if ask.personal else None
    view = await view_batch(ask.session, number, reader=reader, house=ask.house, now=ask.now)
    assert view is not None
    lease = None if ask.turn.is_invoke else ask.now + POSTING
    beside = await cards_db.to_be_posted(
        ask.session, shows="batch", subject=str(number), conversation_id=ask.turn.conversation_id
    )
    if beside is not None:  # it belongs into this thread already, beside the card of the batch it came from
        card_id, beside.lease_until = beside.id, lease
    else:
        card_id = await cards_db.add_card(
            ask.session,
            shows="batch",
            subject=str(number),
            service_url=ask.turn.service_url,
            tenant_id=ask.turn.tenant_id,
            conversation_id=ask.turn.conversation_id,
            reader_id=ask.actor.id if alone else "",
            leased_until=lease,
        )
    await outbox.put(ask.session, [ANNOUNCE], now=ask.now)
    return ask.card(batch.batch_card(view, ask.frame), batch.summary(view), on_posted=remember(db, card_id))


async def posted_here(ask: Ask, db: Database, *, shows: str, subject: str) -> OnPosted:
    """Have the card that the turn answers with drawn again when what it shows changes."""
    card_id = await cards_db.add_card(
        ask.session,
        shows=shows,
        subject=subject,
        service_url=ask.turn.service_url,
        tenant_id=ask.turn.tenant_id,
        conversation_id=ask.turn.conversation_id,
        leased_until=ask.now + POSTING,
    )
    return remember(db, card_id)


def remember(db: Database, card_id: int) -> OnPosted:
    """Keep where a card was posted, so that it can be edited."""

    async def on_posted(posted: PostedMessage) -> None:
        async with db.transaction() as session:
            await cards_db.posted(
                session, card_id, conversation_id=posted.conversation_id, activity_id=posted.activity_id
            )

    return on_posted
