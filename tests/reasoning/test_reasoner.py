import numpy as np
import pytest
from reasoning.conftest import RECIPE

from ggmi.errors import UserError
from ggmi.random import stream
from ggmi.reasoning.problems import Problems, group_table, load_problems, save_problems
from ggmi.reasoning.reasoner import load, save, step_accuracy, train
from ggmi.reasoning.samples import load_samples, sample_chains, sample_with_hot, save_samples
from ggmi.reasoning.verifiers import SetReliability, train_verifier


def test_problems_are_what_they_say(table, tmp_path):
    problems = {n: Problems.draw(table, n, 500, stream(1, "tests", n)) for n in (2, 5)}
    for n, p in problems.items():
        thoughts = p.thoughts()
        assert thoughts.shape == (500, n + 1)
        for step in range(n):
            assert (thoughts[:, step + 1] == table[thoughts[:, step], p.operands[:, step]]).all()
        assert 0.4 < (p.claims == thoughts[:, -1]).mean() < 0.6
        assert p.prompts().shape == (500, 2 * n + 2)
        # Whether the irrelevant operand comes first says nothing, and which one counts can be told by its kind.
        pairs = p.prompts()[:, : 2 * n].reshape(500, n, 2)
        counts = np.sort(pairs, axis=2)[:, :, 0] - 2 - len(table)
        assert (counts == p.operands).all()
    save_problems(tmp_path / "p.npz", problems)
    again = load_problems(tmp_path / "p.npz")
    assert list(again) == [2, 5]
    assert (again[5].prompts() == problems[5].prompts()).all()


def test_an_unknown_group_is_refused():
    with pytest.raises(UserError, match="group: 'klein_4' is not allowed; allowed: cyclic_2"):
        group_table("klein_4")


def test_training_stops_in_the_band(trained, table):
    assert trained.reached
    assert trained.rows[0]["step_accuracy"] < 0.4
    found = np.mean([step_accuracy(trained.model, Problems.draw(table, n, 400, stream(2, n))).mean() for n in (2, 5)])
    assert 0.85 <= found <= 0.97


def test_the_same_seed_trains_the_same_bytes(table, tmp_path):
    recipe = type(RECIPE)(**{**vars(RECIPE), "steps": 6})
    for name in "ab":
        save(train(recipe, table, range(2, 4), 5, "same").model, tmp_path / name)
    assert (tmp_path / "a/model.safetensors").read_bytes() == (tmp_path / "b/model.safetensors").read_bytes()


def test_sampled_steps_are_right_as_often_as_the_model_says(trained, table, tmp_path):
    problems = Problems.draw(table, 4, 3000, stream(3, "tests"))
    samples = sample_chains(trained.model, problems, stream(4, "tests"))
    right = samples.right_prefix
    for step in range(4):
        given = right[:, step]
        exact = step_accuracy(trained.model, problems)[given, step].mean()
        found = right[given, step + 1].mean()
        assert abs(found - exact) < 4 * np.sqrt(exact * (1 - exact) / given.sum())
    save_samples(tmp_path / "s.npz", {4: samples})
    again = load_samples(tmp_path / "s.npz", {4: problems})[4]
    assert (again.tokens == samples.tokens).all()
    # Read step by step with plain lists.
    m = len(table)
    for i in range(0, 3000, 97):
        tokens, steps, step = [t for t in samples.tokens[i] if t >= 0], [], []
        for token in tokens:
            step.append(token)
            if token == 0 or 2 <= token < 2 + m:
                steps.append(step)
                step = []
        for place in range(4):
            texts = steps[place] if place < len(steps) and steps[place][-1] != 0 else None
            if texts is None:
                assert samples.texts[i, place] == m * m + 1
                assert samples.values[i, place] == -1
                continue
            assert samples.values[i, place] == texts[-1] - 2
            taught = len(texts) == 2 and 2 + m <= texts[0] < 2 + 2 * m
            assert samples.texts[i, place] == (m * (texts[0] - 2 - m) + texts[1] - 2 if taught else m * m)


def test_a_loaded_reasoner_is_the_saved_one(trained, folder, table):
    problems = Problems.draw(table, 3, 50, stream(5, "tests"))
    np.testing.assert_array_equal(step_accuracy(load(folder), problems), step_accuracy(trained.model, problems))


def test_a_damaged_reasoner_is_told_in_one_sentence(tmp_path):
    with pytest.raises(UserError, match="cannot be loaded as a reasoner"):
        load(tmp_path)


def test_verifiers_learn_from_the_reasoners_own_chains(folder, trained, table):
    problems = Problems.draw(table, 4, 6000, stream(6, "tests"))
    samples = sample_with_hot(trained.model, problems, stream(7, "tests"), 2.0)
    for kind in ("orm", "prm"):
        found = train_verifier(kind, folder, samples, 1, "tests", steps=150, rate=5e-3, chains=96)
        assert found.rows[-1]["held_out_auc"] > 0.6
        assert found.model.config.n_layer == RECIPE.layers + 1


def test_set_reliability_chooses_right_as_often_as_it_says():
    class Known:
        right = np.arange(20) < 10

    verifier = SetReliability(Known, 0.8, np.random.default_rng(0))
    mixed = np.tile([15, 3, 16], (20_000, 1))
    scores = verifier.score(mixed)
    assert abs((scores.argmax(axis=1) == 1).mean() - 0.8) < 4 * 0.4 / np.sqrt(20_000)
    assert np.isnan(verifier.score(np.array([[-1, 2]]))[0, 0])
