"""Time `ggmi scaling` on a million samples, and count how often it decides where nothing is to decide."""

import json
import os
import subprocess
import sys
import tempfile
import time
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pandas as pd
from common import HERE, environment, fill_readme, machine, say, sentence, table, verdict

from ggmi.random import stream
from ggmi.scaling.samples import Samples
from ggmi.scaling.settings import Settings
from ggmi.scaling.study import scaling

# Problems and samples of each; a million together.
DEEP, WIDE = (10_000, 100), (125_000, 8)
NULL_RUNS, NULL_PROBLEMS, NULL_SAMPLES = 1000, 40, 6
COMMAND = [sys.executable, "-c", "import sys; from ggmi.cli import main; sys.exit(main(sys.argv[1:]))", "scaling"]


def drawn(problems, samples):
    """A good and a worthless score beside answers of geometric frequencies."""
    generator = stream(1, "benchmark", "scaling")
    p = generator.beta(1, 1, problems)
    right = generator.random((problems, samples)) < p[:, None]
    answer = np.where(right, 0, 1 + generator.geometric(0.2, right.shape)).ravel()
    return pd.DataFrame(
        {
            "problem": np.repeat([f"task {i}" for i in range(problems)], samples),
            "answer": answer.astype(str),
            "correct": right.ravel(),
            "orm_score": generator.random(answer.size) + 0.3 * right.ravel(),
            "noise_score": generator.random(answer.size),
            "tokens": generator.integers(20, 400, answer.size),
        }
    )


def write_samples(folder):
    """Both shapes, the first in three formats."""
    frame = drawn(*DEEP)
    frame.to_json(folder / "deep.jsonl", orient="records", lines=True)
    frame.to_csv(folder / "deep.csv", index=False)
    frame.to_parquet(folder / "deep.parquet")
    drawn(*WIDE).to_parquet(folder / "wide.parquet")


def command(folder, file):
    """Seconds and peak memory of the command, page and JSON included."""
    say(f"a million samples, {file}")
    words = [file, "--html", "out.html", "--json", "out.json", "--price", "1", "--value", "1000"]
    started = time.perf_counter()
    done = subprocess.Popen([*COMMAND, *words], cwd=folder, env=environment(), stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(done.pid, 0)
    assert status == 0
    return {
        "seconds": time.perf_counter() - started,
        "processor_seconds": usage.ru_utime + usage.ru_stime,
        "peak_bytes": usage.ru_maxrss * 1024,
    }


def null():
    """Share of runs with a claim decided, or "sample more" said, where scores are noise."""
    say("scores that are noise")
    decided, told = 0, 0
    for run in range(NULL_RUNS):
        generator = stream(run, "benchmark", "null")
        p = generator.beta(1, 1, NULL_PROBLEMS)
        right = generator.random((NULL_PROBLEMS, NULL_SAMPLES)) < p[:, None]
        names = np.repeat([f"{i:02d}" for i in range(NULL_PROBLEMS)], NULL_SAMPLES).tolist()
        scores = {name: generator.random(right.size) for name in ("one", "other")}
        found = scaling(Samples.of(names, right.ravel(), scores=scores), Settings(seed=run, worth=0))
        decided += bool((found.claims["verdict"] != "undecided").any())
        told += found.advice.word in ("sample more", "both")
    return {"runs": NULL_RUNS, "decided": decided / NULL_RUNS, "sample_more": told / NULL_RUNS}


def main():
    """Measure in turn, print, and write scaling.json and this section of README.md."""
    loads = [os.getloadavg()[0]]
    with tempfile.TemporaryDirectory(prefix="ggmi-bench-") as scratch:
        # In a process of its own: a child's peak begins with what its parent holds.
        writer = get_context("spawn").Process(target=write_samples, args=(Path(scratch),))
        writer.start()
        writer.join()
        files = ("deep.jsonl", "deep.csv", "deep.parquet", "wide.parquet")
        measured = {file: command(Path(scratch), file) for file in files}
    errors = null()
    loads.append(os.getloadavg()[0])
    found = {"machine": {**machine(), "load_before_and_after": loads}, "files": measured, "null": errors}
    rows = [
        [
            "{:,} problems × {:,} samples, two scores, {}".format(
                *(DEEP if "deep" in file else WIDE), file.split(".")[1]
            ),
            f"{one['seconds']:.1f} s ({one['processor_seconds']:.1f} s of CPU), {one['peak_bytes'] / 2**30:.2f} GiB",
            "< 60 s, 2 GB",
            verdict(one["seconds"] < 60 and one["peak_bytes"] < 2e9),
        ]
        for file, one in measured.items()
    ]
    # The level, and three standard errors of so many runs.
    most = 0.05 + 3 * np.sqrt(0.05 * 0.95 / NULL_RUNS)
    for name, what in (("decided", "any claim is decided"), ("sample_more", "“sample more” is said")):
        rows.append(
            [
                f"Scores are noise: {what}",
                f"{errors[name]:.1%} of {NULL_RUNS:,} runs",
                "≤ 5 %",
                verdict(errors[name] <= most),
            ]
        )
    text = f"{sentence(found['machine'])}\n\n{table(['what', 'ggmi', 'target', 'reached'], rows)}"
    (HERE / "scaling.json").write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    fill_readme(HERE / "README.md", "scaling", text)
    print(f"\n{text}")


if __name__ == "__main__":
    main()
