"""The published points: fits against planted curves and textbook formulas, tests against planted truths."""

from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binomtest, chi2_contingency, spearmanr

from ggmi.claims import CLAIM_COLUMNS, claims_of, claims_table, partial_table
from ggmi.io import read_csv, write_csv
from ggmi.project import REPORT_PARTS
from ggmi.random import stream
from ggmi.reporting.front import front_page
from ggmi.reporting.papers import by_claim
from ggmi.slow_thinking import published, width
from ggmi.slow_thinking.calculus import exact_table, matching_table
from ggmi.slow_thinking.claims import published_claims, theory_claims
from ggmi.slow_thinking.published import Panel, fit, fits_table, panels, totals_table

DATA = Path(__file__).parents[2] / "workflow/data/slow_thinking"
LENGTHS = np.linspace(300.0, 2500.0, 60)


def planted(form, a, b=np.nan, noise=0.0, lengths=LENGTHS, name="planted"):
    wiggle = noise * stream(1, "tests", form).standard_normal(len(lengths))
    return Panel(name, lengths, published.predicted(form, lengths, a, b) + wiggle)


@pytest.mark.parametrize(
    ("form", "a", "b"),
    [
        ("inverse", 200.0, np.nan),
        ("logarithmic", -0.2, 1.6),
        ("linear", -1e-4, 0.4),
        ("exponential", 0.6, 9e-4),
        ("constant", 0.2, np.nan),
        ("power", 150.0, 0.9),
    ],
)
def test_each_form_is_recovered_and_chosen(form, a, b):
    panel = planted(form, a, b)
    parameters, _, residual = fit(form, panel)
    np.testing.assert_allclose(parameters, [a] if np.isnan(b) else [a, b], rtol=1e-4)
    assert residual < 1e-10
    deltas = fits_table([planted(form, a, b, noise=1e-4)]).set_index("form")["delta_aicc"]
    assert deltas[form] < 4
    # All forms but 1/L can be constant, and the power law can be 1/L.
    if form != "constant":
        assert deltas.drop([form, "power"], errors="ignore").min() > 10


def test_criteria_are_akaikes():
    panel = planted("linear", -1e-4, 0.4, noise=0.02)
    row = fits_table([panel]).set_index("form").loc["linear"]
    slope, intercept = np.polyfit(panel.lengths, panel.information, 1)
    rest = panel.information - slope * panel.lengths - intercept
    n = len(rest)
    assert (row["a"], row["b"]) == (pytest.approx(slope), pytest.approx(intercept))
    assert row["aic"] == pytest.approx(n * np.log(rest @ rest / n) + 2 * 3)
    assert row["aicc"] == pytest.approx(row["aic"] + 2 * 3 * 4 / (n - 4))
    assert row["r_squared"] == pytest.approx(1 - rest @ rest / (n * panel.information.var()))


@pytest.mark.parametrize("form", ["power", "exponential", "logarithmic"])
def test_errors_are_those_of_the_sandwich_with_numerical_derivatives(form):
    panel = planted(form, *{"power": (150.0, 0.9), "exponential": (0.6, 9e-4), "logarithmic": (-0.2, 1.6)}[form], 0.01)
    parameters, errors, _ = fit(form, panel)
    columns = []
    for i, x in enumerate(parameters):
        step = np.zeros(2)
        step[i] = 1e-5 * x
        ends = [published.predicted(form, panel.lengths, *(parameters + sign * step)) for sign in (1, -1)]
        columns.append((ends[0] - ends[1]) / (2 * step[i]))
    jacobian = np.stack(columns, axis=1)
    rest = panel.information - published.predicted(form, panel.lengths, *parameters)
    n, bread = len(rest), np.linalg.inv(jacobian.T @ jacobian)
    covariance = bread @ (jacobian.T * rest**2) @ jacobian @ bread * n / (n - 2)
    np.testing.assert_allclose(errors, np.sqrt(np.diag(covariance)), rtol=1e-3)


def test_the_difference_of_criteria_is_that_of_the_fits():
    panel = planted("inverse", 200.0, noise=0.02)
    rows = fits_table([panel]).set_index("form")["aicc"]
    assert published.criteria_difference(panel) == pytest.approx(rows["logarithmic"] - rows["inverse"])


