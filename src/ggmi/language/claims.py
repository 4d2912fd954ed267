"""What is claimed of records' number, difficulty and balance, judged by students that were rated."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ggmi.claims import Claim
from ggmi.information.estimate import WIDTH
from ggmi.language.students import ratings_matrix
from ggmi.rating.intervals import RatingEstimate, mean_rating, paired_difference
from ggmi.statistics import power_of_normal_test

PAPER = "arXiv 2603.01293"
# Points of rating, of ten, that a power is stated for.
EFFECT = 0.5
NAMES = {"base_loss": "the base's loss on the record", "skill": "the base's exact loss on its skill"}

Ratings = NDArray[np.float64]


def conditions_table(students: pd.DataFrame, ratings: pd.DataFrame) -> pd.DataFrame:
    """Conditions with their mean rating and its difference to their base.

    Parameters
    ----------
    students
        Rows of `ggmi.language.students.Study.students`.
    ratings
        Columns condition, seed, item, rating.

    Returns
    -------
    DataFrame
        The condition's fields; seeds, items; tokens and loss_nats_per_token, means over seeds; rating with
        interval over items and seeds; gain over the base, paired by item, with interval.
    """
    rows = []
    for name, part in students.groupby("condition", sort=False):
        found = ratings_matrix(ratings, str(name))
        first = part.iloc[0]
        own = mean_rating(found)
        gain = paired_difference(found, ratings_matrix(ratings, f"{first['base']} none"))
        rows.append(
            {
                **first[["condition", "base", "method", "subset", "by", "size", "matched", "updates"]].to_dict(),
                **{"seeds": found.shape[1], "items": found.shape[0], "tokens": int(part["tokens"].mean())},
                "loss_nats_per_token": part["loss_nats_per_token"].mean(),
                **{"rating": own.value, "ci_low": own.interval.low, "ci_high": own.interval.high},
                **{"gain": gain.value, "gain_ci_low": gain.interval.low, "gain_ci_high": gain.interval.high},
            }
        )
    return pd.DataFrame(rows)


def seed_ratings(students: pd.DataFrame, ratings: pd.DataFrame) -> pd.DataFrame:
    """Students with their mean rating and its interval over the test records.

    Parameters
    ----------
    students, ratings
        As for `conditions_table`.
    """
    found = []
    for row in students.to_dict("records"):
        matrix = ratings_matrix(ratings[ratings["seed"] == row["seed"]], row["condition"])
        own = mean_rating(matrix)
        found.append({**row, "rating": own.value, "ci_low": own.interval.low, "ci_high": own.interval.high})
    return pd.DataFrame(found)


def language_claims(students: pd.DataFrame, ratings: pd.DataFrame) -> list[Claim]:
    """Judge every claim.

    Parameters
    ----------
    students, ratings
        As for `conditions_table`.
    """
    evidence = _Evidence(students, ratings)
    parts = (evidence.hard(), evidence.diluted(), evidence.many(), evidence.not_too_hard(), evidence.balanced())
    return [claim for part in (*parts, evidence.methods()) for claim in part]


class _Evidence:
    """Conditions by what they are, and comparisons of two."""

    def __init__(self, students: pd.DataFrame, ratings: pd.DataFrame) -> None:
        self.conditions = students.drop_duplicates("condition").fillna({"by": ""})
        self.ratings = ratings
        self.sizes = sorted(self.conditions.loc[self.conditions["method"] == "sft", "size"].unique())

    def of(
        self, method: str, size: int = 0, subset: str = "random", by: str = "", base: str = "unbalanced", **more: str
    ) -> Ratings:
        """Ratings of a condition, shape (items, seeds)."""
        wanted = {"method": method, "size": size, "subset": subset, "by": by, "base": base, "matched": "updates"} | more
        rows = self.conditions
        for column, value in wanted.items():
            rows = rows[rows[column] == value]
        return ratings_matrix(self.ratings, str(rows["condition"].item()))

    def parts(self, method: str) -> list[tuple[int, str]]:
        """Sizes of which there are easiest and hardest records, and by what."""
        rows = self.conditions[(self.conditions["method"] == method) & (self.conditions["subset"] == "hardest")]
        return list(rows[["size", "by"]].itertuples(index=False, name=None))

    def hard(self) -> Iterator[Claim]:
        """Hard records are best for fine-tuning, at equal size."""
        for size, by in self.parts("sft"):
            hardest = self.of("sft", size, "hardest", by)
            for rival in ("random", "easiest"):
                other = self.of("sft", size, rival, by if rival == "easiest" else "")
                yield _claim(
                    "For fine-tuning the hardest records are better than others, as many of them",
                    f"ours, {PAPER}, insight 1, read for language models",
                    f"{size} records, against the {rival}, hard by {NAMES[by]}",
                    paired_difference(hardest, other),
                )

    def diluted(self) -> Iterator[Claim]:
        """Few records are better for fine-tuning than all."""
        everything = self.of("sft", self.sizes[-1])
        for size in self.sizes[:-1]:
            for subset, by in [("random", ""), *(("hardest", by) for n, by in self.parts("sft") if n == size)]:
                yield _claim(
                    "Large sets dilute: fine-tuning on few records is better than on all",
                    f"ours, {PAPER}, insight 2, read for language models",
                    f"{size} {subset} of {self.sizes[-1]} records{f', by {NAMES[by]}' if by else ''}",
                    paired_difference(self.of("sft", size, subset, by), everything),
                )

    def many(self) -> Iterator[Claim]:
        """Reinforcement wants many records."""
        for size in self.sizes[:-1]:
            yield _claim(
                "Reinforcement is better with all records than with few",
                f"ours, {PAPER}, insight 3, read for language models",
                f"all {self.sizes[-1]} records, against {size}",
                paired_difference(self.of("rl", self.sizes[-1]), self.of("rl", size)),
            )

    def not_too_hard(self) -> Iterator[Claim]:
        """Reinforcement wants records that are partly learnt."""
        for size, by in self.parts("rl"):
            hardest = self.of("rl", size, "hardest", by)
            for rival in ("random", "easiest"):
                other = self.of("rl", size, rival, by if rival == "easiest" else "")
                yield _claim(
                    "For reinforcement the hardest records are worse than others, as many of them",
                    f"ours, {PAPER}, insight 4, read for language models",
                    f"{size} records, against the {rival}, hard by {NAMES[by]}",
                    paired_difference(other, hardest),
                )

    def balanced(self) -> Iterator[Claim]:
        """Of two bases that lose the same, that of balanced skills gains more."""
        for method, name in (("rl", "Reinforcement"), ("sft", "Fine-tuning")):
            gains = [
                self.of(method, self.sizes[-1], base=base) - self.of("none", base=base)
                for base in ("balanced", "unbalanced")
            ]
            yield _claim(
                f"{name} gains more from a base of balanced skills than from one of unbalanced skills and equal loss",
                f"ours, {PAPER}, on balance, read for language models",
                f"all {self.sizes[-1]} records; gain over the own base",
                paired_difference(*gains),
            )

    def methods(self) -> Iterator[Claim]:
        """Reinforcement against fine-tuning on all records."""
        rewarded = self.of("rl", self.sizes[-1])
        for matched in ("updates", "tokens"):
            yield _claim(
                "On all records reinforcement is better than fine-tuning",
                "ours",
                f"as many {matched}",
                paired_difference(rewarded, self.of("sft", self.sizes[-1], matched=matched)),
            )


def _claim(claim: str, source: str, variant: str, found: RatingEstimate) -> Claim:
    """A claim that a difference of ratings is positive."""
    error = (found.interval.high - found.interval.low) / (2 * WIDTH)
    return Claim(
        claim=claim,
        source=source,
        variant=variant,
        test="difference of mean ratings, paired by test record; records and students random",
        supports=None if found.value == 0 else bool(found.value > 0),
        estimate=found.value,
        ci_low=found.interval.low,
        ci_high=found.interval.high,
        p=found.p_value,
        n=found.n_items,
        power=power_of_normal_test(EFFECT, error) if error > 0 else 1.0,
        note=f"Points of rating, of ten; power against a difference of {EFFECT:g} before Holm's correction.",
    )
