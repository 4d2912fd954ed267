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
from common import HERE, fill_readme
from common import table as markdown
from rich.console import Console
from rich.progress import track

from ggmi.information.local_encoder import default_encoder
from ggmi.io import write_csv, write_text
from ggmi.pipeline.comparing import LEVEL
from ggmi.pipeline.embedded_sets import embedded
from ggmi.pipeline.estimation import estimates
from ggmi.pipeline.estimation_tables import estimates_table, predictions_table
from ggmi.pipeline.estimators import EstimationSettings
from ggmi.project import REPORT_PARTS
from ggmi.reporting.page import sentences
from ggmi.reporting.tasks import predicted
from ggmi.reporting.text import estimate
from ggmi.text.samples import read_sample

SEED = 20241001
# What says which estimator predicts an outcome.
SENTENCE = (REPORT_PARTS / "answers.html.j2", HERE / "real_data.txt.j2")
# Instructions that the models answered.
RECORDS = 805
DATA = Path(os.environ.get("SHARED_DATA", Path(__file__).resolve().parents[2] / "shared" / "data"))
OUTCOMES = {
    "win_rate_percent": "the win rate",
    "length_controlled_win_rate_percent": "the length-controlled win rate",
    "mean_length_characters": "the mean length",
}


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
    return estimates_table(found, SEED)


def cell(row):
    """A correlation with its interval; a dash where the estimator reads the same of all models."""
    if pd.isna(row["spearman"]):
        return "–"
    text = estimate(row["spearman"], row["ci_low"], row["ci_high"], 2)
    return f"**{text}**" if row["p_holm"] < LEVEL else text


def main(folder="results/real_data", records=RECORDS, data=DATA):
    """Measure, print, and write estimates.csv, predictions.csv and report.md."""
    folder = Path(folder)
    if not (data / "answers" / "win_rates.csv").is_file():
        sys.exit(f"REAL DATA NOT FOUND in {data}: set SHARED_DATA to their folder; nothing was measured")
    table = measured(data, records, folder / "embeddings")
    outcomes = pd.read_csv(data / "answers" / "win_rates.csv").set_index("model")
    parts, lines, columns = [], [], {}
    for outcome, words in OUTCOMES.items():
        rates = {(model, "answers", "as_given"): float(rate) for model, rate in outcomes[outcome].items()}
        found = predictions_table(table, rates, SEED)
        parts.append(found.assign(outcome=outcome))
        lines += [*sentences(SENTENCE, found=predicted(found), outcome=words), ""]
        columns[words] = {row["estimator"]: cell(row) for row in found[found["n"] > 0].to_dict("records")}
    rows = [[name, *(column[name] for column in columns.values())] for name in columns["the win rate"]]
    models = table["generator"].nunique()
    lines += [
        f"Spearman's correlation of each estimator with what heads the column, over {models} models with {records} "
        "answers each, with its 95 % interval; in bold where p < 0.05 after Holm's correction over the "
        "estimators; a dash where all models read the same. Of hsic_published what exceeds its null is ranked.",
        "",
        markdown(["estimator", *columns], rows),
    ]
    report = "\n".join(lines)
    write_csv(folder / "estimates.csv", table)
    write_csv(folder / "predictions.csv", pd.concat(parts))
    write_text(folder / "report.md", report + "\n")
    if records == RECORDS:
        fill_readme(HERE / "README.md", "real-data", report)
    print(report)


if __name__ == "__main__":
    words = sys.argv[1:]
    main(*words[:1], *map(int, words[1:2]))
