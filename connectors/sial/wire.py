"""SIAL as pure functions: the addresses to ask and the answers read.

Nothing is judged here: an entry that cannot be used comes out with empty strings and None, and the rules decide.
Source: contracts/sial.md.
"""

import base64
import re
from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta, tzinfo
from typing import TypeVar
from urllib.parse import urljoin, urlsplit

from lucy.domain.students import SourceList
from lucy.errors import Refused, RemoteError, RemoteIds, RetryLater, System, Unreadable
from lucy.ports import SourceCareer, SourceCommission, SourceEntry, SourcePerson

V2_BASE = "/webservice/sial/V2/04"
V1_BASE = "/v1/api"
BEGINNING = "19700101"
DOWN_WAIT_S = 30.0
MAX_REDIRECTS = 3

_STAMPS = ("%d/%m/%Y %H:%M:%S", "%d/%m/%Y %H:%M", "%d/%m/%Y")
_BIRTHS = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4}|\d{2})")

T = TypeVar("T")


# Requests


def base(site: str, *, path: str) -> str:
    """The dialect's base under a site; a site given with its base path already is left as it is."""
    site = site.rstrip("/")
    return site if urlsplit(site).path.endswith(path) else site + path


def list_address(
    base_url: str, source_list: SourceList, *, since: datetime | None, until: datetime | None, zone: tzinfo
) -> str:
    """`{base}/{list}/listas/[{since}[/{until}]]`, in the university's time, to the minute.

    `until` is rounded up: whether SIAL counts the last minute in is not known, and twice does no harm.
    """
    address = f"{base_url}/{source_list.value}/listas/"
    if since is None and until is None:
        return address
    address += BEGINNING if since is None else stamp(since, zone=zone)
    if until is not None:
        up = timedelta(minutes=1) if until.second or until.microsecond else timedelta()
        address += f"/{stamp(until + up, zone=zone)}"
    return address


def stamp(moment: datetime, *, zone: tzinfo) -> str:
    """AAAAMMDDHHMM. Only aware times: a naive one would shift the window by hours."""
    if moment.tzinfo is None:
        raise ValueError("a window needs aware times")
    return moment.astimezone(zone).strftime("%Y%m%d%H%M")


def person_address(base_url: str, document_number: str) -> str:
    if not re.fullmatch(r"[0-9A-Za-z]{1,20}", document_number):
        raise ValueError("not a document number")
    return f"{base_url}/alumnos/datospersonales/{document_number}"


def flat_list_address(base_url: str, source_list: SourceList) -> str:
    return f"{base_url}/{source_list.value}/"


def basic_credentials(user: str, password: str) -> str:
    """RFC 7617, with UTF-8."""
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode("ascii")


def redirect(status: int, headers: Mapping[str, str], *, address: str) -> str | None:
    """Where an answer sends on to, None when it does not."""
    location = headers.get("location", "")
    if status not in (301, 302, 303, 307, 308) or not location:
        return None
    try:
        target = urljoin(address, location)
        parts = urlsplit(target)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return None
    return target if usable else None


def may_see_credentials(target: str, *, of: str) -> bool:
    """The same host and port, or the same host gone over to https."""
    there, here = urlsplit(target), urlsplit(of)
    if there.hostname != here.hostname:
        return False
    return (there.scheme, there.port) == (here.scheme, here.port) or (here.scheme, there.scheme) == ("http", "https")


# Answers


def status_error(operation: str, status: int, *, retry_after_s: float | None) -> RemoteError:
    """The error of an answer that is not 200; reads are always safe to repeat."""
    detail = f"HTTP {status}"
    ids = RemoteIds(remote_code=str(status))
    if status in (408, 429) or status >= 500:
        return RetryLater(
            System.SIAL,
            operation,
            "U-002",
            detail=detail,
            ids=ids,
            after_s=DOWN_WAIT_S if retry_after_s is None else retry_after_s,
            throttled=status == 429 or retry_after_s is not None,
        )
    return Refused(System.SIAL, operation, "U-001" if status in (401, 403) else "U-004", detail=detail, ids=ids)


def identity(element: object) -> tuple[str, str]:
    """Document type and number of an entry of a v2 list, as `read_entry` gives them."""
    row = _object(element)
    return _text(row.get("tipodoc")), _text(row.get("nrodoc"))


