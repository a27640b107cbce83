"""Cards in conversations: which one shows what, and how far behind it is."""

from datetime import datetime, timedelta

from sqlalchemy import func, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from lucy.db.tables import ConversationRow, PostedCardRow


async def remember_conversation(session: AsyncSession, values: dict[str, object]) -> None:
    """Learn where a conversation lives; the service URL may change, the newest counts."""
    statement = insert(ConversationRow).values(**values)
    changed = {name: getattr(statement.excluded, name) for name in values if name != "conversation_id"}
    await session.execute(
        statement.on_conflict_do_update(
            index_elements=[ConversationRow.conversation_id],
            set_={**changed, "gone_at": None},
            where=(ConversationRow.service_url != statement.excluded.service_url)
            | ConversationRow.gone_at.is_not(None)
            | (ConversationRow.team_id != statement.excluded.team_id),
        )
    )


async def staff_channels(session: AsyncSession) -> list[ConversationRow]:
    """Channels where Lucy was installed or spoken to (the bot lets in only allowed ones)."""
    there = (ConversationRow.kind == "channel", ConversationRow.gone_at.is_(None))
    statement = select(ConversationRow).where(*there).order_by(ConversationRow.updated_at)
    return list((await session.scalars(statement)).all())


async def mark_gone(session: AsyncSession, conversation_id: str, *, team: str, now: datetime) -> int:
    """Nothing is posted there any more, nor in the other channels of the team; returns how many that are."""
    base = conversation_id.partition(";")[0]
    these = ConversationRow.conversation_id == base
    if team:
        these = these | (ConversationRow.team_id == team)
    gone = await session.execute(
        update(ConversationRow)
        .where(these, ConversationRow.gone_at.is_(None))
        .values(gone_at=now)
        .returning(ConversationRow.conversation_id)
    )
    return len(gone.all())


async def add_card(
    session: AsyncSession,
    *,
    shows: str,
    subject: str,
    service_url: str,
    tenant_id: str,
    conversation_id: str,
    new_thread: bool = False,
    reader_id: str = "",
    leased_until: datetime | None = None,
) -> int:
    """A card to be posted. With `leased_until` the caller posts it now; after that the announcer would."""
    row = PostedCardRow(
        shows=shows,
        subject=subject,
        service_url=service_url,
        tenant_id=tenant_id,
        conversation_id=conversation_id,
        new_thread=new_thread,
        reader_id=reader_id,
        lease_until=leased_until,
    )
    session.add(row)
    await session.flush()
    return row.id


async def of_subject(session: AsyncSession, *, shows: str, subject: str) -> list[PostedCardRow]:
    """Every card that shows this."""
    statement = select(PostedCardRow).where(PostedCardRow.shows == shows, PostedCardRow.subject == subject)
    return list((await session.scalars(statement.order_by(PostedCardRow.id))).all())


async def to_be_posted(
    session: AsyncSession, *, shows: str, subject: str, conversation_id: str
) -> PostedCardRow | None:
    """A card of this in that very conversation that nobody has posted yet."""
    statement = select(PostedCardRow).where(
        PostedCardRow.shows == shows,
        PostedCardRow.subject == subject,
        PostedCardRow.conversation_id == conversation_id,
        PostedCardRow.activity_id == "",
    )
    return (await session.scalars(statement.order_by(PostedCardRow.id))).first()


async def want_redraw(session: AsyncSession, *, shows: str, subject: str) -> None:
    """What a card shows has changed."""
    await session.execute(
        update(PostedCardRow)
        .where(PostedCardRow.shows == shows, PostedCardRow.subject == subject)
        .values(wanted_version=PostedCardRow.wanted_version + 1)
    )


