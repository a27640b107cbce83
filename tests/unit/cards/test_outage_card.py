"""The card of a system that does not answer says what STORY.md promises."""

from datetime import timedelta

from cards.outage import summary
from lucy.domain.views import OutageView
from tests.unit.cards.batch_samples import AT, FRAME


def test_while_it_lasts_and_when_it_is_back() -> None:
    view = OutageView("Moodle", AT, 340, next_try_at=AT + timedelta(minutes=5))
    assert summary(view, FRAME) == (
        "Moodle no responde desde las 08:12. 340 pasos esperan, no se perdió nada. Próximo intento 08:17."
    )
    back = OutageView("Moodle", AT, 340, closed_at=AT + timedelta(minutes=19))
    assert summary(back, FRAME) == "Moodle volvió a las 08:31. Los 340 pasos siguieron solos."
