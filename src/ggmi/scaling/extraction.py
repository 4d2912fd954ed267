r"""Answers in texts: GSM8K's and MATH's forms, expressions of one's own, and the one spelling of what is equal.

Two answers are equal where their normal forms are. Numbers are compared as fractions, so that 0.50,
1/2 and \frac{1}{2} are one answer; no algebra is done: x+1 and 1+x are two.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable
from fractions import Fraction

from ggmi.errors import UserError, told_by

Extract = Callable[[str], str | None]

# What stands before an answer in GSM8K's files and in models' texts, the surest first.
_MARKS = (
    re.compile(r"####\s*(.*)"),
    re.compile(r"^\s*A:\s*(.*)", re.MULTILINE),
    re.compile(r"\banswer(?:\s+is|:)\s*:?\s*(.*)", re.IGNORECASE),
)
_NUMBER = re.compile(r"(?<![\w.])[-−]?\s?\$?\s?(?:(?:\d{1,3}(?:,\d{3})+(?!\d)|\d+)(?:\.\d+)?|\.\d+)")
_BOX = re.compile(r"\\(?:boxed|fbox)\s*(?=[{\w])")
# A numeral of more digits is text: nothing that models write needs them, and fractions of them are slow.
DIGITS = 300
_DECIMAL = re.compile(rf"[+-]?(?:\d{{1,{DIGITS}}}(?:\.\d{{0,{DIGITS}}})?|\.\d{{1,{DIGITS}}})")
_THOUSANDS = re.compile(r"[+-]?\d{1,3}(?:,\d{3})+(?:\.\d+)?")
_FRACTION = re.compile(
    rf"([+-]?)(?:\\frac\{{(-?\d{{1,{DIGITS}}})\}}\{{(\d{{1,{DIGITS}}})\}}|(\d{{1,{DIGITS}}})/(\d{{1,{DIGITS}}}))"
)
_TRUTH = re.compile(r"\b(?:true|false)\b", re.IGNORECASE)
_SPACES = re.compile(r"(?<!\\)\\[,!;: ]|~|\\q?quad\b|\s+")
_WORDS = re.compile(r"\\(?:text|textbf|textrm|mbox|mathrm|mathbf)\s*\{([^{}]*)\}")
_UNIT = re.compile(r"(?<=[\d}])\s*\\(?:text|textrm|mbox|mathrm)\s*\{\s*[^{}]*\}(?:\^\{?\d\}?)?$")
_SPOKEN_UNIT = re.compile(r"^([+-]?[\d.,/]*\d)\s+[A-Za-z][A-Za-z ]*\.?$")
_DEGREES = re.compile(r"\^\s*\{?\s*\\circ\s*\}?")
_SHORT_FRACTION = re.compile(r"\\frac(?:\s*\{([^{}]*)\}|\s*(\d)|\s+(\w))\s*(?:\{([^{}]*)\}|(\w))")
_SHORT_ROOT = re.compile(r"\\sqrt\s*(\w)")
_NAMED = re.compile(r"^[A-Za-z]\w?\s*=\s*(?=[^=])")


def rule(name: str) -> tuple[Extract, Extract]:
    r"""How answers are found in texts, and how they are spelt to be compared.

    Parameters
    ----------
    name
        ``gsm8k``, ``math``, ``true_false``, or a regular expression whose first group (or whole match, without one)
        is the answer; its last match counts.

    Returns
    -------
    extract, normal : function of a text
        None where there is no answer.

    Raises
    ------
    UserError
        If it is no expression.

    Examples
    --------
    >>> extract, normal = rule(r"final: (\w+)")
    >>> extract("final: 3, no, final: 4.0"), normal("4.0")
    ('4', '4')
    """
    if name == "gsm8k":
        return gsm8k, plain
    if name == "math":
        return math, math_form
    if name == "true_false":
        return true_false, true_false
    try:
        pattern = re.compile(name)
    except re.error as error:
        raise UserError(
            f"--extract: {name!r} is neither gsm8k nor math nor true_false nor a regular expression ({told_by(error)})"
        ) from None

    def own(text: str) -> str | None:
        found = _last(pattern, text)
        answer = found and found[1 if pattern.groups else 0]
        return plain(answer) if answer else None

    return own, plain


def gsm8k(text: str) -> str | None:
    """The number that a text of GSM8K's kind ends in.

    It follows the last ``####``, else the last line that begins with ``A:``, else the last "answer is";
    where none of these is followed by a number, the last number of the text is the answer.

    Parameters
    ----------
    text
        Of a model or of the data set.

    Examples
    --------
    >>> gsm8k("9 * 2 = 18, so #### $1,800.00"), gsm8k("The answer is 4 of 12 eggs."), gsm8k("none")
    ('1800', '4', None)
    """
    for mark in _MARKS:
        found = _last(mark, text)
        number = found and _NUMBER.search(found[1])
        if number:
            return _number(number[0])
    numbers = _NUMBER.findall(text)
    return _number(numbers[-1]) if numbers else None


def true_false(text: str) -> str | None:
    """The last of the words true and false in a text.

    Parameters
    ----------
    text
        Of a model or of the data set.

    Examples
    --------
    >>> true_false("Not true. The answer is **False**."), true_false("Untrue")
    ('False', None)
    """
    found = _last(_TRUTH, text)
    return found[0].capitalize() if found else None


def _last(pattern: re.Pattern[str], text: str) -> re.Match[str] | None:
    """The last match."""
    return next(iter(deque(pattern.finditer(text), maxlen=1)), None)


def _number(found: str) -> str:
    return plain(re.sub(r"[$,\s]", "", found))


def plain(answer: str) -> str:
    """One spelling of an answer: numbers as fractions in lowest terms, other text without spaces around it.

    Parameters
    ----------
    answer
        As it is written.

    Examples
    --------
    >>> plain("1,000"), plain(" 0.50"), plain("2/4"), plain("3.0"), plain("B ")
    ('1000', '1/2', '1/2', '3', 'B')
    """
    text = answer.strip().replace("−", "-")
    digits = text.replace(",", "") if _THOUSANDS.fullmatch(text) else text
    if _DECIMAL.fullmatch(digits):
        return str(Fraction(digits.rstrip(".") if digits.endswith(".") else digits))
    parts = _FRACTION.fullmatch(digits)
    if parts:
        above, below = int(parts[2] or parts[4]), int(parts[3] or parts[5])
        if below:
            return str(Fraction(-above if parts[1] == "-" else above, below))
    return text


def math(text: str) -> str | None:
    r"""The content of the last ``\boxed{…}`` of a text, in normal form; else what follows the last "answer is".

    Parameters
    ----------
    text
        Of a model or of the data set.

    Examples
    --------
    >>> math(r"so \boxed{\dfrac{3}{6}}."), math(r"The answer is $x = 5$."), math("nothing")
    ('1/2', '5', None)
    """
    found = _last(_BOX, text)
    if found:
        content = _braced(text, found.end())
        return math_form(content) if content else None
    said = _last(_MARKS[-1], text)
    return (math_form(said[1]) or None) if said else None


def _braced(text: str, start: int) -> str | None:
    """What stands in the braces that open here, or the word; None where they are not closed."""
    if text[start] != "{":
        return re.compile(r"\w+").match(text, start)[0]  # type: ignore[index]
    depth = 0
    for at in range(start, len(text)):
        depth += (text[at] == "{") - (text[at] == "}")
        if not depth:
            return text[start + 1 : at].strip()
    return None


def math_form(answer: str) -> str:
    r"""One spelling of an answer in LaTeX.

    Sizes of brackets and of fractions, spaces, units, degrees, percent and dollar signs, and a
    variable before an equals sign say nothing of the value.

    Parameters
    ----------
    answer
        As it is written.

    Examples
    --------
    >>> math_form(r"\left( 2, \tfrac12 \right)"), math_form(r"90^\circ"), math_form(r"12\text{ cm}^2")
    ('(2,\\frac{1}{2})', '90', '12')
    """
    text = answer.strip().strip("$").strip().replace("−", "-")
    text = text.removeprefix(r"\(").removesuffix(r"\)").strip()
    text = text.rstrip(".").strip().strip("$").strip()
    text = re.sub(r"\\left\b|\\right\b|\\displaystyle\b", "", text)
    text = text.replace("dfrac", "frac").replace("tfrac", "frac").replace("{,}", ",")
    text = re.sub(r"\\?%|\\\$", "", _DEGREES.sub("", text))
    text = _UNIT.sub("", text)
    text = _WORDS.sub(lambda found: found[1].strip(), text)
    spoken = _SPOKEN_UNIT.match(text.strip())
    text = spoken[1] if spoken else text
    text = _SHORT_FRACTION.sub(lambda f: rf"\frac{{{f[1] or f[2] or f[3] or ''}}}{{{f[4] or f[5] or ''}}}", text)
    text = _SPACES.sub("", text)
    text = _NAMED.sub("", text)
    text = _SHORT_ROOT.sub(r"\\sqrt{\1}", text)
    if re.fullmatch(r"\([A-Z]\)", text):
        text = text[1]
    return plain(text)
