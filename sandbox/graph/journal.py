"""In which order users changed, for the delta query."""

from dataclasses import dataclass, field


@dataclass
class Journal:
    """`latest`: how many changes there were, the first one being 1."""

    latest: int = 0
    _last: dict[str, int] = field(default_factory=dict)

    def note(self, user_id: str) -> None:
        self.latest += 1
        self._last.pop(user_id, None)
        self._last[user_id] = self.latest

    def since(self, number: int) -> list[str]:
        """Ids of users with a change after that one, each once, in the order of their last one."""
        return [user_id for user_id, last in self._last.items() if last > number]
