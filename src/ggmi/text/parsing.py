"""Records taken out of what a model wrote: strictly, in one pass, every failure counted and kept.

A response may hold a JSON list, objects one after another or one a line, in code fences or not,
with other text around them, cut off at the end. What counts as an item is

- a brace that opens an object: one followed by ``"``, ``'``, ``}``, or a word and a colon (other
  braces are text, as in ``{name}``);
- any other JSON value in a list that begins with an object or a string: it is no record.

An object that is whole, correct JSON becomes a record if it names ``instruction`` and
``response`` (and ``context``, or not) once each, as text; other fields are passed over and
counted. Objects inside an object are part of it. One exception: an object with a single field
that holds a list, such as ``{"tasks": [...]}``, stands for the items of that list.

An object that is not correct JSON is a failure as a whole, and nothing inside it is taken for a
record: reading goes on after its last bracket, or, where brackets do not close, on a line that
begins with a bracket and is indented no deeper than the line on which the failed object began.
What follows a name in quotes and a colon there is a piece of an object, and a failure too.
"""

from __future__ import annotations

import json
import re
from typing import Any

from ggmi.text.jsonl import depth, too_deep
from ggmi.text.outcomes import (
    BAD_CHARACTER,
    BAD_JSON,
    BAD_NUMBER,
    DUPLICATE_KEY,
    EMPTY_FIELD,
    MISSING_FIELD,
    NO_JSON,
    NOT_AN_OBJECT,
    TOO_DEEP,
    TOO_LONG,
    TRUNCATED,
    WRONG_TYPE,
    Failure,
    Parsed,
    ParsedResponse,
)
from ggmi.text.records import FIELDS, REQUIRED, UNWRITABLE

# Characters of one object; a record of the published prompt has about 1,500.
MAX_CHARACTERS = 100_000
EXCERPT = 300
# Characters given to the decoder at first; the longest literal or escape (-Infinity, \\ud83d\\ude00).
WINDOW, LONGEST_TOKEN = 4096, 16
# How the decoder's message begins when a string has no end.
UNTERMINATED = "Unterminated"
# How far back the beginning of a line is looked for.
LOOK_BACK = 200
_OBJECT = re.compile(r"\{(?=\s*+(?:[\"'}]|\Z|\w++\s*+:))")
# A list of objects or strings, up to its first item.
_LIST = re.compile(rf"\[\s*+(?=\"|{_OBJECT.pattern})")
_START = re.compile(f"{_OBJECT.pattern}|{_LIST.pattern}")
_WRAPPER = re.compile(r'\{\s*+"((?:[^"\\]|\\.)*+)"\s*+:\s*+(?=\[\s*+\{)')
_COMMA = re.compile(r"\s*+,\s*+")
_AFTER_ITEM = re.compile(r"\s*+(?:,|\]|\Z)")
_BRACKET = re.compile(r"[][{}]|\n[ \t]*+(?=[\[{])")
# What may be left where text ends inside an object: nothing, or part of a literal or number.
_CUT = re.compile(r"(?:|t|tr|tru|f|fa|fal|fals|n|nu|nul|-|\.|\.?[0-9]*+[eE][-+]?)\s*+\Z")
_CUT_ESCAPE = re.compile(r"\\?u?[0-9a-fA-F]{0,4}\Z")


def parse(text: str, *, context_required: bool = False, max_characters: int = MAX_CHARACTERS) -> ParsedResponse:
    """Take the records out of a response.

    Time grows linearly with the text, whatever it is.

    Parameters
    ----------
    text
        What a model wrote.
    context_required
        Whether every record needs a context; otherwise it may be absent, null or empty.
    max_characters
        Longest object.

    Returns
    -------
    ParsedResponse

    Examples
    --------
    >>> found = parse('Sure: [{"instruction": "Add 1 and 2.", "response": "3"}, {"instruction": "Na')
    >>> [(r.instruction, r.context, r.response) for r in found.records]
    [('Add 1 and 2.', '', '3')]
    >>> [(f.reason, f.excerpt) for f in found.failures]
    [('truncated', '{"instruction": "Na')]
    """
    reader = _Reader(text, FIELDS if context_required else REQUIRED, max_characters)
    reader.read()
    if not reader.records and not reader.failures:
        reader.fail(NO_JSON, 0, len(text))
    return ParsedResponse(tuple(reader.records), tuple(reader.failures))


