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
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError
from transformers import PreTrainedModel, PrinterCallback, TrainingArguments

from ggmi.errors import UserError
from ggmi.io import read_json, write_json
from ggmi.loading import chosen_device, quiet, threads
from ggmi.students.base import Base
from ggmi.students.batching import USUAL_WIDTH, Plan, keeps_records_apart, updates
from ggmi.students.sets import Examples
from ggmi.students.settings import TrainingSettings
from ggmi.students.trainer import OnStep, StudentTrainer, Watch, last_checkpoint, update_loss

# What the checkpoints in a folder belong to.
TASK = "task.json"


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
class Training:
    """What a training was.

    Parameters
    ----------
    curve
        The loss curve.
    steps
        Updates made.
    records, truncated, dropped
        Records learned from, how many of them were cut, and how many did not fit.
    tokens
        Tokens read, without padding.
    padding
        Share of padding in what was computed.
    batching
        ``packed`` or ``padded``: a model that does not keep packed records apart is trained on
        padded ones, whatever was asked.
    processes
        How many took part.
    seconds
        Since the start or the resumption; differs from run to run.
    """

    curve: tuple[LossRow, ...]
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
) -> Training:
    """Train a student and save it in Hugging Face format: safetensors, configuration, tokenizer.

    An update's loss is the mean over the response tokens of its `batch_size` records, however
    these are divided among devices and accumulation. Under ``torchrun`` every process calls this
    function with the same arguments and the first one writes (`ggmi.students.launch` does that). On CPU the
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
        arguments = trainer_arguments(settings, work, _steps(settings, len(examples)))
        torch.set_num_threads(settings.threads)  # accelerate has a choice of its own
        parts = arguments.gradient_accumulation_steps * arguments.world_size
        model = base.load()
        packed = settings.batching == "packed" and keeps_records_apart(model)
        width = getattr(base.config.get_text_config(), "hidden_size", USUAL_WIDTH) if packed else None
        order = updates(len(examples), arguments.max_steps, settings.batch_size, seed)
        plan = Plan(examples, order, parts, width)
        curve: tuple[LossRow, ...] = ()
        if arguments.max_steps:
            resume = resumable(work, _task(base, examples, settings, seed, packed), arguments)
            watch = Watch(seed, settings.log_every, settings.save_every, settings.learning_rate, on_step)
            curve = run(model, plan, arguments, watch, resume)
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
        tokens=int(plan.tokens()[-1]) if arguments.max_steps else 0,
        padding=plan.waste(),
        batching="packed" if packed else "padded",
        processes=arguments.world_size,
        seconds=time.monotonic() - started,
    )


def _steps(settings: TrainingSettings, records: int) -> int:
    # 1e-9: twenty passes over 400 records in batches of 16 are 500 updates, not 501.
    return settings.steps or math.ceil(settings.epochs * records / settings.batch_size - 1e-9)


def trainer_arguments(settings: TrainingSettings, work: Path, steps: int) -> TrainingArguments:
    """What Trainer is told.

    Parameters
    ----------
    settings
        See `TrainingSettings`.
    work
        Folder of the checkpoints.
    steps
        Updates.

    Raises
    ------
    UserError
        If there is no such device, or the batch cannot be divided.
    """
    world = int(os.environ.get("WORLD_SIZE", "1"))  # torchrun and accelerate set it
    shared = shared_arguments(settings, work, steps, settings.learning_rate)
    return TrainingArguments(
        **shared,
        # A batch of the plan is one part of an update already.
        per_device_train_batch_size=1,
        gradient_accumulation_steps=_parts(settings, world),
        train_sampling_strategy="sequential",
        ddp_backend="gloo" if shared["use_cpu"] and world > 1 else None,
        ddp_find_unused_parameters=False,
    )


def shared_arguments(settings: TrainingSettings, work: Path, steps: int, learning_rate: float) -> dict[str, Any]:
    """What every trainer is told, whatever a student learns from.

    Parameters
    ----------
    settings, work, steps
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
        "logging_strategy": "no",
        "save_strategy": "no",
        "eval_strategy": "no",
        "logging_nan_inf_filter": False,
        "report_to": "none",
        "disable_tqdm": True,
        # Orders, dropout and sampling have streams of their own; this one decides nothing.
        "seed": 0,
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


def _task(base: Base, examples: Examples, settings: TrainingSettings, seed: int, packed: bool) -> dict[str, Any]:
    """Everything that decides the result of a training, but for the number of processes."""
    decides = {
        "base": base.identity,
        "examples": examples.digest(),
        "settings": settings.model_dump(exclude={"device", "save_every", "batching"}),
        "seed": seed,
        "packed": packed,
    }
    text = json.dumps(decides, sort_keys=True)
    return {**decides, "hash": hashlib.sha256(text.encode()).hexdigest()}


def resumable(work: Path, task: dict[str, Any], arguments: TrainingArguments) -> Path | None:
    """The checkpoint to go on from; what belongs to another task is thrown away.

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
        return last_checkpoint(work)


def run(
    model: PreTrainedModel, plan: Plan, arguments: TrainingArguments, watch: Watch, resume: Path | None = None
) -> tuple[LossRow, ...]:
    """Train a model in place, as a plan says.

    Parameters
    ----------
    model
        Moved to the device and changed.
    plan
        What it reads.
    arguments
        See `trainer_arguments`.
    watch
        Decides when rows and checkpoints are written.
    resume
        Checkpoint to go on from.

    Returns
    -------
    tuple of LossRow
        The loss curve.

    Raises
    ------
    UserError
        If the loss stops being a number, or the GPU's memory is too small.
    """
    cached = getattr(model.config, "use_cache", None)
    trainer = StudentTrainer(
        model=model,
        args=arguments,
        train_dataset=plan,
        data_collator=_only,
        compute_loss_func=update_loss,
        callbacks=[watch],
    )
    trainer.remove_callback(PrinterCallback)
    try:
        trainer.train(resume_from_checkpoint=str(resume) if resume else None)
    except torch.OutOfMemoryError:
        raise UserError(
            f"training: {len(plan.order[0]) // plan.parts} records at a time do not fit into the memory of the GPU; "
            "set training.per_device lower"
        ) from None
    except (OSError, SafetensorError) as error:
        raise UserError(f"{arguments.output_dir}: a checkpoint cannot be written or read ({error})") from error
    if cached is not None:
        model.config.use_cache = cached  # Trainer turns it off, and a student is saved to generate
    tokens = plan.tokens()
    records, batch = len(plan.examples), plan.order.shape[1]
    rows = [(int(row["step"]), row) for row in trainer.state.log_history if "loss" in row]
    return tuple(
        LossRow(
            step,
            step * batch / records,
            row["loss"],
            row["learning_rate"],
            row["grad_norm"],
            int(tokens[step - 1]),
        )
        for step, row in rows
    )


def _only(items: list[dict[str, torch.Tensor]]) -> dict[str, torch.Tensor]:
    """A part of the plan is a batch already."""
    return items[0]


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
    if not all(np.isfinite(float(p.detach().abs().sum())) for p in model.parameters()):
        raise UserError("training: a weight is no number after the last update, so nothing is kept")
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
