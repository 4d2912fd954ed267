"""transformers' Trainer with checkpoints that hold no pickle, and a loss that counts responses only.

Set-up and saving included, 200 updates of the embedded world's student take it about 1.4 times as long as a
bare loop (benchmarks/students.py), the worst case: the smaller the model, the larger the ratio.
"""

# ruff: noqa: ARG002 - a callback's signature is Trainer's
from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from transformers import Trainer, TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from ggmi.errors import UserError
from ggmi.io import write_json
from ggmi.random import stream
from ggmi.students.batching import IGNORED

OPTIMISER = "optimiser.safetensors"
SCHEDULE = "schedule.json"
# Written last: a checkpoint without it was cut off by a kill.
WHOLE = "whole.json"

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


class StudentTrainer(Trainer):
    """Trainer whose checkpoints are safetensors and JSON, and whose random numbers belong to the update."""

    def _save(self, output_dir: str | None = None, state_dict: dict | None = None) -> None:
        folder = output_dir or str(self.args.output_dir)
        self.model.save_pretrained(folder, state_dict=state_dict)  # type: ignore[union-attr, operator]

    def _save_optimizer_and_scheduler(self, output_dir: str) -> None:
        if not self.args.should_save:
            return
        assert self.optimizer is not None
        assert self.lr_scheduler is not None
        state = self.optimizer.state_dict()
        tensors = {f"{i}.{name}": value for i, values in state["state"].items() for name, value in values.items()}
        save_file(tensors, Path(output_dir) / OPTIMISER)
        write_json(
            Path(output_dir) / SCHEDULE, {"groups": state["param_groups"], "schedule": self.lr_scheduler.state_dict()}
        )

    def _load_optimizer_and_scheduler(self, checkpoint: str | None) -> None:
        if checkpoint is None:
            return
        values: dict[int, dict[str, torch.Tensor]] = {}
        for key, tensor in load_file(Path(checkpoint) / OPTIMISER).items():
            index, name = key.split(".")
            values.setdefault(int(index), {})[name] = tensor
        assert self.optimizer is not None
        assert self.lr_scheduler is not None
        told = json.loads((Path(checkpoint) / SCHEDULE).read_text(encoding="utf-8"))
        self.optimizer.load_state_dict({"state": values, "param_groups": told["groups"]})
        self.lr_scheduler.load_state_dict(told["schedule"])

    def floating_point_ops(self, inputs: dict[str, Any]) -> int:
        """Count nothing: the count walks over all parameters, which takes a tiny student a tenth of its time."""
        return 0

    # Every update seeds anew (`Watch.on_step_begin`), so there is nothing to keep.
    def _save_rng_state(self, output_dir: str) -> None:
        pass

    def _load_rng_state(self, checkpoint: str | None) -> None:
        pass


class Watch(TrainerCallback):
    """Says when to write a row or a checkpoint, seeds every update, and ends a training that diverges.

    Parameters
    ----------
    seed
        The run's seed.
    log_every, save_every
        Updates between rows, and between checkpoints; a checkpoint comes with a row.
    learning_rate
        As set, for the message.
    on_step
        Told updates made, all updates, and seconds left.
    """

    def __init__(
        self, seed: int, log_every: int, save_every: int, learning_rate: float, on_step: OnStep | None
    ) -> None:
        self._seed = seed
        self._log_every = log_every
        self._save_every = save_every
        self._learning_rate = learning_rate
        self._on_step = on_step
        self._first = 0
        self._started = 0.0

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Remember where the clock starts."""
        self._first, self._started = state.global_step, time.monotonic()

    def on_step_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Seed dropout by the update and the process, so that a resumed run draws the same."""
        generator = stream(self._seed, "students", "dropout", state.global_step, args.process_index)
        torch.manual_seed(int(generator.integers(2**63)))

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        """Decide what follows the update."""
        last = state.global_step >= state.max_steps
        control.should_save = state.global_step % self._save_every == 0 and not last
        control.should_log = state.global_step % self._log_every == 0 or control.should_save or last
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
                    f"nothing is kept; lower learning_rate (now {self._learning_rate:g}) or look at the base's weights"
                )

    def on_save(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        """Declare a checkpoint whole, and delete older ones."""
        if not state.is_world_process_zero:
            return
        newest = Path(str(args.output_dir)) / f"checkpoint-{state.global_step}"
        write_json(newest / WHOLE, {"step": state.global_step})
        for other in newest.parent.glob("checkpoint-*"):
            if other != newest:
                shutil.rmtree(other)


def last_checkpoint(folder: Path) -> Path | None:
    """The newest whole checkpoint of a folder, or None.

    Parameters
    ----------
    folder
        Where checkpoints are kept; need not exist.
    """
    whole = {int(mark.parent.name.rpartition("-")[2]): mark.parent for mark in folder.glob(f"checkpoint-*/{WHOLE}")}
    return whole[max(whole)] if whole else None
