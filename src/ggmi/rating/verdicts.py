"""The rating taken out of what a judge wrote: strictly, in one pass, every failure with its reason.

The rule. A *statement* is a line or sentence that says nothing but a rating (`ggmi.rating.statements`): a number
after a label ("Rating:", "Bewertung:", "My overall rating is"), after the few words with which a judge sums up ("I
would give it a"), or for itself; behind it a full stop, markup, "/10" or a remark that is set off and holds no other
number. In two square brackets a side, ``[[7]]``, the number is a *mark*; without them the words have to be plainer.
The statement that ends the verdict is its rating, from 1 to 10, whole or with one decimal; thanks and confidences may
follow it. Where none ends the verdict, one that opens it and is then explained counts; in JSON the member that is
called a rating. Other marks, such as those of an answer that the judge quotes or of single aspects, do not count; but
if another statement differs, the judge has said two things, and nothing is taken, unless the last one is called final.

So a verdict never becomes a rating by what it quotes, except where its very last words are a quoted sentence of that
form: a sentence that reports what somebody says, asks or demands has other words than these. What the rule refuses
is asked again and then missing. Thoughts (`ggmi.text.thinking`) are passed over.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from ggmi.rating.statements import (
    ANNOUNCES,
    DEMANDS,
    HEADING,
    HIGHEST,
    LOWEST,
    MARK,
    REPORTS,
    WITHIN,
    Statement,
    is_rating_name,
    on_scale,
    opens_with,
    stated,
)
from ggmi.rating.wording import LAST_WORD, plain
from ggmi.text.thinking import Marks

__all__ = ["CONFLICT", "EMPTY", "HIGHEST", "LOWEST", "NOT_LAST", "NO_RATING", "NO_VERDICT", "OFF_SCALE", "REASONS"]

EMPTY = "empty"
NO_RATING = "no_rating"
NOT_LAST = "not_last"
OFF_SCALE = "off_scale"
CONFLICT = "conflict"
NO_VERDICT = "no_verdict"
THINKING_CUT = "thinking_cut"
REASONS = {
    EMPTY: "the verdict holds nothing but spaces",
    NO_RATING: "the verdict states no rating",
    NOT_LAST: "the verdict does not end with a rating that stands for itself",
    OFF_SCALE: "the rating is not 1 to 10 with one decimal at most",
    CONFLICT: "the verdict states two different ratings",
    NO_VERDICT: "the judge was asked and gave no answer",
    THINKING_CUT: "the verdict ends while the judge is still thinking",
}

_ANY_MARK = re.compile(MARK, re.IGNORECASE)
# What may stand behind the rating and says nothing of it.
_AFTERWORD = re.compile(
    r"[ \t]*(?:[-*_=~#`]{2,10}|\W{0,4}(?:end|ende|fin)(?: of [a-z ]{1,30})?\W{0,4}"
    r"|\W{0,8}(?:my )?(?:confidence|certainty|konfidenz|sicherheit|confiance|confianza"
    r"|уверенность|置信度|信心)\b[^\n]{0,60}"
    r"|[*_(]{0,4}(?:thank|thanks|i hope|hope|let me know|please let|please feel|feel free|if you|best regards|regards"
    r"|kind regards|sincerely|danke|vielen dank|merci|gracias|谢谢|希望)\b[^\n\[\]0-9\"“]{0,200}"
    r"|\(?(?:rating )?scale\b[^\n]{0,80}|\(1 = [^\n]{1,120})[ \t]*",
    re.IGNORECASE,
)
# What opens an explanation of the rating that stands before it.
_REASON = re.compile(
    r"[ \t<>#*_-]{0,8}(?:the )?(?:explanations?|reasons?|reasoning|justification|rationale|why|comments?|analysis"
    r"|notes?|feedback|begründung|erklärung|justificación|explicación|raisons?|explication|理由|原因|解释|说明|обоснование"
    r"|причина)\b",
    re.IGNORECASE,
)
_SENTENCE_END = re.compile(r"[.!?。！？|)\]][*_`\"”’')]{0,4}\Z")
# A number in an explanation that may be another rating.
_OTHER_RATING = re.compile(
    r"\b(?:giv(?:e|es|en|ing)|rat(?:e|ed|es|ing)|scor(?:e|es|ed|ing)|deserv(?:e|es|ed))\b[^\n.0-9]{0,30}"
    r"\b([0-9]{1,3}(?:\.[0-9])?)\b",
    re.IGNORECASE,
)
# A fence around nothing but the rating, or around JSON.
_FENCED = re.compile(r"^```[a-z]{0,12}[ \t]*\n([^\n]{1,200}|[ \t]*\{(?:(?!\n```).){1,20000})\n[ \t]*```\Z", re.M | re.S)
_END_TOKENS = re.compile(r"(?:\s{0,4}<(?:\|[^<>|\n]{1,40}\||/?s|eos|end_of_turn)>){1,4}\Z")
# Ways to take a number back for another one at once.
_TAKEN_BACK = re.compile(
    r"(?:\[\[[0-9.,/]{1,6}\]\]|\b[0-9.,]{1,4}(?:/10)?)"
    r"[.… ,;–—-]{1,6}(?:no|wait|actually|sorry|correction|or rather|i mean|hmm)"
    r"\b[^\n\[\]0-9\"]{0,40}(?=\[\[[0-9]|[0-9])|\bnot an? (?:\[\[)?[0-9.]{1,4}(?:\]\])?,? but (?=an? )",
    re.IGNORECASE,
)
# Almost JSON.
_LOOSE_COMMA = re.compile(r",\s*([}\]])")
_LOOSE_NAME = re.compile(r"([{,]\s*)([A-Za-z_]\w{0,40})\s*:")
# Members that tell the scale.
_TOP = re.compile(r"(?:rating |score )?(?:max(?:imum)?(?: (?:rating|score))?|scale|out of)", re.IGNORECASE)
_WRAPPED = re.compile(r"\A[\"“]([^\"“”]{1,200})[\"”]\Z")


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


def read_verdict(text: str, marks: Marks | None = None) -> Reading:
    r"""Take the rating out of a verdict.

    Parameters
    ----------
    text
        What the judge wrote, whatever it is.
    marks
        The marks around thoughts, which are passed over.

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
    >>> read_verdict('{"accuracy": 9, "overall_rating": 7}').rating
    7.0
    >>> read_verdict("[[11]]").reason
    'off_scale'
    """
    said = (marks or Marks()).spoken(text)
    if said is None:
        return Reading(None, THINKING_CUT)
    spoken = _END_TOKENS.sub("", plain(said).rstrip()).strip(" \t\r\n")
    if fenced := _FENCED.search(spoken, max(0, len(spoken) - 20_400)):
        spoken = f"{spoken[: fenced.start()]}{fenced[1]}"
    if wrapped := _WRAPPED.match(spoken):
        spoken = wrapped[1]
    if not spoken.strip():
        return Reading(None, EMPTY)
    lines = [line.strip(" \t\r") for line in spoken.split("\n")]
    lines = [line for n, line in enumerate(lines) if line or (n and lines[n - 1])]
    if (members := _members(lines[: _without_afterwords(lines)])) is not None:
        return _one_of(members) if members else Reading(None, NO_RATING)
    return _at_the_end(lines) or _at_the_start(lines) or Reading(None, _why_none(spoken))


def _why_none(spoken: str) -> str:
    return NOT_LAST if _ANY_MARK.search(spoken) else NO_RATING


def _at_the_end(lines: Sequence[str]) -> Reading | None:
    """The rating that ends the verdict."""
    end = _without_afterwords(lines)
    if not end:
        return None
    last = stated(_TAKEN_BACK.sub("", lines[end - 1]))
    before = [line for line in lines[: end - 1] if line]
    set_off = end < 2 or not lines[end - 2]
    if last is None or not _stands_for_itself(last, before, set_off=set_off):
        return None
    own = [line for line in before if not line.startswith(">") or lines[end - 1].startswith(">")]
    others = [s for line in dict.fromkeys(own) if (s := stated(line))]
    if last.final and (not before or _SENTENCE_END.search(before[-1]) or stated(before[-1])):
        others = [other for other in others if other.final]
    strict = end < len(lines) or not last.marked
    others = [other for other in others if other.marked or (strict and other.labelled)]
    return _agreed(last, others)


def _without_afterwords(lines: Sequence[str]) -> int:
    """Number of lines before those that say nothing of the rating; a fence that closes a block is part of it."""
    end = len(lines)
    paired = sum(line.startswith("```") for line in lines) % 2 == 0
    while end and (not lines[end - 1] or _AFTERWORD.fullmatch(lines[end - 1])):
        if paired and lines[end - 1].startswith("```"):
            break
        end -= 1
    return end


def _at_the_start(lines: Sequence[str]) -> Reading | None:
    """The rating that opens the verdict and is explained behind it."""
    opening = opens_with(lines[0])
    if opening is None:
        return None
    one, behind = opening
    rest = [line for line in (behind, *lines[1:]) if line]
    set_off = behind[:1].isupper() or (not behind and (lines[1:2] == [""] or (rest and _REASON.match(rest[0]))))
    if not rest or not set_off or any(_ANY_MARK.search(line) or DEMANDS.search(line) for line in rest):
        return None
    if any(on_scale(number) != one.rating for line in rest for number in _OTHER_RATING.findall(line)):
        return Reading(None, CONFLICT)
    return _agreed(one, [s for line in dict.fromkeys(rest) if (s := stated(line)) and not s.bare])


def _stands_for_itself(last: Statement, before: Sequence[str], *, set_off: bool) -> bool:
    """Whether the last line is no quotation or result that the one before it announces."""
    if not before or HEADING.fullmatch(before[-1]):
        return True
    if _SENTENCE_END.search(before[-1]):
        return set_off or not last.bare or last.marked or last.scaled
    if last.bare and not last.marked:
        return False
    return before[-1].startswith(">") or not ANNOUNCES.search(before[-1][-WITHIN:])


def _agreed(one: Statement, others: Sequence[Statement]) -> Reading:
    """The one rating of several statements."""
    if any(other.rating != one.rating for other in others):
        return Reading(None, CONFLICT)
    return Reading(None, OFF_SCALE) if one.rating is None else Reading(one.rating, None)


def _one_of(ratings: Sequence[float | None]) -> Reading:
    if len(set(ratings)) > 1:
        return Reading(None, CONFLICT)
    return Reading(None, OFF_SCALE) if ratings[0] is None else Reading(ratings[0], None)


def _members(lines: Sequence[str]) -> list[float | None] | None:
    """Ratings in the JSON object that a verdict is or ends with; None where there is no such object."""
    starts = [n for n, line in enumerate(lines) if line.startswith(("{", "[{"))]
    if not starts or not lines[-1].endswith(("}", "]")) or (starts[0] and REPORTS.search(lines[starts[0] - 1])):
        return None
    written = "\n".join(lines[starts[0] :])
    for candidate in (written, _LOOSE_COMMA.sub(r"\1", _LOOSE_NAME.sub(r'\1"\2":', written.replace("'", '"')))):
        try:
            members = list(_pairs(json.loads(candidate, object_pairs_hook=_Object)))
        except (ValueError, RecursionError):
            continue
        named = [(name, on) for name, value in members if is_rating_name(name) and (on := _numbered(value)) is not None]
        tops = [str(value) for name, value in members if _TOP.fullmatch(name)]
        if any(not top.endswith("10") for top in tops):
            return [None]
        last = [(name, value) for name, value in named if LAST_WORD.search(name)]
        return [_of_member(value) for _, value in last or named]
    return None


class _Object(list[tuple[str, Any]]):
    """Members of a JSON object, a name that stands twice included."""


def _pairs(value: object) -> Iterator[tuple[str, object]]:
    """Members of objects within objects and lists."""
    if isinstance(value, _Object):
        for name, member in value:
            yield re.sub(r"[_\s-]+", " ", name), member
            yield from _pairs(member)
    elif isinstance(value, list):
        for item in value:
            yield from _pairs(item)


def _numbered(value: object) -> str | None:
    """What a member says that is or holds a number; None for words, flags and objects."""
    if isinstance(value, _Object):
        value = next((member for name, member in value if name in ("value", "score", "rating")), None)
    elif isinstance(value, list) and len(value) == 1:
        value = value[0]
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    text = str(value)
    return text if on_scale(text) is not None or stated(text) or any(c.isdigit() for c in text) else None


def _of_member(value: str) -> float | None:
    """The rating that a member says; None where it is none."""
    found = stated(value)
    return found.rating if found else on_scale(value)
