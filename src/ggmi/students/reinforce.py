"""Reinforcement: a student samples answers, rewards say which were better, and those become likelier.

The trainer is TRL's `GRPOTrainer` (group-relative policy gradient; arXiv 2402.03300): the advantage of an answer
is its reward less the mean over the answers to the same record, over their standard deviation. It is imported
here, where it is needed, since that takes seconds.
"""

from __future__ import annotations

import copy
import hashlib
import json
import os
import shutil
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from transformers import PreTrainedModel

from ggmi.errors import UserError
from ggmi.loading import quiet, threads
from ggmi.students.base import Base
from ggmi.students.batching import updates
from ggmi.students.finetune import Training, forget_others, publish, shared_arguments
from ggmi.students.settings import ReinforcementSettings, TrainingSettings
from ggmi.students.tokenise import JSON_END, PLAIN, Form, Writer
from ggmi.students.trainer import OnStep, Watch, train
from ggmi.text.records import Record

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # of what it imports in turn
    from trl import GRPOConfig, GRPOTrainer

# Rewards of answers, each to its record; None where there is none.
Reward = Callable[[Sequence[tuple[Record, str]]], list[float | None]]


@dataclass(frozen=True)
class RewardRow:
    """A row of a reinforced student's curve.

    Parameters
    ----------
    step
        Updates made.
    epoch
        Passes over the records made.
    reward
        Mean over the answers sampled since the last row.
    tokens
        Tokens read and sampled so far, without padding.
    answer_tokens
        Mean tokens of an answer since the last row.
    learning_rate, gradient_norm
        Of the last update; the norm before clipping.
    """

    step: int
    epoch: float
    reward: float
    tokens: int
    answer_tokens: float
    learning_rate: float
    gradient_norm: float


def exact_match(answers: Sequence[tuple[Record, str]]) -> list[float | None]:
    """Reward 1 for an answer that is the record's response, up to spaces around it, and 0 for others.

    Parameters
    ----------
    answers
        Records with what was answered.

    Examples
    --------
    >>> record = Record("a", "Add 1 and 2.", "", "3")
    >>> exact_match([(record, " 3"), (record, "4")])
    [1.0, 0.0]
    """
    return [float(answer.strip() == record.response.strip()) for record, answer in answers]


def reinforce(
    base: Base,
    records: Sequence[Record],
    directory: str | os.PathLike[str],
    settings: ReinforcementSettings,
    reward: Reward,
    *,
    training: TrainingSettings | None = None,
    form: Form = "plain",
    plain: str = PLAIN,
    longest: int | None = None,
    rewarded: str = "",
    seed: int = 0,
    checkpoints: str | os.PathLike[str] | None = None,
    on_step: OnStep | None = None,
) -> Training[RewardRow]:
    """Train a student by rewards and save it as `ggmi.students.finetune.finetune` does.

    One process trains. On CPU the same arguments and threads give the same bytes, also after a kill.
    An answer without a reward counts as much as the mean of its record's others, and so teaches nothing.

    Parameters
    ----------
    base
        Where the student starts, and what `beta` holds it near.
    records
        What is asked; their responses are seen by the reward only.
    directory, seed, checkpoints, on_step
        See `ggmi.students.finetune.finetune`.
    settings
        See `ReinforcementSettings`.
    reward
        Judges answers.
    training
        Its device, threads, dtype, schedule, warmup, weight decay, clipping and rows hold here too.
    form, plain
        See `ggmi.students.tokenise.Writer`.
    longest
        Tokens of a prompt with its answer at most; records whose prompt leaves too little room are left out.
    rewarded
        What rewards depend on; checkpoints of another are thrown away.

    Raises
    ------
    UserError
        If there are no records, none leaves room for an answer, there is no such device, or the loss stops
        being a number.
    """
    training = training or TrainingSettings()
    target, started = Path(directory), time.monotonic()
    work = Path(checkpoints) if checkpoints else target.with_name(f".{target.name}.unfinished")
    writer = Writer(base.tokenizer, form, plain)
    fitting = _fitting(records, writer, settings.max_tokens, min((n for n in (longest, base.context) if n), default=0))
    order = updates(len(fitting), settings.steps, settings.prompts, seed)
    prompts = [_prompt(writer, record) for record in fitting]
    with quiet(), threads(training.threads), warnings.catch_warnings():
        # It names arguments that transformers has renamed.
        warnings.simplefilter("ignore", FutureWarning)
        arguments = _arguments(settings, training, work, seed)
        torch.set_num_threads(training.threads)  # accelerate has a choice of its own
        forget_others(work, _task(base, prompts, fitting, settings, training, seed, rewarded), arguments)
        model = base.load()
        kept = {key: getattr(model.config, key, None) for key in ("pad_token_id", "use_cache")}
        trainer = _trainer(model, base, writer, arguments, _rewarding(writer, fitting, reward), prompts, order)
        trainer.add_callback(Watch(settings.learning_rate, on_step))
        log = train(trainer, settings.prompts * settings.answers)
        for key, value in kept.items():  # changed for training only
            setattr(model.config, key, value)
        publish(base, model, target, form == "chat")
        shutil.rmtree(work, ignore_errors=True)
    curve = _curve(log, settings.prompts / len(fitting))
    return Training(
        curve=curve,
        steps=settings.steps,
        records=len(fitting),
        truncated=0,
        dropped=len(records) - len(fitting),
        tokens=curve[-1].tokens,
        padding=0.0,
        batching="sampled",
        processes=1,
        seconds=time.monotonic() - started,
    )


