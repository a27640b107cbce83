"""Who may do what. Default deny: a person without a grant may do nothing."""

from enum import StrEnum


class Role(StrEnum):
    """Each role may do what those before it may."""

    CONSULTA = "consulta"
    OPERADOR = "operador"
    APROBADOR = "aprobador"
    ADMINISTRADOR = "administrador"

    @property
    def rank(self) -> int:
        return list(Role).index(self)

    def allows(self, needed: "Role") -> bool:
        return self.rank >= needed.rank


def role_of(entra_id: str, granted: Role | None, admins: frozenset[str]) -> Role | None:
    """The administrators of the installation, else the grant; None may do nothing."""
    return Role.ADMINISTRADOR if entra_id in admins else granted
