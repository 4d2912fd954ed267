"""Which columns or paths a person may mean, where none is called like a field."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from ggmi.text.chats import as_chat, text_of
from ggmi.text.format import normal_name
from ggmi.text.forms import ABSENT, NAMES, find_value
from ggmi.text.json_documents import Broken

# Where answers lie deep inside: samples of lm-evaluation-harness, answers of endpoints.
_DEEP = (
    "resps.0.0",
    "answers.text.0",
    "response.body.choices.0.message.content",
    "choices.0.message.content",
    "choices.0.text",
    "outputs.0.text",
)
# What columns are often called that are taken for a field only if a person says so.
_LIKELY = {
    "instruction": ("user", "human", "inputs", "source"),
    "response": (
        "assistant", "gpt", "responses", "outputs", "completions", "answers", "generations", "solutions", "targets",
        "target",
    ),
}  # fmt: skip


def suggestion(columns: Mapping[str, Any], field: str) -> str | None:
    """A column or path that may be meant by a field, from a row that lacks it.

    Parameters
    ----------
    columns
        A row.
    field
        The field.

    Examples
    --------
    >>> suggestion({"doc": {"question": "Why?"}}, "instruction")
    'doc.question'
    >>> suggestion({"responses": ["So.", "Thus."]}, "response")
    'responses.0'
    """
    if field == "response":
        for path in _DEEP:
            if find_value(columns, path) is not ABSENT:
                return path
    leaves = list(_leaves(columns))
    chats = [path for path, value in leaves if as_chat(value) and "reject" not in normal_name(path)]
    if field == "instruction" and chats:
        return chats[0]
    texts = [path for path, value in leaves if not isinstance(text_of(value), Broken)]
    for name in (*NAMES[field], *_LIKELY.get(field, ())):
        for path in texts:
            # Of a list the first.
            if normal_name(re.sub(r"(\.0)+$", "", path).rpartition(".")[2]) == name:
                return path
    inside = [path for path in texts if path.rpartition(".")[2] in ("text", "content", "value")]
    return next((path for path in inside if normal_name(path.partition(".")[0]) in NAMES[field]), None)


def beside(columns: Mapping[str, Any], path: str) -> str | None:
    """The path of a context that stands beside another field's, deep in a row.

    Parameters
    ----------
    columns
        A row.
    path
        Of the other field.
    """
    above = path.rpartition(".")[0]
    found = [f"{above}.{name}" for name in NAMES["context"] if above and f"{above}.{name}" != path]
    return next((one for one in found if isinstance(find_value(columns, one), str)), None)


def _leaves(value: Any, path: str = "", depth: int = 4) -> Iterator[tuple[str, Any]]:
    """Values inside a row with their paths; of a list that is no chat the first."""
    if path and as_chat(value):
        yield path, value
    elif isinstance(value, Mapping) and depth:
        for name, inner in value.items():
            yield from _leaves(inner, f"{path}.{name}" if path else str(name), depth - 1)
    elif isinstance(value, list) and value and depth:
        yield from _leaves(value[0], f"{path}.0", depth - 1)
    else:
        yield path, value
