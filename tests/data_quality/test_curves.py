"""Tables of figures 1, 2 and 5, of small sets and of difficulty, against direct computation."""

import numpy as np
import pytest

from ggmi.data_quality.closed_forms import one_step_error, tuned
from ggmi.data_quality.curves import (
    BASELINES,
    CURVE_COLUMNS,
    SEED_COLUMNS,
    VARIANTS,
    Curves,
    by_length,
    by_prompts,
    curve_table,
    simulate_chains,
    two_blocks,
)
from ggmi.data_quality.difficulty import DIFFICULTY_COLUMNS, FAMILIES, difficulty_table, family_member
from ggmi.data_quality.limit import LIMIT_COLUMNS, QUANTITIES, against_limit, limit_table
from ggmi.data_quality.small_sets import LARGE, SMALL, SMALL_SET_COLUMNS, small_sets

CURVES = Curves(7, 6, 20, 10, 0.1, 0.2, (1, 3), 3)
PROMPTS = [0, 4, 8, 30]


@pytest.fixture(scope="module")
def numbers():
    return by_prompts(CURVES, [0.0, 0.1], [15, 40], PROMPTS, [4, 30])


def test_chains_are_powers_of_one_step():
    generator = np.random.default_rng(0)
    d, prompts, probes = 4, 3, 2
    root = generator.standard_normal((prompts, d, 6))
    s = root @ np.swapaxes(root, 1, 2) / 6
    weights, vs = generator.standard_normal((prompts, probes, d)), generator.standard_normal((5, d, d)) / 3
    found = simulate_chains(vs, s, weights, [1, 4])
    for row, k in zip(found, (1, 4), strict=True):
        left = [
            [
                np.linalg.matrix_power(np.eye(d) + v @ s[t], k) @ weights[t, c]
                for t in range(prompts)
                for c in range(probes)
            ]
            for v in vs
        ]
        np.testing.assert_allclose(row, np.square(left).mean(axis=(1, 2)), rtol=1e-9)
    diagonals = np.array([np.diag(v) for v in vs])
    as_matrices = simulate_chains(np.array([np.diag(x) for x in diagonals]), s, weights, [2])
    np.testing.assert_allclose(simulate_chains(diagonals, s, weights, [2]), as_matrices)


def test_figure_1_has_the_error_of_every_setting(numbers):
    assert tuple(numbers) == SEED_COLUMNS
    for r, n, b, place in ((0.0, 40, 8, 2), (0.1, 15, 30, 5)):
        setting = CURVES.setting(r)
        draws = CURVES.draws(place, n, max(PROMPTS))
        phi, omega = draws.products(setting.tuning)[:, :b], draws.weights.T[:, :b]
        v = tuned(phi, omega, 1.0, np.diag(setting.start(n)))
        mine = numbers.query("r == @r and n_sft == @n and B == @b and seed == @place")
        exact = mine[mine["test_steps"] == 1]["err_over_d"].item()
        assert exact == pytest.approx(float(one_step_error(v, np.diag(setting.test), n)) / 20, rel=1e-8)
    # Only some B are tested with more steps, next to every baseline.
    several = numbers[numbers["test_steps"] == 3]
    assert len(several) == 6 * 2 * 2 * (2 + len(BASELINES))
    assert set(several["B"].dropna()) == {4, 30}


def test_baselines_are_levels_without_chance(numbers):
    computed = numbers[(numbers["test_steps"] == 1) & numbers["baseline"].notna()]
    assert computed["seed"].isna().all()
    assert (computed.loc[computed["baseline"] == "zero", "err_over_d"] == 1).all()
    level = computed.pivot_table(index=["r", "n_sft"], columns="baseline", values="err_over_d")
    assert (level["best one-step"] <= level.min(axis=1)).all()
    drawn = numbers[(numbers["test_steps"] == 1) & (numbers["B"] == 0)]
    for (r, n), part in drawn.groupby(["r", "n_sft"]):
        np.testing.assert_allclose(part["err_over_d"], level.loc[(r, n), "no fine-tuning"])


def test_no_condition_changes_another(numbers):
    fewer = by_prompts(CURVES, [0.1], [40], [8, 30], [30])
    keys = ["r", "n_sft", "B", "test_steps", "baseline", "seed"]
    merged = fewer.merge(numbers, on=keys, suffixes=("", "_among"))
    assert len(merged) == len(fewer)
    np.testing.assert_allclose(merged["err_over_d"], merged["err_over_d_among"], rtol=1e-10)


