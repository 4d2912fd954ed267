import hashlib
import multiprocessing
import os
import signal
import time

import numpy as np
import pytest
from students.tiny import make_base, records

from ggmi.io import read_arrays, read_csv, read_json, write_arrays
from ggmi.models.store import Store
from ggmi.pipeline.students import (
    NO_STUDENTS,
    form_of,
    keep_base,
    part_answers,
    part_risks,
    train_part,
)
from ggmi.students.settings import TrainingSettings

FORM = form_of({"form": "plain", "template": None, "max_length": None, "too_long": "truncate"})
SETTINGS = TrainingSettings(epochs=2, batch_size=4, learning_rate=1e-2, log_every=1, save_every=2, device="cpu")
TRAIN, TEST = records(12, seed=0), records(6, seed=1)
SAMPLING = {"temperature": 0.0, "top_p": 1.0, "max_tokens": 6, "stop": []}


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    return str(make_base(tmp_path_factory.mktemp("base") / "gpt2"))


def train(base, folder, numbers, settings=SETTINGS, **others):
    train_part(base, None, TRAIN, FORM, settings, 7, numbers, folder, source="the set", **others)
    return folder


@pytest.fixture(scope="module")
def part(base, tmp_path_factory):
    """Two students."""
    return train(base, tmp_path_factory.mktemp("students") / "1-2", [1, 2])


def content(folder):
    """Hashes of all files of a folder, by relative name."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_how_seeds_are_cut_into_jobs_changes_no_byte(base, part, tmp_path):
    apart = {**content(train(base, tmp_path / "1-1", [1])), **content(train(base, tmp_path / "2-2", [2]))}
    assert apart == content(part)
    assert "seed1/model.safetensors" in apart
    assert apart["seed1/model.safetensors"] != apart["seed2/model.safetensors"]


def test_nothing_is_left_beside_a_finished_part(part):
    assert [path.name for path in part.parent.iterdir()] == ["1-2"]


def test_a_training_is_told_and_its_curve_kept(part):
    told = read_json(part / "seed1.json")
    assert (told["records"], told["steps"], "seconds" in told) == (12, 6, False)
    assert read_csv(part / "seed1.curve.csv")["step"].tolist() == [1, 2, 3, 4, 5, 6]


def _killed_at(base, folder, number, step):
    def on_step(now, done, _most, _left):
        if (now, done) == (number, step):
            os.kill(os.getpid(), signal.SIGKILL)

    train(base, folder, [1, 2], on_step=on_step)


@pytest.mark.parametrize(("number", "step"), [(1, 5), (2, 3)])
def test_a_part_that_is_killed_goes_on_to_the_same_bytes(base, part, tmp_path, number, step):
    folder = tmp_path / "1-2"
    process = multiprocessing.get_context("spawn").Process(target=_killed_at, args=(base, folder, number, step))
    process.start()
    process.join()
    assert process.exitcode == -signal.SIGKILL
    assert not folder.exists()
    steps = []
    train(base, folder, [1, 2], on_step=lambda n, done, _most, _left: steps.append((n, done)))
    assert content(folder) == content(part)
    # What a checkpoint or a finished student holds is not trained again.
    assert steps[0] == (number, step // 2 * 2 + 1 if step % 2 else step)


def test_unfinished_work_of_other_settings_is_thrown_away(base, tmp_path):
    stale = tmp_path / ".1-1.unfinished" / "0123"
    stale.mkdir(parents=True)
    started = time.time()
    train(base, tmp_path / "1-1", [1])
    assert not stale.exists()
    assert (tmp_path / "1-1" / "seed1.json").stat().st_mtime >= started - 1


def test_an_empty_set_has_no_student_no_risk_and_no_answer(base, tmp_path):
    folder = tmp_path / "1-2"
    train_part(base, None, [], FORM, SETTINGS, 7, [1, 2], folder, source="the set")
    assert [path.name for path in folder.iterdir()] == [NO_STUDENTS]
    table, arrays = part_risks(folder, [], TEST, FORM, None, 1)
    assert table.empty
    assert list(arrays) == ["seeds"]
    store = Store(tmp_path / "store.jsonl")
    assert list(part_answers(folder, TEST, FORM, SAMPLING, {}, store, lambda _: None)) == []


def test_risks_are_those_of_the_losses_kept_beside_them(part, tmp_path):
    table, arrays = part_risks(part, TRAIN, TEST, FORM, None, 1)
    write_arrays(tmp_path / "risks.npz", arrays)
    kept = read_arrays(tmp_path / "risks.npz")
    assert table["seed"].tolist() == kept["seeds"].tolist() == [1, 2]
    assert kept["test_ids"].tolist() == [record.id for record in TEST]
    np.testing.assert_allclose(table["test_risk_nats_per_record"], kept["test_nats"].mean(axis=1))
    np.testing.assert_allclose(
        table["training_risk_nats_per_token"], kept["train_nats"].sum(axis=1) / kept["train_tokens"].sum()
    )
    gap = table["test_risk_nats_per_record"] - table["training_risk_nats_per_record"]
    np.testing.assert_allclose(table["generalization_error_nats_per_record"], gap.abs())


def test_the_base_is_kept_as_it_is_and_answers_like_the_others(base, part, tmp_path):
    folder = tmp_path / "0-0"
    keep_base(base, None, FORM, folder)
    table, _ = part_risks(folder, [], TEST, FORM, None, 1)
    assert table["seed"].tolist() == [0]
    assert table["training_risk_nats_per_record"].isna().all()
    for made, seeds in ((folder, {0}), (part, {1, 2})):
        store = Store(tmp_path / f"{made.name}.jsonl")
        local = {"batch_size": 4, "device": "cpu", "threads": 1}
        rows = list(part_answers(made, TEST, FORM, SAMPLING, local, store, lambda _: None))
        assert len(rows) == len(TEST) * len(seeds)
        assert {row["seed"] for row in rows} == seeds
        again = list(part_answers(made, TEST, FORM, SAMPLING, local, Store(store.path), lambda _: None))
        assert again == rows
        assert len(Store(store.path)) == len(store)
