"""Reading back the tables that a page shows."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from ggmi.io import read_csv, read_json
from ggmi.reporting.students import StudentResults
from ggmi.reporting.tasks import TaskResults

# Folder of the tables of students and ratings.
RATING = "rating"


def read_task(name: str, title: str, files: Iterable[str]) -> TaskResults:
    """A task's results from its files.

    Parameters
    ----------
    name, title
        The task's.
    files
        Its tables (.csv) and the record of its split (.json), each named as the part it is; those
        of students in the folder ``rating``.
    """
    parts: dict[str, Any] = {}
    students: dict[str, Any] = {}
    for path in map(Path, files):
        found = read_json(path) if path.suffix == ".json" else read_csv(path)
        (students if path.parent.name == RATING else parts)[path.stem] = found
    return TaskResults(name, title, **parts, students=StudentResults(**students) if students else None)
