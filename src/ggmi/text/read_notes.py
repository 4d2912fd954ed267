"""How a set was read: its format, its columns, its rows that hold no record; and the words that mend it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

# Places that are named of each kind of row that was left out.
NAMED = 3


@dataclass(frozen=True)
class LeftOut:
    """Rows that hold no record, for one reason.

    Parameters
    ----------
    reason
        In a few words that follow the number of rows.
    count
        How many.
    places
        Where the first of them stand, with more on each.
    """

    reason: str
    count: int
    places: tuple[str, ...]

    def __str__(self) -> str:
        """Such as ``2 without a response (line 4, line 9)``."""
        more = f" and {self.count - len(self.places):,} more" if self.count > len(self.places) else ""
        return f"{self.count:,} {self.reason} ({', '.join(self.places)}{more})"


@dataclass(frozen=True)
class Reading:
    """How a set was read.

    Parameters
    ----------
    form
        Its format, in words.
    files
        How many files it has.
    columns
        Where each field was taken from: names of columns, and paths into them.
    unread
        Columns that nothing is taken from, in their order.
    left_out
        Rows that hold no record, by reason.
    notes
        What else a person should know, a sentence each.
    """

    form: str = ""
    files: int = 1
    columns: tuple[tuple[str, tuple[str, ...]], ...] = ()
    unread: tuple[str, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    notes: tuple[str, ...] = ()

    def described(self) -> dict[str, Any]:
        """All of it, ready for JSON."""
        left_out = [{"reason": one.reason, "rows": one.count, "places": list(one.places)} for one in self.left_out]
        columns = {field: list(names) for field, names in self.columns}
        return {
            **{"format": self.form, "files": self.files, "columns": columns},
            **{"unread_columns": list(self.unread), "left_out": left_out, "notes": list(self.notes)},
        }


@dataclass(frozen=True)
class Wording:
    """What mends a set that cannot be read, in the words of where a person named it.

    Parameters
    ----------
    naming
        Names columns of fields, from a map of them.
    drop
        Leaves out rows that hold no record.
    alone
        Says how a set without instructions is read, to stand at a sentence's end; empty where it cannot be.
    """

    naming: Callable[[Mapping[str, str]], str]
    drop: str
    alone: str = ""


COMMAND = Wording(
    lambda names: f"--map {' '.join(f'{field}={column}' for field, column in names.items())}",
    "--invalid drop",
    ", or compare responses alone with --parts response (and --map response=COLUMN)",
)
CONFIGURED = Wording(
    lambda names: f"fields: {{{', '.join(f'{field}: {column}' for field, column in names.items())}}}",
    "invalid: drop",
)
CALLED = Wording(
    lambda names: f"fields={names}",
    "invalid='drop'",
    ", or compare responses alone with parts=['response']",
)
