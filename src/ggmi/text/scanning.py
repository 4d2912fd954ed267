"""JSON values in a text, with their places, and what to do about those that are not correct."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from ggmi.text.repair import Lenient

# Characters that lenient reading may look at, over those of the response.
LENIENT_COST = 20
# Characters given to the decoder at first; the longest literal or escape (-Infinity, \\ud83d\\ude00).
WINDOW, LONGEST_TOKEN = 4096, 16
# How the decoder's message begins when a string has no end.
UNTERMINATED = "Unterminated"
# How far back the beginning of a line is looked for.
LOOK_BACK = 200
NAME = re.compile(r"\s*+\"((?:[^\"\\]|\\.)*+)\"\s*+:\s*+")
COMMA = re.compile(r"\s*+,\s*+")
_SPACE = re.compile(r"\s*+")
_BRACKET = re.compile(r"[][{}]|\n[ \t]*+(?=[\[{])")
# Where an object that was never closed ends at the latest: another begins on a line of its own.
_NEXT_OBJECT = re.compile(r"\n[ \t]*+(?:\[[ \t]*+)?+\{\s*+[\"'“”]")
# Characters of one object; a record of the published prompt has about 1,500.
MAX_CHARACTERS = 100_000


class Pairs(list):
    """An object's fields in order, with those that come twice."""


class Number(str):
    """A number as it is written; none is computed, however long it is."""

    __slots__ = ()


class Scanner:
    """Finds JSON values in a text and knows where they stand.

    Parameters
    ----------
    text
        The text.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        # How often the last value named NaN or an infinity.
        self.not_numbers = 0
        self._lenient = LENIENT_COST * len(text)
        self._decode = json.JSONDecoder(
            object_pairs_hook=Pairs, parse_int=Number, parse_float=Number, parse_constant=self._not_a_number
        ).raw_decode

    def value(self, start: int) -> tuple[Any, int]:
        """Decode the JSON value that begins here; return it and its end.

        An error of the decoder counts the lines from the start of what it was given, so it is
        given a window, which grows until the value or the mistake lies well inside. The mistake's
        place counts from the value's start.
        """
        size = WINDOW
        while True:
            window = self.text[start : start + size]
            whole = start + size >= len(self.text)
            self.not_numbers = 0
            try:
                value, end = self._decode(window)
            except json.JSONDecodeError as error:
                if whole or (error.pos < size - LONGEST_TOKEN and not error.msg.startswith(UNTERMINATED)):
                    raise
            else:
                if whole or end < size:
                    return value, start + end
            size *= 2

    def members(self, start: int) -> Iterator[tuple[int, Any, int]]:
        """The values of a whole object with their places."""
        at = start + 1
        while name := NAME.match(self.text, at):
            value, end = self.value(name.end())
            yield name.end(), value, end
            comma = COMMA.match(self.text, end)
            at = comma.end() if comma else end

    def items(self, start: int) -> Iterator[tuple[int, Any, int]]:
        """The items of a whole list with their places."""
        at = self._after_space(start + 1)
        while self.text[at] != "]":
            value, end = self.value(at)
            yield at, value, end
            comma = COMMA.match(self.text, end)
            at = comma.end() if comma else self._after_space(end)

    def _after_space(self, at: int) -> int:
        found = _SPACE.match(self.text, at)
        return found.end() if found else at

    def is_value(self, start: int) -> bool:
        """Whether a name and a colon stand before a place: what begins there is part of an object."""
        before = self.text[max(0, start - LOOK_BACK) : start].rstrip()
        return before.endswith(":") and before[:-1].rstrip().endswith('"')

    def read_leniently(self, start: int) -> tuple[list[tuple[str, Any]], int] | None:
        """An object's members and end as a lenient reader sees them."""
        if self.text[start] != "{" or self._lenient <= 0:
            return None
        following = _NEXT_OBJECT.search(self.text, start + 1, start + MAX_CHARACTERS)
        reader = Lenient(self.text, following.start() if following else min(len(self.text), start + MAX_CHARACTERS))
        found = reader.read(start)
        self._lenient -= reader.furthest - start + 1
        return found

    def skip(self, stop: int, unclosed: int, start: int) -> int:
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
        self.not_numbers += 1
