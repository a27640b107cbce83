import re

import pytest

from lucy.domain.passwords import CLASSES, LENGTH, fingerprint, make_password, matches

LOOK_ALIKES = set("0Oo1lIi5S2Z'\"`|")
LETTERS = "abcdefghijklmnopqrstuvwxyz"


@pytest.fixture(scope="module")
def passwords() -> list[str]:
    return [make_password() for _ in range(2000)]


@pytest.mark.parametrize("length", [16, 24, 64])
def test_a_tenant_may_ask_for_more_signs(length: int) -> None:
    password = make_password(length=length, avoid=["Ana"])
    assert len(password) == length
    assert all(any(sign in group for sign in password) for group in CLASSES)


def test_two_thousand_are_all_different(passwords: list[str]) -> None:
    assert len(set(passwords)) == 2000


def test_length_classes_and_signs(passwords: list[str]) -> None:
    for password in passwords:
        assert len(password) == LENGTH >= 16
        for wanted in (r"[a-z]", r"[A-Z]", r"[0-9]", r"[^A-Za-z0-9]"):
            assert len(re.findall(wanted, password)) >= 2
        assert not set(password) & LOOK_ALIKES
        assert password.isascii()
        assert password.isprintable()
        assert not any(sign in password for sign in " <>&\\/:.,;")  # no HTML, no link, no separators


def test_the_places_of_the_classes_are_mixed(passwords: list[str]) -> None:
    """Not always two of each at the front: every class is seen at every place."""
    for group in CLASSES:
        for place in range(LENGTH):
            assert any(password[place] in group for password in passwords)


def test_every_sign_is_used(passwords: list[str]) -> None:
    assert set("".join(passwords)) == set("".join(CLASSES))


def test_nothing_to_avoid_is_ever_in_it() -> None:
    """So much is avoided here that most passwords would hold some of it."""
    avoid = [first + second + third for first in "abcdefgh" for second in LETTERS for third in LETTERS]
    for _ in range(40):
        password = make_password(avoid=[part.title() for part in avoid])
        assert not any(part in password.casefold() for part in avoid)


def test_short_particles_are_not_avoided() -> None:
    """Avoiding "a" or "de" would leave fewer passwords, and every sign would end in a search without end."""
    assert len(make_password(avoid=["", *LETTERS, "de", "la", *"0123456789!#%+-=?@*"])) == LENGTH


def test_a_print_is_of_one_password_only() -> None:
    print_ = fingerprint("Correcta-3")
    assert matches("Correcta-3", print_)
    assert not matches("correcta-3", print_)
    assert not matches("Correcta-3", fingerprint("Otra-4"))
    assert not matches("Correcta-3", "")
    assert not matches("", print_)


def test_a_print_is_salted_and_does_not_hold_the_password() -> None:
    first, second = fingerprint("Correcta-3"), fingerprint("Correcta-3")
    assert first != second
    assert "Correcta" not in first
    assert re.fullmatch(r"[0-9a-f]{16}\$[0-9a-f]{40}", first)
    assert fingerprint("Correcta-3", salt=first.partition("$")[0]) == first
