"""Time ggmi against plain readings of the same work, one thing after another; see README.md beside this file."""

import argparse
import csv
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from common import (
    HERE,
    JOB_VARIABLES,
    ROOT,
    THREAD_VARIABLES,
    checkout,
    environment,
    fill_readme,
    machine,
    say,
    sentence,
    snakemake,
    table,
    timed,
    verdict,
)

ESTIMATORS = ["released_histogram", "aligned_histogram", "forward", "reverse"]
IMPORTS = {
    "numpy": "import numpy",
    "a fitting job's imports": "import ggmi.io, ggmi.mixtures.em, ggmi.workflow.job, ggmi.workflow.segments",
    "pandas and scipy.stats": "import numpy, pandas, scipy.stats",
}


@dataclass(frozen=True)
class Settings:
    """How much is measured; the defaults are the full run's."""

    sweep: tuple = tuple(range(2, 16))
    rounds: int = 100
    reference_rounds: int = 2
    datasets: int = 100
    repeats: int = 3
    jobs: int = 60
    along_rounds: tuple = (25, 50, 100, 200, 400)
    along_components: tuple = (2, 4, 8, 16, 32)
    along_dimensions: tuple = (1, 2, 4, 8, 16, 32, 64)
    rounds_along_d: int = 20
    many_rounds: int = 10_000
    wide_rounds: int = 50


QUICK = Settings(
    sweep=(2, 15),
    rounds=4,
    reference_rounds=1,
    datasets=10,
    repeats=1,
    jobs=5,
    along_rounds=(5, 10),
    along_components=(2, 4),
    along_dimensions=(1, 8),
    rounds_along_d=5,
    many_rounds=500,
    wide_rounds=3,
)


