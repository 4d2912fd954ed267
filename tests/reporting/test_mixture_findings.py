import math

import pytest

from ggmi.reporting.mixtures import findings, real_against_simulated

MAIN = ("psd", "released")


def test_divergences_that_show_every_trend_are_counted(make_study):
    study = make_study()
    assert findings(study)["whole"] == findings(study)["measured"] == list(study.estimators)
    one = make_study({(*MAIN, e, "K"): "against" for e in ("aligned_histogram", "forward", "reverse")})
    assert findings(one)["whole"] == ["released_histogram"]
    none = make_study({(*MAIN, e, "K"): "undecided" for e in one.estimators})
    assert findings(none)["whole"] == []
    assert len(findings(none)["measured"]) == 4


def test_trends_that_were_not_measured_count_nowhere(make_study):
    study = make_study(axes=("K", "L"))
    study.trends.loc[0, "verdict"] = float("nan")
    assert study.matrix[0].cells["K"] is None
    assert findings(study)["tallies"]["K"].total() == 3
    assert list(findings(study)["tallies"]) == ["K", "L"]
    nothing = findings(make_study(axes=()))
    assert nothing["measured"] == []
    assert nothing["tallies"] == {}
    assert nothing["ranks"] == {"trends": 0, "opposed": 0, "unclear": 0}


def test_the_main_variant_alone_decides_the_headline(make_study):
    study = make_study({("psd", "text", "forward", "K"): "against"}, anchors=("released", "text"))
    assert len(findings(study)["whole"]) == 4


def test_verdicts_over_variants_add_up(make_study):
    verdicts = {("psd", a, "forward", "K"): "against" for a in ("released", "text")}
    verdicts["psd", "text", "reverse", "L"] = "undecided"
    found = findings(make_study(verdicts, anchors=("released", "text")))
    assert found["tallies"] == {
        "K": {"as_published": 6, "against": 2},
        "J": {"as_published": 8},
        "L": {"as_published": 7, "undecided": 1},
    }
    assert found["sizes"] == {(3, 20): 24}


def test_the_matrix_has_every_variant_and_says_what_is_missing(make_study):
    study = make_study(covariances=("psd", "released"), anchors=("released", "text"), axes=("K", "J"))
    assert len(study.matrix) == 16
    assert len(study.main_rows) == 4
    assert all(row.cells["L"] is None and list(row.words) == ["K", "J"] for row in study.matrix)


@pytest.mark.parametrize(
    ("medians", "sides"),
    [((1, 2, 3, 4), (4, 0, 0)), ((-1, -2, -3, -4), (0, 4, 0)), ((0, 0, 0, 0), (0, 0, 4)), ((1, -1, 0, 1), (2, 1, 1))],
)
def test_the_sign_of_the_gap(make_study, medians, sides):
    study = make_study()
    for estimator, median in zip(study.estimators, medians, strict=True):
        rows = study.kl_gap["estimator"] == estimator
        study.kl_gap.loc[rows, ["median_nats", "median_ci_low_nats", "median_ci_high_nats"]] = [
            median,
            median - 0.25,
            median + 0.25,
        ]
    found = findings(study)
    assert tuple(found["sides"].values()) == sides
    assert [row["median_nats"] for row in found["gaps"]] == list(medians)
    assert all((row["K"], row["J"], row["L"]) == (2, 2, 2) for row in found["gaps"])


def test_gaps_without_intervals_or_without_a_row_decide_nothing(make_study):
    study = make_study()
    study.kl_gap[["median_ci_low_nats", "median_ci_high_nats"]] = math.nan
    found = findings(study)
    assert found["sides"] == {"synthetic": 0, "anchors": 0, "undecided": 4}
    assert found["tails"] == {}
    assert findings(make_study(kl_gap=study.kl_gap[study.kl_gap["K"] > 2]))["gaps"] == []


def test_real_data_are_compared_trend_by_trend(make_study):
    simulated = make_study({(*MAIN, "reverse", "L"): "undecided", (*MAIN, "forward", "L"): "undecided"})
    place = ("empirical", "released")
    verdicts = {(*place, "forward", "K"): "against", (*place, "released_histogram", "J"): "undecided"}
    verdicts[*place, "reverse", "L"] = "undecided"
    real = make_study(verdicts, name="digits", truth="data", covariances=("empirical",), values=(2, 3))
    found = real_against_simulated([simulated, real])
    assert found["studies"] == (simulated, real)
    assert found["total"] == 12
    assert found["counts"] == {"same": 8, "undecided": 1, "reversed": 1, "simulated": 1, "real": 1}
    assert real_against_simulated([simulated]) is None


def test_trends_that_only_one_study_measured_are_left_out(make_study):
    real = make_study(name="digits", truth="data", covariances=("empirical",), estimators=("forward",), axes=("K",))
    assert real_against_simulated([make_study(), real])["total"] == 1
    assert real_against_simulated([make_study(axes=("J",)), real])["total"] == 0


def test_heavy_tails_are_counted(make_study):
    study = make_study(estimators=("forward", "reverse"))
    rows = study.kl_gap.index[study.kl_gap["estimator"] == "reverse"][:3]
    study.kl_gap.loc[rows, "mean_nats"] = 50.0
    assert findings(study)["tails"] == {"forward": (0, 7), "reverse": (3, 7)}


def test_means_that_contradict_ranks_are_counted(make_study):
    study = make_study()
    ends = ["slope_nats", "slope_nats_ci_low", "slope_nats_ci_high"]
    study.trends.loc[0, ends] = [30.0, 1.0, 60.0]
    study.trends.loc[1, ends] = [3.0, -1.0, 6.0]
    assert findings(study)["ranks"] == {"trends": 12, "opposed": 1, "unclear": 1}


def test_precision_reached_and_missed(make_study):
    study = make_study()
    assert findings(study)["precision"] == {"rows": 14, "missed": 0, "share": 1.0, "points": 16384}
    study.divergences.loc[study.divergences.index[-1], "precision_reached_share"] = 0.9
    assert findings(study)["precision"] == {"rows": 14, "missed": 1, "share": 0.9, "points": 16384}
    assert findings(make_study(estimators=("released_histogram",)))["precision"] is None


def test_fits_that_collapse_or_do_not_converge_are_found(make_study):
    study = make_study()
    assert findings(study)["fits"]["converged"] == 1
    assert findings(study)["fits"]["worst"]["collapsed_share"] == 0
    study.fits.loc[2, ["converged_share", "collapsed_share"]] = [0.85, 0.4]
    found = findings(study)["fits"]
    assert found["converged"] == 0.85
    assert found["worst"] == study.fits.loc[2].to_dict()
