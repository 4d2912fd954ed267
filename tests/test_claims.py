"""The shared table of claims."""

import pytest

from ggmi.claims import CLAIM_COLUMNS, Claim, claims_table


def claim(supports, **evidence):
    return Claim(claim="A rises", source="ours", variant="here", test="a test", supports=supports, **evidence)


def test_tested_claims_are_corrected_together_and_exact_ones_are_not():
    table = claims_table(
        [claim(True, p=0.02, n=9), claim(False, p=0.04, n=9), claim(False), claim(None), claim(True, p=0.001, n=9)]
    )
    assert tuple(table.columns) == CLAIM_COLUMNS
    # Holm by hand: .001 × 3, then .02 × 2, then .04 × 1 raised to the one before.
    assert table["p_holm"].tolist()[::4] == pytest.approx([0.04, 0.003])
    assert table["p_holm"][1] == pytest.approx(0.04)
    assert table["p_holm"][2:4].isna().all()
    assert table["verdict"].tolist() == ["supported", "contradicted", "contradicted", "undecided", "supported"]


def test_what_correction_takes_away_is_undecided():
    table = claims_table([claim(True, p=0.03, n=9), claim(True, p=0.04, n=9)])
    assert table["verdict"].tolist() == ["undecided", "undecided"]


def test_no_claims_give_the_columns_alone():
    assert tuple(claims_table([]).columns) == CLAIM_COLUMNS
