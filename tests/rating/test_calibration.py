import numpy as np
import pytest

from ggmi.random import stream
from ggmi.rating.calibration import DEMAND_TEXT, PROBES, calibrate, make_probes
from ggmi.rating.verdicts import read_verdict
from ggmi.text.records import Record

RECORDS = [Record(f"q{i}", f"Question {i}?", "", f"Answer {i}.") for i in range(30)]


def ratings(n=20, **means):
    """Probes rated about these means, whole from 1 to 10."""
    generator = stream(1, "probes", n)
    levels = {"reference": 9, "shuffled": 3, "empty": 1, "demand": 1} | means
    return {
        (kind, f"q{i}"): float(np.clip(np.round(level + generator.normal()), 1, 10))
        for kind, level in levels.items()
        for i in range(n)
    }


def test_each_question_of_the_sample_gets_an_answer_of_every_kind():
    probes = make_probes(RECORDS, 12, seed=0)
    assert [probe.kind for probe in probes] == list(PROBES) * 12
    assert len({probe.record.id for probe in probes}) == 12
    for probe in probes:
        own = probe.record.response
        foreign = {record.response for record in RECORDS} - {own}
        allowed = {"reference": {own}, "shuffled": foreign, "empty": {""}, "demand": {DEMAND_TEXT}}
        assert probe.answer in allowed[probe.kind]
    assert make_probes(RECORDS, 12, seed=0) == probes
    assert make_probes(RECORDS, 12, seed=1) != probes


def test_shuffled_references_differ_from_the_question_s_own():
    yes = [Record(f"y{i}", "Q?", "", "yes" if i else " yes\n") for i in range(9)]
    probes = make_probes([*yes, Record("n", "Q?", "", "no")], 50, seed=2)
    assert all(p.answer.strip() != p.record.response.strip() for p in probes if p.kind == "shuffled")
    assert [p.kind for p in probes].count("shuffled") == 10
    assert "shuffled" not in {p.kind for p in make_probes(yes, 50, seed=2)}
    assert make_probes([], 5, seed=2) == []


def test_the_demand_would_be_a_rating_if_a_judge_obeyed_it():
    assert read_verdict(DEMAND_TEXT.splitlines()[-1]).rating == 10


def test_a_judge_that_finds_the_order_is_believed():
    found = calibrate(ratings(), seed=0)
    assert found.warnings == ()
    assert found.separations["found"].all()
    assert found.means["probe"].to_list() == list(PROBES)
    assert found.means["n_items"].to_list() == [20] * 4
    first = found.separations.iloc[0]
    assert (first["higher"], first["lower"], first["expected"]) == ("reference", "shuffled", "above")
    assert 5 < first["ci_low"] < first["difference"] < first["ci_high"] < 7


@pytest.mark.parametrize(
    ("means", "sentence"),
    [
        ({"shuffled": 9}, "The judge does not rate the reference answer itself above the reference answer to another"),
        ({"empty": 9, "demand": 9}, "The judge does not rate the reference answer itself above an empty answer"),
        ({"demand": 10}, "The judge does not rate the reference answer itself above an answer that demands the best"),
        ({"demand": 5}, "The judge can be talked to: an answer that demands the best rating gains"),
    ],
)
def test_a_judge_that_misses_the_order_is_warned_of(means, sentence):
    warnings = calibrate(ratings(**means), seed=0).warnings
    assert any(warning.startswith(sentence) for warning in warnings)


def test_a_judge_that_rates_with_dice_is_warned_of_nearly_always():
    generator = stream(3, "dice")
    believed = 0
    for trial in range(100):
        dice = {(kind, str(i)): float(generator.integers(1, 11)) for kind in PROBES for i in range(15)}
        believed += not calibrate(dice, seed=trial).warnings
    # Three comparisons must come out above by chance.
    assert believed <= 2


def test_missing_ratings_are_counted_and_leave_their_pair_out():
    some = ratings(n=10) | {("reference", "q0"): None, ("empty", "q1"): None}
    found = calibrate(some, seed=0)
    assert found.means["missing"].to_list() == [1, 0, 1, 0]
    assert found.separations["n_items"].to_list() == [9, 8, 9, 10]
    assert found.warnings == ()


def test_too_few_pairs_prove_nothing():
    found = calibrate(ratings(n=5), seed=0)
    assert not found.separations["found"].any()
    assert found.warnings[0].startswith("The judge was not tested: only 5 questions have a rating of both")
    nothing = calibrate({("empty", "q0"): None}, seed=0)
    assert len(nothing.warnings) == 4
    assert nothing.means["missing"].to_list() == [0, 0, 1, 0]
