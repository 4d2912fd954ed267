"""What searches with real models may ask for at most, before anything is asked.

What a search asks depends on what it is answered, so only a bound can be had. What the stores hold already is
found by searching with them alone, as far as they reach: a search that they hold as a whole costs nothing more.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from ggmi.models.cost import CHARACTERS_PER_TOKEN, CHAT_TOKENS, Estimate, TokenCounter, token_counter
from ggmi.models.requests import Usage
from ggmi.models.settings import ClientSettings, Prices, RewardSettings
from ggmi.models.stepwise import JUDGE_TEMPLATE, STEP_TEMPLATE, Texts
from ggmi.real_search.asking import models_of, plan_of, store_of
from ggmi.real_search.problems import Problem, load_problems, read_problems
from ggmi.real_search.running import Plan, Search

if TYPE_CHECKING:
    from ggmi.config import Config
    from ggmi.config.real_search import RealSearch


@dataclass(frozen=True)
class Bound:
    """At most so many requests of a problem's search, and tokens of steps in all their prompts together."""

    requests: int
    step_tokens: int

    def __add__(self, other: Bound) -> Bound:
        return Bound(self.requests + other.requests, self.step_tokens + other.step_tokens)


def most_steps(job: str, width: int, plan: Plan) -> Bound:
    """Steps that one search may draw.

    Parameters
    ----------
    job
        ``answers``, ``beam`` or ``tree``.
    width
        N or k.
    plan
        What is searched.

    Examples
    --------
    >>> plan = Plan(["beam"], "gsm8k", [2], 3, 1, {"max_tokens": 10}, simulations=4)
    >>> most_steps("beam", 2, plan), most_steps("tree", 2, plan).requests
    (Bound(requests=6, step_tokens=60), 13)
    """
    length = int(plan.sampling["max_tokens"])
    # Before step l there are l - 1 of them: 0 + 1 + ... + (L - 1).
    before = plan.steps * (plan.steps - 1) // 2
    if job != "tree":
        return Bound(width * plan.steps, width * before * length)
    # The root and every leaf visited draw k children; a search that met no answer goes on from its best text.
    drawn = width * (plan.simulations + 1)
    return Bound(drawn + plan.steps, (drawn * (plan.steps - 1) + before) * length)


def most_scores(job: str, width: int, plan: Plan) -> Bound:
    """Requests for scores that one search may make; see `most_steps`."""
    length, draws = int(plan.sampling["max_tokens"]), plan.draws
    if job == "answers":
        return Bound(width * draws, width * draws * plan.steps * length)
    if job == "beam":
        # After step l there are l of them.
        after = plan.steps * (plan.steps + 1) // 2
        return Bound(width * plan.steps * draws, width * after * draws * length)
    return Bound(plan.simulations * draws, plan.simulations * draws * plan.steps * length)


def search_cost(config: Config) -> tuple[dict[str, Estimate], list[str]]:
    """Price what is missing of every search with real models, as a bound.

    Parameters
    ----------
    config
        The configuration.

    Returns
    -------
    estimates : dict
        By search and model, whatever its kind: a model on one's own machine has no price, but takes its time.
    notes : list of str
        What had to be assumed.

    Raises
    ------
    UserError
        If problems, a template or a store cannot be read.
    """
    estimates: dict[str, Estimate] = {}
    notes: list[str] = []
    for name, search in (config.slow_thinking.real if config.slow_thinking else {}).items():
        problems = _problems(config, name, search)
        if problems is None:
            source = search.problems
            count = min(source.assumed_problems, source.most or source.assumed_problems)
            # Stand-ins: nobody has asked anything of them.
            text = "x" * (source.assumed_tokens * CHARACTERS_PER_TOKEN)
            problems = [Problem(str(i), text, "") for i in range(count)]
            notes.append(
                f"{name}: the problems of {source.source} are not at hand, so they are taken for {count:,} of "
                f"{source.assumed_tokens} tokens (slow_thinking.real.{name}.problems.assumed_problems, assumed_tokens)"
            )
        estimates |= {f"{name} {part}": found for part, found in _priced(config, name, search, problems).items()}
        notes.append(
            f"{name}: what a search asks depends on what it is answered; these are the most requests there can be"
        )
    return estimates, notes


def _problems(config: Config, name: str, search: RealSearch) -> list[Problem] | None:
    """The problems; read from the source, or of an earlier run; None where there are neither."""
    source = search.problems
    if source.is_here:
        return read_problems(source.read_settings(), source.answer, source.most, config.seed, name)[0]
    made = Path(config.results) / "slow_thinking" / "real" / name / "problems.jsonl"
    return load_problems(made) if made.is_file() else None


