import numpy as np
import pytest

from ggmi.pilot.choice import DECIDED, PilotResult, Prediction, Trained, contenders, predict, recommended

TOKENS = np.full(400, 10)


def trained(losses_of, sizes, seeds, generator, noise=0.02):
    """Trainings on arms of known curves; test records differ in the same way for all arms."""
    records = generator.normal(0, 0.5, 400)
    found = []
    for arm, curve in losses_of.items():
        own = generator.normal(0, 0.1, 400)
        for n in sizes:
            for replicate in range(seeds):
                nats = 10 * (curve(n) + generator.normal(0, noise) + records + own)
                found.append(Trained(arm, n, replicate, nats, TOKENS, 10 * n))
    return found


def test_the_better_of_two_is_found_and_named_with_what_it_gains():
    curves = {"T": lambda n: 2 + 20 * n**-0.5, "a": lambda n: 1.5 + 20 * n**-0.5}
    rows = predict(trained(curves, [100, 200, 400], 2, np.random.default_rng(0)), {"T": 1600, "a": 1600}, 0)
    best = recommended(rows)
    assert best.arm == "a"
    assert best.probability > 0.99
    assert best.gain_ci_low < 0.5 < best.gain_ci_high
    assert (rows[0].gain, rows[0].gain_ci_low, rows[0].gain_ci_high) == (0, 0, 0)
    assert sum(row.probability for row in rows) == pytest.approx(1)
    assert rows[0].regret == pytest.approx(rows[1].gain - rows[1].regret * -1, abs=0.02)
    assert best.doubling_ci_low < 20 * (1600**-0.5 - 3200**-0.5) < best.doubling_ci_high
    assert [one.arm for one in contenders(rows)] == ["a"]


def test_probabilities_are_as_often_right_as_they_say():
    """Arms that differ little: of choices with a mean probability p, p come true."""
    generator = np.random.default_rng(5)
    said, right = [], []
    for round_ in range(150):
        floors = generator.normal(2, 0.05, 3)
        curves = {f"a{i}": (lambda n, floor=floor: floor + 10 * n**-0.5) for i, floor in enumerate(floors)}
        # the truth is the expected loss on all records, not on those of the test
        rows = predict(trained(curves, [100, 200, 400], 2, generator), dict.fromkeys(curves, 800), round_)
        best = recommended(rows)
        said.append(best.probability)
        right.append(best.arm == f"a{floors.argmin()}")
    error = np.sqrt(np.mean(np.array(said) * (1 - np.array(said))) / len(said))
    assert abs(np.mean(right) - np.mean(said)) < 3 * error
    assert 0.4 < np.mean(said) < 0.95


@pytest.mark.parametrize("arms", [2, 3])
def test_of_arms_that_are_equally_good_one_is_seldom_named(arms):
    """The rate at which equal sets are decided between, at the probability from which the sentence names one."""
    generator = np.random.default_rng(7)
    curves = {f"a{i}": (lambda n: 2 + 10 * n**-0.5) for i in range(arms)}
    rounds = 60
    best = [
        recommended(predict(trained(curves, [100, 200, 400], 2, generator), dict.fromkeys(curves, 800), round_))
        for round_ in range(rounds)
    ]
    # 15 % and 6 % of 200 were; three standard errors of a tenth above that
    assert np.mean([one.probability >= DECIDED for one in best]) < 0.1 + 3 * np.sqrt(0.1 * 0.9 / rounds)


def test_arms_that_lose_the_same_share_the_probability():
    generator = np.random.default_rng(0)
    one = trained({"T": lambda n: 2 + 20 * n**-0.5}, [100, 200], 2, generator)
    both = one + [Trained("copy", t.records, t.replicate, t.nats, t.tokens, t.read) for t in one]
    rows = predict(both, {"T": 400, "copy": 400}, 0)
    assert [row.probability for row in rows] == pytest.approx([0.5, 0.5], abs=0.02)
    assert len(contenders(rows)) == 2


def test_contenders_are_the_fewest_that_hold_the_best():
    rows = [Prediction(name, 1.0, 1, 1, p, 0, 0, 0, 0, 0, 0, 0) for name, p in zip("abc", (0.1, 0.6, 0.3), strict=True)]
    assert [one.arm for one in contenders(rows)] == ["b", "c"]
    assert [one.arm for one in contenders(rows, 0.6)] == ["b"]


def test_nothing_is_decided_where_no_student_learned():
    generator = np.random.default_rng(9)
    curves = {"T": lambda n: 6 - n / 800, "a": lambda n: 5 - n / 800}
    found = trained(curves, [100, 200, 400], 2, generator)
    result = PilotResult([], 2, found, predict(found, {"T": 400, "a": 400}, 0), ["T", "a"], 4)
    least = min(one.loss for one in found)
    for guessing, learned in ((least * 1.02, True), (least * 1.005, False), (0.5 * least, False)):
        choice = result.choice(guessing)
        assert (choice["learned"], choice["decided"]) == (learned, learned)
        assert choice["arm"] == "a"
