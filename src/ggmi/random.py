"""Named, independent random streams: the same name and seed give the same numbers, always."""

from __future__ import annotations

import hashlib
import operator

import numpy as np

from ggmi.errors import UserError


def stream(seed: int, *name: str | int) -> np.random.Generator:
    """Return the random generator that belongs to a name.

    The name is hashed into the spawn key of a `numpy.random.SeedSequence`, so a stream depends on
    nothing but the seed and its own name: not on how many other streams there are, nor on the
    order in which jobs run.

    Parameters
    ----------
    seed
        The run's seed, a non-negative integer.
    *name
        What the stream is for, from the general to the particular, e.g. the study, the condition,
        the step and the round.

    Returns
    -------
    numpy.random.Generator
        A fresh generator (SFC64).

    Raises
    ------
    UserError
        If the seed is not a whole number of at least 0.

    Examples
    --------
    >>> a = stream(1, "gmm", "K2_J2_L2", "anchors", 0).random()
    >>> b = stream(1, "gmm", "K2_J2_L2", "anchors", 0).random()
    >>> a == b
    True
    """
    if not hasattr(seed, "__index__") or operator.index(seed) < 0:
        raise UserError(f"seed: {seed!r} is not allowed; use a whole number of at least 0")
    # NumPy's integers and strings name the same stream as Python's, whose repr is plainer.
    plain = tuple(str(part) if isinstance(part, str) else operator.index(part) for part in name)
    digest = hashlib.sha256(repr(plain).encode()).digest()
    words = tuple(int.from_bytes(digest[i : i + 4], "little") for i in range(0, 16, 4))
    return np.random.Generator(np.random.SFC64(np.random.SeedSequence(seed, spawn_key=words)))


def round_streams(seed: int, *name: str | int, rounds: range) -> list[np.random.Generator]:
    """One stream a round, so that a round's numbers do not depend on how many rounds there are.

    Parameters
    ----------
    seed
        The run's seed.
    *name
        What the streams are for.
    rounds
        Indices of the rounds.

    Returns
    -------
    list of numpy.random.Generator
    """
    return [stream(seed, *name, r) for r in rounds]
