"""One policy on one set of problems, searched by one kind of search at every width.

Widths and methods share the first draws of a text, kept in one store: widening a search asks for the rest only.
So searches of different widths are not independent of each other; comparisons are paired by problem.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ggmi.errors import UserError
from ggmi.models.answerer import Answerer
from ggmi.models.protocol import Backend, OnProgress
from ggmi.models.requests import Sampling
from ggmi.models.stepwise import JUDGE_TEMPLATE, STEP_TEMPLATE, StepJudge, StepReward, StepWriter, Texts
from ggmi.models.store import Store
from ggmi.random import stream
from ggmi.real_search.problems import Problem, step_reader
from ggmi.search.beam import beam_search
from ggmi.search.policy import NO_ANSWER, Cost, Ints
from ggmi.search.responses import choose_best, choose_by_votes, min_max_weights, sample_responses
from ggmi.search.tree import tree_search

# So many searches without an answer, or texts without a score, and not one with: no use going on.
ENOUGH = 36


@dataclass(frozen=True)
class Plan:
    """What one job searches; see `ggmi.config.real_search.RealSearch` for the settings.

    Parameters
    ----------
    methods
        Of one job.
    answer
        Form of the answers.
    sampling, judging
        How steps, and replies of a judge, are drawn.
    template, judge_template
        Their prompts; None for ours.
    """

    methods: Sequence[str]
    answer: str
    widths: Sequence[int]
    steps: int
    repeats: int
    sampling: Mapping[str, Any]
    system: str = ""
    seeded: bool = True
    stop_at_line: bool = True
    keep: int = 1
    simulations: int = 1
    exploration: float = 1.0
    judging: Mapping[str, Any] = field(default_factory=dict)
    draws: int = 1
    template: str | None = None
    judge_template: str | None = None


@dataclass(frozen=True)
class Models:
    """Who writes and who scores, with the stores of their responses.

    Parameters
    ----------
    policy, policy_store
        Who writes.
    verifier, verifier_store
        Who scores; None where nobody does.
    on_progress
        Called after each response.
    servers
        As for `ggmi.models.answerer.Answerer`.
    asks
        False replays searches from the stores.
    """

    policy: Backend
    policy_store: Store
    verifier: Backend | None = None
    verifier_store: Store | None = None
    on_progress: OnProgress | None = None
    servers: ExitStack | None = None
    asks: bool = True

    def answerers(self) -> tuple[Answerer, Answerer | None]:
        """Policy and verifier with nothing counted yet."""
        policy = Answerer(self.policy, self.policy_store, self.on_progress, self.servers, asks=self.asks)
        if self.verifier is None or self.verifier_store is None:
            return policy, None
        return policy, Answerer(self.verifier, self.verifier_store, self.on_progress, self.servers, asks=self.asks)


@dataclass(frozen=True)
class Searched:
    """What a method found at one width.

    Parameters
    ----------
    method, width
        Which.
    right
        Whether each answer is right, shape (problems, repeats).
    answers
        The answers, None where there is none, by problem and repeat.
    cost
        Of each search, each array of shape (problems, repeats).
    counts
        Sums over all searches: tokens read and written by policy and verifier, texts that gave no answer by
        reason, texts without a score, requests without a response.
    """

    method: str
    width: int
    right: NDArray[np.bool_]
    answers: list[list[str | None]]
    cost: dict[str, Ints]
    counts: dict[str, int]

    def rows(self, problems: Sequence[Problem]) -> Iterator[dict[str, Any]]:
        """A row a problem and repeat."""
        for i, problem in enumerate(problems):
            for repeat in range(self.right.shape[1]):
                paid = {name: int(values[i, repeat]) for name, values in self.cost.items()}
                said = {"answer": self.answers[i][repeat], "right": bool(self.right[i, repeat])}
                where = {"method": self.method, "width": self.width, "problem": problem.id, "repeat": repeat}
                yield {**where, **said, **paid}


class Search:
    """The searches of one job, width by width.

    Parameters
    ----------
    problems
        What is solved.
    plan, models
        How and by whom.
    seed
        The run's seed.
    name
        The search's name, part of the streams' names.
    """

    def __init__(self, problems: Sequence[Problem], plan: Plan, models: Models, seed: int, name: str) -> None:
        self._problems, self._plan, self._models, self._seed, self._name = problems, plan, models, seed, name
        self._roots = np.repeat(np.arange(len(problems)), plan.repeats)

    def run(self, width: int) -> tuple[list[Searched], Answerer, Answerer | None]:
        """Search at one width; the answerers tell what was asked.

        Raises
        ------
        UserError
            If nothing can be asked, or a budget is spent; what was received is kept.
        """
        plan, texts = self._plan, Texts([problem.question for problem in self._problems])
        policy, verifier = self._models.answerers()
        # Another seed is another sample; without one, an endpoint draws as it likes.
        drawn = Sampling(**{**vars(Sampling.of(plan.sampling)), "seed": self._seed if plan.seeded else None})
        writer = StepWriter(
            policy,
            texts,
            drawn,
            template=plan.template or STEP_TEMPLATE,
            answer=step_reader(plan.answer),
            system=plan.system,
            stop_at_line=plan.stop_at_line,
        )
        judge = None if verifier is None else self._judge(verifier, texts)
        if "beam" in plan.methods or "tree" in plan.methods:
            assert judge is not None
            found = self._guided(plan.methods[0], width, writer, judge)
        else:
            found = self._whole(width, writer, judge)
        counts = self._counts(writer, judge, policy, verifier)
        searched = [
            Searched(method, width, *self._judged(writer, answers), self._costs(cost), self._paid(method, counts))
            for method, answers, cost in found
        ]
        return searched, policy, verifier

    def _judge(self, verifier: Answerer, texts: Texts) -> StepJudge:
        plan = self._plan
        if verifier.identity["kind"] == "reward":
            return StepReward(verifier, texts)
        asked = Sampling(**{**vars(Sampling.of(plan.judging)), "seed": self._seed if plan.seeded else None})
        return StepJudge(verifier, texts, asked, draws=plan.draws, template=plan.judge_template or JUDGE_TEMPLATE)

    def _stream(self, method: str, width: int) -> np.random.Generator:
        return stream(self._seed, "slow_thinking", "real", self._name, method, width)

    def _guided(self, method: str, width: int, writer: StepWriter, judge: StepJudge) -> list[tuple[str, Ints, Cost]]:
        """Search step by step."""
        plan, generator = self._plan, self._stream(method, width)
        if method == "beam":
            keep = min(plan.keep, width)
            found = beam_search(writer, judge, self._roots, width, generator, keep=keep, limit=plan.steps)
        else:
            found = tree_search(
                writer,
                judge,
                self._roots,
                width,
                generator,
                simulations=plan.simulations,
                exploration=plan.exploration,
                limit=plan.steps,
            )
        return [(method, found.answers, found.cost)]

    def _whole(self, width: int, writer: StepWriter, judge: StepJudge | None) -> list[tuple[str, Ints, Cost]]:
        """Choose among whole answers; one without an answer is neither scored nor chosen."""
        drawn = sample_responses(writer, self._roots, width, limit=self._plan.steps)
        given = drawn.answers != NO_ANSWER
        scores = np.full(given.shape, np.nan)
        if judge is not None:
            scores = judge.score(np.where(given, drawn.nodes, -1))
        found = []
        for method in self._plan.methods:
            generator = self._stream(method, width)
            if method == "best_of_n":
                places = choose_best(scores, drawn.answers, generator)
            else:
                weights = min_max_weights(scores, given) if method == "vote" else None
                places = choose_by_votes(drawn.answers, generator, weights)
            scored = np.zeros_like(given) if method == "self_consistency" else given
            answers = np.take_along_axis(drawn.answers, places[:, None], axis=1)[:, 0]
            paid = (given, drawn.steps, drawn.tokens, scored)
            found.append((method, answers, Cost(*(part.sum(axis=1) for part in paid))))
        return found

    def _judged(self, writer: StepWriter, answers: Ints) -> tuple[NDArray[np.bool_], list[list[str | None]]]:
        """Which answers are right, and what they are."""
        named = [*writer.answer_texts(), None]
        said = [named[number] for number in answers.tolist()]
        repeats = self._plan.repeats
        table = [said[i * repeats : (i + 1) * repeats] for i in range(len(self._problems))]
        truth = [
            [answer == problem.answer for answer in row] for problem, row in zip(self._problems, table, strict=True)
        ]
        return np.array(truth, dtype=bool), table

    def _costs(self, cost: Cost) -> dict[str, Ints]:
        return {name: values.reshape(-1, self._plan.repeats) for name, values in asdict(cost).items()}

    def _counts(
        self, writer: StepWriter, judge: StepJudge | None, policy: Answerer, verifier: Answerer | None
    ) -> dict[str, int]:
        """What a width's searches used, and what went wrong in them."""
        stopped = Counter(writer.stopped.values())
        counts = {f"texts_{reason}": stopped[reason] for reason in ("cut", "empty", "unreadable")}
        parts = {"policy": policy, **({} if verifier is None else {"verifier": verifier})}
        for part, answerer in parts.items():
            used = answerer.usage
            counts |= {f"{part}_requests": used.responses, f"{part}_missing": len(answerer.lost)}
            counts |= {f"{part}_read_tokens": used.prompt_tokens, f"{part}_written_tokens": used.completion_tokens}
        return {**counts, "texts_unscored": 0 if judge is None else len(judge.unscored)}

    def _paid(self, method: str, counts: Mapping[str, int]) -> dict[str, int]:
        """A method's own part: votes alone need no scores."""
        scored = method != "self_consistency"
        return {
            name: n if scored or not name.startswith(("verifier", "texts_unscored")) else 0
            for name, n in counts.items()
        }


