"""Which service a contract test speaks to: the simulator, or the real one that the environment names."""

import os

PREFIX = "LUCY_CONTRACT_"


def named(system: str, *needed: str) -> dict[str, str] | None:
    """The variables of a real service, by lower-case name; None where none of the needed ones is set.

    Raises ValueError where only some of them are: a test that quietly took the simulator would prove nothing.
    """
    start = f"{PREFIX}{system}_"
    found = {name.removeprefix(start).lower(): value for name, value in os.environ.items() if name.startswith(start)}
    missing = [name for name in needed if not found.get(name)]
    if len(missing) == len(needed):
        return None
    if missing:
        raise ValueError(f"set {', '.join(start + name.upper() for name in missing)} too")
    return found
