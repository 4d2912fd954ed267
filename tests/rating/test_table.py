import numpy as np
import pandas as pd
import pytest
from scipy import stats

from ggmi.errors import UserError
from ggmi.random import stream
from ggmi.rating.intervals import crossed_bootstrap, mean_rating, paired_difference
from ggmi.rating.table import RATINGS, notes, rating_cells, rating_table, seed_means, softmax
from ggmi.statistics import holm

PROMISED = ["condition", "n_items", "n_seeds", "mean", "ci_low", "ci_high", "softmax"]
PROMISED += ["difference_to_base", "p_holm", "missing"]

# For base, 3-ins, 10-ins, 20-ins and real data, as published (table 1).
PUBLISHED_SOFTMAX = (0.1409, 0.1863, 0.1965, 0.2015, 0.2745)


@pytest.fixture(scope="module")
def table(simulated):
    return rating_table(simulated, 0, real="real data")


def cell(table, condition, column):
    return table.set_index("condition").loc[condition, column]


def matrix(ratings, condition):
    """Ratings of a condition by pandas alone."""
    return ratings[ratings["condition"] == condition].pivot(index="item", columns="seed", values="rating")


def test_the_table_has_the_promised_columns_in_their_order(table):
    assert [column for column in table.columns if column in PROMISED] == PROMISED
    assert table["condition"].to_list() == ["base", "3-ins", "20-ins", "real data"]
    assert table["n_seeds"].to_list() == [1, 5, 5, 5]


def test_every_number_is_that_of_the_parts(simulated, table):
    tables = {name: matrix(simulated, name) for name in table["condition"]}
    for name, values in tables.items():
        expected = mean_rating(values)
        assert cell(table, name, "mean") == expected.value
        assert cell(table, name, "ci_low") == expected.interval.low
        assert cell(table, name, "missing") == values.isna().sum().sum()
        assert cell(table, name, "n_items") == values.notna().any(axis=1).sum()
        drawn = crossed_bootstrap(values, stream(0, "rating", "bootstrap", name))
        assert (cell(table, name, "bootstrap_low"), cell(table, name, "bootstrap_high")) == (drawn.low, drawn.high)
        for column, reference in (("base", "base"), ("real", "real data")):
            found = paired_difference(values, tables[reference])
            if name != reference:
                assert cell(table, name, f"difference_to_{column}") == pytest.approx(found.value)
                assert cell(table, name, f"difference_to_{column}_ci_low") == pytest.approx(found.interval.low)
                assert cell(table, name, f"difference_to_{column}_ci_high") == pytest.approx(found.interval.high)
                assert cell(table, name, f"p_{column}") == pytest.approx(found.p_value)
            else:
                columns = [c for c in table if c.startswith(f"difference_to_{column}")] + [f"p_{column}"]
                assert np.isnan([cell(table, name, c) for c in columns]).all()


def test_p_values_are_corrected_over_the_conditions_compared(table):
    for corrected, raw, reference in (("p_holm", "p_base", "base"), ("p_holm_real", "p_real", "real data")):
        compared = table[table["condition"] != reference]
        np.testing.assert_array_equal(compared[corrected], holm(compared[raw]))
        assert np.isnan(cell(table, reference, corrected))


def test_the_softmax_of_published_like_means_is_the_published_one():
    # Any means whose differences are those of the logarithms.
    for lowest in (1.2, 6.0):
        means = lowest + np.log(PUBLISHED_SOFTMAX) - np.log(PUBLISHED_SOFTMAX[0])
        np.testing.assert_allclose(softmax(means), PUBLISHED_SOFTMAX, atol=1e-4)
    assert sum(PUBLISHED_SOFTMAX) == pytest.approx(1, abs=5e-4)


def test_softmax_leaves_out_what_has_no_mean_and_never_overflows():
    np.testing.assert_allclose(softmax([1.0, np.nan, 1.0]), [0.5, np.nan, 0.5])
    assert np.isnan(softmax([np.nan, np.nan])).all()
    np.testing.assert_allclose(softmax([1e9, 0.0]), [1, 0])


def test_the_note_on_the_softmax_says_what_it_hides(simulated, table):
    sentence = next(note for note in notes(table) if "softmax" in note)
    low, high = cell(table, "base", "softmax"), cell(table, "real data", "softmax")
    assert f"{low:.4f} for base and {high:.4f} for real data" in sentence
    higher = rating_table(simulated.assign(rating=simulated["rating"].clip(upper=9) + 1), 0)
    lower = rating_table(simulated.assign(rating=simulated["rating"].clip(upper=9)), 0)
    np.testing.assert_allclose(higher["softmax"], lower["softmax"])


def test_notes_name_single_students_and_missing_ratings(simulated, table):
    assert any("left out and never scored" in note and "in 3-ins" in note for note in notes(table))
    assert not any("One student only" in note for note in notes(table))
    single = simulated[(simulated["condition"] != "3-ins") | (simulated["seed"] == 2)]
    told = notes(rating_table(single, 0))
    assert any(note.startswith("One student only was trained for 3-ins:") for note in told)
    whole = simulated.assign(rating=simulated["rating"].fillna(5))
    assert not any("never scored" in note for note in notes(rating_table(whole, 0)))


