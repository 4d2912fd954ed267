"""The data-set card: a README.md that `datasets` reads and a person understands."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

import yaml

from ggmi.text.visible import one_line, plain

# The data sets hub's classes of size, by the least number of records of the next class.
SIZES = ((10**3, "n<1K"), (10**4, "1K<n<10K"), (10**5, "10K<n<100K"), (10**6, "100K<n<1M"), (10**7, "1M<n<10M"))
_MARKUP = re.compile(r"([\\`*_{}\[\]()#+!|~$<>&@:])")


@dataclass(frozen=True, slots=True)
class Card:
    """What a card says.

    Parameters
    ----------
    title
        Name of the data set.
    records
        How many it holds.
    license
        Licence identifier of the hub, such as ``mit`` or ``other``.
    made_by
        How it was made, as label and value: generator, prompts, anchors, draws, seed …
    counts
        What happened on the way, as label and number: responses, items, failures and drops by
        reason …
    template
        The prompt template, shown as it is.
    language
        Language codes of the hub.
    """

    title: str
    records: int
    license: str
    made_by: Mapping[str, str]
    counts: Mapping[str, int]
    template: str = ""
    language: tuple[str, ...] = ("en",)
    tags: tuple[str, ...] = ("synthetic", "instruction-tuning")


def card_text(card: Card) -> str:
    """The card as Markdown with YAML front matter.

    The data file is not named in it: `datasets` would then find its cache by the front matter
    alone, and give a set's earlier content, or that of another set whose folder has the same name.

    Parameters
    ----------
    card
        What to say; its texts are shown as they are, whatever markup they hold.

    Returns
    -------
    str
        For a README.md beside the data file.
    """
    front = {
        "license": one_line(card.license),
        "language": list(card.language),
        "size_categories": [next((name for bound, name in SIZES if card.records < bound), "10M<n<100M")],
        "task_categories": ["text-generation"],
        "tags": list(card.tags),
        "pretty_name": one_line(card.title),
    }
    parts = [
        f"---\n{yaml.safe_dump(front, sort_keys=False, allow_unicode=True)}---",
        f"# {escape_markdown(card.title)}",
        f"{card.records:,} synthetic records of a task, each with an instruction, a context (which may be empty) and "
        "a response. A language model wrote them after real examples, the anchor data; nobody has checked that they "
        "are true.",
        f"License: {escape_markdown(card.license)}. Terms of the generator and of the anchor data may add to it.",
        "## How it was made",
        _table(("", ""), {escape_markdown(label): escape_markdown(value) for label, value in card.made_by.items()}),
        "## Counts",
        _table(("", "number"), {escape_markdown(label): f"{number:,}" for label, number in card.counts.items()}),
        "## Columns",
        _table(("column", "meaning"), {f"`{name}`": meaning for name, meaning in COLUMNS.items()}),
    ]
    if card.template:
        parts += ["## Prompt template", fenced(card.template)]
    return "\n\n".join(parts) + "\n"


COLUMNS = {
    "id": "unique: the response's key and the item's position in it",
    "instruction": "what is asked",
    "context": "the input it is asked about, or empty",
    "response": "the answer",
    "generator": "the model that wrote the record",
    "prompt_id": "the prompt it answered",
    "anchor_ids": "the real examples that the prompt showed",
    "draw": "which of the responses to that prompt, from 0",
    "response_key": "the raw response in the store of responses",
    "position": "which item of the response, from 0, failures counted",
    "log_prob_nats": "the record's share of the response's log-probability under the sampling distribution, in nats",
    "log_prob_missing": "why there is no log-probability",
    "tokens": "tokens of the record",
}


def escape_markdown(text: str) -> str:
    """Untrusted text for one line of Markdown: neither Markdown nor HTML finds anything to act on.

    Parameters
    ----------
    text
        Anything.

    Examples
    --------
    >>> escape_markdown("<b>[x](javascript:1)")
    '&#60;b&#62;&#91;x&#93;&#40;javascript&#58;1&#41;'
    """
    return _MARKUP.sub(lambda found: f"&#{ord(found[0])};", one_line(text))


def fenced(text: str) -> str:
    """Untrusted text as a block of code, with a fence that the text cannot close.

    Parameters
    ----------
    text
        Anything.
    """
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    lines = "\n".join(map(plain, text.splitlines()))
    return f"{fence}text\n{lines}\n{fence}"


def _table(head: tuple[str, str], rows: Mapping[str, str]) -> str:
    """Two columns in Markdown."""
    lines = [f"| {head[0]} | {head[1]} |", "| --- | --- |"]
    return "\n".join(lines + [f"| {left} | {right} |" for left, right in rows.items()])
