"""Synthetic records with where they come from: generator, prompt, anchors, draw, raw response."""

from __future__ import annotations

import bisect
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from ggmi.text.outcomes import ParsedResponse


class TokenSpan(NamedTuple):
    """A generated token: its place in the response, in characters, and its log-probability in nats."""

    start: int
    end: int
    log_prob: float


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a response comes from.

    Parameters
    ----------
    generator
        Name of the generator M.
    prompt_id
        The prompt p.
    anchor_ids
        Its in-context instances.
    draw
        Which of the responses to this prompt, from 0.
    response_key
        Key of the raw response in its store.
    """

    generator: str
    prompt_id: str
    anchor_ids: tuple[str, ...]
    draw: int
    response_key: str

    def columns(self, position: int) -> dict[str, Any]:
        """The columns that say where an item comes from."""
        return {
            "generator": self.generator,
            "prompt_id": self.prompt_id,
            "anchor_ids": list(self.anchor_ids),
            "draw": self.draw,
            "response_key": self.response_key,
            "position": position,
        }


def synthetic_rows(
    parsed: ParsedResponse, origin: Origin, tokens: Sequence[TokenSpan] | str
) -> Iterator[dict[str, Any]]:
    """Make a row of each record of a response, ready for JSON lines.

    A record's share of the response's log-probability is the sum over its tokens: those of which
    any character lies in the record. A token that reaches into two records is the first one's, so
    the shares add up to no more than the whole; the rest belongs to the text between records.

    Parameters
    ----------
    parsed
        What the response held.
    origin
        Where it comes from.
    tokens
        The response's tokens in order, or why there are none.

    Yields
    ------
    dict
        ``id`` (response key and position), ``instruction``, ``context``, ``response``,
        ``generator``, ``prompt_id``, ``anchor_ids``, ``draw``, ``response_key``, ``position``
        (of the item in the response, failures counted), ``log_prob_nats`` and ``tokens`` (null
        where unknown), ``log_prob_missing`` (why, or null).

    Examples
    --------
    >>> from ggmi.text.parsing import parse
    >>> text = '{"instruction": "Add.", "response": "3"}'
    >>> origin = Origin("tiny", "p1", ("a1",), 0, "f00d")
    >>> row, = synthetic_rows(parse(text), origin, [TokenSpan(0, 20, -1.5), TokenSpan(20, 40, -0.5)])
    >>> row["id"], row["log_prob_nats"], row["tokens"]
    ('f00d-0', -2.0, 2)
    """
    missing = tokens if isinstance(tokens, str) else None
    spans = [] if isinstance(tokens, str) else tokens
    starts = [token.start for token in spans]
    taken = 0
    for record in parsed.records:
        share = count = None
        if missing is None:
            first = taken
            while first < len(spans) and not _touches(spans[first], record.start):
                first += 1
            taken = max(first, bisect.bisect_left(starts, record.end))
            share, count = sum((token.log_prob for token in spans[first:taken]), 0.0), taken - first
        yield {
            "id": f"{origin.response_key}-{record.position}",
            "instruction": record.instruction,
            "context": record.context,
            "response": record.response,
            **origin.columns(record.position),
            "log_prob_nats": share,
            "log_prob_missing": missing,
            "tokens": count,
        }


def failure_rows(parsed: ParsedResponse, origin: Origin) -> Iterator[dict[str, Any]]:
    """Make a row of each failure of a response, ready for JSON lines.

    Parameters
    ----------
    parsed
        What the response held.
    origin
        Where it comes from.

    Yields
    ------
    dict
        The origin's columns, ``position``, ``reason``, ``start``, ``end``, ``excerpt``
        and ``keys`` (what the object calls its fields).
    """
    for failure in parsed.failures:
        yield {
            **origin.columns(failure.position),
            "reason": failure.reason,
            "start": failure.start,
            "end": failure.end,
            "excerpt": failure.excerpt,
            "keys": list(failure.keys),
        }


def _touches(token: TokenSpan, start: int) -> bool:
    """Whether a token is not wholly before a place; one without characters stands at its start."""
    return token.end > start or token.start >= start
