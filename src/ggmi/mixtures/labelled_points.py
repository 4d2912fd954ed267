"""Labelled numeric tables as points: reading, checking, reducing to d dimensions."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from numpy.lib.npyio import NpzFile

from ggmi.errors import UserError, did_you_mean
from ggmi.mixtures.worlds import SIDE, LabelledPoints

# Squares of coordinates must not overflow.
LARGEST = 1e100


def read_table(source: str, label: str) -> tuple[pd.DataFrame, pd.Series]:
    """Read coordinates and class labels.

    Parameters
    ----------
    source
        A CSV, Parquet or NPZ file, or ``digits`` for scikit-learn's handwritten digits. An NPZ
        file holds the label array and one array of coordinates a row.
    label
        Column, or NPZ array, that holds the class.

    Returns
    -------
    coordinates : DataFrame, shape (n, features)
    labels : Series, shape (n,)

    Raises
    ------
    UserError
        If the file cannot be read, the label is missing, or a coordinate is no finite number.
    """
    if source == "digits":
        from sklearn.datasets import load_digits

        digits = load_digits()
        return pd.DataFrame(digits.data), pd.Series(digits.target)
    table = _read_file(source, label)
    if label not in table.columns:
        raise UserError(f"{source}: there is no column {label!r}; {did_you_mean(label, map(str, table.columns))}")
    if table.empty:
        raise UserError(f"{source}: has no rows")
    labels = table[label]
    if labels.isna().any():
        raise UserError(f"{source}: row {int(labels.isna().to_numpy().argmax()) + 1} has no {label}")
    coordinates = table.drop(columns=label)
    if coordinates.shape[1] == 0:
        raise UserError(f"{source}: there is no column beside {label!r}; at least one coordinate is needed")
    for name in coordinates.columns:
        cells = coordinates[name]
        if cells.dtype.kind not in "biufO":  # O: numbers may stand there as text
            raise UserError(f"{source}: column {name!r} holds {cells.dtype}; allowed: real numbers")
        numbers = pd.to_numeric(cells, errors="coerce").to_numpy(dtype=float, na_value=np.nan)
        bad = ~(np.abs(numbers) <= LARGEST)
        if bad.any():
            row = int(bad.argmax())
            value = str(cells.iloc[row])[:40]
            wrong = f"larger than {LARGEST:g}" if np.isfinite(numbers[row]) else "not a finite number"
            raise UserError(f"{source}: row {row + 1}, column {name!r}: {value!r} is {wrong}")
        coordinates[name] = numbers
    return coordinates, labels


def labelled_points(coordinates: pd.DataFrame, labels: pd.Series, d: int, *, standardise: bool) -> LabelledPoints:
    """Reduce a table to d principal components.

    One common factor scales all components so that the largest standard deviation is that of a
    uniform variable on [0, 10], the spread of the simulated means; divergences do not depend on
    it.

    Parameters
    ----------
    coordinates
        Shape (n, features), finite.
    labels
        Shape (n,).
    d
        Components kept.
    standardise
        Scale every column to unit variance first; constant columns are left out.

    Returns
    -------
    LabelledPoints

    Raises
    ------
    UserError
        If the table has fewer than d columns that vary, or fewer rows than d.
    """
    from sklearn.decomposition import PCA

    values = coordinates.to_numpy(dtype=float)
    # The standard deviation of equal values may be tiny, and that of tiny values zero.
    varying = values[:, (values.max(axis=0) > values.min(axis=0)) & (values.std(axis=0) > 0)]
    if min(varying.shape) < d:
        raise UserError(
            f"dimensions = {d} needs as many rows and varying columns; "
            f"the table has {len(values)} rows and {varying.shape[1]} varying columns"
        )
    if standardise:
        varying = (varying - varying.mean(axis=0)) / varying.std(axis=0)
    reduced = PCA(d, svd_solver="full").fit_transform(varying)
    reduced *= SIDE / np.sqrt(12) / reduced.std(axis=0).max()
    names, classes = np.unique(labels.astype(str), return_inverse=True)
    return LabelledPoints(reduced, classes.astype(np.int64), tuple(str(n) for n in names))


def _read_file(source: str, label: str) -> pd.DataFrame:
    """Read a file of one of the formats as a table."""
    path = Path(source)
    try:
        if path.suffix == ".csv":
            return _read_csv(path, label)
        if path.suffix == ".parquet":
            return pd.read_parquet(path)
        with path.open("rb") as file, NpzFile(file, allow_pickle=False) as archive:
            arrays = {name: np.asarray(archive[name]) for name in archive.files}
    except UserError:
        raise
    except Exception as error:  # every reader has its own exceptions for a damaged file
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise UserError(f"{source}: cannot be read as {path.suffix[1:]}; the file may be damaged ({reason})") from error
    others = [name for name in arrays if name != label]
    if label not in arrays:
        raise UserError(f"{source}: there is no array {label!r}; {did_you_mean(label, arrays)}")
    if len(others) != 1 or arrays[others[0]].ndim != 2 or arrays[label].shape != arrays[others[0]].shape[:1]:
        shapes = ", ".join(f"{n} {arrays[n].shape}" for n in arrays)
        raise UserError(
            f"{source}: must hold {label!r} of shape (n,) and one array of coordinates of shape (n, features); "
            f"it holds {shapes}"
        )
    table = pd.DataFrame(arrays[others[0]])
    table[label] = arrays[label]
    return table


def _read_csv(path: Path, label: str) -> pd.DataFrame:
    """Read a CSV file; labels stay as they are written."""
    try:
        table = pd.read_csv(path, dtype={label: str})
    except UnicodeDecodeError:
        text = path.read_bytes().decode(errors="replace")
        line = text[: text.index("\N{REPLACEMENT CHARACTER}")].count("\n") + 1
        raise UserError(f"{path}: line {line} is not UTF-8") from None
    if not isinstance(table.index, pd.RangeIndex):  # pandas takes what is too much for row names
        raise UserError(f"{path}: rows hold more values than the {table.shape[1]} columns named in the first line")
    return table
