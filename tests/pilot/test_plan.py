import os
import subprocess
import sys
from dataclasses import replace

import psutil
import pytest

from ggmi.errors import UserError
from ggmi.pilot.arms import drawn_test, hold_out, make_arms
from ggmi.pilot.halving import LEAST, SEEDS, plan_rungs
from ggmi.pilot.study import affordable
from ggmi.pilot.trainings import workers
from ggmi.piloting import budget_of
from ggmi.text.records import Record


def records(name, n, start=0):
    return [Record(f"{name}{i}", "Say it.", "", f"{name} {i}") for i in range(start, start + n)]


def cost(rungs, seeds, sizes, tokens, each):
    """What the dearest course of a plan reads."""
    total = 0
    for rung in rungs:
        costs = sorted((each + min(rung.records, sizes[arm]) * tokens[arm] for arm in sizes), reverse=True)
        total += seeds * sum(costs[: rung.arms])
    return total


@pytest.mark.parametrize("budget", [3e5, 1e6, 1e7, 1e9])
@pytest.mark.parametrize("sizes", [{"a": 4000}, {"a": 4000, "b": 300}, dict.fromkeys("abcdefg", 20_000)])
def test_a_plan_keeps_to_its_budget_and_uses_it(sizes, budget):
    tokens = {arm: 100.0 + 50 * i for i, arm in enumerate(sizes)}
    try:
        rungs, seeds = plan_rungs(sizes, tokens, budget, 1000)
    except UserError:
        assert budget <= 1e6
        return
    assert cost(rungs, seeds, sizes, tokens, 1000) <= budget
    assert [rung.arms for rung in rungs] == sorted((rung.arms for rung in rungs), reverse=True)
    assert rungs[0].arms == len(sizes)
    assert rungs[0].records >= LEAST
    full = rungs[-1].records >= max(sizes.values())
    assert full or cost(rungs, seeds, sizes, tokens, 1000) > 0.8 * budget
    assert seeds == SEEDS or full or seeds > SEEDS


def test_more_seeds_are_trained_where_all_records_are_paid_for():
    assert plan_rungs({"a": 200, "b": 200}, {"a": 10, "b": 10}, 1e9)[1] == 5


def test_a_budget_that_is_too_small_says_what_would_do():
    with pytest.raises(UserError, match=r"100 tokens do not pay for the smallest pilot of 2 arms, which reads 4,480"):
        plan_rungs({"a": 2000, "b": 2000}, {"a": 10, "b": 10}, 100)
    assert plan_rungs({"a": 2000, "b": 2000}, {"a": 10, "b": 10}, 4480)[1] == SEEDS
    # A time is told as a time: 1.1 · 4480 tokens at 10 a second.
    with pytest.raises(UserError, match="which reads 4,480; name at least 493s, or fewer sets"):
        plan_rungs({"a": 2000, "b": 2000}, {"a": 10, "b": 10}, 100, per_second=10)


def test_no_text_is_trained_and_tested_on():
    real = records("t", 120) + records("t", 120)  # every text twice
    train, test = hold_out(real, 0)
    assert len(test) == len({r.text for r in test}) == 24
    assert len(train) == 240 - 2 * 24
    assert not {r.text for r in train} & {r.text for r in test}
    # Case and spaces make no other text.
    copied = [replace(r, instruction=r.instruction.upper(), response=f" {r.response}  ") for r in records("t", 120)]
    arms, same = make_arms(train, {"copied": copied, "own": records("x", 30)}, test, mixtures=True)
    assert [(arm.name, len(arm.records), arm.left_out) for arm in arms] == [
        ("T", 192, 0),
        ("copied", 96, 24),
        ("own", 30, 0),
        ("T + copied", 288, 24),
        ("T + own", 222, 0),
    ]
    assert same == {}
    first, longer, other = (arms[1].subset(*one) for one in ((5, 0, 0), (9, 0, 0), (5, 0, 1)))
    assert first == longer[:5] != other


def test_what_leaves_nothing_to_train_or_test_on_is_refused():
    train, test = hold_out(records("t", 200), 0)
    with pytest.raises(UserError, match="same: every one of its 40 records is in the test set"):
        make_arms(train, {"same": test}, test, mixtures=False)
    with pytest.raises(UserError, match="holds 4 different records; at least 20 are needed"):
        make_arms(train, {"x": records("x", 5)}, test[:4], mixtures=False)
    with pytest.raises(UserError, match="'T' is the name of the training set"):
        make_arms(train, {"T": records("x", 5)}, test, mixtures=False)
    with pytest.raises(UserError, match=r"'T \+ x' is the name of the training set, or of a mixture with it"):
        make_arms(train, {"x": records("x", 5), "T + x": records("y", 5)}, test, mixtures=True)
    assert len(drawn_test(records("u", 1000), 0)) == 300
    # A text that is repeated says no more than once.
    assert len(drawn_test(records("u", 30) * 9, 0)) == 30


def test_sets_that_hold_the_same_records_are_compared_once():
    train, test = hold_out(records("t", 200), 0)
    sets = {"a": records("a", 50), "b": records("b", 50), "again": records("a", 50)[::-1], "T again": records("t", 200)}
    arms, same = make_arms(train, sets, test, mixtures=True)
    assert [arm.name for arm in arms] == ["T", "a", "b", "T + a", "T + b"]
    assert same == {"again": "a", "T again": "T"}
    with pytest.raises(UserError, match=r"^T again: holds the same records as T, so there is nothing to compare"):
        make_arms(train, {"T again": sets["T again"]}, test, mixtures=False)


@pytest.mark.parametrize("text", ["", "ten minutes", "10", "-5m", "0s", "1d", "m"])
def test_a_budget_is_a_time_or_a_number_of_tokens(text):
    with pytest.raises(UserError, match="is not allowed; name a time such as 90s"):
        budget_of(text)
    assert budget_of("1.5h") == (5400, True)


def test_a_time_is_planned_in_round_tokens_that_can_be_named_again():
    assert [affordable(tokens) for tokens in (1e6, 1_234_567, 15_000)] == [700_000, 860_000, 10_000]


# One starts by itself, several as forks of one process.
@pytest.mark.parametrize("number", [1, 2])
def test_a_training_that_is_killed_is_told_in_a_sentence(number):
    with (
        pytest.raises(UserError, match="a training was killed, most likely because memory ran out"),
        workers(number) as pool,
    ):
        pool.submit(os._exit, 9).result()


@pytest.mark.parametrize("number", [1, 2])
def test_workers_end_with_a_pilot_that_is_killed(number):
    program = (
        "import time\n"
        "from ggmi.pilot.trainings import workers\n"
        f"with workers({number}) as pool:\n"
        "    pool.submit(time.sleep, 600)\n"
        "    print(*pool._processes, flush=True)\n"
        "    time.sleep(600)\n"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as pilot:
        worker = psutil.Process(int(pilot.stdout.readline()))
        pilot.kill()
    worker.wait(timeout=60)
