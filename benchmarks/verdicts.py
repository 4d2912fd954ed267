"""How often each sentence of an estimate names a set where there is nothing to say; fills README.md's section.

Worlds in which the null is true are drawn many times, at several sizes, and the share of them in which the sentence
is said at 5 % is counted, each test by itself: Holm's correction, which the command adds, can only lower it.
"""

import json
import re
import sys
from collections.abc import Callable
from itertools import product
from typing import NamedTuple

import numpy as np
from common import HERE, fill_readme, say, table, verdict
from scipy.stats import binom
from threadpoolctl import threadpool_limits

from ggmi.information.clustering import SimilarEmbedding
from ggmi.information.distances import mmd, total_variation_bound
from ggmi.information.diversity import vendi_score
from ggmi.information.duplicates import near_duplicates, near_repeats
from ggmi.information.hsic import hsic
from ggmi.information.semantic_entropy import semantic_entropy
from ggmi.pipeline.comparing import compared, with_holm
from ggmi.pipeline.correlating import rank_correlation
from ggmi.pipeline.embedded_sets import Embedded
from ggmi.pipeline.estimation import TESTS, estimates
from ggmi.pipeline.estimation_claims import slope
from ggmi.pipeline.estimators import EstimationSettings
from ggmi.pipeline.recommending import evidence, recommended
from ggmi.random import stream
from ggmi.reporting.estimation import findings
from ggmi.text.records import Record
from ggmi.text.samples import Sample

SEED, D, LEVEL = 20241001, 12, 0.05
SHUFFLES = {"n_permutations": 99}


def topics(draw, n, kinds=80, noise=0.02):
    """Records about topics of ever smaller shares, of which frequent ones repeat each other."""
    centres = stream(SEED, "topics", kinds).normal(size=(kinds, D))
    shares = 1 / np.arange(1, kinds + 1)
    return centres[draw.choice(kinds, n, p=shares / shares.sum())] + noise * draw.normal(size=(n, D))


def wide(draw, n):
    """Records that hardly ever repeat each other."""
    return draw.normal(size=(n, D))


LAWS = {"topics": topics, "wide": wide, "rare repeats": lambda draw, n: topics(draw, n, 400, 0.1)}


class World(NamedTuple):
    """One trial: a law, from which sets of n and a T of m records are drawn."""

    law: Callable
    n: int
    m: int
    draw: np.random.Generator
    trial: int

    def made(self):
        return self.law(self.draw, self.n)

    def train(self):
        return self.law(self.draw, self.m)


# Estimates of a set beside T.
ESTIMATES = {
    "mmd": lambda made, train, trial: mmd(train, made, seed=trial, **SHUFFLES),
    "vendi": lambda made, *_: vendi_score(made),
    "near_repeats": lambda made, *_: near_repeats(made),
    "near_duplicates": lambda made, train, trial: near_duplicates(made, train, seed=trial, n_permutations=1),
}


def apart(estimator, sets, train, trial):
    """The p-value by which an estimator tells two sets."""
    rows = ({"estimator": estimator, **ESTIMATES[estimator](made, train, trial).row()} for made in sets)
    return compared(dict(zip("ab", ([row] for row in rows), strict=True)))[0]["p_value"]


def told_apart(estimator):
    return lambda world: apart(estimator, (world.made(), world.made()), world.train(), world.trial)


def of_slope(estimator):
    """Slope of an estimate along three conditions of one law."""
    return lambda world: slope([(step, estimator(world).row()) for step in range(3)], -1)["p_value"]


def entropy(world):
    alike = SimilarEmbedding(world.made(), 0.9)
    return semantic_entropy([str(i) for i in range(world.n)], alike, seed=world.trial).miller_madow


def dependence(world):
    made = world.made()
    return hsic(made, made[:, :4] + world.draw.normal(size=(world.n, 4)), n_permutations=0)


