"""Trainings of a pilot, side by side; each is kept in a file, so that a pilot goes on where it was."""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import multiprocessing.connection
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import CancelledError, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from multiprocessing.context import BaseContext
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Thread
from typing import TYPE_CHECKING, Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from ggmi.errors import UserError
from ggmi.io import read_arrays, write_arrays
from ggmi.models.store import Store
from ggmi.pipeline.students import student_answers
from ggmi.students.tokenise import PLAIN
from ggmi.text.jsonl import read_rows, write_rows
from ggmi.text.records import Record

if TYPE_CHECKING:
    from ggmi.students.sets import Examples
    from ggmi.students.settings import TrainingSettings

# Losing a test token costs a forward pass, a third of what learning one does; loading and saving a model about
# as much as learning two thousand.
FIXED_TOKENS = 2000
# Most tokens of an answer.
LONGEST_ANSWER = 256
# What every worker loads, which takes seconds.
PRELOADED = ["ggmi.students.finetune", "ggmi.students.risk", "transformers.models.gpt2.modeling_gpt2"]


@dataclass(frozen=True, eq=False)
class PlannedTraining:
    """What one training needs.

    Parameters
    ----------
    name
        What it is called in messages.
    model
        Directory or hub id of the base.
    examples, test
        What it learns and what it is tested on, by the base's tokenizer.
    settings
        How it trains.
    seed
        Of the order of its records.
    asked
        Test records that the student answers once it is trained.
    """

    name: str
    model: str
    examples: Examples
    test: Examples
    settings: TrainingSettings
    seed: int
    asked: tuple[Record, ...] = ()

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


@dataclass(frozen=True, eq=False)
class Tested:
    """A student that was trained.

    Parameters
    ----------
    nats
        Loss of each test record, shape (t,).
    tokens
        Response tokens of each, shape (t,).
    together
        Records of an update that the device took at a time.
    answers
        `ggmi.students.answering.Answer` as rows; empty where nothing was asked.
    """

    nats: NDArray[np.float64]
    tokens: NDArray[np.int64]
    together: int
    answers: list[dict[str, Any]]


def tokens_each(test: Examples) -> float:
    """What a training costs besides its own records, as tokens that are learned.

    Parameters
    ----------
    test
        What it is tested on.
    """
    return FIXED_TOKENS + int(test.lengths.sum()) / 3


def train_and_test(training: PlannedTraining) -> Tested:
    """Train a student, measure it, and have it answer.

    A GPU whose memory is too small takes fewer records at a time; an update is of as many records all the same.

    Parameters
    ----------
    training
        What it needs.

    Raises
    ------
    UserError
        If a loss is no number, or not even one record fits into the GPU's memory; it names the training.
    """
    try:
        return _tested(training)
    except UserError as error:
        told = str(error).removeprefix("training: ")
        raise UserError(f"{training.name}: {told}; what is trained already is kept") from error


def _tested(training: PlannedTraining) -> Tested:
    """Train a student in a folder that is gone afterwards, and measure it."""
    from ggmi.loading import chosen_device
    from ggmi.students.base import Base
    from ggmi.students.risk import losses

    settings = training.settings
    with TemporaryDirectory() as folder:
        target = Path(folder) / "student"
        together = _trained(training, target)
        student = Base(str(target)).load().to(chosen_device(settings.device))  # type: ignore[arg-type]
        found = losses(student, training.test)
        if not np.isfinite(found.nats).all():
            raise UserError(
                "training: the student's loss on the test set is no number; lower the learning rate "
                f"(now {settings.learning_rate:g}) or look at the base's weights"
            )
        answers = _answers(training, target) if training.asked else []
    return Tested(found.nats, found.tokens, together, answers)


def _trained(training: PlannedTraining, target: Path) -> int:
    """Train into a folder; return how many records the device took at a time."""
    from ggmi.students.base import Base
    from ggmi.students.finetune import finetune
    from ggmi.students.trainer import TooLargeError

    together = training.settings.batch_size
    while True:
        settings = training.settings.model_copy(update={"per_device": together})
        try:
            finetune(Base(training.model), training.examples, target, settings, seed=training.seed)
        except TooLargeError:
            if together == 1:
                raise UserError(
                    f"{training.model}: training on one record at a time does not fit into the memory of the GPU; "
                    "name a smaller --base"
                ) from None
            # The largest part of an update that divides it.
            together = next(n for n in range(together // 2, 0, -1) if settings.batch_size % n == 0)
        else:
            return together


def _answers(training: PlannedTraining, student: Path) -> list[dict[str, Any]]:
    """What a student answers, its likeliest tokens, no longer than the longest real response."""
    sampling = {"temperature": 0.0, "max_tokens": min(LONGEST_ANSWER, int(training.test.responses.max())), "stop": ()}
    local = {"device": training.settings.device, "threads": training.settings.threads}
    form, store = {"form": "plain", "plain": PLAIN}, Store(student.with_suffix(".jsonl"))
    return [asdict(one) for one in student_answers(student, training.asked, form, sampling, local, store)]


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
    pool = ProcessPoolExecutor(number, mp_context=_context(number), initializer=_end_with_parent)
    try:
        yield pool
    except BrokenProcessPool:
        raise UserError(
            "a training was killed, most likely because memory ran out; what is done is kept, so run the same again "
            "with fewer --cores or a smaller --base"
        ) from None
    finally:
        pool.shutdown(cancel_futures=True)


def _context(number: int) -> BaseContext:
    """How workers start: several as forks of one process that has the libraries, which takes no GPU; one by itself."""
    if number == 1 or sys.platform != "linux":
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(PRELOADED)
    return context


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
) -> list[Tested]:
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
    list of Tested
        In the order of `trainings`.

    Raises
    ------
    UserError
        If a training fails; those that had begun are ended and kept.
    """
    places = [folder / f"{one.digest(identity(one.model))}.npz" for one in trainings]
    found = [_kept(one, place) for one, place in zip(trainings, places, strict=True)]
    missing = [i for i, one in enumerate(found) if one is None]
    for planned in (planned for planned, kept in zip(trainings, found, strict=True) if kept is not None):
        done(planned.cost)
    # The longest first, so that none is left alone at the end.
    missing.sort(key=lambda i: -trainings[i].cost)
    waiting = {pool.submit(train_and_test, trainings[i]): i for i in missing}
    failed: UserError | None = None
    for future in as_completed(waiting):
        i = waiting[future]
        try:
            found[i] = one = future.result()
        except CancelledError:
            continue
        except UserError as error:
            failed = failed or error
            for other in waiting:
                other.cancel()
            continue
        if one.answers:
            write_rows(places[i].with_suffix(".jsonl"), one.answers)
        write_arrays(places[i], {"nats": one.nats, "tokens": one.tokens, "together": np.array(one.together)})
        done(trainings[i].cost)
    if failed is not None:
        raise failed
    return [one for one in found if one is not None]


def _kept(training: PlannedTraining, place: Path) -> Tested | None:
    """A result that is there; None if there is none, it is damaged, or other records were asked."""
    try:
        kept = read_arrays(place)
        answers = [row for _, row in read_rows(place.with_suffix(".jsonl"))] if training.asked else []
        if [row["id"] for row in answers] != [record.id for record in training.asked]:
            return None
        return Tested(kept["nats"], kept["tokens"], int(kept["together"]), answers)
    except (OSError, ValueError, KeyError, BadZipFile):
        return None
