import math
import re

import pandas as pd
import pytest

from ggmi.reporting.comparison import compared, on_real_data, summary
from ggmi.reporting.estimation import predictions_sentence
from ggmi.reporting.evidence import fitting, heavy_tails, mean_against_rank, precision, why_variants_differ
from ggmi.reporting.mixtures import answers, gap_at_base, headline, how_judged, over_variants

MAIN = ("psd", "released")


def test_the_headline_counts_divergences_that_show_every_trend(make_study):
    assert headline(make_study()) == "Every divergence shows all three published trends."
    one = make_study({(*MAIN, e, "K"): "against" for e in ("aligned_histogram", "forward", "reverse")})
    assert headline(one) == ("All three published trends appear under one of four divergences: the released histogram.")
    none = make_study({(*MAIN, e, "K"): "undecided" for e in one.estimators})
    assert headline(none) == "None of the four divergences shows all three published trends."


def test_the_headline_of_a_single_divergence_and_of_fewer_trends(make_study):
    study = make_study(estimators=("reverse",), axes=("K", "L"))
    assert headline(study) == "The reverse divergence shows both published trends."
    study = make_study({(*MAIN, "reverse", "K"): "undecided"}, estimators=("reverse",))
    assert headline(study) == "The reverse divergence does not show all three published trends."
    study = make_study(axes=("J",))
    assert headline(study) == "Every divergence shows the one published trend."
    study = make_study(axes=("J",), verdicts={(*MAIN, "forward", "J"): "undecided"})
    assert headline(study).startswith("The one published trend appears under three of four divergences:")


def test_the_main_variant_alone_decides_the_headline(make_study):
    study = make_study({("psd", "text", "forward", "K"): "against"}, anchors=("released", "text"))
    assert headline(study) == "Every divergence shows all three published trends."


def test_answers_count_and_quote_every_trend(make_study):
    study = make_study({(*MAIN, "forward", "K"): "against", (*MAIN, "forward", "L"): "undecided"})
    found = dict(answers(study))
    assert found["forward"] == (
        "Of 3 published trends, 1 supported (ρ: J +0.50 [+0.40, +0.60]), 1 contradicted (ρ: K +0.50 [+0.40, +0.60]) "
        "and 1 undecided (ρ: L 0.00 [−0.10, +0.10])."
    )
    assert found["reverse"].startswith("Of 3 published trends, 3 supported (ρ: K −0.50 [−0.60, −0.40], J +0.50")


def test_verdicts_over_variants_add_up(make_study):
    verdicts = {("psd", a, "forward", "K"): "against" for a in ("released", "text")}
    verdicts["psd", "text", "reverse", "L"] = "undecided"
    study = make_study(verdicts, anchors=("released", "text"))
    assert over_variants(study) == (
        "Over the 8 variants of covariance, fit and divergence, the fall with K is supported in 6 and contradicted in "
        "2; the rise with J is supported in all 8; the fall with L is supported in 7 and undecided in 1."
    )


def test_a_single_variant_is_not_called_all(make_study):
    study = make_study(estimators=("forward",), axes=("K",))
    assert over_variants(study) == (
        "Over the one variant of covariance, fit and divergence, the fall with K is supported in 1."
    )


def test_what_a_verdict_rests_on_is_said(make_study):
    text = how_judged(make_study())
    for part in ("3 conditions × 20 rounds", "Holm-corrected for all 12 trends", "0.05", "95 %"):
        assert part in text


def test_the_matrix_has_every_variant_and_says_what_is_missing(make_study):
    study = make_study(covariances=("psd", "released"), anchors=("released", "text"), axes=("K", "J"))
    assert len(study.matrix) == 16
    assert len(study.main_rows) == 4
    assert all(row.cells["L"] is None and row.axes() == ["K", "J"] for row in study.matrix)


def test_a_verdict_that_is_missing_is_not_counted(make_study):
    study = make_study()
    study.trends.loc[0, "verdict"] = float("nan")
    first = study.matrix[0]
    assert first.cells["K"] is None
    assert dict(answers(study))["released_histogram"].startswith("Of 2 published trends, 2 supported")


def test_nothing_swept(make_study):
    study = make_study(axes=())
    assert headline(study).startswith("No trend was measured")
    assert answers(study)[0][1] == "No trend was measured."
    assert over_variants(study) == "No trend was measured in any variant."
    assert how_judged(study) == "There are no verdicts."
    assert mean_against_rank(study) == "There are no trends of means to compare."
    assert len(summary([study])) == 3


