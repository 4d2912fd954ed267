"""A judge asked until every answer has its verdicts, or has been asked often enough."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from ggmi.errors import UserError
from ggmi.models.backend import ask
from ggmi.models.protocol import Backend, OnProgress
from ggmi.models.requests import Request, Response, Sampling
from ggmi.models.store import Store
from ggmi.rating.judging import JudgePrompt
from ggmi.rating.verdicts import NO_VERDICT, REASONS, THINKING_CUT, Reading, read_verdict
from ggmi.text.thinking import Marks

# So many verdicts of an endpoint without one rating, and the rest is not paid for.
ENOUGH = 36


@dataclass(frozen=True)
class JudgeRequests:
    """How often a judge is asked about an answer.

    Parameters
    ----------
    verdicts
        Ratings wanted of each answer.
    retries
        Draws of each answer beyond those, in place of verdicts without a rating.

    Raises
    ------
    ValueError
        If no verdict is wanted or retries are negative.
    """

    verdicts: int = 1
    retries: int = 3

    def __post_init__(self) -> None:
        if self.verdicts < 1 or self.retries < 0:
            raise ValueError(f"{self} is out of range")

    def next_draws(self, readings: Sequence[Reading]) -> range:
        """Numbers of the draws to ask for next.

        An answer's ratings are those of its first draws that hold one. So more verdicts or more
        retries ask for more draws and change none that was made.

        Parameters
        ----------
        readings
            Of the answer's draws so far, in order.

        Examples
        --------
        >>> plan = JudgeRequests(verdicts=2, retries=1)
        >>> plan.next_draws([]), plan.next_draws([Reading(7, None), Reading(None, "empty")])
        (range(0, 2), range(2, 3))
        """
        made = len(readings)
        lacking = self.verdicts - sum(reading.rating is not None for reading in readings)
        return range(made, min(made + max(lacking, 0), self.verdicts + self.retries))


@dataclass(frozen=True)
class Judged:
    """All that a judge said of one answer.

    Parameters
    ----------
    prompt
        What it was asked.
    texts
        Raw verdicts, in the order of the draws; None where there was no answer.
    readings
        What they say.
    """

    prompt: JudgePrompt
    texts: tuple[str | None, ...]
    readings: tuple[Reading, ...]

    @property
    def ratings(self) -> tuple[float, ...]:
        """Ratings from 1 to 10; as many as were wanted, or fewer."""
        return tuple(reading.rating for reading in self.readings if reading.rating is not None)

    @property
    def rating(self) -> float | None:
        """Mean of the ratings; None where there is none."""
        return sum(self.ratings) / len(self.ratings) if self.ratings else None

    def row(self) -> dict[str, Any]:
        """Prompt, raw verdicts and ratings as JSON can hold them; half surrogate pairs are replaced."""
        texts = [None if t is None else t.encode("utf-8", "replace").decode() for t in self.texts]
        return {
            "prompt_id": self.prompt.id,
            "prompt": self.prompt.text,
            "verdicts": [
                {"draw": draw, "text": text, "rating": reading.rating, "reason": reading.reason}
                for draw, (text, reading) in enumerate(zip(texts, self.readings, strict=True))
            ],
            "rating": self.rating,
        }


def ask_judge(
    judge: Backend,
    prompts: Iterable[JudgePrompt],
    sampling: Sampling,
    store: Store,
    plan: JudgeRequests,
    on_progress: OnProgress | None = None,
    marks: Marks | None = None,
) -> dict[str, Judged]:
    """Have answers judged; verdicts that the store holds are not asked for again.

    A verdict without a rating is asked for again as the next draw, up to the plan's retries; at
    temperature 0 it is not, because the next draw would say the same.

    Parameters
    ----------
    judge
        The backend.
    prompts
        One an answer; equal prompts are judged once.
    sampling
        How verdicts are drawn.
    store
        Where raw verdicts are kept.
    plan
        How often to ask.
    on_progress
        Called after each response; it counts anew for each round of retries.
    marks
        The marks around thoughts.

    Returns
    -------
    dict of str to Judged
        By id of the prompt, in the order given.

    Raises
    ------
    UserError
        If several verdicts are wanted at temperature 0, if no verdict at all holds a rating (of an
        endpoint's, the first `ENOUGH`), if a limit stopped the judge, or if nothing can be asked.
    """
    if sampling.temperature == 0:
        if plan.verdicts > 1:
            raise UserError(
                f"judge: verdicts is {plan.verdicts} and temperature is 0, where all of them would be the same; "
                "allowed: verdicts 1, or a temperature above 0"
            )
        plan = JudgeRequests(1, 0)
    asked = {prompt.id: prompt for prompt in prompts}
    texts: dict[str, list[str | None]] = {key: [] for key in asked}
    readings: dict[str, list[Reading]] = {key: [] for key in asked}
    watch = _RatingWatch(marks)
    while True:
        requests = [
            Request(judge.identity, prompt.text, sampling, draw=draw, prompt_id=key)
            for key, prompt in asked.items()
            for draw in plan.next_draws(readings[key])
        ]
        if not requests:
            break
        stopped = ask(judge, requests, store, on_progress, watch).stopped
        if stopped:
            raise UserError(f"{stopped}; {len(store)} verdicts are kept")
        kept = iter(store.collect([request for request in requests if request.key() in store]))
        for request in requests:
            text = next(kept).text if request.key() in store else None
            texts[request.prompt_id].append(text)
            reading = Reading(None, NO_VERDICT) if text is None else read_verdict(text, marks)
            readings[request.prompt_id].append(reading)
    judged = {key: Judged(prompt, tuple(texts[key]), tuple(readings[key])) for key, prompt in asked.items()}
    _refuse_silence(judged.values(), str(store.path))
    return judged


class _RatingWatch:
    """Tells when an endpoint's verdicts hold no rating, so that no more are paid for."""

    def __init__(self, marks: Marks | None) -> None:
        self._marks = marks
        self._reasons: Counter[str] = Counter()
        self._found = False

    def __call__(self, response: Response) -> str | None:
        reading = read_verdict(response.text, self._marks)
        self._found = self._found or reading.rating is not None
        self._reasons.update([reading.reason] if reading.reason else [])
        if self._found or self._reasons.total() < ENOUGH:
            return None
        reason, times = self._reasons.most_common(1)[0]
        advice = "raise judge.sampling.max_tokens" if reason == THINKING_CUT else "look at them with `ggmi verdict`"
        return (
            f"none of the judge's first {ENOUGH} verdicts holds a rating ({times} times: {REASONS[reason]}); {advice}"
        )


def failures(judged: Iterable[Judged]) -> Counter[str]:
    """How many verdicts hold no rating, by reason (`REASONS`); retried ones count too."""
    return Counter(reading.reason for one in judged for reading in one.readings if reading.reason is not None)


def _refuse_silence(judged: Iterable[Judged], place: str) -> None:
    """Refuse a judge that never returned a rating."""
    all_judged = list(judged)
    if not all_judged or any(one.ratings for one in all_judged):
        return
    reason, times = failures(all_judged).most_common(1)[0]
    total = sum(len(one.readings) for one in all_judged)
    raise UserError(
        f"{place}: none of the judge's {total} verdicts holds a rating ({times} times: {REASONS[reason]}); allowed: "
        "verdicts that end with [[n]], n from 1 to 10, so look at the verdicts, the template and the judge"
    )
