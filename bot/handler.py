"""A turn from start to end: may it be heard, was it heard before, who speaks, may they, what do they want.

All of it is one short transaction, the audit event included. Nothing slow happens here.
"""

import hashlib
import json
from collections.abc import Callable
from datetime import datetime

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from bot.access import Refusal, admit
from bot.actions import batch as batch_actions
from bot.actions import ingest as ingest_actions
from bot.actions import letters as letter_actions
from bot.actions import look as look_actions
from bot.actions import student as student_actions
from bot.answers import Answer, Reply
from bot.ask import Ask
from bot.commands.table import command_table
from bot.grammar import Command, NotUnderstood, parse
from bot.turns import ConversationType, Turn, TurnKind
from cards.verbs import Verb
from cards.welcome import summary, welcome_card
from lucy.db import audit, members
from lucy.db import cards as cards_db
from lucy.db.engine import Database
from lucy.db.tables import MemberRow
from lucy.domain.audit import Actor, AuditEvent
from lucy.domain.house import House
from lucy.domain.roles import Role, role_of
from lucy.domain.views import Frame
from lucy.errors import RequestError, RetryLater
from lucy.flows.come_and_go import note_coming, note_going, view_welcome
from lucy.flows.send_nudges import send_nudges
from lucy.log import mask_text
from lucy.ports import Nudger
from lucy.settings import Mode, Settings
from lucy.texts import _

log = structlog.get_logger(__name__)

_PRESSES = (
    (batch_actions.NEEDS, batch_actions.press),
    (ingest_actions.NEEDS, ingest_actions.press),
    (letter_actions.NEEDS, letter_actions.press),
    (student_actions.NEEDS, student_actions.press),
    (look_actions.NEEDS, look_actions.press),
)


class LucyHandler:
    """The bot's handler of turns (`bot.answers.Handler`)."""

    def __init__(self, settings: Settings, db: Database, nudger: Nudger, *, clock: Callable[[], datetime]) -> None:
        self._settings, self._db, self._nudger, self._clock = settings, db, nudger, clock
        self._house: House = settings.house()
        self._commands = command_table(db)

    async def handle(self, turn: Turn) -> Answer:
        now = self._clock()
        async with self._db.transaction() as session:
            answer = await self._heard(session, turn, now)
        try:
            await send_nudges(self._db, self._nudger)
        except RetryLater as error:  # the nudges wait in the outbox for the scheduler
            log.warning("bot.queue_away", error=str(error))
        return answer

    async def _heard(self, session: AsyncSession, turn: Turn, now: datetime) -> Answer:
        refusal = admit(
            turn,
            tenant_id=self._settings.tenant_id,
            allowed_teams=self._settings.allowed_teams,
            allowed_channels=self._settings.allowed_channels,
            any_when_unlisted=self._settings.mode is Mode.SANDBOX,
        )
        if refusal is not None:
            return await self._turned_away(session, turn, refusal, now)
        if turn.kind is TurnKind.REMOVED:
            return await self._goes(session, turn, now)
        await self._remember(session, turn, now)
        if turn.kind is TurnKind.INSTALLED:
            return await self._comes(session, turn, now)
        if turn.kind not in {TurnKind.MESSAGE, TurnKind.CARD_ACTION}:
            return Answer()
        if not await members.first_time(session, handled_keys(turn), now=now):
            log.info("bot.repeated", kind=turn.kind.value)
            return Answer.told(turn, _("Eso ya lo recibí; no se hace dos veces.")) if turn.is_invoke else Answer()
        person = turn.person
        member = await members.meet(session, entra_id=person.entra_id, name=person.name, teams_id=person.teams_id)
        role = role_of(person.entra_id, member.role if member else None, self._house.admins)
        actor = Actor(person.entra_id, person.name or person.entra_id)
        if role is None:
            await self._keep(session, actor, "speak", "denied", now)
            text = _("Todavía no podés usar a Lucy. Los permisos los da un administrador: {names}.")
            return Answer.told(turn, text.format(names=await self._admins(session)))
        ask = Ask(turn, session, self._house, now, actor, role)
        try:
            async with session.begin_nested():
                return await (self._pressed(ask) if turn.kind is TurnKind.CARD_ACTION else self._typed(ask))
        except RequestError as refused:
            await self._declined(ask, now)
            return ask.text(str(refused) if ask.personal else without_people(str(refused), typed=turn.text))

    async def _typed(self, ask: Ask) -> Answer:
        command = parse(ask.turn.text)
        if isinstance(command, NotUnderstood):
            await self._keep(ask.session, ask.actor, "text", "not_understood", ask.now)
            return ask.text(not_understood(command))
        entry = self._commands[command.name]
        if not ask.role.allows(entry.needs):
            return await self._not_allowed(ask, command.name.value, entry.needs, entry.does)
        return await entry.run(ask, command)

    async def _pressed(self, ask: Ask) -> Answer:
        try:
            verb = Verb(ask.turn.verb)
        except ValueError:
            raise RequestError(_("Ese botón no lo conozco. Escribí «ayuda».")) from None
        found = next(((needs[verb], press) for needs, press in _PRESSES if verb in needs), None)
        if found is None:
            raise RequestError(_("Eso todavía no se puede desde la tarjeta. Escribí «ayuda»."))
        (needed, does), press = found
        if not ask.role.allows(needed):
            return await self._not_allowed(ask, verb.value, needed, does)
        return await press(ask, verb, self._db)

    async def _remember(self, session: AsyncSession, turn: Turn, now: datetime) -> None:
        """Where Lucy may post: only what came through authentication and the allow-lists gets here."""
        kind = "channel" if turn.conversation_type is ConversationType.CHANNEL else "personal"
        conversation = turn.channel_id or turn.base_conversation
        await cards_db.remember_conversation(
            session,
            {
                "conversation_id": conversation,
                "kind": kind,
                "service_url": turn.service_url,
                "tenant_id": turn.tenant_id,
                "team_id": turn.team_id,
                "channel_id": turn.channel_id,
                "updated_at": now,
            },
        )

    async def _comes(self, session: AsyncSession, turn: Turn, now: datetime) -> Answer:
        """Added to a team: Teams tells it more than once, and it is answered once a day. A private chat is greeted
        when somebody writes there."""
        if turn.conversation_type is not ConversationType.CHANNEL:
            return Answer()
        day = now.astimezone(self._house.zone).date().isoformat()
        if not await members.first_time(session, [f"added:{turn.team_id or turn.base_conversation}:{day}"], now=now):
            return Answer()
        await note_coming(session, turn.base_conversation, actor=_who(turn), now=now)
        view = await view_welcome(session, house=self._house, channel=_("este equipo"))
        frame = Frame(self._house.environment, self._house.zone, now)
        return Answer(replies=(Reply(card=welcome_card(view, frame), summary=summary(view)),))

    async def _goes(self, session: AsyncSession, turn: Turn, now: datetime) -> Answer:
        """Taken out: nothing is posted there until somebody lets her in again."""
        conversation = turn.channel_id or turn.base_conversation
        await note_going(session, conversation, team=turn.team_id, actor=_who(turn), now=now)
        return Answer()

    async def _turned_away(self, session: AsyncSession, turn: Turn, refusal: Refusal, now: datetime) -> Answer:
        """Nothing is said into a place that is not ours; that somebody tried is kept."""
        log.warning("bot.turned_away", reason=refusal.value)
        if turn.kind in {TurnKind.MESSAGE, TurnKind.CARD_ACTION}:
            who = turn.person.entra_id or "unknown"
            event = AuditEvent(
                Actor(who, turn.person.name or who), "bot.turn", refusal.value, detail={"tenant": turn.tenant_id}
            )
            await audit.record(session, [event], now=now)
        return Answer.refused()

    async def _keep(self, session: AsyncSession, actor: Actor, what: str, outcome: str, now: datetime) -> None:
        await audit.record(session, [AuditEvent(actor, f"bot.{what}", outcome)], now=now)

    async def _declined(self, ask: Ask, now: datetime) -> None:
        """A person asked for what cannot be done: the attempt is kept, without the words that may name people."""
        command = parse(ask.turn.text) if ask.turn.kind is TurnKind.MESSAGE else None
        verb = ask.turn.verb if ask.turn.verb in set(Verb) else "press"
        what = command.name.value if isinstance(command, Command) else verb
        await self._keep(ask.session, ask.actor, what, "declined", now)

    async def _not_allowed(self, ask: Ask, what: str, needed: Role, does: str) -> Answer:
        await self._keep(ask.session, ask.actor, what, "denied", ask.now)
        text = _("Para {does} hace falta el rol {needed}. Tu rol es {role}. Lo cambia un administrador: {names}.")
        names = await self._admins(ask.session)
        return ask.text(text.format(does=_(does), needed=needed.value, role=ask.role.value, names=names))

    async def _admins(self, session: AsyncSession) -> str:
        people = await members.everyone(session)
        named = [one for one in people if is_admin(one, self._house)]
        return ", ".join(one.name for one in named if one.name) or _("los que figuran en LUCY_ADMINS")