def test_the_same_ratings_give_the_same_table_in_any_order_of_rows(simulated, table):
    shuffled = simulated.sample(frac=1, random_state=3)
    again = rating_table(shuffled, 0, real="real data", conditions=table["condition"].to_list())
    pd.testing.assert_frame_equal(again, table)


def test_another_condition_changes_only_softmax_and_corrected_p_values(simulated, table):
    extra = simulated[simulated["condition"] == "3-ins"].assign(condition="new")
    more = rating_table(pd.concat([extra, simulated]), 0, real="real data")
    family = ["softmax", "p_holm", "p_holm_real"]
    left = more[more["condition"] != "new"].reset_index(drop=True).drop(columns=family)
    pd.testing.assert_frame_equal(left, table.drop(columns=family))
    assert (more[more["condition"] != "new"]["softmax"].to_numpy() < table["softmax"].to_numpy()).all()


def test_answers_that_were_never_rated_are_missing_and_not_scored():
    rows = [("base", 0, item, 3.0 + item % 2) for item in range(6)]
    rows += [("mute", seed, item, None) for seed in range(2) for item in range(6)]
    rows += [("short", 0, item, 5.0) for item in range(4)]
    table = rating_table(pd.DataFrame(rows, columns=list(RATINGS)), 0)
    assert table["missing"].to_list() == [0, 12, 2]
    assert table["n_items"].to_list() == [6, 0, 4]
    assert table["n_seeds"].to_list() == [1, 0, 1]
    assert np.isnan(table.loc[1, ["mean", "ci_low", "softmax", "p_holm", "difference_to_base"]].astype(float)).all()
    assert table["softmax"].sum() == pytest.approx(1)
    # A condition that cannot be compared costs the others nothing.
    assert table.loc[2, "p_holm"] == table.loc[2, "p_base"]


def test_several_ratings_of_one_answer_are_averaged():
    rows = [("base", 0, "q", 3), ("base", 0, "q", 6), ("base", 0, "r", 2), ("base", 0, "r", np.nan)]
    cells = rating_cells(pd.DataFrame(rows, columns=list(RATINGS)))
    np.testing.assert_array_equal(cells["base"], [[4.5], [2.0]])


def test_students_have_their_means(simulated):
    students = seed_means(simulated)
    assert len(students) == 16
    found = students[(students["condition"] == "3-ins") & (students["seed"] == 4)]["mean"].item()
    assert found == pytest.approx(matrix(simulated, "3-ins")[4].mean())


def test_intervals_stay_on_the_scale():
    rows = [("base", seed, item, 1 + 2 * (item == seed == 0)) for item in range(5) for seed in range(2)]
    table = rating_table(pd.DataFrame(rows, columns=list(RATINGS)), 0)
    assert table.loc[0, "ci_low"] == 1
    assert table.loc[0, "ci_low"] < table.loc[0, "mean"] < table.loc[0, "ci_high"]


def test_no_condition_of_a_null_family_is_significant_in_more_than_one_table_of_twenty():
    # Items, seeds and conditions' own items all random; nothing differs in the mean.
    trials, n, m = 80, 40, 4
    generator = stream(2, "family")
    wrong = 0
    items = np.arange(n)
    for _ in range(trials):
        easy = 1.5 * generator.normal(size=n)
        parts = []
        for name in ("base", "a", "b", "c"):
            own = easy + 0.5 * generator.normal(size=n)
            for seed in range(1 if name == "base" else m):
                y = np.clip((5 + own + 0.3 * generator.normal() * (name != "base") + generator.normal(size=n)), 1, 10)
                parts.append(pd.DataFrame({"condition": name, "seed": seed, "item": items, "rating": y}))
        wrong += bool((rating_table(pd.concat(parts), 0, resamples=2)["p_holm"] <= 0.05).any())
    assert wrong <= stats.binom.ppf(0.999, trials, 0.05)


@pytest.mark.parametrize(
    ("change", "arguments", "message"),
    [
        (lambda t: t.rename(columns={"rating": "ratings"}), {}, "no column 'rating'; did you mean 'ratings'?"),
        (lambda t: t.iloc[:0], {}, "ratings: holds no ratings"),
        (lambda t: t.assign(rating=11), {}, "row 1 has the rating 11; allowed: 1 to 10, or empty where missing"),
        (lambda t: t.assign(rating=0.5), {}, "row 1 has the rating 0.5"),
        (lambda t: t.assign(rating="=1+1"), {}, "row 1 has the rating '=1+1'"),
        (lambda t: t.assign(rating=np.inf), {}, "row 1 has the rating inf"),
        (lambda t: t, {"real": "bass"}, "no condition 'bass'; did you mean 'base'?"),
        (lambda t: t, {"real": "reel data"}, "no condition 'reel data'; did you mean 'real data'?"),
        (lambda t: t, {"conditions": ["base", "3-inns"]}, "no condition '3-inns'; did you mean '3-ins'?"),
        (lambda t: t, {"conditions": ["3-ins"]}, "no condition 'base'; allowed: 3-ins"),
    ],
)
def test_bad_ratings_are_told_in_one_sentence(simulated, change, arguments, message):
    with pytest.raises(UserError) as caught:
        rating_table(change(simulated), 0, source="ratings.csv" if "row" in message else "ratings", **arguments)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
