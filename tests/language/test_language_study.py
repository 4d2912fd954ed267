"""The study of language models: its law of skills, its judge of students, and claims on ratings made by hand."""

import numpy as np
import pandas as pd
import pytest
import torch

from ggmi.claims import claims_table
from ggmi.embedded.language import Language
from ggmi.embedded.truth import rating, student_truth
from ggmi.language.bases import BALANCES, Pretraining, pretrain, save_base
from ggmi.language.claims import conditions_table, language_claims, seed_ratings
from ggmi.language.students import (
    Study,
    drawn_records,
    greedy_ratings,
    records_table,
    study_conditions,
)
from ggmi.random import stream
from ggmi.students.base import Base
from ggmi.students.settings import ReinforcementSettings, TrainingSettings

HOW = Pretraining(
    **{"skills": 9, "letters": 4, "length": 2, "layers": 1, "width": 32, "heads": 2, "documents": 32, "rate": 4e-3},
    **{"most_steps": 400, "loss": 0.55, "imbalance": 30.0},
)


@pytest.fixture(scope="module")
def bases(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bases")
    made = {}
    for balance in BALANCES:
        model, rows, reached = pretrain(HOW, balance, 1)
        save_base(model, HOW.language(1), folder / balance)
        made[balance] = (folder / balance, rows, reached)
    return made


def of_skills(folder):
    model, language = Base(str(folder)).load().train(False), HOW.language(1)
    return [student_truth(model, language, np.array([s]), ended=False).risk_nats_token for s in range(HOW.skills)]


def test_laws_of_skills():
    assert HOW.law("balanced").tolist() == pytest.approx([1 / 9] * 9)
    law = HOW.law("unbalanced")
    assert law[0] / law[-1] == pytest.approx(30)
    assert np.ptp(law[:-1] / law[1:]) < 1e-12


def test_both_bases_lose_the_same_and_know_other_things(bases):
    losses = {balance: of_skills(folder) for balance, (folder, *_) in bases.items()}
    for balance, (_, rows, reached) in bases.items():
        assert reached
        assert rows[-1]["nats_per_token"] == pytest.approx(np.mean(losses[balance]), abs=1e-6)
        assert 0.45 < rows[-1]["nats_per_token"] <= 0.55
    assert np.std(losses["unbalanced"]) > 1.3 * np.std(losses["balanced"])
    # What was seen most is known best.
    assert np.corrcoef(losses["unbalanced"], HOW.law("unbalanced"))[0, 1] < -0.5


def test_every_record_is_in_the_pool_or_in_the_test_set():
    language = HOW.language(1)
    pool, test = drawn_records(language, 40, 1)
    assert (len(pool), len(test)) == (9 * 16 - 40, 40)
    assert len({record.text for record in [*pool, *test]}) == 9 * 16


def test_greedy_answers_are_those_of_generate(bases):
    folder, *_ = bases["unbalanced"]
    language, base = HOW.language(1), Base(str(folder))
    _, test = drawn_records(language, 40, 1)
    model = base.load().train(False)
    found = greedy_ratings(model, language, test)
    for record, value in zip(test, found, strict=True):
        question = Language.question({"instruction": record.instruction, "context": record.context})
        ids = base.tokenizer(question, return_tensors="pt").input_ids
        with torch.inference_mode():
            written = model.generate(ids, do_sample=False, max_new_tokens=3, attention_mask=torch.ones_like(ids))
        assert value == rating(base.tokenizer.decode(written[0, ids.shape[1] :]), record.response)
    assert len(set(found)) > 1


def test_difficulty_by_skill_is_the_mean_difficulty_of_its_records(bases):
    folder, *_ = bases["unbalanced"]
    language = HOW.language(1)
    everything, _ = drawn_records(language, 0, 1)
    table = records_table(Base(str(folder)), language, everything)
    means = table.groupby("instruction")[["base_loss_nats_per_token", "skill_nats_per_token"]].mean()
    np.testing.assert_allclose(means.iloc[:, 0], means.iloc[:, 1], rtol=1e-5)


def test_the_same_seed_gives_the_same_students_and_more_conditions_change_none(bases):
    folder, *_ = bases["unbalanced"]
    language = HOW.language(1)
    pool, test = drawn_records(language, 40, 1)
    scores = records_table(Base(str(folder)), language, pool)
    tuned = TrainingSettings(batch_size=8, learning_rate=1e-3, device="cpu", save_every=1000)
    rewarded = ReinforcementSettings(prompts=4, answers=4, max_tokens=3, learning_rate=1e-3)
    study = Study(str(folder), language, pool, test, scores, tuned, rewarded)
    few = study_conditions("balanced", "sft", [104], 3, 12)
    many = study_conditions("unbalanced", "sft", [10, 104], 3, 12)
    assert [c.method for c in few] == ["none", "sft"]
    assert sum(c.matched == "tokens" for c in many) == 1
    same = [c for c in many if c.subset == "hardest" and c.by == "skill"]
    (once,), (again,) = (list(study.students(same, 1, 7)) for _ in range(2))
    assert once == again
    others = [c for c in many if c.method == "none" or c.matched == "tokens"]
    everyone = {row["condition"]: (row, rated) for row, rated in study.students([*others, *same], 1, 7)}
    assert everyone[same[0].name] == once
    rl = list(study.students(study_conditions("balanced", "rl", [104], 2, 0), 1, 7))
    # Two updates of 16 answers, of eight or nine tokens with their prompts.
    assert 2 * 16 * 7 <= rl[0][0]["tokens"] <= 2 * 16 * 9


def made_up(effects, spread=0.3):
    """Students and ratings of every condition, whose means are set by hand, over 60 items and three seeds."""
    random = stream(0, "made up")
    items = random.normal(size=60)
    students, ratings = [], []
    for base in BALANCES:
        for method in ("sft", "rl"):
            for c in study_conditions(base, method, [10, 30, 90], 5, 20):
                for seed in (1,) if c.method == "none" else (1, 2, 3):
                    row = {"condition": c.name, **vars(c), "seed": seed, "records": c.size, "tokens": 1}
                    students.append({**row, "loss_nats_per_token": 1.0})
                    values = 5 + effects(c) + items + spread * random.normal(size=60)
                    found = {"condition": c.name, "seed": seed, "item": range(60), "rating": values}
                    ratings.append(pd.DataFrame(found))
    return pd.DataFrame(students), pd.concat(ratings, ignore_index=True)


def verdicts(effects):
    table = claims_table(language_claims(*made_up(effects)))
    return {claim.split()[0]: set(part["verdict"]) for claim, part in table.groupby("claim")}, table


def every(verdict):
    return {word: {verdict} for word in ("For", "Large", "Reinforcement", "Fine-tuning", "On")}


def test_claims_that_are_true_are_supported():
    def effects(c):
        if c.method == "none":
            return 0.0
        if c.method == "sft":
            hard = {"hardest": 2.0, "random": 1.0, "easiest": 0.0}[c.subset]
            return hard - 0.5 * np.log10(c.size) - (0.4 if c.base == "unbalanced" else 0)
        easy = {"hardest": -1.0, "random": 0.0, "easiest": 0.5}[c.subset]
        return 2 + easy + np.log10(c.size) + (1 if c.base == "balanced" else 0)

    found, table = verdicts(effects)
    assert found == every("supported")
    gains = table[table["claim"].str.contains("Reinforcement gains")]
    assert gains["estimate"].item() == pytest.approx(1.0, abs=0.15)
    assert (table["power"] > 0.99).all()


def test_claims_that_are_false_are_contradicted_and_without_an_effect_nothing_is_decided():
    def contrary(c):
        if c.method == "none":
            return 0.0
        size, subset = np.log10(c.size), {"hardest": -1.0, "random": 0.0, "easiest": 1.0}[c.subset]
        if c.method == "sft":
            return 3 + size + subset + (2 if c.base == "unbalanced" else 0)
        return -size - subset + (1 if c.base == "unbalanced" else 0)

    assert verdicts(contrary)[0] == every("contradicted")
    assert set().union(*verdicts(lambda _: 0.0)[0].values()) == {"undecided"}


def test_tables_of_conditions_and_students():
    students, ratings = made_up(lambda c: 0.0 if c.method == "none" else 1.0)
    table = conditions_table(students, ratings).set_index("condition")
    gains = table.loc[table["method"] != "none"]
    assert ((gains["gain_ci_low"] < 1) & (gains["gain_ci_high"] > 1)).mean() > 0.8
    assert (table.loc[table["method"] == "none", "gain"] == 0).all()
    rows = seed_ratings(students, ratings)
    assert len(rows) == len(students)
    mean = rows.groupby("condition")["rating"].mean()
    np.testing.assert_allclose(mean[table.index], table["rating"])
    assert (rows["ci_low"] < rows["rating"]).all()
