"""A language model behind a backend as policy and as verifier of a search: a step is a line.

Every raw response goes to a store, so that a search that was cut off asks for what is missing only, and costs
are limited and counted as everywhere. The n-th step drawn after a text is the n-th draw of its request: searches
that share a store share their first draws.

Servers differ in what they know of texts that end a response. That of transformers finds them by spelling ``abcdef``
with the model's tokenizer, and answers with HTTP state 500 where the tokenizer cannot (a vocabulary of whole words);
there a step is cut here.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from functools import cache

import numpy as np
from scipy.special import expit

from ggmi.models.answerer import Answerer
from ggmi.models.requests import Request, Response, Sampling
from ggmi.search.policy import NO_ANSWER, Bools, Floats, Ints, Steps
from ggmi.text.templates import TextTemplate

# What a prompt shows.
PLACES = ("question", "steps")
STEP_TEMPLATE = """Solve the problem step by step, one short step a line. Once it is solved, write as last line:
The answer is X

Problem: {{ question }}

Steps so far:
{{ steps }}
Write the next step, one line, and nothing else."""
JUDGE_TEMPLATE = """Problem: {{ question }}

Steps of a solution, perhaps not all of them yet:
{{ steps }}
Is every step right? Reply with one word, yes or no."""
FINAL = re.compile(r"\bthe answer is:?\s*\**\s*(.+?)[\s.*]*$", re.IGNORECASE)
# A step has no more lines than one.
LINE = ("\n",)
# Why a text goes no further without an answer.
LOST, CUT, EMPTY, UNREADABLE = "lost", "cut", "empty", "unreadable"


def final_answer(step: str) -> str | None:
    """The answer that a line states, if it does.

    Examples
    --------
    >>> final_answer("So the answer is 42."), final_answer("The answer is: **True**"), final_answer("6 * 7 = 42")
    ('42', 'True', None)
    """
    found = FINAL.search(step.strip())
    return found.group(1).strip() if found else None


class Texts:
    """Questions with the steps written so far, each known by a number; equal texts have the same.

    Parameters
    ----------
    questions
        What is asked; the first numbers are theirs.
    """

    def __init__(self, questions: Sequence[str]) -> None:
        self._texts: list[tuple[int, tuple[str, ...]]] = [(i, ()) for i in range(len(questions))]
        self._numbers = {text: i for i, text in enumerate(self._texts)}
        self._questions = list(questions)

    def number(self, parent: int, step: str) -> int:
        """The text of a parent and one step more."""
        question, steps = self._texts[parent]
        text = (question, (*steps, step))
        if text not in self._numbers:
            self._numbers[text] = len(self._texts)
            self._texts.append(text)
        return self._numbers[text]

    def question(self, node: int) -> str:
        """The question of a text."""
        return self._questions[self._texts[node][0]]

    def steps(self, node: int) -> tuple[str, ...]:
        """The steps of a text."""
        return self._texts[node][1]

    def fill(self, template: str, node: int) -> str:
        """A template with the text's question and steps; what stands in them is never read as a template."""
        question, steps = self._texts[node]
        written = "".join(f"{step}\n" for step in steps)
        return _compiled(template).fill(question=self._questions[question], steps=written)


@cache
def _compiled(template: str) -> TextTemplate:
    return TextTemplate(template, "template", PLACES, ())


