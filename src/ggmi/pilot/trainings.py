"""Trainings of a pilot, side by side; each is kept in a file, so that a pilot goes on where it was."""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import multiprocessing.connection
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Thread
from typing import TYPE_CHECKING
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from ggmi.errors import UserError
from ggmi.io import atomic

if TYPE_CHECKING:
    from ggmi.students.sets import Examples
    from ggmi.students.settings import TrainingSettings

# Losing a test token costs a forward pass, a third of what learning one does; loading and saving a model about
# as much as learning two thousand.
FIXED_TOKENS = 2000


@dataclass(frozen=True, eq=False)
class PlannedTraining:
    """What one training needs.

    Parameters
    ----------
    model
        Directory or hub id of the base.
    examples, test
        What it learns and what it is tested on, by the base's tokenizer.
    settings
        How it trains.
    seed
        Of the order of its records.
    """

    model: str
    examples: Examples
    test: Examples
    settings: TrainingSettings
    seed: int

    @property
    def cost(self) -> float:
        """Tokens it reads or their worth: see `tokens_each`."""
        return self.read + tokens_each(self.test)

    @property
    def read(self) -> int:
        """Tokens it learns from, all passes counted."""
        return round(float(self.settings.epochs) * int(self.examples.lengths.sum()))

    def digest(self, identity: str) -> str:
        """Hash of all that decides its result.

        Parameters
        ----------
        identity
            Of the base, by its content.
        """
        parts = [identity, self.examples.digest(), self.test.digest(), self.settings.model_dump(), self.seed]
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:32]


def tokens_each(test: Examples) -> float:
    """What a training costs besides its own records, as tokens that are learned.

    Parameters
    ----------
    test
        What it is tested on.
    """
    return FIXED_TOKENS + int(test.lengths.sum()) / 3


def train_and_test(training: PlannedTraining) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Train a student and measure it.

    Parameters
    ----------
    training
        What it needs.

    Returns
    -------
    nats : ndarray of shape (t,)
        Loss of each test record.
    tokens : ndarray of shape (t,)
        Its response tokens.
    """
    from ggmi.loading import chosen_device
    from ggmi.students.base import Base
    from ggmi.students.finetune import finetune
    from ggmi.students.risk import losses

    with TemporaryDirectory() as folder:
        target = Path(folder) / "student"
        finetune(Base(training.model), training.examples, target, training.settings, seed=training.seed)
        student = Base(str(target)).load().to(chosen_device(training.settings.device))  # type: ignore[arg-type]
        found = losses(student, training.test)
    return found.nats, found.tokens


@contextmanager
def workers(number: int) -> Iterator[ProcessPoolExecutor]:
    """Processes that train, one training at a time each.

    Parameters
    ----------
    number
        How many.

    Raises
    ------
    UserError
        If one of them was killed.
    """
    pool = ProcessPoolExecutor(number, mp_context=multiprocessing.get_context("spawn"), initializer=_end_with_parent)
    try:
        yield pool
    except BrokenProcessPool:
        raise UserError(
            "a training was killed, most likely because memory ran out; what is done is kept, so run the same again "
            "with fewer --cores or a smaller --base"
        ) from None
    finally:
        pool.shutdown(cancel_futures=True)


def _end_with_parent() -> None:
    """Have a worker end when its pilot does, however that ends: it would train on, then wait for ever."""
    parent = multiprocessing.parent_process()
    assert parent is not None

    def watch() -> None:
        multiprocessing.connection.wait([parent.sentinel])
        os._exit(1)

    Thread(target=watch, daemon=True).start()


def run_trainings(
    trainings: Sequence[PlannedTraining],
    identity: Callable[[str], str],
    folder: Path,
    pool: ProcessPoolExecutor,
    done: Callable[[float], None],
) -> list[tuple[NDArray[np.float64], NDArray[np.int64]]]:
    """Run trainings side by side, but for those that a folder holds already.

    Parameters
    ----------
    trainings
        All of them.
    identity
        A base by its content.
    folder
        Where results are kept, one file each.
    pool
        Of `workers`.
    done
        Called with the cost of each training that is over.

    Returns
    -------
    list of tuple
        As of `train_and_test`, in the order of `trainings`.
    """
    places = [folder / f"{one.digest(identity(one.model))}.npz" for one in trainings]
    found = [_kept(place) for place in places]
    missing = [i for i, one in enumerate(found) if one is None]
    for one in (one for one, kept in zip(trainings, found, strict=True) if kept is not None):
        done(one.cost)
    # The longest first, so that none is left alone at the end.
    missing.sort(key=lambda i: -trainings[i].cost)
    waiting = {pool.submit(train_and_test, trainings[i]): i for i in missing}
    for future in as_completed(waiting):
        i = waiting[future]
        nats, tokens = future.result()
        found[i] = nats, tokens
        with atomic(places[i]) as beside, beside.open("wb") as file:
            np.savez(file, nats=nats, tokens=tokens)
        done(trainings[i].cost)
    return [one for one in found if one is not None]


def _kept(place: Path) -> tuple[NDArray[np.float64], NDArray[np.int64]] | None:
    """A result that is there; None if there is none, or it is damaged."""
    try:
        with np.load(place) as kept:
            return kept["nats"], kept["tokens"]
    except (OSError, ValueError, KeyError, BadZipFile):
        return None
