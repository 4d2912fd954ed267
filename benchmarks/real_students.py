"""Which estimate of a set tells what a student of it will lose: real models' answers: real_students.py [FOLDER] [SETS].

Each of 104 models' answers (SHARED_DATA or ../shared/data) to the same instructions are a training set: a small GPT
with random weights learns from as many tokens of each, twice. It is then measured on answers of a target model to
instructions that no set answers, and on human-written solutions of GSM8K. T is the target's own answers to the
instructions of the sets, and every estimate compares a set with T. The target is the model of the highest
length-controlled win rate; a model that gives one answer to everything is neither set nor target. The report says
whatever comes out.
"""

import json
import sys
import time
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
from common import HERE, fill_readme
from scipy.stats import spearmanr
from snakemake.utils import available_cpu_count
from worth import DATA, explained, keep, shown

from ggmi.information.local_encoder import default_encoder
from ggmi.io import write_csv, write_json, write_text
from ggmi.pilot.proxy import POSITIONS, make_proxies
from ggmi.pilot.trainings import PlannedTraining, run_trainings, workers
from ggmi.pipeline.embedded_sets import embedded
from ggmi.pipeline.estimation import estimates
from ggmi.pipeline.estimators import EstimationSettings
from ggmi.pipeline.prediction import estimators_worth
from ggmi.random import stream
from ggmi.students.base import Base
from ggmi.students.sets import Examples
from ggmi.students.settings import TrainingSettings
from ggmi.text.samples import read_rows

SEED = 20241001
# Of 148 models besides the target, the first by the order of their file: more take longer and tell little more.
SETS = 104
# Of 160 instructions, those that sets answer; the others are for the test.
TRAINED_ON = 110
SOLUTIONS = 100
# Windows of an answer or solution that students are tested on: a test as long as a training would cost as much.
TESTED = 2
# Tokens that each student reads, whatever the size of its set, and students of each set.
TOKENS, STUDENTS = 100_000, 2
# Of updates of one window each; of 0.001 to 0.016, and of up to eight windows, this learned the most of two sets.
RATE = 0.002
# Answers of each set that the tokenizer is made from.
TOKENIZED = 20
OUTCOMES = {"held-out loss of students": "the target's answers", "loss of students on GSM8K": "GSM8K's solutions"}
SHUFFLES = 99


def windows(base, texts, most=None):
    """Texts as a student reads them: in windows that follow one another, at most so many, each after the end token."""
    end = base.tokenizer.eos_token_id
    cut = [
        ids[first : first + POSITIONS - 1]
        for ids in ([*found, end] for found in base.tokenizer(texts)["input_ids"])
        for first in range(0, len(ids), POSITIONS - 1)[:most]
    ]
    return Examples.of([str(i) for i in range(len(cut))], [[end]] * len(cut), cut)


def unigram_loss(train, test):
    """What a law of single tokens loses on a test set, nats a token: no student that learned anything loses more."""
    # Each window begins with a token that is given.
    seen, asked = (np.delete(one.tokens, one.starts[:-1]) for one in (train, test))
    counts = np.bincount(seen, minlength=int(asked.max()) + 1) + 1.0
    return float(-np.log(counts / counts.sum())[asked].mean())


def estimated(name, answers, train, folder, embeddings):
    """Estimates of a set against T; kept in a file, so that a run that was stopped goes on."""
    place = folder / "estimates" / f"{name}.json"
    if not place.is_file():
        encoder = default_encoder()
        real, made = (
            embedded(read_rows(rows, source), encoder, ["response"], embeddings)
            for rows, source in ((train, "T"), (answers, name))
        )
        started = time.process_time()
        found = estimates(made, real, EstimationSettings("prompt", SHUFFLES), seed=SEED)
        kept = {row["estimator"]: row["value"] for row in found}
        write_json(place, {"values": kept, "seconds": time.process_time() - started})
    return json.loads(place.read_text(encoding="utf-8"))


def trained(sets, tests, folder, pool):
    """Mean loss of students in nats a token, shape (sets, students, tests), and of laws of single tokens."""
    bases = [folder / "bases" / str(i) for i in range(STUDENTS)]
    if not (bases[-1] / "model.safetensors").is_file():
        make_proxies({name: read_rows(rows[:TOKENIZED], name).records for name, rows in sets.items()}, bases, SEED)
    base = Base(str(bases[0]))
    asked = [windows(base, texts, TESTED) for texts in tests]
    test = windows(base, [text for texts in tests for text in texts], TESTED)
    plans, laws = [], []
    for rows in sets.values():
        examples = windows(base, [row["response"] for row in rows])
        laws.append([unigram_loss(examples, one) for one in asked])
        settings = TrainingSettings(
            epochs=TOKENS / int(examples.lengths.sum()), batch_size=1, learning_rate=RATE, warmup=0.1
        )
        plans += [PlannedTraining(f"student {i}", str(one), examples, test, settings, i) for i, one in enumerate(bases)]
    identities = {str(one): Base(str(one)).identity for one in bases}
    over = []

    def told(cost):
        over.append(cost)
        if len(over) % 10 == 0:
            print(f"{len(over)} of {len(plans)} students", flush=True)

    found = run_trainings(plans, identities.__getitem__, folder / "trainings", pool, told)
    parts = np.cumsum([len(one) for one in asked])[:-1]
    losses = [
        [n.sum() / t.sum() for n, t in zip(np.split(one.nats, parts), np.split(one.tokens, parts), strict=True)]
        for one in found
    ]
    return np.array(losses).reshape(len(sets), STUDENTS, len(tests)), np.array(laws)


