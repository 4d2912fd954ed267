"""Which trainings a budget of tokens pays for: all arms while small, the better half of them at each doubling."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil

from ggmi.errors import UserError

# Trainings of each arm at each size; more where the budget has room for them at full size.
SEEDS, MOST_SEEDS = 2, 5
# The first sizes that every arm is trained at, as parts of the largest of them.
FIRST = (4, 2, 1)
# Fewer records make no curve.
LEAST = 16


@dataclass(frozen=True)
class Rung:
    """A step of successive halving.

    Parameters
    ----------
    arms
        How many are trained.
    records
        Records of each training, or all that an arm has.
    """

    arms: int
    records: int


def plan_rungs(
    sizes: Mapping[str, int],
    tokens: Mapping[str, float],
    budget: float,
    each: float = 0.0,
    per_second: float | None = None,
) -> tuple[list[Rung], int]:
    """Divide a budget over sizes and arms.

    All k arms are trained at three doublings, then the better half at twice as many records, and so on
    until two are left, so that each further rung costs about as much as the third. Arms end at their own
    size.

    Parameters
    ----------
    sizes
        Records of each arm.
    tokens
        Tokens that training on a record of each arm costs, all passes counted.
    budget
        Tokens in all.
    each
        What a training costs besides its records, as tokens.
    per_second
        Tokens that a second pays for, where the budget is a time.

    Returns
    -------
    rungs : list of Rung
    seeds : int
        Trainings of each arm at each size.

    Raises
    ------
    UserError
        If the budget does not pay for the smallest plan; the sentence says what does.

    Examples
    --------
    >>> plan_rungs({"a": 4000, "b": 4000, "c": 4000}, {"a": 100, "b": 100, "c": 100}, 1e6)
    ([Rung(arms=3, records=135), Rung(arms=3, records=270), Rung(arms=3, records=540), Rung(arms=2, records=1080)], 2)
    """
    least = FIRST[0] * LEAST
    needed = _cost(_rungs(sizes, least), sizes, tokens, each) * SEEDS
    if needed > budget:
        # A tenth more: a time is planned in tokens of two digits.
        enough = "as many" if per_second is None else f"{ceil(1.1 * needed / per_second)}s"
        raise UserError(
            f"the budget: {budget:,.0f} tokens do not pay for the smallest pilot of {len(sizes)} arms, which reads "
            f"{needed:,.0f}; name at least {enough}, or fewer sets"
        )
    # The most records of the third rung that the budget pays for, by bisection.
    low, high = least, max(least, *sizes.values())

    def paid(third: int) -> bool:
        return _cost(_rungs(sizes, third), sizes, tokens, each) * SEEDS <= budget

    while high - low > max(1, low // 64):
        middle = (low + high) // 2
        low, high = (middle, high) if paid(middle) else (low, middle)
    if paid(high):
        low = high
    rungs = _rungs(sizes, low)
    seeds = max(SEEDS, min(MOST_SEEDS, int(budget / _cost(rungs, sizes, tokens, each))))
    return rungs, seeds


def _rungs(sizes: Mapping[str, int], third: int) -> list[Rung]:
    """Rungs with so many records in the third."""
    largest = max(sizes.values())
    rungs = [Rung(len(sizes), third // part) for part in FIRST]
    while rungs[-1].arms > 2 and rungs[-1].records < largest:
        rungs.append(Rung(max(2, ceil(rungs[-1].arms / 2)), 2 * rungs[-1].records))
    return rungs


def _cost(rungs: list[Rung], sizes: Mapping[str, int], tokens: Mapping[str, float], each: float) -> float:
    """Tokens that one seed of a plan reads, if the dearest arms are those that stay."""
    total = 0.0
    for rung in rungs:
        costs = sorted((each + min(rung.records, sizes[arm]) * tokens[arm] for arm in sizes), reverse=True)
        total += sum(costs[: rung.arms])
    return total
