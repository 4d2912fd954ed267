import numpy as np
import pandas as pd
from figures import drawn_terms, saved, terms

from ggmi.plotting.terms import rows


def test_the_terms_have_a_row_each_and_the_numbers_of_the_table():
    table, *rest = terms()
    figure, numbers = drawn_terms(table, *rest)
    assert len(figure.axes) == 3 * len(rows("released"))
    assert [ax.get_ylabel() for ax in figure.axes[::3]] == [row.label for row in rows("released")]
    assert set(numbers["term"]) == {term for row in rows("released") for term in row.terms}
    for row in numbers.itertuples():
        place = {**dict.fromkeys("KJL", 2), row.axis: row.value}
        same = (table[list("KJL")] == pd.Series(place)).all(axis=1) & (table["term"] == row.term)
        for column in ("mean", "sd", "median", "ci_low", "ci_high"):
            assert table.loc[same, column].item() == getattr(row, column)


def test_claimed_panels_say_what_is_claimed_and_what_came_of_it():
    figure, _ = drawn_terms(*terms())
    titles = {(i // 3, "KJL"[i % 3]): ax.get_title(loc="left") for i, ax in enumerate(figure.axes)}
    rho = "ρ = +0.25 [-0.50, +0.75]"
    assert titles[0, "J"] == f"claimed: rises · supported\n{rho}"
    assert titles[0, "K"] == titles[0, "L"] == titles[4, "L"] == rho
    assert titles[1, "L"] == f"claimed: falls · supported\n{rho}"
    assert titles[2, "K"] == f"claimed: rises · contradicted\n{rho}"
    assert titles[3, "L"] == f"claimed: rises · ● undecided · □ supported\n● {rho}\n□ {rho}"
    assert titles[3, "K"] == f"● cross-entropy, {rho}\n□ student's own entropy, {rho}"
    assert titles[5, "J"] == f"● {rho}\n□ {rho}"


def test_two_lines_of_a_panel_differ_in_marker_and_dash():
    figure, numbers = drawn_terms(*terms())
    ax = figure.axes[9]
    solid, dashed = (container[0] for container in ax.containers)
    assert (solid.get_marker(), dashed.get_marker()) == ("o", "s")
    assert (solid.get_linestyle(), dashed.get_linestyle()) == ("-", "--")
    for line, term in ((solid, "synthetic_given_student"), (dashed, "student_entropy")):
        part = numbers[(numbers["term"] == term) & (numbers["axis"] == "K")]
        np.testing.assert_allclose(line.get_xydata(), part[["value", "mean"]])


def test_terms_along_a_sweep_of_one_value_are_drawn_without_trends(tmp_path):
    table, trends, claims, sweeps = terms(values=(2,))
    figure, numbers = drawn_terms(table, trends.iloc[:0], claims.iloc[:0], sweeps)
    saved(tmp_path, figure, numbers)
    titles = [ax.get_title(loc="left") for ax in figure.axes]
    assert titles[9] == "● cross-entropy\n□ student's own entropy"
    assert {title for i, title in enumerate(titles) if i % 3} == {""}
