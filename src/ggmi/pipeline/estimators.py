"""The estimators: their names, their settings, and how small a p-value their tests can give."""

from __future__ import annotations

from dataclasses import dataclass
from math import factorial
from typing import Literal

from ggmi.information.duplicates import PERMUTED

# Fewest records for which anything is estimated: what the unbiased statistic needs.
LEAST = 4
# Observations from which HSIC is tested with all n - 1 cyclic shifts: independent orders are dearer by the
# square of n, minutes a set at 2,000, and a thousand shuffles are fine enough for dozens of tests.
SHIFTED = 1000
# How the note begins of what rests on records that the encoder does not see, and what to do about it.
UNREAD = "the encoder does not see a fifth or more of a field in"
OTHER_ENCODER = "name one that knows their language with --encoder (in a configuration, estimation.encoder)"
# Share of a set's records which the encoder may leave unread before nothing is said that rests on it.
MOST_UNREAD = 0.05

# Names of the estimators and what each says, in the order of tables.
ESTIMATORS = {
    "hsic": "unbiased HSIC of the set with T under the stated pairing",
    "cka": "HSIC over its ceiling: centred kernel alignment, free of the kernels' scale",
    "mmd": "unbiased squared maximum mean discrepancy to T",
    "total_variation": "held-out advantage of a classifier: D_TV to T is at least this",
    "semantic_entropy": "entropy of clusters of records that say the same, plug-in, nats",
    "semantic_entropy_miller_madow": "the same with the Miller–Madow correction, nats",
    "semantic_entropy_chao_shen": "the same with the Chao–Shen correction, nats",
    "semantic_growth": "what the last doubling of n added to the entropy, as a share of ln 2",
    "semantic_entropy_lists": "semantic entropy of the records of one prompt, mean over prompts, nats",
    "vendi": "Vendi score: effective number of different records",
    "distinct_2": "share of different pairs of neighbouring words",
    "differential_entropy": "entropy in embedding space by nearest neighbours, nats",
    "near_repeats": "share of records with a near-duplicate in the set",
    "near_duplicates": "share of records with a near-duplicate in T",
    "exact_duplicates": "share of records whose text is in T",
    "information_gain": "ΔI from the generator's own log-probabilities, nats a record; of a response with several "
    "records each counts given those before it, and what no parser kept does not count",
    "information_gain_per_token": "the same over the tokens of the records, nats a token",
    "information_gain_total": "the same summed over the set, nats",
    "hsic_published": "biased HSIC of small samples paired by index, narrow kernels, as published",
}
# Those that rest on what the encoder sees of the set and of T, and of the set alone.
SEEN_WITH_T = ("hsic", "cka", "mmd", "total_variation", "near_duplicates", "hsic_published")
SEEN_ALONE = (
    "semantic_entropy",
    "semantic_entropy_miller_madow",
    "semantic_entropy_chao_shen",
    "semantic_growth",
    "semantic_entropy_lists",
    "vendi",
    "differential_entropy",
    "near_repeats",
)


@dataclass(frozen=True)
class EstimationSettings:
    """How estimates are made.

    Parameters
    ----------
    pairing
        ``prompt``: the records of a prompt with the anchors in it (or those of a key with the
        training records of the same key), so that n counts prompts; ``index``: by number after a
        random order; ``auto``: prompt where the set names prompts and anchors that are known, else
        index.
    permutations
        Fewest shuffles of every permutation test (for HSIC of 1,000 observations and more, one less
        than these suffice); one over their number, times the number of tests of a table, is the
        smallest p-value that Holm's correction can leave.
    records
        Most records of a set, and of T, in kernels, classifiers and clusters; a random sample.
    equal_records
        Records in what depends on the size of a set: diversity, repeats, entropies.
    similar
        Least cosine similarity of records that say the same.
    near_duplicate
        Least cosine similarity of near-duplicates.
    published_records, published_samples, published_bandwidth
        Size, number and Gaussian bandwidth of the samples of the published form.
    """

    pairing: Literal["auto", "prompt", "index"] = "auto"
    permutations: int = 1999
    records: int = 2000
    equal_records: int = 2000
    similar: float = 0.9
    near_duplicate: float = 0.95
    published_records: int = 128
    published_samples: int = 10
    published_bandwidth: float = 0.1


def smallest_p(name: str, n: int, settings: EstimationSettings) -> float | None:
    """The smallest p-value that an estimator's permutation test can give, None where there is no such test.

    Parameters
    ----------
    name
        Of `ESTIMATORS`.
    n
        Observations of the test; for near-duplicates the records of both sets.
    settings
        With the fewest shuffles.

    Examples
    --------
    >>> smallest_p("hsic", 60, EstimationSettings()), smallest_p("mmd", 1000, EstimationSettings(permutations=99))
    (0.0005, 0.01)
    """
    if name in ("mmd", "total_variation") or (name == "near_duplicates" and n <= PERMUTED):
        return 1 / (1 + settings.permutations)
    if name not in ("hsic", "cka"):
        return None
    # More observations than shuffles are shifted cyclically; few observations have few orders.
    shuffles = max(orders_of(n, settings), n - 1)
    return max(1 / (1 + shuffles), 1 / factorial(min(n, 20)))


def orders_of(n: int, settings: EstimationSettings) -> int:
    """Fewest shuffles to ask of HSIC over n observations.

    Parameters
    ----------
    n
        The observations.
    settings
        With the fewest shuffles of every test.

    Examples
    --------
    >>> orders_of(999, EstimationSettings()), orders_of(1500, EstimationSettings())
    (1999, 1499)
    """
    return settings.permutations if n < SHIFTED else min(settings.permutations, n - 1)
