"""What is taken for a record: how its fields may be called, and what is mended or passed over."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from ggmi.text.records import FIELDS
from ggmi.text.thinking import Marks

# What a model may call a field, in the form of `normal_name`: our names, and that of the published prompt.
NAMES = {name: (name,) for name in FIELDS} | {"response": ("response", "referenceresponse")}
_SEPARATORS = re.compile(r"[\s_\-*:`\u200b-\u200f\ufeff]+")
# Stands for a value that is no text.
NO_TEXT = "\ud800 no text"


@dataclass(frozen=True)
class Format:
    """What is taken for a record.

    Parameters
    ----------
    names
        What else the model calls instruction, context and response: a name or several.
    marks
        The marks around thoughts.
    repair
        Whether objects that are almost JSON are mended; such records are marked.
    opened
        Whether the response begins inside thoughts, as where the chat template opens them; then
        all of it is thought where no mark closes them.

    Examples
    --------
    >>> from ggmi.text.parsing import parse
    >>> found = parse('{"question": "Add 1 and 2.", "Response": 3}', Format({"instruction": "question"}))
    >>> found.records[0].instruction, found.records[0].response
    ('Add 1 and 2.', '3')
    """

    names: Mapping[str, str | Sequence[str]] = field(default_factory=dict)
    marks: Marks = field(default_factory=Marks)
    repair: bool = False
    opened: bool = False

    def fields(self) -> dict[str, str]:
        """The field that each name stands for; names in the form of `normal_name`."""
        known = {name: wanted for wanted, names in NAMES.items() for name in names}
        own = {wanted: [given] if isinstance(given, str) else given for wanted, given in self.names.items()}
        return known | {normal_name(name): wanted for wanted, names in own.items() for name in names}


# Most objects have the same few names.
@lru_cache
def normal_name(name: str) -> str:
    """A name without what models write in different ways."""
    return _SEPARATORS.sub("", name).casefold()


def as_text(value: Any) -> str | None:
    """A value as a field's text; None for null."""
    if value is None or isinstance(value, str):
        return value
    return str(value).lower() if isinstance(value, bool) else NO_TEXT
