"""Time and check the estimators of ggmi.information: information.py PART [JSON]; the last line is the result.

Parts: `hsic` and `memory` (against hyppo, which must be installed beside), `large`, `clustering`,
`embedding`, `calibration`. Everything compared runs in one process, in turns, and both the clock and the processor
time are given, for the machine may be busy; peak memory is that of a process of its own.
"""

import importlib.util
import json
import os
import resource
import subprocess
import sys
import time

import numpy as np
from common import HERE, fill_readme, table, verdict
from scipy.stats import binom

from ggmi.information.hsic import hsic
from ggmi.random import stream

SEED = 20241001


def pairs(n, d=384, strength=0.3):
    """Two variables of d dimensions, weakly dependent."""
    generator = stream(SEED, "benchmark", n, d)
    x = generator.standard_normal((n, d))
    return x, strength * x + generator.standard_normal((n, d))


def timed(call):
    """Seconds of a call, by the clock and of processor time."""
    clock, processor = time.perf_counter(), time.process_time()
    call()
    return time.perf_counter() - clock, time.process_time() - processor


def best(call, repeats):
    """Least seconds of some repeats, by the clock and of processor time."""
    return np.min([timed(call) for _ in range(repeats)], axis=0).tolist()


def calls(n, d, permutations):
    """Our permutation test and hyppo's, on the same data."""
    x, y = pairs(n, d)

    def ours():
        return hsic(x, y, n_permutations=permutations)

    def theirs():
        # Imported here: the parts that do not compare run without the package.
        from hyppo.independence import Hsic

        return Hsic(gamma=1 / (2 * d)).test(x, y, reps=permutations, auto=False, workers=1)

    return {"ggmi": ours, "hyppo": theirs}


def part_hsic(n=4000, d=384, permutations=200, repeats=3):
    """Unbiased HSIC with a permutation test: ours before and after theirs."""
    both = calls(n, d, permutations)
    for call in calls(200, d, 5).values():
        call()
    ours = [best(both["ggmi"], repeats)]
    theirs = timed(both["hyppo"])
    ours = np.min([*ours, best(both["ggmi"], repeats)], axis=0)
    return {"ggmi_seconds": ours.tolist(), "hyppo_seconds": theirs, "ratios": (np.array(theirs) / ours).tolist()}


def part_peak(which="ggmi", n=4000, d=384, permutations=200):
    """Peak memory of this process in MB, before and after one test."""
    call = calls(n, d, permutations)[which]
    calls(50, d, 5)[which]()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    call()
    return {"before": before, "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}


def part_memory(n=4000, permutations=200, hyppo_permutations=3):
    """Peak memory of both, each in a process of its own; hyppo's does not grow with the permutations."""
    found = {}
    for which, count in (("ggmi", permutations), ("hyppo", hyppo_permutations)):
        settings = json.dumps({"which": which, "n": n, "permutations": count})
        command = [sys.executable, __file__, "peak", settings]
        output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        found[which] = json.loads(output.splitlines()[-1])["result"]
    return {**found, "ratio": found["hyppo"]["peak"] / found["ggmi"]["peak"]}


def part_large(n=12_000, d=384):
    """Exact HSIC without and with permutations, and the peak memory of it all."""
    x, y = pairs(n, d)
    hsic(x[:500], y[:500])
    plain = best(lambda: hsic(x, y, n_permutations=0), 2)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    shuffled = timed(lambda: hsic(x, y))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"seconds": plain, "shifts_seconds": shuffled, "mb": memory, "shifts_mb": peak}


def part_clustering(n=10_000, d=384):
    """Clusters of embedded records: from few large clusters to every record alone; and the questions of a prefilter."""
    from sklearn.metrics import adjusted_rand_score

    from ggmi.information.clustering import MutualEntailment, SimilarEmbedding, prefilter_effect
    from ggmi.information.semantic_entropy import semantic_entropy

    rows = []
    for meanings in (100, 3000, n):
        generator = stream(SEED, "clusters", meanings)
        truth = generator.integers(meanings, size=n)
        noise = generator.standard_normal((n, d)) * 0.35
        vectors = generator.standard_normal((meanings, d))[truth] + noise
        texts = [f"meaning {m} wording {i}" for i, m in enumerate(truth)]
        labels = []
        way = SimilarEmbedding(vectors, 0.7)
        seconds = timed(lambda texts=texts, way=way, labels=labels: labels.append(semantic_entropy(texts, way).labels))
        rows.append({"meanings": meanings, "seconds": seconds, "rand": adjusted_rand_score(truth, labels[0])})
        if meanings == 100:

            def oracle(premises, hypotheses):
                same = [p.split()[1] == h.split()[1] for p, h in zip(premises, hypotheses, strict=True)]
                return ["entailment" if s else "neutral" for s in same]

            index, filtered, unfiltered = prefilter_effect(
                texts, MutualEntailment(oracle, vectors=vectors), sample=1000
            )
            rows[-1] |= {
                "prefilter_rand": index,
                "calls": filtered,
                "calls_unfiltered": unfiltered,
                "all_pairs": 999_000,
            }
    return rows


