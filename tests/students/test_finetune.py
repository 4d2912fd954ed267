import dataclasses
import shutil

import pytest
import torch
from safetensors.torch import load_file, save_file
from students.tiny import byte_tokenizer, make_base, records
from students.training import train
from transformers import AutoModelForCausalLM, AutoTokenizer, get_scheduler

from ggmi.errors import UserError
from ggmi.students.base import Base
from ggmi.students.batching import padded, sorted_by_length, updates
from ggmi.students.finetune import finetune
from ggmi.students.sets import Examples
from ggmi.students.settings import TrainingSettings
from ggmi.students.tokenise import tokenise

QUICK = TrainingSettings(steps=9, batch_size=4, learning_rate=1e-3, log_every=1, save_every=3)


def changed(**values):
    return QUICK.model_copy(update=values)


def weights(directory):
    return (directory / "model.safetensors").read_bytes()


def curve(done):
    return [row.loss_nats_per_token for row in done.curve]


def test_the_loss_is_that_of_the_response_tokens_alone(gpt2, tmp_path):
    base = Base(str(gpt2))
    examples = tokenise(records(), base, "plain")
    done = train(gpt2, tmp_path / "student", changed(steps=1))
    model = base.load().eval()
    nats, tokens = 0.0, 0
    for i in updates(12, 1, 4, seed=3)[0]:
        ids = torch.tensor(examples.sequence(i))[None]
        table = model(ids).logits[0].double().log_softmax(-1)
        for t in range(int(examples.prompts[i]), ids.shape[1]):
            nats -= float(table[t - 1, ids[0, t]].detach())
            tokens += 1
    assert curve(done) == [pytest.approx(nats / tokens, abs=1e-5)]
    read = int(examples.lengths[updates(12, 1, 4, seed=3)[0]].sum())
    assert (done.curve[0].tokens, done.curve[0].epoch) == (read, 4 / 12)


# Responses of up to so many letters: records of like lengths are padded, ragged ones packed.
LONGEST = {"padded": 12, "packed": 80}


@pytest.mark.parametrize("batching", LONGEST)
def test_losses_are_those_of_a_plain_loop(gpt2, tmp_path, batching):
    base = Base(str(gpt2))
    examples = tokenise(records(longest=LONGEST[batching]), base, "plain")
    settings = changed(schedule="cosine", warmup=0.3, weight_decay=0.1)
    done = train(gpt2, tmp_path / "student", settings, longest=LONGEST[batching])
    assert done.batching == batching
    model = base.load().train()
    bare = {p for name, p in model.named_parameters() if "ln_" in name or name.endswith("bias")}
    groups = [{"params": [p for p in model.parameters() if p not in bare], "weight_decay": 0.1}]
    groups.append({"params": [p for p in model.parameters() if p in bare], "weight_decay": 0.0})
    optimiser = torch.optim.AdamW(groups, lr=1e-3, fused=True)
    schedule = get_scheduler("cosine", optimiser, num_warmup_steps=3, num_training_steps=9)
    losses = []
    for chosen in sorted_by_length(updates(12, 9, 4, seed=3), examples.lengths):
        batch = padded(examples.features(chosen))
        loss = torch.nn.functional.cross_entropy(
            model(batch["input_ids"]).logits[:, :-1].flatten(0, 1), batch["labels"][:, 1:].flatten()
        )
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), settings.clip)
        optimiser.step()
        schedule.step()
        optimiser.zero_grad()
        losses.append(loss.item())
    assert curve(done) == pytest.approx(losses, abs=1e-6)


def test_neither_layout_nor_accumulation_changes_the_training(gpt2, tmp_path):
    packed = train(gpt2, tmp_path / "a", QUICK, longest=LONGEST["packed"])
    assert (packed.batching, packed.steps) == ("packed", 9)
    assert packed.curve[-1].loss_nats_per_token < packed.curve[0].loss_nats_per_token
    others = {"b": {"batching": "padded"}, "c": {"per_device": 1}, "d": {"per_device": 2}}
    for name, values in others.items():
        other = train(gpt2, tmp_path / name, changed(**values), longest=LONGEST["packed"])
        assert curve(other) == pytest.approx(curve(packed), abs=2e-6)
        ours, theirs = load_file(tmp_path / "a/model.safetensors"), load_file(tmp_path / name / "model.safetensors")
        for key in ours:
            torch.testing.assert_close(ours[key], theirs[key], atol=1e-3, rtol=0)


