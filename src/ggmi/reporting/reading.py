"""Reading back the tables that a page shows."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from ggmi.io import read_csv, read_json
from ggmi.reporting.tasks import TaskResults


def read_task(name: str, title: str, files: Iterable[str]) -> TaskResults:
    """A task's results from its files.

    Parameters
    ----------
    name, title
        The task's.
    files
        Its tables (.csv) and the record of its split (.json), each named as the part it is.
    """
    parts = {path.stem: read_json(path) if path.suffix == ".json" else read_csv(path) for path in map(Path, files)}
    return TaskResults(name, title, **parts)
