import numpy as np
import pandas as pd
import pytest

from ggmi.random import stream
from ggmi.reasoning.chain_claims import chain_claims, laws_table
from ggmi.reasoning.information import fano_bound, information, perfect_lengths, plan_lengths, step_tables
from ggmi.reasoning.problems import FIRST_VALUE, Problems, group_table
from ggmi.reasoning.reasoner_tables import control_lengths
from ggmi.reasoning.samples import Samples

M = 5


@pytest.fixture(scope="module")
def fives():
    return group_table("cyclic_5")


def noisy(problems, delta, generator):
    """Chains whose every step goes to a uniform other value with probability delta, and goes on from there."""
    tokens, value = problems.chains(), problems.starts
    for step in range(problems.length):
        value = problems.table[value, problems.operands[:, step]]
        slip = generator.random(len(problems)) < delta
        value = np.where(slip, (value + generator.integers(1, M, len(problems))) % M, value)
        tokens[:, 2 * step + 1] = FIRST_VALUE + value
    return Samples(problems, tokens)


def error_after(steps, delta):
    """Error of step l of such chains: the slips' sum is uniform on the others once it is not zero."""
    keep = 1 - delta * M / (M - 1)
    return (1 - 1 / M) * (1 - keep**steps)


def loss(error):
    """H(t|r) of a symmetric channel of this error."""
    return -error * np.log(error) - (1 - error) * np.log(1 - error) + error * np.log(M - 1)


@pytest.fixture(scope="module")
def measured(fives):
    generator = np.random.default_rng(0)
    samples = {n: noisy(Problems.draw(fives, n, 2500, generator), 0.1, generator) for n in (2, 4, 6)}
    return step_tables(samples, np.random.default_rng(1))


def test_information_of_a_symmetric_channel(fives):
    generator = np.random.default_rng(0)
    t = generator.integers(M, size=200_000)
    r = np.where(generator.random(len(t)) < 0.2, (t + generator.integers(1, M, len(t))) % M, t)
    told, entropy = information(t, r, M)
    assert abs(entropy - np.log(M)) < 1e-3
    assert abs(told - (np.log(M) - loss(0.2))) < 0.01


def test_steps_of_a_symmetric_channel_are_measured(measured):
    steps, _ = measured
    assert list(steps["n"]) == [7500, 7500, 5000, 5000, 2500, 2500]
    for row in steps.to_dict("records"):
        exact = {
            "right_given_right": 0.9,
            "error": error_after(row["step"], 0.1),
            "error_after_right": 0.1,
            "loss_nats": loss(error_after(row["step"], 0.1)),
        }
        for name, value in exact.items():
            spread = (row[f"{name}_ci_high"] - row[f"{name}_ci_low"]) / 3.92
            assert abs(row[name] - value) < 4.5 * spread, (row["step"], name)
        assert row["information_p"] <= 0.005 + 1e-9
        assert abs(row["information_null_nats"]) < 0.005
        if row["step"] > 1:
            before = np.mean(steps["loss_nats"][: row["step"] - 1])
            assert row["bound"] == pytest.approx(fano_bound(before, row["error"], M))


def test_right_chains_lose_nothing_and_a_plan_falls_as_one_over_l(fives):
    problems = {n: Problems.draw(fives, n, 3000, stream(0, n)) for n in (2, 8)}
    perfect = perfect_lengths(problems)
    np.testing.assert_allclose(perfect["total_nats"], [2 * np.log(M), 8 * np.log(M)], atol=0.02)
    assert list(perfect["tokens"]) == [5, 17]
    plan = plan_lengths(M, {2: 3000, 8: 3000}, np.random.default_rng(0))
    np.testing.assert_allclose(plan["per_token_nats"], [np.log(M) / 2, np.log(M) / 8], atol=0.002)


def test_the_bound_is_fanos(fives):
    # At the channel's own loss and error, Fano's inequality is an equality for a symmetric channel.
    assert fano_bound(loss(0.3), 0.3, M) == pytest.approx(0.3)
    assert np.isnan(fano_bound(0.1, 0.1, 2))
    assert fano_bound(loss(0.3), 0.05, M) > 0.05  # the paper's form: earlier losses, a smaller error


def steps_of(p, n=20_000):
    """A table of steps with these shares of right ones."""
    generator = np.random.default_rng(0)
    count = np.full(len(p), n)
    share = generator.binomial(count, p) / count
    table = {"step": 1 + np.arange(len(p)), "n": 2 * count, "n_right_before": count, "right_given_right": share}
    table |= {"error_after_right": 1 - share, "error_after_wrong": 1 - share}
    for name in ("bound", "slack"):
        table |= {name: np.full(len(p), 0.1), f"{name}_ci_low": np.full(len(p), 0.08)}
        table[f"{name}_ci_high"] = np.full(len(p), 0.12)
    return pd.DataFrame(table)


@pytest.mark.parametrize(
    ("p", "law"),
    [
        (np.full(8, 0.9), "constant"),
        (0.95 - 0.04 * np.arange(8), "linear"),
        (np.minimum(np.exp(1.5 - np.arange(1, 9)), 1), "exponential"),
        (0.9 * np.exp(-0.4 * np.arange(8)), "free exponential"),
    ],
)
def test_the_law_that_was_drawn_from_is_found(p, law):
    laws = laws_table(steps_of(p)).set_index("law")
    assert laws.loc[law, "aic"] <= laws["aic"].min() + 2.5
    if law == "exponential":
        assert laws.loc[law, "a"] == pytest.approx(np.exp(1.5), rel=0.02)
        assert laws.loc[law, "z_other"] > 5


def claims_for(p, fives):
    lengths = pd.DataFrame({"tokens": [5.0, 9.0, 17.0], "per_token_nats": [0.6, 0.5, 0.3], "n": [100] * 3})
    lengths = lengths.assign(per_token_nats_ci_low=lengths["per_token_nats"] - 0.02)
    lengths = lengths.assign(per_token_nats_ci_high=lengths["per_token_nats"] + 0.02)
    problems = {n: Problems.draw(fives, n, 400, stream(0, n)) for n in (2, 8)}
    steps = steps_of(p)
    controls = control_lengths(problems, np.random.default_rng(0))
    return {c.claim: c for c in chain_claims("five", steps, lengths, laws_table(steps), controls)}


def test_a_constant_share_is_no_snowball_and_a_falling_one_is(fives):
    constant = claims_for(np.full(8, 0.9), fives)
    falling = claims_for(0.95 - 0.02 * np.arange(8), fives)
    snowball = next(c for c in constant if c.startswith("Errors snowball"))
    assert constant[snowball].p > 0.01
    assert constant[snowball].power > 0.9
    assert falling[snowball].p < 1e-6
    assert falling[snowball].supports
    assert falling[snowball].estimate == pytest.approx(-0.02, abs=0.002)
    law = next(c for c in constant if c.startswith("The share of right steps"))
    assert constant[law].supports is False
    assert constant[law].p < 1e-6
    control = next(c for c in constant if c.startswith("Information per token that falls"))
    assert (constant[control].supports, np.isnan(constant[control].p)) == (False, True)