def test_a_model_that_cannot_be_packed_is_padded(tmp_path):
    base = make_base(tmp_path / "bloom", "bloom")
    done = train(base, tmp_path / "student", changed(steps=2), longest=LONGEST["packed"])
    assert done.batching == "padded"


def test_a_row_averages_the_updates_since_the_last(gpt2, tmp_path):
    every = train(gpt2, tmp_path / "a", QUICK)
    some = train(gpt2, tmp_path / "b", changed(log_every=4, save_every=100))
    assert [row.step for row in some.curve] == [4, 8, 9]
    assert curve(some)[0] == pytest.approx(sum(curve(every)[:4]) / 4, abs=1e-5)
    assert curve(some)[2] == pytest.approx(curve(every)[8], abs=1e-5)
    assert weights(tmp_path / "a") == weights(tmp_path / "b")


def test_the_same_seed_gives_the_same_bytes(tmp_path):
    base = make_base(tmp_path / "base", dropout=0.3)
    told = []
    done = train(base, tmp_path / "a", QUICK, on_step=lambda *step: told.append(step))
    torch.manual_seed(99)
    again = train(base, tmp_path / "b", QUICK)
    assert weights(tmp_path / "a") == weights(tmp_path / "b")
    assert done.curve == again.curve
    assert [(step, steps) for step, steps, _ in told] == [(i, 9) for i in range(1, 10)]
    assert told[-1][2] == 0
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a", "b", "base"]


def test_a_killed_training_goes_on_to_the_same_bytes(tmp_path, processes):
    base = make_base(tmp_path / "base", dropout=0.3)
    whole = train(base, tmp_path / "whole", QUICK)
    student, work = tmp_path / "student", tmp_path / ".student.unfinished"
    for kill_at in (2, 8):
        child = processes.Process(target=train, args=(base, student, QUICK), kwargs={"kill_at": kill_at})
        child.start()
        child.join()
        assert child.exitcode == -9
        assert not student.exists()
    assert [p.name for p in work.glob("checkpoint-*")] == ["checkpoint-6"]
    # A kill while a checkpoint was written leaves one without the trainer's state, which is written last.
    shutil.copytree(work / "checkpoint-6", work / "checkpoint-8")
    (work / "checkpoint-8/trainer_state.json").write_text('{"epoch": 0.')
    (work / "checkpoint-8/model.safetensors").write_bytes(b"torn")
    steps = []
    done = train(base, student, QUICK, on_step=lambda step, *_: steps.append(step))
    assert steps == [7, 8, 9]
    assert weights(student) == weights(tmp_path / "whole")
    assert done.curve == whole.curve
    assert not work.exists()


