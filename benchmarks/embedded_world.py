"""What estimates are worth in the embedded world: `embedded_world.py [FOLDER]`, a project's folder or this one.

Reads the results of presets/prediction.yaml there, prints its tables and fills README.md.
"""

import sys
from pathlib import Path

import pandas as pd
from common import HERE, ROOT, fill_readme
from worth import shown

from ggmi.io import read_csv
from ggmi.pipeline.prediction import FOLDS, REPEATS

OUTCOMES = {
    "rating": "Against the rating of three students a set (higher is better):",
    "test risk": "Against their exact test risk (lower is better, so an estimate that is high in good sets has ρ < 0):",
}


def spread(values, digits):
    """Median and ends of an outcome."""
    return f"{values.median():.{digits}f} ({values.min():.{digits}f} to {values.max():.{digits}f})"


def main(folder=ROOT):
    """Print, and write this section of README.md."""
    results = Path(folder) / "results/embedded"
    file = results / "estimation/predictions.csv"
    if not file.is_file():
        sys.exit(f"{file}: is not there; make it with --configfile presets/prediction.yaml")
    found, lines = read_csv(file), []
    for outcome, words in OUTCOMES.items():
        worth = found[found["outcome"] == outcome]
        lines += [words, "", shown(worth), ""]
    n = int(pd.to_numeric(found["n"]).min())
    ratings, risks = read_csv(results / "rating/table1.csv"), read_csv(results / "rating/generalization.csv")
    lines += [
        f"{n} conditions. Mean rating {spread(ratings['mean'], 2)}, test risk {spread(risks['test_risk_nats'], 2)} "
        "nats (median, least and most). ρ without length: without what size and length of responses explain; skill: "
        "share of the squared error of a prediction by both that the estimate takes away, in conditions it was not "
        f"fitted on ({FOLDS} folds, {REPEATS} times). Spearman's correlations with 95 % bootstrap intervals over "
        "conditions, in bold where p < 0.05 after Holm's correction over the estimators of a column. Conditions share "
        "their generators, so they are fewer than they look."
    ]
    text = "\n".join(lines)
    fill_readme(HERE / "README.md", "embedded-world", text)
    print(text)


if __name__ == "__main__":
    main(*sys.argv[1:])
