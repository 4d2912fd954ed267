"""Every measure by going through all subsets, one at a time, as one would write it down."""

from itertools import combinations

import numpy as np

from ggmi.scaling.samples import Samples


def world(generator, n, answers=4, *, right="0", unanswered=0.2, levels=3):
    """Samples of one problem: answers, truth and scores, of few values so that they tie, some missing."""
    said = [None if generator.random() < unanswered else str(generator.integers(0, answers)) for _ in range(n)]
    correct = [answer == right for answer in said]
    scores = generator.integers(0, levels, n) / max(levels - 1, 1)
    scores[generator.random(n) < 0.15] = np.nan
    return said, correct, scores


def samples_of(said, correct, scores=None):
    """One problem's samples."""
    return Samples.of(["p"] * len(said), correct, answer=said, scores={} if scores is None else {"s": scores})


def over_subsets(n, k, credit):
    """Mean credit over all subsets of k."""
    return float(np.mean([credit(subset) for subset in combinations(range(n), k)]))


def passed(correct):
    return lambda subset: float(any(correct[i] for i in subset))


def best(correct, scores):
    rank = np.where(np.isnan(scores), -np.inf, scores)

    def credit(subset):
        top = max(rank[i] for i in subset)
        return float(np.mean([correct[i] for i in subset if rank[i] == top]))

    return credit


def voted(said, correct, weights):
    def credit(subset):
        sums = {}
        for i in subset:
            if said[i] is not None:
                sums[said[i]] = sums.get(said[i], 0.0) + weights[i]
        if not sums:
            return 0.0
        top = max(sums.values())
        modes = [answer for answer, total in sums.items() if abs(total - top) <= 1e-9]
        share = {answer: np.mean([correct[i] for i in range(len(said)) if said[i] == answer]) for answer in modes}
        return float(np.mean([share[answer] for answer in modes]))

    return credit
