"""How hard records are for a model, on the page of `ggmi estimate`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from ggmi.reporting.legend import difficulties, shortened
from ggmi.reporting.page import Block, Prose, Section
from ggmi.reporting.tables import Column, data_table, ends
from ggmi.text.visible import one_line

# Characters of a record's texts that a table shows.
SHOWN = 160

SPREADS = (
    Column("set", "set", "T, or the synthetic set"),
    Column("records", "records", "records measured"),
    Column("left_out", "left out", "records that the model's window does not hold"),
    Column("lower_quartile_nats_per_token", "lower quartile", "a quarter of the records lose less, nats a token", 3),
    Column("median_nats_per_token", "median", "half of the records lose less, nats a token", 3),
    *ends(3, label="median, {}", over=", bootstrap over what came together"),
    Column("upper_quartile_nats_per_token", "upper quartile", "three quarters lose less, nats a token", 3),
    Column("too_easy", "too easy", "records whose tokens have a probability of 0.9 and more, in geometric mean"),
    Column("looks_wrong", "looks wrong", "records beyond three interquartile ranges above T's upper quartile"),
)
HIGHEST = (
    Column("set", "set", "T, or the synthetic set"),
    Column("place", "place", "where the record stands in its file"),
    Column("nats_per_token", "loss", "of the response given its prompt, nats a token", 2),
    Column("looks_wrong", "looks wrong", "whether that is beyond three interquartile ranges above T's upper quartile"),
    Column("instruction", "instruction", "what is asked"),
    Column("response", "response", "what the record answers"),
)


def difficulty_section(found: Mapping[str, Any]) -> Section:
    """What a page says of difficulty.

    Parameters
    ----------
    found
        What the command writes as JSON, with a model of difficulty.
    """
    sets = {"T": found["train"], **{one_line(one["name"]): one for one in found["sets"]}}
    named = {name: one["difficulty"] for name, one in sets.items()}
    spreads = pd.DataFrame([{"set": name, **of_set} for name, of_set in named.items()])
    highest = pd.DataFrame([{"set": name, **row} for name, of_set in named.items() for row in of_set["highest"]])
    for field in ("place", "instruction", "response"):
        highest[field] = [shortened(one_line(text), SHOWN) for text in highest[field]]
    highest["looks_wrong"] = highest["looks_wrong"].map({True: "yes", False: "no"})
    shown = [[column.key for column in columns] for columns in (SPREADS, HIGHEST)]
    blocks: list[Block] = [
        Prose(difficulties(found)[-1:]),
        data_table(spreads[shown[0]].astype({"ci_low": float, "ci_high": float}), SPREADS, caption="Losses"),
        data_table(highest[shown[1]], HIGHEST, caption="Records of the highest loss"),
    ]
    return Section("difficulty", "How hard the records are", "Difficulty", blocks)
