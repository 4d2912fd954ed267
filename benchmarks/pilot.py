"""How often `ggmi pilot` names the best of real sets, against estimates, size and chance: pilot.py [FOLDER] [TRIALS].

A trial's sets are what four to six real models answered to the same instructions (SHARED_DATA or ../shared/data), cut
into passages; a target model's answers to other instructions are the test, and its answers to the same ones T of the
estimates. The best set is the one whose full trainings lose least, on more of the target's answers than the pilot
sees. The pilot gets a tenth of the tokens that these trainings take. A model's full trainings are made once, though it
is in several trials. Everything is kept in FOLDER, so that a run that was stopped goes on.
"""

import sys
from functools import partial
from pathlib import Path
from time import monotonic

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from common import HERE, fill_readme, say
from common import table as markdown
from real_students import SEED, estimated, read_data
from snakemake.utils import available_cpu_count
from worth import DATA

from ggmi.io import read_json, write_json
from ggmi.pilot.arms import Arm
from ggmi.pilot.choice import contenders, recommended
from ggmi.pilot.halving import MOST_SEEDS
from ggmi.pilot.proxy import make_proxies
from ggmi.pilot.settings import PilotSettings
from ggmi.pilot.study import Pilot
from ggmi.pilot.trainings import run_trainings, workers
from ggmi.plotting.style import BLUE, GREEN, GRID, INK, MUTED, ORANGE, PURPLE, VERMILION, house_style, save_figure
from ggmi.random import stream
from ggmi.statistics import wilson
from ggmi.text.records import Record

TRIALS = 18
# Models that trials draw from: each is trained on in full FULL_SEEDS times.
MODELS, FULL_SEEDS = 12, 4
SHARE = 0.1
# Of 160 instructions, those whose answers are trained on; the target's answers to the others are the test.
TRAINED_ON = 140
# Characters of a passage. Answers in whole windows are too few records for a pilot a tenth as dear as the truth.
PASSAGE = 110
# Passages that a set must have: a tenth of fewer does not pay for the smallest pilot.
LEAST = 1800
# Passages that the pilot is tested on, of some 600 that the truth is.
TESTED = 100
ESTIMATORS = {"total_variation": "least bound of D_TV", "mmd": "least MMD"}
BINS = (0, 0.05, 0.2, 0.5, 0.8, 1.0001)


def passages(name, texts):
    """Texts as records of some words each, without an instruction."""
    found = []
    for text in texts:
        words, length = [], 0
        for word in text.split(" "):
            words.append(word)
            length += len(word) + 1
            if length >= PASSAGE:
                found.append(" ".join(words))
                words, length = [], 0
        found.append(" ".join(words))
    return [Record(f"{name} {i}", "", "", text) for i, text in enumerate(found) if text.strip()]


