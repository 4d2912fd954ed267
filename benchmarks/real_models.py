"""What each estimate is worth for choosing: answers of 150 real models, judged win rates: real_models.py [FOLDER].

The answers are those of SHARED_DATA (or ../shared/data) to the same 160 instructions; T is the human-written seed
tasks. Each estimate of a model's answers is ranked against its win rate, its length-controlled win rate and its mean
length, as they are and with the mean length (and its square) taken out; a prediction that has not seen the model is
compared with one from length alone. The report says whatever comes out.
"""

import json
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import pandas as pd
from common import HERE, fill_readme
from snakemake.utils import available_cpu_count
from worth import DATA, explained, keep, shown

from ggmi.information.local_encoder import default_encoder
from ggmi.io import write_csv, write_json, write_text
from ggmi.pipeline.embedded_sets import embedded
from ggmi.pipeline.estimation import estimates
from ggmi.pipeline.estimators import EstimationSettings
from ggmi.pipeline.prediction import estimators_worth
from ggmi.text.samples import read_rows, read_sample

SEED = 20241001
OUTCOMES = {"win_rate": "win rate", "lc": "length-controlled win rate"}
# P-values of a single set's estimates are not looked at, so few shuffles do.
SHUFFLES = 99


def measured(model, data, folder):
    """Estimates of one model's answers and their seconds; kept in a file, so that a run that was stopped goes on."""
    place = folder / "models" / f"{model}.json"
    if place.is_file():
        return json.loads(place.read_text(encoding="utf-8"))
    answers = pd.read_parquet(data / "answers150.parquet", filters=[("model", "==", model)])
    sample = read_rows(answers.drop(columns="model").to_dict("records"), model)
    encoder = default_encoder()
    train = embedded(read_sample(data / "seed_tasks.jsonl"), encoder, ["response"], folder / "embeddings")
    asked = embedded(sample, encoder, ["instruction"], folder / "embeddings")
    started = time.process_time()
    said = embedded(sample, encoder, ["response"], folder / "embeddings")
    settings = EstimationSettings("prompt", SHUFFLES, len(sample), len(sample))
    found = estimates(said, train, settings, seed=SEED, anchors=asked)
    rows = [
        {"model": model, "estimator": row["estimator"], "value": row["value"], "null": row.get("null")} for row in found
    ]
    result = {"rows": rows, "seconds": time.process_time() - started, "answers": len(sample)}
    write_json(place, result)
    return result


def main(folder="results/real_models", data=DATA, most=None):
    """Measure, print, and write estimates.csv, predictions.csv and report.md."""
    folder = Path(folder)
    if not (data / "answers150.parquet").is_file():
        sys.exit(f"REAL DATA NOT FOUND in {data}: set SHARED_DATA to their folder; nothing was measured")
    outcomes = pd.read_csv(data / "answers150_wins.csv").set_index("model").iloc[:most]
    with ProcessPoolExecutor(available_cpu_count(), mp_context=get_context("spawn")) as pool:
        found = []
        for one in pool.map(partial(measured, data=data, folder=folder), outcomes.index):
            found.append(one)
            print(f"{len(found)} of {len(outcomes)} models", flush=True)
    table = pd.DataFrame([row for one in found for row in one["rows"]])
    write_csv(folder / "estimates.csv", table)
    seconds = sum(one["seconds"] for one in found) / len(found)
    values = table.pivot_table(index="model", columns="estimator", values="value", sort=False).loc[outcomes.index]
    parts, lines = [], []
    for outcome, words in OUTCOMES.items():
        worth = estimators_worth(values, outcomes[outcome], outcomes["avg_length"], SEED)
        parts.append(worth.assign(outcome=words))
        lines += [f"Against the {words}:", "", shown(worth), ""]
        if most is None:
            keep(words, worth)
    lines += [f"{explained(worth['n'].min(), 'models')} {seconds:.1f} seconds of one core a model."]
    if strange := list(values.index[values.isna().any(axis=1)]):
        lines += [f"Left out, since estimates of their answers have no value: {', '.join(strange)}."]
    report = "\n".join(lines)
    write_csv(folder / "predictions.csv", pd.concat(parts))
    write_text(folder / "report.md", report + "\n")
    if most is None:
        fill_readme(HERE / "README.md", "real-models", report)
    print(report)


if __name__ == "__main__":
    words = sys.argv[1:]
    main(*words[:1], most=int(words[1]) if len(words) > 1 else None)
