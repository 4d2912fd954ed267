from collections import Counter

import numpy as np
import pytest

from ggmi.pipeline.faults import some_rows, with_faults
from ggmi.text.records import FIELDS

ROWS = [
    {"id": f"r{i}", "instruction": f"ask {i}", "context": "", "response": f"say {i % 40}", "log_prob_nats": -i}
    for i in range(100)
]
REAL = [{"id": f"t{i}", "instruction": f"real {i}", "context": "c", "response": "yes"} for i in range(7)]
OTHER = [{"instruction": f"off {i}", "context": "", "response": "no"} for i in range(100)]
SOURCES = {"copied": REAL, "off_task": OTHER}


def texts(row):
    return tuple(row[name] for name in FIELDS)


def test_each_fault_has_its_share_and_does_what_it_says():
    shares = {"wrong": 0.25, "repeated": 0.2, "off_task": 0.11, "copied": 0.1}
    made, counts = with_faults(ROWS, shares, SOURCES, np.random.default_rng(0))
    assert counts == {"wrong": 25, "repeated": 20, "off_task": 11, "copied": 10}
    assert Counter(row["fault"] for row in made) == {None: 34, **counts}
    clean = {texts(row) for row in made if row["fault"] is None}
    known = {"repeated": clean, "copied": set(map(texts, REAL)), "off_task": set(map(texts, OTHER))}
    for before, after in zip(ROWS, made, strict=True):
        assert {**after, **{name: before[name] for name in FIELDS}} == {**before, "fault": after["fault"]}
        if after["fault"] is None:
            assert texts(after) == texts(before)
        elif after["fault"] == "wrong":
            assert texts(after)[:2] == texts(before)[:2]
            assert after["response"] != before["response"]
            assert after["response"] in {row["response"] for row in ROWS}
        else:
            assert texts(after) in known[after["fault"]]
    # What a source has enough of is not taken twice.
    assert len({texts(row) for row in made if row["fault"] == "off_task"}) == 11


def test_wrong_responses_are_each_as_likely():
    rows = [{**ROWS[0], "response": str(i)} for i in range(5)]
    found = Counter()
    for seed in range(2000):
        made, _ = with_faults(rows, {"wrong": 0.2}, {}, np.random.default_rng(seed))
        found.update((i, row["response"]) for i, row in enumerate(made) if row["fault"])
    # 20 kinds of 100 each expected; a count of Binomial(2000, 1/20) leaves 60 to 140 once in 10,000
    assert len(found) == 20
    assert min(found.values()) > 60
    assert max(found.values()) < 140


@pytest.mark.parametrize(
    ("rows", "shares"),
    [([], {"wrong": 0.5}), (ROWS[:1] * 4, {"wrong": 0.5}), (ROWS[:2], {"repeated": 0.9})],
    ids=["no record", "one response", "no record left to copy"],
)
def test_a_fault_that_cannot_be_put_in_is_not_counted(rows, shares):
    made, counts = with_faults(rows, shares, {}, np.random.default_rng(0))
    assert set(counts.values()) == {0}
    assert [texts(row) for row in made] == [texts(row) for row in rows]


def test_a_part_of_a_set_is_drawn_once_each_and_keeps_its_order():
    part = some_rows(ROWS, 30, np.random.default_rng(0))
    assert len(part) == 30
    assert part == sorted(part, key=ROWS.index)
    assert len({row["id"] for row in part}) == 30
    for most in (None, 100, 101):
        assert some_rows(ROWS, most, np.random.default_rng(0)) == ROWS
