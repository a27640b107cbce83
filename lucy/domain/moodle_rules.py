"""How one Moodle site is used, and how its courses are named where there are several sites."""

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum

MAIN_SITE = ""
SEPARATOR = ":"


class MoodleAddress(StrEnum):
    """Which address of the student a new Moodle user gets."""

    INSTITUTIONAL = "institutional"
    PERSONAL = "personal"


class Leaving(StrEnum):
    """What `bajas:si` does with an enrolment that no rule gives any more (FEATURES row 54)."""

    UNENROL = "unenrol"
    SUSPEND = "suspend"
    KEEP = "keep"


@dataclass(frozen=True, slots=True)
class MoodleRules:
    """One site. `auth` is Moodle's name of the authentication plugin, `lang` its language code.

    `groups`: whether students join the group of their modality and commission in each course. `address_fallback`: the
    other address serves where the student has none of the kind asked for.
    """

    auth: str = "oidc"
    role_id: int = 5
    address: MoodleAddress = MoodleAddress.INSTITUTIONAL
    address_fallback: bool = True
    lang: str = "es"
    groups: bool = False
    leaving: Leaving = Leaving.UNENROL


def site_and_course(target: str, sites: Collection[str]) -> tuple[str, str]:
    """The site and the shortname of a course as rules and steps name it: CONT1, or posgrado:CONT1 on another site."""
    site, separator, shortname = target.partition(SEPARATOR)
    if separator and site in sites and site != MAIN_SITE:
        return site, shortname
    return MAIN_SITE, target


def course_on(site: str, shortname: str) -> str:
    """The inverse of `site_and_course`."""
    return shortname if site == MAIN_SITE else f"{site}{SEPARATOR}{shortname}"
