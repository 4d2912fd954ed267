"""How people keep a record in a row: under other names, deep inside, as a chat, as a preference pair."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

from ggmi.errors import UserError, did_you_mean
from ggmi.text.chats import (
    USERS,
    Said,
    as_chat,
    ends_with_answer,
    is_empty,
    joined,
    read_chat,
    read_transcript,
    role_of,
    tells,
    text_of,
    words_of,
)
from ggmi.text.format import normal_name
from ggmi.text.json_documents import Broken, Row
from ggmi.text.records import FIELDS, REQUIRED, UNWRITABLE

# What fields are called in published sets and by common tools, in the order in which names are tried, without
# regard to case, blanks, hyphens, underscores and marks of Markdown.
NAMES = {
    "instruction": ("instruction", "prompt", "question", "query", "problem", "input"),
    "context": ("context", "input"),
    "response": ("response", "output", "completion", "answer", "generation", "solution", "chosen"),
    "id": ("id",),
}
# Columns that hold whole chats, and those that hold what a chat's system turn says.
CHATS = ("messages", "conversations", "conversation", "dialogue", "dialog", "contents", "turns", "chat", "context")
# Of these, those whose turns may be exchanges, or texts in turn.
_BARE = ("conversations", "conversation", "dialogue", "dialog")
SYSTEM = ("system", "systemprompt", "systeminstruction")
_CHAT, _SYSTEM = "chat", "system"
ABSENT = object()
Fields = Mapping[str, "str | Sequence[str]"]


class _Found(NamedTuple):
    """A value and the name by which it was found."""

    name: str
    value: Any


class FieldReader:
    """Takes the fields of records from rows, and remembers from where.

    Parameters
    ----------
    fields
        What the rows call each field: a name, names in their order, or names with commas between them; an
        empty name says that there is no such field. Fields that are not there go by `NAMES`.
    parts
        Fields that are used; of the others, instruction and response may be absent.

    Attributes
    ----------
    sources : dict of str to dict of str to int
        For each field, the names it was taken from and how often.
    passed : set of str
        Names of columns that were looked at.
    no_text : dict of str to int
        Kinds of what is no text in chats and was passed over, and in how many records.
    """

    def __init__(self, fields: Fields | None = None, parts: Collection[str] = FIELDS) -> None:
        self.named = checked_names(fields or {})
        # Names to look for, by the columns that rows have.
        self._known: dict[tuple[str, ...], dict[str, tuple[str, ...]]] = {}
        self._required = [field for field in REQUIRED if field in parts]
        self._parts = frozenset(parts)
        self._may_chat = not {"instruction", "response"} & self.named.keys()
        self.sources: dict[str, dict[str, int]] = {field: {} for field in FIELDS}
        self.passed: set[str] = set()
        self.no_text: dict[str, int] = {}

    @property
    def wanted(self) -> set[str]:
        """Every name that is looked for."""
        fields = {name for field, names in NAMES.items() for name in self.named.get(field, names)}
        return fields | {*CHATS, *SYSTEM}

    def _names_in(self, row: Row) -> dict[str, tuple[str, ...]]:
        """Names to look for in a row: those that a person gave, else its columns that are called like a field."""
        columns = tuple(row)
        if (known := self._known.get(columns)) is None:
            spelt: dict[str, str] = {}
            for column in columns:
                spelt.setdefault(normal_name(str(column)), column)
            usual = {**{field: names for field, names in NAMES.items() if field != "id"}, _CHAT: CHATS, _SYSTEM: SYSTEM}
            known = {
                field: tuple(name if name in row else spelt[name] for name in names if name in row or name in spelt)
                for field, names in usual.items()
            }
            known = self._known[columns] = {**known, "id": NAMES["id"], **self.named}
        return known

    def read(self, row: Row) -> tuple[str, str, str] | Broken:
        """Instruction, context and response of a row, or why it holds no record.

        Parameters
        ----------
        row
            Names and values.
        """
        instruction, response = self._find(row, "instruction"), self._find(row, "response")
        chat = self._chat(row, instruction, response)
        if chat is None:
            found = (instruction, self._context(row, instruction), response)
            values = [self._text(field, one) for field, one in zip(FIELDS, found, strict=True)]
        else:
            values = self._said(*chat)
        for field, text in zip(FIELDS, values, strict=False):
            if isinstance(text, Broken):
                return text
            if bad := UNWRITABLE.search(text):
                what = "NUL" if bad[0] == "\x00" else "half a surrogate pair"
                return Broken(f"with {what} in the {field}", f"character {bad.start() + 1}", field)
        instruction_text, context_text, response_text = values
        return str(instruction_text), str(context_text), str(response_text)

    def lacks(self, row: Row) -> list[str]:
        """Fields that are needed and of which a row has nothing.

        Parameters
        ----------
        row
            Names and values.
        """
        absent = [field for field in self._required if self._find(row, field) is None]
        found = self._find(row, "instruction"), self._find(row, "response")
        return [] if absent and self._chat(row, *found) else absent

    def identity(self, row: Row) -> str | None:
        """The id of a row, or None where it has none that can be used.

        Parameters
        ----------
        row
            Names and values.
        """
        for name in self.named.get("id", NAMES["id"]):
            value = find_value(row, name)
            if value is not ABSENT:
                self.passed.add(name.partition(".")[0])
                return key_of(value)
        return None

    def _find(self, row: Row, field: str) -> _Found | None:
        """A field of a row: of the names that a person gave the first with a value, else as the field allows."""
        first: _Found | None = None
        for name in self._names_in(row)[field]:
            value = find_value(row, name)
            if value is ABSENT:
                continue
            self.passed.add(name if name in row else name.partition(".")[0])
            found = _Found(name, value)
            # A model's answer that failed is not replaced by what else a row holds, such as the reference.
            if not is_empty(value) or (field == "response" and field not in self.named):
                return found
            first = first or found
        return first

    def _context(self, row: Row, instruction: _Found | None) -> _Found | None:
        """The context; what was taken for the instruction is none, nor is what is no text unless it was named."""
        first: _Found | None = None
        for name in self._names_in(row)["context"]:
            value = find_value(row, name)
            if value is ABSENT or (instruction and instruction.name == name):
                continue
            if "context" in self.named or is_empty(value) or not isinstance(text_of(value), Broken):
                self.passed.add(name if name in row else name.partition(".")[0])
                first = first or _Found(name, value)
                if not is_empty(value):
                    return _Found(name, value)
        return first

    def _chat(self, row: Row, instruction: _Found | None, response: _Found | None) -> tuple[list[Any], str, str] | None:
        """The turns that stand for a record, where they were found, and where their answer; None for texts."""
        asked = as_chat(instruction.value) if instruction else None
        answered = as_chat(response.value) if response else None
        if instruction and response and answered and asked is None and isinstance(response.value, str):
            # An answer may be a chat that is made up.
            answered = answered if tells(answered, str(instruction.value)) else None
        if response and answered:
            own, where = (asked, instruction.name) if instruction and asked else ([], response.name)
            if instruction and asked is None and not any(role_of(turn) in USERS for turn in answered):
                own, where = [{"role": "user", "content": instruction.value}], instruction.name
            elif not instruction and (held := self._held(row)) and not ends_with_answer(held[0]):
                own, where = held
            return self._with_system(row, joined(own, answered)), where, response.name
        if instruction and asked:
            return self._with_system(row, asked + _answer(response)), instruction.name, (response or instruction).name
        both_said = instruction and response and not (is_empty(instruction.value) and is_empty(response.value))
        if not self._may_chat or both_said:
            return None
        if held := self._held(row):
            turns, name = held
            more = [] if ends_with_answer(turns) else _answer(response)
            if response and not more and response.name not in self.sources["response"]:
                self.passed.discard(response.name)
            return self._with_system(row, turns + more), name, response.name if more and response else name
        if response and not instruction and isinstance(response.value, str):
            told = read_transcript(response.value)
            return (told, response.name, response.name) if told else None
        return None

    def _held(self, row: Row) -> tuple[list[Any], str] | None:
        """The turns in a column of whole chats, and its name."""
        for name in self._names_in(row)[_CHAT]:
            if turns := as_chat(row[name], bare=normal_name(name) in _BARE):
                self.passed.add(name)
                return turns, name
        return None

    def _with_system(self, row: Row, turns: list[Any]) -> list[Any]:
        """Turns behind what a column of its own says for the system."""
        for name in self._names_in(row)[_SYSTEM]:
            self.passed.add(name)
            if (said := words_of(row[name])) and not any(role_of(turn) == "system" for turn in turns):
                return [{"role": "system", "content": said}, *turns]
        return turns

    def _said(self, turns: list[Any], asked: str, answered: str) -> list[str | Broken]:
        """The fields of a record that turns hold."""
        said: Said = read_chat(turns)
        for field, text in zip(FIELDS, said.values, strict=False):
            if text and not isinstance(text, Broken):
                self._count(field, answered if field == "response" else asked)
        if not isinstance(said.values[0], Broken):
            for what in said.passed:
                self.no_text[what] = self.no_text.get(what, 0) + 1
        return said.values

    def _text(self, field: str, found: _Found | None) -> str | Broken:
        """The text of a field, or why there is none."""
        needed = field in self._required
        if found is None:
            return Broken(f"without {_an(field)}", field=field) if needed else ""
        if is_empty(found.value):
            # A context of spaces is kept as it stands.
            empty = found.value if isinstance(found.value, str) and field not in REQUIRED else ""
            return Broken(f"with an empty {field} in {found.name!r}", field=field) if needed else empty
        text = text_of(found.value)
        if isinstance(text, Broken):
            what = f"with {_an(field)} in {found.name!r} that is {text.reason}"
            return Broken(what, field=field) if field in self._parts else ""
        self._count(field, found.name)
        return text

    def _count(self, field: str, name: str) -> None:
        counts = self.sources[field]
        counts[name] = counts.get(name, 0) + 1


def checked_names(fields: Fields) -> dict[str, tuple[str, ...]]:
    """Names of each field in their order.

    Parameters
    ----------
    fields
        As for `FieldReader`.

    Raises
    ------
    UserError
        If there is no such field, or one that is needed has no name.

    Examples
    --------
    >>> checked_names({"response": "output, answer", "context": ""})
    {'response': ('output', 'answer'), 'context': ()}
    """
    found = {}
    for field, given in fields.items():
        if field not in NAMES:
            raise UserError(f"fields: there is no field {field!r}; {did_you_mean(field, NAMES)}")
        words = given.split(",") if isinstance(given, str) else given
        found[field] = tuple(word.strip() for word in words if word.strip())
        if not found[field] and field in REQUIRED:
            raise UserError(f"fields: {field} needs a name; only context and id may be left out")
    return found


def find_value(row: Row, name: str) -> Any:
    """A value of a row by its name, or by a dotted path such as ``choices.0.message.content``.

    Parameters
    ----------
    row
        Names and values.
    name
        The name or path; a name with dots in it comes first.

    Returns
    -------
    object
        A value of its own kind where there is nothing of that name.
    """
    if name in row:
        return row[name]
    if "." not in name:
        return ABSENT
    value: Any = row
    for step in name.split("."):
        if isinstance(value, Mapping) and step in value:
            value = value[step]
        elif isinstance(value, list) and step.isdecimal() and int(step) < len(value):
            value = value[int(step)]
        else:
            return ABSENT
    return value


def key_of(value: Any) -> str | None:
    """An id or key as text, or None if it can be none: text that is not empty, or a whole number.

    Examples
    --------
    >>> key_of("a"), key_of(7), key_of(7.0), key_of([7]), key_of("")
    ('a', '7', '7', None, None)
    """
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, bool) or not isinstance(value, str | int) or value == "":
        return None
    text = str(value)
    return None if UNWRITABLE.search(text) else text


def _answer(response: _Found | None) -> list[Any]:
    """The turn of an answer that stands in a column of its own."""
    return [{"role": "assistant", "content": response.value}] if response and not is_empty(response.value) else []


def _an(field: str) -> str:
    return f"an {field}" if field == "instruction" else f"a {field}"
