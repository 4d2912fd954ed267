import re

import pytest

from ggmi.reporting.claims import (
    SIGNS,
    TASK,
    TERM_NAMES,
    claim_points,
    claims_sentence,
    directions,
    gap_movements,
    movements,
    telling_sentence,
    together_points,
    told,
)
from ggmi.reporting.page import DataTable, Fold, Links, Picture, Points, VerdictMatrix
from ggmi.reporting.terms import terms_picture, terms_section

MAIN = ("psd", "released")
ALL_FOUR = ("released_histogram", "aligned_histogram", "forward", "reverse")


def point(points, name):
    return dict(points)[name]


# The claims as a whole.


def test_the_sentence_names_every_claim_under_its_verdict(make_study):
    assert claims_sentence(make_study()) == (
        "All four claims of section 4.4 on the theory's terms are supported: J raises ΔI, K raises H(S_anchor|W), "
        "L raises H(S_gen|W) and L lowers ΔH."
    )
    moves = {("information_gain", "J"): -0.5, ("entropy_change", "L"): 0.05, ("student_entropy", "L"): -0.5}
    text = claims_sentence(make_study(moves=moves))
    assert text == (
        "Of the four claims of section 4.4 on the theory's terms, one is contradicted (J raises ΔI); one is supported "
        "(K raises H(S_anchor|W)); one is judged differently by variant or stand-in (L raises H(S_gen|W)); one is "
        "undecided (L lowers ΔH)."
    )


def test_the_sentence_with_one_claim_or_none(make_study):
    assert claims_sentence(make_study(axes=("K",))) == (
        "Of the one claim of section 4.4 on the theory's terms, one is supported (K raises H(S_anchor|W))."
    )
    assert claims_sentence(make_study(axes=())).startswith("No claim of section 4.4")


# Movements of terms and gap.


def test_movements_are_signs_of_intervals_and_know_the_main_bound(make_study):
    moves = {("student_divergence", "K"): 0.05, ("bound", "K"): -0.5}
    found = movements(make_study(moves=moves, anchors=("released", "text"), covariances=("psd", "released")))
    assert found["information_gain", "K"] == 1
    assert found["task_divergence", "J"] == -1
    assert found["student_divergence", "K"] == 0
    assert found["bound", "K"] == -1
    assert {term for term, _ in found} >= set(TERM_NAMES) >= set(SIGNS) - {"student_divergence"}


def test_undecided_gaps_do_not_move(make_study):
    found = gap_movements(make_study({(*MAIN, "forward", "K"): "against", (*MAIN, "forward", "L"): "undecided"}))
    assert (found["forward", "K"], found["forward", "J"], found["forward", "L"]) == (1, 1, 0)
    assert found["reverse", "K"] == -1


def test_a_term_tells_the_gap_by_its_movement_and_sign(make_study):
    study = make_study({(*MAIN, "forward", "L"): "undecided"})
    # ΔI rises everywhere, and with J only does the gap.
    assert told(study, "information_gain") == (4, 7, 1)
    assert told(study, "information_gain", ["J"]) == (4, 0, 0)
    # H(S_anchor|W) rises everywhere and counts against the gain.
    assert told(study, "anchor_given_student") == (7, 4, 1)
    # The task divergence, a cost, falls with J and rises with L; with K it falls like the gap.
    assert told(study, TASK) == (7, 4, 1)
    still = make_study(moves={("information_gain", "K"): 0.0})
    assert told(still, "information_gain") == (4, 4, 4)


# Sentences on each claim.


def test_a_term_that_moves_alike_where_the_gap_does_not_explains_nothing(make_study):
    text = point(claim_points(make_study()), "J raises ΔI")
    assert text == (
        "Supported: ρ = +0.60 [+0.50, +0.70], slope +0.120 [+0.100, +0.140] nats a component. On the other sweeps the "
        "term rises with K and L. It enters the upper bound with a plus: a gap that followed the bound would rise "
        "with J, which it does by 4 of 4 divergences; but over all sweeps of the gap’s 12 trends 4 go the way it says, "
        "8 the other way, so it does not explain the gap by itself."
    )


