from collections import Counter
from itertools import product
from math import log

import pytest

from ggmi.random import stream
from ggmi.theory.families import DEFAULT_FAMILIES, draw
from ggmi.theory.laws import NAMES
from ggmi.theory.world import World


@pytest.fixture
def random_worlds():
    """Batches of worlds of any shape, with zeros among their probabilities."""

    def make(seed, batch=1, s=3, e=2, m=3, y=None, w=2, v=2, modulus=None):
        generator = stream(seed, "test worlds")

        def laws(*shape):
            weights = generator.random(shape) * (generator.random(shape) < 0.7)
            weights[..., 0] += 1e-3
            return weights / weights.sum(axis=-1, keepdims=True)

        h, g = generator.integers(0, 3, (batch, e)), generator.integers(0, 3, (batch, m))
        total = h[:, :, None] + g[:, None, :]
        output = total % modulus if modulus else total
        k = modulus or int(output.max()) + 1
        y = y or k
        z = max(s, k, y)
        return World(
            laws(batch, s), laws(batch, s, e), laws(batch, s, e, m), h, g, output, laws(batch, s, k, y),
            laws(batch, y, w), laws(batch, s, v), generator.random((batch, w, z)), generator.random((batch, v, z)),
        )  # fmt: skip

    return make


@pytest.fixture(scope="session")
def drawn():
    """A family's first worlds of a seed that no study uses, drawn once: 1000, of sets of examples 300."""
    kept = {}

    def make(family):
        if family.name not in kept:
            kept[family.name] = draw(family, 1000 if family.examples == 1 else 300, seed=977)
        return kept[family.name]

    return make


@pytest.fixture(scope="session")
def family_named():
    by_name = {f.name: f for f in DEFAULT_FAMILIES}
    return by_name.__getitem__


class Dictionary:
    """One world's joint law as a dictionary over `NAMES`, by nested loops, and what is asked of it by plain sums."""

    def __init__(self, world):
        assert len(world) == 1
        self.world = world
        self.law = {}
        sizes = world.sizes
        rows = {name: table[0] for name, table in world.tables().items()}

        def row(name, anchor):
            return rows[name][anchor if len(rows[name]) > 1 else 0]

        for s, e, m, y, w in product(*(range(sizes[n]) for n in ("S_anchor", "e_p", "e_M", "S_gen", "W"))):
            k = int(world.output[0, e, m])
            p = rows["anchor"][s] * rows["prompt_factor"][s, e] * row("model_factor", s)[e, m]
            p *= row("curation", s)[k, y] * rows["learner"][y, w]
            for v in range(sizes["W'"]) if p > 0 else ():
                if (q := float(p * rows["anchor_learner"][s, v])) > 0:
                    state = (s, e, int(world.h[0, e]), m, int(world.g[0, m]), k, y, w, v)
                    self.law[state] = self.law.get(state, 0.0) + q
        self._marginals = {}

    def marginal(self, *names):
        if names not in self._marginals:
            places = [NAMES.index(n) for n in names]
            result = Counter()
            for state, p in self.law.items():
                result[tuple(state[i] for i in places)] += p
            self._marginals[names] = result
        return self._marginals[names]

    def entropy(self, *names):
        return -sum(p * log(p) for p in self.marginal(*names).values())

    def conditional(self, name, *given):
        return self.entropy(name, *given) - self.entropy(*given)

    def information(self, one, two):
        """I(X, Y) by its definition, a relative entropy."""
        law, first, second = self.marginal(one, two), self.marginal(one), self.marginal(two)
        return sum(p * log(p / (first[x,] * second[y,])) for (x, y), p in law.items())

    def examples(self, name, symbol):
        """The examples that a symbol stands for."""
        n = self.world.anchor_samples if name == "S_anchor" else self.world.samples
        base = round(self.world.sizes[name] ** (1 / n))
        result = []
        for _ in range(n):
            symbol, last = divmod(symbol, base)
            result.append(last)
        return result[::-1]

    def example_law(self, name, anchor=None):
        """Law of one example, of the prompt of an anchor."""
        result = Counter()
        for (s, x), p in self.marginal("S_anchor", name).items() if name != "S_anchor" else self._anchors():
            if anchor in (None, s):
                for z in self.examples(name, x):
                    result[z] += p / len(self.examples(name, x))
        total = sum(result.values())
        return {z: p / total for z, p in result.items()}

    def _anchors(self):
        return [((s, s), p) for (s,), p in self.marginal("S_anchor").items()]


@pytest.fixture(scope="session")
def dictionary():
    return Dictionary