class _Pairs(list):
    """An object's fields in order, with those that come twice."""


class _Reader:
    """One pass over one response."""

    def __init__(self, text: str, required: tuple[str, ...], max_characters: int) -> None:
        self.text = text
        self.records: list[Parsed] = []
        self.failures: list[Failure] = []
        self._required = required
        self._max_characters = max_characters
        # Within a wrapper no other is opened, so that nothing is read more than twice.
        self._wrapped_until = 0
        self._wrapped_list = -1
        self._not_numbers = 0
        # Numbers are never part of a record: none is computed, however long it is.
        self._decode = json.JSONDecoder(
            object_pairs_hook=_Pairs, parse_int=_zero, parse_float=_zero, parse_constant=self._not_a_number
        ).raw_decode

    def read(self) -> None:
        """Read all items."""
        at = 0
        while found := _START.search(self.text, at):
            start = found.start()
            if self._is_value(start):
                at = self._nested(start)
            elif self.text[start] == "{":
                at = self._object(start)
            else:
                at = self._list(found.end())

    def fail(self, reason: str, start: int, end: int) -> int:
        """Note a failure; return its end."""
        excerpt = self.text[start : min(end, start + EXCERPT)].encode("utf-8", "backslashreplace").decode("utf-8")
        self.failures.append(Failure(self._position, reason, start, end, excerpt))
        return end

    @property
    def _position(self) -> int:
        return len(self.records) + len(self.failures)

    def _value(self, start: int) -> tuple[Any, int]:
        """Decode the JSON value that begins here; return it and its end.

        An error of the decoder counts the lines from the start of what it was given, so it is
        given a window, which grows until the value or the mistake lies well inside. The mistake's
        place counts from the value's start.
        """
        size = WINDOW
        while True:
            window = self.text[start : start + size]
            whole = start + size >= len(self.text)
            self._not_numbers = 0
            try:
                value, end = self._decode(window)
            except json.JSONDecodeError as error:
                if whole or (error.pos < size - LONGEST_TOKEN and not error.msg.startswith(UNTERMINATED)):
                    raise
            else:
                if whole or end < size:
                    return value, start + end
            size *= 2

    def _list(self, at: int) -> int:
        """Read the items of a list from the first on; return where they end."""
        while True:
            if _OBJECT.match(self.text, at):
                at = self._object(at)
            elif end := self._other(at):
                at = end
            else:
                return at
            comma = _COMMA.match(self.text, at)
            if not comma:
                return at
            at = comma.end()

    def _other(self, start: int) -> int | None:
        """Read a list's item that is no object; return its end, or None for text that is no JSON."""
        try:
            _, end = self._value(start)
        except RecursionError:
            return self._deep(start)
        except json.JSONDecodeError as error:
            return self._broken(start, error) if self.text.startswith("[", start) else None
        if not _AFTER_ITEM.match(self.text, end):
            return None
        return self.fail(NOT_AN_OBJECT, start, end)

    def _object(self, start: int) -> int:
        """Read an object; return where to go on."""
        try:
            pairs, end = self._value(start)
        except RecursionError:
            return self._deep(start)
        except json.JSONDecodeError as error:
            return self._broken(start, error)
        if too_deep(self.text, start, end):
            return self._deep(start)
        if len(pairs) == 1 and isinstance(pairs[0][1], list) and (inner := self._wrapper(start)):
            self._wrapped_until, self._wrapped_list = end, inner
            return inner
        if self._not_numbers:
            return self.fail(BAD_NUMBER, start, end)
        if end - start > self._max_characters:
            return self.fail(TOO_LONG, start, end)
        values = dict(pairs)
        if len(values) < len(pairs):
            return self.fail(DUPLICATE_KEY, start, end)
        reason = self._mistake(values)
        if reason:
            return self.fail(reason, start, end)
        instruction, context, response = (values.get(field) or "" for field in FIELDS)
        extra = len(values) - sum(field in values for field in FIELDS)
        self.records.append(Parsed(self._position, start, end, instruction, context, response, extra))
        return end

    def _is_value(self, start: int) -> bool:
        """Whether a name and a colon stand before a place: what begins there is part of an object."""
        before = self.text[max(0, start - LOOK_BACK) : start].rstrip()
        return before.endswith(":") and before[:-1].rstrip().endswith('"') and start != self._wrapped_list

    def _nested(self, start: int) -> int:
        """Note what is left of an object that made no sense; return where to go on."""
        try:
            _, end = self._value(start)
        except RecursionError:
            return self._deep(start)
        except json.JSONDecodeError as error:
            return self._broken(start, error)
        return self.fail(BAD_JSON, start, end)

    def _mistake(self, values: dict[str, Any]) -> str | None:
        """Why the fields of an object make no record."""
        present = [values[field] for field in FIELDS if values.get(field) is not None]
        if any(values.get(field) is None for field in self._required):
            return MISSING_FIELD
        if not all(isinstance(value, str) for value in present):
            return WRONG_TYPE
        if not all(values[field].strip() for field in self._required):
            return EMPTY_FIELD
        return BAD_CHARACTER if any(map(UNWRITABLE.search, present)) else None

    def _wrapper(self, start: int) -> int | None:
        """Where the list of a wrapper begins, if an object that begins with a list is one."""
        found = _WRAPPER.match(self.text, start)
        return found.end() if found and found[1] not in FIELDS and start >= self._wrapped_until else None

    def _broken(self, start: int, error: json.JSONDecodeError) -> int:
        """Note JSON that is not correct; return where to go on."""
        text, stop = self.text, start + error.pos
        if too_deep(text, start, stop):
            return self._deep(start)
        unterminated = error.msg.startswith(UNTERMINATED)
        if unterminated or _CUT.match(text, stop) or ("escape" in error.msg and _CUT_ESCAPE.match(text, stop)):
            inner = self._wrapper(start)
            if inner and not self._closes(inner):
                self._wrapped_until, self._wrapped_list = len(text), inner
                return inner
            return self.fail(TRUNCATED, start, len(text))
        return self.fail(BAD_JSON, start, self._skip(stop, depth(text, start, stop)[0], start))

    def _closes(self, start: int) -> bool:
        """Whether the list that begins here is whole."""
        try:
            self._value(start)
        except (RecursionError, json.JSONDecodeError):
            return False
        return True

    def _deep(self, start: int) -> int:
        """Note JSON nested too deep; return where to go on."""
        return self.fail(TOO_DEEP, start, self._skip(start, 0, start))

    def _skip(self, stop: int, unclosed: int, start: int) -> int:
        """Find the end of an item that began at `start` and made no sense from `stop` on."""
        text = self.text
        line = text.rfind("\n", max(0, start - LOOK_BACK), start) + 1
        before = text[line:start] if line or start <= LOOK_BACK else ""
        indent = len(before) - len(before.lstrip(" \t"))
        while text[stop - 1] in " \t\n\r":
            stop -= 1
        for found in _BRACKET.finditer(text, stop):
            bracket = found[0]
            if bracket[0] == "\n":
                if len(bracket) - 1 <= indent:
                    return found.start()
            elif bracket in "[{":
                unclosed += 1
            else:
                unclosed -= 1
                if unclosed <= 0:
                    return found.end()
        return len(text)

    def _not_a_number(self, _: str) -> None:
        self._not_numbers += 1


def _zero(_: str) -> int:
    """Stands for any number."""
    return 0
