"""What this reader may ask for."""

from cards import wording
from cards.layout import heading, sheet
from cards.parts import Block, Container, RichText, Run
from lucy.domain.views import Frame, HelpEntry, HelpView
from lucy.texts import _

ENTRIES_SHOWN = 40


def help_card(view: HelpView, frame: Frame) -> dict[str, object]:
    title = _("Ayuda · lo que podés pedir")
    role = _("Tu rol es {role}").format(role=view.role) if view.role else ""
    body: list[Block] = [heading(title, frame, state=role)]
    if not view.entries:
        body.append(RichText(_("Todavía no tenés permiso para nada. Lo da un administrador.")))
    body += [_entry(entry) for entry in view.entries[:ENTRIES_SHOWN]]
    return sheet(body, summary(view))


def summary(view: HelpView) -> str:
    commands = wording.listed(entry.command for entry in view.entries)
    return _("Ayuda: {commands}").format(commands=wording.clip(commands, 200) or _("sin permisos"))


def _entry(entry: HelpEntry) -> Container:
    blocks: list[Block] = [RichText(Run(entry.command, bold=True, mono=True), f" {wording.clip(entry.does, 160)}")]
    if entry.example:
        example = Run(_("Por ejemplo: {example}").format(example=entry.example), size="small", subtle=True)
        blocks.append(RichText(example, spacing="none"))
    return Container(blocks, spacing="small")
