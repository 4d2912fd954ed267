"""Records taken out of what a model wrote: strictly, in one pass, every failure counted and kept.

A response may hold a JSON list, objects one after another or one a line, in code fences or not,
with other text around them, cut off at the end. Thoughts (`ggmi.text.thinking`) are passed over:
what stands in them is a draft. What counts as an item is

- a brace that opens an object: one followed by a quote, ``}``, or a word and a colon (other
  braces are text, as in ``{name}``);
- any other JSON value in a list that begins with an object or a string: it is no record.

An object that is whole, correct JSON becomes a record if it names instruction and response (and
context, or not) once each, as text, number or boolean. Names are compared without case, blanks,
hyphens, underscores and marks of Markdown; other fields are passed over and counted. An object that
is no record and holds records, in a list or under names but that of a context, stands for those; so
does a JSON string.

An object that is not correct JSON is a failure as a whole, and nothing inside it is taken for a
record, except by a repair that was asked for: reading goes on where the object ends for a lenient
reader, else after its last bracket, or, where brackets do not close, on a line that begins with a
bracket and is indented no deeper than the line on which the failed object began. What follows a
name in quotes and a colon there is a piece of an object, and a failure too.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from ggmi.text.format import NO_TEXT, Format, as_text, normal_name
from ggmi.text.jsonl import depth, too_deep
from ggmi.text.outcomes import (
    BAD_CHARACTER,
    BAD_ESCAPE,
    BAD_JSON,
    BAD_NUMBER,
    DUPLICATE_KEY,
    EMPTY_FIELD,
    MISSING_FIELD,
    NO_JSON,
    NOT_AN_OBJECT,
    THINKING_CUT,
    TOO_DEEP,
    TOO_LONG,
    TRUNCATED,
    WRONG_TYPE,
    Parsed,
    ParsedResponse,
    ParseFailure,
)
from ggmi.text.records import FIELDS, REQUIRED, UNWRITABLE
from ggmi.text.repair import BLANK, has_latex_escapes
from ggmi.text.scanning import COMMA, LOOK_BACK, MAX_CHARACTERS, NAME, UNTERMINATED, Pairs, Scanner
from ggmi.text.thinking import Mark
from ggmi.text.visible import is_visible

EXCERPT = 300
# Keys of a failed object that are told, and characters of each.
KEYS, KEY_LENGTH = 12, 40
# Wrappers inside one another.
LEVELS = 3
_OBJECT = re.compile(rf"\{{(?={BLANK}*+(?:[\"'“”„‘’}}]|\Z|\w++\s*+:))")
# A list of objects or strings, up to its first item.
_LIST = re.compile(rf"\[\s*+(?=\"|{_OBJECT.pattern})")
# A string that holds JSON with objects in it.
_TEXT = re.compile(r"\"(?:\s|\\[nrt])*+(?:\[(?:\s|\\[nrt])*+)?+\{(?:\s|\\[nrt])*+\\\"")
_INNER = re.compile(r"\s*+(?:\[\s*+)?+\{\s*+\"")
_QUOTED_NAME = re.compile(r"\"([^\"\\]*+)\"\s*+:")
_START = re.compile(f"{_TEXT.pattern}|{_OBJECT.pattern}|{_LIST.pattern}")
_AFTER_ITEM = re.compile(r"\s*+(?:,|\]|\Z)")
_LIST_END = re.compile(r"\s*+(?:,\s*+)?+\]")
# What may be left where text ends inside an object: nothing, or part of a literal or number.
_CUT = re.compile(r"(?:|t|tr|tru|f|fa|fal|fals|n|nu|nul|-|\.|\.?[0-9]*+[eE][-+]?)\s*+\Z")
_CUT_ESCAPE = re.compile(r"\\?u?[0-9a-fA-F]{0,4}\Z")
# One character of a JSON string as it is written; a surrogate pair is one character.
_WRITTEN = re.compile(r"\\u[dD][89abAB]..\\u[dD][c-fC-F]..|\\u....|\\.|[^\\]", re.DOTALL)


def parse(text: str, form: Format | None = None) -> ParsedResponse:
    """Take the records out of a response.

    Time grows linearly with the text, whatever it is.

    Parameters
    ----------
    text
        What a model wrote.
    form
        What is taken for a record; by default our own names, and nothing is repaired.

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
    chosen = form or Format()
    reader = _Reader(text, chosen, chosen.fields())
    reader.read()
    if chosen.opened and not reader.closed:
        reader.forget()
        reader.fail(THINKING_CUT, 0, len(text))
    if not reader.records and not reader.failures:
        reader.fail(NO_JSON, 0, len(text))
    return ParsedResponse(tuple(reader.records), tuple(reader.failures))


