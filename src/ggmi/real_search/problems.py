"""Problems with their right answers, and the forms in which answers are read and compared."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from ggmi.errors import UserError
from ggmi.models.stepwise import final_answer
from ggmi.pipeline.anchors import read_source
from ggmi.random import stream
from ggmi.scaling.extraction import math_form, plain, rule
from ggmi.text.jsonl import read_rows, write_rows
from ggmi.text.records import Record

# What marks a line of each form that states the answer, beside "the answer is".
MARKS = {"gsm8k": "####", "math": r"\boxed", "true_false": "####", "exact": "####"}


@dataclass(frozen=True)
class Problem:
    """A question and its right answer in normal form."""

    id: str
    question: str
    answer: str


def step_reader(form: str) -> Callable[[str], str | None]:
    """How the answer that a step states is read, as `ggmi.models.stepwise.StepWriter` takes it.

    Parameters
    ----------
    form
        ``gsm8k``, ``math``, ``true_false`` or ``exact``.

    Returns
    -------
    function of a step
        The answer in normal form; None where the step states none; an empty text where it states one that
        cannot be read.

    Examples
    --------
    >>> read = step_reader("gsm8k")
    >>> read("The answer is $1,800."), read("9 * 200 = 1800"), read("The answer is unknown.")
    ('1800', None, '')
    """

    def read(step: str) -> str | None:
        stated = final_answer(step)
        _, mark, behind = step.rpartition(MARKS[form])
        if stated is None and not mark:
            return None
        if form == "exact":
            return plain(behind if mark else str(stated))
        # A mark is read with what encloses the answer, words alone.
        extract, _ = rule(form)
        return extract(step if mark else f"The answer is {stated}") or ""

    return read


def reference(text: str, form: str) -> str | None:
    r"""The right answer in normal form, from an answer or a whole worked solution; None where it holds none.

    Examples
    --------
    >>> reference("16 - 7 = 9\n#### 9", "gsm8k"), reference("0.5", "math"), reference("maybe", "true_false")
    ('9', '1/2', None)
    """
    if form == "exact":
        return plain(final_answer(text) or text) or None
    found = rule(form)[0](text)
    return (found or math_form(text) or None) if form == "math" else found


def read_problems(
    source: Mapping[str, Any], form: str, most: int | None, seed: int, name: str
) -> tuple[list[Problem], dict[str, Any]]:
    """Read problems, a number of them drawn if there are more.

    Parameters
    ----------
    source
        As for `ggmi.pipeline.anchors.read_source`.
    form
        Of the answers.
    most
        Problems at most; None for all.
    seed
        The run's seed.
    name
        The search's, part of the stream's name.

    Returns
    -------
    problems : list of Problem
        In the order of the source.
    report : dict
        How they were read, and how many were left out, since their answer could not be read.

    Raises
    ------
    UserError
        If the source cannot be read, or answers cannot, all or any as `source` says of invalid rows.
    """
    sample = read_source(source)
    answers = [reference(record.response, form) for record in sample.records]
    unread = [i for i, answer in enumerate(answers) if answer is None]
    place = f"slow_thinking.real.{name}.problems"
    if unread and (source["invalid"] == "stop" or len(unread) == len(answers)):
        first = unread[0]
        raise UserError(
            f"{place}.answer: {sample.source}: {sample.places[first]}: the answer "
            f"{sample.records[first].response[-60:]!r} is not of the form {form}"
            f" ({len(unread):,} of {len(answers):,} are not)"
        )
    problems = [
        Problem(record.id, _question(record), answer)
        for record, answer in zip(sample.records, answers, strict=True)
        if answer is not None
    ]
    report = {"read": sample.reading.described(), "unreadable_answers": len(unread), "problems": len(problems)}
    if most is not None and most < len(problems):
        chosen = np.sort(stream(seed, "slow_thinking", "real", name, "problems").permutation(len(problems))[:most])
        problems = [problems[i] for i in chosen]
    return problems, {**report, "taken": len(problems)}


def _question(record: Record) -> str:
    """A record's instruction and context."""
    return "\n".join(part for part in (record.instruction, record.context) if part.strip())


def write_problems(path: str | os.PathLike[str], problems: list[Problem]) -> None:
    """Write problems as JSON lines."""
    write_rows(path, map(asdict, problems))


def load_problems(path: str | os.PathLike[str]) -> list[Problem]:
    """Read what `write_problems` wrote."""
    return [Problem(**row) for _, row in read_rows(path)]
