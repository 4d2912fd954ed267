"""How hard the records of sets are for a model that a person names, and which of them look wrong."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ggmi.errors import UserError
from ggmi.information.estimate import Estimate
from ggmi.pipeline.subsets import came_together
from ggmi.text.samples import Sample

if TYPE_CHECKING:  # torch and transformers take seconds to import
    from ggmi.students.base import Base

DIFFICULTY = "difficulty"
MEANING = "loss of a model on the response given its prompt, median over records, nats a token"
# Records of a set that are shown, those of the highest loss first.
SHOWN = 5


def difficulty(
    samples: Sequence[Sample], base: Base, *, seed: int, on_records: Callable[[int], None] = lambda _: None
) -> list[dict[str, Any]]:
    """Measure a model's loss on every record of T and of the sets.

    A record is asked through the model's chat template where it has one, else as a plain text
    (`ggmi.students.tokenise.Writer`).

    Parameters
    ----------
    samples
        T, then the sets.
    base
        The model.
    seed
        Of the resamples.
    on_records
        Called with the records of all samples measured so far.

    Returns
    -------
    list of dict
        Of each sample, ready for JSON: ``model``, ``form``, ``records`` and ``left_out`` (those that the
        model's window does not hold), ``median_nats_per_token`` with ``ci_low``, ``ci_high``, ``lower_quartile_``
        and ``upper_quartile_nats_per_token``, ``too_easy`` (records whose tokens have a probability of 0.9
        and more, in geometric mean), ``fence_nats_per_token`` (three interquartile ranges above T's upper
        quartile), ``looks_wrong`` (records beyond it) and the records of the ``highest`` loss.

    Raises
    ------
    UserError
        If the model cannot be used, or its loss is no number.
    """
    from ggmi.students.difficulty import EASY_NATS, per_token, record_losses, spread
    from ggmi.students.tokenise import Form

    form: Form = "chat" if base.tokenizer.chat_template else "plain"
    rows: list[dict[str, Any]] = []
    before, fence = 0, np.inf
    for sample in samples:

        def move(done: int, before: int = before) -> None:
            on_records(before + done)

        measured = record_losses(sample.records, base, form, source=sample.source, on_records=move)
        values = per_token(measured)
        if not np.isfinite(values).all():
            raise UserError(f"{base.name}: its loss on a record of {sample.source} is no number; look at its weights")
        place = {record.id: i for i, record in enumerate(sample.records)}
        kept = [place[identity] for identity in measured.ids]
        groups = came_together(sample, "set")
        found = spread(values, [groups[i] for i in kept], seed)
        if not rows:
            fence = found.fence
        hardest = np.argsort(-values, kind="stable")[:SHOWN].tolist()
        rows.append(
            {
                "model": base.identity,
                "form": form,
                "records": len(values),
                "left_out": len(sample) - len(values),
                "median_nats_per_token": found.median,
                "ci_low": None if np.isnan(found.interval.low) else found.interval.low,
                "ci_high": None if np.isnan(found.interval.high) else found.interval.high,
                "lower_quartile_nats_per_token": found.lower,
                "upper_quartile_nats_per_token": found.upper,
                "too_easy": int((values <= EASY_NATS).sum()),
                "fence_nats_per_token": fence,
                "looks_wrong": int((values > fence).sum()),
                "highest": [_hardest(sample, kept[i], float(values[i]), fence) for i in hardest],
            }
        )
        before += len(sample)
    return rows


def _hardest(sample: Sample, i: int, value: float, fence: float) -> dict[str, Any]:
    """One of the records of the highest loss."""
    record = sample.records[i]
    where = {"id": record.id, "place": sample.places[i], "nats_per_token": value, "looks_wrong": value > fence}
    return {**where, "instruction": record.instruction, "response": record.response}


def difficulty_row(found: dict[str, Any]) -> dict[str, Any]:
    """A set's difficulty as a row beside its other estimates."""
    method = f"loss of the response under {found['model']}, {found['form']} form; bootstrap over what came together"
    value = Estimate(
        found["median_nats_per_token"],
        found["ci_low"],
        found["ci_high"],
        n=found["records"],
        unit="nats a token",
        method=method,
    )
    left = f"{found['left_out']} records do not fit into the model's window" if found["left_out"] else ""
    return {"estimator": DIFFICULTY, **value.row(), "smallest_p": None, "note": left}
