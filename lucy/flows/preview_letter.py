"""How a letter looks for a real student whom nobody can recognise: a picture where there is a browser, else a page."""

import hashlib
import re
import secrets
from datetime import UTC, datetime, timedelta

import structlog
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from lucy.db import accounts as accounts_db
from lucy.db import cards as cards_db
from lucy.db import outbox, previews, templates
from lucy.db import students as students_db
from lucy.db.engine import Database
from lucy.db.tables import StudentRow
from lucy.domain.house import House
from lucy.domain.letter_values import EXAMPLES, SCOPE, masked_values
from lucy.domain.letters import Rendered, Template, render
from lucy.domain.nudges import Nudge
from lucy.domain.plans import upn_for
from lucy.flows.edit_letter import SHOWS
from lucy.flows.redraw import ANNOUNCE
from lucy.ports import Painter

log = structlog.get_logger(__name__)

VALID_MIN = 15
PICTURES, PAGES = "/cartas/imagen/", "/cartas/"
_TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")


def digest_of(template: Template) -> str:
    """Of the text, whichever version it is of; with the frame, which changes with Lucy."""
    return hashlib.sha256(render(template, dict.fromkeys(template.places, "")).html.encode()).hexdigest()


async def sample(session: AsyncSession, template: Template, house: House) -> Rendered:
    """For somebody whom it may go to, masked; for an example where there is nobody."""
    scope = SCOPE[template.name]
    id_ = await session.scalar(select(StudentRow.id).where(StudentRow.stage.in_(scope)).limit(1)) if scope else None
    if id_ is None:
        someone = {"nombre": "A●●●", "apellido": "B●●●", "dni": "●●●●3456", "email": "a●●●@example.com", "upn": "a●●●"}
        return render(template, {**EXAMPLES, **someone, "password": "●●●●●●●●"})
    student = (await students_db.load(session, [id_]))[id_]
    account = (await accounts_db.accounts(session, [id_])).get(id_)
    given = upn_for(student.document_number, prefix=house.account_prefix, domain=house.account_domain)
    return render(template, masked_values(student, account.upn if account else given))


# Pictures


async def want_pictures(session: AsyncSession, *, now: datetime) -> None:
    """Have drawn what has no picture yet."""
    await outbox.put(session, [Nudge("draw_letters")], now=now)


async def draw_letters(db: Database, painter: Painter, *, house: House) -> int:
    """Draw the texts that go out or wait and have no picture; returns how many. Cards that show them follow."""
    async with db.transaction() as session:
        waiting = await templates.proposed(session)
        texts = dict.fromkeys((await templates.all_live(session)).values(), 0)
        texts |= {templates.template_of(row): row.id for row in waiting}
        there = await previews.drawn(session)
        await previews.forget_pictures(session, but={digest_of(template) for template in texts})
        wanted = {
            template: (await sample(session, template, house)).html
            for template in texts
            if digest_of(template) not in there
        }
    count = 0
    for template, html in wanted.items():
        png = await painter.picture(html)
        if png is None:
            log.warning("letters.not_drawn", letter=template.name.value)
            continue
        count += 1
        async with db.transaction() as session:
            now = datetime.now(UTC)
            await previews.keep_picture(session, digest_of(template), token=secrets.token_urlsafe(), png=png, now=now)
            if texts[template]:
                await cards_db.want_redraw(session, shows=SHOWS, subject=str(texts[template]))
                await outbox.put(session, [ANNOUNCE], now=now)
    return count


async def picture_url(session: AsyncSession, template: Template, house: House) -> str:
    """Empty where there is no picture, or nobody knows how Lucy is reached."""
    token = await previews.picture_token(session, digest_of(template)) if house.public_url else ""
    return f"{house.public_url}{PICTURES}{token}" if token else ""


async def read_picture(session: AsyncSession, token: str) -> bytes | None:
    return await previews.picture(session, token) if _TOKEN.fullmatch(token) else None


# Pages


async def offer_page(session: AsyncSession, template: Template, *, house: House, now: datetime) -> str:
    """The address of a page that is opened once."""
    token = secrets.token_urlsafe()
    html = (await sample(session, template, house)).html
    await previews.add_page(session, _hash(token), html, expires_at=now + timedelta(minutes=VALID_MIN))
    return f"{house.public_url}{PAGES}{token}"


async def take_page(session: AsyncSession, token: str, *, now: datetime) -> str | None:
    return await previews.take_page(session, _hash(token), now=now) if _TOKEN.fullmatch(token) else None


async def page_stands(session: AsyncSession, token: str, *, now: datetime) -> bool:
    """Whether it would be shown, for those that only look."""
    return _TOKEN.fullmatch(token) is not None and await previews.page_stands(session, _hash(token), now=now)


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
