"""Keys are changed while letters are on their way: nothing is lost, and a key that is still needed is told."""

from cryptography.fernet import Fernet
from sqlalchemy import select

from cli.secrets import rotate_all
from lucy.db.tables import SealedSecretRow
from lucy.domain.operations import BatchOptions, StepKind
from lucy.sealing import Sealer
from lucy.settings import Settings
from tests.integration.support.people import students
from tests.integration.support.works import Works


def with_keys(settings: Settings, *keys: str) -> Settings:
    return settings.model_copy(update={"secret_keys": type(settings.secret_keys)(",".join(keys))})


async def sealed(works: Works) -> list[str]:
    async with works.db.transaction() as session:
        return list((await session.scalars(select(SealedSecretRow.ciphertext))).all())


async def test_a_password_on_its_way_is_closed_with_the_newest_key(works: Works) -> None:
    await students(works.db, 3)
    await works.running(options=BatchOptions(moodle=False))
    await works.lanes().run(StepKind.ACCOUNT)
    old, new = works.settings.secret_keys.get_secret_value(), Fernet.generate_key().decode()
    before = {Sealer(old).open(one) for one in await sealed(works)}
    assert await rotate_all(with_keys(works.settings, new, old), dry=True) == (3, 0)
    assert {Sealer(old).open(one) for one in await sealed(works)} == before
    assert await rotate_all(with_keys(works.settings, new, old), dry=False) == (3, 0)
    assert {Sealer(new).open(one) for one in await sealed(works)} == before


async def test_a_key_that_is_still_needed_is_told(works: Works) -> None:
    await students(works.db, 2)
    await works.running(options=BatchOptions(moodle=False))
    await works.lanes().run(StepKind.ACCOUNT)
    before = await sealed(works)
    assert await rotate_all(with_keys(works.settings, Fernet.generate_key().decode()), dry=False) == (0, 2)
    assert await sealed(works) == before
