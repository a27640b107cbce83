"""`permisos`: who may do what; `permisos dar <rol> <id>` and `permisos quitar <id>` for administrators."""

import re

from bot.answers import Answer
from bot.ask import Ask
from bot.grammar import Command
from cards.notice import Notice, notice_card, summary
from lucy.db import audit, members
from lucy.domain.audit import AuditEvent
from lucy.domain.roles import Role, role_of
from lucy.domain.selections import fold
from lucy.errors import RequestError
from lucy.texts import _

_ENTRA_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


async def permissions(ask: Ask, command: Command) -> Answer:
    """Raises RequestError when the role or the person is not understood."""
    words = command.argument.split()
    if not words:
        return await _list(ask)
    verb = fold(words[0])
    if verb in {"dar", "grant", "give"} and len(words) == 3:
        return await _grant(ask, _role(words[1]), words[2])
    if verb in {"quitar", "revoke", "remove"} and len(words) == 2:
        return await _grant(ask, None, words[1])
    raise RequestError(_("Se escribe: permisos dar <rol> <id de Entra>, o permisos quitar <id de Entra>."))


async def _list(ask: Ask) -> Answer:
    people = await members.everyone(ask.session)
    lines = [
        _("{name}: {role}").format(name=person.name or person.entra_id, role=role.value)
        for person in people
        if (role := role_of(person.entra_id, person.role, ask.house.admins)) is not None
    ]
    known = {person.entra_id for person in people}
    lines += [_("{name}: {role}").format(name=one, role=Role.ADMINISTRADOR) for one in sorted(ask.house.admins - known)]
    notice = Notice(
        _("Permisos"), "\n".join(lines), ("permisos dar operador <id de Entra>", "permisos quitar <id de Entra>")
    )
    return ask.card(notice_card(notice, ask.frame), summary(notice))


async def _grant(ask: Ask, role: Role | None, entra_id: str) -> Answer:
    target = entra_id.lower()
    if not _ENTRA_ID.fullmatch(target):
        raise RequestError(
            _("«{id}» no es un id de objeto de Entra. Está en la ficha del usuario.").format(id=entra_id)
        )
    if target in ask.house.admins:
        raise RequestError(_("Esa persona es administradora por la instalación (LUCY_ADMINS): no se cambia desde acá."))
    row = await members.grant(ask.session, entra_id=target, role=role, granted_by=ask.actor.id, now=ask.now)
    event = AuditEvent(ask.actor, "member.grant", role.value if role else "none", detail={"person": target})
    await audit.record(ask.session, [event], now=ask.now)
    name = row.name or target
    if role is None:
        return ask.text(_("{name} ya no tiene permisos.").format(name=name))
    return ask.text(_("{name} ahora tiene el rol {role}.").format(name=name, role=role.value))


def _role(text: str) -> Role:
    try:
        return Role(fold(text))
    except ValueError:
        roles = ", ".join(Role)
        raise RequestError(_("«{text}» no es un rol. Los que hay: {roles}.").format(text=text, roles=roles)) from None
