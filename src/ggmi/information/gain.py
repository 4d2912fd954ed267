"""Information gain of a synthetic set, straight from the generator's own sampling log-probabilities."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ggmi.errors import UserError
from ggmi.information.estimate import Array, Estimate, group_codes
from ggmi.random import stream

# Bootstrap resamples of prompts.
RESAMPLES = 2000


@dataclass(frozen=True)
class InformationGain:
    """Information gain in nats a record, a token and in total over the set."""

    per_record: Estimate
    per_token: Estimate
    total: Estimate


def gain_of_sums(
    nats: ArrayLike,
    tokens: ArrayLike,
    prompt_ids: Sequence[str] | None = None,
    *,
    seed: int = 0,
) -> InformationGain:
    """Estimate the information gain of definition 4.2 from each record's surprisal and number of tokens.

    By the definition of mutual information,
    ``Delta I = H(M(p)) - I(h(e_p), M(p)) = H(M(p) | h(e_p))``: the gain is what the generator's
    output holds beyond what the prompt's factors h(e_p) already say. A record x sampled from p has
    ``-ln q(x | p) = -sum_t ln q(x_t | p, x_<t)``, and its mean over prompts and records is
    ``H(M(p) | p)`` without bias, for that is this expectation's definition.

    *Lossless h gives equality, any other h a lower bound.* In what the paper declares e_p, and with it
    h(e_p), is a function of the prompt p. (An e_p with randomness of its own, as the widest finite
    worlds of the theory study have, is outside this argument.) Conditioning on p is therefore
    conditioning on (p, h(e_p)), and conditioning on more cannot
    raise an entropy::

        H(M(p) | p) = H(M(p) | p, h(e_p)) = H(M(p) | h(e_p)) - I(M(p); p | h(e_p)) <= Delta I

    because conditional mutual information is not negative. Equality holds if and only if
    ``I(M(p); p | h(e_p)) = 0``: h keeps all of the prompt that the output depends on, as a lossless h
    does. So the value is unbiased for Delta I when h is lossless, and in expectation a lower bound
    otherwise; it is never too large in expectation.

    The log-probabilities must be those of the distribution that the tokens were drawn from, after
    temperature, top-p and the like. Those of the unmodified model measure a cross-entropy instead.
    A record cut at a length limit is a sample of the cut distribution, so its tokens still count
    exactly.

    Parameters
    ----------
    nats
        ``-ln q(record | prompt)`` of each record, shape (n,); not negative.
    tokens
        Tokens of each, shape (n,); at least one.
    prompt_ids
        The prompt of each record: intervals resample prompts, for records of one prompt are not
        independent evidence about other prompts. None takes every record as its own prompt.
    seed
        Of the bootstrap.

    Returns
    -------
    InformationGain
        Records count equally; per token is total nats over total tokens. Intervals are percentile
        cluster bootstraps over prompts, None with a single prompt.

    Raises
    ------
    UserError
        If there are no records, or a surprisal or a count is not as it should be.

    Examples
    --------
    >>> gain_of_sums([2.0, 4.0], [2, 4], ["p", "q"]).per_token.value
    1.0
    """
    try:
        nats, tokens = np.asarray(nats, dtype=float), np.asarray(tokens, dtype=float)
    except (TypeError, ValueError) as error:
        raise UserError(f"log_probs: sums and numbers of tokens must be numbers ({error})") from error
    if not nats.size:
        raise UserError("log_probs: holds no records; at least one is needed")
    if nats.ndim != 1 or nats.shape != tokens.shape or not (np.isfinite(nats) & (nats >= 0) & (tokens >= 1)).all():
        raise UserError("log_probs: each record needs a finite sum of at most 0 nats and at least one token")
    n = len(nats)
    codes = group_codes(prompt_ids, n, "prompt_ids")
    sums = np.array([np.bincount(codes, weights) for weights in (nats, np.ones(n), tokens)])
    resampled = _resampled(sums, seed)
    observed = sums.sum(axis=1)
    prompts = sums.shape[1]
    how = (
        f"-ln q(record | prompt) of the generator's own samples, {prompts} prompts; a lower bound unless h is lossless"
    )

    def estimate(denominator: int | None, unit: str) -> Estimate:
        value = observed[0] if denominator is None else observed[0] / observed[denominator]
        ends: tuple[float | None, float | None] = (None, None)
        if prompts > 1:
            # The total is that of n records like these, so its resamples keep n.
            draws = resampled[0] * n / resampled[1] if denominator is None else resampled[0] / resampled[denominator]
            low, high = np.quantile(draws, [0.025, 0.975])
            ends = float(low), float(high)
        return Estimate(float(value), *ends, None, None, None, n, unit, how)

    return InformationGain(estimate(1, "nats/record"), estimate(2, "nats/token"), estimate(None, "nats"))


def _resampled(sums: Array, seed: int) -> NDArray[np.float64]:
    """Sums over prompts drawn with replacement, shape (3, RESAMPLES)."""
    prompts = sums.shape[1]
    generator = stream(seed, "information gain", "prompts")
    counts = generator.multinomial(prompts, np.full(prompts, 1 / prompts), size=RESAMPLES)
    return sums @ counts.T
