"""Sample more, verify better, or neither: one sentence from two gains and their intervals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Word = Literal["sample more", "verify better", "both", "neither", "undecided"]
Ends = tuple[float, float, float]
# What each side's interval says of the least gain that counts.
COUNTS, SMALL, OPEN = "counts", "small", "open"


@dataclass(frozen=True)
class Advice:
    """The verdict.

    Parameters
    ----------
    word
        In a word.
    sentence
        With its reasons.
    gain, gap
        What the last doubling of the samples brought, and what a perfect choice among them would add:
        estimate and ends of the interval, shares.
    chooser
        The way to choose that both are about.
    samples, half
        The most samples a problem, and half of them.
    """

    word: Word
    sentence: str
    gain: Ends
    gap: Ends
    chooser: str
    samples: int
    half: int


def advice(gain: Ends, gap: Ends, more: Ends, half: int, samples: int, chooser: str, worth: float) -> Advice:
    """Decide.

    Parameters
    ----------
    gain
        What doubling the samples brought: estimate, lower and upper end, shares.
    gap
        What choosing a right sample wherever there is one would add.
    more
        The gap less the gain.
    half, samples
        Numbers of samples before and after the doubling.
    chooser
        How the answer is chosen now.
    worth
        The least gain that counts, a share.

    Returns
    -------
    Advice
        Either side counts where its whole interval lies above `worth`, and is small where it lies below;
        where both count and one is larger beyond doubt, that comes first.

    Examples
    --------
    >>> found = advice((0.0, -0.002, 0.002), (0.2, 0.15, 0.25), (0.2, 0.15, 0.25), 32, 64, "majority of k", 0.01)
    >>> found.word
    'verify better'
    """
    sample, verify = _side(gain, worth), _side(gap, worth)
    word: Word
    if samples == 1:
        word, head = "undecided", "Undecided: one sample a problem says nothing of more"
        return Advice(word, f"{head}.", gain, gap, chooser, samples, half)
    if sample == verify == COUNTS:
        first = "verify better" if more[1] > 0 else "sample more" if more[2] < 0 else ""
        word = "both"
        head = f"{first.capitalize()} first, and then the other" if first else "Sample more and verify better"
    elif COUNTS in (sample, verify):
        word = "sample more" if sample == COUNTS else "verify better"
        head = word.capitalize()
    elif sample == verify == SMALL:
        word, head = "neither", "Neither"
    else:
        word, head = "undecided", "Undecided"
    points = "1 point that counts" if worth == 0.01 else f"{100 * worth:g} points that count"
    reach = {COUNTS: f"more than the {points}", SMALL: f"less than the {points}"}
    told = f"which cannot be told from the {points}"
    doubling = (
        f"going from {half:,} to {samples:,} samples changes the accuracy of the {chooser} by {_points(gain)} points, "
        f"{reach.get(sample, told)}"
    )
    choosing = f"choosing a right sample wherever there is one would add {_points(gap)}, {reach.get(verify, told)}"
    return Advice(word, f"{head}: {doubling}; {choosing}.", gain, gap, chooser, samples, half)


def _side(ends: Ends, worth: float) -> str:
    return COUNTS if ends[1] > worth else SMALL if ends[2] < worth else OPEN


def _points(ends: Ends) -> str:
    """A share with its interval in points."""
    shown = [f"{100 * end + 0.0:+.1f}".replace("-", "−") for end in ends]
    return f"{shown[0]} [{shown[1]}, {shown[2]}]"
