"""A pilot as a whole: arms, rungs, trainings, predictions."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict
from functools import cache
from pathlib import Path
from time import monotonic
from typing import Any

import pandas as pd

from ggmi.errors import UserError
from ggmi.io import read_json, write_json
from ggmi.loading import chosen_device
from ggmi.pilot.arms import LEAST_TEST, Arm, make_arms
from ggmi.pilot.choice import PilotResult, Prediction, Trained, curve_bands, predict
from ggmi.pilot.halving import FIRST, LEAST, MOST_SEEDS, plan_rungs
from ggmi.pilot.proxy import make_proxies
from ggmi.pilot.rating import PilotJudge, asked_records, rated
from ggmi.pilot.settings import PilotSettings
from ggmi.pilot.trainings import PlannedTraining, run_trainings, tokens_each, train_and_test, workers
from ggmi.random import stream
from ggmi.students.base import Base, finite
from ggmi.students.sets import Examples
from ggmi.students.settings import TrainingSettings
from ggmi.students.tokenise import tokenise
from ggmi.text.records import Record

# Records of an arm whose mean length stands for all.
COUNTED = 500
# Most tokens of a record; what is longer is cut.
LONGEST = 1024
# Part of a time that is planned for: processes have to start, and cores are shared.
USED = 0.7


def affordable(tokens: float) -> float:
    """What of the tokens that a time allows is planned for, to two digits, so that it can be asked for again.

    Examples
    --------
    >>> affordable(5_432_100)
    3800000.0
    """
    planned = USED * tokens
    unit = 10.0 ** (math.floor(math.log10(planned)) - 1)
    return math.floor(planned / unit) * unit


class Pilot:
    """A comparison of arms by small trainings.

    Parameters
    ----------
    arms
        What is compared; the first is what gains are counted from.
    test
        Real records that no arm holds.
    models
        Directory or hub id of each replicate's base.
    settings
        How every training trains.
    folder
        Where results of trainings are kept.
    seed
        Of everything random.
    asked
        Test records that the last students of each arm answer.

    Raises
    ------
    UserError
        If a base cannot be loaded or holds what is no number, or most of a set does not fit into its context window.
    """

    def __init__(
        self,
        arms: Sequence[Arm],
        test: Sequence[Record],
        models: Sequence[str],
        settings: TrainingSettings,
        folder: Path,
        seed: int,
        asked: Sequence[Record] = (),
    ) -> None:
        self.arms = {arm.name: arm for arm in arms}
        self.models = list(models)
        self.base = Base(models[0])
        model = self.base.load()
        if not finite(model):
            raise UserError(f"{models[0]}: one of its weights is no number; name another base")
        self.weights = int(model.num_parameters())
        self._settings, self._folder, self._seed, self._asked = settings, folder, seed, tuple(asked)
        self.longest = min(LONGEST, self.base.context or LONGEST)
        self.test = self._looked_at(test, "the test set")
        if len(self.test) < LEAST_TEST:
            raise UserError(
                f"the test set: {len(self.test)} records fit into the {self.longest} tokens that {models[0]} reads; at "
                f"least {LEAST_TEST} are needed"
            )
        self._seen = {n: self._looked_at(arm.subset(COUNTED, seed, 0), n) for n, arm in self.arms.items()}
        # Tokens that one record of each arm costs, all passes counted.
        self.tokens = {n: float(found.lengths.mean()) * float(settings.epochs) for n, found in self._seen.items()}
        self.identity = cache(lambda model: Base(model).identity)

    def _examples(self, records: Sequence[Record], source: str) -> Examples:
        return tokenise(records, self.base, "plain", longest=self.longest, source=source)

    def _looked_at(self, records: Sequence[Record], source: str) -> Examples:
        """Records of a set as they will be read; one that mostly cannot be read is no candidate."""
        found = self._examples(records, source)
        if found.dropped > len(found):
            raise UserError(
                f"{source}: the prompts of {found.dropped} of {len(records)} records looked at leave no room for a "
                f"response in the {self.longest} tokens that the model reads; leave these records out, or name a base "
                "that reads more"
            )
        return found

    @property
    def guessing(self) -> float:
        """Loss of taking all tokens of the base for equally likely, nats a token."""
        return math.log(self.base.config.get_text_config().vocab_size)

    def training(self, name: str, records: int, replicate: int, *, last: bool = False) -> PlannedTraining:
        """One training of an arm.

        Parameters
        ----------
        name
            The arm.
        records
            How many of its records.
        replicate
            Which order of them, and which base.
        last
            Whether nothing larger is trained of the arm, so that the student answers what is asked.
        """
        chosen = self.arms[name].subset(records, self._seed, replicate)
        seed = int(stream(self._seed, "pilot", "training", replicate).integers(2**31))
        model = self.models[replicate % len(self.models)]
        asked = self._asked if last else ()
        called = f"{name}, {len(chosen):,} records, training {replicate + 1} (seed {seed})"
        return PlannedTraining(called, model, self._examples(chosen, name), self.test, self._settings, seed, asked)

    def speed(self, pool: ProcessPoolExecutor, number: int) -> float:
        """How many tokens a second all workers learn together, all their costs counted.

        Measured once and kept, so that a pilot that is run again plans the same trainings. A worker gives its losses
        as arrays of the CPU, so a GPU has done what it was given when the clock is read.

        Parameters
        ----------
        pool
            The workers, whose start is not counted.
        number
            How many there are.
        """
        first, trial = (self.training(next(iter(self.arms)), n, 0) for n in (LEAST, LEAST * FIRST[0]))
        place = self._folder / f"{trial.digest(self.identity(trial.model))}.{number}.speed.json"
        if not place.is_file():
            list(pool.map(train_and_test, [first] * number))
            started = monotonic()
            list(pool.map(train_and_test, [trial] * number))
            write_json(place, number * trial.cost / (monotonic() - started))
        return float(read_json(place))

    def run(
        self,
        budget: float,
        pool: ProcessPoolExecutor,
        progress: Callable[[str, int, int], None],
        per_second: float | None = None,
    ) -> PilotResult:
        """Train by successive halving and predict every arm at full size.

        Parameters
        ----------
        budget
            Tokens in all.
        pool
            Workers that train.
        progress
            Called with what is done, tokens done, and tokens planned.
        per_second
            Tokens that a second pays for, where the budget is a time.

        Raises
        ------
        UserError
            If the budget does not pay for the smallest plan, or a training fails.
        """
        sizes = {name: len(arm.records) for name, arm in self.arms.items()}
        rungs, seeds = plan_rungs(sizes, self.tokens, budget, tokens_each(self.test), per_second)
        spent = 0.0
        together = self._settings.batch_size
        trained: list[Trained] = []
        left = list(self.arms)
        predictions: list[Prediction] = []
        for rung in rungs:
            if len(left) > rung.arms:
                likely = sorted(predictions, key=lambda one: (-one.probability, one.loss))
                left = [one.arm for one in likely if one.arm in left][: rung.arms]
            cells = [
                (name, min(rung.records, sizes[name]), replicate)
                for name in left
                for replicate in range(seeds)
                if not any(one.arm == name and one.records == min(rung.records, sizes[name]) for one in trained)
            ]
            trainings = [self.training(*c, last=rung is rungs[-1] or c[1] == sizes[c[0]]) for c in cells]

            def over(cost: float, records: int = rung.records) -> None:
                nonlocal spent
                spent += cost
                progress(f"training on {records:,} records", round(spent), round(max(spent, budget)))

            found = run_trainings(trainings, self.identity, self._folder, pool, over)
            together = min(together, *(one.together for one in found)) if found else together
            trained += [
                Trained(*cell, one.nats, one.tokens, training.read, one.answers)
                for cell, training, one in zip(cells, trainings, found, strict=True)
            ]
            predictions = predict(trained, sizes, self._seed)
        return PilotResult(rungs, seeds, trained, predictions, left, together)

    def described(self, found: PilotResult) -> list[dict[str, Any]]:
        """Every arm: what it holds, how it was trained, what is predicted of it, what all of it would cost.

        Parameters
        ----------
        found
            Of `run`.

        Returns
        -------
        list of dict
            Losses in nats a token; ``tokens`` of the full training, all passes counted, and its
            ``operations``, six a weight and token; ``cut``, the share of records whose response is read in part,
            and ``unread``, that of records whose prompt leaves no room for one.
        """
        rows = []
        for one, arm in zip(found.predictions, self.arms.values(), strict=True):
            tokens, seen = self.tokens[arm.name] * len(arm.records), self._seen[arm.name]
            looked_at = len(seen) + seen.dropped
            trained = max(t.records for t in found.trained if t.arm == arm.name)
            rows.append(
                {
                    **{"arm": arm.name, "records": len(arm.records), "left_out": arm.left_out, "trained": trained},
                    **{"cut": seen.truncated / looked_at, "unread": seen.dropped / looked_at},
                    **{name: value for name, value in asdict(one).items() if name != "arm"},
                    **{"tokens": round(tokens), "operations": 6 * self.weights * tokens},
                }
            )
        return rows

    def trainings_table(self, found: PilotResult) -> pd.DataFrame:
        """Columns arm, records, replicate, loss_nats_per_token, tokens; a row a training.

        Parameters
        ----------
        found
            Of `run`.
        """
        return pd.DataFrame(
            [
                {
                    **{"arm": one.arm, "records": one.records, "replicate": one.replicate},
                    **{"loss_nats_per_token": one.loss, "tokens": one.read},
                }
                for one in found.trained
            ]
        )

    def curves_table(self, found: PilotResult) -> pd.DataFrame:
        """Columns arm, records, loss, loss_ci_low, loss_ci_high, nats a token: up to twice the full size.

        Parameters
        ----------
        found
            Of `run`.
        """
        return curve_bands(found.trained, {name: len(arm.records) for name, arm in self.arms.items()}, self._seed)


def run_pilot(
    train: Sequence[Record],
    sets: Mapping[str, Sequence[Record]],
    test: Sequence[Record],
    how: PilotSettings,
    folder: Path,
    *,
    seconds: float | None = None,
    seed: int,
    progress: Callable[[str, int, int], None],
    judge: PilotJudge | None = None,
) -> tuple[dict[str, Any], pd.DataFrame, pd.DataFrame]:
    """Compare real records, synthetic sets and mixtures by small trainings.

    Parameters
    ----------
    train, test
        Real records, to train on and to test on.
    sets
        Synthetic sets by name.
    how
        The base, the budget, and how is trained.
    folder
        Where small models (``proxy``) and results of trainings (``results``) are kept: what is there is not
        done again.
    seconds
        A budget in time; None takes that of `how`, in tokens.
    seed
        Of everything random.
    progress
        Called with what is done, how much of it, and of how much.
    judge
        Who rates what the last students answer; their answers and its verdicts come on top of the budget.

    Returns
    -------
    found : dict
        Ready for JSON; docs/pilot.md says what its keys mean.
    trainings, curves : DataFrame
        See `Pilot.trainings_table` and `Pilot.curves_table`.

    Raises
    ------
    UserError
        If there are too few test records, nothing is left of a set, the budget does not pay for the smallest
        plan, a base cannot be loaded, a training fails, or the judge does. What is done is kept.
    """
    arms, same = make_arms(train, sets, test, mixtures=how.mixtures)
    progress("making the model", 0, 1)
    models = [how.base] * MOST_SEEDS if how.base else []
    if not models:
        folders = [folder / "proxy" / str(replicate) for replicate in range(MOST_SEEDS)]
        make_proxies({arm.name: arm.records for arm in arms}, folders, seed)
        models = [str(each) for each in folders]
    settings = how.training()
    asked = asked_records(test, seed) if judge else []
    pilot = Pilot(arms, test, models, settings, folder / "results", seed, asked)
    # One at a time on a GPU.
    number = 1 if chosen_device(settings.device) == "cuda" else how.processes
    tokens, speed = float(how.tokens), None
    with workers(number) as pool:
        if seconds is not None:
            progress("measuring the speed", 0, 1)
            speed = pilot.speed(pool, number)
            tokens = affordable(seconds * speed)
        result = pilot.run(tokens, pool, progress, None if speed is None else USED * speed)
    rating = rated(result.largest(), asked, judge) if judge else None
    found = {
        "base": how.base,
        "weights": pilot.weights,
        "settings": settings.model_dump(),
        "seed": seed,
        "budget_tokens": tokens,
        "tokens_per_second": speed,
        "rungs": [asdict(rung) for rung in result.rungs],
        "seeds": result.seeds,
        "together": result.together,
        "arms": pilot.described(result),
        "same": same,
        "reads": pilot.longest,
        "guessing_nats_per_token": pilot.guessing,
        "choice": result.choice(pilot.guessing),
        "rating": rating,
    }
    return found, pilot.trainings_table(result), pilot.curves_table(result)