@dataclass
class _Part:
    """What is to be asked of one model.

    Parameters
    ----------
    prices
        Its own.
    rule
        How tokens were counted.
    """

    prices: Prices
    rule: str
    requests: int = 0
    read: int = 0
    written: int = 0
    kept: set[tuple[str, str]] = field(default_factory=set)
    used: dict[str, Usage] = field(default_factory=dict)

    def add(self, bound: Bound, bases: Sequence[int], repeats: int, written: int, hits: int) -> None:
        """Add a search of all problems, whose prompts have `bases` tokens beside steps, less what is at hand."""
        missing = max(0, bound.requests * repeats * len(bases) - hits)
        self.requests += missing
        self.written += missing * written
        read = repeats * (bound.requests * sum(bases) + bound.step_tokens * len(bases))
        self.read += max(0, read - hits * min(bases))

    def estimate(self) -> Estimate:
        """The bound as an estimate; expected are responses as long as those at hand."""
        used = sum(self.used.values(), Usage())
        expected = round(self.requests * used.completion_tokens / used.responses) if used.responses else None
        expected = 0 if not self.requests else expected
        return Estimate.of(
            self.prices,
            used,
            input_tokens=self.read,
            expected=expected,
            worst=self.written,
            kept=len(self.kept),
            requests=self.requests,
            rule=self.rule,
        )


def _priced(config: Config, name: str, search: RealSearch, problems: list[Problem]) -> dict[str, Estimate]:
    """Estimates of policy and verifier; a policy that judges itself has one for both."""
    settings = search.models()
    counters = {part: token_counter(how.model, how.revision) for part, how in settings.items()}
    parts = {
        part: _Part(how.prices if isinstance(how, ClientSettings) else Prices(), counters[part].rule)
        for part, how in settings.items()
    }
    judge = "verifier" if "verifier" in settings else "policy"
    for job in search.jobs():
        plan = plan_of(search.plan(job))
        asked = {part: how.model_dump() for part, how in search.models_of(job).items()}
        stores = {part: store_of(config.stores, name, part, job, how) for part, how in asked.items()}
        for part, store in stores.items():
            parts[part].used[str(store.path)] = store.usage
        what = [("policy", most_steps, _step_tokens(plan, problems, counters["policy"]), plan.sampling["max_tokens"])]
        if plan.judging:
            rewarded = isinstance(settings[judge], RewardSettings)
            bases = _score_tokens(plan, problems, counters[judge], rewarded=rewarded)
            what.append((judge, most_scores, bases, 0 if rewarded else plan.judging["max_tokens"]))
        # Draws of fewer whole answers are among those of the most.
        for width in plan.widths[-1:] if job == "answers" else plan.widths:
            at_hand: list[set[str]] = [set(), set()]
            whole = False
            if len(stores["policy"]):
                models = models_of(name, job, asked, config.stores, judged=bool(plan.judging), asks=False)
                at_hand, whole = _at_hand(Search(problems, plan, models, config.seed, name), width)
            for keys, (part, most, bases, written) in zip(at_hand, what, strict=False):
                parts[part].kept |= {(str(stores[part].path), key) for key in keys}
                if not whole:
                    parts[part].add(most(job, width, plan), bases, plan.repeats, written, len(keys))
    return {part: found.estimate() for part, found in parts.items()}


def _step_tokens(plan: Plan, problems: list[Problem], count: TokenCounter) -> list[int]:
    """Tokens of each problem's first prompt."""
    texts, template = Texts([problem.question for problem in problems]), plan.template or STEP_TEMPLATE
    around = count.count(plan.system) + CHAT_TOKENS
    return [count.count(texts.fill(template, i)) + around for i in range(len(problems))]


def _score_tokens(plan: Plan, problems: list[Problem], count: TokenCounter, *, rewarded: bool) -> list[int]:
    """Tokens of what is read to score each problem's text without a step."""
    template = "{{ question }}" if rewarded else plan.judge_template or JUDGE_TEMPLATE
    texts = Texts([problem.question for problem in problems])
    return [count.count(texts.fill(template, i)) + CHAT_TOKENS for i in range(len(problems))]


def _at_hand(search: Search, width: int) -> tuple[list[set[str]], bool]:
    """What the stores hold of a search's steps and scores, and whether that is all of it."""
    _, policy, verifier = search.run(width)
    if verifier is None:
        return [policy.keys], not policy.lost
    return [policy.keys, verifier.keys], not policy.lost and not verifier.lost
