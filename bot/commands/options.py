"""Options of a command: `correo:no`, `bajas:si`."""

from bot.grammar import Command, yes_or_no
from lucy.errors import RequestError
from lucy.texts import _


def option(command: Command, name: str, *, default: bool) -> bool:
    """Raises RequestError where the value is neither yes nor no."""
    value = command.options.get(name)
    if value is None:
        return default
    meant = yes_or_no(value)
    if meant is None:
        raise RequestError(
            _("«{name}:{value}» no se entiende: es {name}:si o {name}:no.").format(name=name, value=value)
        )
    return meant
