"""Training of a reasoner: a small causal transformer that learns from worked chains, and is stopped early."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from transformers import GPT2LMHeadModel, PreTrainedModel

from ggmi.loading import loading, quiet, threads
from ggmi.random import stream
from ggmi.reasoning.problems import END, STEP_TOKENS, Ints, Problems, positions, positions_needed
from ggmi.training import Inputs, Row, gpt2_config, train_until

# Steps from one measurement to the next, and the share of the past kept in the average of weights, a step:
# the share of right steps rises from chance to nearly one within a hundred steps, and the average slows it.
CHECK_EVERY, AVERAGE = 5, 0.96
# Problems of each measured length, and how many lengths.
CHECK_PROBLEMS, CHECK_LENGTHS = 64, 4
# Steps taught beyond the longest problem asked: the last ones are seen least, and are learned last.
MARGIN = 2


@dataclass(frozen=True)
class Recipe:
    """How large a reasoner is and when its training ends.

    Parameters
    ----------
    layers, width, heads
        The model's size (GPT-2's architecture).
    steps
        Most training steps.
    rate
        Learning rate.
    chains
        Worked chains a training step.
    wanted_accuracy
        Share of right steps, each after a right prefix, that ends the training.
    """

    layers: int
    width: int
    heads: int
    steps: int
    rate: float
    chains: int
    wanted_accuracy: float


@dataclass(frozen=True)
class Trained:
    """A trained reasoner and how it got there.

    Parameters
    ----------
    model
        The model, in evaluation mode.
    rows
        The learning curve: step, mean loss in nats a token since the last row, `step_accuracy`.
    reached
        Whether the wanted accuracy was reached.
    """

    model: PreTrainedModel
    rows: list[Row]
    reached: bool


def train(
    recipe: Recipe,
    table: Ints,
    lengths: range,
    seed: int,
    name: str,
    progress: Callable[[str, int, int, Row], None] | None = None,
) -> Trained:
    """Train a reasoner from scratch on worked chains.

    Parameters
    ----------
    recipe
        Size and criterion.
    table
        The group's multiplication table.
    lengths
        L of the problems that it will be asked. It is taught up to `MARGIN` steps more; a batch has one
        length, drawn in proportion to its square, since late steps occur in long chains only.
    seed
        The run's seed.
    name
        The reasoner's name; it chooses the random streams and is named in messages.
    progress
        Called after every measurement with the stage, the step, the most steps and the row.

    Raises
    ------
    UserError
        If the loss is not a number.
    """
    rows: list[Row] = []
    taught = np.arange(lengths[0], lengths[-1] + MARGIN + 1)
    odds = np.square(taught.astype(float)) / np.square(taught.astype(float)).sum()
    measured = sorted({int(n) for n in np.linspace(lengths[0], lengths[-1], CHECK_LENGTHS).round()})
    all_positions = positions_needed(int(taught[-1]))
    held_out = [
        Problems.draw(table, n, CHECK_PROBLEMS, stream(seed, "reasoning", name, "held-out", n)) for n in measured
    ]

    def batch(step: int) -> Inputs:
        generator = stream(seed, "reasoning", name, "chains", step)
        return _inputs(
            Problems.draw(table, int(generator.choice(taught, p=odds)), recipe.chains, generator), all_positions
        )

    def measure(model: PreTrainedModel) -> tuple[Row, bool]:
        found = float(np.mean([step_accuracy(model, problems).mean() for problems in held_out]))
        return {"step_accuracy": found}, found >= recipe.wanted_accuracy

    def report(row: Row) -> None:
        rows.append(row)
        if progress is not None:
            progress("chains", int(row["step"]), recipe.steps, row)

    with threads(1), torch.random.fork_rng(devices=[]):
        torch.manual_seed(int(stream(seed, "reasoning", name, "weights").integers(2**31)))
        model = GPT2LMHeadModel(
            gpt2_config(
                recipe.width,
                recipe.layers,
                recipe.heads,
                all_positions,
                vocab_size=held_out[0].vocabulary,
                # Transformers' own 0.02 is meant for wide models.
                initializer_range=recipe.width**-0.5,
                tie_word_embeddings=True,
                bos_token_id=None,
                eos_token_id=END,
            )
        )
        _number_positions(model)
        reached = train_until(
            model,
            batch,
            _loss,
            measure,
            report,
            describe=f"training the reasoner {name}",
            most_steps=recipe.steps,
            rate=recipe.rate,
            check_every=CHECK_EVERY,
            average=AVERAGE,
        )
    return Trained(model.train(False), rows, reached)


@torch.inference_mode()
def step_accuracy(model: PreTrainedModel, problems: Problems) -> NDArray[np.float32]:
    """Probability that a step is written as it was taught, given a right prefix.

    Parameters
    ----------
    model
        The reasoner.
    problems
        Problems of one length.

    Returns
    -------
    ndarray, shape (problems, L)
    """
    inputs = _inputs(problems, model.config.n_positions)
    first, ids = inputs["first"], inputs["input_ids"]
    logits = _logits(model, inputs)
    written = logits.log_softmax(-1).gather(-1, ids[:, first:, None])[..., 0]
    return written[:, :-1].reshape(len(ids), -1, STEP_TOKENS).sum(-1).exp().numpy()


def save(model: PreTrainedModel, folder: Path) -> None:
    """Write a model in Hugging Face's layout, weights as safetensors."""
    with quiet():
        model.save_pretrained(folder)


