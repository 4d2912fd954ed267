import pytest

from ggmi.reporting.mixture_terms import SIGNS, TASK, TERMS, follows, gap_movements, movements, terms_of

MAIN = ("psd", "released")


# Movements of terms and gap.


def test_movements_are_signs_of_intervals_and_know_the_main_bound(make_study):
    moves = {("student_divergence", "K"): 0.05, ("bound", "K"): -0.5}
    found = movements(make_study(moves=moves, anchors=("released", "text"), covariances=("psd", "released")))
    assert found["information_gain", "K"] == 1
    assert found["task_divergence", "J"] == -1
    assert found["student_divergence", "K"] == 0
    assert found["bound", "K"] == -1
    assert {term for term, _ in found} >= set(TERMS) >= set(SIGNS)


def test_undecided_gaps_do_not_move(make_study):
    found = gap_movements(make_study({(*MAIN, "forward", "K"): "against", (*MAIN, "forward", "L"): "undecided"}))
    assert (found["forward", "K"], found["forward", "J"], found["forward", "L"]) == (1, 1, 0)
    assert found["reverse", "K"] == -1


def test_a_term_tells_the_gap_by_its_movement_and_sign(make_study):
    study = make_study({(*MAIN, "forward", "L"): "undecided"})
    # ΔI rises everywhere, and with J only does the gap.
    assert follows(study, "information_gain") == (4, 7, 1)
    assert follows(study, "information_gain", ["J"]) == (4, 0, 0)
    # H(S_anchor|W) rises everywhere and counts against the gain.
    assert follows(study, "anchor_given_student") == (7, 4, 1)
    # The task divergence, a cost, falls with J and rises with L; with K it falls like the gap.
    assert follows(study, TASK) == (7, 4, 1)
    still = make_study(moves={("information_gain", "K"): 0.0})
    assert follows(still, "information_gain") == (4, 4, 4)


# What the page shows of them.


def test_claims_are_grouped_by_the_verdict_of_all_variants(make_study):
    four = ["J raises ΔI", "K raises H(S_anchor|W)", "L raises H(S_gen|W)", "L lowers ΔH"]
    assert terms_of(make_study())["by_verdict"] == {"supported": four}
    moves = {("information_gain", "J"): -0.5, ("entropy_change", "L"): 0.05, ("student_entropy", "L"): -0.5}
    assert {word: texts[0] for word, texts in terms_of(make_study(moves=moves))["by_verdict"].items()} == {
        **{"contradicted": four[0], "supported": four[1], "mixed": four[2], "undecided": four[3]}
    }
    assert terms_of(make_study(axes=()))["by_verdict"] == {}


@pytest.mark.parametrize(
    ("moves", "verdicts", "verdict", "here", "everywhere"),
    [
        # ΔI rises along all three sweeps, the gap with J alone: it does not explain the gap.
        ({}, {}, "supported", (4, 0, 0), (4, 8, 0)),
        ({("information_gain", a): -0.5 for a in "KL"}, {}, "supported", (4, 0, 0), (12, 0, 0)),
        ({}, {(*MAIN, "forward", "J"): "against"}, "supported", (3, 1, 0), (3, 9, 0)),
        ({("information_gain", "J"): 0.02}, {}, "undecided", (0, 0, 4), (0, 8, 4)),
        ({("information_gain", "J"): -0.5}, {}, "contradicted", (0, 4, 0), (0, 12, 0)),
    ],
)
def test_a_claim_has_its_verdict_and_how_often_the_gap_follows_the_term(
    make_study, moves, verdicts, verdict, here, everywhere
):
    found = next(c for c in terms_of(make_study(verdicts, moves=moves))["claims"] if c["claim"] == "J raises ΔI")
    assert (found["verdict"], found["here"], found["everywhere"]) == (verdict, here, everywhere)


def test_other_covariances_are_told(make_study):
    study = make_study(covariances=("psd", "released"))
    study.claims.loc[study.claims["covariance"] == "released", "verdict"] = "undecided"
    found = terms_of(study)
    assert [claim["elsewhere"] for claim in found["claims"]] == [[("released", "undecided")]] * 5
    assert list(found["by_verdict"]) == ["mixed"]


def test_the_bound_and_the_task_divergence_are_set_beside_the_gap(make_study):
    assert terms_of(make_study())["follows"] == {"bound": (4, 8, 0), TASK: (8, 4, 0)}


def test_j_and_l_are_compared_by_exchanging_their_numbers(make_study):
    # Values 2, 3, 4: two pairs of conditions, seven terms beside the task divergence.
    assert terms_of(make_study())["exchanged"] == {"task": [0, 2], "others": [14, 14]}
    assert terms_of(make_study(axes=("K",)))["exchanged"] == {"task": [0, 0], "others": [0, 0]}


def test_the_matrix_sets_terms_and_gap_side_by_side(make_study):
    found = terms_of(make_study())
    words = {term: [cell.word for cell in cells] for term, cells in found["cells"].items()}
    assert list(words) == list(TERMS)
    assert words["information_gain"] == ["rises", "supported", "rises"]
    assert words["entropy_change"] == ["rises", "falls", "supported"]
    assert words["anchor_given_student"] == ["supported", "rises", "rises"]
    assert words[TASK] == ["falls", "falls", "rises"]
    assert [[cell.word for cell in cells] for cells in found["gap"].values()] == [["falls", "rises", "falls"]] * 4
    assert found["cells"]["information_gain"][0].value == 0.6
    swept = terms_of(make_study(axes=("J",)))
    assert [cell and cell.word for cell in swept["cells"]["bound"]] == [None, "falls", None]
    assert [claim["claim"] for claim in swept["claims"]] == ["J raises ΔI"]


def test_extremes_are_of_the_main_variant(make_study):
    found = terms_of(make_study())
    assert found["information"] == [0.04, 0.04]
    assert found["errors"] == [0.02, 0.02]
