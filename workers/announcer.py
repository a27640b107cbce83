"""Posts cards and draws them again in place: at most one edit every 3 seconds a card, and always the last one."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import structlog
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from cards.batch import batch_card
from cards.batch import summary as batch_summary
from cards.drift import drift_card
from cards.drift import summary as drift_summary
from cards.ingest import ingest_card
from cards.ingest import summary as ingest_summary
from cards.letters import letter_card, letter_summary
from cards.outage import outage_card
from cards.outage import summary as outage_summary
from cards.report import report_card
from cards.report import summary as report_summary
from cards.rules import rules_card
from cards.rules import summary as rules_summary
from cards.trial_letter import summary as trial_letter_summary
from cards.trial_letter import trial_letter_card
from cards.waiting import summary as waiting_summary
from cards.waiting import waiting_card
from lucy.db import audit, members
from lucy.db import cards as cards_db
from lucy.db.engine import Database
from lucy.db.tables import IngestRunRow, PostedCardRow, TrialLetterRow
from lucy.domain.audit import LUCY, AuditEvent
from lucy.domain.house import House
from lucy.domain.roles import Role, role_of
from lucy.domain.views import Frame
from lucy.errors import NotFound, OutcomeUnknown, Refused, RemoteError, RetryLater
from lucy.flows.check_accounts import SHOWS as DRIFT
from lucy.flows.check_courses import SHOWS as RULES
from lucy.flows.come_and_go import note_blocked
from lucy.flows.edit_letter import SHOWS as LETTER
from lucy.flows.nudge_approvers import view_waiting
from lucy.flows.send_trial_letter import SHOWS as TRIAL_LETTER
from lucy.flows.send_trial_letter import view_of
from lucy.flows.signs_of_life import signs_of_life
from lucy.flows.view_batch import Reader, view_batch
from lucy.flows.view_drift import view_drift
from lucy.flows.view_letters import view_version
from lucy.flows.view_outage import view_outage
from lucy.flows.view_report import list_report, view_report
from lucy.flows.view_rules import view_rules
from lucy.ports import Channel, ConversationAddress

log = structlog.get_logger(__name__)

EVERY_S = 3.0
LEASE_S = 10.0  # a card freezes for this long when the process that draws it is killed
LONGEST_WAIT_S = 300.0


@dataclass(frozen=True, slots=True)
class Drawing:
    """A card ready to be sent."""

    card: Mapping[str, object]
    summary: str


class Announcer:
    """The one way by which cards change after they were first shown. Runs once at a time in a process."""

    def __init__(
        self, db: Database, channel: Channel, house: House, *, every_s: float = EVERY_S, lease_s: float = LEASE_S
    ) -> None:
        self._db, self._channel, self._house, self._every_s, self._lease_s = db, channel, house, every_s, lease_s
        self._running = False

    async def run(self) -> None:
        """Draw every card that is behind and may be drawn now."""
        if self._running:
            return
        self._running = True
        try:
            while await self._once():
                pass
        finally:
            self._running = False

    async def _once(self) -> bool:
        now = datetime.now(UTC)
        async with self._db.transaction() as session:
            card = await cards_db.claim_card(session, now=now, lease_s=self._lease_s, every_s=self._every_s)
            if card is None:
                return False
            version = card.wanted_version
        # The claim is kept: a card that cannot be drawn waits out its lease and does not stand in the way of others.
        try:
            async with self._db.transaction() as session:
                drawing = await self._draw(session, card, now)
        except (DBAPIError, OSError):
            raise
        except Exception:  # a fault of ours with this one: the others go on, and it is tried again when it changes
            log.exception("card.not_drawn", card=card.id, shows=card.shows)
            drawing = None
        if drawing is None:
            async with self._db.transaction() as session:
                await cards_db.give_up(session, card.id)
            return True

        async def renew(session: AsyncSession, now: datetime) -> None:
            await cards_db.keep_lease(session, card.id, now=now, lease_s=self._lease_s)

        try:
            async with signs_of_life(self._db, renew, lease_s=self._lease_s):
                conversation_id, activity_id = await self._send(card, drawing)
        except RemoteError as error:
            await self._not_sent(card, error)
            return True
        async with self._db.transaction() as session:
            await cards_db.drawn(
                session,
                card.id,
                version=version,
                now=datetime.now(UTC),
                conversation_id=conversation_id,
                activity_id=activity_id,
            )
        return True

    async def _draw(self, session: AsyncSession, card: PostedCardRow, now: datetime) -> Drawing | None:
        """What the card shows now, for the readers of the channel; None when its subject is gone."""
        frame = Frame(self._house.environment, self._house.zone, now)
        if card.shows == "batch":
            reader = await self._reader(session, card.reader_id)
            batch = await view_batch(session, int(card.subject), reader=reader, house=self._house, now=now)
            return Drawing(batch_card(batch, frame), batch_summary(batch)) if batch else None
        if card.shows == "waiting":
            waiting = await view_waiting(session, int(card.subject), house=self._house)
            if waiting is None or (waiting.outcome and not card.activity_id):
                return None  # decided before the reminder went out
            return Drawing(waiting_card(waiting, frame), waiting_summary(waiting, frame))
        if card.shows == "report":
            report = await view_report(session, date.fromisoformat(card.subject), house=self._house)
            return Drawing(report_card(report, frame), report_summary(report))
        if card.shows == "outage":
            outage = await view_outage(session, int(card.subject))
            return Drawing(outage_card(outage, frame), outage_summary(outage, frame)) if outage else None
        if card.shows == TRIAL_LETTER:
            letter = await session.get(TrialLetterRow, int(card.subject))
            if letter is None:
                return None
            sent = view_of(letter)
            return Drawing(trial_letter_card(sent, frame), trial_letter_summary(sent))
        if card.shows == LETTER:
            text = await view_version(session, int(card.subject), house=self._house)
            return Drawing(letter_card(text, frame), letter_summary(text)) if text else None
        if card.shows == RULES:
            rules = await view_rules(session)
            return Drawing(rules_card(rules, frame), rules_summary(rules))
        if card.shows == DRIFT:
            drift = await view_drift(session)
            return Drawing(drift_card(drift, frame), drift_summary(drift))
        run = await session.get(IngestRunRow, int(card.subject))
        if run is None:
            return None
        report_of_list = list_report(run)
        return Drawing(ingest_card(report_of_list, frame), ingest_summary(report_of_list))

    async def _reader(self, session: AsyncSession, entra_id: str) -> Reader | None:
        """The one who reads the card in a personal chat; None for a channel."""
        if not entra_id:
            return None
        member = await members.get(session, entra_id)
        role = role_of(entra_id, member.role if member else None, self._house.admins)
        return Reader(entra_id, role or Role.CONSULTA)

    async def _send(self, card: PostedCardRow, drawing: Drawing) -> tuple[str, str]:
        """Edit the card, or post it the first time; returns where it is now."""
        address = ConversationAddress(card.service_url, card.conversation_id, card.tenant_id)
        if card.activity_id:
            await self._channel.update_card(address, card.activity_id, drawing.card, summary=drawing.summary)
            return card.conversation_id, card.activity_id
        post = self._channel.start_thread if card.new_thread else self._channel.post_card
        posted = await post(address, drawing.card, summary=drawing.summary)
        return posted.conversation_id, posted.activity_id

    async def _not_sent(self, card: PostedCardRow, error: RemoteError) -> None:
        """Wait and try again, post anew what somebody deleted, or give up on what Teams will never take."""
        log.warning("card.not_sent", card=card.id, shows=card.shows, code=error.code, error=str(error))
        now = datetime.now(UTC)
        async with self._db.transaction() as session:
            if isinstance(error, NotFound) and card.activity_id:
                await cards_db.post_anew(session, card)
            elif isinstance(error, (RetryLater, OutcomeUnknown)):
                wait = error.after_s if isinstance(error, RetryLater) else 0.0
                wait = max(wait, min(LONGEST_WAIT_S, 2.0 ** min(card.attempts, 10)))
                await cards_db.postpone(session, card.id, until=now + timedelta(seconds=wait))
            else:
                await cards_db.give_up(session, card.id)
                if isinstance(error, (Refused, NotFound)) and not card.activity_id:
                    await note_blocked(session, card.conversation_id, code=error.code, now=now)
                event = AuditEvent(
                    LUCY, "card.post", f"failed {error.code}", detail={"shows": card.shows, "subject": card.subject}
                )
                await audit.record(session, [event], now=now)
