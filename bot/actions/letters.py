"""Presses on the card of a letter: the form, what comes back from it, and the second person's yes or no."""

from bot.answers import Answer
from bot.ask import Ask
from bot.commands.letters import letter_named, show_version
from bot.turns import ConversationType
from cards.letters import LetterPage, form_summary, letter_form, page_card, page_summary
from cards.verbs import LetterPress, Verb
from lucy.db import cards as cards_db
from lucy.db import outbox, templates
from lucy.db.engine import Database
from lucy.db.tables import TemplateRow
from lucy.domain.letter_texts import DEFAULTS
from lucy.domain.roles import Role
from lucy.errors import RequestError
from lucy.flows.edit_letter import SHOWS, LetterRefusedError, decide_letter, propose_letter
from lucy.flows.preview_letter import VALID_MIN, offer_page
from lucy.flows.redraw import ANNOUNCE
from lucy.flows.view_letters import view_letter, view_version
from lucy.texts import _

NEEDS: dict[Verb, tuple[Role, str]] = {
    Verb.LETTER_PAGE: (Role.CONSULTA, "ver las cartas"),
    Verb.LETTER_EDIT: (Role.ADMINISTRADOR, "cambiar cartas"),
    Verb.LETTER_PROPOSE: (Role.ADMINISTRADOR, "cambiar cartas"),
    Verb.LETTER_APPROVE: (Role.APROBADOR, "aprobar cartas"),
    Verb.LETTER_REJECT: (Role.APROBADOR, "rechazar cartas"),
}


async def press(ask: Ask, verb: Verb, db: Database) -> Answer:
    """Raises RequestError when the card cannot be understood, or the version waits no more."""
    pressed = LetterPress.parse(ask.turn.data)
    if pressed is None:
        raise RequestError(_("Esa tarjeta no se entiende. Escribí «plantillas» y seguí desde ahí."))
    if verb is Verb.LETTER_PAGE:
        return await _page(ask, pressed)
    if verb is Verb.LETTER_EDIT:
        return await _form(ask, pressed)
    if verb is Verb.LETTER_PROPOSE:
        return await _propose(ask, pressed, db)
    approve = verb is Verb.LETTER_APPROVE
    await decide_letter(ask.session, pressed.id, approve=approve, reason=pressed.reason, actor=ask.actor, now=ask.now)
    return await show_version(ask, pressed.id, db)


async def _page(ask: Ask, pressed: LetterPress) -> Answer:
    """A link for who pressed; what it shows is masked."""
    if not ask.house.public_url:
        raise RequestError(
            _("No sé con qué dirección se llega a Lucy. Un administrador tiene que poner LUCY_PUBLIC_URL.")
        )
    row = await ask.session.get(TemplateRow, pressed.id) if pressed.id else None
    template = templates.template_of(row) if row else DEFAULTS[letter_named(pressed.name)]
    url = await offer_page(ask.session, template, house=ask.house, now=ask.now)
    page = LetterPage(template.name.value, url, VALID_MIN)
    return ask.card(page_card(page, ask.frame), page_summary(page))


async def _form(ask: Ask, pressed: LetterPress) -> Answer:
    """Filled with the version that the card shows."""
    name = letter_named(pressed.name)
    shown = await view_version(ask.session, pressed.id, house=ask.house) if pressed.id else None
    view = shown or await view_letter(ask.session, name, house=ask.house, version=0)
    assert view is not None, "the letter that came with Lucy is always there"
    return ask.card(letter_form(view, ask.frame, subject=view.subject, html=view.html), form_summary(view))


async def _propose(ask: Ask, pressed: LetterPress, db: Database) -> Answer:
    """What cannot be used comes back as it was typed, with what is wrong."""
    name = letter_named(pressed.name)
    try:
        row = await propose_letter(
            ask.session,
            name,
            subject=pressed.subject,
            html=pressed.html,
            seen=pressed.version,
            actor=ask.actor,
            now=ask.now,
        )
    except LetterRefusedError as refused:
        view = await view_letter(ask.session, name, house=ask.house)
        assert view is not None, "the letter that came with Lucy is always there"
        faults = [str(one) for one in refused.faults]
        form = letter_form(view, ask.frame, subject=pressed.subject, html=pressed.html, faults=faults)
        return ask.card(form, form_summary(view))
    await _post(ask, row.id)
    return await show_version(ask, row.id, db)


async def _post(ask: Ask, id_: int) -> None:
    """Where it was asked for, and in the channel too when that was a personal chat: a second person has to see it."""
    places = [(ask.turn.service_url, ask.turn.tenant_id, ask.turn.conversation_id, False)]
    if ask.turn.conversation_type is ConversationType.PERSONAL:
        channels = await cards_db.staff_channels(ask.session)
        places += [(one.service_url, one.tenant_id, one.conversation_id, True) for one in channels]
    for service_url, tenant_id, conversation_id, new_thread in places:
        await cards_db.add_card(
            ask.session,
            shows=SHOWS,
            subject=str(id_),
            service_url=service_url,
            tenant_id=tenant_id,
            conversation_id=conversation_id,
            new_thread=new_thread,
        )
    await outbox.put(ask.session, [ANNOUNCE], now=ask.now)
