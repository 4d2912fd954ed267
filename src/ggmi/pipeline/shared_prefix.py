"""What stands before every instruction or context of a set, such as a system prompt: found and taken off.

It says nothing of how records differ, and beside a long one they all look alike.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from itertools import takewhile

from ggmi.text.samples import Sample

# Only what is given to a model: that all answers begin alike is a trait of a set.
GIVEN = ("instruction", "context")
# Fewest characters, those of “You are a helpful assistant.” and a few less: shorter ones hide nothing.
LEAST_CHARACTERS = 24
# Where a prefix may end.
END = re.compile(r"[.!?:;]\s+|[。！？：；]\s*|\n+")


def without_prefixes(samples: Sequence[Sample]) -> tuple[list[Sample], list[dict[str, str]]]:
    """Take off what all records of a set have in front.

    A prefix is found in a set in which what follows it differs. It is then taken off from every set
    whose records all have it, so that a set of one instruction is treated as the others are.

    Parameters
    ----------
    samples
        The sets.

    Returns
    -------
    samples : list of Sample
        In the same order.
    prefixes : list of dict
        Of each set, what was taken off from each field; empty where nothing was.
    """
    taken: list[dict[str, str]] = [{} for _ in samples]
    for field in GIVEN:
        values = [[getattr(record, field) for record in sample.records] for sample in samples]
        # The longest first.
        known = sorted({prefix for texts in values if (prefix := _prefix_of(texts))}, key=lambda p: (-len(p), p))
        for own, texts in zip(taken, values, strict=True):
            fitting = (prefix for prefix in known if all(_goes_on(text, prefix) for text in texts))
            if prefix := next(fitting, ""):
                own[field] = prefix
    return [_without(sample, own) for sample, own in zip(samples, taken, strict=True)], taken


def _prefix_of(texts: Sequence[str]) -> str:
    """The longest prefix of whole sentences or lines that different texts go on from; empty where there is none."""
    # What the first and the last in order share, all between them share.
    first, last = min(texts), max(texts)
    shared = first[: sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(first, last, strict=False)))]
    if len(shared) < LEAST_CHARACTERS or len(set(texts)) < 2:
        return ""
    ends = [found.end() for found in END.finditer(shared)]
    fitting = [end for end in ends if end >= LEAST_CHARACTERS and all(_goes_on(text, shared[:end]) for text in texts)]
    return shared[: fitting[-1]] if fitting else ""


def _goes_on(text: str, prefix: str) -> bool:
    """Whether a text has a prefix and something behind it."""
    return text.startswith(prefix) and bool(text[len(prefix) :].strip())


def _without(sample: Sample, prefixes: dict[str, str]) -> Sample:
    """A set without its prefixes."""
    if not prefixes:
        return sample
    records = [
        replace(record, **{field: getattr(record, field)[len(prefix) :] for field, prefix in prefixes.items()})
        for record in sample.records
    ]
    return replace(sample, records=tuple(records))