def test_curves_are_medians_with_intervals(numbers):
    table = curve_table(numbers)
    assert tuple(table) == CURVE_COLUMNS
    row = table.query("r == 0.1 and n_sft == 40 and B == 8 and test_steps == 1").iloc[0]
    values = numbers.query("r == 0.1 and n_sft == 40 and B == 8 and test_steps == 1")["err_over_d"]
    assert row["err_over_d_median"] == values.median()
    assert row["seeds"] == 6
    # Of six values the smallest and largest hold the median with 97 %.
    assert (row["ci_low"], row["ci_high"]) == (values.min(), values.max())
    computed = table[(table["test_steps"] == 1) & table["baseline"].notna()]
    assert (computed["seeds"] == 0).all()
    assert computed["ci_low"].isna().all()


def test_lengths_vary_together_and_alone():
    found = by_length(CURVES, [0.1], [10, 30], [8], 20)
    one = found[(found["test_steps"] == 1) & found["B"].notna()]
    told = {
        variant: sorted(set(zip(p["n_pre"], p["n_sft"], p["n_test"], strict=True)))
        for variant, p in one.groupby("variant")
    }
    assert told == {
        "tied": [(10, 10, 10), (30, 30, 30)],
        "n_pre": [(10, 20, 20), (30, 20, 20)],
        "n_sft": [(20, 10, 20), (20, 30, 20)],
        "n_test": [(20, 20, 10), (20, 20, 30)],
    }
    assert set(told) == set(VARIANTS)
    # The tied rows are those of figure 1.
    same = by_prompts(CURVES, [0.1], [30], [8], [])
    tied = one[(one["variant"] == "tied") & (one["n_sft"] == 30)]
    np.testing.assert_allclose(tied["err_over_d"], same[same["B"].notna() & same["test_steps"].eq(1)]["err_over_d"])


def test_figure_5_has_four_quantities():
    repetitions = against_limit(CURVES, 0.1, [50], [0, 4, 30])
    table = limit_table(repetitions)
    assert tuple(table) == LIMIT_COLUMNS
    assert set(table["quantity"]) == set(QUANTITIES)
    wide = table.pivot_table(index="B", columns="quantity", values="err_over_d_median")
    # Without prompts Ṽ and V* are the pretrained model.
    assert wide.loc[0, "V_tilde"] == pytest.approx(wide.loc[0, "V_star"])
    assert np.isinf(wide.loc[20, "F_printed"])
    v_star = by_prompts(CURVES, [0.1], [50], [4], [])
    mine = repetitions.query("quantity == 'V_star' and B == 4")["err_over_d"]
    np.testing.assert_allclose(mine, v_star[v_star["B"].eq(4) & v_star["test_steps"].eq(1)]["err_over_d"])


def test_small_sets_are_chosen_apart_from_where_they_are_measured():
    curves = Curves(7, 14, 40, 20, 0.1, 0.2)
    table = small_sets(curves, [0.1], [2.0])
    assert tuple(table) == SMALL_SET_COLUMNS
    row = table.iloc[0]
    sizes = [round(x * 40) for x in (*SMALL, *LARGE)]
    rows = by_prompts(curves, [0.1 * 0.2], [80], sizes, []).query("test_steps == 1 and B == B")
    errors = rows.pivot_table(index="seed", columns="B", values="err_over_d")
    small = [b for b in errors if b < 20]
    assert row["B_small"] == errors[small].iloc[::2].median().idxmin()
    assert row["err_small_median"] == pytest.approx(errors[row["B_small"]].iloc[1::2].median())
    assert row["err_zero"] == 1
    assert row["err_best_one_step"] < row["err_limit"]


def test_families_hold_what_they_say_they_hold():
    curves = Curves(7, 6, 20, 10, 0.1, 0.2)
    for family, values in FAMILIES.items():
        members = np.array([family_member(curves, family, value) for value in values])
        if family != "scale":
            np.testing.assert_allclose(members.sum(axis=1), 11.0)
        if family != "alignment":
            assert (members[:, 10:] == 0).all()
    np.testing.assert_allclose(family_member(curves, "scale", 1.0), two_blocks(20, 10, 0.1, 0.0).tuning)
    table = difficulty_table(curves, [30], [5])
    assert tuple(table) == DIFFICULTY_COLUMNS
    assert len(table) == 2 * sum(map(len, FAMILIES.values()))
    endless = table[table["B"].isna()]
    assert (endless["seeds"] == 0).all()
    published = endless[(endless["family"] == "scale") & (endless["value"] == 1)]
    setting = two_blocks(20, 10, 0.1, 0.0)
    assert published["err_over_d_median"].item() == pytest.approx(setting.error(setting.limit(30, 30), 30))
    start = setting.start(30)
    expected = np.square(1 + start * 0.2 * setting.tuning).mean()
    assert published["difficulty_over_d"].item() == pytest.approx(expected)
