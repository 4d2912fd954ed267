import numpy as np
import pytest
import torch
from students.tiny import make_base
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast

from ggmi.errors import UserError
from ggmi.students.base import Base
from ggmi.students.reinforce import exact_match, reinforce
from ggmi.students.settings import ReinforcementSettings, TrainingSettings
from ggmi.text.records import Record

# One token an answer: a bandit whose arms are the tokens of a vocabulary of eight.
WORDS = ("<end>", "go", "Task:", "Answer:", "a", "b", "c", "d")
BANDIT = ReinforcementSettings(steps=80, prompts=2, answers=16, max_tokens=1, learning_rate=0.01)
HOW = TrainingSettings(device="cpu", schedule="constant", warmup=0.0, save_every=20, log_every=20)
PAYS = {"a": 0.1, "b": 0.5, "c": 0.9, "d": 0.2}
ASKED = [Record("one", "go", "", "c")]


@pytest.fixture(scope="module")
def bandit(tmp_path_factory):
    core = Tokenizer(models.WordLevel({word: i for i, word in enumerate(WORDS)}, unk_token="<end>"))
    core.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=core, eos_token="<end>")
    return make_base(tmp_path_factory.mktemp("bandit") / "base", tokenizer=tokenizer)


def pay(answers):
    return [PAYS.get(answer, 0.0) for _, answer in answers]


def law(folder):
    """Probability of each answer to the one question."""
    base = Base(str(folder))
    ids = base.tokenizer("Task: go\n\nAnswer:\n", return_tensors="pt").input_ids
    with torch.inference_mode():
        found = base.load().train(False)(input_ids=ids).logits[0, -1].softmax(-1).numpy()
    return dict(zip(WORDS, found.tolist(), strict=True))


def test_it_finds_the_best_arm_of_a_bandit(bandit, tmp_path):
    done = reinforce(Base(str(bandit)), ASKED, tmp_path / "student", BANDIT, pay, training=HOW)
    assert law(bandit)["c"] < 0.2
    assert law(tmp_path / "student")["c"] > 0.95
    rewards = [row.reward for row in done.curve]
    assert [row.step for row in done.curve] == [20, 40, 60, 80]
    assert rewards[0] < rewards[-1]
    assert rewards[-1] > 0.85
    # Every answer is one token after a prompt of three.
    assert done.tokens == 80 * 2 * 16 * 4
    assert not list(tmp_path.glob(".*"))


def test_a_divergence_from_the_base_that_costs_holds_it_near(bandit, tmp_path):
    near = BANDIT.model_copy(update={"beta": 20.0})
    reinforce(Base(str(bandit)), ASKED, tmp_path / "near", near, pay, training=HOW)
    first, after = law(bandit), law(tmp_path / "near")
    assert sum(p * np.log(p / first[word]) for word, p in after.items()) < 0.05
    assert after["c"] > first["c"]


def test_answers_without_a_reward_teach_nothing(bandit, tmp_path):
    few = BANDIT.model_copy(update={"steps": 3})
    reinforce(Base(str(bandit)), ASKED, tmp_path / "student", few, lambda asked: [None] * len(asked), training=HOW)
    assert law(tmp_path / "student") == law(bandit)


def weights(folder):
    return (folder / "model.safetensors").read_bytes()


def test_a_killed_training_goes_on_to_the_same_bytes(bandit, tmp_path):
    """Killed at update 50, it goes on from its checkpoint at 40, with the answers it would have sampled."""
    records = [Record(str(i), word, "", "c") for i, word in enumerate(("go", "go a", "go b"))]

    def run(name, until=80):
        asked = []

        def judged(answers):
            asked.append(len(answers))
            if len(asked) == until:
                raise KeyboardInterrupt
            return pay(answers)

        reinforce(Base(str(bandit)), records, tmp_path / name, BANDIT, judged, training=HOW, seed=3)
        return len(asked)

    assert run("whole", until=-1) == 80
    with pytest.raises(KeyboardInterrupt):
        run("killed", until=51)
    assert run("killed", until=-1) == 40
    assert weights(tmp_path / "killed") == weights(tmp_path / "whole")
    assert run("other", until=-1) == 80
    assert weights(tmp_path / "other") == weights(tmp_path / "whole")


def test_a_student_is_saved_as_its_base_is(bandit, tmp_path):
    reinforce(Base(str(bandit)), ASKED, tmp_path / "student", BANDIT.model_copy(update={"steps": 1}), pay, training=HOW)
    config, own = (Base(str(folder)).config.to_dict() for folder in (bandit, tmp_path / "student"))
    assert {key for key in config if config[key] != own[key]} <= {"_name_or_path"}
    assert not [path.name for path in (tmp_path / "student").rglob("*") if path.suffix in (".bin", ".pt", ".pth")]


def test_a_chat_is_asked_in_its_form(tmp_path):
    make_base(tmp_path / "base", chat=True)
    heard = []

    def judged(answers):
        heard.extend(answer for _, answer in answers)
        return exact_match(answers)

    settings = ReinforcementSettings(steps=2, prompts=1, answers=4, max_tokens=5)
    reinforce(Base(str(tmp_path / "base")), ASKED, tmp_path / "s", settings, judged, training=HOW, form="chat")
    assert len(heard) == 8
    assert (tmp_path / "s" / "chat_template.jinja").exists()


def test_records_without_room_for_an_answer_are_refused(bandit, tmp_path):
    settings = ReinforcementSettings(steps=1, max_tokens=200)
    with pytest.raises(UserError, match=r"rl: no records leave room for answers of 200 tokens in a window of 128"):
        reinforce(Base(str(bandit)), ASKED, tmp_path / "s", settings, pay, training=HOW)