def measure(name, variables=None, **arguments):
    """Return the result of one measurement of measure.py, made in a process of its own."""
    command = [sys.executable, HERE / "measure.py", name, json.dumps(arguments)]
    done = subprocess.run(command, env=environment(variables=variables), check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(done.stdout.splitlines()[-1])


def make_figure(settings, folder, estimators, target):
    """Seconds to make a target of figure 4 from nothing on two cores, variants psd and released."""
    checkout(folder)
    study = {
        "rounds": settings.rounds,
        "sweeps": dict.fromkeys("KJL", settings.sweep),
        "covariances": ["psd"],
        "anchor_components": ["released"],
        "estimators": estimators,
    }
    laid_over = folder / "benchmark.json"
    laid_over.write_text(json.dumps({"mixtures": {"gmm": study, "digits": None}}))
    return snakemake(folder, "--cores", "2", "--configfile", laid_over.name, "--", target)


def figure_against_reference(settings, folder):
    """Time figure 4 by released histograms between two halves of the reference, with and without its threads."""
    threads = {"default": None, "one": dict.fromkeys(THREAD_VARIABLES, "1")}
    halves = {name: [] for name in threads}
    parts = []
    for half, order in enumerate((("default", "one"), ("one", "default"))):
        for name in order:
            say(f"reference, half {half + 1} of 2, threads: {name}")
            part = measure(
                "reference_rounds", threads[name], values=settings.sweep, rounds=settings.reference_rounds, part=half
            )
            halves[name].append(sum(statistics.mean(p["seconds"]) for p in part) * settings.rounds)
            if name == "default":
                parts.append(part)
        if half == 0:
            say("figure 4, released histogram")
            seconds = make_figure(settings, folder, ESTIMATORS[:1], "results/gmm/kl_gap.csv")
    with (folder / "results/gmm/kl_gap.csv").open(newline="") as file:
        means = {tuple(int(row[n]) for n in "KJL"): float(row["mean_nats"]) for row in csv.DictReader(file)}
    gaps = [before["gaps"] + after["gaps"] for before, after in zip(*parts, strict=True)]
    return {
        "rounds": settings.rounds,
        "reference_rounds_a_point": 2 * settings.reference_rounds,
        "seconds": seconds,
        "reference_seconds": {name: statistics.mean(values) for name, values in halves.items()},
        "reference_seconds_halves": halves,
        "ratio": {name: statistics.mean(values) / seconds for name, values in halves.items()},
        "mean_gap_nats": statistics.mean(means[p["K"], p["J"], p["L"]] for p in parts[0]),
        "reference_mean_gap_nats": statistics.mean(statistics.mean(g) for g in gaps),
        "reference_gap_error_nats": sum(statistics.variance(g) / len(g) for g in gaps) ** 0.5 / len(gaps),
    }


def whole_figure(settings, folder):
    """Time figure 4, picture included, by all four estimators."""
    say("figure 4, all four estimators")
    target = "results/gmm/figure4_psd_released.svg"
    return {"rounds": settings.rounds, "seconds": make_figure(settings, folder, ESTIMATORS, target)}


def batched_em(settings):
    """Time EM in batches against scikit-learn's, with one thread as in a job and with the libraries' default."""
    found = {}
    for name, variables in (("one", JOB_VARIABLES), ("default", None)):
        say(f"batched EM against scikit-learn, threads: {name}")
        rows = measure("em_comparison", variables, datasets=settings.datasets, repeats=settings.repeats)
        found[name] = [{**row, "ratio": row["sklearn_seconds"] / row["ggmi_seconds"]} for row in rows]
    return found


def job_overhead(settings, folder):
    """Seconds a job that imports numpy costs beyond Snakemake's start, beside interpreters that import more or less."""
    say("overhead of a trivial job")
    folder.mkdir()
    (folder / "trivial.py").write_text("import numpy; open(snakemake.output[0], 'w').close()\n")
    (folder / "Snakefile").write_text(
        "rule all:\n    input: [f'{i}.txt' for i in range(int(config['jobs']))]\n"
        "rule trivial:\n    output: '{i}.txt'\n    script: 'trivial.py'\n"
    )

    def seconds(jobs):
        for made in folder.glob("*.txt"):
            made.unlink()
        return snakemake(folder, "--cores", "1", "--config", f"jobs={jobs}")

    alone = statistics.median(seconds(1) for _ in range(settings.repeats))
    starts = {
        name: statistics.median(
            timed([sys.executable, "-c", code], folder, environment(variables=JOB_VARIABLES)) for _ in range(10)
        )
        for name, code in IMPORTS.items()
    }
    return {
        "jobs": settings.jobs,
        "start_seconds": alone,
        "job_seconds": (seconds(settings.jobs) - alone) / (settings.jobs - 1),
        "interpreter_seconds": starts,
    }


def default_dag(settings, folder):
    """Seconds to plan the default configuration from nothing."""
    say("DAG of the default configuration")
    checkout(folder)
    return {"seconds": statistics.median(snakemake(folder, "-n", "-q") for _ in range(settings.repeats))}


def growth(settings, output):
    """Time the library along rounds, components and dimensions, and draw it."""
    say("growth")
    axes = {"rounds": settings.along_rounds, "K": settings.along_components, "d": settings.along_dimensions}
    return measure(
        "growth",
        JOB_VARIABLES,
        axes=axes,
        rounds_along_d=settings.rounds_along_d,
        repeats=min(2, settings.repeats),
        stem=str(output / "growth"),
    )


def peak_memory(settings, folder):
    """Peak memory of the jobs that lead to a mixture fitted to synthetic data, each run by its own script."""
    cases = [
        {"rounds": settings.rounds, "d": 2, "n": 200, "components": (2, 2, 2)},
        {"rounds": settings.many_rounds, "d": 2, "n": 200, "components": (2, 2, 2)},
        {"rounds": max(1, settings.wide_rounds // 5), "d": 64, "n": 1000, "components": (22, 21, 21)},
        {"rounds": settings.wide_rounds, "d": 64, "n": 1000, "components": (22, 21, 21)},
    ]
    return [{**case, **chain_memory(case, folder / str(index))} for index, case in enumerate(cases)]


def chain_memory(case, folder):
    """Run worlds, synthetic_set and fitted_mixture of one condition one by one; peak memory of each in MB."""
    say(f"memory at d={case['d']}, {sum(case['components'])} components, {case['rounds']} rounds")
    folder.mkdir(parents=True)
    segment = "_".join(f"{axis}{count}" for axis, count in zip("KJL", case["components"], strict=True))
    common = {
        "params": {
            "seed": 1,
            "rounds": case["rounds"],
            "dimensions": case["d"],
            "anchors_per_component": 50,
            "synthetic_size": case["n"],
            "em": {},
        },
        "wildcards": {"study": "gmm", "covariance": "psd", "segment": segment, "source": "synthetic"},
    }
    peaks, made = {}, []
    for script in ("worlds", "synthetic_set", "fitted_mixture"):
        output = [str(folder / f"{script}.npz")]
        files = {"input": made, "output": output, "log": [str(folder / "log")]}
        request = {"script": str(ROOT / f"workflow/scripts/{script}.py"), **common, **files}
        command = [sys.executable, HERE / "job_memory.py", json.dumps(request)]
        env = environment(variables=JOB_VARIABLES)
        done = subprocess.run(command, env=env, check=True, stdout=subprocess.PIPE, text=True)
        peaks[f"{script}_peak_mb"] = json.loads(done.stdout.splitlines()[-1])
        made = output
    return {**peaks, "fits_file_mb": Path(made[0]).stat().st_size / 1e6}


def ratios(found):
    """The table of ratios and targets."""
    figure, job, em = found["figure"], found["job"], found["em"]
    rows = []
    for name, target in (("default", 30), ("one", None)):
        before, after = figure["reference_seconds_halves"][name]
        threads = "the libraries' threads" if name == "default" else "held to one thread"
        cost = f"{figure['reference_seconds'][name]:,.0f} s ({before:,.0f} before, {after:,.0f} after)"
        rows.append(
            [
                "Figure 4, released histogram",
                f"{figure['seconds']:.1f} s",
                f"reference, {threads}: {cost}",
                f"{figure['ratio'][name]:.0f}×",
                f"≥ {target}×" if target else "–",
                verdict(figure["ratio"][name] >= target) if target else "–",
            ]
        )
    whole = found["whole_figure"]["seconds"]
    rows.append(["Figure 4, all four estimators", f"{whole:.1f} s", "–", "–", "< 180 s", verdict(whole < 180)])
    for name, threads in (("one", "one thread, as in a job"), ("default", "the libraries' threads")):
        least = min(em[name], key=lambda row: row["ratio"])
        rows.append(
            [
                f"EM in batches, {threads}; least favourable shape",
                f"{least['ggmi_seconds']:.2f} s",
                f"scikit-learn: {least['sklearn_seconds']:.2f} s",
                f"{least['ratio']:.1f}×",
                "≥ 5×",
                verdict(least["ratio"] >= 5),
            ]
        )
    starts = job["interpreter_seconds"]
    dag = found["dag"]["seconds"]
    rows += [
        [
            "A trivial job, beyond Snakemake's start",
            f"{job['job_seconds']:.2f} s",
            "; ".join(f"interpreter with {name}: {seconds:.2f} s" for name, seconds in starts.items()),
            f"{job['job_seconds'] / starts['numpy']:.1f}× numpy's",
            "below pandas and scipy.stats",
            verdict(job["job_seconds"] < starts["pandas and scipy.stats"]),
        ],
        ["DAG of the default configuration", f"{dag:.1f} s", "–", "–", "< 3 s", verdict(dag < 3)],
    ]
    return table(["what", "ggmi", "against", "ratio", "target", "reached"], rows)


def details(found):
    """The sections below the table of ratios."""
    figure = found["figure"]
    gap = (
        f"The reference's cost is {figure['reference_rounds_a_point']} rounds at each of its sweep points, scaled to "
        f"{figure['rounds']}. Mean KL gap over the figure: {figure['mean_gap_nats']:.2f} nats by ggmi, "
        f"{figure['reference_mean_gap_nats']:.2f} ± {figure['reference_gap_error_nats']:.2f} by the reference's few "
        "rounds."
    )
    em = [
        [
            row["points"],
            row["components"],
            {"one": "one", "default": "default"}[name],
            f"{row['ggmi_seconds']:.3f}",
            f"{row['sklearn_seconds']:.3f}",
            f"{row['ratio']:.1f}×",
            f"{row['sklearn_log_likelihood']:.3f}",
            f"{row['difference']:+.3f} ± {row['difference_error']:.3f}",
        ]
        for name, rows in found["em"].items()
        for row in rows
    ]
    steps = ("worlds", "fits", "forward", "total")
    grown = [
        [row["rounds"], row["K"], row["d"], *(f"{row[f'{step}_seconds']:.3f}" for step in steps)]
        for row in found["growth"]
    ]
    memory = [
        [
            row["d"],
            sum(row["components"]),
            f"{row['rounds']:,}",
            *(f"{row[f'{script}_peak_mb']:.0f}" for script in ("worlds", "synthetic_set", "fitted_mixture")),
            f"{row['fits_file_mb']:.1f}",
        ]
        for row in found["memory"]
    ]
    datasets = found["em"]["one"][0]["datasets"]
    return "\n\n".join(
        [
            gap,
            f"### EM: {datasets} data sets of n points, C components",
            "Mean log-likelihoods in nats a point; starts are random, so they differ by chance (± standard error).",
            table(
                [
                    "n",
                    "C",
                    "threads",
                    "ggmi (s)",
                    "scikit-learn (s)",
                    "ratio",
                    "log-likelihood, scikit-learn",
                    "ggmi less scikit-learn",
                ],
                em,
            ),
            "### Growth: seconds of one condition, J = L = 2, one thread",
            "Beyond d = 16 the 200 points no longer hold up six covariances: fits shrink onto their points, and "
            "divergences from them take more points to integrate.",
            "![time of one condition along rounds, components and dimensions](growth.png)",
            table(["rounds", "K", "d", *steps], grown),
            "### Peak memory of a job, MB",
            table(["d", "components", "rounds", "worlds", "synthetic_set", "fitted_mixture", "fits on disk"], memory),
        ]
    )


def main():
    """Measure everything in turn, print the table, and write results.json, the growth figure and README.md."""
    parser = argparse.ArgumentParser(description="Time ggmi against plain readings of the same work.")
    parser.add_argument(
        "--quick", action="store_true", help="tiny settings, to try the code: the numbers mean nothing and are not kept"
    )
    quick = parser.parse_args().quick
    settings = QUICK if quick else Settings()
    if quick:
        say("tiny settings: what follows tries the code and says nothing about speed")
    loads = [os.getloadavg()[0]]
    with tempfile.TemporaryDirectory(prefix="ggmi-bench-") as temporary:
        scratch = Path(temporary)
        output = HERE
        if quick:
            output = scratch / "output"
            output.mkdir()
            shutil.copy2(HERE / "README.md", output)
        found = {
            "figure": figure_against_reference(settings, scratch / "figure"),
            "whole_figure": whole_figure(settings, scratch / "whole"),
            "em": batched_em(settings),
            "job": job_overhead(settings, scratch / "trivial"),
            "dag": default_dag(settings, scratch / "dag"),
            "growth": growth(settings, output),
            "memory": peak_memory(settings, scratch / "memory"),
        }
        loads.append(os.getloadavg()[0])
        found = {"machine": {**machine(), "load_before_and_after": loads}, **found}
        say("done")
        text = f"{sentence(found['machine'])}\n\n{ratios(found)}\n\n{details(found)}"
        (output / "results.json").write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
        fill_readme(output / "README.md", "results", text)
        print(f"\n{text}")


if __name__ == "__main__":
    main()