def load(folder: Path, kind: type[PreTrainedModel] = GPT2LMHeadModel) -> PreTrainedModel:
    """Read a model that `save` wrote, for evaluation.

    Parameters
    ----------
    folder
        Where it is.
    kind
        With which head.

    Raises
    ------
    UserError
        If it cannot be read.
    """
    with quiet(), loading(f"{folder}: cannot be loaded as a reasoner"):
        model: PreTrainedModel = kind.from_pretrained(folder, use_safetensors=True, dtype=torch.float32)
    return model.train(False)


@torch.no_grad()
def _number_positions(model: GPT2LMHeadModel) -> None:
    """Begin with one vector a step, shared by its operands and its two tokens, and one a kind of place.

    From independent positions, single steps stay unlearned for long: each must find its operand by itself.
    """
    places = model.transformer.wpe.weight
    place = torch.arange(len(places))
    # Prompts end before it; the start, after them, is where the first step is written from.
    chain = len(places) // 2 - 1
    token = torch.where(place < chain, place, place - chain)
    kind = token % STEP_TOKENS + STEP_TOKENS * (place >= chain)
    number = token // STEP_TOKENS
    # Of length one and, where the width allows it, orthogonal: no step is taken for another.
    kinds = int(kind.max()) + 1
    vectors = torch.nn.init.orthogonal_(torch.empty(kinds + int(number.max()) + 1, places.shape[1]))
    places.copy_(vectors[kinds + number] + vectors[kind])


def _inputs(problems: Problems, all_positions: int) -> Inputs:
    """Right chains of problems as tensors; `first` is where the chains begin."""
    prompts = problems.prompts()
    ids = np.concatenate([prompts, problems.chains()], axis=1)
    places = positions(problems.length, all_positions)[: ids.shape[1]]
    return {
        "input_ids": torch.from_numpy(ids),
        "position_ids": torch.from_numpy(places)[None],
        "first": prompts.shape[1],
    }


def _logits(model: PreTrainedModel, inputs: Inputs) -> torch.Tensor:
    """Logits of a chain's tokens."""
    ids = inputs["input_ids"]
    # Without a mask, transformers takes a gap between positions for the border between two texts.
    found = model(input_ids=ids, position_ids=inputs["position_ids"], attention_mask=torch.ones_like(ids))
    return found.logits[:, inputs["first"] - 1 : -1]


def _loss(model: PreTrainedModel, inputs: Inputs) -> torch.Tensor:
    """Cross-entropy in nats a token of the chains; the prompts are given, not learned."""
    first, ids = inputs["first"], inputs["input_ids"]
    logits = _logits(model, inputs)
    return torch.nn.functional.cross_entropy(logits.transpose(1, 2), ids[:, first:])
