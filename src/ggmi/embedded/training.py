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

import copy
import math
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from transformers import (
    GPT2Config,
    GPT2LMHeadModel,
    LlamaConfig,
    LlamaForCausalLM,
    PreTrainedModel,
    PrinterCallback,
    Trainer,
    TrainerCallback,
    TrainingArguments,
)

from ggmi.embedded.documents import Batch, Documents
from ggmi.embedded.language import END_ID, PAD_ID
from ggmi.embedded.recipes import Recipe
from ggmi.embedded.truth import generator_truth, response_accuracy
from ggmi.errors import UserError
from ggmi.loading import threads
from ggmi.random import stream

Row = dict[str, float | int | str]
Progress = Callable[[str, int, int, Row], None]

# Share of the past kept in the average of weights, a step.
AVERAGE = 0.98
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

        def run(stage: str, most: int, rate: float, make: _Make, measure: _Measure) -> bool:
            def report(row: Row) -> None:
                rows.append(row)
                if progress is not None:
                    progress(stage, int(row["step"]), most, row)

            batches = _Batches(documents, lambda step: make(stream(seed, "embedded", name, stage, step)))
            return _run_stage(model, name, stage, most, rate, batches, measure, report)

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
_Measure = Callable[[PreTrainedModel], tuple[Row, bool]]


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
        return GPT2LMHeadModel(
            GPT2Config(
                n_embd=recipe.width,
                n_layer=recipe.layers,
                n_head=recipe.heads,
                n_positions=documents.longest,
                resid_pdrop=0.0,
                embd_pdrop=0.0,
                attn_pdrop=0.0,
                **shared,
            )
        )
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


class _Batches(torch.utils.data.IterableDataset):
    """Batches without end, one a step, each from a stream of its own."""

    def __init__(self, documents: Documents, make: Callable[[int], Batch]) -> None:
        self.first_skill = documents.language.first_skill_id
        self.make = make

    def __iter__(self) -> Iterator[dict[str, Any]]:
        step = 0
        while True:
            batch = self.make(step)
            yield {
                "input_ids": torch.from_numpy(batch.ids),
                "weights": torch.from_numpy(batch.weights[1:]).float(),
                "skill_positions": torch.from_numpy(batch.skill_positions) - 1,
                "skill_laws": torch.from_numpy(batch.skill_laws).float(),
                "first_skill": self.first_skill,
            }
            step += 1


class _LawTrainer(Trainer):
    """A trainer whose loss is weighted by token and taken against exact laws at skill words."""

    last_loss = math.nan

    def compute_loss(self, model: Any, inputs: dict[str, Any], *_: Any, **__: Any) -> torch.Tensor:
        """Weighted cross-entropy in nats a unit of weight."""
        ids, weights, positions = inputs["input_ids"], inputs["weights"], inputs["skill_positions"]
        first, laws = inputs["first_skill"], inputs["skill_laws"]
        logs = model(input_ids=ids).logits[:, :-1].log_softmax(-1)
        drawn = logs.gather(-1, ids[:, 1:, None])[..., 0]
        expected = (logs[:, positions, first : first + laws.shape[-1]] * laws).sum(-1)
        scores = drawn.index_copy(1, positions, expected)
        loss = -(scores @ weights).sum() / (weights.sum() * len(ids))
        self.last_loss = loss.item()
        return loss


class _Watch(TrainerCallback):
    """Averages the weights, measures them now and then, and ends the stage when they are good enough."""

    def __init__(self, model: PreTrainedModel, describe: str, measure: _Measure, report: Callable[[Row], None]):
        self.average = copy.deepcopy(model).train(False)
        self.describe, self.measure, self.report = describe, measure, report
        self.trainer: _LawTrainer | None = None
        self.losses: list[float] = []
        self.reached = False

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:  # noqa: ARG002
        """Average, and measure every so many steps and at the last."""
        assert self.trainer is not None
        loss = self.trainer.last_loss
        if not math.isfinite(loss):
            raise UserError(
                f"{self.describe}: the loss is {loss} at step {state.global_step}; use a smaller learning rate"
            )
        self.losses.append(loss)
        with torch.no_grad():
            latest, average = list(kwargs["model"].parameters()), list(self.average.parameters())
            torch._foreach_lerp_(average, latest, 1 - AVERAGE)
        if state.global_step % CHECK_EVERY == 0 or state.global_step == state.max_steps:
            found, self.reached = self.measure(self.average)
            self.report({"step": state.global_step, "loss_nats": float(np.mean(self.losses)), **found})
            self.losses.clear()
            control.should_training_stop = self.reached or state.global_step == state.max_steps


def _run_stage(
    model: PreTrainedModel,
    name: str,
    stage: str,
    most: int,
    rate: float,
    batches: _Batches,
    measure: _Measure,
    report: Callable[[Row], None],
) -> bool:
    """Train until the criterion or the most steps; leaves the averaged weights in the model."""
    watch = _Watch(
        model, f"training {name}, stage {stage}", measure, lambda row: report({"model": name, "stage": stage, **row})
    )
    with tempfile.TemporaryDirectory() as scratch:
        arguments = TrainingArguments(
            output_dir=scratch,
            max_steps=most,
            learning_rate=rate,
            adam_beta2=0.98,
            warmup_steps=20,
            lr_scheduler_type="constant_with_warmup",
            per_device_train_batch_size=1,
            max_grad_norm=1.0,
            use_cpu=True,
            remove_unused_columns=False,
            # Otherwise accelerate cuts every tensor to as many rows as the first one has.
            accelerator_config={"dispatch_batches": False},
            save_strategy="no",
            logging_strategy="no",
            report_to="none",
            disable_tqdm=True,
        )
        trainer = _LawTrainer(
            model=model,
            args=arguments,
            train_dataset=batches,
            data_collator=lambda features: features[0],
            callbacks=[watch],
        )
        watch.trainer = trainer
        trainer.remove_callback(PrinterCallback)
        trainer.train()
    model.load_state_dict(watch.average.state_dict())
    return watch.reached
