"""Students trained one after another, what they lose, and what they answer.

What needs torch is imported where it is used: of an empty set there is nothing to load.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ggmi.io import read_json, write_csv, write_json
from ggmi.models.backend import ask, backend
from ggmi.models.protocol import OnProgress
from ggmi.models.requests import Sampling
from ggmi.models.store import Store
from ggmi.pipeline.responses import check_outcome
from ggmi.random import stream
from ggmi.students.answering import Answer, answers, questions
from ggmi.students.settings import TrainingSettings
from ggmi.students.tokenise import PLAIN, Writer, read_plain, tokenise
from ggmi.text.records import Record

if TYPE_CHECKING:
    from ggmi.embedded.language import Language
    from ggmi.pipeline.rewards import Rewarded
    from ggmi.students.base import Base
    from ggmi.students.finetune import LossRow, Training
    from ggmi.students.reinforce import RewardRow
    from ggmi.students.risk import Losses
    from ggmi.students.sets import Examples

# Written where a set has no records, in place of students.
NO_STUDENTS = "no_students.json"
OnStep = Callable[[int, int, int, float | None], None]


def form_of(settings: Mapping[str, Any]) -> dict[str, Any]:
    """How records are read, for `ggmi.students.tokenise.tokenise`, from a task's section `students`.

    Parameters
    ----------
    settings
        ``form``, ``template``, ``max_length`` and ``too_long``.
    """
    return {
        "form": settings["form"],
        "plain": PLAIN if settings["template"] is None else read_plain(settings["template"]),
        "too_long": settings["too_long"],
        "longest": settings["max_length"],
    }


def response_lengths(
    records: Sequence[Record], model: str, revision: str | None, form: Mapping[str, Any]
) -> np.ndarray:
    """Tokens of each record's response with its end, shape (records,).

    Parameters
    ----------
    records
        The set.
    model, revision, form
        As in `train_part`.
    """
    from ggmi.students.base import Base

    writer = Writer(Base(model, revision).tokenizer, form["form"], form["plain"])
    return np.array([len(ids) for ids in writer.response_ids(list(records))], dtype=np.int64)


def train_part(
    model: str,
    revision: str | None,
    records: Sequence[Record],
    form: Mapping[str, Any],
    settings: TrainingSettings,
    seed: int,
    numbers: Sequence[int],
    folder: Path,
    *,
    source: str,
    on_step: OnStep | None = None,
    rewarded: Rewarded | None = None,
) -> None:
    """Train the students of a part; a killed job goes on where it was.

    Unfinished work, finished students included, stands beside the folder until all are there,
    because Snakemake empties the folder of a job that was cut off. Under ``torchrun`` all processes call
    this, and the first one writes.

    Parameters
    ----------
    model, revision
        The base, see `ggmi.students.base.Base`.
    records
        The set; where it is empty, the folder gets a note of that and no student.
    form
        Of `form_of`.
    settings
        As `ggmi.students.finetune.finetune` takes them.
    seed
        The run's seed.
    numbers
        The students' seeds.
    folder
        Gets ``seed<n>``, ``seed<n>.json`` and ``seed<n>.curve.csv``.
    source
        What to call the set in messages.
    on_step
        Told the seed's number, updates made, all updates, and seconds left.
    rewarded
        How they learn from rewards; None for those that learn the set's responses.
    """
    first = os.environ.get("RANK", "0") == "0"  # torchrun sets it
    if not records:
        write_json(folder / NO_STUDENTS, {"set": source, "reason": "it holds no records"})
        return
    from ggmi.students.base import Base

    base = Base(model, revision)
    examples = tokenise(records, base, **form, source=source)
    decides = {"base": base.identity, "examples": examples.digest(), "settings": settings.model_dump(), "seed": seed}
    decides |= {} if rewarded is None else {"rewarded": rewarded.name}
    digest = hashlib.sha256(json.dumps(decides, sort_keys=True).encode()).hexdigest()[:16]
    unfinished = folder.with_name(f".{folder.name}.unfinished")
    work = unfinished / digest
    for stale in unfinished.glob("*"):
        if first and stale != work:
            shutil.rmtree(stale, ignore_errors=True)
    work.mkdir(parents=True, exist_ok=True)
    for number in numbers:
        record = work / f"seed{number}.json"
        if not record.exists():
            how: dict[str, Any] = {
                "seed": student_seed(seed, number),
                "checkpoints": work / f"seed{number}.checkpoints",
                "on_step": None if on_step is None else partial(on_step, number),
            }
            done = _trained(base, examples, records, form, settings, work / f"seed{number}", rewarded, how)
            if not first:
                continue
            write_csv(work / f"seed{number}.curve.csv", pd.DataFrame([asdict(row) for row in done.curve]))
            write_json(record, {k: v for k, v in asdict(done).items() if k not in ("curve", "seconds")})
    if not first:
        return
    folder.mkdir(parents=True, exist_ok=True)
    for made in sorted(work.iterdir()):
        made.replace(folder / made.name)
    shutil.rmtree(unfinished, ignore_errors=True)


def _trained(
    base: Base,
    examples: Examples,
    records: Sequence[Record],
    form: Mapping[str, Any],
    settings: TrainingSettings,
    target: Path,
    rewarded: Rewarded | None,
    how: Mapping[str, Any],
) -> Training[LossRow] | Training[RewardRow]:
    """One student."""
    if rewarded is None:
        from ggmi.students.finetune import finetune

        return finetune(base, examples, target, settings, chat=form["form"] == "chat", **how)
    from ggmi.students.reinforce import reinforce

    told: dict[str, Any] = {name: form[name] for name in ("form", "plain", "longest")}
    told |= {"training": settings, "rewarded": rewarded.name, **how}
    return reinforce(base, records, target, rewarded.settings, rewarded.reward, **told)


def student_seed(seed: int, number: int) -> int:
    """The seed of one student's order of records and dropout."""
    return int(stream(seed, "students", "student", number).integers(2**63))