@pytest.mark.parametrize(
    ("medians", "said"),
    [
        ((1, 2, 3, 4), "synthetic data came closer to the truth than anchor data;"),
        ((-1, -2, -3, -4), "anchor data came closer to the truth than synthetic data;"),
        ((0, 0, 0, 0), "whether synthetic or anchor data came closer to the truth is undecided;"),
        ((1, -1, 1, 1), "depends on the divergence;"),
        ((1, 0, 1, 1), "synthetic data came closer to the truth than anchor data by every divergence that decides;"),
        ((-1, 0, 0, 0), "anchor data came closer to the truth than synthetic data by every divergence that decides;"),
    ],
)
def test_the_sign_of_the_gap(make_study, medians, said):
    study = make_study()
    for estimator, median in zip(study.estimators, medians, strict=True):
        rows = study.kl_gap["estimator"] == estimator
        study.kl_gap.loc[rows, "median_nats"] = median
        study.kl_gap.loc[rows, "median_ci_low_nats"] = median - 0.25
        study.kl_gap.loc[rows, "median_ci_high_nats"] = median + 0.25
    text = gap_at_base(study)
    assert said in text
    assert "over 20 rounds" in text
    signed = "0.00" if medians[1] == 0 else f"{'+' if medians[1] > 0 else '−'}{abs(medians[1])}.00"
    assert f"{signed} [" in text
    assert said[:-1] in gap_at_base(study, numbers=False)
    assert "[" not in gap_at_base(study, numbers=False)


def test_the_gap_without_intervals_or_without_a_row(make_study):
    study = make_study()
    study.kl_gap[["median_ci_low_nats", "median_ci_high_nats"]] = math.nan
    assert "is undecided" in gap_at_base(study)
    assert "+1.00 (no interval) by the forward divergence" in gap_at_base(study)
    assert heavy_tails(study) == "Rounds are too few to compare means with medians."
    assert gap_at_base(make_study(kl_gap=study.kl_gap[study.kl_gap["K"] > 2])) == (
        "No KL gap was measured at K = 2, J = 2, L = 2."
    )


def test_real_data_are_compared_trend_by_trend(make_study):
    simulated = make_study({(*MAIN, "reverse", "L"): "undecided", (*MAIN, "forward", "L"): "undecided"})
    place = ("empirical", "released")
    real = make_study(
        {
            (*place, "forward", "K"): "against",
            (*place, "released_histogram", "J"): "undecided",
            (*place, "reverse", "L"): "undecided",
        },
        name="digits",
        title="Digits",
        truth="data",
        covariances=("empirical",),
        values=(2, 3),
    )
    found = compared(simulated, real)
    assert {kind: len(pairs) for kind, pairs in found.items()} == {
        **{"same": 8, "undecided_in_both": 1, "reversed": 1, "only_simulated": 1, "only_real": 1}
    }
    text = on_real_data(simulated, real)
    assert text.startswith("Of 12 trends measured both on real geometry and in “Simulated”, 8 get the same verdict, ")
    assert "1 is reversed (forward divergence: K)" in text
    assert "1 is decided in simulation only (released histogram: J)" in text
    assert "1 is decided on real data only (forward divergence: L)" in text
    assert "1 is undecided in both (reverse divergence: L)" in text
    assert text.endswith("2 conditions × 20 rounds, simulated ones of 3 × 20.")


def test_trends_that_only_one_study_measured_are_left_out(make_study):
    real = make_study(name="digits", truth="data", covariances=("empirical",), estimators=("forward",), axes=("K",))
    text = on_real_data(make_study(), real)
    assert text == (
        "Of 1 trend measured both on real geometry and in “Simulated”, 1 gets the same verdict and none is reversed."
    )
    apart = make_study(name="digits", truth="data", covariances=("empirical",), axes=("K",))
    assert "nothing can be compared" in on_real_data(make_study(axes=("J",)), apart)