class _Reader(Scanner):
    """One pass over one response."""

    def __init__(self, text: str, form: Format, fields: Mapping[str, str]) -> None:
        super().__init__(text)
        self.records: list[Parsed] = []
        self.failures: list[ParseFailure] = []
        # Whether a mark closed thoughts that none had opened.
        self.closed = False
        self._form = form
        self._fields = fields
        self._in_wrapper = False
        self._never_closed: set[int] = set()

    def read(self) -> None:
        """Read all items."""
        at = 0
        while True:
            found = _START.search(self.text, at)
            if mark := self._form.marks.find(self.text, at, found.start() if found else None):
                at = self._thought(mark)
            elif not found:
                return
            elif self.is_value(start := found.start()):
                at = self._nested(start)
            elif self.text[start] == "{":
                at = self._object(start)
            elif self.text[start] == "[":
                at = self._list(found.end())
            else:
                at = self._string(start)

    def fail(self, reason: str, start: int, end: int, keys: Sequence[str] = ()) -> int:
        """Note a failure; return its end."""
        told = tuple(_utf8(key[:KEY_LENGTH]) for key in keys[:KEYS])
        excerpt = _utf8(self.text[start : min(end, start + EXCERPT)])
        self.failures.append(ParseFailure(self._position, reason, start, end, excerpt, told))
        return end

    def forget(self) -> None:
        """Take everything so far for drafts."""
        self.records.clear()
        self.failures.clear()

    @property
    def _position(self) -> int:
        return len(self.records) + len(self.failures)

    def _thought(self, mark: Mark) -> int:
        """Pass over thoughts; return where to go on."""
        marks = self._form.marks
        if not mark.opens:
            if marks.alone(mark):
                self.closed = True
                self.forget()
            return mark.end
        end = None if mark.kind in self._never_closed else marks.closing(self.text, mark)
        if end:
            return end
        self._never_closed.add(mark.kind)
        before = self.text[max(0, mark.start - LOOK_BACK) : mark.start].rstrip(" \t")
        if before and not before.endswith(("\n", ">", "]", "assistant")):
            return mark.end  # a mark that prose speaks of
        return self.fail(THINKING_CUT, mark.start, len(self.text))

    def _end_of_thoughts(self, start: int, end: int) -> int | None:
        """Where thoughts end inside an object that made no sense; what came before was a draft."""
        marks, at = self._form.marks, start
        while mark := marks.find(self.text, at, end):
            if not mark.opens and marks.alone(mark):
                self.closed = True
                self.forget()
                return mark.end
            at = (marks.closing(self.text, mark) if mark.opens else None) or mark.end
        return None

    def _list(self, at: int) -> int:
        """Read the items of a list from the first on; return where they end."""
        while True:
            if _OBJECT.match(self.text, at):
                at = self._object(at)
            elif end := self._other(at):
                at = end
            else:
                return at
            comma = COMMA.match(self.text, at)
            if not comma:
                return at
            at = comma.end()

    def _other(self, start: int) -> int | None:
        """Read a list's item that is no object; return its end, or None for text that is no JSON."""
        try:
            value, end = self.value(start)
        except RecursionError:
            return self._deep(start)
        except json.JSONDecodeError as error:
            return self._broken(start, error) if self.text.startswith("[", start) else None
        if not _AFTER_ITEM.match(self.text, end):
            return None
        if isinstance(value, str) and _TEXT.match(self.text, start):
            return self._unpack(start, value, end)
        return self.fail(NOT_AN_OBJECT, start, end)

    def _object(self, start: int) -> int:
        """Read an object; return where to go on."""
        try:
            pairs, end = self.value(start)
        except RecursionError:
            return self._deep(start)
        except json.JSONDecodeError as error:
            return self._broken(start, error)
        if too_deep(self.text, start, end):
            return self._deep(start)
        self._take(pairs, start, end, LEVELS)
        return end

    def _string(self, start: int) -> int:
        """Read a string that holds JSON; return where to go on."""
        try:
            value, end = self.value(start)
        except json.JSONDecodeError as error:
            return self._broken(start, error)
        return self._unpack(start, value, end)

    def _unpack(self, start: int, value: str, end: int) -> int:
        """Read the items in a string; their places are those of what is written."""
        inner = _Reader(value, self._form, self._fields)
        inner.read()
        places = [found.start() + start + 1 for found in _WRITTEN.finditer(self.text[start + 1 : end - 1])] + [end - 1]
        first = self._position
        for record in inner.records:
            here, there = places[record.start], places[record.end]
            self.records.append(replace(record, position=first + record.position, start=here, end=there))
        for failure in inner.failures:
            here, there = places[failure.start], places[failure.end]
            excerpt = _utf8(self.text[here : min(there, here + EXCERPT)])
            moved = replace(failure, position=first + failure.position, start=here, end=there, excerpt=excerpt)
            self.failures.append(moved)
        return end

    def _take(self, value: Any, start: int, end: int, levels: int) -> None:
        """Take the records out of a whole value."""
        if isinstance(value, Pairs):
            names = [self._fields.get(normal_name(key)) for key, _ in value]
            whole = set(names).issuperset(REQUIRED)
            members = [] if whole else zip(names, value, strict=True)
            inner = [name != "context" and self._holds(member, levels - 1) for name, (_, member) in members]
            if not any(inner):
                self._record(value, start, end)
                return
            places = self.members(start)
        elif isinstance(value, list):
            inner, places = [True] * len(value), self.items(start)
        elif isinstance(value, str) and _TEXT.match(self.text, start):
            self._unpack(start, value, end)
            return
        else:
            self.fail(NOT_AN_OBJECT, start, end)
            return
        for holds, (at, member, stop) in zip(inner, places, strict=True):
            if holds:
                self._take(member, at, stop, levels - 1)

    def _holds(self, value: Any, levels: int) -> bool:
        """Whether a value is a record or holds some."""
        if levels < 0:
            return False
        if isinstance(value, Pairs):
            names = {self._fields.get(normal_name(key)) for key, _ in value}
            return not names.isdisjoint(REQUIRED) or any(self._holds(member, levels - 1) for _, member in value)
        if isinstance(value, list):
            return any(isinstance(item, Pairs) and self._holds(item, levels) for item in value)
        if not isinstance(value, str) or not _INNER.match(value):
            return False
        return any(self._fields.get(normal_name(name)) for name in _QUOTED_NAME.findall(value, 0, LOOK_BACK))

    def _record(self, pairs: Sequence[tuple[str, Any]], start: int, end: int, *, repaired: bool = False) -> None:
        """Take an object's fields for a record, or note why it is none."""
        raw = self.text[start:end]
        latex = not repaired and "\\" in raw and has_latex_escapes(raw)
        if latex and self._form.repair and (read := self.read_leniently(start)):
            self._record(read[0], start, end, repaired=True)
            return
        names = [self._fields.get(normal_name(key)) for key, _ in pairs]
        values = {name: as_text(value) for name, (_, value) in zip(names, pairs, strict=True) if name}
        keys, extra = [key for key, _ in pairs], names.count(None)
        twice = len(set(keys)) < len(keys) or len(values) < len(names) - extra
        reason = self._mistake(values, len(raw), twice=twice, latex=latex, repaired=repaired)
        if reason:
            self.fail(reason, start, end, keys)
            return
        instruction, context, response = (
            value if (value := values.get(name)) and is_visible(value) else "" for name in FIELDS
        )
        self.records.append(Parsed(self._position, start, end, instruction, context, response, extra, repaired))

    def _mistake(
        self, values: Mapping[str, str | None], length: int, *, twice: bool, latex: bool, repaired: bool
    ) -> str | None:
        """Why an object makes no record."""
        if self.not_numbers and not repaired:
            return BAD_NUMBER
        if length > MAX_CHARACTERS:
            return TOO_LONG
        if twice:
            return DUPLICATE_KEY
        if any(values.get(name) is None for name in REQUIRED):
            return MISSING_FIELD
        present = [value for value in values.values() if value is not None]
        if NO_TEXT in present:
            return WRONG_TYPE
        if not all(is_visible(values[name] or "") for name in REQUIRED):
            return EMPTY_FIELD
        if any(map(UNWRITABLE.search, present)):
            return BAD_CHARACTER
        return BAD_ESCAPE if latex else None

    def _nested(self, start: int) -> int:
        """Note what is left of an object that made no sense; return where to go on."""
        try:
            _, end = self.value(start)
        except RecursionError:
            return self._deep(start)
        except json.JSONDecodeError as error:
            return self._broken(start, error)
        return self.fail(BAD_JSON, start, end)

    def _names_field(self, start: int) -> bool:
        """Whether an object's first name is one of a record's."""
        name = NAME.match(self.text, start + 1)
        return bool(name and self._fields.get(normal_name(name[1])))

    def _is_wrapper(self, start: int) -> bool:
        """Whether an object that is not whole begins with other members than a record's, and breaks inside records."""
        at = start + 1
        while name := NAME.match(self.text, at):
            here = name.end()
            first = found.end() if (found := _LIST.match(self.text, here)) else None
            holds = first is not None and self.text[first] == "{" and self._names_field(first)
            if (field := self._fields.get(normal_name(name[1]))) and (field == "context" or not holds):
                return False
            if _OBJECT.match(self.text, here) and self._names_field(here):
                return True
            try:
                _, end = self.value(here)
            except (RecursionError, json.JSONDecodeError):
                return first is not None and self.text[first] == "{"
            comma = COMMA.match(self.text, end)
            if found or not comma:
                return False
            at = comma.end()
        return False

    def _inside(self, start: int) -> int:
        """Read the records of a wrapper that is not whole; return where to go on."""
        self._in_wrapper = True
        at = start + 1
        while name := NAME.match(self.text, at):
            at = name.end()
            if found := _LIST.match(self.text, at):
                at = self._list(found.end())
                at = ended.end() if (ended := _LIST_END.match(self.text, at)) else at
            elif _OBJECT.match(self.text, at) and self._names_field(at):
                at = self._object(at)
            else:
                try:
                    _, at = self.value(at)
                except (RecursionError, json.JSONDecodeError):
                    break
            comma = COMMA.match(self.text, at)
            if not comma:
                break
            at = comma.end()
        self._in_wrapper = False
        return at

    def _broken(self, start: int, error: json.JSONDecodeError) -> int:
        """Note JSON that is not correct, or mend it; return where to go on."""
        text, stop = self.text, start + error.pos
        if too_deep(text, start, stop):
            return self._deep(start)
        if not self._in_wrapper and text[start] == "{" and self._is_wrapper(start):
            return self._inside(start)
        escape = "escape" in error.msg
        if error.msg.startswith(UNTERMINATED) or _CUT.match(text, stop) or (escape and _CUT_ESCAPE.match(text, stop)):
            return self._end_of_thoughts(start, len(text)) or self.fail(TRUNCATED, start, len(text))
        read = self.read_leniently(start)
        end = read[1] if read else self.skip(stop, depth(text, start, stop)[0], start)
        spoken = self._end_of_thoughts(start, end)
        if spoken is not None:
            return spoken
        if read and self._form.repair:
            self._record(read[0], start, end, repaired=True)
            return end
        return self.fail(BAD_ESCAPE if escape else BAD_JSON, start, end, [key for key, _ in read[0]] if read else ())

    def _deep(self, start: int) -> int:
        """Note JSON nested too deep; return where to go on."""
        return self.fail(TOO_DEEP, start, self.skip(start, 0, start))


def _utf8(text: str) -> str:
    """Text with half surrogate pairs as escapes."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")
