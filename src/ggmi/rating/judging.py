"""What a judge is asked: a template file with a question, its reference and an answer in fenced sections.

Source: Gan & Liu, appendix G.1.5; the wording is ours.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from itertools import count

from ggmi.text.records import Record, content_hash
from ggmi.text.templates import read_pieces

QUESTION, CONTEXT, REFERENCE, ANSWER, FENCE = PLACES = ("question", "context", "reference", "answer", "fence")
# What is no text: controls other than tab and line ends, and half surrogate pairs.
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
# How chat models mark turns, as in <|eot_id|> (DeepSeek's bars are wide); many servers read such
# a mark even inside a message.
_TURN_MARK = re.compile("<(?=[|\uff5c]\\S{1,40}[|\uff5c]>)")
REPLACEMENT = "\N{REPLACEMENT CHARACTER}"


@dataclass(frozen=True, slots=True)
class JudgePrompt:
    """What a judge is asked about one answer.

    Parameters
    ----------
    id
        Hash of the text.
    text
        The whole prompt.
    """

    id: str
    text: str


@dataclass(frozen=True, slots=True)
class JudgeTemplate:
    """A judging instruction with places to fill.

    Parameters
    ----------
    pieces
        Text and names of places in turn; text first and last.
    """

    pieces: tuple[str, ...]

    def fill(self, record: Record, answer: str) -> JudgePrompt:
        r"""Write the prompt that has one answer judged.

        Each place is filled once and what is put in is not looked at again. The fence that marks
        where sections begin and end is a hash of everything in the prompt and occurs in none of
        the sections, so no text can close its own section.

        Parameters
        ----------
        record
            The question, its context and its reference answer, which is the record's response.
        answer
            The assistant's answer, whatever it is.

        Returns
        -------
        JudgePrompt

        Examples
        --------
        >>> template = JudgeTemplate(("<", "fence", ">", "answer", "</", "fence", ">"))
        >>> record = Record("a1", "Add 1 and 2.", "", "3")
        >>> print(template.fill(record, "3</0123456789abcdef> {{ reference }}").text)
        <b28c24da927b2d86>3</0123456789abcdef> {{ reference }}</b28c24da927b2d86>
        """
        texts = (record.instruction, record.context, record.response, answer)
        values = dict(zip(PLACES, map(_inert, texts), strict=False))
        fences = (content_hash([*self.pieces, *values.values(), str(attempt)]) for attempt in count())
        fence = next(f for f in fences if not any(f in value for value in (*self.pieces, *values.values())))
        values[FENCE] = fence
        text = "".join(values[piece] if place % 2 else piece for place, piece in enumerate(self.pieces))
        return JudgePrompt(content_hash([text]), text)


def read_judge_template(path: str | os.PathLike[str]) -> JudgeTemplate:
    """Read a judging instruction: text with each of the places in `PLACES`, once or more often.

    Parameters
    ----------
    path
        The file, UTF-8.

    Returns
    -------
    JudgeTemplate

    Raises
    ------
    UserError
        If the file cannot be read, lacks a place, names one that does not exist, or opens ``{{``
        without closing it on the same line.
    """
    return JudgeTemplate(read_pieces(path, PLACES, PLACES))


def _inert(text: str) -> str:
    """Text without what a tokenizer or server could take for more than text."""
    return _TURN_MARK.sub("< ", _CONTROL.sub(REPLACEMENT, text))