def part_embedding(texts=512, batch=32, repeats=3):
    """Throughput of the cached, length-sorted path (nothing cached) against a plain loop over batches as they come."""
    import torch

    from ggmi.information.local_encoder import default_encoder

    generator = stream(SEED, "texts")
    # Dolly-like: median near 100 tokens, a heavy tail; the model cuts at 256.
    lengths = np.clip(np.exp(generator.normal(np.log(75), 0.9, texts)), 3, 1500).astype(int)
    words = ["market", "river", "the", "of", "science", "blue", "runs", "quickly", "house", "and"]
    records = [" ".join(generator.choice(words, n)) + f" {i}" for i, n in enumerate(lengths)]
    encoder = default_encoder()
    tokenizer, model, limit = encoder._loaded

    def plain():
        rows = []
        with torch.inference_mode():
            for first in range(0, texts, batch):
                part = records[first : first + batch]
                tokens = tokenizer(part, padding=True, truncation=True, max_length=limit, return_tensors="pt")
                mask = tokens["attention_mask"].unsqueeze(-1).float()
                pooled = (model[0].model(**tokens).last_hidden_state * mask).sum(1) / mask.sum(1)
                rows.append(torch.nn.functional.normalize(pooled, dim=1).numpy())
        return np.concatenate(rows)

    difference = float(np.abs(plain() - encoder.encode(records)).max())
    seconds = {"plain": [], "ggmi": []}
    for _ in range(repeats):
        seconds["plain"].append(timed(plain))
        seconds["ggmi"].append(timed(lambda: encoder.encode(records)))
    ratios = np.min(seconds["plain"], axis=0) / np.min(seconds["ggmi"], axis=0)
    return {**seconds, "ratios": ratios.tolist(), "difference": difference}


def part_calibration(trials=10_000):
    """Share of independent samples called dependent at 0.05, for each estimator and null offered."""
    worlds = {
        "n=100, 1 and 1 dimensions, skewed": lambda g: (g.exponential(size=(100, 1)), g.exponential(size=(100, 1))),
        "n=100, 3 and 2 dimensions, heavy tails": lambda g: (g.normal(size=(100, 3)), g.standard_t(3, size=(100, 2))),
        "n=60, 20 and 20 dimensions": lambda g: (g.normal(size=(60, 20)), g.exponential(size=(60, 20))),
        "n=40, 384 and 384 dimensions": lambda g: (g.normal(size=(40, 384)), g.normal(size=(40, 384))),
    }
    nulls = {"permutation": {"n_permutations": 199}, "shifts": {"n_permutations": 19}}
    rows = []
    for world, sample in worlds.items():
        rejected = {(e, null): 0 for e in ("unbiased", "biased") for null in nulls}
        for trial in range(trials):
            x, y = sample(stream(SEED, "calibration", world, trial))
            for estimator, null in rejected:
                rejected[estimator, null] += hsic(x, y, estimator, seed=trial, **nulls[null]).p_value <= 0.05
        rows += [
            {"world": world, "estimator": e, "null": u, "trials": trials, "rejected": c}
            for (e, u), c in rejected.items()
        ]
    return rows


def told(part, result):
    """A part's result in one line of the README's table."""
    if part == "hsic":
        return f"{result['ggmi_seconds'][0]:.1f} s, hyppo {result['hyppo_seconds'][0]:.0f} s", result["ratios"][0] >= 20
    if part == "memory":
        return f"{result['ggmi']['peak']:.0f} MB, hyppo {result['hyppo']['peak']:.0f} MB", result["ratio"] >= 4
    if part == "large":
        return f"{result['seconds'][0]:.1f} s, {result['mb']:.0f} MB", result["seconds"][0] < 15 and result["mb"] < 1024
    if part == "clustering":
        slowest = max(row["seconds"][0] for row in result)
        return f"{slowest:.1f} s at most", slowest < 20
    if part == "embedding":
        return f"{result['ratios'][0]:.2f} times the plain loop", result["ratios"][0] >= 1.5
    counts, trials = [row["rejected"] for row in result], result[0]["trials"]
    (low, high), (least, most) = (binom.interval(c, trials, 0.05) for c in (0.95, 1 - 0.05 / len(counts)))
    inside = sum(low <= count <= high for count in counts)
    line = (
        f"{100 * min(counts) / trials:.1f} to {100 * max(counts) / trials:.1f} % of {trials:,} independent samples "
        f"rejected; {inside} of {len(counts)} inside their own 95 % band, {0.95 * len(counts):.0f} expected"
    )
    return line, least <= min(counts) <= max(counts) <= most


def keep(part, record):
    """Add a part's result to information.json, and all of them to the README."""
    place = HERE / "information.json"
    found = json.loads(place.read_text(encoding="utf-8")) if place.exists() else {}
    found[part] = record
    place.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    fill(found)


def fill(found):
    """Write the parts' results into the README."""
    rows = []
    for name, one in found.items():
        line, reached = told(name, one["result"])
        rows.append([f"`{name}`", line, f"{one['load']:.1f}", verdict(reached)])
    fill_readme(HERE / "README.md", "information", table(["part", "measured", "load", "reached"], rows))


if __name__ == "__main__":
    part, settings = sys.argv[1], json.loads(sys.argv[2]) if len(sys.argv) > 2 else {}
    if part in ("hsic", "memory") and importlib.util.find_spec("hyppo") is None:
        sys.exit(f"{part}: compares with hyppo 0.5.2, which this environment does not have")
    result = globals()[f"part_{part}"](**settings)
    record = {"load": os.getloadavg()[0], "result": result}
    # Smaller settings are for trying things out; `peak` is a part of `memory`.
    if part != "peak" and not settings:
        keep(part, record)
    print(json.dumps({"part": part, **record}))
