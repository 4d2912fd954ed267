"""Fine-tuning: a base, a set of examples and settings become a student."""

from __future__ import annotations

import contextlib
import hashlib
import json
import math
import os
import shutil
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from torch.utils.data import Subset
from transformers import PreTrainedModel, Trainer, TrainingArguments

from ggmi.errors import UserError
from ggmi.io import read_json, write_json
from ggmi.loading import chosen_device, quiet, threads
from ggmi.random import stream
from ggmi.students.base import Base, finite
from ggmi.students.batching import (
    LITTLE_PADDING,
    dealt_out,
    keeps_records_apart,
    packed,
    padded,
    padding,
    sorted_by_length,
    updates,
)
from ggmi.students.sets import Examples
from ggmi.students.settings import TrainingSettings
from ggmi.students.trainer import OnStep, Watch, train, update_loss

# What the checkpoints in a folder belong to.
TASK = "task.json"

Row = TypeVar("Row")


@dataclass(frozen=True)
class LossRow:
    """A row of the loss curve.

    Parameters
    ----------
    step
        Updates made.
    epoch
        Passes over the set made.
    loss_nats_per_token
        Mean over the updates since the last row; an update's loss is the mean over its response
        tokens, before the update.
    learning_rate
        Of the last update.
    gradient_norm
        Of the last update, before clipping.
    tokens
        Tokens read so far, prompts and responses, without padding.
    """

    step: int
    epoch: float
    loss_nats_per_token: float
    learning_rate: float
    gradient_norm: float
    tokens: int


@dataclass(frozen=True)
class Training(Generic[Row]):
    """What a training was.

    Parameters
    ----------
    curve
        The loss curve: `LossRow`, or the curve of a student that learns from rewards.
    steps
        Updates made.
    records, truncated, dropped
        Records learned from, how many of them were cut, and how many did not fit.
    tokens
        Tokens read, without padding.
    padding
        Share of padding in what was computed.
    batching
        ``packed`` or ``padded``: where there would be little padding, and for a model that does not keep
        packed records apart, records are padded, whatever was asked; ``sampled`` where answers are.
    processes
        How many took part.
    seconds
        Since the start or the resumption; differs from run to run.
    """

    curve: tuple[Row, ...]
    steps: int
    records: int
    truncated: int
    dropped: int
    tokens: int
    padding: float
    batching: str
    processes: int
    seconds: float


def finetune(
    base: Base,
    examples: Examples,
    directory: str | os.PathLike[str],
    settings: TrainingSettings | None = None,
    *,
    seed: int = 0,
    chat: bool = False,
    checkpoints: str | os.PathLike[str] | None = None,
    on_step: OnStep | None = None,
) -> Training[LossRow]:
    """Train a student and save it in Hugging Face format: safetensors, configuration, tokenizer.

    An update's loss is the mean over the response tokens of its `batch_size` records, however
    these are divided among devices and accumulation. Under ``torchrun`` or ``accelerate launch`` every
    process calls this function with the same arguments and the first one writes. On CPU the
    same arguments and threads give the same bytes, also after a kill: the run goes on from its
    last checkpoint. Dropout is the base's own.

    Parameters
    ----------
    base
        Where the student starts.
    examples
        What it learns, made with the base's tokenizer (`ggmi.students.tokenise.tokenise`).
    directory
        Appears when the student is whole; an older one is replaced.
    settings
        See `TrainingSettings`.
    seed
        Decides the order of the records and dropout.
    chat
        Whether the examples have the form ``chat`` (see `Base.save`).
    checkpoints
        Folder for unfinished work, removed at the end; by default beside `directory`. What is
        there of another base, set or settings is thrown away.
    on_step
        Called after each update with updates made, all updates, and seconds left.

    Raises
    ------
    UserError
        If the set is empty, the batch cannot be divided, there is no such device, the loss stops
        being a number (nothing is saved then), or the GPU's memory is too small.
    """
    settings = settings or TrainingSettings()
    target = Path(directory)
    work = Path(checkpoints) if checkpoints else target.with_name(f".{target.name}.unfinished")
    if not len(examples):
        raise UserError("training: the set holds no records")
    started = time.monotonic()
    with quiet(), threads(settings.threads):
        arguments = trainer_arguments(settings, work, _steps(settings, len(examples)), seed)
        torch.set_num_threads(settings.threads)  # accelerate has a choice of its own
        each, lengths = arguments.per_device_train_batch_size, examples.lengths
        order = updates(len(examples), arguments.max_steps, settings.batch_size, seed)
        order = sorted_by_length(order, lengths)
        waste = padding(order, lengths, each)
        model = base.load()
        together = settings.batching == "packed" and waste > LITTLE_PADDING and keeps_records_apart(model)
        if together:
            order, waste = dealt_out(order, each), 0.0
        curve: tuple[LossRow, ...] = ()
        if arguments.max_steps:
            forget_others(work, _task(base, examples, settings, seed, together), arguments)
            curve = run(model, examples, order, together, arguments, Watch(settings.learning_rate, on_step))
        if arguments.process_index == 0:
            publish(base, model, target, chat)
            shutil.rmtree(work, ignore_errors=True)
        if arguments.world_size > 1:
            torch.distributed.barrier()
    return Training(
        curve=curve,
        steps=arguments.max_steps,
        records=len(examples),
        truncated=examples.truncated,
        dropped=examples.dropped,
        tokens=int(lengths[order].sum()),
        padding=waste,
        batching="packed" if together else "padded",
        processes=arguments.world_size,
        seconds=time.monotonic() - started,
    )


