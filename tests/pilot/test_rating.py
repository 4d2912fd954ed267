import numpy as np
import pytest

from ggmi.pilot.choice import Trained
from ggmi.pilot.rating import PilotJudge, asked_records, rated
from ggmi.rating.intervals import mean_rating, paired_difference
from ggmi.text.records import Record

ASKED = asked_records([Record(str(i), f"Say {i}.", "", f"{i}") for i in range(60)], 0)


def students(means, generator, spread=1.0):
    """Two students an arm; an answer is the rating that a judge will read out of it, or nothing."""
    return {
        arm: [
            Trained(arm, 64, replicate, np.ones(1), np.ones(1, int), 0, answered(mean, generator, spread))
            for replicate in range(2)
        ]
        for arm, mean in means.items()
    }


def answered(mean, generator, spread):
    ratings = np.clip(generator.normal(mean, spread, len(ASKED)).round(1), 1, 10)
    texts = map(str, ratings)
    return [
        {"id": record.id, "draw": 0, "text": text, "raw": text, "problem": None}
        for record, text in zip(ASKED, texts, strict=True)
    ]


def read_out(answers):
    """A judge whose rating is what the answer says."""
    return [
        {"prompt_id": None, "prompt": None, "verdicts": [], "rating": None if text == "-" else float(text)}
        for _, text in answers
    ]


def test_ratings_and_differences_are_those_of_the_product():
    found = students({"T": 4.0, "a": 6.5, "b": 5.1}, np.random.default_rng(0))
    rating = rated(found, ASKED, PilotJudge("j", read_out))
    cells = {
        arm: np.array([[float(row["text"]) for row in one.answers] for one in own]).T for arm, own in found.items()
    }
    for row in rating["arms"]:
        own = mean_rating(cells[row["arm"]])
        assert (row["rating"], row["rating_ci_low"]) == pytest.approx((own.value, own.interval.low))
        assert (row["n"], row["missing"], row["trained"]) == (60, 0, 64)
    assert [(row["arm"], row["against"]) for row in rating["differences"]] == [("a", "b"), ("a", "T"), ("b", "T")]
    first = rating["differences"][1]
    pair = paired_difference(cells["a"], cells["T"])
    assert (first["difference"], first["difference_ci_low"]) == pytest.approx((pair.value, pair.interval.low))
    assert all(row["p_holm"] >= row["p"] for row in rating["differences"])
    assert rating["best"] == "a"


def test_an_arm_is_named_if_it_is_higher_than_every_other_one():
    generator = np.random.default_rng(1)
    near = rated(students({"T": 3.0, "a": 6.0, "b": 6.0}, generator), ASKED, PilotJudge("j", read_out))
    assert near["best"] is None
    assert rated(students({"a": 6.0}, generator), ASKED, PilotJudge("j", read_out))["best"] is None


def test_of_arms_that_are_rated_alike_one_is_seldom_named():
    generator = np.random.default_rng(2)
    named = [
        rated(students(dict.fromkeys("abc", 5.0), generator), ASKED, PilotJudge("j", read_out))["best"]
        for _ in range(25)
    ]
    # 5 % of families at most; three standard errors above that
    assert np.mean([one is not None for one in named]) < 0.05 + 3 * np.sqrt(0.05 * 0.95 / 25)


def test_answers_without_a_rating_are_counted_and_may_be_all():
    found = students({"T": 5.0, "a": 6.0}, np.random.default_rng(3))
    for one in found["a"]:
        one.answers[:] = [{**row, "text": "-"} for row in one.answers]
    rating = rated(found, ASKED, PilotJudge("j", read_out))
    assert rating["best"] is None
    assert rating["arms"][1] | {"trained": 0} == {
        **{"arm": "a", "trained": 0, "rating": None, "rating_ci_low": None, "rating_ci_high": None},
        **{"missing": 120, "n": 0},
    }


def test_each_text_is_asked_once():
    test = [Record(str(i), "Say it.", "", str(i // 2)) for i in range(300)]
    asked = asked_records(test, 0)
    assert len(asked) == len({record.text for record in asked}) == len({record.id for record in asked}) == 100
    assert asked == asked_records(test, 0) != asked_records(test, 1)
