"""Training until a measured criterion is met: one loop for every model that the workflow trains itself.

The loop is transformers' `Trainer`. What is kept is an exponential average of the weights over the last
steps, and that is also what is measured.
"""

from __future__ import annotations

import copy
import math
import tempfile
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from transformers import GPT2Config, PreTrainedModel, PrinterCallback, Trainer, TrainerCallback, TrainingArguments

from ggmi.errors import UserError

Row = dict[str, float | int | str]
Inputs = dict[str, Any]
# What is found of a model, and whether that is good enough.
Measure = Callable[[PreTrainedModel], tuple[Row, bool]]

# Share of the past kept in the average of weights, a step.
AVERAGE = 0.98


def gpt2_config(width: int, layers: int, heads: int, positions: int, **further: Any) -> GPT2Config:
    """GPT-2's architecture without dropout.

    Parameters
    ----------
    width, layers, heads
        The model's size.
    positions
        Most tokens of a text.
    **further
        Further settings of `transformers.GPT2Config`.
    """
    return GPT2Config(
        n_embd=width,
        n_layer=layers,
        n_head=heads,
        n_positions=positions,
        resid_pdrop=0.0,
        embd_pdrop=0.0,
        attn_pdrop=0.0,
        # The same function as GPT-2's own `gelu_new`, in one pass instead of eight: a fifth of a step's time.
        activation_function="gelu_pytorch_tanh",
        **further,
    )


def train_until(
    model: PreTrainedModel,
    batch: Callable[[int], Inputs],
    loss: Callable[[PreTrainedModel, Inputs], torch.Tensor],
    measure: Measure,
    report: Callable[[Row], None],
    *,
    describe: str,
    most_steps: int,
    rate: float,
    check_every: int,
    average: float = AVERAGE,
) -> bool:
    """Train until the criterion or the most steps; leaves the averaged weights in the model.

    Parameters
    ----------
    model
        What learns.
    batch
        The batch of a step, by its number from 0.
    loss
        The loss in nats on a batch.
    measure
        Called with the averaged model every `check_every` steps and at the last; its second value ends
        the training.
    report
        Called after every measurement with the step, the mean loss since the last one, and what was found.
    describe
        What is trained, for messages.
    most_steps
        Steps at most.
    rate
        Learning rate, reached over 20 steps.
    check_every
        Steps from one measurement to the next.
    average
        Share of the past kept in the average of weights, a step.

    Returns
    -------
    bool
        Whether the criterion was met.

    Raises
    ------
    UserError
        If the loss is not a number.
    """
    watch = _Watch(model, describe, measure, report, check_every, average)
    with tempfile.TemporaryDirectory() as scratch:
        arguments = TrainingArguments(
            output_dir=scratch,
            max_steps=most_steps,
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
        trainer = _LossTrainer(
            model=model,
            args=arguments,
            train_dataset=_Batches(batch),
            data_collator=lambda features: features[0],
            callbacks=[watch],
        )
        trainer.loss = loss
        watch.trainer = trainer
        trainer.remove_callback(PrinterCallback)
        trainer.train()
    model.load_state_dict(watch.average.state_dict())
    return watch.reached


class _Batches(torch.utils.data.IterableDataset):
    """Batches without end, one a step."""

    def __init__(self, batch: Callable[[int], Inputs]) -> None:
        self.batch = batch

    def __iter__(self) -> Iterator[Inputs]:
        step = 0
        while True:
            yield self.batch(step)
            step += 1


class _LossTrainer(Trainer):
    """A trainer with a loss of one's own."""

    loss: Callable[[PreTrainedModel, Inputs], torch.Tensor]
    last_loss = math.nan

    def compute_loss(self, model: Any, inputs: Inputs, *_: Any, **__: Any) -> torch.Tensor:
        """The loss on a batch, kept for the report."""
        loss = self.loss(model, inputs)
        self.last_loss = loss.item()
        return loss


class _Watch(TrainerCallback):
    """Averages the weights, measures them now and then, and ends the training when they are good enough."""

    def __init__(
        self,
        model: PreTrainedModel,
        describe: str,
        measure: Measure,
        report: Callable[[Row], None],
        check_every: int,
        kept: float,
    ) -> None:
        self.average = copy.deepcopy(model).train(False)
        self.describe, self.measure, self.report = describe, measure, report
        self.check_every, self.kept = check_every, kept
        self.trainer: _LossTrainer | None = None
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
            torch._foreach_lerp_(average, latest, 1 - self.kept)
        if state.global_step % self.check_every == 0 or state.global_step == state.max_steps:
            found, self.reached = self.measure(self.average)
            self.report({"step": state.global_step, "loss_nats": float(np.mean(self.losses)), **found})
            self.losses.clear()
            control.should_training_stop = self.reached or state.global_step == state.max_steps
