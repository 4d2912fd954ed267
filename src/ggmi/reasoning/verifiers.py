"""Verifiers: classifiers with the reasoner's body, trained on its own chains, and synthetic ones of set reliability."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from sklearn.metrics import roc_auc_score
from transformers import GPT2Config, GPT2ForTokenClassification, PreTrainedModel

from ggmi.loading import loading, quiet, threads
from ggmi.random import stream
from ggmi.reasoning.prefixes import Prefixes
from ggmi.reasoning.problems import END, Bools, Ints, positions
from ggmi.reasoning.reasoner import load
from ggmi.reasoning.samples import Samples
from ggmi.search.policy import Floats
from ggmi.training import Inputs, Row, train_until

VERIFIERS = ("orm", "prm")
Kind = Literal["orm", "prm"]
# Steps from one measurement to the next; chains held out for it.
CHECK_EVERY, CHECK_CHAINS = 50, 1000


@dataclass(frozen=True)
class Verifier:
    """A trained verifier.

    Parameters
    ----------
    model
        A classifier of tokens, in evaluation mode: at a chain's end the logit that its result is right (ORM),
        at a step's end the logit that the step is (PRM).
    rows
        The learning curve: step, mean loss in nats a label since the last row, `held_out_auc`.
    """

    model: PreTrainedModel
    rows: list[Row]


def train_verifier(
    kind: Kind,
    reasoner: Path,
    samples: Samples,
    seed: int,
    name: str,
    *,
    steps: int,
    rate: float,
    chains: int,
    progress: Callable[[str, int, int, Row], None] | None = None,
) -> Verifier:
    """Train a verifier, starting from the reasoner's body.

    Parameters
    ----------
    kind
        ``orm``, an outcome model: it learns from each chain's end alone whether its result is right. ``prm``,
        a process model: it learns at the end of each step, up to the first wrong one, whether it is right.
    reasoner
        The reasoner's folder.
    samples
        Chains of the reasoner's own, of one length; the last ones are held out.
    seed
        The run's seed.
    name
        The reasoner's name; it chooses the random streams.
    steps, rate, chains
        Training steps, learning rate, chains a step.
    progress
        As for `ggmi.reasoning.reasoner.train`.
    """
    rows: list[Row] = []
    labels, counted = _labels(kind, samples)
    held_out = slice(len(labels) - CHECK_CHAINS, None)
    learned = len(labels) - CHECK_CHAINS

    with threads(1), torch.random.fork_rng(devices=[]):
        torch.manual_seed(int(stream(seed, "reasoning", name, kind, "weights").integers(2**31)))
        with quiet(), loading(f"{reasoner}: cannot be loaded as a reasoner"):
            config = GPT2Config.from_pretrained(reasoner, num_labels=1, classifier_dropout=0.0)
            # The reasoner's layers know what a step should say; whether it does is for one more to tell.
            config.n_layer += 1
            model = GPT2ForTokenClassification.from_pretrained(
                reasoner, config=config, use_safetensors=True, dtype=torch.float32
            )
        prompts, places = samples.problems.prompts(), positions(samples.problems.length, model.config.n_positions)
        ids = np.concatenate([prompts, np.where(samples.tokens < 0, END, samples.tokens)], axis=1)

        def inputs(which: slice | Ints) -> Inputs:
            # No chain of the batch is longer than this.
            longest = int((samples.tokens[which] >= 0).sum(axis=1).max())
            return {
                "input_ids": torch.from_numpy(ids[which][:, : prompts.shape[1] + longest]),
                "position_ids": torch.from_numpy(places[: prompts.shape[1] + longest])[None],
                "labels": torch.from_numpy(labels[which][:, :longest]).float(),
                "counted": torch.from_numpy(counted[which][:, :longest]).float(),
            }

        def batch(step: int) -> Inputs:
            return inputs(stream(seed, "reasoning", name, kind, step).integers(learned, size=chains))

        def measure(model: PreTrainedModel) -> tuple[Row, bool]:
            with torch.inference_mode():
                asked = inputs(held_out)
                scores = _logits(model, asked)[asked["counted"] > 0]
            return {"held_out_auc": float(roc_auc_score(asked["labels"][asked["counted"] > 0], scores))}, False

        def report(row: Row) -> None:
            rows.append(row)
            if progress is not None:
                progress(kind, int(row["step"]), steps, row)

        train_until(
            model,
            batch,
            _loss,
            measure,
            report,
            describe=f"training the {kind} of {name}",
            most_steps=steps,
            rate=rate,
            check_every=CHECK_EVERY,
        )
    return Verifier(model.train(False), rows)


def load_all(reasoner: str, orm: str, prm: str) -> dict[str, PreTrainedModel]:
    """A reasoner and its verifiers by name, from their folders."""
    folders = {"orm": orm, "prm": prm}
    verifiers = {name: load(Path(folder), GPT2ForTokenClassification) for name, folder in folders.items()}
    return {"reasoner": load(Path(reasoner)), **verifiers}


class SetReliability:
    """A verifier that chooses right with a set probability, where there is something right to choose.

    Where all candidates are right, or none is, there is nothing to tell apart.

    Parameters
    ----------
    prefixes
        They know what is right.
    reliability
        ε, the probability that a right candidate gets the highest score where there are right and wrong ones.
    generator
        Source of randomness, a number a row.
    """

    def __init__(self, prefixes: Prefixes, reliability: float, generator: np.random.Generator) -> None:
        self._prefixes, self._reliability, self._generator = prefixes, reliability, generator

    def score(self, nodes: Ints) -> Floats:
        """1 for candidates of the kind that is to be chosen, 0 for others, shape (rows, candidates)."""
        right = self._prefixes.right[nodes]
        good = self._generator.random(len(nodes)) < self._reliability
        return np.where(nodes >= 0, (right == good[:, None]).astype(float), np.nan)


def _labels(kind: Kind, samples: Samples) -> tuple[Bools, Bools]:
    """Label of each token, and whether it counts."""
    there = samples.tokens >= 0
    if kind == "prm":
        # After the first wrong step nothing more is asked, as with people's labels.
        right = samples.prefix_is_right
        before = np.pad(right, ((0, 0), (1, 0)), constant_values=True)[:, :-1]
        return right, samples.step_ends & there & before
    last = np.arange(there.shape[1])[None] == there.sum(axis=1)[:, None] - 1
    return np.repeat(samples.outcome[:, None], there.shape[1], axis=1), last


def _logits(model: PreTrainedModel, inputs: Inputs) -> torch.Tensor:
    """A logit for each token of the chains."""
    ids = inputs["input_ids"]
    found = model(input_ids=ids, position_ids=inputs["position_ids"], attention_mask=torch.ones_like(ids))
    return found.logits[:, -inputs["labels"].shape[1] :, 0]


def _loss(model: PreTrainedModel, inputs: Inputs) -> torch.Tensor:
    """Cross-entropy in nats a label."""
    losses = torch.nn.functional.binary_cross_entropy_with_logits(
        _logits(model, inputs), inputs["labels"], reduction="none"
    )
    return (losses * inputs["counted"]).sum() / inputs["counted"].sum()