def test_the_summary_is_three_plain_sentences(make_study):
    verdicts = {(*MAIN, "forward", "K"): "against", (*MAIN, "reverse", "L"): "undecided"}
    main = make_study(verdicts, title="Sim\x1b[31m\u202e\n\nulated <b>")
    real = make_study(name="digits", title="Digits", truth="data", covariances=("empirical",))
    lines = summary([main, real])
    assert len(lines) == 3
    assert all(line.endswith(".") and "\n" not in line and not re.search(r"[\x00-\x1f\u202e]", line) for line in lines)
    assert lines[0].endswith(
        "of the published trends, the main variant (psd, released) supports 3 of 3 by the released histogram, "
        "3 of 3 by the aligned histogram, 2 of 3 by the forward divergence (against: K) and 2 of 3 by the reverse "
        "divergence (undecided: L)."
    )
    assert lines[2].startswith("Digits: of 12 trends")
    alone = summary([main])
    assert "the median KL gap, in nats, is" in alone[2]
    assert summary([real])[2].startswith("Digits: at K = 2")


def test_heavy_tails_are_counted(make_study):
    study = make_study(estimators=("forward", "reverse"))
    rows = study.kl_gap.index[study.kl_gap["estimator"] == "reverse"][:3]
    study.kl_gap.loc[rows, "mean_nats"] = 50.0
    assert "in 0 of 7 rows by the forward divergence and 3 of 7 rows by the reverse divergence" in heavy_tails(study)


def test_means_that_contradict_ranks_are_named(make_study):
    study = make_study()
    study.trends.loc[0, ["slope_nats", "slope_nats_ci_low", "slope_nats_ci_high"]] = [30.0, 1.0, 60.0]
    study.trends.loc[1, ["slope_nats", "slope_nats_ci_low", "slope_nats_ci_high"]] = [3.0, -1.0, 6.0]
    text = mean_against_rank(study)
    assert text.startswith("In 1 of 12 trends")
    assert (
        "psd, released, released histogram, K: ρ = −0.50 [−0.60, −0.40], slope +30 [+1, +60] nats a component" in text
    )
    assert "and in 1 the ranks decide" in text


def test_many_contradictions_are_cut_short(make_study):
    study = make_study()
    study.trends["slope_nats"] *= -1
    study.trends[["slope_nats_ci_low", "slope_nats_ci_high"]] = (
        study.trends[["slope_nats_ci_high", "slope_nats_ci_low"]].to_numpy() * -1
    )
    assert "In 12 of 12 trends" in mean_against_rank(study)
    assert "9 more in the table" in mean_against_rank(study)


def test_precision_reached_and_missed(make_study):
    study = make_study()
    assert precision(study) == (
        "Every exact divergence reached the standard error asked for, in all 14 rows of the divergences table, "
        "with at most 16,384 points."
    )
    study.divergences.loc[study.divergences.index[-1], "precision_reached_share"] = 0.9
    assert "missed in some rounds of 1 of 14 rows" in precision(study)
    assert "at least 90 %" in precision(study)
    assert "No exact divergence" in precision(make_study(estimators=("released_histogram",)))


def test_fits_that_collapse_or_do_not_converge_are_said(make_study):
    study = make_study()
    assert fitting(study) == "EM converged in every round, and no component collapsed."
    study.fits.loc[2, ["converged_share", "collapsed_share"]] = [0.85, 0.4]
    worst = study.fits.loc[2]
    assert fitting(study) == (
        "EM converged in at least 85 % of rounds; "
        "a component collapsed, and was handled, in up to 40 % of the rounds of "
        f"a condition (synthetic, psd, K = {worst['K']}, J = {worst['J']}, L = {worst['L']})."
    )


def test_every_variant_is_explained_once(make_study):
    studies = [
        make_study(covariances=("psd", "released"), anchors=("released", "text")),
        make_study(name="digits", truth="data", covariances=("empirical",)),
    ]
    found = why_variants_differ(studies)
    assert {kind: len(reasons) for kind, reasons in found.items()} == {
        **{"Divergence": 4, "Covariances": 3, "Components fitted to anchors": 2}
    }
    assert all(sentence.endswith(".") for reasons in found.values() for _, sentence in reasons)
    assert "Divergence" in why_variants_differ([make_study(estimators=("forward",))])


@pytest.mark.parametrize("n", [6, 19, 20, 150])
def test_no_estimator_is_named_of_few_conditions(n):
    rows = [("exact_duplicates", 1.0, 0.001), ("cka", 0.2, 0.9)]
    columns = {"ci_low": 0.1, "ci_high": 1.0, "power": 0.06, "tests": 17, "n": n, "note": None}
    table = pd.DataFrame([{"estimator": e, "spearman": r, "p_holm": p, **columns} for e, r, p in rows])
    sentence = predictions_sentence(table)
    assert ("exact_duplicates" in sentence) == (n >= 20)
    assert f"{n} conditions find a true correlation of 0.8 in 6 % of runs" in sentence
