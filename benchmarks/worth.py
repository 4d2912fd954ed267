"""What real data say of estimators: as a table of README.md, and as rows of the file that pages read."""

import os
from pathlib import Path

import pandas as pd
from common import ROOT
from common import table as markdown

from ggmi.io import read_csv, write_csv
from ggmi.pipeline.prediction import FOLDS, REPEATS
from ggmi.reporting.page import interval

DATA = Path(os.environ.get("SHARED_DATA", ROOT.parent / "shared" / "data"))
PLACE = ROOT / "workflow" / "data" / "estimators_worth.csv"
COLUMNS = {
    "raw": "ρ",
    "partial": "ρ without length",
    "skill": "skill beyond length",
    "concordance": "pairs ordered alike",
}
ENDS = ("", "_ci_low", "_ci_high", "_p_holm")


def keep(outcome, worth, place=PLACE):
    """Write an outcome's rows into the file, in place of those that it had."""
    numbers = [f"{name}{end}" for name in COLUMNS for end in ENDS if f"{name}{end}" in worth]
    rows = worth.assign(outcome=outcome)[["outcome", "estimator", *numbers, "n"]].round(6)
    if place.is_file():
        others = read_csv(place)
        rows = pd.concat([others[others["outcome"] != outcome], rows])
    write_csv(place, rows.sort_values(["outcome", "estimator"]))


def shown(worth):
    """A table of Markdown, a row an estimator."""
    rows = [[row["estimator"], *(_cell(row, name) for name in COLUMNS)] for row in worth.to_dict("records")]
    return markdown(["estimator", *COLUMNS.values()], rows)


def _cell(row, name):
    """A number with its interval, in bold where it is told from zero."""
    if pd.isna(row[name]):
        return "–"
    text = interval(row, name, decimals=2)
    return f"**{text}**" if row.get(f"{name}_p_holm", 1) < 0.05 else text


def explained(n, sets):
    """What the columns are."""
    return (
        f"Spearman's correlation over {n} {sets} with 95 % bootstrap intervals over {sets}; in bold where p < 0.05 "
        "after Holm's correction over the estimators of a column. Skill: share of the squared error of a prediction by "
        f"length alone that the estimate takes away, in {sets} it was not fitted on ({FOLDS} folds, {REPEATS} times); "
        f"of several intervals above zero some are so by chance. Pairs ordered alike: share of all pairs of {sets} "
        "that the estimate orders as the outcome does, read in the direction of ρ; a coin has 0.50."
    )
