"""Synthetic students with every quirk of the contract, the same for the same seed.

Source: contracts/sial.md. Every address is under example.com or example.org; names, numbers and towns are paired at
random and belong to nobody.
"""

import random
from collections.abc import Iterator
from datetime import date, datetime, timedelta

from sandbox.sial.data import CAREERS, COMMISSIONS, UNIVERSITY_TIME, SialData, SialEntry
from sandbox.sial.names import GIVEN_NAMES, SURNAMES, TOWNS, mail_name
from sandbox.sial.quirks import QUIRKS, Person, Quirk

DOCUMENTS = range(40_000_000, 48_000_000)
CHANGED_WITHIN = timedelta(days=60)
PLAIN_AT_LEAST = 2  # of each list: one to stand twice on it, one to be on the next list too
NULL_COHORT_SHARE = 0.6
DATE_ALONE_SHARE = 0.1


def make_people(*, seed: int, preinscriptos: int, aspirantes: int, ingresantes: int, now: datetime) -> SialData:
    """Make lists of exactly these lengths, changed within the 60 days before `now` (aware).

    The quirks, one entry each, go to aspirantes, then preinscriptos, then ingresantes, leaving two plain entries on
    each list; so 19 aspirantes are enough to have all of them. Where two lists have room, one person is on both;
    one entry stands twice on the longest list. `SialData.usable(list)` says how many people of a list can be used.
    """
    sizes = {"aspirantes": aspirantes, "preinscriptos": preinscriptos, "ingresantes": ingresantes}
    maker = _Maker(random.Random(seed), now.astimezone(UNIVERSITY_TIME))
    quirks = iter(QUIRKS)
    people = {name: maker.people(size, quirks) for name, size in sizes.items()}
    _repeat_one(max(people.values(), key=len))
    _share_one(list(people.values()))
    data = SialData()
    for name, group in people.items():
        maker.shuffle(group)
        data.lists[name] = [SialEntry(body=person.entry, changed_at=person.changed_at) for person in group]
        data.records |= {str(person.entry["nrodoc"]): person.record for person in group if person.entry["nrodoc"]}
    return data


def _repeat_one(group: list[Person]) -> None:
    """The last two are plain: the last gives way to a copy of the one before."""
    if len(group) >= PLAIN_AT_LEAST:
        group[-1] = group[-2]


def _share_one(groups: list[list[Person]]) -> None:
    """The one before the last of the first list takes the place of the last of the second."""
    roomy = [group for group in groups if len(group) >= PLAIN_AT_LEAST]
    if len(roomy) >= 2:
        first, second = roomy[0], roomy[1]
        if second[-1] is second[-2]:
            first, second = second, first
        second[-1] = first[-2]


class _Maker:
    """Makes people from one stream of random numbers; no two have the same document number."""

    def __init__(self, chance: random.Random, now: datetime) -> None:
        self._chance = chance
        self._now = now
        self._taken: set[int] = set()

    def people(self, size: int, quirks: Iterator[Quirk]) -> list[Person]:
        group = [self._person() for _ in range(size)]
        for person in group[: max(0, size - PLAIN_AT_LEAST)]:
            quirk = next(quirks, None)
            if quirk is None:
                break
            quirk(person)
        return group

    def shuffle(self, group: list[Person]) -> None:
        self._chance.shuffle(group)

    def _person(self) -> Person:
        document = self._document()
        given, surname = self._chance.choice(GIVEN_NAMES), self._chance.choice(SURNAMES)
        changed_at = (self._now - CHANGED_WITHIN * self._chance.random()).replace(microsecond=0)
        host = self._chance.choice(("example.com", "example.org"))
        born = date(self._chance.randrange(1980, 2009), 1, 1) + timedelta(days=self._chance.randrange(365))
        record = {
            "tipodoc": "DNI",
            "nrodoc": str(document),
            "nombre": given,
            "apellido": surname,
            "email": f"{mail_name(given)}.{mail_name(surname)}.{document % 100_000:05}@{host}",
            "fecha_natal": f"{born:%d/%m/%y}",
            "telefono": f"54-358-{self._chance.randrange(400, 500)}-{self._chance.randrange(10_000):04}",
            "localidad": self._chance.choice(TOWNS),
        }
        entry = {"tipodoc": "DNI", "nrodoc": document, "carreras": [self._career(changed_at)]}
        return Person(entry=entry, record=record, changed_at=changed_at)

    def _document(self) -> int:
        document = self._chance.choice(DOCUMENTS)
        while document in self._taken:
            document = self._chance.choice(DOCUMENTS)
        self._taken.add(document)
        return document

    def _career(self, enrolled_at: datetime) -> dict[str, object]:
        career_id = self._chance.choice(list(CAREERS))
        commission_id = self._chance.choice(list(COMMISSIONS))
        stamp = "%d/%m/%Y" if self._chance.random() < DATE_ALONE_SHARE else "%d/%m/%Y %H:%M:%S"
        return {
            "id_carrera": career_id,
            "nombre_carrera": CAREERS[career_id].upper(),
            "fecha_inscri": f"{enrolled_at:{stamp}}",
            "modalidad": self._chance.choice(("1", "2")),
            "cohorte": None if self._chance.random() < NULL_COHORT_SHARE else enrolled_at.year,
            "comisiones": [{"id_comision": commission_id, "nombre_comision": COMMISSIONS[commission_id]}],
        }
