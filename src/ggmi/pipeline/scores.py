"""What records are told easy from hard by: a model's loss, their skill, or a column of their set."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ggmi.errors import UserError
from ggmi.text.jsonl import read_rows
from ggmi.text.read_notes import CONFIGURED
from ggmi.text.records import Record
from ggmi.text.samples import read_sample

if TYPE_CHECKING:
    from ggmi.embedded.language import Language


def base_losses(
    records: Sequence[Record], model: str, revision: str | None, form: Mapping[str, Any], device: str, threads: int
) -> pd.DataFrame:
    """What the base loses on every record: columns id, nats_per_token, nats, tokens.

    Parameters
    ----------
    records
        The set; where it is empty, so is the table. Records that the window does not hold have no row.
    model, revision
        The base, see `ggmi.students.base.Base`.
    form
        Of `ggmi.pipeline.students.form_of`.
    device, threads
        Where it is measured.
    """
    columns = ["id", "nats_per_token", "nats", "tokens"]
    if not records:
        return pd.DataFrame(columns=columns)
    from ggmi.loading import threads as held
    from ggmi.students.base import Base
    from ggmi.students.difficulty import per_token, record_losses

    with held(threads):
        found = record_losses(records, Base(model, revision), **form, device=device)
    columns_of = {"id": found.ids, "nats_per_token": per_token(found), "nats": found.nats, "tokens": found.tokens}
    return pd.DataFrame(columns_of)[columns]


def skill_losses(records: Sequence[Record], model: str, language: Language) -> pd.DataFrame:
    """What the base loses on every record's skill, exactly over all contexts: columns id, nats_per_token.

    Parameters
    ----------
    records
        Of the embedded world; those that name no skill have no row.
    model
        The base's folder.
    language
        The world's.
    """
    from ggmi.embedded.truth import student_truth
    from ggmi.students.base import Base

    student = Base(model).load().train(False)
    skills = [language.skill_of(record.instruction) for record in records]
    known = {
        skill: student_truth(student, language, np.array([skill]), ended=False).risk_nats_token
        for skill in sorted({skill for skill in skills if skill is not None})
    }
    rows = [(r.id, known[skill]) for r, skill in zip(records, skills, strict=True) if skill is not None]
    return pd.DataFrame(rows, columns=["id", "nats_per_token"])


def column_scores(path: str, column: str, source: Mapping[str, Any] | None) -> pd.DataFrame:
    """A column of a set: columns id and that one.

    Parameters
    ----------
    path
        The set as the workflow keeps it.
    column
        Its name.
    source
        How the set was read (`ggmi.pipeline.anchors.read_source`), since the workflow keeps few columns; None
        of a set that it made.

    Raises
    ------
    UserError
        If there is no such column, or a value is no number.
    """
    if source is None:
        where, found = path, {str(row["id"]): row.get(column) for _, row in read_rows(path)}
        if found and all(value is None for value in found.values()):
            raise UserError(f"students.subsets.by: {column!r} is no column of {path}")
    else:
        where = source["source"]
        sample = read_sample(
            where,
            source["fields"],
            key=column,
            encoding=source["encoding"],
            split=source.get("split"),
            revision=source.get("revision"),
            invalid=source["invalid"],
            wording=CONFIGURED,
        )
        found = dict(zip((r.id for r in sample.records), sample.keys, strict=True))
    rows = [(identity, _number(value, identity, where, column)) for identity, value in found.items()]
    return pd.DataFrame(rows, columns=["id", column])


def _number(value: Any, identity: str, where: str, column: str) -> float:
    """A value of a column as a number."""
    try:
        number = math.nan if value is None or isinstance(value, bool) else float(value)
    except (TypeError, ValueError):
        number = math.nan
    if not math.isfinite(number):
        raise UserError(
            f"{where}: record {identity!r}: {column} is {str(value)[:60]!r}; students.subsets.by allows columns of "
            "numbers only"
        )
    return number


def scores_of(table: pd.DataFrame) -> dict[str, float]:
    """Scores by id, of a table of this module."""
    return dict(zip(table["id"].astype(str), table.iloc[:, 1].astype(float), strict=True))