def _who(turn: Turn) -> Actor:
    return Actor(turn.person.entra_id or "unknown", turn.person.name or turn.person.entra_id or "unknown")


def without_people(said: str, *, typed: str) -> str:
    """What the bot repeats of a person's words into the channel: without whole numbers and addresses."""
    for word in typed.split():
        masked = mask_text(word)
        if masked != word:
            said = said.replace(word, masked)
    return said


def is_admin(member: MemberRow, house: House) -> bool:
    return role_of(member.entra_id, member.role, house.admins) is Role.ADMINISTRADOR


def handled_keys(turn: Turn) -> list[str]:
    """What makes a turn the same one again.

    Teams sends a slow message again, sometimes with a new id (contracts/teams-bot.md, section 5): then the same person,
    words and moment tell. A press is the same when it is the same button with the same data on the same card, except
    where pressing again is meant (looking, paging).
    """
    keys = [f"id:{turn.base_conversation}:{turn.activity_id}"] if turn.activity_id else []
    if turn.kind is TurnKind.MESSAGE and turn.timestamp is not None:
        words = digest(turn.person.entra_id, turn.text, turn.timestamp.isoformat())
        keys.append(f"said:{turn.base_conversation}:{words}")
    if turn.verb == Verb.BATCH_PROPOSE.value:
        data = json.dumps(dict(turn.data), sort_keys=True, default=str)
        keys.append(f"press:{turn.base_conversation}:{turn.reply_to_id}:{digest(turn.verb, data)}")
    return keys


def digest(*parts: str) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:32]


def not_understood(found: NotUnderstood) -> str:
    """What to type instead."""
    first = found.suggestions[0] if found.suggestions else ""
    if found.known_later:
        return _("«{command}» todavía no está. Con «ayuda» ves lo que ya se puede.").format(command=first)
    if found.suggestions:
        choices = _(" o ").join(f"«{one}»" for one in found.suggestions)
        return _("No te entendí. ¿Quisiste decir {choices}? Con «ayuda» ves todo.").format(choices=choices)
    return _("No te entendí. Con «ayuda» ves lo que se puede.")
