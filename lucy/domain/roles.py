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


def highest(roles: "list[Role]") -> Role | None:
    """The role that counts for a person with several grants."""
    return max(roles, key=lambda role: role.rank, default=None)