def test_a_gap_that_does_not_follow_is_said(make_study):
    text = point(claim_points(make_study()), "L raises H(S_gen|W)")
    assert "cross-entropy of synthetic points under the student) and ρ = +0.60" in text
    assert "followed the bound would rise with L, which it does by 0 of 4 divergences: the gap does not follow" in text


@pytest.mark.parametrize(
    ("moves", "verdicts", "said"),
    [
        ({("information_gain", "K"): -0.5, ("information_gain", "L"): -0.5}, {}, "no sweep speaks against it"),
        (
            {("information_gain", "K"): -0.5, ("information_gain", "L"): -0.5},
            {(*MAIN, "forward", "J"): "against"},
            "which it does by 3 of 4 divergences and does not by 1: whether it could explain the gap depends",
        ),
        ({("information_gain", "J"): 0.02}, {}, "Undecided: ρ = +0.02 [−0.08, +0.12]"),
        ({("information_gain", "J"): 0.02}, {}, "The term does not clearly move there, so it explains nothing."),
        ({("information_gain", "J"): -0.5}, {}, "Contradicted: ρ = −0.50"),
        ({("information_gain", "J"): -0.5}, {}, "followed the bound would fall with J, which it does by 0 of 4"),
    ],
)
def test_what_a_claim_could_explain(make_study, moves, verdicts, said):
    assert said in point(claim_points(make_study(verdicts, moves=moves)), "J raises ΔI")


def test_other_covariances_are_told(make_study):
    study = make_study(covariances=("psd", "released"))
    assert "; supported with covariances as released." in point(claim_points(study), "L lowers ΔH")
    study.claims.loc[study.claims["covariance"] == "released", "verdict"] = "undecided"
    assert "; undecided with covariances as released." in point(claim_points(study), "L lowers ΔH")
    assert claims_sentence(study).startswith(
        "All four claims of section 4.4 on the theory's terms are judged differently by variant or stand-in: J raises"
    )


def test_the_bound_and_the_task_divergence_are_set_beside_the_gap(make_study):
    points = together_points(make_study())
    bound = point(points, "The terms together")
    assert "rises with K and falls with J and L; of the gap’s 12 trends 4 go the way it says, 8 the other way." in bound
    task = point(points, "D_TV(D, D_M) instead")
    assert "rises with L and falls with K and J; of the gap’s 12 trends 8 go the way it says, 4 the other way." in task


def test_the_lead_says_what_the_terms_tell_of_the_gap(make_study):
    assert telling_sentence(make_study()) == (
        "Theorem 4.10 bounds the gain from above, so that a bound which rises allows a larger gain and promises none. "
        "Of the KL gap's 12 trends, 4 go the way of the bound that the terms make up and 8 the other way; D_TV(D, "
        "D_M), a cost that is none of them, gets 8 right and 4 wrong."
    )
    assert telling_sentence(make_study(axes=())) == ""


def test_j_and_l_are_compared_by_exchanging_their_numbers(make_study):
    # Values 2, 3, 4: two pairs of conditions, seven terms beside the task divergence.
    text = point(together_points(make_study()), "J against L")
    assert "depend on them through J + L only" in text
    assert text.endswith("overlap in 14 of 14 comparisons of the other terms and in 0 of 2 of D_TV(D, D_M).")
    alone = point(together_points(make_study(axes=("K",))), "J against L")
    assert "comparisons" not in alone


def test_a_sweep_that_was_not_made_is_left_out(make_study):
    study = make_study(axes=("J",))
    points = claim_points(study)
    assert [name for name, _ in points] == ["J raises ΔI"]
    assert "other sweeps" not in points[0][1]
    assert "no sweep speaks against it" in points[0][1]
    assert claim_points(make_study(axes=())) == []
    assert [name for name, _ in together_points(make_study(axes=()))] == ["J against L"]


