import pytest

from lucy.domain.account_print import account_print

MADE = {
    "upn": "a40123456@eco.unrc.edu.ar",
    "display_name": "Suárez, Ana",
    "given_name": "Ana",
    "surname": "Suárez",
    "employee_id": "40123456",
    "usage_location": "AR",
}


@pytest.mark.parametrize("name", sorted(MADE))
def test_a_change_of_anything_that_lucy_set_is_seen(name: str) -> None:
    assert account_print(**{**MADE, name: f"{MADE[name]}x"}) != account_print(**MADE)


def test_values_do_not_run_into_each_other() -> None:
    moved = {**MADE, "given_name": "AnaSuárez", "surname": ""}
    assert account_print(**moved) != account_print(**MADE)


def test_sign_in_names_have_no_case_and_names_have() -> None:
    assert account_print(**{**MADE, "upn": MADE["upn"].upper()}) == account_print(**MADE)
    assert account_print(**{**MADE, "surname": "SUÁREZ"}) != account_print(**MADE)