async def claim_card(session: AsyncSession, *, now: datetime, lease_s: float, every_s: float) -> PostedCardRow | None:
    """Take one card that is behind and was not drawn in the last `every_s` seconds.

    While a conversation has a card in hand, its other cards wait: Teams answers 412 to two operations at once.
    """
    found = await session.execute(
        text(
            """
            select card.id from posted_card card
            where card.drawn_version < card.wanted_version
              and (card.lease_until is null or card.lease_until < :now)
              and (card.drawn_at is null or card.drawn_at <= :drawn_before)
              and not exists (select 1 from posted_card other
                              where other.conversation_id = card.conversation_id and other.id <> card.id
                                and other.lease_until >= :now)
            order by card.drawn_at nulls first, card.id
            limit 1
            for update of card skip locked
            """
        ),
        {"now": now, "drawn_before": now - timedelta(seconds=every_s)},
    )
    row = found.first()
    if row is None:
        return None
    card = await session.get(PostedCardRow, row.id)
    assert card is not None
    card.lease_until = now + timedelta(seconds=lease_s)
    card.attempts += 1
    return card


async def keep_lease(session: AsyncSession, card_id: int, *, now: datetime, lease_s: float) -> None:
    """A sign of life of whoever draws the card."""
    await session.execute(
        update(PostedCardRow)
        .where(PostedCardRow.id == card_id, PostedCardRow.lease_until.is_not(None))
        .values(lease_until=now + timedelta(seconds=lease_s))
    )


async def drawn(
    session: AsyncSession,
    card_id: int,
    *,
    version: int,
    now: datetime,
    conversation_id: str = "",
    activity_id: str = "",
) -> None:
    """Note what was drawn, and where it was posted the first time."""
    values: dict[str, object] = {"drawn_version": version, "drawn_at": now, "lease_until": None, "attempts": 0}
    if activity_id:
        values |= {"activity_id": activity_id, "conversation_id": conversation_id, "new_thread": False}
    await session.execute(update(PostedCardRow).where(PostedCardRow.id == card_id).values(**values))


async def posted(session: AsyncSession, card_id: int, *, conversation_id: str, activity_id: str) -> None:
    """Note where a card was posted by a turn: drawn once, and again when anything changed since."""
    await session.execute(
        update(PostedCardRow)
        .where(PostedCardRow.id == card_id)
        .values(
            activity_id=activity_id,
            conversation_id=conversation_id,
            drawn_version=func.greatest(PostedCardRow.drawn_version, 1),
            drawn_at=func.now(),
            lease_until=None,
        )
    )


async def postpone(session: AsyncSession, card_id: int, *, until: datetime) -> None:
    """Leave a card alone until a moment."""
    await session.execute(update(PostedCardRow).where(PostedCardRow.id == card_id).values(lease_until=until))


async def post_anew(session: AsyncSession, card: PostedCardRow) -> None:
    """Somebody deleted the card: it is posted again. Where it was the root of its thread, that takes a new thread."""
    values: dict[str, object] = {"activity_id": "", "lease_until": None}
    channel, _mark, root = card.conversation_id.partition(";messageid=")
    if root == card.activity_id:
        values |= {"conversation_id": channel, "new_thread": True}
    await session.execute(update(PostedCardRow).where(PostedCardRow.id == card.id).values(**values))


async def give_up(session: AsyncSession, card_id: int) -> None:
    """Teams will never take this card: stop trying (the reason is in the log and the audit)."""
    await session.execute(
        update(PostedCardRow)
        .where(PostedCardRow.id == card_id)
        .values(drawn_version=PostedCardRow.wanted_version, lease_until=None)
    )


async def any_to_draw(session: AsyncSession, *, now: datetime, every_s: float) -> bool:
    """Whether a card is behind that may be drawn now."""
    found = await session.scalar(
        select(PostedCardRow.id)
        .where(
            PostedCardRow.drawn_version < PostedCardRow.wanted_version,
            func.coalesce(PostedCardRow.drawn_at, now - timedelta(seconds=every_s)) <= now - timedelta(seconds=every_s),
            func.coalesce(PostedCardRow.lease_until, now) <= now,
        )
        .limit(1)
    )
    return found is not None