def test_totals_that_do_not_depend_on_length_are_told_from_those_that_do(monkeypatch):
    monkeypatch.setattr(published, "RESAMPLES", 200)
    draws = stream(5, "tests", "totals")
    lengths = draws.uniform(300, 2000, 150)
    totals = 200 + 30 * draws.standard_normal(150)
    flat = Panel("flat", lengths, totals / lengths)
    falling = Panel("falling", lengths, (totals - 0.08 * lengths) / lengths)
    one, two = totals_table([flat, falling], 1, 499).to_dict("records")
    assert one["spearman_total"] == pytest.approx(spearmanr(lengths, flat.totals).statistic)
    assert one["p_total"] > 0.05
    assert one["p_slope"] > 0.05
    assert one["permuted_slope_low"] < one["log_slope"] < one["permuted_slope_high"]
    assert one["spearman_per_token"] < -0.8
    assert one["p_per_token"] == pytest.approx(1 / 500)
    assert two["p_total"] == pytest.approx(1 / 500)
    assert two["spearman_total_ci_high"] < 0
    assert one["mean_total_ci_low"] < totals.mean() < one["mean_total_ci_high"]


@pytest.fixture(scope="module")
def shown():
    return panels(read_csv(DATA / "gsm8k_mi.csv"), read_csv(DATA / "math500_mi.csv"))


def test_the_published_points_fall_as_one_over_length(shown):
    assert [len(panel.lengths) for panel in shown] == [1319, 1319, 43, 90, 105, 128, 134]
    np.testing.assert_array_equal(shown[0].lengths, shown[1].lengths)
    table = fits_table(shown).pivot_table(index="panel", columns="form", values="aicc")
    assert (table["inverse"] < table[["logarithmic", "linear", "exponential", "constant"]].min(axis=1)).all()
    # Ordinary least squares by another route.
    slope, intercept = np.polyfit(np.log(shown[0].lengths), shown[0].information, 1)
    row = fits_table(shown[:1]).set_index("form").loc["logarithmic"]
    assert (row["a"], row["b"]) == (pytest.approx(slope), pytest.approx(intercept))


@pytest.mark.parametrize(("one", "two"), [(2, 5), (5, 2), (3, 3), (0, 4), (4, 6)])
def test_bounds_over_pairings_equal_all_pairings(one, two):
    questions = 6
    first = np.arange(questions) < one
    found = []
    for hits in combinations(range(questions), two):
        second = np.isin(np.arange(questions), hits)
        found.append(width.sign_test(int((second & ~first).sum()), int((first & ~second).sum())))
    assert width.paired_bounds(one, two, questions) == (pytest.approx(min(found)), pytest.approx(max(found)))


def test_sign_test_and_unpaired_test_are_the_usual_ones():
    assert width.sign_test(12, 3) == pytest.approx(binomtest(3, 15).pvalue)
    # The pooled z-test is the chi-squared test of the two-by-two table, without correction.
    assert width.unpaired_p(20, 40, 100) == pytest.approx(
        chi2_contingency([[20, 80], [40, 60]], correction=False).pvalue
    )
    assert width.unpaired_p(0, 0, 10) == 1.0


def test_published_widths():
    table = width.width_table(read_csv(DATA / "mcts_width.csv"))
    assert tuple(table) == width.WIDTH_COLUMNS
    rows = table.set_index(["task", "k"])
    assert rows.loc[("prontoqa", 1), "p_chance"] == pytest.approx(binomtest(265, 500).pvalue)
    assert rows.loc[("gsm8k", 2), "step"] == rows.loc[("prontoqa", 2), "step"] == "told apart"
    assert rows.loc[("prontoqa", 8), "step"] == "not told apart"
    assert (table["p_paired_least"].dropna() <= table["p_paired_most"].dropna()).all()
    assert (table["ci_low"] < table["accuracy"]).all()


def test_exponents_are_recovered():
    k = np.arange(1, 9)
    counts = pd.DataFrame({"task": "planted", "k": k, "correct": np.round(2e6 * k**0.3), "questions": 10**7})
    row = width.exponents_table(width.width_table(counts.astype({"correct": int}))).iloc[0]
    assert row["exponent"] == pytest.approx(0.3, abs=1e-4)
    assert row["ci_low"] < 0.3 < row["ci_high"]


