"""What became of a response: its records, its failures by reason, and how often it went well."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

NO_JSON = "no_json"
BAD_JSON = "bad_json"
TRUNCATED = "truncated"
NOT_AN_OBJECT = "not_an_object"
MISSING_FIELD = "missing_field"
WRONG_TYPE = "wrong_type"
EMPTY_FIELD = "empty_field"
DUPLICATE_KEY = "duplicate_key"
BAD_NUMBER = "bad_number"
BAD_CHARACTER = "bad_character"
BAD_ESCAPE = "bad_escape"
THINKING_CUT = "thinking_cut"
TOO_DEEP = "too_deep"
TOO_LONG = "too_long"
REASONS = {
    NO_JSON: "nothing in the response looks like an object",
    BAD_JSON: "an object begins and is not correct JSON",
    TRUNCATED: "the response ends inside an object",
    NOT_AN_OBJECT: "a list holds something that is no object",
    MISSING_FIELD: "a needed field is absent or null",
    WRONG_TYPE: "a field is neither text nor a number nor true or false",
    EMPTY_FIELD: "a needed field holds nothing but spaces",
    DUPLICATE_KEY: "a field is named twice",
    BAD_NUMBER: "NaN or an infinity, which JSON does not know",
    BAD_CHARACTER: "a field holds NUL or half a surrogate pair",
    BAD_ESCAPE: "a single backslash that JSON does not know or reads as a control character, as in \\frac",
    THINKING_CUT: "the response ends while the model is still thinking",
    TOO_DEEP: "brackets inside brackets beyond the limit",
    TOO_LONG: "more characters than a record may have",
}


@dataclass(frozen=True, slots=True)
class Parsed:
    """A record found in a response.

    Parameters
    ----------
    position
        Which item of the response it is, from 0; failures count too.
    start, end
        Its place in the response, in characters.
    instruction, context, response
        Its fields, as they are.
    extra_fields
        How many other fields the object had.
    repaired
        Whether the object was not correct JSON, and was mended.
    """

    position: int
    start: int
    end: int
    instruction: str
    context: str
    response: str
    extra_fields: int = 0
    repaired: bool = False


@dataclass(frozen=True, slots=True)
class ParseFailure:
    """An item of a response that is no record, or a response without items.

    Parameters
    ----------
    position
        Which item of the response it is, from 0.
    reason
        One of `REASONS`.
    start, end
        Its place in the response, in characters.
    excerpt
        How it begins; half surrogate pairs are written as escapes.
    keys
        What the object's fields are called, as far as they can be read.
    """

    position: int
    reason: str
    start: int
    end: int
    excerpt: str
    keys: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ParsedResponse:
    """What a response held, in the order of the text."""

    records: tuple[Parsed, ...]
    failures: tuple[ParseFailure, ...]


@dataclass(frozen=True, slots=True)
class Validity:
    """How well a generator kept to the format, over many responses.

    Parameters
    ----------
    responses
        How many there were.
    with_records
        How many of them held a record.
    records
        Records in all of them.
    repaired
        How many of those were not correct JSON, and were mended; no response is more valid for it.
    failures
        Failures by reason, the most frequent first.
    extra_fields
        Fields of records that were passed over.
    keys
        What objects without a needed field call their fields, the most frequent first.
    """

    responses: int
    with_records: int
    records: int
    repaired: int
    failures: dict[str, int]
    extra_fields: int
    keys: dict[str, int]

    @property
    def rate(self) -> float:
        """Records that are correct JSON as a share of all items; NaN without responses."""
        items = self.records + sum(self.failures.values())
        return (self.records - self.repaired) / items if items else float("nan")


def validity(responses: Iterable[ParsedResponse]) -> Validity:
    """Count records and failures over responses.

    Parameters
    ----------
    responses
        Taken one at a time.

    Returns
    -------
    Validity

    Examples
    --------
    >>> from ggmi.text.parsing import parse
    >>> counted = validity([parse('{"instruction": "Add.", "response": "3"}'), parse("I cannot.")])
    >>> counted.records, counted.failures, counted.rate
    (1, {'no_json': 1}, 0.5)
    """
    count = with_records = records = repaired = extra = 0
    reasons: Counter[str] = Counter()
    keys: Counter[str] = Counter()
    for response in responses:
        count += 1
        with_records += bool(response.records)
        records += len(response.records)
        extra += sum(record.extra_fields for record in response.records)
        repaired += sum(record.repaired for record in response.records)
        reasons.update(failure.reason for failure in response.failures)
        keys.update(key for failure in response.failures if failure.reason == MISSING_FIELD for key in failure.keys)
    return Validity(count, with_records, records, repaired, _by_frequency(reasons), extra, _by_frequency(keys))


def _by_frequency(counts: Counter[str]) -> dict[str, int]:
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))
