"""What ``import ggmi`` offers: `ggmi estimate` and `ggmi pilot` for notebooks and scripts."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeAlias

import pandas as pd

from ggmi.errors import UserError
from ggmi.estimating import ALL, MOST, encoder_of, estimated, inference_of, learner_of, page_text
from ggmi.options import names_of, pilot_command, progress_bar
from ggmi.pilot.settings import PilotSettings
from ggmi.piloting import PilotFindings, budget_of, compared, named_judge
from ggmi.text.read_notes import CALLED
from ggmi.text.records import FIELDS
from ggmi.text.samples import Sample, read_rows, read_sample
from ggmi.text.tally import Invalid

# Where a file or folder is, rows with names of columns as keys (a list, a `datasets.Dataset`), or a table.
Data: TypeAlias = str | os.PathLike[str] | Iterable[Mapping[str, Any]] | pd.DataFrame


@dataclass(frozen=True)
class Estimates:
    """What was estimated of sets; a notebook shows the table a person reads.

    Parameters
    ----------
    found
        All of it, ready for JSON; docs/estimates.md says what its keys mean.
    """

    found: dict[str, Any]

    def to_frame(self) -> pd.DataFrame:
        """Every estimate.

        Returns
        -------
        DataFrame
            A row a set and estimator: ``set, estimator, method, value, ci_low, ci_high, p_value, p_holm`` and
            what else an estimate has, such as its null and n.
        """
        return pd.DataFrame([{"set": one["name"], **row} for one in self.found["sets"] for row in one["estimates"]])

    @property
    def recommendation(self) -> dict[str, Any]:
        """Which set to take, with its odds: ``verdict``, ``set``, ``odds`` and what they rest on."""
        return dict(self.found["recommendation"])

    @property
    def named(self) -> pd.DataFrame:
        """What is wrong with the records of sets.

        Returns
        -------
        DataFrame
            A row a set and kind, none where nothing is: ``set, kind, name, records, share, ci_low, ci_high, n,
            train_share, p_value, p_holm, examples``.
        """
        columns = ["set", "kind", "name", "records", "share", "ci_low", "ci_high", "n", "train_share", "p_value"]
        rows = [{"set": one["name"], **row} for one in self.found["sets"] for row in one["named"]]
        return pd.DataFrame(rows, columns=[*columns, "p_holm", "examples"])

    def to_html(self, path: str | os.PathLike[str] | None = None) -> str:
        """The page that ``ggmi estimate --html`` writes.

        Parameters
        ----------
        path
            Where it is written, too; None writes nothing.
        """
        text = page_text(self.found)
        if path is not None:
            from ggmi.io import write_text

            write_text(path, text)
        return text

    def summary(self) -> pd.DataFrame:
        """The table a person reads: values with 95 % intervals as text, a row a set."""
        from ggmi.reporting.estimation import summary_rows

        tables = {one["name"]: one["estimates"] for one in self.found["sets"]}
        headings, cells = summary_rows(tables, self.recommendation["estimator"])
        lines = [[" ".join(filter(None, cell)) for cell in line] for line in cells]
        return pd.DataFrame(lines, columns=headings, index=pd.Index(list(tables), name="set"))

    def __repr__(self) -> str:
        """The summary as text."""
        return self.summary().to_string()

    def _repr_html_(self) -> str:
        return str(self.summary().to_html())


def estimate(
    train: Data,
    sets: Mapping[str, Data] | Sequence[str | os.PathLike[str]],
    *,
    fields: Mapping[str, str] | None = None,
    pairs: str | None = None,
    parts: Sequence[str] = FIELDS,
    encoder: str | None = None,
    entailment: str | None = None,
    loose: bool = False,
    difficulty: str | None = None,
    records: int | Literal["all"] = MOST,
    seed: int = 0,
    invalid: Invalid = "drop",
) -> Estimates:
    """Compare synthetic sets with a training set.

    Parameters
    ----------
    train
        The training set: a path (file, folder, pattern or hub id), rows as mappings, a DataFrame, or a
        `datasets.Dataset`.
    sets
        The synthetic sets likewise, by name; or paths alone, whose names are then those of their files.
    fields
        What rows call instruction, context, response and id, such as ``{"instruction": "prompt"}``; None finds
        the usual names.
    pairs
        The column that pairs records of a set with those of `train`.
    parts
        Fields that are compared.
    encoder
        Directory or hub id of a sentence-embedding model; None takes all-MiniLM-L6-v2.
    entailment
        Directory or hub id of a model of inference that tells which records say the same.
    loose
        Its criterion: no contradiction, and not both neutral.
    difficulty
        Directory or hub id of a causal model; its loss says how hard each record is.
    records
        Most records of a set that are embedded, or ``all``.
    seed
        Of samples, shuffles and folds.
    invalid
        Rows that hold no record: ``drop`` leaves them out and counts them, ``stop`` refuses the set.

    Returns
    -------
    Estimates

    Raises
    ------
    UserError
        If a set cannot be read, is too small, or an option is not as it should be.

    Examples
    --------
    >>> real = [{"instruction": f"How much is {i} plus {i}?", "response": f"It is {2 * i}."} for i in range(6)]
    >>> made = [{"instruction": f"How much is {i} times {i}?", "response": f"It is {i * i}."} for i in range(6)]
    >>> found = estimate(real, {"made": made})
    >>> sorted(set(found.to_frame()["set"]))
    ['made']
    """
    most = None if records == ALL else records
    if most is not None and not (isinstance(most, int) and most >= 4):
        raise UserError(f"records: {records!r} is not allowed; at least 4 are needed, or {ALL!r}")
    _check_seed(seed)
    options: dict[str, Any] = {"key": pairs, "parts": parts, "invalid": invalid, "wording": CALLED}
    by_name = _by_name(sets)
    real, named = _samples(train, by_name, fields, options)
    found = estimated(
        [real, *named.values()],
        [*named],
        pairs=pairs,
        parts=parts,
        encoder=encoder_of(encoder, None, None),
        inference=inference_of(entailment, loose=loose),
        learner=learner_of(difficulty),
        most=most,
        seed=seed,
    )
    data = [train, *(by_name[name] for name in found["recommendation"]["contenders"])]
    paths = [os.fspath(one) for one in data if isinstance(one, str | os.PathLike)]
    if len(paths) == len(data):
        maps = [f"{field}={column}" for field, column in (fields or {}).items()]
        found["recommendation"]["command"] = pilot_command(paths[0], paths[1:], ["--map", *maps] if maps else [])
    return Estimates(found)


def run_pilot(
    train: Data,
    sets: Mapping[str, Data] | Sequence[str | os.PathLike[str]],
    *,
    test: Data | None = None,
    fields: Mapping[str, str] | None = None,
    base: str | None = None,
    mixtures: bool = False,
    budget: str = "10m",
    epochs: float = 3.0,
    learning_rate: float | None = None,
    processes: int = 2,
    folder: str | os.PathLike[str] = "pilot",
    seed: int = 0,
    invalid: Invalid = "drop",
    judge: str | Mapping[str, Any] | None = None,
) -> PilotFindings:
    """Find which set should get the large training, by small ones.

    A script calls it under ``if __name__ == "__main__":``, since processes that train import it anew.

    Parameters
    ----------
    train, sets, fields, invalid
        As for `estimate`.
    test
        Real records to test on; None holds out a fifth of `train`.
    base
        Directory or hub id of the model to be trained; None trains small GPTs from random weights.
    mixtures
        Whether `train` with each set added to it is compared, too.
    budget
        Such as ``90s``, ``10m``, ``2h``, or ``4000000tokens``, which gives the same numbers again.
    epochs, learning_rate
        Of every training; None takes what suits the base.
    processes
        Trainings at a time.
    folder
        Where trainings are kept; what is there is not done again.
    seed
        Of subsets, weights and orders.
    judge
        Rates what the last students answer, on top of the budget: directory or hub id of a model, a YAML file that
        holds a task's section `judge`, or such a section as a mapping. Its verdicts are kept in `folder`.

    Returns
    -------
    PilotFindings

    Raises
    ------
    UserError
        If a set cannot be read, an option is not as it should be, or the budget does not pay for the smallest pilot.
    """
    from pydantic import ValidationError

    amount = budget_of(budget)
    _check_seed(seed)
    try:
        how = PilotSettings(
            base=base, mixtures=mixtures, epochs=epochs, learning_rate=learning_rate, processes=processes
        )
    except ValidationError as error:
        wrong = error.errors()[0]
        raise UserError(f"{wrong['loc'][0]}: {wrong['input']!r} is not allowed ({wrong['msg']})") from None
    options: dict[str, Any] = {"key": None, "parts": FIELDS, "invalid": invalid, "wording": CALLED}
    real, named = _samples(train, _by_name(sets), fields, options)
    tested = None if test is None else _sample(test, "test", fields, options)
    with progress_bar() as bar:
        rates = None if judge is None else named_judge(judge, Path(folder), bar)
        return compared(real, named, tested, how, amount, Path(folder), seed=seed, progress=bar, judge=rates)


def _check_seed(seed: int) -> None:
    """Refuse what no random stream starts from."""
    if seed < 0:
        raise UserError(f"seed: {seed} is not allowed; it must not be negative")


def _by_name(sets: Mapping[str, Data] | Sequence[str | os.PathLike[str]]) -> Mapping[str, Data]:
    """Synthetic sets by their names; paths alone have those of their files."""
    if isinstance(sets, str | os.PathLike):
        raise UserError("sets: must be a mapping of names to sets, or a list of paths")
    if not sets:
        raise UserError("sets: there is none")
    if isinstance(sets, Mapping):
        return sets
    paths = [os.fspath(path) for path in sets]
    return dict(zip(names_of(paths), paths, strict=True))


def _samples(
    train: Data, sets: Mapping[str, Data], fields: Mapping[str, str] | None, options: dict[str, Any]
) -> tuple[Sample, dict[str, Sample]]:
    """T, and the synthetic sets by name."""
    real = _sample(train, "train", fields, options)
    return real, {name: _sample(data, f"sets[{name!r}]", fields, options) for name, data in sets.items()}


def _sample(data: Data, name: str, fields: Mapping[str, str] | None, options: dict[str, Any]) -> Sample:
    """Read a set from wherever it is."""
    if isinstance(data, str | os.PathLike):
        return read_sample(data, dict(fields or {}), **options)
    if isinstance(data, pd.DataFrame):
        # What is missing in a table is None, as in JSON.
        rows: Any = data.astype(object).where(data.notna(), None).to_dict("records")
    elif isinstance(data, Mapping) or not isinstance(data, Iterable):
        raise UserError(f"{name}: is a {type(data).__name__}; a path, rows, a DataFrame or a Dataset is needed")
    else:
        rows = data
    return read_rows(rows, name, dict(fields or {}), **options)
