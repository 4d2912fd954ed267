"""Parts: runs of seeds that one job works through, named by their places such as ``1-5``."""

from __future__ import annotations

import re
from collections.abc import Iterable

# The base is no training's result, so it has no seeds.
BASE_PART = "0-0"


def numbers_of(part: str) -> range:
    """Seeds of a part.

    Examples
    --------
    >>> list(numbers_of("4-6"))
    [4, 5, 6]
    """
    first, last = map(int, part.split("-"))
    return range(first, last + 1)


def seed_parts(seeds: int, existing: Iterable[str], size: int) -> list[str]:
    """Cut seeds 1 to `seeds` into parts, keeping those that exist.

    What has been trained stays as it was cut, so further seeds make new parts and touch no other;
    a part stays in use as long as one of its seeds is wanted.

    Parameters
    ----------
    seeds
        How many are wanted.
    existing
        Names of folders that may be parts made before.
    size
        Seeds in a new part at most.

    Examples
    --------
    >>> seed_parts(7, ["1-3"], 2)
    ['1-3', '4-5', '6-7']
    >>> seed_parts(2, ["1-3"], 2)
    ['1-3']
    """
    kept: list[str] = []
    covered: set[int] = set()
    for name in sorted(existing, key=lambda name: (len(name), name)):
        if re.fullmatch(r"[1-9]\d{0,5}-[1-9]\d{0,5}", name):
            numbers = numbers_of(name)
            if numbers and numbers[0] <= seeds and not covered & set(numbers):
                kept.append(name)
                covered |= set(numbers)
    run: list[int] = []
    for number in range(1, seeds + 2):
        if number <= seeds and number not in covered:
            run.append(number)
        if run and (len(run) == size or run[-1] != number):
            kept.append(f"{run[0]}-{run[-1]}")
            run = []
    return sorted(kept, key=lambda name: numbers_of(name)[0])