def ranks(world):
    return rank_correlation(*world.draw.normal(size=(2, world.n // 5)), world.trial, "benchmark").p_value


def repeated_more(made, train, trial):
    return near_duplicates(made, train, seed=trial, **SHUFFLES).p_value


def taken(world):
    """Whether one of three sets that answer the same is recommended."""
    train = world.train()
    rows = (total_variation_bound(train, world.made(), seed=world.trial, n_permutations=1).row() for _ in range(3))
    return chosen(rows)


def chosen(rows):
    """Whether one of some sets is recommended, by their classifier's bounds and nothing that is wrong with them."""
    tables = {str(i): [{"estimator": "total_variation", **row}] for i, row in enumerate(rows)}
    nothing = dict.fromkeys(tables, ())
    return recommended(tables, nothing, (), lambda _: {b""}, evidence())["verdict"] == "take"


def one_nearer(draw, trial):
    """Whether the one of three sets is recommended that is of T's law."""
    train = wide(draw, 100)
    made = (wide(draw, 100), moved(draw, 100), moved(draw, 100))
    return chosen(total_variation_bound(train, one, seed=trial, n_permutations=1).row() for one in made)


SENTENCES = {
    # No test, so no p-value: 0 where it is said, 1 where it is undecided.
    "Recommendation: Take one of three": lambda w: 1.0 - taken(w),
    "Closest to T": told_apart("mmd"),
    "Most diverse": told_apart("vendi"),
    "Most redundant": told_apart("near_repeats"),
    "Most contaminated": told_apart("near_duplicates"),
    "Differs from T": lambda w: mmd(w.train(), w.made(), seed=w.trial, **SHUFFLES).p_value,
    "D_TV to T, without ~": lambda w: total_variation_bound(w.train(), w.made(), seed=w.trial, **SHUFFLES).p_value,
    "Repeats T more than T repeats itself": lambda w: repeated_more(w.made(), w.train(), w.trial),
    "Depends on what it is paired with": lambda w: hsic(w.made(), w.made(), seed=w.trial, **SHUFFLES).p_value,
    "claims: slope of an entropy": of_slope(entropy),
    "claims: slope of HSIC": of_slope(dependence),
    "claims, predictions: rank correlation of n / 5": ranks,
}
# Records of a set and of T, and trials: quick where sets are small.
SIZES = ((30, 60, 600), (100, 40, 400), (200, 200, 120))


def moved(draw, n):
    return wide(draw, n) + np.r_[1.0, np.zeros(D - 1)]


def with_copies(draw):
    train = wide(draw, 100)
    return np.concatenate([train[:6], wide(draw, 94)]), train


# An alternative to some sentences, 100 records a set: what it is, and the p-value.
POWER = {
    "Recommendation: Take one of three": (
        "the other two's mean moved by one deviation of a coordinate",
        lambda draw, t: 1.0 - one_nearer(draw, t),
    ),
    "Closest to T": (
        "the other's mean moved by one deviation of a coordinate",
        lambda draw, t: apart("mmd", (wide(draw, 100), moved(draw, 100)), wide(draw, 100), t),
    ),
    "Most diverse": (
        "one of 12 coordinates three times as wide",
        lambda draw, t: apart("vendi", (wide(draw, 100), wide(draw, 100) * np.r_[3.0, np.ones(D - 1)]), None, t),
    ),
    "Most redundant": (
        "10 % of the records twice",
        lambda draw, t: apart("near_repeats", (wide(draw, 100), np.tile(wide(draw, 90), (2, 1))[:100]), None, t),
    ),
    "Differs from T": (
        "mean moved by one deviation of a coordinate",
        lambda draw, t: mmd(wide(draw, 100), moved(draw, 100), seed=t, **SHUFFLES).p_value,
    ),
    "Repeats T more than T repeats itself": (
        "6 % of the set copied from T",
        lambda draw, t: repeated_more(*with_copies(draw), t),
    ),
}


def set_of(draw, n, name):
    """A set of the law of topics that no prompt connects."""
    records = tuple(Record(f"{name}{i}", f"{name} {i}", "", f"{i}") for i in range(n))
    nothing = (None,) * n
    return Embedded(Sample(name, records, ("",) * n, nothing, ((),) * n, nothing, nothing), topics(draw, n))


def page(trials=40, n=40):
    """How often each sentence of the page of three sets, all of the law of T, names a set after Holm."""
    counts = {}
    settings = EstimationSettings("index", 300 * TESTS, published_samples=2)
    for trial in range(trials):
        draw = stream(SEED, "page", trial)
        train = set_of(draw, n, "T")
        tables = with_holm({s: estimates(set_of(draw, n, s), train, settings, seed=trial) for s in "abc"})
        for term, sentence in findings(tables, compared(tables)):
            if not re.match("Not estimated|Cannot", term):
                named = not re.match("No set stands out|no set|not asked|not told|not estimated", sentence)
                counts[term] = counts.get(term, 0) + named
    return {term: [count, trials] for term, count in counts.items()}


def measure():
    """Counts of every sentence, law and size."""
    found = {"levels": {}, "power": {}, "page": {}}
    for sentence, said in SENTENCES.items():
        cells = found["levels"][sentence] = []
        for (law, make), (n, m, trials) in product(LAWS.items(), SIZES):
            worlds = (World(make, n, m, stream(SEED, sentence, law, n, m, t), t) for t in range(trials))
            cells.append([law, n, m, sum(bool(said(world) <= LEVEL) for world in worlds), trials])
        say(sentence)
    for sentence, (_, p_value) in POWER.items():
        found["power"][sentence] = (
            sum(p_value(stream(SEED, "power", sentence, t), t) <= LEVEL for t in range(100)) / 100
        )
    found["page"] = page()
    return found


def lines(found):
    """The README's table."""
    rows = []
    for sentence, cells in found["levels"].items():
        of_sizes = []
        for n, m, _ in SIZES:
            counts = [(count, k) for _, a, b, count, k in cells if (a, b) == (n, m)]
            of_sizes.append(f"{100 * sum(count for count, _ in counts) / sum(k for _, k in counts):.1f} %")
        good = all(count <= binom.ppf(0.9995, k, LEVEL) for *_, count, k in cells)
        power = found["power"].get(sentence)
        reading = "–" if power is None else f"{100 * power:.0f} % ({POWER[sentence][0]})"
        count, k = found["page"].get(sentence, (None, 0))
        whole = "–" if count is None else f"{count} of {k}"
        rows.append([sentence, *of_sizes, whole, reading, verdict(good)])
    sizes = [f"n = {n}, m = {m}" for n, m, _ in SIZES]
    return table(["sentence", *sizes, "on a page of three", "power at 100", "as a test at 5 %"], rows)


def main():
    if "--fill" not in sys.argv:
        with threadpool_limits(1):
            found = measure()
        (HERE / "verdicts.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    found = json.loads((HERE / "verdicts.json").read_text(encoding="utf-8"))
    fill_readme(HERE / "README.md", "verdicts", lines(found))
    print(lines(found))


if __name__ == "__main__":
    main()