def _fitting(records: Sequence[Record], writer: Writer, answer: int, window: int) -> list[Record]:
    """Records whose prompt leaves room for an answer."""
    lengths = [len(ids) for ids in writer.prompt_ids(list(records))]
    fitting = [r for r, n in zip(records, lengths, strict=True) if n and (not window or n + answer <= window)]
    if not fitting:
        why = f"leave room for answers of {answer} tokens in a window of {window}" if records else "are there"
        raise UserError(f"rl: no records {why}; lower rl.max_tokens or name other records")
    return fitting


def _prompt(writer: Writer, record: Record) -> Any:
    """A record's prompt as the trainer reads it."""
    text = writer.prompt(record)
    return [{"role": "user", "content": text}] if writer.form == "chat" else text


def _arguments(settings: ReinforcementSettings, training: TrainingSettings, work: Path, seed: int) -> GRPOConfig:
    """What the trainer is told."""
    return GRPOConfig(
        **shared_arguments(training, work, settings.steps, settings.learning_rate, seed),
        per_device_train_batch_size=settings.prompts * settings.answers,
        num_generations=settings.answers,
        max_completion_length=settings.max_tokens,
        temperature=settings.temperature,
        beta=settings.beta,
        # The rows stand in the order in which they are asked.
        shuffle_dataset=False,
        gradient_checkpointing=False,
    )


def _task(
    base: Base,
    prompts: Sequence[Any],
    records: Sequence[Record],
    settings: ReinforcementSettings,
    training: TrainingSettings,
    seed: int,
    rewarded: str,
) -> dict[str, Any]:
    """Everything that decides the result of a reinforcement."""
    decides = {
        "base": base.identity,
        "records": [[prompt, record.response] for prompt, record in zip(prompts, records, strict=True)],
        "settings": settings.model_dump(),
        "training": training.model_dump(exclude={"device", "save_every"}),
        "seed": seed,
        "rewarded": rewarded,
    }
    return {"hash": hashlib.sha256(json.dumps(decides, sort_keys=True).encode()).hexdigest()}


def _rewarding(writer: Writer, records: Sequence[Record], reward: Reward) -> Callable[..., list[float]]:
    """The reward as the trainer calls it: of a batch in which the answers to a record stand together."""

    def rewards(completions: Sequence[Any], place: Sequence[int], **_: Any) -> list[float]:
        texts = [_text(writer, one if isinstance(one, str) else one[0]["content"]) for one in completions]
        found = reward([(records[i], text) for i, text in zip(place, texts, strict=True)])
        known: dict[int, list[float]] = {}
        for i, value in zip(place, found, strict=True):
            known.setdefault(i, [])
            if value is not None:
                known[i].append(value)
        means = {i: sum(values) / len(values) if values else 0.0 for i, values in known.items()}
        return [means[i] if value is None else value for i, value in zip(place, found, strict=True)]

    return rewards


def _text(writer: Writer, written: str) -> str:
    """The answer in what was sampled; where its form is broken, all of it."""
    for stop in writer.stop:
        written = written.split(stop)[0]
    answer = writer.read(written)
    return written if answer is None else answer


def _trainer(
    model: PreTrainedModel,
    base: Base,
    writer: Writer,
    arguments: GRPOConfig,
    rewards: Callable[..., list[float]],
    prompts: Sequence[Any],
    order: Any,
) -> GRPOTrainer:
    """The trainer, with the records of all updates in their order."""
    from datasets import Dataset  # type: ignore[import-untyped]

    tokenizer = copy.deepcopy(base.tokenizer)
    ends = base.all_ends
    if writer.form == "json" and len(closing := tokenizer(JSON_END, add_special_tokens=False).input_ids) == 1:
        ends = [*ends, *closing]  # what follows the end of a line would be noise
    assert model.generation_config is not None
    model.generation_config.eos_token_id = ends
    if tokenizer.eos_token is None and tokenizer.pad_token is None:
        raise UserError(f"{base.name}: its tokenizer has neither an end nor a padding token, which rl needs")
    asked = order.ravel().tolist()
    rows = Dataset.from_dict({"prompt": [prompts[i] for i in asked], "place": asked})
    trainer = GRPOTrainer(
        model=model, reward_funcs=rewards, args=arguments, train_dataset=rows, processing_class=tokenizer
    )
    if trainer.ref_model is not None:
        # It is read from the hub or folder again, without the revision.
        trainer.ref_model.load_state_dict(model.state_dict())
    return trainer


def _curve(history: Sequence[dict[str, float]], passes: float) -> tuple[RewardRow, ...]:
    """Rows of the trainer's log; `passes` is the share of the records that an update asks."""
    return tuple(
        RewardRow(
            int(row["step"]),
            row["step"] * passes,
            row["reward"],
            int(row["num_tokens"]),
            row["completions/mean_length"],
            row["learning_rate"],
            row["grad_norm"],
        )
        for row in history
        if "reward" in row
    )
