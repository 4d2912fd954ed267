from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from students.training import train

from ggmi.io import read_json
from ggmi.students.launch import torchrun
from ggmi.students.settings import TrainingSettings

QUICK = TrainingSettings(steps=8, batch_size=8, per_device=2, learning_rate=1e-3, log_every=1, save_every=3)
# As the workflow's own script: every process trains, and the first one writes.
SCRIPT = """
import os
from dataclasses import asdict
from ggmi.io import write_json
from ggmi.students.settings import TrainingSettings
from students.training import train

done = train({base!r}, {student!r}, TrainingSettings(**{settings!r}))
if os.environ["RANK"] == "0":
    write_json({student!r} + ".json", asdict(done))
"""


def test_two_processes_make_the_curve_of_one(gpt2, tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[1]))
    student, script = tmp_path / "two", tmp_path / "script.py"
    script.write_text(SCRIPT.format(base=str(gpt2), student=str(student), settings=QUICK.model_dump()))
    assert torchrun(str(script), 2) == 0
    one = train(gpt2, tmp_path / "one", QUICK)
    two = read_json(student.with_suffix(".json"))
    assert (one.processes, two["processes"]) == (1, 2)
    assert [row.loss_nats_per_token for row in one.curve] == pytest.approx(
        [row["loss_nats_per_token"] for row in two["curve"]], abs=1e-6
    )
    assert [(r.step, r.tokens) for r in one.curve] == [(r["step"], r["tokens"]) for r in two["curve"]]
    here, there = (load_file(folder / "model.safetensors") for folder in (tmp_path / "one", student))
    for key in here:
        torch.testing.assert_close(here[key], there[key], atol=1e-3, rtol=0)
    assert {path.name for path in tmp_path.iterdir()} == {"one", "two", "two.json", "script.py"}


def test_a_process_that_fails_ends_the_others(tmp_path, capfd):
    script = tmp_path / "script.py"
    script.write_text("import os, sys, time\nsys.exit(2) if os.environ['RANK'] == '1' else time.sleep(600)\n")
    assert torchrun(str(script), 2) == 1
    assert "Traceback" not in capfd.readouterr().err
