"""Reading back the tables that a page shows."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from ggmi.io import read_csv, read_json
from ggmi.reporting.estimation import EstimationResults
from ggmi.reporting.students import StudentResults
from ggmi.reporting.tasks import TaskResults

# Folders of the tables of students and ratings, and of estimates.
RATING, ESTIMATION = "rating", "estimation"


def read_task(name: str, title: str, files: Iterable[str]) -> TaskResults:
    """A task's results from its files.

    Parameters
    ----------
    name, title
        The task's.
    files
        Its tables (.csv) and the record of its split (.json), each named as the part it is; those
        of students in the folder ``rating``, those of estimates in ``estimation``.
    """
    parts: dict[str, dict[str, Any]] = {RATING: {}, ESTIMATION: {}, "": {}}
    for path in map(Path, files):
        found = read_json(path) if path.suffix == ".json" else read_csv(path)
        parts[path.parent.name if path.parent.name in parts else ""][path.stem] = found
    students = StudentResults(**parts[RATING]) if parts[RATING] else None
    estimation = EstimationResults(**parts[ESTIMATION]) if parts[ESTIMATION] else None
    return TaskResults(name, title, **parts[""], students=students, estimation=estimation)
