"""How often `ggmi pilot` chooses the best set, against choosing by size, by an estimator, at random: pilot.py [TRIALS].

A trial draws four sets that differ in size, in the share of right answers, in the share of records of another
task and in the share of repeats. All are trained on in full, twice: the best is the one of least mean loss.
The pilot gets a fifth of the tokens that this takes. What is compared is how often each way of choosing names the
best, and the loss that its choice has beyond the best's (regret). The pilot's probabilities are compared with how
often they come true.
"""

import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
from common import HERE, fill_readme
from common import table as markdown
from snakemake.utils import available_cpu_count

from ggmi.api import estimate
from ggmi.io import write_csv
from ggmi.pilot.arms import make_arms
from ggmi.pilot.choice import recommended
from ggmi.pilot.halving import MOST_SEEDS
from ggmi.pilot.proxy import make_proxies
from ggmi.pilot.settings import PilotSettings
from ggmi.pilot.study import Pilot
from ggmi.pilot.trainings import run_trainings, workers
from ggmi.random import stream
from ggmi.text.records import Record

SEED = 20241001
TRIALS = 20
WORDS = ["amber", "birch", "cedar", "delta", "ember", "fjord", "grove", "heath", "inlet", "jetty", "knoll", "larch"]
TASKS = {"backwards": lambda words: words[::-1], "sorted": sorted, "twice": lambda words: words + words}
SHARE = 0.2
FULL_SEEDS = 2
ESTIMATOR = "mmd"


def record(name, task, generator, *, right=True):
    """A task on four words, answered rightly, or with as many other words."""
    words = list(generator.choice(WORDS, 4))
    answer = TASKS[task](words if right else list(generator.choice(WORDS, 4)))
    return Record(name, f"{task}: {' '.join(words)}", "", " ".join(answer))


def drawn_set(name, generator):
    """A set of its own size and faults."""
    size = int(generator.integers(800, 6000))
    right, off, repeats = generator.uniform(0.3, 1), generator.uniform(0, 0.5), generator.uniform(0, 0.6)
    made = []
    for i in range(size):
        if made and generator.random() < repeats:
            made.append(made[generator.integers(len(made))])
            continue
        task = "twice" if generator.random() < off else str(generator.choice(["backwards", "sorted"]))
        made.append(record(f"{name}{i}", task, generator, right=generator.random() < right))
    return made


def trial(number, folder, pool):
    """One choice among four sets, by each way of choosing."""
    generator = stream(SEED, "benchmark", "pilot", number)
    tasks = ["backwards", "sorted"]
    test = [record(f"u{i}", str(generator.choice(tasks)), generator) for i in range(300)]
    real = [record(f"t{i}", str(generator.choice(tasks)), generator) for i in range(100)]
    sets = {name: drawn_set(name, generator) for name in "abcd"}
    arms = [arm for arm in make_arms(real, sets, test, mixtures=False) if arm.name in sets]
    folders = [folder / str(number) / str(i) for i in range(MOST_SEEDS)]
    make_proxies({arm.name: arm.records for arm in arms}, folders, number)
    settings = PilotSettings().training()
    pilot = Pilot(arms, test, [str(one) for one in folders], settings, folder / "results", number)
    # Replicates that the pilot does not use, so that its trainings say nothing of the truth by themselves.
    cells = [(arm.name, len(arm.records), 100 + i) for arm in arms for i in range(FULL_SEEDS)]
    whole = [pilot.training(*cell) for cell in cells]
    found = run_trainings(whole, pilot.identity, folder / "results", pool, lambda _: None)
    losses = {name: [] for name in sets}
    for (name, *_), (nats, tokens) in zip(cells, found, strict=True):
        losses[name].append(nats.sum() / tokens.sum())
    truth = pd.Series({name: float(np.mean(values)) for name, values in losses.items()})
    cost = sum(one.cost for one in whole)
    started = time.monotonic()
    result = pilot.run(SHARE * cost, pool, lambda *_: None)
    seconds = time.monotonic() - started
    chosen = {"pilot": recommended(result.predictions).arm, "largest": max(sets, key=lambda name: len(sets[name]))}
    estimates = estimate(_rows(real), {name: _rows(records) for name, records in sets.items()}, records=200).to_frame()
    mmd = estimates[estimates["estimator"] == ESTIMATOR].set_index("set")["value"]
    chosen[f"least {ESTIMATOR}"] = str(mmd.idxmin())
    regret = truth - truth.min()
    best = truth.idxmin()
    rows = [{"trial": number, "by": by, "best": own == best, "regret": regret[own]} for by, own in chosen.items()]
    rows.append({"trial": number, "by": "at random", "best": 1 / len(sets), "regret": regret.mean()})
    odds = [
        {"trial": number, "arm": one.arm, "probability": one.probability, "best": one.arm == best}
        for one in result.predictions
    ]
    return rows, odds, {"trial": number, "seconds": seconds, "tokens": SHARE * cost}


def _rows(records):
    return [{"instruction": r.instruction, "response": r.response} for r in records]


def main(trials=TRIALS):
    """Measure, print, and fill benchmarks/README.md."""
    rows, odds = [], []
    with tempfile.TemporaryDirectory() as scratch, workers(available_cpu_count()) as pool:
        for number in range(trials):
            one, said, cost = trial(number, Path(scratch), pool)
            rows += one
            odds += said
            print(cost, {row["by"]: round(float(row["regret"]), 4) for row in one}, flush=True)
    table, said = pd.DataFrame(rows), pd.DataFrame(odds)
    by = table.groupby("by", sort=False).agg(best=("best", "mean"), regret=("regret", "mean"), error=("regret", "sem"))
    shown = [
        [name, f"{100 * row.best:.0f} %", f"{row.regret:.4f} ± {1.96 * row.error:.4f}"] for name, row in by.iterrows()
    ]
    brier = float(((said["probability"] - said["best"]) ** 2).mean())
    base = float(((0.25 - said["best"]) ** 2).mean())
    top = said.loc[said.groupby("trial")["probability"].idxmax()]
    lines = [
        markdown(["chosen by", "names the best", "regret, nats a token"], shown),
        "",
        f"{trials} trials of four sets; the pilot reads a fifth of the tokens of training on all. The mean probability "
        f"of its likeliest set is {top['probability'].mean():.2f}, and that is the best in {top['best'].mean():.2f} of "
        f"trials; Brier's score of all probabilities is {brier:.3f}, of equal ones {base:.3f}.",
    ]
    if trials == TRIALS:
        write_csv(HERE / "pilot.csv", table)
        fill_readme(HERE / "README.md", "pilot", "\n".join(lines))
    print("\n".join(lines))


if __name__ == "__main__":
    main(*map(int, sys.argv[1:2]))
