"""What transformers' Trainer is given: a loss that counts responses only, a callback, and the checkpoint to go on from.

Set-up and saving included, 200 updates of the embedded world's student take it about 1.5 times as long as a
bare loop (benchmarks/students.py), the worst case: the smaller the model, the larger the ratio.
"""

# ruff: noqa: ARG002 - a callback's signature is Trainer's
from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError
from transformers import PrinterCallback, Trainer, TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from ggmi.errors import UserError
from ggmi.io import read_json
from ggmi.students.sets import IGNORED

_ARCHIVE = ("inline_container", "PytorchStream")

OnStep = Callable[[int, int, float | None], None]


def response_nats(logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Loss of each learned token, in nats.

    Parameters
    ----------
    logits
        Shape (B, T, V); those of a token predict the next.
    labels
        Shape (B, T); `IGNORED` for tokens that are not learned.

    Returns
    -------
    Tensor, shape (number of learned tokens,)
        In the order of rows and columns.
    """
    wanted = labels[:, 1:].to(logits.device)
    learned = wanted != IGNORED
    # Chosen before float32: most of the memory would go to logits of the prompts.
    chosen = logits[:, :-1][learned].float()
    return torch.nn.functional.cross_entropy(chosen, wanted[learned], reduction="none")


def update_loss(outputs: Any, labels: torch.Tensor, num_items_in_batch: torch.Tensor) -> torch.Tensor:
    """A part's share of the mean over all learned tokens of its update, whatever the division into parts."""
    return response_nats(outputs.logits, labels).sum() / num_items_in_batch


class TooLargeError(UserError):
    """A part of an update does not fit into the memory of the GPU."""


class Watch(TrainerCallback):
    """Tells how far a training is, and ends one that diverges.

    Parameters
    ----------
    learning_rate
        As set, for the message.
    on_step
        Told updates made, all updates, and seconds left.
    """

    def __init__(self, learning_rate: float, on_step: OnStep | None) -> None:
        self._learning_rate = learning_rate
        self._on_step = on_step
        self._first = 0
        self._started = 0.0

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Remember where the clock starts."""
        self._first, self._started = state.global_step, time.monotonic()

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        """Write a row with each checkpoint, which keeps no sum of losses, and at the end, without a checkpoint."""
        last = state.global_step >= state.max_steps
        control.should_save &= not last
        control.should_log |= control.should_save or last
        if self._on_step is not None and state.is_world_process_zero:
            pace = (time.monotonic() - self._started) / (state.global_step - self._first)
            self._on_step(state.global_step, state.max_steps, pace * (state.max_steps - state.global_step))

    def on_log(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, logs: Any = None, **kwargs: Any
    ) -> None:
        """Refuse to go on, or to keep anything, from a loss that is no number."""
        for name, key in (("loss", "loss"), ("gradient", "grad_norm")):
            if not np.isfinite(logs.get(key, 0.0)):
                raise UserError(
                    f"training: the {name} is {logs[key]} by update {state.global_step} of {state.max_steps}, so "
                    f"the student is not kept; lower learning_rate (now {self._learning_rate:g}) or look at the base's "
                    "weights"
                )


def last_checkpoint(folder: Path) -> str | None:
    """The newest whole checkpoint of a folder, or None; Trainer writes its own state last.

    Parameters
    ----------
    folder
        Where checkpoints are kept; need not exist.
    """
    for place in sorted(folder.glob("checkpoint-*"), key=lambda path: -int(path.name.rpartition("-")[2])):
        with contextlib.suppress(UserError):
            read_json(place / "trainer_state.json")
            return str(place)
    return None


def train(trainer: Trainer, each: int) -> list[dict[str, float]]:
    """Let a trainer train, from its last checkpoint if there is one.

    Parameters
    ----------
    trainer
        Its model is changed in place.
    each
        Records that a device takes at a time, for the message.

    Returns
    -------
    list of dict
        The trainer's log.

    Raises
    ------
    UserError
        If the loss stops being a number, the GPU's memory is too small, or a checkpoint cannot be written or read.
    """
    trainer.remove_callback(PrinterCallback)
    folder = str(trainer.args.output_dir)
    try:
        trainer.train(resume_from_checkpoint=last_checkpoint(Path(folder)))
    except torch.OutOfMemoryError:
        raise TooLargeError(
            f"training: {each} records at a time do not fit into the memory of the GPU; set training.per_device lower"
        ) from None
    except (OSError, EOFError, SafetensorError, RuntimeError) as error:
        # torch tells of a full disk, or of a file that was cut off, by an error of its archive.
        if isinstance(error, RuntimeError) and not any(name in str(error) for name in _ARCHIVE):
            raise
        raise UserError(f"{folder}: a checkpoint cannot be written or read ({error})") from error
    return list(trainer.state.log_history)
