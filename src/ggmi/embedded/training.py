"""Pre-training of the world's generators and of its base student.

A generator learns in two stages: pairs of records, until it knows the skills, then lists from latent
domains, until its law of the next skill is near the exact one. Both end on a measured criterion, with a
most number of steps. Where a skill word is due, the loss is taken against its exact law given what came
before instead of the word that was drawn: the gradient has the same expectation without the drawing's noise.
What is kept is an exponential average of the weights over the last steps.

The loop is transformers' `Trainer`, which costs 1.04 to 1.15 times a bare loop a step here (tiny models,
where that ratio is largest).

One seed gives the same bytes on one kind of processor: training runs in one thread, because the order of
a parallel sum may depend on how many threads share it. (One and two threads gave the same bytes when tried;
nothing promises it.) A killed training starts anew: it takes two minutes, and `Trainer` keeps its state by
pickle, without the average.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from transformers import GPT2LMHeadModel, LlamaConfig, LlamaForCausalLM, PreTrainedModel

from ggmi.embedded.documents import Batch, Documents
from ggmi.embedded.language import END_ID, PAD_ID
from ggmi.embedded.recipes import Recipe
from ggmi.embedded.truth import generator_truth, response_accuracy
from ggmi.loading import threads
from ggmi.random import stream
from ggmi.training import Inputs, Measure, Row, gpt2_config, train_until

Progress = Callable[[str, int, int, Row], None]

# Steps from one measurement to the next.
CHECK_EVERY = 50
# Prompts (of each number of instances) and records a measurement.
CHECK_PROMPTS, CHECK_RECORDS = 48, 400


@dataclass(frozen=True)
class Trained:
    """A trained model and how it got there.

    Parameters
    ----------
    model
        The model, in evaluation mode.
    rows
        The learning curve, a row a measurement: model, stage, step, mean training loss in nats a unit of
        weight since the last row, `accuracy`, and in lists `kl_<x>_ins_nats` for every x measured.
    reached
        Whether the last stage met its criterion; the medium and the small generator are not meant to.
    """

    model: PreTrainedModel
    rows: list[Row]
    reached: bool


def train(recipe: Recipe, documents: Documents, seed: int, name: str, progress: Progress | None = None) -> Trained:
    """Train one of the world's models.

    Parameters
    ----------
    recipe
        Size and criterion.
    documents
        The world's documents.
    seed
        The run's seed.
    name
        The model's name; it chooses the random streams and is named in messages.
    progress
        Called after every measurement with the stage, the step, the stage's most steps and the row.

    Raises
    ------
    UserError
        If the loss is not a number.
    """
    rows: list[Row] = []
    with threads(1), torch.random.fork_rng(devices=[]):
        model = _new_model(recipe, documents, int(stream(seed, "embedded", name, "weights").integers(2**31)))

        def run(stage: str, most: int, rate: float, make: _Make, measure: Measure) -> bool:
            def report(row: Row) -> None:
                rows.append({"model": name, "stage": stage, **row})
                if progress is not None:
                    progress(stage, int(row["step"]), most, rows[-1])

            return train_until(
                model,
                lambda step: _inputs(documents, make(stream(seed, "embedded", name, stage, step))),
                _law_loss,
                measure,
                report,
                describe=f"training {name}, stage {stage}",
                most_steps=most,
                rate=rate,
                check_every=CHECK_EVERY,
            )

        def accuracy(model: PreTrainedModel) -> tuple[Row, bool]:
            generator = stream(seed, "embedded", name, "held-out records")
            batch = _records(recipe, documents, CHECK_RECORDS, generator)
            found = response_accuracy(model, documents.language, batch.ids)
            return {"accuracy": found}, found >= recipe.wanted_accuracy

        def laws(model: PreTrainedModel) -> tuple[Row, bool]:
            found = []
            for x in recipe.instances:
                generator = stream(seed, "embedded", name, "held-out prompts", x)
                found.append(generator_truth(model, documents, x, CHECK_PROMPTS, generator))
            worst = min(f.accuracy for f in found)
            divergences = {f"kl_{f.instances}_ins_nats": f.kl_nats for f in found}
            enough = max(divergences.values()) <= recipe.wanted_kl_nats and worst >= recipe.wanted_accuracy
            return {"accuracy": worst, **divergences}, enough

        def records(generator: np.random.Generator) -> Batch:
            return _records(recipe, documents, recipe.record_documents, generator)

        def lists(generator: np.random.Generator) -> Batch:
            instances = int(generator.integers(1, documents.most_anchors + 1))
            return documents.lists(recipe.list_documents, instances, generator)

        reached = run("records", recipe.record_steps, recipe.record_rate, records, accuracy)
        if recipe.list_steps:
            reached = run("lists", recipe.list_steps, recipe.list_rate, lists, laws)
    return Trained(model.train(False), rows, reached)


def save(trained: Trained, documents: Documents, folder: Path) -> None:
    """Save a model and its tokenizer in Hugging Face's layout, weights as safetensors.

    Parameters
    ----------
    trained
        The model.
    documents
        The world's documents.
    folder
        Where to; created when missing.
    """
    trained.model.save_pretrained(folder)
    tokenizer = documents.language.tokenizer()
    tokenizer.model_max_length = documents.longest
    tokenizer.save_pretrained(folder)


_Make = Callable[[np.random.Generator], Batch]


def _records(recipe: Recipe, documents: Documents, count: int, generator: np.random.Generator) -> Batch:
    """Documents of the first stage."""
    if recipe.kind == "student":
        return documents.student_records(count, generator)
    return documents.pairs(count, generator)


def _new_model(recipe: Recipe, documents: Documents, seed: int) -> PreTrainedModel:
    """A model with random weights."""
    torch.manual_seed(seed)
    shared: dict[str, Any] = {
        "vocab_size": len(documents.language.vocabulary),
        # Transformers' own 0.02 is meant for wide models; from there these need several times the steps.
        "initializer_range": recipe.width**-0.5,
        "bos_token_id": None,
        "eos_token_id": END_ID,
        "pad_token_id": PAD_ID,
        "tie_word_embeddings": True,
    }
    if recipe.kind == "student":
        return GPT2LMHeadModel(gpt2_config(recipe.width, recipe.layers, recipe.heads, documents.longest, **shared))
    return LlamaForCausalLM(
        LlamaConfig(
            hidden_size=recipe.width,
            intermediate_size=8 * recipe.width // 3,
            num_hidden_layers=recipe.layers,
            num_attention_heads=recipe.heads,
            max_position_embeddings=documents.longest,
            **shared,
        )
    )


def _inputs(documents: Documents, batch: Batch) -> Inputs:
    """A batch as tensors."""
    return {
        "input_ids": torch.from_numpy(batch.ids),
        "weights": torch.from_numpy(batch.weights[1:]).float(),
        "skill_positions": torch.from_numpy(batch.skill_positions) - 1,
        "skill_laws": torch.from_numpy(batch.skill_laws).float(),
        "first_skill": documents.language.first_skill_id,
    }


def _law_loss(model: PreTrainedModel, inputs: Inputs) -> torch.Tensor:
    """Cross-entropy in nats a unit of weight, at skill words against their exact law."""
    ids, weights, positions = inputs["input_ids"], inputs["weights"], inputs["skill_positions"]
    first, laws = inputs["first_skill"], inputs["skill_laws"]
    logs = model(input_ids=ids).logits[:, :-1].log_softmax(-1)
    drawn = logs.gather(-1, ids[:, 1:, None])[..., 0]
    expected = (logs[:, positions, first : first + laws.shape[-1]] * laws).sum(-1)
    scores = drawn.index_copy(1, positions, expected)
    return -(scores @ weights).sum() / (weights.sum() * len(ids))
