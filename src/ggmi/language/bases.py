"""Bases that have seen skills equally often or not, pretrained to one loss.

The language is the embedded world's (`ggmi.embedded.language`): a record is a line of JSON whose response is a
skill applied to a context. Here all skills are what a student shall know. A *balanced* base has seen each equally
often, an *unbalanced* one some of them up to `imbalance` times as often as others. Both learn until they lose the
same on a record of a random skill, exactly over all records, so that they differ in what they know, not in how much.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from transformers import GPT2LMHeadModel, PreTrainedModel

from ggmi.embedded.language import CLOSING_ID, END_ID, PAD_ID, Language, Sizes
from ggmi.embedded.truth import student_truth
from ggmi.loading import threads
from ggmi.random import stream
from ggmi.students.sets import IGNORED
from ggmi.students.trainer import response_nats
from ggmi.training import Inputs, Row, gpt2_config, train_until

Balance = Literal["balanced", "unbalanced"]
BALANCES: tuple[Balance, ...] = ("balanced", "unbalanced")
# Steps from one measurement to the next, and the share of the past kept in the average of weights: the loss falls
# fast, so the average is short.
CHECK_EVERY, AVERAGE = 2, 0.9


@dataclass(frozen=True)
class Pretraining:
    """How bases are made.

    Parameters
    ----------
    skills, letters, length
        Of the language.
    layers, width, heads
        Of the model (GPT-2's architecture).
    documents, rate, most_steps
        Records a step, learning rate, most steps.
    loss
        Loss at which pretraining ends, nats a token of a response.
    imbalance
        How much more often the most common skill is seen than the rarest, where skills are not balanced.
    """

    skills: int
    letters: int
    length: int
    layers: int
    width: int
    heads: int
    documents: int
    rate: float
    most_steps: int
    loss: float
    imbalance: float

    def language(self, seed: int) -> Language:
        """The language; its kinds of skill play no part here."""
        irrelevant = 4
        sizes = Sizes(self.skills - irrelevant - 1, 1, irrelevant, self.letters, self.length)
        return Language.draw(seed, sizes)

    def law(self, balance: Balance) -> NDArray[np.float64]:
        """How often each skill is seen, shape (skills,): equally, or falling geometrically."""
        ratio = self.imbalance if balance == "unbalanced" else 1.0
        weights = ratio ** -np.linspace(0, 1, self.skills)
        return np.asarray(weights / weights.sum())


def pretrain(
    how: Pretraining, balance: Balance, seed: int, progress: Callable[[int, Row], None] = lambda *_: None
) -> tuple[PreTrainedModel, list[Row], bool]:
    """Pretrain a base from random weights.

    Parameters
    ----------
    how
        Sizes and criterion.
    balance
        How often each skill is seen.
    seed
        The run's seed; both bases begin with the same weights.
    progress
        Called after each measurement with the step and its row.

    Returns
    -------
    model : PreTrainedModel
    rows : list of dict
        ``step``, ``loss_nats`` (of training, nats a token of a response), ``nats_per_token`` (exact, over all
        records of all skills).
    reached : bool
        Whether the wanted loss was.
    """
    language, law = how.language(seed), how.law(balance)
    skills = np.arange(how.skills)
    rows: list[Row] = []

    def batch(step: int) -> Inputs:
        generator = stream(seed, "language", "pretraining", balance, step)
        drawn = generator.choice(how.skills, p=law, size=how.documents)
        return record_batch(language, drawn, language.random_contexts((how.documents,), generator))

    def measure(model: PreTrainedModel) -> tuple[Row, bool]:
        found = student_truth(model, language, skills, ended=False).risk_nats_token
        return {"nats_per_token": found}, found <= how.loss

    def report(row: Row) -> None:
        rows.append(row)
        progress(int(row["step"]), row)

    with threads(1), torch.random.fork_rng(devices=[]):
        torch.manual_seed(int(stream(seed, "language", "weights").integers(2**31)))
        model = GPT2LMHeadModel(
            gpt2_config(
                how.width,
                how.layers,
                how.heads,
                language.sizes.record_tokens + 1,
                vocab_size=len(language.vocabulary),
                # transformers' own 0.02 is meant for wide models
                initializer_range=how.width**-0.5,
                bos_token_id=None,
                # A record ends with its line.
                eos_token_id=[CLOSING_ID, END_ID],
                pad_token_id=PAD_ID,
                tie_word_embeddings=True,
            )
        )
        reached = train_until(
            model,
            batch,
            lambda model, inputs: response_nats(model(inputs["input_ids"]).logits, inputs["labels"]).mean(),
            measure,
            report,
            describe=f"pretraining on {balance} skills",
            most_steps=how.most_steps,
            rate=how.rate,
            check_every=CHECK_EVERY,
            average=AVERAGE,
        )
    return model.train(False), rows, reached


def record_batch(language: Language, skills: NDArray, contexts: NDArray) -> dict[str, Any]:
    """Records as tensors, with the letters of the response and the end of the line to be learned."""
    ids = language.record_ids(skills, contexts)
    labels = np.full_like(ids, IGNORED)
    start = 4 + language.sizes.length
    labels[:, start:] = ids[:, start:]
    return {"input_ids": torch.from_numpy(ids), "labels": torch.from_numpy(labels)}


def save_base(model: PreTrainedModel, language: Language, folder: Path) -> None:
    """Save a base and its tokenizer in Hugging Face's layout.

    Parameters
    ----------
    model, language
        Of `pretrain`.
    folder
        Where to; created when missing.
    """
    model.save_pretrained(folder)
    tokenizer = language.tokenizer()
    tokenizer.model_max_length = language.sizes.record_tokens + 1
    tokenizer.save_pretrained(folder)
