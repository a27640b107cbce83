import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lucy.errors import ConfigurationError, LucyError
from lucy.sealing import SealBroken, Sealer
from tests.unit.lucy.people import THOROUGHLY

OLD, NEW = (base64.urlsafe_b64encode(bytes([sign]) * 32).decode() for sign in b"on")
SEALER = Sealer(NEW)


@THOROUGHLY
@given(st.text(alphabet=st.characters(exclude_categories=["Cs"])))
def test_what_is_sealed_can_be_opened(password: str) -> None:
    assert SEALER.open(SEALER.seal(password)) == password


def test_a_seal_does_not_show_the_password() -> None:
    sealed = SEALER.seal("Tk7!mQ#4")
    assert "Tk7!mQ#4" not in sealed
    assert b"Tk7!mQ#4" not in base64.urlsafe_b64decode(sealed)


def test_the_same_password_is_never_sealed_alike() -> None:
    assert SEALER.seal("Tk7!mQ#4") != SEALER.seal("Tk7!mQ#4")


def test_keys_rotate_newest_first() -> None:
    before, after = Sealer(OLD), Sealer(f" {NEW} , {OLD},")
    assert after.open(before.seal("Tk7!mQ#4")) == "Tk7!mQ#4"
    assert Sealer(NEW).open(after.seal("Tk7!mQ#4")) == "Tk7!mQ#4"  # sealed with the newest
    with pytest.raises(SealBroken):
        before.open(after.seal("Tk7!mQ#4"))


@pytest.mark.parametrize("broken", ["", "gAAAA", "ñ", "Tk7!mQ#4", "cut", "changed"])
def test_a_broken_seal_is_told_without_its_content(broken: str) -> None:
    whole = SEALER.seal("Tk7!mQ#4")
    sealed = {"cut": whole[:-4], "changed": f"{whole[:30]}{'A' if whole[30] != 'A' else 'B'}{whole[31:]}"}
    with pytest.raises(SealBroken) as caught:
        SEALER.open(sealed.get(broken, broken))
    assert str(caught.value) == "no key in LUCY_SECRET_KEYS opens this seal"
    assert caught.value.__cause__ is None
    assert isinstance(caught.value, LucyError)


@pytest.mark.parametrize("keys", ["", " , ", "example-fernet-key", "hunter2-ñ", f"{NEW},hunter2", NEW[:-5]])
def test_keys_that_are_none_are_refused_without_being_shown(keys: str) -> None:
    with pytest.raises(ConfigurationError, match="LUCY_SECRET_KEYS must hold Fernet keys") as caught:
        Sealer(keys)
    assert "hunter2" not in str(caught.value)
    assert NEW[:8] not in str(caught.value)
    assert caught.value.__suppress_context__