class StepWriter:
    """A model that writes lines (`ggmi.search.policy.Policy`).

    A text has ended with a line that states an answer; with an empty line; with a step cut at `max_tokens`; and
    where its request was given up. Only the first gives an answer, if it can be read.

    Parameters
    ----------
    answerer
        Who writes.
    texts
        The texts so far; shared with a verifier.
    sampling
        How steps are drawn.
    stop_at_line
        Whether a line's end is sent as a text that ends a step. Where a server refuses such texts, the model writes
        on, and is cut here.
    template
        The prompt, with ``{{ question }}`` and ``{{ steps }}``.
    answer
        Finds the answer that a step states: None where it states none, an empty text where it cannot be read.
    system
        System prompt.

    Attributes
    ----------
    stopped : dict of int to str
        Texts that go no further and give no answer, with the reason.
    """

    def __init__(
        self,
        answerer: Answerer,
        texts: Texts,
        sampling: Sampling,
        *,
        template: str = STEP_TEMPLATE,
        answer: Callable[[str], str | None] = final_answer,
        system: str = "",
        stop_at_line: bool = True,
    ) -> None:
        self._answerer, self._texts = answerer, texts
        ends = LINE if stop_at_line else ()
        self._sampling = Sampling(**{**vars(sampling), "stop": (*sampling.stop, *ends)})
        self._template, self._answer, self._system = template, answer, system
        self._drawn: Counter[int] = Counter()
        self._answers: dict[str, int] = {}
        self._answer_of: dict[int, int] = {}
        self.stopped: dict[int, str] = {}

    def extend(self, nodes: Ints) -> Steps:
        """Sample a line after each text.

        Raises
        ------
        UserError
            If nothing can be asked, or a budget is spent; what was received is kept.
        """
        requests = []
        for node in nodes.tolist():
            prompt = self._texts.fill(self._template, node)
            requests.append(
                Request(
                    self._answerer.identity, prompt, self._sampling, self._system, self._drawn[node], f"text {node}"
                )
            )
            self._drawn[node] += 1
        responses = self._answerer.responses(requests)
        found = [self._step(node, response) for node, response in zip(nodes.tolist(), responses, strict=True)]
        children, tokens, log_probs = zip(*found, strict=True) if found else ((), (), ())
        return Steps(np.array(children, dtype=int), np.array(tokens, dtype=int), np.array(log_probs, dtype=float))

    def ended(self, nodes: Ints) -> Bools:
        """Whether each text is complete, or can go no further."""
        return np.array([n in self.stopped or n in self._answer_of for n in nodes.ravel().tolist()], dtype=bool)

    def answers(self, nodes: Ints) -> Ints:
        """The answer of each text as a number."""
        return np.array([self._answer_of.get(n, NO_ANSWER) for n in nodes.tolist()], dtype=int)

    def answer_texts(self) -> list[str]:
        """The answers by their numbers."""
        return list(self._answers)

    def _step(self, node: int, response: Response | None) -> tuple[int, int, float]:
        """The text after a step, its tokens, and its mean log-probability."""
        if response is None:
            child = self._texts.number(node, "")
            self.stopped[child] = LOST
            return child, 0, float("nan")
        line, end, _ = response.text.lstrip().partition("\n")
        step = line.strip()
        child = self._texts.number(node, step)
        stated = self._answer(step)
        if stated:
            self._answer_of[child] = self._answers.setdefault(stated, len(self._answers))
        elif stated is not None:
            self.stopped[child] = UNREADABLE
        elif not step:
            self.stopped[child] = EMPTY
        elif response.finish_reason == "length" and not end:
            self.stopped[child] = CUT
        known = response.log_prob_nats is not None and response.completion_tokens > 0
        mean = response.log_prob_nats / response.completion_tokens if known else float("nan")  # type: ignore[operator]
        return child, response.completion_tokens, mean


class StepJudge:
    """A model that is asked whether all steps are right (`ggmi.search.policy.Verifier`).

    A text's score is the share of yes among its replies of yes or no; NaN where none is.

    Parameters
    ----------
    answerer
        Who judges.
    texts
        The texts so far; those of the policy.
    sampling
        How replies are drawn.
    draws
        Replies a text.
    template
        The prompt, with ``{{ question }}`` and ``{{ steps }}``.
    system
        System prompt.

    Attributes
    ----------
    unscored : set of int
        Texts without a score.
    """

    def __init__(
        self,
        answerer: Answerer,
        texts: Texts,
        sampling: Sampling,
        *,
        draws: int = 1,
        template: str = JUDGE_TEMPLATE,
        system: str = "",
    ) -> None:
        self._answerer, self._texts, self._system = answerer, texts, system
        self._sampling, self._draws, self._template = sampling, draws, template
        self.unscored: set[int] = set()

    def score(self, nodes: Ints) -> Floats:
        """Score of each text, shape as `nodes`; NaN for none (-1).

        Raises
        ------
        UserError
            As `StepWriter.extend`.
        """
        there = nodes >= 0
        different, which = np.unique(nodes[there], return_inverse=True)
        requests = [self._request(node, draw) for node in different.tolist() for draw in range(self._draws)]
        said = [self._read(response) for response in self._answerer.responses(requests)]
        votes = np.array(said, dtype=float).reshape(len(different), self._draws)
        given = ~np.isnan(votes)
        scores = np.full(len(different), np.nan)
        some = given.any(axis=1)
        scores[some] = np.where(given, votes, 0.0).sum(axis=1)[some] / given.sum(axis=1)[some]
        self.unscored.update(different[~some].tolist())
        found = np.full(nodes.shape, np.nan)
        found[there] = scores[which]
        return found

    def _request(self, node: int, draw: int) -> Request:
        prompt = self._texts.fill(self._template, node)
        return Request(self._answerer.identity, prompt, self._sampling, self._system, draw, f"text {node}")

    def _read(self, response: Response | None) -> float:
        return verdict(response)


class StepReward(StepJudge):
    """A reward model as verifier: a text's score is the logistic function of its reward, in [0, 1].

    Parameters
    ----------
    answerer
        A `ggmi.models.reward.RewardBackend`.
    texts
        The texts so far; those of the policy.
    """

    def __init__(self, answerer: Answerer, texts: Texts) -> None:
        super().__init__(answerer, texts, Sampling(temperature=0.0, max_tokens=1))

    def _request(self, node: int, draw: int) -> Request:
        solution = "\n".join(self._texts.steps(node))
        question = self._texts.question(node)
        return Request(self._answerer.identity, solution, self._sampling, question, draw, f"text {node}")

    def _read(self, response: Response | None) -> float:
        return float("nan") if response is None else float(expit(float(response.text)))


def verdict(response: Response | None) -> float:
    """1 for yes, 0 for no, NaN for anything else, by the first of the two words."""
    found = re.search(r"\b(yes|no)\b", response.text.lower()) if response is not None else None
    return float("nan") if found is None else float(found.group(1) == "yes")
