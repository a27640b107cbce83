"""From what a person typed to a command.

Forgiving where it cannot do harm: accents, case, blanks, courtesies, some other orders of the words. Nothing is
guessed: near misses are suggestions, and what is not plainly an approval is none.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches

from bot.vocabulary import (
    COMMANDS,
    COURTESIES,
    LATER_WORDS,
    LEADS,
    OPTIONS,
    CommandName,
)
from lucy.domain.batches import batch_code, parse_batch_code
from lucy.domain.selections import fold
from lucy.domain.students import Stage, parse_document_number

__all__ = ["Command", "CommandName", "NotUnderstood", "parse", "split_code", "yes_or_no"]

SUGGESTIONS = 3
LONGEST_VERB = 40  # letters compared for near misses


@dataclass(frozen=True, slots=True)
class Command:
    """`argument` keeps the spelling of the person; `options` were taken out of it, names and values folded.

    For the commands about a batch the argument begins with the code as we write it (`L-0042`) where one was read.
    """

    name: CommandName
    argument: str = ""
    options: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class NotUnderstood:
    """`suggestions` are commands that look alike, best first. `known_later`: the first one exists but not yet."""

    text: str
    suggestions: tuple[str, ...] = ()
    known_later: bool = False


def parse(text: str) -> Command | NotUnderstood:
    """Never raises. Nothing at all is a cry for help."""
    said = _without_courtesies(" ".join(text.split()))
    if not said:
        return Command(CommandName.HELP)
    bare = _bare(said)
    if bare is not None:
        return bare
    words = _without_leads(said.split(" "))
    command = _by_first_word(words) or _by_other_order(words)
    if command is None:
        return _not_understood(text, words)
    if command.name in _DECISIONS and (_is_question(text) or _says_more(command)):
        return NotUnderstood(text, (command.name.value,))
    if command.name in _OF_EVERYTHING and command.argument and _is_question(text):
        return NotUnderstood(text, (command.name.value,))
    return command


def split_code(argument: str) -> tuple[int | None, str]:
    """`L-0042 faltan datos` → (42, `faltan datos`); (None, argument) where no code stands first."""
    match = _LEADING_CODE.match(argument)
    number = parse_batch_code(match["code"]) if match else None
    if match is None or number is None:
        return None, argument
    return number, argument[match.end() :].strip(_AROUND)


def yes_or_no(value: str) -> bool | None:
    """The value of an option such as `correo:no`; None when it is neither."""
    return {"si": True, "yes": True, "true": True, "no": False, "false": False}.get(fold(value))


_AROUND = " \t.,;:!¡¿?…-–—"
_TRAILING = " .,;:!…"  # a trailing ? goes too, but a lone ? is a question for help
_BEFORE_A_WORD, _AFTER_A_WORD = "¡¿\"'«(/@", ".,;:!?\"'»)…"
_LEADING_CODE = re.compile(r"(?P<code>[lL]\s?[-–—]?\s?[0-9]{1,9}|[0-9]{1,9})(?!\w|\.[0-9])")
_CODE = re.compile(r"[lL]\s?[-–—]?\s?[0-9]{1,9}")
_COUNT = re.compile(r"[0-9][0-9.]{0,8}(?:\s(?:alumn[oa]s?|students?))?", re.IGNORECASE)  # what an approval confirms
_OPTION = re.compile(r'(?<![\w:])(?P<name>[^\W\d]+)\s?:\s?(?P<value>[^\s:"]+)')
_QUOTED = re.compile(r'("[^"]*"|“[^“”]*”)')
_ENDS = 60  # letters at either end in which courtesies are looked for

_DECISIONS = frozenset(
    {
        CommandName.APPROVE,
        CommandName.REJECT,
        CommandName.CANCEL,
        CommandName.PAUSE,
        CommandName.RETRY,
        CommandName.UNDO,
        CommandName.SPLIT,
        CommandName.RELEASE,
    }
)
_OF_EVERYTHING = frozenset({CommandName.PAUSE_ALL, CommandName.RESUME})
_ABOUT_A_BATCH = _DECISIONS | {CommandName.BATCH, CommandName.RESUME}
_OVER_STUDENTS = frozenset(
    {
        CommandName.ACTIVATE,
        CommandName.ENROL,
        CommandName.UNENROL,
        CommandName.RESET,
        CommandName.RESEND,
        CommandName.DISABLE,
        CommandName.ENABLE,
    }
)
_STAGES = frozenset(
    [f"{stage.value}{ending}" for stage in Stage for ending in ("", "s")]
    + ["todos", "todas", "nuevos", "nuevas", "ausentes"]
)


def _word(text: str) -> str:
    """A word as the vocabulary has it."""
    folded = fold(text)
    return folded.lstrip(_BEFORE_A_WORD).rstrip(_AFTER_A_WORD) or folded


def _is_question(text: str) -> bool:
    """¿aprobar L-0042? is not an order."""
    return text.rstrip().endswith("?") or text.lstrip().startswith("¿")


def _says_more(command: Command) -> bool:
    """`aprobar L-0042 todavía no` and `aprobar L-0042 L-0043` say something that an approval has no room for.

    It has room for a number: that of the students, which is typed where what is done cannot be undone. A retry has room
    for one student.
    """
    number, rest = split_code(command.argument)
    if number is None or not rest or command.name is CommandName.REJECT:
        return False
    if command.name is CommandName.APPROVE:
        return _COUNT.fullmatch(rest) is None
    return not (command.name is CommandName.RETRY and parse_document_number(rest))


def _without_courtesies(text: str) -> str:
    """Greetings, thanks and punctuation at both ends, as often as they come."""
    for _round in range(8):
        shorter = text.strip().rstrip(_TRAILING).lstrip("¡¿,;. ")
        if len(shorter) > 1:
            shorter = shorter.rstrip("?" + _TRAILING)
        shorter = shorter[:-_ENDS] + _COURTESY_LAST.sub("", shorter[-_ENDS:])
        shorter = _COURTESY_FIRST.sub("", shorter[:_ENDS]) + shorter[_ENDS:]
        if shorter == text:
            break
        text = shorter
    return text.strip()


_ACCENTED = {"a": "[aá]", "i": "[ií]"}  # día, días
_ANY_COURTESY = "|".join(
    "".join(_ACCENTED.get(c, r"\s" if c == " " else re.escape(c)) for c in words)
    for words in sorted(COURTESIES, key=len, reverse=True)
)
_COURTESY_LAST = re.compile(rf"(?:^|(?<=[\s,;.]))(?:{_ANY_COURTESY})[\s,.!]*$", re.IGNORECASE)
_COURTESY_FIRST = re.compile(rf"^[¡¿\s]*@?(?:{_ANY_COURTESY})(?:[\s,.:;!]+|$)", re.IGNORECASE)


def _without_leads(words: list[str]) -> list[str]:
    """`quiero ver el estado` → `estado`."""
    first = 0
    while first < len(words) - 1 and _word(words[first]) in LEADS:
        first += 1
    return words[first:]


def _bare(said: str) -> Command | None:
    """A document number alone is a student, a code alone is a batch."""
    words = _without_leads(said.split(" "))
    alone = " ".join(words)
    if _CODE.fullmatch(alone):
        return Command(CommandName.BATCH, _with_code(alone))
    number = parse_document_number(alone)
    return Command(CommandName.STUDENT, number) if number else None


def _by_first_word(words: Sequence[str]) -> Command | None:
    for several in (3, 2):
        named = COMMANDS.get(" ".join(_word(word) for word in words[:several]))
        if named is not None and len(words) >= several:
            return _command(named, words[several:])
    name = COMMANDS.get(_word(words[0]))
    if name is None:
        return None
    if name is CommandName.BATCH and len(words) > 2 and (verb_last := _by_other_order(words[1:])):
        return verb_last  # "lote 42 aprobar"
    return _command(name, words[1:])


def _by_other_order(words: Sequence[str]) -> Command | None:
    """The verb straight after its code, or last after its object: nothing may stand between, so no negation either."""
    code = _LEADING_CODE.match(" ".join(words))
    if code is not None:
        rest = " ".join(words)[code.end() :].strip(_AROUND).split()
        verb = COMMANDS.get(_word(rest[0])) if rest else None
        if verb is CommandName.REJECT or (len(rest) == 1 and verb in _ABOUT_A_BATCH | {CommandName.AUDIT}):
            return _command(verb, [code["code"], *rest[1:]])
    name = COMMANDS.get(_word(words[-1]))
    before = words[:-1]
    if name is CommandName.STUDENT and parse_document_number(" ".join(before)):
        return _command(name, before)
    if name is CommandName.INGEST and len(before) == 1 and _word(before[0]) in _STAGES:
        return _command(name, before)
    if name in _OVER_STUDENTS and before and all(_selects(word) for word in before):
        return _command(name, before)
    return None


def _selects(word: str) -> bool:
    return ":" in word or _word(word) in _STAGES or any(c.isdigit() for c in word)


def _command(name: CommandName, words: Sequence[str]) -> Command:
    argument = " ".join(words).strip()
    if name in _ABOUT_A_BATCH:
        argument = _with_code(_without_the_word_batch(argument))
    argument, options = _take_options(name, argument)
    return Command(name, argument, options)


def _without_the_word_batch(argument: str) -> str:
    """`aprobar el lote 42` → `42`."""
    words = _without_leads(argument.split(" "))
    if len(words) > 1 and COMMANDS.get(_word(words[0])) is CommandName.BATCH:
        words = words[1:]
    return " ".join(words)


def _with_code(argument: str) -> str:
    number, rest = split_code(argument)
    return argument if number is None else f"{batch_code(number)} {rest}".strip()


def _take_options(name: CommandName, argument: str) -> tuple[str, dict[str, str]]:
    """Only outside quotes: what stands in them is somebody's name or place."""
    known = OPTIONS.get(name)
    if not known:
        return argument, {}
    options: dict[str, str] = {}

    def take(match: re.Match[str]) -> str:
        option = known.get(fold(match["name"]))
        if option is None:
            return match[0]
        options[option] = fold(match["value"]).rstrip(",;")
        return ""

    parts = _QUOTED.split(argument)  # every second one stands in quotes
    kept = "".join(part if index % 2 else _OPTION.sub(take, part) for index, part in enumerate(parts))
    return " ".join(kept.split()), options


def _not_understood(text: str, words: Sequence[str]) -> NotUnderstood:
    first, two = _word(words[0]), " ".join(_word(word) for word in words[:2])
    later = LATER_WORDS.get(two) or LATER_WORDS.get(first)
    if later is not None:
        return NotUnderstood(text, (later,), known_later=True)
    candidates = [*COMMANDS, *LATER_WORDS]
    near = get_close_matches(first[:LONGEST_VERB], candidates, n=2 * SUGGESTIONS, cutoff=0.7)
    names = list(dict.fromkeys(LATER_WORDS.get(word) or COMMANDS[word].value for word in near))[:SUGGESTIONS]
    if not names and re.fullmatch(r"[0-9]{1,5}", first):
        names = [CommandName.BATCH.value]
    if not names:
        meant = (COMMANDS.get(_word(word)) for word in words[:10])
        names = list(dict.fromkeys(name.value for name in meant if name))[:SUGGESTIONS]
    return NotUnderstood(text, tuple(names), known_later=bool(names) and names[0] in LATER_WORDS)