def test_unfinished_work_of_another_training_is_not_gone_on_with(gpt2, tmp_path, processes):
    student = tmp_path / "student"
    child = processes.Process(target=train, args=(gpt2, student, QUICK), kwargs={"kill_at": 5})
    child.start()
    child.join()
    steps = []
    train(gpt2, student, changed(learning_rate=2e-3), on_step=lambda step, *_: steps.append(step))
    assert steps[0] == 1


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (changed(per_device=3), r"batch_size: 4 cannot be divided by per_device \(3\) times the number of processes"),
        (changed(device="cuda"), "training.device: is 'cuda', but there is no GPU"),
    ],
)
def test_settings_that_cannot_be_met_are_refused(gpt2, tmp_path, settings, message, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(UserError, match=message):
        train(gpt2, tmp_path / "student", settings)


def test_a_batch_smaller_than_the_processes_is_refused(gpt2, tmp_path, monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "3")
    with pytest.raises(UserError, match=r"4 cannot be divided by the number of processes \(3\)"):
        train(gpt2, tmp_path / "student", QUICK)


def test_an_empty_set_is_refused(base, tmp_path):
    with pytest.raises(UserError, match="the set holds no records"):
        finetune(base, Examples.of([], [], []), tmp_path / "student", QUICK)


def test_a_loss_that_is_no_number_leaves_nothing_behind(gpt2, tmp_path):
    broken = shutil.copytree(gpt2, tmp_path / "broken")
    tensors = load_file(broken / "model.safetensors")
    tensors["transformer.ln_f.weight"][0] = torch.nan
    save_file(tensors, broken / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(UserError, match=r"the loss is nan by update 1 of 9.*lower learning_rate \(now 0.001\)"):
        train(broken, tmp_path / "student", QUICK)
    assert not (tmp_path / "student").exists()
    assert not list(tmp_path.rglob("checkpoint-*"))


def test_a_checkpoint_on_a_full_disk_is_told(gpt2, tmp_path, monkeypatch):
    save = torch.save
    monkeypatch.setattr("transformers.trainer.torch.save", lambda value, _path: save(value, "/dev/full"))
    with pytest.raises(UserError, match="a checkpoint cannot be written or read"):
        train(gpt2, tmp_path / "student", QUICK)


def test_no_passes_give_the_base_itself(chatty, tmp_path):
    base = Base(str(chatty))
    done = finetune(base, tokenise(records(), base, "plain"), tmp_path / "s", TrainingSettings(epochs=0))
    assert (done.steps, done.curve, done.tokens) == (0, (), 0)
    ours, theirs = load_file(tmp_path / "s/model.safetensors"), load_file(chatty / "model.safetensors")
    assert all((ours[key] == theirs[key]).all() for key in theirs)
    # Every program asks through a chat template where there is one.
    assert AutoTokenizer.from_pretrained(tmp_path / "s").chat_template is None
    finetune(base, tokenise(records(), base, "chat"), tmp_path / "c", TrainingSettings(epochs=0), chat=True)
    assert AutoTokenizer.from_pretrained(tmp_path / "c").chat_template == base.tokenizer.chat_template


def test_a_student_is_a_model_like_any_other(gpt2, tmp_path):
    train(gpt2, tmp_path / "student", changed(steps=1))
    model = AutoModelForCausalLM.from_pretrained(tmp_path / "student", use_safetensors=True)
    assert model.config.use_cache
    assert model.generation_config.eos_token_id in (0, [0])
    assert not list((tmp_path / "student").glob("*.bin"))


def test_steps_follow_from_passes(base, tmp_path):
    examples = tokenise(records(10), base, "plain")
    done = finetune(base, examples, tmp_path / "s", TrainingSettings(epochs=1.5, batch_size=4, log_every=9))
    assert done.steps == 4
    assert done.curve[-1].epoch == 1.6


def test_bases_that_are_none_are_told(gpt2, tmp_path, monkeypatch):
    with pytest.raises(UserError, match="there is no such directory"):
        Base(str(tmp_path / "nothing"))
    pickled = shutil.copytree(gpt2, tmp_path / "pickled")
    (pickled / "model.safetensors").rename(pickled / "pytorch_model.bin")
    with pytest.raises(UserError, match="pickled weights only"):
        Base(str(pickled))
    damaged = shutil.copytree(gpt2, tmp_path / "damaged")
    (damaged / "model.safetensors").write_bytes(b"no weights")
    with pytest.raises(UserError, match="the student's base cannot be loaded"):
        Base(str(damaged)).load()
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(UserError, match="nobody/nothing: the student's base cannot be loaded"):
        _ = Base("nobody/nothing").tokenizer


def test_embeddings_are_not_resized(gpt2, tmp_path):
    grown = shutil.copytree(gpt2, tmp_path / "grown")
    tokenizer = byte_tokenizer()
    tokenizer.add_tokens(["one more"])
    tokenizer.save_pretrained(grown)
    with pytest.raises(UserError, match="its tokenizer has 258 tokens and its embedding 257 rows"):
        Base(str(grown)).load()


def test_rows_are_plain_values_for_a_table(gpt2, tmp_path):
    done = train(gpt2, tmp_path / "student", changed(steps=2))
    assert [type(value) for value in dataclasses.astuple(done.curve[1])] == [int, float, float, float, float, int]
