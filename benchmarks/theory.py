"""Time the theory study: contraction against enumeration, the default study, one very large world."""

import json
import os
import statistics
import tempfile
import time
from collections import defaultdict
from itertools import chain, combinations, product
from math import log
from pathlib import Path

import numpy as np
from common import HERE, checkout, fill_readme, machine, say, sentence, snakemake, table, verdict

from ggmi.theory.families import draw
from ggmi.theory.laws import FREE, NAMES
from ggmi.theory.study import family_named
from ggmi.theory.world import World
from ggmi.theory.world_files import judge

# Every set of one to all of the variables that statements are made of, as many laws as a study needs.
SUBSETS = list(chain.from_iterable(combinations(NAMES, size) for size in (1, 2, 3)))[:64]
ENUMERATED = 12
REPEATS = 5


def enumerated_entropies(world, index):
    """Entropies of all subsets in one world of a batch: states into dictionaries, as one would write it down."""
    laws = [defaultdict(float) for _ in SUBSETS]
    places = [[NAMES.index(name) for name in subset] for subset in SUBSETS]
    sizes = [range(size) for size in world.joint().shape[1:]]
    for s, e, m, y, w, v in product(*sizes):
        h, g, k = world.h[index, e], world.g[index, m], world.output[index, e, m]
        p = (
            world.anchor[index, s]
            * world.prompt_factor[index, s, e]
            * world.model_factor[index, s if world.model_factor.shape[1] > 1 else 0, e, m]
            * world.curation[index, s if world.curation.shape[1] > 1 else 0, k, y]
            * world.learner[index, y, w]
            * world.anchor_learner[index, s, v]
        )
        if p > 0:
            state = (s, e, h, m, g, k, y, w, v)
            for law, place in zip(laws, places, strict=True):
                law[tuple(state[i] for i in place)] += p
    return [-sum(p * log(p) for p in law.values()) for law in laws]


def contraction_against_enumeration():
    """Seconds a world by either way, interleaved; the answers must agree."""
    say("contraction against enumeration")
    batch = draw(family_named("structure: a channel"), 1000, seed=1)
    ours, theirs = [], []
    for _ in range(REPEATS):
        fresh = batch[:]
        started = time.perf_counter()
        found = np.stack([fresh.entropy(subset) for subset in SUBSETS])
        ours.append((time.perf_counter() - started) / len(batch))
        started = time.perf_counter()
        wanted = np.array([enumerated_entropies(batch, index) for index in range(ENUMERATED)]).T
        theirs.append((time.perf_counter() - started) / ENUMERATED)
        np.testing.assert_allclose(found[:, :ENUMERATED], wanted, atol=1e-12)
    return {"array_seconds": statistics.median(ours), "dictionary_seconds": statistics.median(theirs)}


def default_study(folder):
    """Seconds of the default theory study on two cores, from nothing to its page."""
    say("the default study")
    checkout(folder)
    return snakemake(folder, "--cores", "2", "--", "results/theory.html")


def large_world():
    """Seconds to evaluate every statement in a world of some ten million states."""
    say("a large world")
    rng = np.random.default_rng(1)

    def law(*shape):
        weights = rng.standard_exponential(shape)
        return weights / weights.sum(axis=-1, keepdims=True)

    s, e, m, y, w, v = 12, 12, 12, 25, 15, 15
    world = World.build(
        law(s),
        law(s, e),
        law(e, m),
        np.arange(e),
        np.arange(m),
        law(e + m - 1, y),
        law(y, w),
        law(s, v),
        loss=rng.random((w, y)),
        anchor_loss=rng.random((v, s)),
    )
    started = time.perf_counter()
    rows = judge(world)["statements"]
    assert any(row["verdict"] == "holds" for row in rows)
    return {"states": world.states, "seconds": time.perf_counter() - started, "free": len(FREE)}


def main():
    """Measure in turn, print, and write theory.json and this section of README.md."""
    loads = [os.getloadavg()[0]]
    entropies, world = contraction_against_enumeration(), large_world()
    with tempfile.TemporaryDirectory(prefix="ggmi-bench-") as scratch:
        study = default_study(Path(scratch) / "study")
    loads.append(os.getloadavg()[0])
    found = {
        "machine": {**machine(), "load_before_and_after": loads},
        "entropies": entropies,
        "study_seconds": study,
        "world": world,
    }
    ratio = entropies["dictionary_seconds"] / entropies["array_seconds"]
    rows = [
        [
            f"{len(SUBSETS)} entropies a world, batches of 1,000",
            f"{1e6 * entropies['array_seconds']:.0f} µs",
            f"dictionaries: {1e6 * entropies['dictionary_seconds']:,.0f} µs",
            f"{ratio:,.0f}×",
            "≥ 100×",
            verdict(ratio >= 100),
        ],
        ["Default theory study, two cores", f"{study:.1f} s", "–", "–", "< 90 s", verdict(study < 90)],
        [
            f"Every statement in a world of {world['states']:,} states",
            f"{world['seconds']:.2f} s",
            "–",
            "–",
            "seconds",
            verdict(world["seconds"] < 10),
        ],
    ]
    text = f"{sentence(found['machine'])}\n\n{table(['what', 'ggmi', 'against', 'ratio', 'target', 'reached'], rows)}"
    (HERE / "theory.json").write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    fill_readme(HERE / "README.md", "theory", text)
    print(f"\n{text}")


if __name__ == "__main__":
    main()
