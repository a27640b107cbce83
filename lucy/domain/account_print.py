"""The print of an account as Lucy made it: another one in Entra means that somebody changed it since."""

from lucy.domain.basis import print_of


def account_print(
    *, upn: str, display_name: str, given_name: str, surname: str, employee_id: str, usage_location: str
) -> str:
    """Only what Lucy sets. Sign-in names have no case; everything else counts as it is written."""
    return print_of([upn.lower(), display_name, given_name, surname, employee_id, usage_location])
