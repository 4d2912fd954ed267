"""What the panels of the paper's figures 3 and 4 vary, as settings, and the trainings that these need.

Javanmard, Mirzasoleiman & Mirrokni, arXiv 2603.01293, section 8.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any, NamedTuple

TRAINED_COLUMNS = (
    *("method", "panel", "varied", "schedule", "eta", "n_pre", "n_sft", "n_test", "B", "k", "k_test", "steps"),
    *("rate", "seed"),
    *("err_over_d", "pretrained_over_d"),
)
# How models are trained: with targets, by outcomes, and by policy gradients.
SUPERVISED, POLICIES = ("SFT", "OS"), ("REINFORCE", "GRPO", "GRPO, success")
METHODS = (*SUPERVISED, *POLICIES)
# Those compared where balance and difficulty vary.
QUALITY_METHODS = (*SUPERVISED, "GRPO")
# Told the stage, what is done of it, and of how much.
Progress = Callable[[str, int, int, Mapping[str, Any]], None]
# Of which lengths, in the panel over n.
TIED, ALONE = "tied", ("n_pre", "n_sft", "n_test")


class Training(NamedTuple):
    """What makes a trained model, besides its number of prompts, chain and steps.

    ``n_pre`` is None where one pretraining serves all lengths; ``eta`` is None without targets.
    """

    eta: float | None
    n_pre: int | None
    n_sft: int


class Group(NamedTuple):
    """What models share that are trained as one tensor."""

    prompts: int
    k: int
    steps: int
    rate: float


class Cell(NamedTuple):
    """A point of a panel: how a model is trained, and the length of its test prompts."""

    panel: str
    varied: str
    schedule: str
    training: Training
    group: Group
    n_test: int


@dataclass(frozen=True)
class Plan:
    """Grids of the panels and what they keep.

    Parameters
    ----------
    prompts, lengths, chains
        Values of B, n and k.
    base_prompts, base_lengths, base_chain
        What they are where another thing varies; each of the lengths in turn.
    etas
        Shares η of the targets; none for outcome supervision.
    epochs, batch
        Passes over the prompts, and prompts a step.
    rates
        Adam's step sizes.
    one_pretraining
        Whether one pretraining serves all lengths, so that n_pre does not vary.
    """

    prompts: Sequence[int]
    lengths: Sequence[int]
    chains: Sequence[int]
    base_prompts: int
    base_lengths: Sequence[int]
    base_chain: int
    etas: Sequence[float]
    epochs: int
    batch: int
    rates: Sequence[float]
    one_pretraining: bool = False

    @classmethod
    def of(cls, settings: Mapping[str, Any], method: str, *, one_pretraining: bool = False) -> Plan:
        """The plan that settings describe.

        Parameters
        ----------
        settings
            Of a figure, with more than a plan holds.
        method
            ``SFT`` or ``OS``.
        one_pretraining
            As above.
        """
        names = ("prompts", "lengths", "chains", "base_prompts", "base_lengths", "base_chain", "batch", "rates")
        supervised = method == "SFT"
        return cls(
            **{name: settings[name] for name in names},
            etas=settings["etas"] if supervised else (),
            epochs=settings["epochs" if supervised else "outcome_epochs"],
            one_pretraining=one_pretraining,
        )

    def steps(self, prompts: int) -> int:
        """Steps of all epochs over so many prompts."""
        return self.epochs * math.ceil(prompts / self.batch)

    def cells(self) -> Iterator[Cell]:
        """Every point of every panel."""
        for eta, rate in product(self.etas or (None,), self.rates):
            yield from self._cells(eta, rate)

    def _cells(self, eta: float | None, rate: float) -> Iterator[Cell]:
        """Every point of every panel at one share and step size."""
        fixed = self.steps(self.base_prompts)
        usual = Group(self.base_prompts, self.base_chain, fixed, rate)
        for n in self.base_lengths:
            for schedule in ("epochs", "steps"):
                for b in self.prompts:
                    steps = self.steps(b) if schedule == "epochs" else fixed
                    yield self._cell("B", TIED, schedule, eta, (n, n, n), usual._replace(prompts=b, steps=steps))
            for k in self.chains:
                yield self._cell("k", TIED, "both", eta, (n, n, n), usual._replace(k=k))
        base = self.base_lengths[0]
        for varied in (TIED, *ALONE[1 if self.one_pretraining else 0 :]):
            for n in self.lengths:
                lengths = tuple(n if varied in (TIED, name) else base for name in ALONE)
                yield self._cell("n", varied, "both", eta, lengths, usual)

    def _cell(
        self, panel: str, varied: str, schedule: str, eta: float | None, lengths: Sequence[int], group: Group
    ) -> Cell:
        """A cell of three lengths: of pretraining, training and test."""
        n_pre, n_sft, n_test = lengths
        return Cell(
            panel, varied, schedule, Training(eta, None if self.one_pretraining else n_pre, n_sft), group, n_test
        )


def grouped(cells: Iterable[Cell]) -> dict[Group, dict[Training, list[Cell]]]:
    """Sort cells by the trainings that they need, each of which is needed once.

    Parameters
    ----------
    cells
        Of `Plan.cells`.
    """
    found: dict[Group, dict[Training, list[Cell]]] = {}
    for cell in cells:
        found.setdefault(cell.group, {}).setdefault(cell.training, []).append(cell)
    return found


def rows_of(
    method: str, cells: Iterable[Cell], errors: Mapping[tuple[int, int], tuple[Sequence[float], Sequence[float]]]
) -> Iterator[tuple]:
    """Rows of the table, columns `TRAINED_COLUMNS`.

    Parameters
    ----------
    method
        How the models were trained.
    cells
        Cells of one training.
    errors
        By length of test prompts and test steps: errors of each repetition after and before training.
    """
    for cell in cells:
        (eta, n_pre, n_sft), (b, k, steps, rate) = cell.training, cell.group
        for k_test in tested_chains(k):
            at = (
                method,
                cell.panel,
                cell.varied,
                cell.schedule,
                eta,
                n_pre,
                n_sft,
                cell.n_test,
                b,
                k,
                k_test,
                steps,
                rate,
            )
            for seed, (after, before) in enumerate(zip(*errors[cell.n_test, k_test], strict=True)):
                yield (*at, seed, after, before)


def tested_chains(k: int) -> list[int]:
    """Test steps of a model trained with k: one, and as many."""
    return sorted({1, k})
