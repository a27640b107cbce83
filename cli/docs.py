"""`lucy docs connectors`: a page for each connector, from its reference and the codes its source raises."""

import ast
import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Annotated

import typer

from connectors.graph.reference import REFERENCE as GRAPH
from connectors.imap.reference import REFERENCE as IMAP
from connectors.moodle.reference import REFERENCE as MOODLE
from connectors.reference import Reference
from connectors.sial.reference import REFERENCE as SIAL
from connectors.smtp.reference import REFERENCE as SMTP
from connectors.teams.reference import REFERENCE as TEAMS
from lucy.domain.error_codes import TEXTS

ROOT = Path(__file__).parents[1]
REFERENCES: dict[str, Reference] = {
    "sial": SIAL,
    "graph": GRAPH,
    "moodle": MOODLE,
    "smtp": SMTP,
    "imap": IMAP,
    "teams": TEAMS,
}
HEAD = "<!-- Written by `make docs` from the code; a test compares. -->\n"
_CODE = re.compile(r"[TMEUG]-[0-9]{3}")

docs_app = typer.Typer(no_args_is_help=True, help="Pages written from the code.")


@docs_app.command()
def connectors(folder: Annotated[Path, typer.Option(help="where the pages go")] = Path("docs/connectors")) -> None:
    """Write a page for each connector, and their index."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in pages().items():
        (folder / name).write_text(text, encoding="utf-8")
    typer.echo(f"{len(pages())} pages written to {folder}.")


def pages() -> dict[str, str]:
    """Every page by file name."""
    return {"README.md": _index(), **{f"{name}.md": _page(name, one) for name, one in REFERENCES.items()}}


def _index() -> str:
    rows = _table(
        ("connector", "what it is"), ((f"[{one.title}]({name}.md)", one.summary) for name, one in REFERENCES.items())
    )
    general = _codes(code for code in TEXTS if code.startswith("G-"))
    said = "Codes that any of them may raise, or Lucy herself:"
    return "\n".join([HEAD, "# Connectors\n", rows, f"\n{said}\n", general])


def _page(name: str, reference: Reference) -> str:
    calls = _table(
        ("operation", "request", "when", "needs", "again is harmless"),
        (
            (f"`{one.operation}`", f"`{one.request}`", one.when, one.permission or "—", "yes" if one.harmless else "no")
            for one in reference.calls
        ),
    )
    limits = _table(("what", "how much", "whose"), ((one.what, one.value, one.source) for one in reference.limits))
    settings = "\n".join(f"- `{one}`" for one in reference.settings)
    notes = "\n".join(f"- {one}" for one in reference.notes)
    return "\n".join(
        [
            HEAD,
            f"# {reference.title}\n",
            f"{reference.summary}\n",
            "## Settings\n",
            settings,
            "\n## What is asked, and when\n",
            calls,
            "\n## Limits\n",
            limits,
            "\n## How it behaves\n",
            notes,
            "\n## Error codes\n",
            _codes(codes_of(name, reference)),
        ]
    )


def codes_of(name: str, reference: Reference) -> list[str]:
    """Those that the connector's source names, and those with its letter that Lucy's own steps raise."""
    own = _named_in(ROOT / "connectors" / name)
    flows = {code for code in _named_in(ROOT / "lucy" / "flows") if code[0] in reference.letters}
    return sorted(own | flows)


@cache
def _named_in(folder: Path) -> frozenset[str]:
    found = set()
    for path in folder.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and _CODE.fullmatch(node.value):
                found.add(node.value)
    return frozenset(found)


def _codes(codes: Iterable[str]) -> str:
    return _table(("code", "what staff read"), ((code, TEXTS[code]) for code in sorted(codes)))


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    titles = list(head)
    lines = [titles, ["---"] * len(titles), *(list(row) for row in rows)]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines) + "\n"
