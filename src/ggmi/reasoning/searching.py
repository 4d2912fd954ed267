"""All searches of one reasoner on the same problems: which answers they give, and what these cost.

A run is a method with a verifier and a width. Every run draws from streams of its own name, so that its numbers
do not depend on which others there are. Runs share what models said of a prefix, which is computed once; it
depends on the prefix alone but for the last bit, where a matrix product may round by how many rows it has.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from transformers import PreTrainedModel

from ggmi.io import atomic
from ggmi.random import stream
from ggmi.reasoning.prefixes import Prefixes, Reader, Reasoner, Scorer
from ggmi.reasoning.problems import Problems
from ggmi.reasoning.samples import SPARE_STEPS
from ggmi.reasoning.verifiers import VERIFIERS, SetReliability
from ggmi.search.beam import beam_search
from ggmi.search.policy import NO_ANSWER, Cost, Ints, Verifier
from ggmi.search.responses import Responses, choose_best, choose_by_votes, min_max_weights, sample_responses
from ggmi.search.tree import tree_search

# Problems searched at the same time: their prefixes' keys and values are in memory.
BLOCK = 250
VOTES = ("self_consistency", "vote", "vote_min_max")


@dataclass(frozen=True)
class Plan:
    """What is searched.

    Parameters
    ----------
    widths
        Steps drawn a layer, k, or whole answers, N.
    repeats
        Independent searches of each problem.
    keep
        Beams kept by the method ``beam``; ``stepwise`` keeps one.
    simulations, exploration
        Of the tree search.
    reliabilities
        Of the synthetic verifiers.
    """

    widths: Sequence[int]
    repeats: int
    keep: int
    simulations: int
    exploration: float
    reliabilities: Sequence[float]


@dataclass(frozen=True, order=True)
class Run:
    """A method with a verifier (``""`` for none, a number for a set reliability) and a width."""

    method: str
    verifier: str
    width: int

    def __str__(self) -> str:
        return f"{self.method}/{self.verifier or '-'}/{self.width}"

    @classmethod
    def parse(cls, text: str) -> Run:
        """Read what ``str`` writes."""
        method, verifier, width = text.split("/")
        return cls(method, "" if verifier == "-" else verifier, int(width))


@dataclass(frozen=True)
class Outcome:
    """What a run brought, each array of shape (problems, repeats).

    Parameters
    ----------
    value, true_false
        Whether the answer is right, asked for the result, and asked whether it is the claimed one.
    chain
        Whether all steps of the chosen chain are right.
    responses, calls, tokens, scores
        As `ggmi.search.policy.Cost`.
    """

    value: NDArray
    true_false: NDArray
    chain: NDArray
    responses: NDArray
    calls: NDArray
    tokens: NDArray
    scores: NDArray


FIELDS = tuple(Outcome.__dataclass_fields__)


def runs_of(plan: Plan) -> list[Run]:
    """All runs of a plan."""
    runs = [Run(method, "orm" if method != "self_consistency" else "", n) for method in VOTES for n in plan.widths]
    judges = [*VERIFIERS, *(f"{e:g}" for e in plan.reliabilities)]
    runs += [Run("best_of_n", judge, n) for judge in judges for n in plan.widths]
    runs += [Run("stepwise", judge, k) for judge in judges if judge != "orm" for k in plan.widths]
    runs += [Run("beam", "prm", k) for k in plan.widths if k >= plan.keep]
    return runs + [Run("tree", "prm", k) for k in plan.widths]


def search_all(
    models: Mapping[str, PreTrainedModel],
    problems: Problems,
    plan: Plan,
    seed: int,
    name: str,
    progress: Callable[[int, int], None] | None = None,
) -> dict[Run, Outcome]:
    """Make all runs, a block of problems at a time.

    Parameters
    ----------
    models
        ``reasoner``, ``orm`` and ``prm``.
    problems
        Problems of one length.
    plan
        What is searched.
    seed
        The run's seed.
    name
        The reasoner's name, part of the streams' names.
    progress
        Called with the problems done and all there are.
    """
    parts: dict[Run, list[Outcome]] = {run: [] for run in runs_of(plan)}
    for first in range(0, len(problems), BLOCK):
        block = _Block(models, problems.part(slice(first, first + BLOCK)), plan, seed, name, first)
        for run, outcome in block.outcomes():
            parts[run].append(outcome)
        if progress is not None:
            progress(min(first + BLOCK, len(problems)), len(problems))
    return {
        run: Outcome(*(np.concatenate([getattr(p, name) for p in found]) for name in FIELDS))
        for run, found in parts.items()
    }


def save_outcomes(path: str | os.PathLike[str], outcomes: Mapping[Run, Outcome]) -> None:
    """Write outcomes as one ``.npz``, atomically."""
    with atomic(path) as beside, beside.open("wb") as file:
        np.savez_compressed(
            file, **{f"{run}/{name}": getattr(o, name) for run, o in outcomes.items() for name in FIELDS}
        )


def load_outcomes(path: str | os.PathLike[str]) -> dict[Run, Outcome]:
    """Read what `save_outcomes` wrote."""
    with np.load(path) as arrays:
        names = dict.fromkeys(key.rpartition("/")[0] for key in arrays)
        return {Run.parse(n): Outcome(*(arrays[f"{n}/{f}"] for f in FIELDS)) for n in names}


@dataclass
class _Block:
    """The runs on a block of problems."""

    models: Mapping[str, PreTrainedModel]
    problems: Problems
    plan: Plan
    seed: int
    name: str
    first: int

    @cached_property
    def prefixes(self) -> Prefixes:
        return Prefixes(self.problems, self.models["reasoner"].config.n_positions)

    @cached_property
    def readers(self) -> dict[str, Reader]:
        return {name: Reader(model, self.prefixes) for name, model in self.models.items()}

    @property
    def limit(self) -> int:
        return self.problems.length + SPARE_STEPS

    def stream(self, *what: str | int) -> np.random.Generator:
        return stream(self.seed, "reasoning", self.name, "search", *what, self.first)

    def verifier(self, name: str, generator: np.random.Generator) -> Verifier:
        if name in VERIFIERS:
            return Scorer(self.readers[name], self.prefixes, by_step=name == "prm")
        return SetReliability(self.prefixes, float(name), generator)

    def outcomes(self) -> Iterator[tuple[Run, Outcome]]:
        """Every run's outcome on the block."""
        runs = runs_of(self.plan)
        roots = np.repeat(np.arange(len(self.problems)), self.plan.repeats)
        whole = [run for run in runs if run.method in (*VOTES, "best_of_n")]
        yield from self._whole_answers(whole, roots)
        for run in runs[len(whole) :]:
            policy = Reasoner(self.readers["reasoner"], self.prefixes, self.stream(str(run), "steps"))
            generator = self.stream(str(run), "choices")
            verifier = self.verifier(run.verifier, generator)
            if run.method == "tree":
                found = tree_search(
                    policy,
                    verifier,
                    roots,
                    run.width,
                    generator,
                    simulations=self.plan.simulations,
                    exploration=self.plan.exploration,
                    limit=self.limit,
                )
            else:
                keep = self.plan.keep if run.method == "beam" else 1
                found = beam_search(policy, verifier, roots, run.width, generator, keep=keep, limit=self.limit)
            yield run, self._outcome(found.nodes, found.answers, self._said(found.answers), found.cost)

    def _whole_answers(self, runs: Sequence[Run], roots: Ints) -> Iterator[tuple[Run, Outcome]]:
        """Runs that choose among whole answers; those of N take the first N of the same ones."""
        policy = Reasoner(self.readers["reasoner"], self.prefixes, self.stream("responses"))
        drawn = sample_responses(policy, roots, max(self.plan.widths), limit=self.limit)
        scores = {name: self.verifier(name, self.stream(name)).score(drawn.nodes) for name in VERIFIERS}
        said = self._said(drawn.answers)
        for run in runs:
            n, generator = run.width, self.stream(str(run))
            answers = drawn.answers[:, :n]
            if run.method == "best_of_n":
                known = scores.get(run.verifier)
                judge = self.verifier(run.verifier, generator)
                score = judge.score(drawn.nodes[:, :n]) if known is None else known[:, :n]
                places = claimed = choose_best(score, answers, generator)
            else:
                weights = None if run.method == "self_consistency" else scores["orm"][:, :n]
                if run.method == "vote_min_max" and weights is not None:
                    weights = min_max_weights(weights)
                places = choose_by_votes(answers, generator, weights)
                claimed = choose_by_votes(said[:, :n], generator, weights)

            def at(array: Ints, where: Ints) -> Ints:
                return np.take_along_axis(array, where[:, None], axis=1)[:, 0]

            yield (
                run,
                self._outcome(
                    at(drawn.nodes, places), at(drawn.answers, places), at(said, claimed), _cost(drawn, n, run)
                ),
            )

    def _said(self, answers: Ints) -> Ints:
        """Answers as to whether the claimed result is right: 1 for yes, 0 for no."""
        claims = np.repeat(self.problems.claims, self.plan.repeats)
        claims = claims.reshape(-1, *[1] * (answers.ndim - 1))
        return np.where(answers == NO_ANSWER, NO_ANSWER, answers == claims)

    def _outcome(self, nodes: Ints, answers: Ints, said: Ints, cost: Cost) -> Outcome:
        shape = (len(self.problems), self.plan.repeats)
        results = np.repeat(self.problems.thoughts()[:, -1], self.plan.repeats)
        truth = np.repeat(self.problems.claims, self.plan.repeats) == results
        right = [answers == results, said == truth, self.prefixes.right[nodes] & self.prefixes.ended(nodes)]
        paid = [cost.responses, cost.calls, cost.tokens, cost.scores]
        return Outcome(*(a.reshape(shape) for a in right), *(a.reshape(shape).astype(np.int32) for a in paid))


def _cost(drawn: Responses, n: int, run: Run) -> Cost:
    """What the first n whole answers cost."""
    rows = len(drawn.nodes)
    complete = (drawn.answers[:, :n] != NO_ANSWER).sum(axis=1)
    scored = np.full(rows, n if run.verifier else 0)
    return Cost(complete, drawn.steps[:, :n].sum(axis=1), drawn.tokens[:, :n].sum(axis=1), scored)
