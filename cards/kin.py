"""Where a batch came from, who fell out of it, and the batches that came from it."""

from cards import wording
from cards.parts import Block, RichText, Run
from cards.reasons import reason_lines
from lucy.domain.batches import Relation
from lucy.domain.views import BatchView
from lucy.texts import _, number, plural

CHANGES_SHOWN = 4
CODES_SHOWN = 6


def parent_lines(view: BatchView) -> list[Block]:
    """Where it came from; for those who changed, with what changed."""
    if view.parent is None:
        return []
    line: Block = RichText(Run(_came_from(view, view.parent.relation, view.parent.code), bold=True))
    if view.parent.relation is Relation.CHANGED and not view.dropped:
        return [line, *reason_lines(view.changes, limit=CHANGES_SHOWN)]
    return [line]


def _came_from(view: BatchView, relation: Relation, code: str) -> str:
    count = view.students
    match relation:
        case Relation.CHANGED:
            text = plural(
                "Viene de {{code}}: {n} alumno cambió después de la aprobación",
                "Viene de {{code}}: {n} alumnos cambiaron después de la aprobación",
                count,
            )
        case Relation.SPLIT:
            text = plural(
                "Viene de {{code}}: {n} alumno que quedó para después al partirla",
                "Viene de {{code}}: {n} alumnos que quedaron para después al partirla",
                count,
            )
        case Relation.WITHHELD:
            text = plural(
                "Bajas apartadas de {{code}}: las de {n} alumno, que se deciden aparte",
                "Bajas apartadas de {{code}}: las de {n} alumnos, que se deciden aparte",
                count,
            )
        case Relation.REST:
            text = plural(
                "Viene de {{code}}: {n} alumno que no se había empezado cuando se canceló",
                "Viene de {{code}}: {n} alumnos que no se habían empezado cuando se canceló",
                count,
            )
        case Relation.UNDO:
            text = _("Deshace {code}")
    return text.format(code=code)


def dropped_lines(view: BatchView) -> list[Block]:
    """Students who fell out because they are no longer as they were approved."""
    if not view.dropped:
        return []
    line = plural(
        "{n} quedó afuera: cambió después de la aprobación",
        "{n} quedaron afuera: cambiaron después de la aprobación",
        view.dropped,
    )
    return [RichText(Run(line, bold=True)), *reason_lines(view.changes, limit=CHANGES_SHOWN)]


def child_lines(view: BatchView) -> list[Block]:
    """Where those go on who are no longer in this batch."""
    blocks: list[Block] = []
    for relation in Relation:
        codes = [kin.code for kin in view.children if kin.relation is relation]
        if not codes:
            continue
        text = wording.listed(codes[:CODES_SHOWN])
        if (rest := len(codes) - CODES_SHOWN) > 0:
            text = _("{codes} y {n} más").format(codes=text, n=number(rest))
        blocks.append(RichText(_goes_on(view, relation).format(codes=text), spacing="small"))
    return blocks


def _goes_on(view: BatchView, relation: Relation) -> str:
    match relation:
        case Relation.CHANGED:
            return plural(
                "El que cambió se pide de nuevo en {{codes}}.",
                "Los {n} que cambiaron se piden de nuevo en {{codes}}.",
                view.dropped,
            )
        case Relation.SPLIT:
            return _("Los que no entraban quedaron en {codes}.")
        case Relation.WITHHELD:
            return _("Las bajas quedaron aparte, en {codes}.")
        case Relation.REST:
            return _("Los que no se habían empezado quedaron en {codes}.")
        case Relation.UNDO:
            return _("Se deshace en {codes}.")
