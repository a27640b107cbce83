from itertools import product

import pytest

from lucy.domain.roles import Role, role_of

ROLES = ["consulta", "operador", "aprobador", "administrador"]  # each may do what those before it may


@pytest.mark.parametrize(("role", "needed"), list(product(ROLES, ROLES)))
def test_each_role_may_do_what_those_before_it_may(role: str, needed: str) -> None:
    assert Role(role).allows(Role(needed)) is (ROLES.index(role) >= ROLES.index(needed))


ADMINS = frozenset({"admin-id"})


@pytest.mark.parametrize("granted", [None, *Role])
def test_a_person_has_the_role_granted_and_nothing_by_default(granted: Role | None) -> None:
    assert role_of("somebody", granted, ADMINS) is granted
    assert role_of("", granted, frozenset()) is granted


@pytest.mark.parametrize("granted", [None, *Role])
def test_an_administrator_of_the_installation_cannot_be_demoted(granted: Role | None) -> None:
    assert role_of("admin-id", granted, ADMINS) is Role.ADMINISTRADOR
