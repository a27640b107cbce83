"""The people of the demo: what they write goes to the bot as Teams would send it, what the bot posts is shown."""

import asyncio
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import httpx
from rich.console import Console
from rich.text import Text

from cards.as_text import as_text
from sandbox.teams.directory import Person
from sandbox.teams.people import Scene

Entry = dict[str, Any]
PATIENCE_S = 90.0


class DemoFailed(Exception):
    """The story did not go as it must; the text says what was awaited or what was wrong."""


class Conversation:
    """Plays people, and keeps every card as JSON under `cards_folder`."""

    def __init__(
        self, scene: Scene, bot_url: str, teams_url: str, http: httpx.AsyncClient, console: Console, cards_folder: Path
    ) -> None:
        self._scene, self._bot, self._teams, self._http = scene, bot_url, teams_url, http
        self._console, self._folder = console, cards_folder
        self._seen: list[Entry] = []
        self._next = 0
        self._cards = 0

    async def install(self, person: Person) -> None:
        """The bot is added to the team."""
        await self._post(self._scene.installation_update(person))
        self._narrate(f"{person.name} instala a Lucy en el equipo «{self._scene.directory.team.name}».")

    async def says(self, person: Person, text: str, *, personal: bool = False) -> Entry:
        """Write to the bot and return its answer."""
        await self.catch_up()
        self._say(person.name, text if personal else f"@Lucy {text}", "chat personal" if personal else "canal")
        activity = self._scene.personal_message(person, text) if personal else self._scene.channel_message(person, text)
        response = await self._post(activity)
        if response.status_code >= 300:
            raise DemoFailed(f"the bot answered {response.status_code} to «{text}»")
        conversation = activity["conversation"]["id"]
        return await self.wait_for(
            lambda entry: entry["conversation"] == conversation, f"an answer to «{text}»", fresh=True
        )

    async def presses(self, person: Person, entry: Entry, title: str) -> Mapping[str, Any]:
        """Press a button of a card; returns the body of the invoke's answer, which only this person sees."""
        await self.catch_up()
        action = find_action(entry["card"], title)
        thread = entry["conversation"].partition(";messageid=")[2] or None
        activity = self._scene.card_action(
            person, verb=action["verb"], data=action["data"], card_activity_id=entry["activity_id"], thread=thread
        )
        self._say(person.name, f"[{title}]", "en la tarjeta")
        response = await self._post(activity)
        if response.status_code != 200:
            raise DemoFailed(f"the bot answered {response.status_code} to [{title}]")
        body: dict[str, Any] = response.json()
        value = body["value"]
        if isinstance(value, str):
            self._quote(value, f"Lucy (sólo para {person.name})")
        else:
            self._keep(value, "invoke")
            self._quote(as_text(value).splitlines()[0] + " …", f"Lucy (sólo para {person.name})")
        return body

    async def wait_for(
        self, wanted: Callable[[Entry], bool], what: str, *, fresh: bool = False, patience_s: float = PATIENCE_S
    ) -> Entry:
        """The first entry of the bot that is wanted; with `fresh` only among those not shown yet."""
        if not fresh:
            for entry in reversed(self._seen):
                if wanted(entry):
                    return entry
        deadline = asyncio.get_running_loop().time() + patience_s
        while asyncio.get_running_loop().time() < deadline:
            for entry in await self._news(wait_s=2):
                if wanted(entry):
                    return entry
        raise DemoFailed(f"waited {patience_s:g} s for {what}")

    async def catch_up(self) -> None:
        """Show what was posted meanwhile."""
        await self._news(wait_s=0)

    async def _news(self, *, wait_s: int) -> list[Entry]:
        answer = await self._http.get(
            f"{self._teams}/_control/transcript", params={"since": self._next, "wait": wait_s}, timeout=wait_s + 10
        )
        body = answer.json()
        self._next = body["next"]
        fresh = [entry for entry in body["entries"] if entry["kind"] != "person"]
        for entry in fresh:
            self._show(entry)
        self._seen += fresh
        return fresh

    async def _post(self, activity: Mapping[str, Any]) -> httpx.Response:
        return await self._http.post(f"{self._bot}/api/messages", json=activity, timeout=20)

    def _show(self, entry: Entry) -> None:
        if entry["card"] is None:
            self._quote(entry["text"], "Lucy")
            return
        self._keep(entry["card"], entry["kind"])
        text = as_text(entry["card"])
        if entry["kind"] == "update" and "░" in text:
            self._quote(progress_lines(text), "Lucy actualiza la tarjeta")
        else:
            self._quote(text, "Lucy actualiza la tarjeta" if entry["kind"] == "update" else "Lucy")

    def _keep(self, card: Mapping[str, Any], kind: str) -> None:
        self._cards += 1
        name = self._folder / f"{self._cards:03d}-{kind}.json"
        name.write_text(json.dumps(card, ensure_ascii=False, indent=1) + "\n")

    def narrate(self, text: str) -> None:
        self._narrate(text)

    def _narrate(self, text: str) -> None:
        self._console.print(Text(f"\n— {text}", style="italic cyan"))

    def _say(self, name: str, text: str, where: str) -> None:
        self._console.print(Text.assemble("\n", (name, "bold green"), (f" ({where}): ", "dim"), text))

    def _quote(self, text: str, who: str) -> None:
        self._console.print(Text(f"\n{who}:", style="bold magenta"))
        for line in text.splitlines():
            self._console.print(Text(f"  │ {line}"), soft_wrap=True)


def progress_lines(text: str) -> str:
    """Of a card that moves only what moves: its state and its bars."""
    lines = text.splitlines()
    moving = [line for line in lines if "▓" in line or "░" in line]
    notes = [line for line in lines if "pidió esperar" in line or "volvi" in line]
    return "\n".join([*lines[:2], *moving, *notes])


def find_action(card: Mapping[str, Any], title: str) -> Mapping[str, Any]:
    """The button of a card whose title begins like this."""
    for action in card.get("actions", []):
        if str(action.get("title", "")).startswith(title):
            return dict(action)
    titles = [action.get("title") for action in card.get("actions", [])]
    raise DemoFailed(f"the card has no button «{title}», only {titles}")
