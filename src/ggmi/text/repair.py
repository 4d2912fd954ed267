"""An object that is almost JSON, read leniently: where it ends, and what its author meant."""

from __future__ import annotations

import re
from typing import Any

from ggmi.text.jsonl import MAX_DEPTH

# What closes a string, by what opened it; typographic quotes are mixed freely.
_QUOTES = {'"': '"', "'": "'", "“": "”“\"", "”": "”“\"", "„": "“”\"", "‘": "’‘'", "’": "’‘'"}  # fmt: skip
_SPECIAL = re.compile(r"[\"'“”„‘’\\]")
# White space, and what nobody sees.
BLANK = r"[\s\u200b\u200e\u200f\u2060\ufeff]"
_BLANK = re.compile(rf"(?:{BLANK}++|//[^\n]*+|/\*(?:[^*]|\*(?!/))*+\*/)*+")
_WORD = re.compile(r"[\w$][\w$ -]*+")
_LITERAL = re.compile(r"(-?+\d++(?:\.\d++)?+(?:[eE][-+]?+\d++)?+|true|false|null|True|False|None)\b")
_LITERALS = {"true": True, "True": True, "false": False, "False": False, "null": None, "None": None}
# What may stand behind a string that is a key, or a value; a comma must lead to something further.
_AFTER_KEY = re.compile(rf"{BLANK}*+[:：]")
_AFTER_VALUE = re.compile(
    rf"{BLANK}*+(?:[}}\]]|[,，]?+{BLANK}*+(?:[\"'“”„‘’{{}}\[\]\d-]|true|false|null|//|\w++\s*+:))"
)
_MEMBER = re.compile(r"[\"”“]\s*+:\s*+[\"“”]")
# Two strings that a program would put together.
_SUM = re.compile(r"[\"'”“]\s*+\+\s*+[\"'“”]")
_ESCAPE = re.compile(r"\\(u[0-9a-fA-F]{4}|[\s\S])")
_PLAIN = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", '"': '"', "\\": "\\", "/": "/", "'": "'"}
# A backslash that begins a LaTeX command where JSON reads a control character: one before \\b, \\f or \\r and a
# letter always does; of \\n and \\t these do, and the ambiguous ones where the text has other signs of mathematics.
_SURE = (
    r"[bfr](?=[A-Za-z])|(?:nabla|not|neq|newline|nexists|notin|nparallel|nsubseteq|nleq|ngeq|nmid|nolimits"
    r"|tau|theta|times|text(?:bf|it|rm|tt|sc|sf|style)?|tilde|tfrac|tbinom|triangle\w*|tanh|therefore|to|top|tag)(?![A-Za-z])"
)
_AMBIGUOUS = r"(?:ne|neg|ni|nu|tan)(?![A-Za-z])"
_BEFORE = r"(?<!\\)(?:\\\\)*+"
_SURE_COMMAND = re.compile(rf"\\(?:{_SURE})")
_ANY_COMMAND = re.compile(rf"\\(?:{_SURE}|{_AMBIGUOUS})")
_SURE_LATEX = re.compile(_BEFORE + _SURE_COMMAND.pattern)
_ANY_LATEX = re.compile(_BEFORE + _ANY_COMMAND.pattern)
_MATHEMATICS = re.compile(r"\$|\^|_\{|\\\\[A-Za-z]")


def has_latex_escapes(raw: str) -> bool:
    r"""Whether JSON text writes LaTeX with single backslashes, which decode to control characters.

    Parameters
    ----------
    raw
        The text as it stands.

    Examples
    --------
    >>> has_latex_escapes(r'{"a": "\frac{1}{2}"}'), has_latex_escapes(r'{"a": "one\ntwo \\frac"}')
    (True, False)
    """
    return bool(_SURE_LATEX.search(raw) or (_MATHEMATICS.search(raw) and _ANY_LATEX.search(raw)))