@pytest.fixture(scope="module")
def claims(shown):
    table = width.width_table(read_csv(DATA / "mcts_width.csv"))
    totals = totals_table(shown, 1, 199)
    return published_claims(totals, fits_table(shown), table, width.exponents_table(table))


def test_claims_on_the_published_points(claims):
    table = claims_table(claims)
    verdicts = table.set_index(["claim", "variant"])["verdict"]
    assert (verdicts["Accuracy rises with the width k"] == "supported").all()
    faster = verdicts["Information per token falls faster for harder problems"]
    assert faster["MATH-500, slope on log L"] == "contradicted"
    form = table[table["claim"].str.startswith("It falls as a log L")].set_index("variant")
    levels = form[form.index.str.contains("level [1-5]")]
    pooled = form.loc["MATH-500, all levels"]
    assert pooled["verdict"] == "contradicted"
    assert pooled["estimate"] == pytest.approx(levels["estimate"].sum())
    assert pooled["n"] == levels["n"].sum() == 500
    assert verdicts["Accuracy rises faster where the verifier is better"].tolist() == ["undecided"]
    assert verdicts["One sample is better than chance"].tolist() == ["undecided"]
    tested = table[table["p"].notna()]
    assert tested["power"].between(0, 1).all()
    assert (tested["n"] > 0).all()


def test_partial_tables_judge_as_one(claims, table, tmp_path):
    grid = ([1.0], [4], [1, 2, 8])
    exact = theory_claims(table, matching_table(*grid, [0.9, 1.0]), exact_table(*grid, [0.9, 1.0]))
    for name, part in (("one", claims), ("two", exact)):
        write_csv(tmp_path / f"{name}.csv", partial_table(part))
    back = [claim for name in ("one", "two") for claim in claims_of(read_csv(tmp_path / f"{name}.csv"))]
    judged, direct = claims_table(back), claims_table([*claims, *exact])
    assert tuple(judged) == CLAIM_COLUMNS
    pd.testing.assert_frame_equal(judged, direct, check_exact=False, rtol=1e-8)


def test_claims_on_the_theory(table):
    grid = ([1.0], [4, 8], [1, 2, 8])
    judged = claims_table(theory_claims(table, matching_table(*grid, [1.0]), exact_table(*grid, [0.7, 1.0])))
    verdicts = judged.groupby("claim")["verdict"].agg(set)
    assert verdicts.pop("A gain by width needs ε > 1/k") == {"supported"}
    by_regime = [claim for claim, found in verdicts.items() if found == {"supported", "contradicted"}]
    # What is proven somewhere and refuted elsewhere says where.
    assert [claim.partition(":")[0] for claim in by_regime] == [
        "A chain is right with at most the product of its steps' probabilities",
        "Theorem 3.3",
        "Theorem 4.6",
    ]
    assert all(found == {"contradicted"} for claim, found in verdicts.items() if claim not in by_regime)
    variants = judged.set_index(["claim", "verdict"])["variant"]
    assert variants[by_regime[0], "supported"] == "regimes: alike, independent"
    assert variants[by_regime[0], "contradicted"] == "regimes: rising, any"
    assert judged["p"].isna().all()


def test_the_front_page_says_what_became_of_the_claims(claims):
    table = claims_table(claims)
    templates = [REPORT_PARTS / name for name in ("answers.html.j2", "front.txt.j2")]
    shown = front_page(templates, [], [], None, {"slow_thinking": table})
    (answer,) = shown["answers"]
    assert (answer["page"], answer["question"]) == ("slow_thinking.html", "Does thinking longer pay?")
    assert answer["answer"].startswith("A wider search answers more (2 of 2 settings, 0 against).")
    theirs = table[~table["source"].str.startswith("ours")]
    assert 0 < len(theirs) < len(table)
    # What is ours is counted apart.
    paper, ours = shown["tallies"]["slow_thinking.html"].values()
    assert paper == {word: int((theirs["verdict"] == word).sum()) for word in paper}
    assert sum(ours.values()) == len(table) - len(theirs)
    rows = {row["claim"]: row for row in by_claim(table)}
    assert len(rows["Information per token falls with length"]["settings"]) == 7
    mixed = rows["Information per token falls faster for harder problems"]
    assert mixed["mixed"]
