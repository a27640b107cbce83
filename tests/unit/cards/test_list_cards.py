"""What waits for a decision: in `lotes`, in the report, in the daily nudge; and why a student is not done."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from cards.as_text import as_text
from cards.batch_rows import batch_rows_card
from cards.batches import batches_card, in_order, summary
from cards.parts import Mention
from cards.report import waiting_text
from cards.verbs import BatchPress
from cards.waiting import waiting_card
from tests.unit.cards.batch_samples import FRAME
from tests.unit.cards.card_json import action
from tests.unit.cards.card_samples import LINES, NUDGE, REASONED, WAITING


def test_those_that_wait_come_first_the_oldest_on_top() -> None:
    assert [line.code for line in in_order(LINES)] == ["L-0118", "L-0119", "L-0122", "L-0121", "L-0120"]
    lines = as_text(batches_card(LINES, FRAME)).splitlines()
    assert lines[3].endswith("Retenida")
    assert lines[4].endswith("hace 4 días")
    assert summary(LINES) == "Lotes: 5 lotes, 2 esperan que alguien decida"
    assert summary(LINES[:1]) == "Lotes: 1 lote"


def test_the_report_says_how_long_and_whether_it_is_held() -> None:
    assert waiting_text(WAITING[0], FRAME).endswith("espera hace 2 días")
    assert waiting_text(WAITING[1], FRAME).endswith("retenida hace 1 día")
    assert waiting_text(WAITING[2], FRAME).endswith("espera desde el 24/11 08:12")


def test_the_nudge_calls_those_who_may_decide() -> None:
    card: Any = waiting_card(NUDGE, FRAME)
    first, second = card["msteams"]["entities"]
    assert first["mentioned"] == {"id": "29:1aBc", "name": "Ñusta Belén Yrigoyen"}
    (text,) = [block["text"] for block in card["body"] if block["type"] == "TextBlock"]
    assert first["text"] in text
    assert second["text"] in text
    assert "<at>Nadie" not in text  # never met in Teams: named, not called
    see = action(card, "Ver L-0121")
    assert (see["verb"], BatchPress.parse(see["data"])) == ("batch.view", BatchPress(121, 3))
    assert "Para decidir: @Ñusta Belén Yrigoyen, @Óscar" in as_text(card)
    assert card["fallbackText"].startswith("L-0121 espera aprobación hace 2 días: Activación completa, 12 alumnos")


def test_a_nudge_without_approvers_calls_nobody() -> None:
    card: Any = waiting_card(replace(NUDGE, mentions=(), since=FRAME.drawn_at - timedelta(hours=3)), FRAME)
    assert card["msteams"] == {"width": "Full"}
    assert "Espera aprobación desde el 24/11 05:16" in as_text(card)


def test_a_name_cannot_end_its_mention() -> None:
    mention = Mention("A</at> *B*", "29:a")
    assert mention.text == "<at>A‹/at› ∗B∗</at>"
    assert mention.entity()["text"] == mention.text


def test_rows_tell_why_and_keep_what_was_not_undone_apart() -> None:
    lines = as_text(batch_rows_card(REASONED, FRAME)).splitlines()
    assert lines[3] == "No se deshizo: alguien lo cambió después (quitar ADM-1)"
    assert "E-004: la casilla no existe o no acepta correo" in lines
    assert "Cambió la carrera; cambió el correo personal" in lines
    assert not any("otro paso: quitar ADM-1" in line for line in lines)
