"""How each estimator ranks twelve real models against their judged win rates: real_data.py [FOLDER] [RECORDS].

The answers are those of SHARED_DATA (or ../shared/data) to the same 805 instructions; T is the
human-written seed tasks. Responses alone are embedded, since instructions are the same everywhere;
HSIC pairs each answer with its own instruction. The report says whatever comes out.
"""

import os
import sys
from dataclasses import replace
from pathlib import Path

import pandas as pd
from rich.console import Console
from rich.progress import track

from ggmi.information.embedding import default_encoder
from ggmi.io import write_csv, write_text
from ggmi.pipeline.embedded_sets import embedded
from ggmi.pipeline.estimation import EstimationSettings, estimates
from ggmi.pipeline.estimation_tables import estimates_table, predictions_table
from ggmi.reporting.estimation import predictions_sentence
from ggmi.reporting.text import estimate
from ggmi.text.samples import read_sample

SEED = 20241001
DATA = Path(os.environ.get("SHARED_DATA", Path(__file__).resolve().parents[2] / "shared" / "data"))
OUTCOMES = ("win_rate_percent", "length_controlled_win_rate_percent", "mean_length_characters")


def first(sample, records):
    """The first so many records of a set."""
    names = ("records", "places", "keys", "anchor_ids", "nats", "tokens")
    return replace(sample, **{name: getattr(sample, name)[:records] for name in names})


def measured(data, records, kept):
    """Estimates of every model's answers; embeddings are kept in a folder, so that a run that was stopped goes on."""
    encoder = default_encoder()
    train = embedded(read_sample(data / "seed_tasks.jsonl"), encoder, ["response"], kept)
    settings = EstimationSettings("prompt", records=records, equal_records=records)
    found = {}
    for path in track(sorted((data / "answers").glob("*.jsonl")), "Models", console=Console(stderr=True)):
        sample = first(read_sample(path), records)
        asked = embedded(sample, encoder, ["instruction"], kept)
        answers = embedded(sample, encoder, ["response"], kept)
        found[path.stem, "answers", "as_given"] = estimates(answers, train, settings, seed=SEED, anchors=asked)
        print(f"{path.stem}: {len(sample)} answers", flush=True)
    return estimates_table(found)


def main(folder="results/real_data", records=805, data=DATA):
    """Measure, print, and write estimates.csv, predictions.csv and report.md."""
    folder = Path(folder)
    if not (data / "answers" / "win_rates.csv").is_file():
        sys.exit(f"REAL DATA NOT FOUND in {data}: set SHARED_DATA to their folder; nothing was measured")
    table = measured(data, records, folder / "embeddings")
    outcomes = pd.read_csv(data / "answers" / "win_rates.csv").set_index("model")
    parts, lines = (
        [],
        [f"# Estimators against win rates: {table['generator'].nunique()} models, {records} answers each"],
    )
    for outcome in OUTCOMES:
        rates = {(model, "answers", "as_given"): float(rate) for model, rate in outcomes[outcome].items()}
        found = predictions_table(table, rates, SEED)
        parts.append(found.assign(outcome=outcome))
        lines += ["", f"## {outcome}", "", predictions_sentence(found), ""]
        lines += ["| estimator | rank correlation | p, Holm |", "| --- | --- | --- |"]
        lines += [
            f"| {r['estimator']} | {estimate(r['spearman'], r['ci_low'], r['ci_high'], 2)} | {r['p_holm']:.3f} |"
            for r in found.dropna(subset=["spearman"]).to_dict("records")
        ]
    write_csv(folder / "estimates.csv", table)
    write_csv(folder / "predictions.csv", pd.concat(parts))
    write_text(folder / "report.md", "\n".join(lines) + "\n")
    print("\n".join(lines))


if __name__ == "__main__":
    words = sys.argv[1:]
    main(*words[:1], *map(int, words[1:2]))
