"""Time searches of all problems together against one problem at a time, and how long each method takes."""

import json
import os
import statistics
import time

import numpy as np
import torch
from common import HERE, fill_readme, machine, say, sentence, table, verdict

from ggmi.random import stream
from ggmi.reasoning.prefixes import Prefixes, Reader, Reasoner
from ggmi.reasoning.problems import Problems, group_table
from ggmi.reasoning.reasoner import Recipe, train
from ggmi.reasoning.verifiers import SetReliability
from ggmi.search.beam import beam_search
from ggmi.search.responses import sample_responses
from ggmi.search.tree import tree_search

RECIPE = Recipe(layers=1, width=32, heads=2, steps=1500, rate=5e-3, chains=96, wanted_accuracy=0.9)
LENGTH, TOGETHER, ALONE, REPEATS, WIDTH = 8, 1000, 25, 3, 8
WANTED = 10.0
METHODS = {
    "whole answers": lambda policy, _judge, roots: sample_responses(policy, roots, WIDTH, limit=LENGTH + 2),
    "step-wise": lambda policy, judge, roots: beam_search(
        policy, judge, roots, WIDTH, np.random.default_rng(0), limit=LENGTH + 2
    ),
    "tree": lambda policy, judge, roots: tree_search(
        policy, judge, roots, WIDTH, np.random.default_rng(0), simulations=24, limit=LENGTH + 2
    ),
}


def seconds(model, problems, method):
    """Seconds that a method takes on problems, everything read anew."""
    started = time.perf_counter()
    prefixes = Prefixes(problems, model.config.n_positions)
    policy = Reasoner(Reader(model, prefixes), prefixes, np.random.default_rng(1))
    judge = SetReliability(prefixes, 0.9, np.random.default_rng(2))
    METHODS[method](policy, judge, np.arange(len(problems)))
    return time.perf_counter() - started


def main():
    """Measure, print, and write the results and the README's section."""
    torch.set_num_threads(1)
    loads = [os.getloadavg()[0]]
    group = group_table("cyclic_7")
    say("training a reasoner")
    model = train(RECIPE, group, range(2, 17), 1, "benchmark").model
    problems = Problems.draw(group, LENGTH, TOGETHER, stream(1, "benchmark", "problems"))
    found = {}
    for method in METHODS:
        say(method)
        together, alone = [], []
        for _ in range(REPEATS):
            together.append(seconds(model, problems, method) / TOGETHER)
            singly = sum(seconds(model, problems.part(slice(i, i + 1)), method) for i in range(ALONE))
            alone.append(singly / ALONE)
        ratios = [a / t for a, t in zip(alone, together, strict=True)]
        found[method] = {
            "together_ms": 1000 * statistics.median(together),
            "alone_ms": 1000 * statistics.median(alone),
            "ratio": statistics.median(ratios),
            "least_ratio": min(ratios),
        }
    loads.append(os.getloadavg()[0])
    rows = [
        [
            f"{name}, k = {WIDTH}, a problem",
            f"{f['together_ms']:.2f} ms",
            f"one at a time: {f['alone_ms']:.1f} ms",
            f"{f['ratio']:.0f}×",
            f"≥ {WANTED:g}×",
            verdict(f["least_ratio"] >= WANTED),
        ]
        for name, f in found.items()
    ]
    result = {"machine": {**machine(), "load_before_and_after": loads}, "methods": found}
    text = f"{sentence(result['machine'])}\n\n{table(['what', 'ggmi', 'against', 'ratio', 'target', 'reached'], rows)}"
    (HERE / "slow_thinking.json").write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    fill_readme(HERE / "README.md", "slow_thinking", text)
    print(f"\n{text}")


if __name__ == "__main__":
    main()
