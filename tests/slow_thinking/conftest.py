import numpy as np
import pytest

from ggmi.random import stream
from ggmi.slow_thinking.catalogue import JUDGED
from ggmi.slow_thinking.chains import STEPS, Chains
from ggmi.slow_thinking.refuting import refute, verdicts


def random_chain(seed, *, symbols=3, denominator=12, width=2, values=None):
    """One chain whose rows are multiples of one over a denominator, some entries nil."""
    generator = stream(seed, "tests", "chain")

    def rows(*shape):
        picks = generator.integers(0, shape[-1], (*shape[:-1], denominator))
        return (picks[..., None] == np.arange(shape[-1])).sum(axis=-2) / denominator

    m = symbols
    tables = rows(1, m), rows(1, STEPS - 1, m, m), rows(1, STEPS, 2, m, m), rows(1, 2)
    own = np.arange(m)[None] if values is None else np.array([values])
    return Chains(*tables, own, own, width=width)


@pytest.fixture(scope="session")
def outcomes():
    """All statements tried with little effort; known chains refute what fails."""
    return [o for key in JUDGED for o in refute(key, 3, worlds=60, restarts=1, steps=2)]


@pytest.fixture(scope="session")
def table(outcomes):
    return verdicts(outcomes)
