"""Students of the study: what each learns of which records, and how it is rated."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from transformers import PreTrainedModel

from ggmi.embedded.language import ALPHABET, Language
from ggmi.embedded.truth import rating, student_truth
from ggmi.language.bases import Balance
from ggmi.random import stream
from ggmi.students.base import Base
from ggmi.students.difficulty import per_token, record_losses
from ggmi.students.finetune import finetune
from ggmi.students.matching import subset_of
from ggmi.students.settings import ReinforcementSettings, TrainingSettings
from ggmi.students.tokenise import tokenise
from ggmi.text.records import Record

Method = Literal["none", "sft", "rl"]
# What records are told easy from hard by: the base's own loss on each, or exactly on its skill.
BASE_LOSS, SKILL = "base_loss", "skill"


@dataclass(frozen=True)
class Condition:
    """What a student learns.

    Parameters
    ----------
    base
        Where it starts.
    method
        ``none``: it stays the base.
    subset, by
        ``random``, ``easiest`` or ``hardest`` records, and what tells them; the latter empty for random ones.
    size
        Records.
    matched
        What is equal to other methods: ``updates`` or ``tokens``.
    updates
        Of the training.
    """

    base: Balance
    method: Method
    subset: str = "random"
    by: str = ""
    size: int = 0
    matched: str = "updates"
    updates: int = 0

    @property
    def name(self) -> str:
        """A name for tables."""
        if self.method == "none":
            return f"{self.base} none"
        return " ".join(
            part for part in (self.base, self.method, self.subset, self.by, str(self.size), self.matched) if part
        )


def study_conditions(
    balance: Balance, method: Method, sizes: Sequence[int], updates: int, token_updates: int
) -> list[Condition]:
    """The conditions of one base and method.

    The base itself goes with fine-tuning. The unbalanced base, whose skills are unequally hard, has all
    conditions; the balanced one learns from all records only. Of those no part is easiest or hardest.

    Parameters
    ----------
    balance, method
        Which base, and ``sft`` or ``rl``.
    sizes
        Records of sets, ascending; the last is all there are.
    updates
        Of every training matched by updates.
    token_updates
        Updates of fine-tuning that read as many tokens as reinforcement.
    """
    rewarded = method == "rl"
    itself = [] if rewarded else [Condition(balance, "none")]
    if balance == "balanced":
        return [*itself, Condition(balance, method, size=sizes[-1], updates=updates)]
    # Reinforcement costs more an update, so fewer of its records are told apart.
    told_by, ends_of = ((BASE_LOSS,), sizes[-2:-1]) if rewarded else ((BASE_LOSS, SKILL), sizes[:-1])
    return [
        *itself,
        *(Condition(balance, method, size=n, updates=updates) for n in sizes),
        *(
            Condition(balance, method, end, by, n, "updates", updates)
            for n in ends_of
            for by in told_by
            for end in ("easiest", "hardest")
        ),
        *([] if rewarded else [Condition(balance, method, "random", "", sizes[-1], "tokens", token_updates)]),
    ]


def drawn_records(language: Language, test: int, seed: int) -> tuple[list[Record], list[Record]]:
    """Every record there is, in random order, cut into what students may learn and what they are tested on.

    Parameters
    ----------
    language
        The study's.
    test
        Test records.
    seed
        The run's seed.

    Returns
    -------
    pool, test : list of Record
    """
    sizes = language.sizes
    places = stream(seed, "language", "records").permutation(sizes.skills * sizes.contexts)
    rows = language.records(places // sizes.contexts, language.contexts[places % sizes.contexts])
    records = [Record(f"r{i}", r["instruction"], r["context"], r["response"]) for i, r in enumerate(rows)]
    return records[test:], records[:test]


def records_table(base: Base, language: Language, pool: Sequence[Record]) -> pd.DataFrame:
    """How hard each record is: columns id, instruction, context, response, base_loss and skill (nats a token)."""
    own = per_token(record_losses(pool, base, "json", device="cpu"))
    model = base.load().train(False)
    exact = [
        student_truth(model, language, np.array([skill]), ended=False).risk_nats_token
        for skill in range(language.sizes.skills)
    ]
    of_skill = [exact[language.skill_of(record.instruction) or 0] for record in pool]
    losses = {f"{BASE_LOSS}_nats_per_token": own, f"{SKILL}_nats_per_token": of_skill}
    return pd.DataFrame([asdict(record) for record in pool]).assign(**losses)


def greedy_ratings(model: PreTrainedModel, language: Language, test: Sequence[Record]) -> list[int]:
    """The exact judge's ratings of a student's most likely answers, written token by token.

    Parameters
    ----------
    model
        The student.
    language
        The study's.
    test
        Records.
    """
    letters = [[ALPHABET.index(letter) for letter in record.context] for record in test]
    skills = np.array([language.skill_of(record.instruction) for record in test])
    ids = torch.from_numpy(language.record_ids(skills, np.array(letters))[:, : 4 + language.sizes.length])
    with torch.inference_mode():
        for _ in range(language.sizes.length + 1):
            ids = torch.cat([ids, model(input_ids=ids).logits[:, -1:].argmax(-1)], dim=1)
    spelled = language.vocabulary
    written = ["".join(spelled[i] for i in row) for row in ids[:, 4 + language.sizes.length :].tolist()]
    return [rating(text, record.response) for text, record in zip(written, test, strict=True)]


@dataclass(frozen=True)
class Study:
    """What all students of a base share.

    Parameters
    ----------
    base
        Folder of the base.
    language
        The study's.
    pool, test
        Of `drawn_records`.
    scores
        Of `records_table`.
    fine_tuning, reinforcement
        How students learn; updates are a condition's.
    """

    base: str
    language: Language
    pool: Sequence[Record]
    test: Sequence[Record]
    scores: pd.DataFrame
    fine_tuning: TrainingSettings
    reinforcement: ReinforcementSettings

    def students(
        self,
        conditions: Sequence[Condition],
        seeds: int,
        seed: int,
        progress: Callable[[str, int, int, int], None] = lambda *_: None,
    ) -> Iterator[tuple[dict[str, Any], list[int]]]:
        """Train and rate students.

        Parameters
        ----------
        conditions
            What they learn.
        seeds
            Students a condition, but one of the base itself.
        seed
            The run's seed. A student's own draws its random records and everything in its training.
        progress
            Called after each student with the condition, its number, students done, and all.

        Yields
        ------
        row : dict
            The condition's fields, ``condition`` (its name), seed, records, tokens (read, and sampled where there
            are rewards), and ``loss_nats_per_token``, exact over all records of all skills.
        ratings : list of int
            Of the test records.
        """
        wanted = [(c, number) for c in conditions for number in range(1, 2 if c.method == "none" else seeds + 1)]
        for done, (condition, number) in enumerate(wanted, 1):
            own = int(stream(seed, "language", "student", condition.base, number).integers(2**63))
            with tempfile.TemporaryDirectory() as folder:
                records, tokens, path = self._trained(condition, own, Path(folder) / "student")
                model = Base(str(path)).load().train(False)
            skills = np.arange(self.language.sizes.skills)
            loss = student_truth(model, self.language, skills, ended=False).risk_nats_token
            row = {"condition": condition.name, **asdict(condition), "seed": number, "records": records}
            yield (
                {**row, "tokens": tokens, "loss_nats_per_token": loss},
                greedy_ratings(model, self.language, self.test),
            )
            progress(condition.name, number, done, len(wanted))

    def _trained(self, condition: Condition, seed: int, target: Path) -> tuple[int, int, str | Path]:
        """Records learned, tokens read, and where the student is."""
        if condition.method == "none":
            return 0, 0, self.base
        ids = [record.id for record in self.pool]
        column = self.scores[f"{condition.by}_nats_per_token"] if condition.by else None
        scores = None if column is None else dict(zip(self.scores["id"], column, strict=True))
        chosen = subset_of(ids, condition.subset, share=None, size=condition.size, scores=scores, seed=seed)
        records, base = [self.pool[i] for i in chosen], Base(self.base)
        if condition.method == "sft":
            settings = self.fine_tuning.model_copy(update={"steps": condition.updates})
            return (
                len(records),
                finetune(base, tokenise(records, base, "json"), target, settings, seed=seed).tokens,
                target,
            )
        from ggmi.students.reinforce import reinforce

        how = self.reinforcement.model_copy(update={"steps": condition.updates})
        done = reinforce(base, records, target, how, judged, training=self.fine_tuning, form="json", seed=seed)
        return len(records), done.tokens, target


def judged(answers: Sequence[tuple[Record, str]]) -> list[float | None]:
    """The exact judge as a reward."""
    return [float(rating(answer, record.response)) for record, answer in answers]


def ratings_matrix(ratings: pd.DataFrame, condition: str) -> NDArray[np.float64]:
    """Ratings of a condition, shape (test records, seeds).

    Parameters
    ----------
    ratings
        Columns condition, seed, item, rating.
    condition
        Its name.
    """
    rows = ratings[ratings["condition"] == condition]
    return rows.pivot(index="item", columns="seed", values="rating").sort_index().to_numpy(float)