def search_all(
    problems: Sequence[Problem],
    plan: Plan,
    models: Models,
    seed: int,
    name: str,
    missing_allowed: float = 0.0,
    shown: Callable[[str], None] | None = None,
) -> list[Searched]:
    """Search at every width, the narrowest first: where that finds no answer at all, no more is paid for.

    Parameters
    ----------
    problems, plan, models, seed, name
        As for `Search`.
    missing_allowed
        Share of the requests of a width that may have failed for good.
    shown
        Told which width begins.

    Returns
    -------
    list of Searched
        By width, then method.

    Raises
    ------
    UserError
        Also if more requests are without a response than allowed, and if `ENOUGH` searches or texts and more are
        all without an answer or score.
    """
    search, found = Search(problems, plan, models, seed, name), []
    for width in sorted(plan.widths):
        if shown is not None:
            shown(f"width {width}")
        searched, *answerers = search.run(width)
        if (useless := _useless(searched, plan.draws)) is not None:
            raise UserError(
                f"slow_thinking.real.{name}: {useless}; what was written is kept in {models.policy_store.path}"
            )
        for part in (a for a in answerers if a is not None):
            lost, wanted = len(part.lost), len(part.lost) + len(part.keys)
            if lost > missing_allowed * wanted:
                raise UserError(
                    f"slow_thinking.real.{name}: {lost:,} of {wanted:,} requests at width {width} have no response; "
                    f"{len(part.store):,} responses are kept in {part.store.path}; run again to ask for the rest, or "
                    f"allow more with missing_allowed (now {missing_allowed:g})"
                )
        found += searched
    order = {method: i for i, method in enumerate(plan.methods)}
    return sorted(found, key=lambda one: (one.width, order[one.method]))


def _useless(searched: Sequence[Searched], draws: int) -> str | None:
    """Why going on is no use, by the last methods of a width; None if it may be."""
    last = searched[-1]
    if last.right.size >= ENOUGH and not any(answer is not None for row in last.answers for answer in row):
        reasons = {reason.removeprefix("texts_"): n for reason, n in last.counts.items() if reason.startswith("texts_")}
        counted = ", ".join(f"{reason}: {n:,}" for reason, n in reasons.items() if n and reason != "unscored")
        which = f"none of {last.right.size:,} searches at width {last.width}"
        return (
            f"{which} found an answer ({counted or 'no step states one'}); a step that states one says 'The answer is'"
        )
    unscored = last.counts["texts_unscored"]
    if unscored >= ENOUGH and unscored * draws >= last.counts["verifier_requests"]:
        return f"none of {unscored:,} texts at width {last.width} has a score; a judge says yes or no"
    return None
