"""What a person sets of a study of samples."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Settings:
    """What a person sets.

    Parameters
    ----------
    most
        Most samples a problem that are compared; None takes what nearly all problems have.
    price
        Of a sample, or of 1,000 tokens; None where cost is counted in samples and tokens only.
    by_tokens
        Whether the price is of 1,000 tokens.
    value
        Of a solved problem, in the price's unit; None where it is unknown.
    worth
        The least gain in accuracy that counts, a share.
    seed
        Of resamples and draws.
    """

    most: int | None = None
    price: float | None = None
    by_tokens: bool = False
    value: float | None = None
    worth: float = 0.01
    seed: int = 0