class Trials:
    """Sets, the truth of each, and pilots of some of them."""

    def __init__(self, folder, data, number, pool):
        self.folder, self.pool = folder, pool
        answers, self.target, tests = read_data(data, None, TRAINED_ON)
        cut = {name: passages(name, [row["response"] for row in rows]) for name, rows in answers.items()}
        long = sorted(name for name, records in cut.items() if len(records) >= LEAST and name != self.target)
        chosen = stream(SEED, "benchmark", "pilot", "models").choice(long, MODELS, replace=False)
        self.arms = {str(name): Arm(str(name), tuple(cut[name]), 0) for name in chosen}
        self.answers = {name: answers[name] for name in [*self.arms, self.target]}
        self.groups = [
            [str(name) for name in stream(SEED, "benchmark", "pilot", i).choice(chosen, 4 + i % 3, replace=False)]
            for i in range(number)
        ]
        bases = [folder / "bases" / str(i) for i in range(MOST_SEEDS + FULL_SEEDS)]
        if not (bases[-1] / "model.safetensors").is_file():
            make_proxies({name: arm.records for name, arm in self.arms.items()}, bases, SEED)
        self.bases = [str(base) for base in bases]
        self.test = passages("test", tests[0])
        self.whole = self.pilot(list(self.arms), self.test, SEED)
        tokens = self.whole.tokens
        self.costs = {name: FULL_SEEDS * tokens[name] * len(arm.records) for name, arm in self.arms.items()}

    def pilot(self, names, test, seed):
        """A pilot of some sets, with bases and orders of its own beside those of the full trainings."""
        arms = [self.arms[name] for name in names]
        return Pilot(arms, test, self.bases, PilotSettings().training(), self.folder / "trainings", seed)

    def truth(self, names):
        """Losses of the full trainings of each set, nats a token, shape (sets, seeds)."""
        cells = [(name, len(self.arms[name].records), MOST_SEEDS + i) for name in names for i in range(FULL_SEEDS)]
        plans = [self.whole.training(*cell) for cell in cells]
        found = run_trainings(plans, self.whole.identity, self.folder / "trainings", self.pool, lambda _: None)
        return np.array([one.nats.sum() / one.tokens.sum() for one in found]).reshape(len(names), FULL_SEEDS)

    def estimates(self, names):
        """Estimates of each set against T, a row a set."""
        real, embeddings = self.answers[self.target], self.folder / "embeddings"
        ask = partial(estimated, train=real, folder=self.folder, embeddings=embeddings)
        found = self.pool.map(ask, names, [self.answers[name] for name in names])
        return pd.DataFrame([one["values"] for one in found], index=names)

    def tokens(self, trials):
        """Tokens that some trials read, each full training once."""
        groups = [self.groups[i] for i in trials]
        used = {name for group in groups for name in group}
        return sum(self.costs[name] for name in used) + SHARE * sum(
            self.costs[name] for group in groups for name in group
        )

    def place(self, number):
        """Where a trial is kept."""
        return self.folder / "trials" / f"{number}.json"

    def trial(self, number):
        """One choice by each way of choosing; read where it is kept."""
        if not self.place(number).is_file():
            write_json(self.place(number), self._made(number))
        return read_json(self.place(number))

    def _made(self, number):
        names = self.groups[number]
        budget = SHARE * sum(self.costs[name] for name in names)
        order = stream(SEED, "benchmark", "pilot", "test", number).permutation(len(self.test))[:TESTED]
        pilot = self.pilot(names, [self.test[i] for i in order], number)
        found = pilot.run(budget, self.pool, lambda *_: None)
        losses = self.truth(names)
        truth = pd.Series(losses.mean(1), index=names)
        estimates = self.estimates(names)
        chosen = {"pilot": recommended(found.predictions).arm}
        chosen |= {words: str(estimates[one].idxmin()) for one, words in ESTIMATORS.items()}
        chosen["most records"] = max(names, key=lambda name: len(self.arms[name].records))
        regret = truth - truth.min()
        best = str(truth.idxmin())
        rows = [{"by": by, "chosen": own, "best": own == best, "regret": regret[own]} for by, own in chosen.items()]
        rows.append({"by": "at random", "chosen": None, "best": 1 / len(names), "regret": regret.mean()})
        arms = [
            {
                **{"arm": one.arm, "probability": one.probability, "best": one.arm == best, "truth": truth[one.arm]},
                **{"loss": one.loss, "loss_ci_low": one.loss_ci_low, "loss_ci_high": one.loss_ci_high},
            }
            for one in found.predictions
        ]
        held = best in [one.arm for one in contenders(found.predictions)]
        error = float(np.sqrt(losses.var(1, ddof=1).mean() / FULL_SEEDS))
        return {"rows": rows, "arms": arms, "held": held, "error": error}


def reliability(arms):
    """Probabilities in bins: what was said, how often it came true, with a 95 % interval."""
    rows = []
    for _, part in arms.groupby(pd.cut(arms["probability"], BINS, right=False), observed=True):
        share, ends = part["best"].mean(), wilson(part["best"].mean(), len(part))
        said = part["probability"].mean()
        rows.append({"said": said, "true": share, "ci_low": ends.low, "ci_high": ends.high, "sets": len(part)})
    return pd.DataFrame(rows)


def figure_of(rows, bins):
    """Left: how often the stated probabilities came true. Right: each trial's regret by each way of choosing."""
    with house_style():
        figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.9), width_ratios=[1, 1.25], layout="constrained")
        left.plot([0, 1], [0, 1], color=MUTED, linewidth=1, linestyle=(0, (4, 3)))
        left.text(
            0.48, 0.44, "as often as said", color=MUTED, rotation=45, rotation_mode="anchor", ha="center", va="top"
        )
        ends = [bins["true"] - bins["ci_low"], bins["ci_high"] - bins["true"]]
        left.errorbar(bins["said"], bins["true"], ends, color=BLUE, fmt="o", markersize=6, capsize=3, linewidth=1.2)
        for row in bins.itertuples():
            left.annotate(f"{row.sets}", (row.said, row.true), (7, -10), textcoords="offset points", color=MUTED)
        left.set(xlim=(-0.04, 1.04), ylim=(-0.04, 1.04), aspect="equal", xlabel="probability that the pilot states")
        left.set_ylabel("share of sets that are the best")
        left.set_title("Odds of the pilot (number: sets)", loc="left")
        ways = list(dict.fromkeys(rows["by"]))
        generator = stream(SEED, "benchmark", "pilot", "jitter")
        for i, (way, colour) in enumerate(zip(ways, (BLUE, GREEN, ORANGE, PURPLE, VERMILION), strict=True)):
            regret = rows.loc[rows["by"] == way, "regret"].to_numpy()
            places = i + generator.uniform(-0.16, 0.16, len(regret))
            right.scatter(regret, places, s=16, color=colour, alpha=0.55, linewidths=0)
            right.plot([regret.mean()] * 2, [i - 0.32, i + 0.32], color=INK, linewidth=1.8)
        right.set_yticks(range(len(ways)), ways)
        right.invert_yaxis()
        right.grid(axis="y", color=GRID, linewidth=0)
        right.set_xlim(left=-0.004 - 0.01 * rows["regret"].max())
        right.set_xlabel("loss of the chosen set beyond the best's, nats a token")
        right.set_title("Regret (point: a trial; bar: mean)", loc="left")
    return figure


