"""Tables of a page: what each column means, and cells in sensible digits."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd
import yaml

from ggmi.reporting.text import fixed

# Cells that one table may take on a page, at some 30 bytes each.
CELLS = 12_000
_END = re.compile(r"(?:(?P<of>\w+)_)?ci_(?P<end>low|high)(?P<unit>_nats)?")


@dataclass(frozen=True)
class Column:
    """How one column of a table is shown: its name in the file, its label, its meaning with unit, digits."""

    key: str
    label: str
    meaning: str = ""
    decimals: int = 0


@dataclass(frozen=True)
class Cell:
    """What a cell shows, and the full number where the text is rounded."""

    text: str
    value: str = ""


@dataclass(frozen=True)
class DataTable:
    """A table ready for a page: columns in order, which of them hold numbers, cells by row, rows in the file."""

    columns: Sequence[Column]
    numeric: Sequence[bool]
    rows: Sequence[Sequence[Cell]]
    total: int


Columns = Mapping[str, Mapping[str, Column]]


def read_columns(text: str) -> Columns:
    """What columns mean, by table and name.

    Parameters
    ----------
    text
        YAML: by table and column a list of label, meaning and digits.
    """
    found = yaml.safe_load(text)
    return {table: {key: Column(key, *told) for key, told in columns.items()} for table, columns in found.items()}


def data_table(frame: pd.DataFrame, described: Mapping[str, Column]) -> DataTable:
    """Prepare a table for a page.

    Parameters
    ----------
    frame
        The table.
    described
        Columns to show, in order; those that `frame` lacks are left out, the ends of an interval follow what they
        are of, and columns that nobody described come last under their own names.
    """
    chosen: list[Column] = []
    ends = {key: _described_end(key, described) for key in map(str, frame) if key not in described}
    for key, column in described.items():
        chosen += [column] if key in frame else []
        chosen += [end for of, end in filter(None, ends.values()) if of == key]
    chosen += [Column(key, key, "", 3) for key, end in ends.items() if end is None]
    numeric = [pd.api.types.is_numeric_dtype(frame[column.key]) for column in chosen]
    shown = frame.head(max(1, CELLS // max(1, len(chosen))))
    cells = [[_cell(value, column.decimals) for value in shown[column.key].tolist()] for column in chosen]
    return DataTable(chosen, numeric, list(zip(*cells, strict=True)), len(frame))


def _described_end(key: str, described: Mapping[str, Column]) -> tuple[str, Column] | None:
    """Which column an interval's end belongs to, and its own description; None if it is no end of a described one."""
    found = _END.fullmatch(key)
    if found is None:
        return None
    of, end, unit = found["of"], found["end"], found["unit"] or ""
    names = [f"{of}{unit}", of] if of else [name for name, column in described.items() if column.decimals]
    name = next((name for name in names if name in described), None)
    if name is None:
        return None
    side = {"low": "lower", "high": "upper"}[end]
    column = Column(
        key, f"{described[name].label}, {end}", f"{side} end of its 95 % interval", described[name].decimals
    )
    return name, column


def _cell(value: object, decimals: int) -> Cell:
    if isinstance(value, float):
        text = fixed(value, decimals)
        full = f"{value:.10g}"
        return Cell(text, "" if math.isnan(value) or text == full else full)
    if isinstance(value, int) and not isinstance(value, bool):
        text = fixed(value, 0)
        return Cell(text, "" if text == str(value) else str(value))
    return Cell(str(value))