def flat_identity(element: object) -> tuple[str, str]:
    """The same of a v1 list, which knows one type of document."""
    return "DNI", _text(_object(element).get("dni"))


def read_entry(element: object, *, zone: tzinfo) -> SourceEntry:
    """One entry of a v2 list, whatever it is."""
    row = _object(element)
    return SourceEntry(
        document_type=_text(row.get("tipodoc")),
        document_number=_text(row.get("nrodoc")),
        careers=_items(row.get("carreras"), lambda item: _career(item, zone=zone)),
        raw=row,
    )


def read_flat_entry(element: object) -> SourceEntry:
    """One entry of a v1 list: the person comes along, the career by name only."""
    row = _object(element)
    number = _text(row.get("dni"))
    career = _text(row.get("carrera"))
    careers = (SourceCareer(career_id=None, name=career, enrolled_on=None, modality="", cohort=None),) if career else ()
    person = SourcePerson(
        document_number=number,
        first_name=_text(row.get("nombre")),
        last_name=_text(row.get("apellido")),
        email=_text(row.get("email_personal")),
    )
    return SourceEntry(document_type="DNI", document_number=number, careers=careers, raw=row, personal=person)


def read_person(row: object, *, document_number: str, today: date) -> SourcePerson:
    """The personal record. Raises Unreadable for what is none, and for another person's."""
    if not isinstance(row, dict):
        raise unreadable("person", "the record is not an object")
    number = _text(row.get("nrodoc"))
    if number and _digits(number) != _digits(document_number):
        raise unreadable("person", "the record is somebody else's")
    return SourcePerson(
        document_number=number or document_number,
        first_name=_text(row.get("nombre")),
        last_name=_text(row.get("apellido")),
        email=_text(row.get("email")),
        phone=_text(row.get("telefono")),
        locality=_text(row.get("localidad")),
        born_on=born_on(_text(row.get("fecha_natal")), today=today),
        raw=row,
    )


def born_on(written: str, *, today: date) -> date | None:
    """DD/MM/YY or DD/MM/YYYY. A two-digit year is the latest that does not lie in the future."""
    match = _BIRTHS.fullmatch(written)
    if match is None:
        return None
    day, month, year = (int(part) for part in match.groups())
    candidates = (2000 + year, 1900 + year) if len(match[3]) == 2 else (year,)
    for candidate in candidates:
        try:
            born = date(candidate, month, day)
        except ValueError:
            continue
        if born <= today:
            return born
    return None


def unreadable(operation: str, detail: str) -> Unreadable:
    return Unreadable(System.SIAL, operation, "U-003", detail=detail)


# Values


def _career(item: object, *, zone: tzinfo) -> SourceCareer:
    row = _object(item)
    return SourceCareer(
        career_id=_number(row.get("id_carrera")),
        name=_text(row.get("nombre_carrera")),
        enrolled_on=_moment(_text(row.get("fecha_inscri")), zone=zone),
        modality=_text(row.get("modalidad")),
        cohort=_number(row.get("cohorte")),
        commissions=_items(row.get("comisiones"), _commission),
    )


def _commission(item: object) -> SourceCommission:
    """`commission_id` is 0 where the source wrote none."""
    row = _object(item)
    return SourceCommission(_number(row.get("id_comision")) or 0, _text(row.get("nombre_comision")))


def _object(element: object) -> Mapping[str, object]:
    return element if isinstance(element, dict) else {"entry": element}


def _items(value: object, read: Callable[[object], T]) -> tuple[T, ...]:
    return tuple(read(item) for item in value) if isinstance(value, list) else ()


def _text(value: object) -> str:
    """Text without stray blanks. Numbers are written out: `nrodoc` is a number in lists and text in records."""
    if isinstance(value, str):
        return " ".join(value.split())
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return ""


def _number(value: object) -> int | None:
    text = _text(value)
    return int(text) if re.fullmatch(r"[0-9]{1,15}", text) else None


def _digits(number: str) -> str:
    return re.sub(r"[.\s-]", "", number).lstrip("0")


def _moment(written: str, *, zone: tzinfo) -> datetime | None:
    for shape in _STAMPS:
        try:
            return datetime.strptime(written, shape).replace(tzinfo=zone)
        except ValueError:
            continue
    return None
