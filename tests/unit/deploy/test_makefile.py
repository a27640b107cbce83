"""What a newcomer types first."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[3]
TARGETS = {"demo", "up", "test", "check", "test-browser", "bench", "lock", "clean"}


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    """A checkout of what setting up reads, never set up."""
    (tmp_path / "deploy").mkdir()
    (tmp_path / "requirements").mkdir()
    for name in ("deploy/bootstrap.sh", "pyproject.toml", "requirements/dev.lock"):
        shutil.copy(CHECKOUT / name, tmp_path / name)
    return tmp_path


def bootstrap(checkout: Path, **env: str) -> "subprocess.CompletedProcess[str]":
    command = ["/bin/sh", str(checkout / "deploy" / "bootstrap.sh")]
    return subprocess.run(command, env={"PATH": "/usr/bin:/bin", **env}, capture_output=True, text=True, check=False)


def test_make_explains_itself() -> None:
    done = subprocess.run(["make", "--no-print-directory"], cwd=CHECKOUT, capture_output=True, text=True, check=True)
    explained = dict(re.findall(r"^  ([a-z-]+)\s+(\S.*)$", done.stdout, re.MULTILINE))
    assert set(explained) >= TARGETS


def test_a_finished_set_up_says_and_does_nothing(bare: Path) -> None:
    python = bare / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.symlink_to("/bin/true")
    stamp = bare / ".venv" / ".set-up-from"
    version = re.search(r"^UV_VERSION=(\S+)$", (bare / "deploy" / "bootstrap.sh").read_text(), re.MULTILINE)
    assert version is not None
    sums = subprocess.run(
        ["cksum", "requirements/dev.lock", "pyproject.toml", "deploy/bootstrap.sh"],
        cwd=bare,
        capture_output=True,
        text=True,
        check=True,
    )
    stamp.write_text(f"{version[1]} {bare.resolve()}\n{sums.stdout}")
    done = bootstrap(bare)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_a_python_that_does_not_serve_is_named_plainly(bare: Path) -> None:
    done = bootstrap(bare, PYTHON="/bin/false")
    assert done.returncode == 1
    assert "no usable Python found in PYTHON=/bin/false" in done.stderr
    assert not (bare / ".venv").exists()
