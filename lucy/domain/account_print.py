"""The print of an account as Lucy made it: another one in Entra means that somebody changed it since."""

from lucy.domain.basis import print_of

# What Graph takes: https://learn.microsoft.com/graph/api/resources/user, checked 2026-10.
NAME_LENGTH = 64
DISPLAY_NAME_LENGTH = 256


def shown_name(first_name: str, last_name: str) -> str:
    """ "Surname, name", as the earlier system showed them."""
    return ", ".join(part for part in (last_name, first_name) if part)[:DISPLAY_NAME_LENGTH]


def account_print(
    *, upn: str, display_name: str, given_name: str, surname: str, employee_id: str, usage_location: str
) -> str:
    """Only what Lucy sets. Sign-in names have no case; everything else counts as it is written."""
    return print_of([upn.lower(), display_name, given_name, surname, employee_id, usage_location])
