"""Where the rows of a set come from: its files, the hub, or memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ggmi.errors import UserError
from ggmi.text.json_documents import Broken, Row
from ggmi.text.places import STDIN, Place
from ggmi.text.row_files import Table, open_table, read_hub


class Opened:
    """The rows of all files of a set, one after another.

    Parameters
    ----------
    place
        Where they are.
    name
        The set's, for messages.
    wanted
        What columns of records may be called.
    form, encoding, revision
        As for `ggmi.text.samples.read_sample`.
    several
        Whether places name their file also where there is one.
    """

    def __init__(
        self,
        place: Place,
        name: str,
        wanted: set[str],
        form: str | None,
        encoding: str | None,
        revision: str | None,
        *,
        several: bool = False,
    ) -> None:
        self._place, self._name, self._wanted = place, name, wanted
        self._several = several or len(place.files) > 1
        self._options: dict[str, Any] = {"form": form, "encoding": encoding, "split": place.split}
        self._revision = revision
        self.form = ""
        self._in_part = False
        self.columns: dict[str, None] = {}
        self.files = max(1, len(place.files))

    def rows(self) -> Iterator[tuple[str, Row | Broken]]:
        """Where each row stands, and the row, or why it is none."""
        if self._place.hub is not None:
            yield from self._rows_of(read_hub(self._place.hub, self._place.split, self._revision), "")
            return
        files = self._place.files or (Path(STDIN),)
        for file in files:
            with open_table(file, self._wanted, **self._options) as table:
                yield from self._rows_of(table, f"{file.name} " if self._several else "")

    def whole_row(self) -> Row | None:
        """The first row with all of its columns, where only some of each row's were read."""
        if not self._in_part or not self._place.files:
            return None
        with open_table(self._place.files[0], (), **self._options) as table:
            return next((row for _, row in table.rows if not isinstance(row, Broken)), None)

    def _rows_of(self, table: Table, where: str) -> Iterator[tuple[str, Row | Broken]]:
        self.form = table.form
        self._in_part = bool(table.columns)
        self.columns.update(dict.fromkeys(table.columns))
        for place, row in table.rows:
            if not isinstance(row, Broken):
                self.columns.update(dict.fromkeys(row))
            yield where + place, row


class Given:
    """Rows that are in memory.

    Parameters
    ----------
    rows
        The rows, read once.
    name
        The set's, for messages.
    """

    form, files = "rows in memory", 1

    def __init__(self, rows: Iterable[Mapping[str, Any]], name: str) -> None:
        self._rows, self._name = rows, name
        self.columns: dict[str, None] = {}

    def rows(self) -> Iterator[tuple[str, Row | Broken]]:
        """Where each row stands, and the row."""
        for number, row in enumerate(self._rows, start=1):
            if not isinstance(row, Mapping):
                raise UserError(
                    f"{self._name}: row {number}: is a {type(row).__name__}; a mapping of columns to values is needed"
                )
            self.columns.update(dict.fromkeys(row))
            yield f"row {number}", {name: _plain(value) for name, value in row.items()}


def _plain(value: Any) -> Any:
    """A value of NumPy or pandas as Python's own, as JSON would hold it."""
    if isinstance(value, np.generic | np.ndarray):
        value = value.tolist()
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    if isinstance(value, Mapping):
        return {name: _plain(one) for name, one in value.items()}
    return None if type(value).__name__ in ("NAType", "NaTType") else value
