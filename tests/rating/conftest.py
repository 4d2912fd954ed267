import numpy as np
import pandas as pd
import pytest

from ggmi.random import stream

MEANS = {"base": 3.0, "3-ins": 3.3, "20-ins": 3.5, "real data": 4.0}


@pytest.fixture(scope="session")
def simulated():
    """Ratings of 60 questions by five students a condition, and one of base."""
    generator = stream(1, "simulated ratings")
    easy = 1.2 * generator.normal(size=60)
    rows = []
    for name, mean in MEANS.items():
        for seed in range(1 if name == "base" else 5):
            y = mean + easy + 0.1 * generator.normal() + generator.normal(size=60)
            y = np.clip(y.round(), 1, 10)
            y[generator.random(60) < 0.03] = np.nan
            rows += [(name, seed, f"q{item}", rating) for item, rating in enumerate(y)]
    return pd.DataFrame(rows, columns=["condition", "seed", "item", "rating"])