def read_data(data, most, trained_on=TRAINED_ON):
    """Rows of each model's answers to the instructions for training; the target; the texts of both tests."""
    rates = pd.read_csv(data / "answers150_wins.csv").set_index("model")["lc"]
    answers = pd.read_parquet(data / "answers150.parquet")
    several = answers.groupby("model")["response"].nunique() > 1
    rates = rates[several[rates.index]]
    target = rates.idxmax()
    ids = sorted(answers["prompt_id"].unique())
    chosen = {ids[i] for i in stream(SEED, "real students", "instructions").permutation(len(ids))[:trained_on]}
    inside = answers["prompt_id"].isin(chosen)
    held_out = answers[~inside & (answers["model"] == target)].sort_values("prompt_id")["response"]
    names = [*rates.index.drop(target)[:most], target]
    of = dict(iter(answers[inside].drop(columns="model").groupby(answers["model"])))
    sets = {name: of[name].sort_values("prompt_id").to_dict("records") for name in names}
    lines = (data / "gsm8k" / "test.jsonl").read_text(encoding="utf-8").splitlines()
    order = stream(SEED, "real students", "solutions").permutation(len(lines))[:SOLUTIONS]
    return sets, target, [held_out.tolist(), [json.loads(lines[i])["answer"] for i in sorted(order)]]


def main(folder="results/real_students", most=SETS, data=DATA):
    """Train, measure, print, and write losses.csv, estimates.csv, predictions.csv and report.md."""
    folder = Path(folder)
    if not (data / "answers150.parquet").is_file():
        sys.exit(f"REAL DATA NOT FOUND in {data}: set SHARED_DATA to their folder; nothing was measured")
    sets, target, tests = read_data(data, most)
    with workers(available_cpu_count()) as pool:
        losses, laws = trained(sets, tests, folder, pool)
        # The same texts as those of real_models.py, so each is embedded once.
        ask = partial(estimated, train=sets[target], folder=folder, embeddings=folder.parent / "real_models/embeddings")
        found = []
        for one in pool.map(ask, sets, sets.values()):
            found.append(one)
            print(f"{len(found)} of {len(sets)} sets estimated", flush=True)
    names = [name for name in sets if name != target]
    values = pd.DataFrame([one["values"] for one in found], index=list(sets)).loc[names]
    lengths = [np.mean([len(row["response"]) for row in sets[name]]) for name in names]
    seconds = np.mean([one["seconds"] for one in found])
    table = pd.DataFrame({"model": list(sets), "characters": [*lengths, np.nan]})
    parts, lines = [], []
    for i, (outcome, words) in enumerate(OUTCOMES.items()):
        by_student = losses[:-1, :, i]
        worth = estimators_worth(values, by_student.mean(1), lengths, SEED)
        parts.append(worth.assign(outcome=outcome))
        table = table.assign(**{f"{outcome}, student {k + 1}": losses[:, k, i] for k in range(STUDENTS)})
        alike = spearmanr(*by_student.T).statistic
        # Spearman and Brown: of the mean of two students.
        reliability = 2 * alike / (1 + alike)
        lines += [
            f"Against the loss on {words} (lower is better, so an estimate that is high in good sets has ρ < 0):",
            "",
            shown(worth),
            "",
            f"Over sets the loss is {np.median(by_student):.2f} nats a token (median; "
            f"{by_student.min():.2f} to {by_student.max():.2f}), that of a law of single tokens "
            f"{np.median(laws[:-1, i]):.2f}, and that of students of T {losses[-1, :, i].mean():.2f}. Two students of "
            f"a set rank sets with a correlation of {alike:.3f}, so their mean has a reliability of {reliability:.3f}, "
            f"and no estimate can correlate with it by more than {np.sqrt(reliability):.3f} but by chance.",
            "",
        ]
        if most == SETS:
            keep(outcome, worth)
    lines += [
        f"{explained(worth['n'].min(), 'sets')} The target is {target}; each student reads {TOKENS:,} tokens; "
        f"{seconds:.1f} seconds of one core a set for the estimates, embedding apart."
    ]
    report = "\n".join(lines)
    write_csv(folder / "losses.csv", table)
    write_csv(folder / "estimates.csv", values.reset_index(names="model"))
    write_csv(folder / "predictions.csv", pd.concat(parts))
    write_text(folder / "report.md", report + "\n")
    if most == SETS:
        fill_readme(HERE / "README.md", "real-students", report)
    print(report)


if __name__ == "__main__":
    words = sys.argv[1:]
    main(*words[:1], *map(int, words[1:2]))