def test_directions_cover_every_case():
    assert directions({"K": 1}) == "rises with K"
    assert directions({"K": 0, "J": -1, "L": 1}) == "rises with L, falls with J and does not clearly move with K"


# The section.


@pytest.fixture
def section(make_study):
    real = make_study(name="digits", title="Digits", truth="data", covariances=("empirical",))
    studies = [make_study(covariances=("psd", "released")), real]
    return studies, terms_section(studies, terms_picture(studies[0], b"<svg/>", b"png"))


def of_kind(blocks, kind):
    inner = [b for block in blocks for b in (block.blocks if isinstance(block, Fold) else [block])]
    return [block for block in inner if isinstance(block, kind)]


def test_the_matrix_sets_terms_and_gap_side_by_side(section):
    _, made = section
    matrix, _ = of_kind(made.blocks, VerdictMatrix)
    claimed, others, gap = matrix.groups
    assert [name for name, _, _ in claimed.rows] == ["ΔI", "H(S_anchor|W)", "H(S_gen|W)", "H(S_gen|W)", "ΔH"]
    words = {name: [cell.verdict for cell in cells] for name, _, cells in (*claimed.rows, *others.rows)}
    assert words["ΔI"] == ["rises", "supported", "rises"]
    assert words["ΔH"] == ["rises", "falls", "supported"]
    assert words["H(S_anchor|W)"] == ["supported", "rises", "rises"]
    assert words["D_TV(D, D_M)"] == ["falls", "falls", "rises"]
    assert [[cell.verdict for cell in cells] for _, _, cells in gap.rows] == [["falls", "rises", "falls"]] * 4
    assert matrix.head == "term"
    assert dict(matrix.columns)["L"] == "“L raises H(S_gen|W) and L lowers ΔH”"
    assert len(claimed.rows) + len(others.rows) == len(TERM_NAMES)


def test_everything_that_was_made_is_there_or_linked(section):
    _, made = section
    assert len(of_kind(made.blocks, Picture)) == 1
    assert {table.source for table in of_kind(made.blocks, DataTable)} == {
        f"{study}/{name}.csv" for study in ("gmm", "digits") for name in ("claims", "term_trends")
    }
    links = [link for block in of_kind(made.blocks, Links) for _, _, link in block.items]
    assert links == ["gmm/terms.csv", "gmm/terms_released.svg", "digits/terms.csv", "digits/terms_empirical.svg"]


def test_what_is_undefined_and_what_stands_in_is_said(section, make_study):
    text = " ".join(t for block in of_kind(section[1].blocks, Points) for _, t in block.items)
    for part in (
        "minus infinity",
        "GGMI, their difference, is no number",
        r"$\TV(\DM, \Dg)$ is 0 by construction",
        "can be negative",
        "moves by d log s",
        "Gaussian component stands in",
        "Simulated: at most 0.040 nats a point on average (bracketed by 0.040)",
        "Simulated: typically 2 %, at most 2 %",
    ):
        assert part in text
    simulated = terms_section([make_study()], terms_picture(make_study(), b"", b""))
    text = " ".join(t for block in of_kind(simulated.blocks, Points) for _, t in block.items)
    assert "On real data" not in text


def test_the_picture_says_in_words_where_every_term_goes(section):
    (picture,) = of_kind(section[1].blocks, Picture)
    assert "ΔI (H(M(p)|h(e_p)), entropy of what M writes, given the prompt's part) rises with K, J and L" in picture.alt
    assert re.search(r"D_TV\(D, D_M\) .* rises with L and falls with K and J", picture.alt)
    assert [link for _, link in picture.files] == [f"gmm/terms_psd.{kind}" for kind in ("svg", "png", "csv")]