def keep_base(model: str, revision: str | None, form: Mapping[str, Any], folder: Path) -> None:
    """Save the untrained base as a student, so that it is asked as the others are.

    Parameters
    ----------
    model, revision, form, folder
        As in `train_part`.
    """
    from ggmi.students.base import Base

    base = Base(model, revision)
    base.save(base.load(), folder / "seed0", chat=form["form"] == "chat")
    nothing = dict.fromkeys(("steps", "records", "truncated", "dropped", "tokens"), 0)
    write_json(folder / "seed0.json", {**nothing, "padding": 0.0, "batching": "none", "processes": 0})
    write_csv(
        folder / "seed0.curve.csv",
        pd.DataFrame(columns=["step", "epoch", "loss_nats_per_token", "learning_rate", "gradient_norm", "tokens"]),
    )


def students_in(folder: Path) -> list[tuple[int, Path]]:
    """Students of a part with their seeds; none where the set was empty."""
    if (folder / NO_STUDENTS).exists():
        return []
    found = ((int(path.stem.removeprefix("seed")), path.with_suffix("")) for path in folder.glob("seed*.json"))
    return sorted(found)


def part_risks(
    folder: Path,
    train: Sequence[Record],
    test: Sequence[Record],
    form: Mapping[str, Any],
    language: Language | None,
    threads: int,
) -> tuple[pd.DataFrame, dict[str, np.ndarray]]:
    """What the students of a part lose on their own set and on the test set.

    Parameters
    ----------
    folder
        Of `train_part`.
    train
        Their set; empty for the base.
    test
        The test set.
    form
        Of `form_of`.
    language
        The embedded world's, for the exact risk; None elsewhere.
    threads
        CPU threads.

    Returns
    -------
    table : DataFrame
        Row a student: seed, what its training was, training_risk and test_risk (nats_per_token,
        nats_per_record), generalization_error (both units) for its own set, and in the embedded
        world exact_risk (both units), joint_kl_nats, exact_match, answer_probability.
    arrays : dict
        ``seeds``; ``test_ids``, ``test_tokens`` (n,), ``test_nats`` (students, n), and the same of
        ``train``.
    """
    students = students_in(folder)
    if not students:
        return pd.DataFrame(), {"seeds": np.empty(0, dtype=np.int64)}
    import torch

    from ggmi.students.base import Base
    from ggmi.students.risk import losses, risk

    torch.set_num_threads(threads)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    rows: list[dict[str, Any]] = []
    found: dict[str, list[Losses]] = {"test": [], "train": []}
    sets: dict[str, Examples] = {}
    for number, path in students:
        base = Base(str(path))
        if not sets:
            sets = {"test": tokenise(test, base, **form, source="the test set")}
            if train:
                sets["train"] = tokenise(train, base, **form, source="the training set")
        model = base.load()
        on_device = model.to(device)  # type: ignore[arg-type]
        row: dict[str, Any] = {"seed": number, **read_json(path.with_name(f"{path.name}.json"))}
        measured = {name: losses(on_device, examples) for name, examples in sets.items()}
        risks = {name: risk(loss) for name, loss in measured.items()}
        for unit in ("nats_per_token", "nats_per_record"):
            on_test = getattr(risks["test"], unit)
            on_train = getattr(risks["train"], unit) if "train" in risks else np.nan
            row |= {
                f"training_risk_{unit}": on_train,
                f"test_risk_{unit}": on_test,
                f"generalization_error_{unit}": abs(on_test - on_train),
            }
        if language is not None:
            row |= _truth(model, language)
        rows.append(row)
        for name, loss in measured.items():
            found[name].append(loss)
    arrays: dict[str, np.ndarray] = {"seeds": np.array([row["seed"] for row in rows], dtype=np.int64)}
    for name, of_set in found.items():
        if of_set:
            arrays[f"{name}_ids"] = np.array(of_set[0].ids)
            arrays[f"{name}_tokens"] = of_set[0].tokens
            arrays[f"{name}_nats"] = np.stack([loss.nats for loss in of_set])
    return pd.DataFrame(rows), arrays