def _steps(settings: TrainingSettings, records: int) -> int:
    # 1e-9: twenty passes over 400 records in batches of 16 are 500 updates, not 501.
    return settings.steps or math.ceil(settings.epochs * records / settings.batch_size - 1e-9)


def trainer_arguments(settings: TrainingSettings, work: Path, steps: int, seed: int) -> TrainingArguments:
    """What Trainer is told.

    Parameters
    ----------
    settings
        See `TrainingSettings`.
    work
        Folder of the checkpoints.
    steps
        Updates.
    seed
        Of dropout.

    Raises
    ------
    UserError
        If there is no such device, or the batch cannot be divided.
    """
    world = int(os.environ.get("WORLD_SIZE", "1"))  # torchrun and accelerate set it
    shared = shared_arguments(settings, work, steps, settings.learning_rate, seed)
    parts = _parts(settings, world)
    arguments = TrainingArguments(
        **shared,
        per_device_train_batch_size=settings.batch_size // (parts * world),
        gradient_accumulation_steps=parts,
        train_sampling_strategy="sequential",
        ddp_backend="gloo" if shared["use_cpu"] and world > 1 else None,
        ddp_find_unused_parameters=False,
    )
    if arguments.n_gpu > 1:
        arguments._n_gpu = 1  # a process trains on one GPU; Trainer would cut its rows among all that it sees
    return arguments


def shared_arguments(
    settings: TrainingSettings, work: Path, steps: int, learning_rate: float, seed: int
) -> dict[str, Any]:
    """What every trainer is told, whatever a student learns from.

    Parameters
    ----------
    settings, work, steps, seed
        See `trainer_arguments`.
    learning_rate
        The highest.

    Raises
    ------
    UserError
        If there is no such device.
    """
    use_cpu = chosen_device(settings.device, "training.device") == "cpu"
    return {
        "output_dir": str(work),
        "max_steps": steps,
        "remove_unused_columns": False,
        "learning_rate": learning_rate,
        "lr_scheduler_type": settings.schedule if settings.schedule != "constant" else "constant_with_warmup",
        "warmup_steps": round(settings.warmup * steps),
        "weight_decay": settings.weight_decay,
        "max_grad_norm": settings.clip,
        "optim": "adamw_torch_fused",
        "bf16": settings.dtype == "bfloat16" or (settings.dtype == "auto" and not use_cpu),
        "use_cpu": use_cpu,
        "dataloader_pin_memory": not use_cpu,
        "logging_steps": settings.log_every,
        "save_steps": settings.save_every,
        "save_total_limit": 1,
        "logging_nan_inf_filter": False,
        "report_to": "none",
        "disable_tqdm": True,
        # Dropout and sampled answers; the order of records has a stream of its own.
        "seed": int(stream(seed, "students", "torch").integers(2**32)),
    }


