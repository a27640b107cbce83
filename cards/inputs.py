"""What a reader may fill in. Every input has a label; the client's checks are a courtesy, the bot checks again."""

from collections.abc import Sequence
from datetime import date

from cards.parts import Block, LibraryElement, PropertyType, fill


class _Input(LibraryElement, Block):  # type: ignore[misc]
    label = PropertyType(type=str)
    isRequired = PropertyType(type=bool)
    errorMessage = PropertyType(type=str)
    value = PropertyType(type=str)

    def __init__(self, id_: str, label: str, *, required: bool, error: str) -> None:
        super().__init__()
        if not id_ or not label:
            raise ValueError("an input needs an id and a label")
        if required and not error:
            raise ValueError("a required input says what is missing")
        fill(self, id=id_, label=label, isRequired=required or None, errorMessage=error or None)


class TextInput(_Input):
    element_type = "Input.Text"
    regex = PropertyType(type=str)
    maxLength = PropertyType(type=int)
    isMultiline = PropertyType(type=bool)
    placeholder = PropertyType(type=str)

    def __init__(
        self,
        id_: str,
        label: str,
        *,
        value: str = "",
        required: bool = False,
        error: str = "",
        regex: str | None = None,
        max_length: int | None = None,
        multiline: bool = False,
        placeholder: str | None = None,
    ) -> None:
        super().__init__(id_, label, required=required, error=error)
        fill(self, value=value or None, regex=regex, maxLength=max_length, placeholder=placeholder)
        fill(self, isMultiline=multiline or None)


class Toggle(_Input):
    """Yes or no; it arrives as the text "true" or "false". The title is what the box stands beside."""

    element_type = "Input.Toggle"
    title = PropertyType(type=str)
    wrap = PropertyType(type=bool)

    def __init__(self, id_: str, label: str, title: str, *, on: bool) -> None:
        super().__init__(id_, label, required=False, error="")
        fill(self, title=title, value="true" if on else "false", wrap=True)


class Choices(_Input):
    """One of several, or some of them with `several` (then the value is comma-separated)."""

    element_type = "Input.ChoiceSet"
    choices = PropertyType(type=list)
    isMultiSelect = PropertyType(type=bool)
    style = PropertyType(type=str)
    wrap = PropertyType(type=bool)

    def __init__(
        self,
        id_: str,
        label: str,
        choices: Sequence[tuple[str, str]],
        *,
        value: str = "",
        several: bool = False,
        expanded: bool = False,
        required: bool = False,
        error: str = "",
    ) -> None:
        super().__init__(id_, label, required=required, error=error)
        fill(self, choices=[{"title": title, "value": chosen} for title, chosen in choices], value=value or None)
        fill(self, isMultiSelect=several or None, style="expanded" if expanded else "compact", wrap=True)


class DateInput(_Input):
    element_type = "Input.Date"
    min = PropertyType(type=str)
    max = PropertyType(type=str)

    def __init__(
        self,
        id_: str,
        label: str,
        *,
        value: date | None = None,
        earliest: date | None = None,
        latest: date | None = None,
        required: bool = False,
        error: str = "",
    ) -> None:
        super().__init__(id_, label, required=required, error=error)
        fill(self, value=value and value.isoformat(), min=earliest and earliest.isoformat())
        fill(self, max=latest and latest.isoformat())
