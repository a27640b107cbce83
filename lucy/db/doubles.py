"""People who may be one: the same number under two document types, the same name and birth date, or one address.

Nobody is merged: which document is right only the university's records can say (FEATURES rows 11 and 12).
"""

from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from lucy.domain.source import Likeness


@dataclass(frozen=True, slots=True)
class Alike:
    """Document type and number of those who are alike, and in what."""

    likeness: Likeness
    people: tuple[tuple[str, str], ...]


# One pass over the students for each likeness; people who share a name and a birth date are told once, not again for
# their address.
_ALIKE = text("""
    with person as (
        select id, document_type, document_number, lower(personal_email) as email, born_on,
               translate(lower(last_name || '|' || first_name), 'áéíóúüñ', 'aeiouun') as name
        from student
    ), found as (
        select 'number' as likeness, document_number as key, array_agg(id order by id) as ids
        from person group by document_number having count(*) > 1
        union all
        select 'name', name || born_on, array_agg(id order by id)
        from person where born_on is not null group by name, born_on having count(*) > 1
        union all
        select 'email', email, array_agg(id order by id)
        from person where email <> '' group by email having count(*) > 1
    ), once as (
        select distinct on (ids) likeness, ids from found
        order by ids, array_position(array['number', 'name', 'email'], likeness)
    )
    select likeness, array(
        select array[person.document_type, person.document_number] from person
        where person.id = any(once.ids) order by person.id
    ) as people, count(*) over (partition by likeness) as total
    from once order by array_position(array['number', 'name', 'email'], likeness), ids
    limit :most
""")


async def alike(session: AsyncSession, *, most: int) -> tuple[dict[Likeness, int], list[Alike]]:
    """How many groups there are of each likeness, and the first of them."""
    rows = (await session.execute(_ALIKE, {"most": most})).all()
    counts = {Likeness(row.likeness): int(row.total) for row in rows}
    return counts, [Alike(Likeness(row.likeness), tuple((kind, number) for kind, number in row.people)) for row in rows]
