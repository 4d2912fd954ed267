"""What the paper's figures 3 and 4 are said to show, judged on trained models, panel by panel.

Javanmard, Mirzasoleiman & Mirrokni, arXiv 2603.01293, section 8: the error of SFT falls, then rises in B and n and is
flat in k; that of outcome supervision falls in B and n and rises in k.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from ggmi.claims import Claim
from ggmi.data_quality.evidence import PAPER, both, close, side_of_zero

# Of the log of a ratio, below which an error counts as flat.
MARGIN = 0.1
MODELS = {"lsa": ("LSA", 4), "gpt": ("GPT", 3)}
# By panel and method: the panel's letter, and what is said to happen.
SHAPES = {
    ("B", "SFT"): ("a", "falls, then rises in B"),
    ("n", "SFT"): ("b", "falls, then rises in n"),
    ("k", "SFT"): ("c", "is flat in k"),
    ("B", "OS"): ("d", "falls in B"),
    ("n", "OS"): ("e", "falls in n"),
    ("k", "OS"): ("f", "rises in k"),
}
NAMES = {"SFT": "SFT", "OS": "outcome supervision"}
SCHEDULES = {"epochs": "fixed epochs", "steps": "fixed steps", "both": ""}
FACTOR_NOTE = "Log of the ratio of test errors; power against a factor of two."


def panel_claim(model: str, panel: str, method: str) -> str:
    """The claim of a panel, in a sentence.

    Parameters
    ----------
    model
        ``lsa`` or ``gpt``.
    panel
        B, n or k.
    method
        ``SFT`` or ``OS``.
    """
    return f"{MODELS[model][0]}: the error of {NAMES[method]} {SHAPES[panel, method][1]}"


def varied_length(table: pd.DataFrame) -> pd.Series:
    """The length that a panel over n varies; of all three where they are tied."""
    which = table["varied"].replace({"tied": "n_test"})
    return pd.Series(np.select([which == name for name in LENGTHS], [table[name] for name in LENGTHS]), table.index)


LENGTHS = ("n_pre", "n_sft", "n_test")


def panel_claims(model: str, table: pd.DataFrame) -> list[Claim]:
    """Judge the panels of one figure, and whether post-training helps.

    Parameters
    ----------
    model
        ``lsa`` (figure 4) or ``gpt`` (figure 3).
    table
        Of `ggmi.data_quality.trained.lsa_study.lsa_table` or of the GPTs', both methods.
    """
    data = table.assign(
        n=varied_length(table).where(table["panel"] == "n", table["n_test"]),
        test=np.where(table["k_test"] == 1, "1", "k"),
        eta=table["eta"].fillna(0),
    )
    # A chain of one is both.
    both_tests = data[(data["panel"] == "k") & (data["k"] == 1)].assign(test="k")
    data = pd.concat([data, both_tests])
    claims: list[Claim] = []
    for (panel, method), _ in SHAPES.items():
        part = data[(data["panel"] == panel) & (data["method"] == method)]
        kept = [name for name in ("varied", "schedule", "eta", "rate", "n", "test") if name != panel]
        for key, cell in part.groupby(kept, sort=False):
            at = dict(zip(kept, key, strict=True))
            claims += _panel(model, panel, method, at, cell)
    return claims


def _panel(model: str, panel: str, method: str, at: dict[str, Any], cell: pd.DataFrame) -> Iterator[Claim]:
    """The claim of a panel in one setting, and, by B, the comparison with no post-training."""
    errors = np.log(cell.pivot_table(index="seed", columns=panel, values="err_over_d"))
    letter, shape = SHAPES[panel, method]
    figure = f"figure {MODELS[model][1]}{letter}"
    published = at["varied"] == "tied"
    ends = f"{panel} = {errors.columns[0]:g} to {errors.columns[-1]:g}"
    yield Claim(
        claim=panel_claim(model, panel, method),
        source=f"{PAPER}, section 8, {figure}" if published else f"ours, a variant of {figure}",
        variant=f"{_setting(at)}, {ends}",
        test="t-tests of log errors, weakest" if "then" in shape else "t-test of log errors",
        **_shape(shape, errors),
    )
    if panel == "B":
        most = errors.columns[-1]
        before = np.log(cell.pivot_table(index="seed", columns=panel, values="pretrained_over_d"))
        yield Claim(
            claim=f"{MODELS[model][0]}: {NAMES[method]} on prompts of the shift is better than the pretrained model",
            source="ours",
            variant=f"{_setting(at)}, B = {most:g}",
            test="t-test of log errors",
            **side_of_zero(errors[most] - before[most], sign=-1),
            note=FACTOR_NOTE,
        )


def _setting(at: dict[str, Any]) -> str:
    """A setting in words."""
    parts = [
        f"η = {at['eta']:g}" if at["eta"] else "",
        f"rate {at['rate']:g}",
        SCHEDULES[at["schedule"]],
        "" if "n" in at else ("all lengths tied" if at["varied"] == "tied" else f"{at['varied']} alone"),
        f"n = {at['n']:g}" if "n" in at else "",
        "1 test step" if at["test"] == "1" else "as many test steps as in training",
    ]
    return ", ".join(part for part in parts if part)


def _shape(shape: str, errors: pd.DataFrame) -> dict[str, Any]:
    """Evidence on how errors change along a panel; columns in order."""
    first, last = errors.iloc[:, 0], errors.iloc[:, -1]
    if "then" in shape:
        return dips(errors)
    if "flat" in shape:
        return {**close(last - first, margin=MARGIN), "note": f"Log of the ratio; flat is within {MARGIN:.0%}."}
    return {**side_of_zero(last - first, sign=-1 if "falls" in shape else 1), "note": FACTOR_NOTE}


def dips(errors: pd.DataFrame) -> dict[str, Any]:
    """Test whether errors have a minimum between both ends.

    Parameters
    ----------
    errors
        Logs, a repetition a row, a value a column, in order.

    Returns
    -------
    dict
        Fields of `ggmi.claims.Claim`. Where the least median lies inside, p is that of the best inner point, below
        both ends (the weaker of two tests), times the number of inner points; where it lies at an end, that
        end's against the inner point that is least surely above it.
    """
    inner, ends = errors.columns[1:-1], (errors.columns[0], errors.columns[-1])
    least = errors.median().idxmin()
    if least in ends:
        gaps = [side_of_zero(errors[least] - errors[x], sign=1) for x in inner]
        return {**max(gaps, key=lambda f: (f["supports"], f["p"])), "note": f"Lowest at the end, {least:g}."}
    found = {x: both(*(errors[end] - errors[x] for end in ends)) for x in inner}
    best = min(found, key=lambda x: (not found[x]["supports"], found[x]["p"]))
    p = min(1.0, found[best]["p"] * len(inner))
    return {**found[best], "p": p, "note": f"Lowest at {best:g}; p times the number of inner points."}
