"""Files that are whole or absent: atomic writes, array archives in blocks, tables."""

from __future__ import annotations

import contextlib
import csv
import json
import os
import re
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from ggmi.errors import UserError

if TYPE_CHECKING:
    import pandas as pd

Arrays = dict[str, NDArray]

# What a spreadsheet takes for a formula; an apostrophe before it says that it is text, and is not shown.
_FORMULA, _QUOTED = re.compile(r"'*[=+\-@\t\r]"), re.compile(r"'+[=+\-@\t\r]")


@contextlib.contextmanager
def atomic(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Yield a path beside `path` that replaces it when the block ends without an exception.

    Parameters
    ----------
    path
        The file to make. Its folder is created when missing.

    Raises
    ------
    UserError
        If the place cannot be written.
    """
    target = Path(path)
    beside = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        for stale in target.parent.glob(".*.tmp"):
            if stale.name.removeprefix(f".{target.name}.").removesuffix(".tmp").isdigit():
                stale.unlink(missing_ok=True)
        yield beside
        with beside.open("rb") as file:
            os.fsync(file.fileno())
        beside.replace(target)
    except OSError as error:
        # A full disk names no file; an error that names another file is not about this place.
        if error.filename is not None and not str(error.filename).startswith(str(target.parent)):
            raise
        raise UserError(f"{target}: cannot be written ({error.strerror or error})") from error
    finally:
        with contextlib.suppress(OSError):
            beside.unlink(missing_ok=True)


def write_text(path: str | os.PathLike[str], text: str) -> None:
    """Write a text file atomically, in UTF-8.

    Parameters
    ----------
    path
        The file to make.
    text
        Its whole content.
    """
    with atomic(path) as beside:
        beside.write_text(text, encoding="utf-8", newline="\n")


def write_json(path: str | os.PathLike[str], value: Any) -> None:
    """Write a value as indented JSON, atomically, keys in the order given.

    Parameters
    ----------
    path
        The file to make.
    value
        Anything JSON can hold; NaN and infinities are refused.
    """
    write_text(path, json.dumps(value, indent=2, allow_nan=False, ensure_ascii=False) + "\n")


def write_csv(path: str | os.PathLike[str], table: pd.DataFrame) -> None:
    """Write a table as CSV, atomically; floats in ten significant digits, missing values empty.

    Text that a spreadsheet would compute gets an apostrophe before it, which `read_csv` takes away.

    Parameters
    ----------
    path
        The file to make.
    table
        The table; its index is not written.
    """
    safe = _with_texts(table, lambda text: f"'{text}" if _FORMULA.match(text) and not _is_number(text) else text)
    # Only a writer that is told to quotes a carriage return, which readers take for the end of a line.
    returns = any(
        "\r" in value for name in safe.select_dtypes(exclude="number") for value in safe[name] if isinstance(value, str)
    )
    quoting = csv.QUOTE_ALL if returns else csv.QUOTE_MINIMAL
    with atomic(path) as beside:
        safe.to_csv(beside, index=False, float_format="%.10g", lineterminator="\n", quoting=quoting)


def read_csv(path: str | os.PathLike[str]) -> pd.DataFrame:
    """Read a table that `write_csv` wrote.

    Parameters
    ----------
    path
        The table.

    Raises
    ------
    UserError
        If the file is missing, cut short or damaged.
    """
    import pandas as pd

    try:
        if not Path(path).read_bytes().endswith(b"\n"):
            raise ValueError("its last line is cut short")
        return _with_texts(pd.read_csv(path), lambda text: text[1:] if _QUOTED.match(text) else text)
    except (OSError, ValueError) as error:
        raise _damaged(path, error) from error


def _with_texts(table: pd.DataFrame, change: Callable[[str], str]) -> pd.DataFrame:
    """A copy of the table with every text changed."""
    changed = table.copy(deep=False)
    for name in table.select_dtypes(exclude="number"):
        changed[name] = table[name].map(lambda value: change(value) if isinstance(value, str) else value)
    return changed


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def read_json(path: str | os.PathLike[str]) -> Any:
    """Read a value that `write_json` wrote.

    Parameters
    ----------
    path
        The file.

    Raises
    ------
    UserError
        If the file is missing, cut short or damaged.
    """
    try:
        return json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise _damaged(path, error) from error


def _damaged(path: str | os.PathLike[str], error: Exception) -> UserError:
    """What to say of a file of ours that cannot be read."""
    return UserError(f"{path}: is damaged or missing ({error}); delete the file and run again")


def write_arrays(path: str | os.PathLike[str], arrays: Mapping[str, NDArray[Any]]) -> None:
    """Write arrays as an ``.npz`` without pickle, atomically."""
    with atomic(path) as beside, beside.open("wb") as file:
        np.savez(file, allow_pickle=False, **arrays)


def read_arrays(path: str | os.PathLike[str], *names: str) -> dict[str, NDArray[Any]]:
    """Read what `write_arrays` wrote: the arrays of some names, or all."""
    with np.load(path, allow_pickle=False) as archive:
        return {name: archive[name] for name in names or archive.files}


class BlockWriter:
    """Writes arrays into one ``.npz`` archive block by block, so that memory stays bounded.

    A block is addressed by the condition it belongs to and its first round; ``numpy.load`` reads
    the archive too, with keys ``<condition>/<first round>/<array>``.

    Parameters
    ----------
    file
        Where to write, opened in binary mode.
    """

    def __init__(self, file: IO[bytes]) -> None:
        self._archive = zipfile.ZipFile(file, "w", zipfile.ZIP_STORED, allowZip64=True)

    def write(self, condition: str, first_round: int, arrays: Mapping[str, NDArray]) -> None:
        """Append one block.

        Parameters
        ----------
        condition
            Name of the condition.
        first_round
            Index of the block's first round.
        arrays
            Arrays whose first axis is rounds.
        """
        for name, array in arrays.items():
            entry = f"{condition}/{first_round:06d}/{name}.npy"
            with self._archive.open(entry, "w", force_zip64=True) as member:
                npy.write_array(member, np.ascontiguousarray(array), allow_pickle=False)

    def close(self) -> None:
        """Finish the archive."""
        self._archive.close()


@contextlib.contextmanager
def block_writer(path: str | os.PathLike[str]) -> Iterator[BlockWriter]:
    """Open a `BlockWriter` whose archive appears at `path` when the block ends well.

    Parameters
    ----------
    path
        The archive to make.
    """
    with atomic(path) as beside, beside.open("wb") as file, contextlib.closing(BlockWriter(file)) as writer:
        yield writer


def read_blocks(path: str | os.PathLike[str], condition: str, names: tuple[str, ...]) -> Iterator[tuple[int, Arrays]]:
    """Read one condition's blocks in order, one at a time.

    Parameters
    ----------
    path
        An archive made by `block_writer`.
    condition
        Whose blocks.
    names
        Which arrays; others are not read.

    Yields
    ------
    first_round : int
    arrays : dict of str to ndarray

    Raises
    ------
    UserError
        If the file is missing, damaged, or does not hold the condition.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            entries = [e for e in archive.namelist() if e.startswith(f"{condition}/")]
            firsts = sorted({int(e.split("/")[1]) for e in entries})
            if not firsts:
                raise UserError(f"{path}: holds no condition {condition}; delete the file and run again")
            for first in firsts:
                arrays = {}
                for name in names:
                    with archive.open(f"{condition}/{first:06d}/{name}.npy") as member:
                        arrays[name] = npy.read_array(member, allow_pickle=False)
                yield first, arrays
    except (OSError, zipfile.BadZipFile, KeyError, ValueError, EOFError, RuntimeError, zlib.error) as error:
        if isinstance(error, UserError):
            raise
        raise _damaged(path, error) from error


def read_rounds(path: str | os.PathLike[str], condition: str, names: tuple[str, ...]) -> Arrays:
    """Read all rounds of one condition.

    Parameters
    ----------
    path
        An archive made by `block_writer`.
    condition
        Whose rounds.
    names
        Which arrays.

    Returns
    -------
    dict of str to ndarray
        First axis: all rounds.
    """
    blocks = [arrays for _, arrays in read_blocks(path, condition, names)]
    return {name: np.concatenate([b[name] for b in blocks]) for name in names}
