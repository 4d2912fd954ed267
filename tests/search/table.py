"""A policy whose step probabilities are set by hand, so that the accuracy of a search is known exactly."""

import numpy as np

from ggmi.search.policy import NO_ANSWER, Steps

RIGHT = 0


class TablePolicy:
    """A text is a number: the digits of its steps in base `base`, after a leading 1; step 0 is right.

    Given a right text, step l is right with probability `p[l - 1]`; every other step is as likely as another.
    A text with a wrong step has no right continuation. It ends after `len(p)` steps, unless `endless`.
    """

    def __init__(self, p, generator, base=60, endless=False):
        self.p, self.base, self.generator, self.endless = np.asarray(p), base, generator, endless
        self.firsts = np.array([base**i for i in range(len(p) + 4)], dtype=np.int64)

    @property
    def length(self):
        return len(self.p)

    def depth(self, nodes):
        return np.searchsorted(self.firsts, nodes, side="right") - 1

    def right(self, nodes):
        depth = self.depth(nodes)
        return nodes == self.firsts[np.maximum(depth, 0)]

    def extend(self, nodes):
        depth = self.depth(nodes)
        chance = self.p[np.minimum(depth, self.length - 1)] * self.right(nodes)
        wrong = self.generator.integers(1, self.base, size=len(nodes))
        hit = self.generator.random(len(nodes)) < chance
        step = np.where(hit, RIGHT, wrong)
        log_probs = np.log(np.where(hit, chance.clip(1e-9), (1 - chance).clip(1e-9) / (self.base - 1)))
        return Steps(nodes * self.base + step, np.full(len(nodes), 2), log_probs)

    def ended(self, nodes):
        return (self.depth(nodes) >= self.length) & (not self.endless)

    def answers(self, nodes):
        return np.where(self.ended(nodes), np.where(self.right(nodes), 0, 1 + nodes % self.base), NO_ANSWER)


class Knows:
    """A verifier that knows what is right."""

    def __init__(self, policy):
        self.policy = policy

    def score(self, nodes):
        return self.policy.right(np.abs(nodes)).astype(float)


class Chance:
    """A verifier whose scores say nothing, but are the same for the same text."""

    def score(self, nodes):
        return (nodes * 2654435761 % 2**20) / 2**20


class Silent:
    """A verifier that gives no score."""

    def score(self, nodes):
        return np.full(nodes.shape, np.nan)
