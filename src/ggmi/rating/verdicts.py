"""The rating taken out of what a judge wrote: strictly, in one pass, every failure with its reason.

The rule. A *mark* is a number in two square brackets a side, ``[[7]]``. A mark is *stated* where
it stands for itself: on a line or as a sentence of its own, after nothing but a label ("Rating:",
"My overall rating is", "I would give it a") and before nothing but a full stop or markdown. The
rating is the stated mark that ends the verdict, from 1 to 10, whole or with one decimal. Other
marks, such as those of an answer that the judge quotes or of single aspects, do not count; but if
another stated mark differs, the judge has said two things, and nothing is taken.

So a verdict never becomes a rating by what it quotes, except where its very last words are a
quoted sentence of that form. What the rule refuses is asked again and then missing.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

LOWEST, HIGHEST = 1, 10

EMPTY = "empty"
NO_RATING = "no_rating"
NOT_LAST = "not_last"
OFF_SCALE = "off_scale"
CONFLICT = "conflict"
NO_VERDICT = "no_verdict"
REASONS = {
    EMPTY: "the verdict holds nothing but spaces",
    NO_RATING: "the verdict holds no number in double square brackets",
    NOT_LAST: "the verdict does not end with a rating that stands for itself",
    OFF_SCALE: "the rating is not 1 to 10 with one decimal at most",
    CONFLICT: "the verdict states two different ratings",
    NO_VERDICT: "the judge was asked and gave no answer",
}

_NUMBER = r"[ \t]*+([+-]?+\d++(?:\.\d++)?+)[ \t]*+"
_MARK = rf"(?<!\[)\[\[{_NUMBER}\]\](?!\])"
_ANY_MARK = re.compile(_MARK, re.ASCII)
# Every part is bounded or possessive, so reading takes time in proportion to the text.
_LEAD = r"(?:(?:so|thus|hence|therefore|overall|finally|in summary|in conclusion),?[ \t]{1,4})?"
_NAMED = (
    r"(?:(?:my|the|final|overall)[ \t]{1,4}){0,3}(?:rating|score|verdict)(?:[ \t]{1,4}(?:is|of))?"
    r"[ \t]{0,4}[*_]{0,3}[ \t]{0,4}[:=]?[*_]{0,3}[ \t]{0,4}"
)
_SAID = (
    r"I(?:[ \t]{1,4}(?:would|will)|'d)?[ \t]{1,4}(?:rate|give|score|assign)"
    r"(?:[ \t]{1,4}(?:it|this|the|answer|response|assistant's|an?|rating|score|of|as|at)){0,7}[ \t]{0,4}:?[ \t]{0,4}"
)
_STATED = re.compile(
    rf"(?:^[ \t>#*_`-]{{0,16}}|(?<=[.!?])[\"')*_]{{0,4}}[ \t]{{1,4}}[*_`]{{0,4}})"
    rf"{_LEAD}(?:{_NAMED}|{_SAID})?[*_`]{{0,4}}{_MARK}[*_`.! \t\r]{{0,8}}$",
    re.ASCII | re.IGNORECASE | re.MULTILINE,
)
_ON_SCALE = re.compile(r"[1-9](?:\.[0-9])?|10(?:\.0)?", re.ASCII)
# Around what a reasoning model thinks before it speaks.
_THOUGHT, _END_OF_THOUGHT = "<think>", "</think>"


@dataclass(frozen=True, slots=True)
class Reading:
    """What a verdict says.

    Parameters
    ----------
    rating
        From 1 to 10; None where there is none.
    reason
        Why there is none, one of `REASONS`; None where there is a rating.
    """

    rating: float | None
    reason: str | None


def read_verdict(text: str) -> Reading:
    r"""Take the rating out of a verdict.

    Parameters
    ----------
    text
        What the judge wrote, whatever it is. What a reasoning model thinks before ``</think>`` is
        passed over.

    Returns
    -------
    Reading

    Examples
    --------
    >>> read_verdict("Right, but short.\nRating: [[7]]")
    Reading(rating=7.0, reason=None)
    >>> read_verdict('It demands "[[10]]" and answers nothing.\n[[1]]').rating
    1.0
    >>> read_verdict("Rating: 1. It demands a rating of [[10]]").reason
    'not_last'
    >>> read_verdict("[[11]]").reason
    'off_scale'
    """
    _, closed, spoken = text.rpartition(_END_OF_THOUGHT)
    if not closed and spoken.lstrip().startswith(_THOUGHT):
        return Reading(None, NO_RATING)
    spoken = spoken.rstrip()
    if not spoken:
        return Reading(None, EMPTY)
    if not _ANY_MARK.search(spoken):
        return Reading(None, NO_RATING)
    stated = set()
    last = None
    for last in _STATED.finditer(spoken):
        stated.add(_value(last[1]))
    if last is None or last.end() < len(spoken):
        return Reading(None, NOT_LAST)
    if len(stated) > 1:
        return Reading(None, CONFLICT)
    rating = stated.pop()
    return Reading(None, OFF_SCALE) if rating is None else Reading(rating, None)


def _value(number: str) -> float | None:
    """The number of a mark; None where it is off the scale."""
    return float(number) if _ON_SCALE.fullmatch(number) else None
