"""What `ggmi estimate` prints: a table a person reads, what its columns and marks are, and what follows from it."""

from __future__ import annotations

import io
import sys
from collections.abc import Mapping, Sequence
from pathlib import PurePath
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from ggmi.reporting.estimation import MEANINGS, SUMMARY, explanations, findings, summary_rows
from ggmi.reporting.text import capital
from ggmi.text.visible import one_line

# Columns of characters where no terminal ends a line: what is piped is never cut or wrapped.
UNENDING = 100_000
# Share of a terminal that names of sets may take before they are folded.
NAMES = 1 / 3


def show(found: Mapping[str, Any]) -> None:
    """Print the table a person reads, and what follows from it.

    On a terminal that is too narrow for all columns the table comes in parts; nothing is cut.

    Parameters
    ----------
    found
        Of `ggmi.estimating.estimated`.
    """
    console = unbroken()
    tables = {one["name"]: one["estimates"] for one in found["sets"]}
    headings, cells = summary_rows(tables)
    title = f"Against {one_line(PurePath(found['train']['name']).name)} ({found['train']['records']:,} records)"
    records = [("records", [Text(f"{one['records']:,}") for one in found["sets"]])]
    columns = records + [
        (heading, [Text("\n".join(part for part in line[i] if part)) for line in cells])
        for i, heading in enumerate(headings)
    ]
    names = [one_line(name) for name in tables]
    print_columns(console, "set", names, columns, title)
    estimators = {heading: estimator for heading, estimator, _ in SUMMARY}
    meanings = [(heading, f"{capital(MEANINGS[estimators[heading]])}.") for heading in headings]
    console.print("Values with 95 % intervals in brackets; T is the training set.", highlight=False)
    for term, sentence in meanings:
        console.print(Text.assemble("  ", (term, "italic"), f": {sentence}"))
    for sentence in explanations(found):
        console.print(Text(sentence))
    console.print()
    for term, sentence in findings(tables, found["comparisons"]):
        console.print(Text.assemble((f"{term}: ", "bold"), sentence))


Columns = Sequence[tuple[str, Sequence[Text]]]


def unbroken() -> Console:
    """A console on standard output that cuts and wraps nothing that is piped."""
    if isinstance(sys.stdout, io.TextIOWrapper):  # a terminal without Unicode shows question marks for it
        sys.stdout.reconfigure(errors="replace")
    console = Console()
    return console if console.is_terminal else Console(width=UNENDING)


def print_columns(console: Console, head: str, names: Sequence[str], columns: Columns, title: str = "") -> None:
    """Print a table; on a terminal that is too narrow for all columns, in parts of whole columns.

    Parameters
    ----------
    console
        Where.
    head, names
        Heading and cells of the first column, which every part repeats.
    columns
        Heading and cells of the others.
    title
        Above the first part.
    """
    unbound = console.options.update(max_width=UNENDING)
    parts: list[list[tuple[str, Sequence[Text]]]] = []
    for column in columns:
        wider = [*parts[-1], column] if parts else [column]
        if parts and console.measure(_table(console, head, names, wider), options=unbound).maximum <= console.width:
            parts[-1] = wider
        else:
            parts.append([column])
    for part in parts:
        console.print(_table(console, head, names, part, title))
        title = ""


def _table(console: Console, head: str, names: Sequence[str], columns: Columns, title: str = "") -> Table:
    """Some columns beside the first."""
    table = Table(title=Text(title) if title else None, title_justify="left", show_lines=True)
    table.add_column(head, overflow="fold", max_width=int(console.width * NAMES))
    for heading, _ in columns:
        table.add_column(heading, justify="right", overflow="fold")
    for i, name in enumerate(names):
        table.add_row(Text(name), *(texts[i] for _, texts in columns))
    return table