def _parts(settings: TrainingSettings, world: int) -> int:
    """Parts of an update that one device takes in turn."""
    each = settings.per_device or settings.batch_size // world
    if not each or settings.batch_size % (each * world):
        per = f"per_device ({settings.per_device}) times " if settings.per_device else ""
        raise UserError(
            f"training.batch_size: {settings.batch_size} cannot be divided by {per}the number of processes ({world})"
        )
    return settings.batch_size // (each * world)


def _task(base: Base, examples: Examples, settings: TrainingSettings, seed: int, together: bool) -> dict[str, Any]:
    """Everything that decides the result of a training, but for the number of processes."""
    decides = {
        "base": base.identity,
        "examples": examples.digest(),
        "settings": settings.model_dump(exclude={"device", "save_every", "batching"}),
        "seed": seed,
        "packed": together,
    }
    text = json.dumps(decides, sort_keys=True)
    return {**decides, "hash": hashlib.sha256(text.encode()).hexdigest()}


def forget_others(work: Path, task: dict[str, Any], arguments: TrainingArguments) -> None:
    """Throw away the checkpoints of another training.

    Parameters
    ----------
    work
        Folder of the checkpoints.
    task
        Everything that decides the result of the training.
    arguments
        Of the trainer.
    """
    with arguments.main_process_first(desc="checkpoints"):
        if arguments.process_index == 0:
            found = None
            with contextlib.suppress(UserError):
                found = read_json(work / TASK)
            if found != task:
                shutil.rmtree(work, ignore_errors=True)
                write_json(work / TASK, task)


def run(
    model: PreTrainedModel,
    examples: Examples,
    order: NDArray[np.int64],
    together: bool,
    arguments: TrainingArguments,
    watch: Watch,
) -> tuple[LossRow, ...]:
    """Train a model in place, from its last checkpoint if there is one.

    Parameters
    ----------
    model
        Moved to the device and changed.
    examples
        What it learns.
    order
        Records of each update, those of a part side by side, shape (steps, batch_size).
    together
        Whether the records of a part share one row.
    arguments
        See `trainer_arguments`.
    watch
        Told of every update.

    Returns
    -------
    tuple of LossRow
        The loss curve.

    Raises
    ------
    UserError
        See `ggmi.students.trainer.train`.
    """
    cached = getattr(model.config, "use_cache", None)
    trainer = Trainer(
        model=model,
        args=arguments,
        train_dataset=Subset(examples.features(), order.ravel().tolist()),  # type: ignore[arg-type]
        data_collator=packed if together else padded,
        compute_loss_func=update_loss,
        callbacks=[watch],
    )
    log = train(trainer, arguments.per_device_train_batch_size)
    if cached is not None:
        model.config.use_cache = cached  # Trainer turns it off, and a student is saved to generate
    tokens = np.cumsum(examples.lengths[order].sum(1))
    passes = order.shape[1] / len(examples)
    rows = [(int(row["step"]), row) for row in log if "loss" in row]
    return tuple(
        LossRow(step, step * passes, row["loss"], row["learning_rate"], row["grad_norm"], int(tokens[step - 1]))
        for step, row in rows
    )


def publish(base: Base, model: PreTrainedModel, target: Path, chat: bool) -> None:
    """Save a student beside the target, then put it in its place.

    Parameters
    ----------
    base, model, target, chat
        See `ggmi.students.base.Base.save`.

    Raises
    ------
    UserError
        If a weight is no number, or the folder cannot be written.
    """
    if not finite(model):
        raise UserError("training: a weight is no number after the last update, so the student is not kept")
    beside = target.with_name(f".{target.name}.saving")
    try:
        shutil.rmtree(beside, ignore_errors=True)  # of a run that was killed here
        base.save(model, beside, chat=chat)
        shutil.rmtree(target, ignore_errors=True)
        beside.replace(target)
    except (OSError, SafetensorError) as error:
        raise UserError(f"{target}: cannot be written ({error})") from error
    finally:
        shutil.rmtree(beside, ignore_errors=True)
