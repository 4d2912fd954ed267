import pytest
import torch
from safetensors.torch import load_file
from students.tiny import records

from ggmi.errors import UserError
from ggmi.students.launch import finetune_on
from ggmi.students.settings import TrainingSettings
from ggmi.students.tokenise import tokenise

QUICK = TrainingSettings(steps=8, batch_size=8, per_device=2, learning_rate=1e-3, log_every=1, save_every=3)


@pytest.fixture
def examples(base):
    return tokenise(records(), base, "plain")


def test_two_processes_make_the_curve_of_one(gpt2, examples, tmp_path):
    one = finetune_on(str(gpt2), examples, tmp_path / "one", QUICK, seed=3)
    two = finetune_on(str(gpt2), examples, tmp_path / "two", QUICK.model_copy(update={"processes": 2}), seed=3)
    assert (one.processes, two.processes) == (1, 2)
    ours, theirs = ([row.loss_nats_per_token for row in done.curve] for done in (one, two))
    assert ours == pytest.approx(theirs, abs=1e-4)
    assert [(r.step, r.tokens) for r in one.curve] == [(r.step, r.tokens) for r in two.curve]
    here, there = (load_file(tmp_path / name / "model.safetensors") for name in ("one", "two"))
    for key in here:
        torch.testing.assert_close(here[key], there[key], atol=1e-3, rtol=0)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["one", "two"]


def test_a_mistake_in_a_process_is_told_as_one(gpt2, examples, tmp_path):
    odd = {"batch_size": 9, "per_device": None, "processes": 2}
    with pytest.raises(UserError, match=r"^training.batch_size: 9 cannot be divided by the number of processes \(2\)$"):
        finetune_on(str(gpt2), examples, tmp_path / "s", QUICK.model_copy(update=odd))


def test_the_base_must_be_there(examples, tmp_path):
    with pytest.raises(UserError, match="there is no such directory"):
        finetune_on(str(tmp_path / "nothing"), examples, tmp_path / "s", QUICK)
