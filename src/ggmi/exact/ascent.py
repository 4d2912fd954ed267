"""Gradient ascent on the logits of a batch of worlds."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from autograd import value_and_grad
from numpy.typing import NDArray

LEARNING_RATE = 0.15
Logits = dict[str, NDArray[np.float64]]


def ascend(total: Callable[[Mapping[str, Any]], Any], logits: Logits, steps: int, record: Callable[[], None]) -> None:
    """Climb with Adam (Kingma and Ba 2015), in place.

    Parameters
    ----------
    total
        The sum that is to rise, a function that autograd differentiates.
    logits
        Its argument, which is changed.
    steps
        Steps of ascent.
    record
        Called before every step and after the last.
    """
    first = {name: np.zeros_like(value) for name, value in logits.items()}
    second = {name: np.zeros_like(value) for name, value in logits.items()}
    climb = value_and_grad(total)
    for step in range(1, steps + 2):
        record()
        if step > steps:
            break
        _, slopes = climb(logits)
        for name, slope in slopes.items():
            first[name] = 0.9 * first[name] + 0.1 * slope
            second[name] = 0.99 * second[name] + 0.01 * slope**2
            mean = first[name] / (1 - 0.9**step)
            scale = np.sqrt(second[name] / (1 - 0.99**step)) + 1e-6
            # Beyond this a probability is nil and its gradient too.
            logits[name] = np.clip(logits[name] + LEARNING_RATE * mean / scale, -25, 25)