class Lenient:
    """Reads one object of a text: raw line ends, curly or single quotes, commas too many or too few, LaTeX.

    Parameters
    ----------
    text
        The text.
    limit
        Where reading ends at the latest.
    """

    def __init__(self, text: str, limit: int) -> None:
        self._text = text
        self._limit = limit
        self._latex = False
        # How far was looked; what reading cost.
        self.furthest = 0

    def read(self, start: int) -> tuple[list[tuple[str, Any]], int] | None:
        """The object's members in order and its end; None where nobody can tell what was meant."""
        try:
            shown = (pattern.search(self._text, start, self._limit) for pattern in (_MATHEMATICS, _SURE_COMMAND))
            self._latex = any(shown)
            return self._object(start + 1, 1)
        except (ValueError, IndexError):
            return None

    def _object(self, at: int, depth: int) -> tuple[list[tuple[str, Any]], int]:
        pairs: list[tuple[str, Any]] = []
        while True:
            at = self._next(at)
            if self._text[at] == "}":
                return pairs, at + 1
            if self._text[at] in _QUOTES:
                key, at = self._string(at, _AFTER_KEY)
            else:
                word = _WORD.match(self._text, at)
                if not word:
                    raise ValueError
                key, at = word[0].rstrip(), word.end()
            at = self._next(at)
            if self._text[at] not in ":：":
                raise ValueError
            value, at = self._value(at + 1, depth)
            pairs.append((key, value))
            at = self._after_item(at)

    def _list(self, at: int, depth: int) -> tuple[list[Any], int]:
        values: list[Any] = []
        while True:
            at = self._next(at)
            if self._text[at] == "]":
                return values, at + 1
            value, at = self._value(at, depth)
            values.append(value)
            at = self._after_item(at)

    def _value(self, at: int, depth: int) -> tuple[Any, int]:
        at = self._next(at)
        if depth >= MAX_DEPTH:
            raise ValueError
        match self._text[at]:
            case "{":
                return self._object(at + 1, depth + 1)
            case "[":
                return self._list(at + 1, depth + 1)
            case quote if quote in _QUOTES:
                return self._string(at, _AFTER_VALUE)
        found = _LITERAL.match(self._text, at)
        if not found:
            raise ValueError
        return _LITERALS.get(found[1], found[1]), found.end()

    def _string(self, at: int, after: re.Pattern[str]) -> tuple[str, int]:
        """A string up to the first closing quote behind which JSON goes on."""
        closing, first = _QUOTES[self._text[at]], at + 1
        at = first
        while True:
            found = _SPECIAL.search(self._text, at, self._limit)
            self._look(found.start() if found else self._limit)
            assert found is not None
            at, character = found.start(), found[0]
            if character in closing and after.match(self._text, at + 1, self._limit):
                body = self._text[first:at]
                if _MEMBER.search(body) or _SUM.search(body):  # a quote was forgotten, and this is more than one string
                    raise ValueError
                return self._unescaped(body), at + 1
            at += 2 if character == "\\" else 1

    def _unescaped(self, body: str) -> str:
        def meant(found: re.Match[str]) -> str:
            escape = found[1]
            if escape[0] == "u" and len(escape) == 5:
                return chr(int(escape[1:], 16))
            latex = _ANY_COMMAND if self._latex else _SURE_COMMAND
            if escape not in _PLAIN or latex.match(body, found.start()):
                return found[0]
            return _PLAIN[escape]

        whole = _ESCAPE.sub(meant, body)
        return whole.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")

    def _after_item(self, at: int) -> int:
        at = self._next(at)
        return at + 1 if self._text[at] in ",，" else at

    def _next(self, at: int) -> int:
        found = _BLANK.match(self._text, at)
        at = found.end() if found else at
        self._look(at)
        return at

    def _look(self, at: int) -> None:
        self.furthest = max(self.furthest, at)
        if at >= self._limit:
            raise ValueError