def summary(kept):
    """Tables and sentences of README.md, rows a way of choosing and trial, and bins."""
    rows = pd.concat([pd.DataFrame(one["rows"]).assign(trial=i) for i, one in enumerate(kept)])
    arms = pd.concat([pd.DataFrame(one["arms"]).assign(trial=i) for i, one in enumerate(kept)])
    bins = reliability(arms)
    lines = []
    for way, part in rows.groupby("by", sort=False):
        share, error = part["best"].mean(), 1.96 * part["regret"].sem()
        lines.append(
            [way, f"{100 * share:.0f} %", f"{part['regret'].mean():.4f} ± {error:.4f}", f"{part['regret'].max():.4f}"]
        )
    equal = 1 / arms.groupby("trial")["arm"].transform("size")
    brier, base = ((arms["best"] - said) ** 2 for said in (arms["probability"], equal))
    likeliest = arms.sort_values("probability").groupby("trial").tail(1)
    inside = arms["truth"].between(arms["loss_ci_low"], arms["loss_ci_high"]).mean()
    error = np.mean([one["error"] for one in kept])
    text = [
        markdown(["chosen by", "names the best", "mean regret, nats a token", "worst"], lines),
        "",
        f"{len(kept)} trials of four to six of {arms['arm'].nunique()} models' answers; the pilot reads "
        f"{100 * SHARE:.0f} % of the tokens of {FULL_SEEDS} full trainings of each set, whose mean loss is the truth, "
        f"with a standard error of {error:.4f} nats a token by the seeds of training. The mean "
        f"probability of its likeliest set is {likeliest['probability'].mean():.2f}, and that is the best in "
        f"{likeliest['best'].mean():.2f} of trials; the sets that it names as holding the best with 9 in 10 held it in "
        f"{np.mean([one['held'] for one in kept]):.2f}. Of its 95 % intervals of a full training's loss "
        f"{100 * inside:.0f} % hold it. Brier's score of all probabilities is {brier.mean():.3f}, of equal ones "
        f"{base.mean():.3f}. Trials share models, so they are fewer than they look.",
        "",
        "![Reliability and regret](pilot.svg)",
    ]
    return "\n".join(text), rows, bins


def main(folder="results/pilots", number=TRIALS, data=DATA):
    """Measure, print, and fill benchmarks/README.md."""
    if not (data / "answers150.parquet").is_file():
        sys.exit(f"REAL DATA NOT FOUND in {data}: set SHARED_DATA to their folder; nothing was measured")
    kept = []
    with workers(available_cpu_count()) as pool:
        trials = Trials(Path(folder), data, number, pool)
        found = [i for i in range(number) if trials.place(i).is_file()]
        started, before = monotonic(), trials.tokens(found)
        for i in range(number):
            kept.append(trials.trial(i))
            done = trials.tokens({*found, *range(i + 1)})
            left = (monotonic() - started) * (trials.tokens(range(number)) - done) / max(done - before, 1) / 60
            told = {row["by"]: round(row["regret"], 4) for row in kept[-1]["rows"]}
            say(f"{i + 1} of {number} trials, {left:.0f} minutes left: {told}")
    text, rows, bins = summary(kept)
    if number == TRIALS:
        save_figure(figure_of(rows, bins), rows, str(HERE / "pilot"), dpi=150)
        fill_readme(HERE / "README.md", "pilot", text)
    print(text)


if __name__ == "__main__":
    words = sys.argv[1:]
    main(*words[:1], *map(int, words[1:2]))
