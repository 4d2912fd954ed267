"""How hard records are for a model: what it loses on each response given its prompt."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ggmi.loading import chosen_device
from ggmi.random import stream
from ggmi.statistics import Interval, chunks, resampled
from ggmi.students.base import Base
from ggmi.students.risk import AT_ONCE, Losses, losses
from ggmi.students.tokenise import PLAIN, Form, TooLong, tokenise
from ggmi.text.records import Record

# A record is too easy where the model gives its tokens probabilities of 0.9 and more, in geometric mean.
EASY_NATS = -math.log(0.9)
# Interquartile ranges above the upper quartile beyond which a loss is far out (Tukey 1977).
FAR_OUT = 3.0
RESAMPLES = 999


def record_losses(
    records: Sequence[Record],
    base: Base,
    form: Form,
    *,
    plain: str = PLAIN,
    too_long: TooLong = "truncate",
    longest: int | None = None,
    source: str = "the set",
    device: str = "auto",
    at_once: int = AT_ONCE,
    on_records: Callable[[int], None] = lambda _: None,
) -> Losses:
    """Measure what a model loses on every record, as a student that starts from it would read them.

    Parameters
    ----------
    records
        The set, not empty.
    base
        The model.
    form, plain, too_long, longest, source
        See `ggmi.students.tokenise.tokenise`; records that do not fit are not among the losses.
    device
        See `ggmi.loading.chosen_device`.
    at_once, on_records
        See `ggmi.students.risk.losses`.

    Raises
    ------
    UserError
        If the model cannot be loaded, or no record fits into its window.
    """
    examples = tokenise(records, base, form, plain=plain, too_long=too_long, longest=longest, source=source)
    model = base.load()
    on_device = model.to(chosen_device(device))  # type: ignore[arg-type]
    return losses(on_device, examples, at_once, on_records)


@dataclass(frozen=True)
class Spread:
    """Where the losses of a set lie, in nats a token.

    Parameters
    ----------
    median, lower, upper
        Median and quartiles over records.
    interval
        95 % bootstrap interval of the median.
    """

    median: float
    lower: float
    upper: float
    interval: Interval

    @property
    def fence(self) -> float:
        """The loss beyond which a record lies far out."""
        return self.upper + FAR_OUT * (self.upper - self.lower)


def per_token(measured: Losses) -> NDArray[np.float64]:
    """Loss of each record over the tokens of its response, nats a token, shape (n,)."""
    return measured.nats / measured.tokens


def spread(values: NDArray[np.float64], groups: Sequence[str], seed: int) -> Spread:
    """Median and quartiles of losses, and how far the median is known.

    Parameters
    ----------
    values
        Loss of each record, nats a token, shape (n,).
    groups
        What came together, such as the records of one prompt: these are resampled as a whole.
    seed
        Of the resamples.

    Examples
    --------
    >>> found = spread(np.array([1.0, 2.0, 3.0]), ["a", "b", "c"], 0)
    >>> found.lower, found.median, found.upper, found.fence
    (1.5, 2.0, 2.5, 5.5)
    """
    lower, median, upper = (float(q) for q in np.quantile(values, (0.25, 0.5, 0.75)))
    order = np.argsort(values, kind="stable")
    _, group = np.unique(np.asarray(groups), return_inverse=True)
    count = int(group.max()) + 1
    generator = stream(seed, "difficulty", "median")
    medians = []
    for size in chunks(RESAMPLES, len(values)):
        upto = resampled(count, size, generator)[:, group[order]].cumsum(axis=1)
        # The median of a resample: where half of its records are reached.
        medians.append(values[order][(upto < upto[:, -1:] / 2).sum(axis=1)])
    low, high = np.quantile(np.concatenate(medians), (0.025, 0.975))
    ends = Interval(float(low), float(high)) if count > 1 else Interval(math.nan, math.nan)
    return Spread(median, lower, upper, ends)
