"""The page under `/_control/`: what a simulator holds, which faults wait, what was asked last. People are masked."""

import json
import re
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

CALLS_SHOWN = 25
_NUMBER = re.compile(r"[0-9]{5,}")
_ADDRESS = re.compile(r"([^\s@\"'<>]{1,2})[^\s@\"'<>]*@")
_STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#242424}"
    "table{border-collapse:collapse;width:100%}"
    "td,th{border-bottom:1px solid #d1d1d1;padding:.3rem .6rem;text-align:left;vertical-align:top}"
    "code{font:14px/1.4 ui-monospace,monospace;overflow-wrap:anywhere}"
)
_CONTROL = (
    ("GET /_control/state", "everything it holds, as JSON"),
    ("GET /_control/calls?match=…", "what was asked, oldest first"),
    ("GET, POST, DELETE /_control/faults", "the faults in wait; add one or several; forget all"),
    ("POST /_control/seed", "add what a test needs (not every simulator)"),
    ("POST /_control/reset", "empty it, with its faults and calls"),
)


def status_page(
    name: str, *, state: Any, faults: Sequence[Mapping[str, Any]], calls: Sequence[Mapping[str, Any]]
) -> str:
    """`faults` with their fields by name, `calls` as they were recorded."""
    counts = [(key, _size(value)) for key, value in state.items()] if isinstance(state, dict) else []
    waiting = [
        (one["match"], one["action"], "until removed" if one["times"] is None else one["times"], _rest(one))
        for one in faults
    ]
    last = [
        (call["n"], call["operation"], call.get("status", ""), _about(call)) for call in reversed(calls[-CALLS_SHOWN:])
    ]
    return (
        f'<!DOCTYPE html><html lang="en"><meta charset="utf-8"><title>{escape(name)} · sandbox</title>'
        f"<style>{_STYLE}</style><h1>{escape(name)} simulator</h1>"
        + _section("It holds", ("what", "how much"), counts)
        + _section(f"Faults in wait ({len(waiting)})", ("match", "action", "times", "more"), waiting)
        + _section(f"Last calls (of {len(calls)} kept)", ("n", "operation", "status", "about"), last)
        + _section("Control", ("request", "what it does"), _CONTROL)
        + "<p>docs/sandbox.md has examples.</p></html>"
    )


def _section(title: str, head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    if not rows:
        return f"<h2>{escape(title)}</h2><p>none</p>"
    heads = "".join(f"<th>{escape(one)}</th>" for one in head)
    lines = "".join(
        "<tr>" + "".join(f"<td><code>{escape(str(one))}</code></td>" for one in row) + "</tr>" for row in rows
    )
    return f"<h2>{escape(title)}</h2><table><tr>{heads}</tr>{lines}</table>"


def _size(value: object) -> object:
    return len(value) if isinstance(value, list | dict | tuple) else mask(str(value))


def _rest(fault: Mapping[str, Any]) -> str:
    shown = {name: value for name, value in fault.items() if name not in ("match", "action", "times") and value}
    return mask(json.dumps(shown, default=str)) if shown else ""


def _about(call: Mapping[str, Any]) -> str:
    shown = {name: value for name, value in call.items() if name not in ("n", "at", "operation", "status")}
    return mask(json.dumps(shown, ensure_ascii=False, default=str))[:300]


def mask(text: str) -> str:
    """Document numbers keep their last three digits, addresses their first letters and their domain."""
    return _ADDRESS.sub(r"\1…@", _NUMBER.sub(lambda found: "…" + found[0][-3:], text))