def _truth(model: Any, language: Language) -> dict[str, float]:
    from ggmi.embedded.truth import student_truth

    truth = student_truth(model.to("cpu"), language, ended=False)
    return {
        "exact_risk_nats_per_token": truth.risk_nats_token,
        "exact_risk_nats_per_record": truth.risk_nats_record,
        "joint_kl_nats": truth.joint_kl_nats,
        "exact_match": truth.exact_match,
        "answer_probability": truth.answer_probability,
    }


def part_answers(
    folder: Path,
    test: Sequence[Record],
    form: Mapping[str, Any],
    sampling: Mapping[str, Any],
    local: Mapping[str, Any],
    store: Store,
    shown: Callable[[int], OnProgress],
) -> Iterator[dict[str, Any]]:
    """Answers of the students of a part to the test set.

    Parameters
    ----------
    folder
        Of `train_part`.
    test
        The test set.
    form
        Of `form_of`.
    sampling
        How answers are drawn.
    local
        Settings of the local backend: device, batch_size, threads.
    store
        Where raw answers are kept.
    shown
        Gives the callback for a student's seed.

    Yields
    ------
    dict
        id, seed, draw, text, raw, problem, student by student.
    """
    for number, path in students_in(folder):
        for answer in student_answers(path, test, form, sampling, local, store, shown(number)):
            row = asdict(answer)
            yield {"id": row.pop("id"), "seed": number, **row}


def student_answers(
    student: Path,
    test: Sequence[Record],
    form: Mapping[str, Any],
    sampling: Mapping[str, Any],
    local: Mapping[str, Any],
    store: Store,
    on_progress: OnProgress | None = None,
) -> list[Answer]:
    """Answers of one student to the test set.

    Parameters
    ----------
    student
        Its folder.
    test, form, sampling, local, store
        Of `part_answers`.
    on_progress
        Called after each answer.
    """
    from ggmi.students.base import Base

    base = Base(str(student))
    writer = Writer(base.tokenizer, form["form"], form["plain"])
    asked = backend({"kind": "local", "model": str(student), **local}, source="students.answers")
    wanted = questions(asked, writer, test, Sampling.of(sampling), context=base.context)
    requests = [request for request in wanted if request is not None]
    outcome = ask(asked, requests, store, on_progress)
    check_outcome(outcome, len(requests), len(store.missing(requests)), 0.0)
    return answers(writer, test, wanted, store.collect(requests))
