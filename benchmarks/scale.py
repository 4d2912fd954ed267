"""How far a run can grow: 1,000 conditions in Snakemake's graph and on a page, 100,000 records through the scripts.

Prints its tables and writes them into README.md and `scale.json`. `scale.py graph` or `scale.py records` measures one
part and keeps nothing; `scale.py estimate`, eight minutes, writes a table of its own: `ggmi estimate` on sets of 52,000
and of a million records against 5,000.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import yaml
from common import HERE, JOB_VARIABLES, ROOT, checkout, environment, fill_readme, machine, say, sentence, table, verdict

from ggmi.config.estimation import Estimation
from ggmi.config.tasks import CurationSettings
from ggmi.io import block_writer, read_json, write_json
from ggmi.pipeline.drawn_sets import embedded_rows
from ggmi.random import stream
from ggmi.text.jsonl import write_rows
from ggmi.text.records import Record, content_hash, write_records
from ggmi.text.samples import read_made
from ggmi.text.templates import Prompt, write_prompts

# Conditions of a task; and studies of as many sweep points as may be, which have 1 + 3 · 56 conditions each.
CONDITIONS, STUDIES, VALUES = 1000, 6, list(range(2, 59))
RECORDS = (25_000, 100_000)
# Of T, and of the sets that `ggmi estimate` is timed on.
ESTIMATED = (5000, 52_000, 1_000_000)
# Records of a response, as the published prompt asks for, and how often one is near another.
PER_RESPONSE, NEAR_SHARE = 20, 0.1
WORDS, DIMENSIONS = 5000, 384
# What is taken for a record, as in the default configuration.
FORM = {"fields": {}, "repair": False, "thinking_marks": []}


def graphs(folder):
    """Seconds and memory of planning 1,000 conditions, of mixture studies and of a task."""
    checkout(folder)
    names = [f"study{i}" for i in range(STUDIES)]
    studies = {name: {"sweeps": dict.fromkeys("KJL", VALUES)} for name in names}
    rows = [{"instruction": f"Say {i}.", "context": "", "response": str(i)} for i in range(9)]
    write_rows(folder / "real.jsonl", rows)
    far = {"kind": "openai", "model": "m", "base_url": "http://127.0.0.1:9/v1", "key_env": None}
    task = {
        "title": "Many",
        "anchors": {"source": "real.jsonl"},
        "instances": list(range(1, 21)),
        "generators": {f"g{i}": far for i in range(CONDITIONS // 20)},
    }
    nothing = {"mixtures": {"gmm": None, "digits": None}, "theory": None, "tasks": {"embedded": None}}
    gaps = [f"results/{name}/kl_gap.csv" for name in names]
    found = {}
    for name, change, targets in (
        ("six mixture studies", {"mixtures": {**nothing["mixtures"], **studies}}, gaps),
        ("a task", {"tasks": {"embedded": None, "many": task}}, ["results/many.html"]),
    ):
        (folder / "many.yaml").write_text(yaml.safe_dump({**nothing, **change}))
        found[name] = planned(folder, "--configfile", "many.yaml", "--cores", "2", "-n", *targets)
        say(f"{name}: {found[name]}")
    return found


def page(folder, example):
    """What it costs to make that task's page, from finished estimates that lie within a tenth of an example's."""
    arguments = ("--configfile", "many.yaml", "--cores", "2", "--")
    planned(folder, *arguments, "results/many/anchors/split.json")
    results, draw = folder / "results/many", stream(1, "scale", "page")
    parsed, curated, estimates = (read_json(example / f"{name}.json") for name in ("summary", "kept", "estimates"))
    for place in (f"g{i}/{x}-ins" for i in range(CONDITIONS // 20) for x in range(1, 21)):
        write_json(results / "parsed" / place / "summary.json", parsed)
        write_json(results / "synthetic" / place / "standard.json", curated)
        values = [row["value"] and row["value"] * draw.uniform(0.9, 1.1) for row in estimates]
        moved = [{**row, "value": value} for row, value in zip(estimates, values, strict=True)]
        write_json(results / "estimation" / place / "standard.json", moved)
    found = planned(folder, *arguments, "results/many.html")
    say(f"page: {found}")
    return found


def planned(folder, *arguments):
    """Seconds by the clock and of a processor, memory and jobs of a dry run, or of a run with its jobs."""
    started = time.perf_counter()
    command = [sys.executable, "-m", "snakemake", "--quiet", "rules", *arguments]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    process = subprocess.Popen(command, cwd=folder, env=environment(folder), **pipes)
    with process.stdout as pipe:
        said = pipe.read()
    _, status, used = os.wait4(process.pid, 0)
    if status:
        sys.exit(f"{said[-4000:]}\nbenchmarks: {' '.join(arguments)} failed")
    jobs = next(int(line.split()[1]) for line in said.splitlines() if line.startswith("total "))
    cpu = used.ru_utime + used.ru_stime
    return {"seconds": time.perf_counter() - started, "cpu_seconds": cpu, "mb": megabytes(used), "jobs": jobs}


def megabytes(used):
    """The largest resident set, of which macOS tells bytes and Linux kibibytes."""
    return used.ru_maxrss * (1 if sys.platform == "darwin" else 1024) / 1e6


def texts(count, name):
    """Records of some forty words; a share of them is another one with a few words changed."""
    draw = stream(1, "scale", name)
    vocabulary = np.array([f"w{i:x}" for i in range(WORDS)])
    words = vocabulary[draw.integers(WORDS, size=(count, 40))]
    near = draw.random(count) < NEAR_SHARE
    words[near] = words[draw.integers(count, size=near.sum())]
    words[near, :4] = vocabulary[draw.integers(WORDS, size=(near.sum(), 4))]
    return [{"instruction": " ".join(w[:12]), "context": "", "response": " ".join(w[12:])} for w in words]


def prompt(number):
    """A prompt that shows one anchor."""
    text, anchors = f"prompt {number}", (f"a{number}",)
    return Prompt(content_hash([text, *anchors]), text, anchors)


def response(rows, number, prompts):
    """A stored response that holds its share of the records."""
    text = json.dumps(rows[number * PER_RESPONSE : (number + 1) * PER_RESPONSE])
    return {
        **{"prompt_id": prompts[number % len(prompts)].id, "draw": number // len(prompts), "key": f"{number:064x}"},
        **{"text": text, "finish_reason": "stop", "prompt_tokens": 1, "completion_tokens": 1, "model": "m"},
        **{"log_prob_nats": None, "log_prob_missing": "not asked for", "token_log_probs": None},
    }


def ran(folder, script, given, made, params):
    """Seconds of a processor and memory of one of the workflow's scripts by itself."""
    request = {
        "script": str(ROOT / f"workflow/scripts/{script}.py"),
        "params": params,
        "wildcards": {"generator": "g", "condition": "c", "curation": "standard"},
        "input": {name: str(folder / file) for name, file in given.items()},
        "output": {name: str(folder / file) for name, file in made.items()},
        "log": [str(folder / "log")],
    }
    command = [sys.executable, HERE / "job_memory.py", json.dumps(request)]
    process = subprocess.Popen(command, env=environment(variables=JOB_VARIABLES), stdout=subprocess.PIPE, text=True)
    with process.stdout as said:
        peak = said.read()
    _, status, used = os.wait4(process.pid, 0)
    if status:
        sys.exit(f"benchmarks: {script} failed")
    found = {"cpu_seconds": used.ru_utime + used.ru_stime, "mb": json.loads(peak.splitlines()[-1])}
    say(f"{script}: {found}")
    return found


def pipeline(folder, count):
    """Seconds and memory of each script on so many records, one after another."""
    folder.mkdir()
    prompts = [prompt(i) for i in range(count // PER_RESPONSE)]
    rows = texts(count, "synthetic")
    write_prompts(folder / "prompts.jsonl", prompts)
    write_rows(folder / "responses.jsonl", (response(rows, i, prompts) for i in range(count // PER_RESPONSE)))
    write_json(folder / "outcome.json", {"missing": 0, "cut_prompts": None})
    real = [Record(f"a{i}", *row.values()) for i, row in enumerate(texts(2000, "real"))]
    write_records(folder / "real.jsonl", real)
    draw, n = stream(1, "scale", "vectors"), len(real)
    vectors = draw.normal(size=(n, DIMENSIONS))
    with block_writer(folder / "vectors.npz") as writer:
        for name in ("train", "pool"):
            writer.write(name, 0, {"rows": np.arange(n), "vectors": vectors, "seen": np.zeros((n, 4))})
    found = {}
    parsed = {"records": "records.jsonl", "failures": "failures.jsonl", "summary": "summary.json"}
    given = {"prompts": "prompts.jsonl", "responses": "responses.jsonl", "outcome": "outcome.json"}
    found["parsed_set"] = ran(folder, "parsed_set", given, parsed, {"form": FORM})
    params = {
        "curation": CurationSettings().model_dump(),
        "seed": 1,
        "sizes": None,
        "title": "Many",
        "license": "other",
        "made_by": {},
    }
    made = {"records": "kept.jsonl", "drops": "drops.jsonl", "summary": "kept.json", "card": "README.md"}
    found["curated_set"] = ran(
        folder, "curated_set", {"records": "records.jsonl", "summary": "summary.json"}, made, params
    )
    sets = {"synthetic": read_made(folder / "kept.jsonl"), "pool": read_made(folder / "real.jsonl")}
    with block_writer(folder / "drawn.npz") as writer:
        for name, rows in embedded_rows(sets, "auto", Estimation().records, 1).items():
            vectors = draw.normal(size=(len(rows), DIMENSIONS))
            writer.write(name, 0, {"rows": rows, "vectors": vectors, "seen": np.zeros((len(rows), 4))})
    settings = Estimation().model_dump(exclude={"encoder", "device", "endpoint", "entailment"})
    given = {"synthetic": "kept.jsonl", "vectors": "drawn.npz", "real": "vectors.npz"}
    given |= {"train": "real.jsonl", "pool": "real.jsonl"}
    params = {"settings": settings, "seed": 1, "entailment": None}
    found["estimates"] = ran(folder, "estimates", given, {"json": "estimates.json"}, params)
    kept = json.loads((folder / "kept.json").read_text())["kept"]
    return {**found, "kept": kept, "file_mb": (folder / "responses.jsonl").stat().st_size / 1e6}


def estimated(folder, count):
    """Seconds and memory of `ggmi estimate` on one set of so many records against 5,000."""
    for name, number in (("real", ESTIMATED[0]), ("made", count)):
        rows = texts(number, f"estimate {name}")
        write_rows(folder / f"{name}.jsonl", rows)
        del rows
    command = [Path(sys.executable).with_name("ggmi"), "estimate", "--train", folder / "real.jsonl"]
    with (folder / "said").open("w") as said:
        started = time.perf_counter()
        process = subprocess.Popen(
            [*command, "--synthetic", folder / "made.jsonl"], env=environment(), stdout=said, stderr=said
        )
        _, status, used = os.wait4(process.pid, 0)
    if status:
        sys.exit(f"{(folder / 'said').read_text()[-4000:]}\nbenchmarks: ggmi estimate failed")
    seconds, cpu = time.perf_counter() - started, used.ru_utime + used.ru_stime
    found = {"seconds": seconds, "cpu_seconds": cpu, "mb": megabytes(used)}
    say(f"ggmi estimate of {count:,}: {found}")
    return found


def estimates():
    """Measure `ggmi estimate`, print, and write its section of README.md."""
    loads = [os.getloadavg()[0]]
    with tempfile.TemporaryDirectory(prefix="ggmi-bench-") as scratch:
        found = {count: estimated(Path(scratch), count) for count in ESTIMATED[1:]}
    loads.append(os.getloadavg()[0])
    rows = [
        [
            f"`ggmi estimate` of {count:,} records against {ESTIMATED[0]:,}",
            f"{one['seconds']:.0f} s ({one['cpu_seconds']:.0f} s of a processor)",
            f"{one['mb']:,.0f} MB",
            f"≤ {seconds} s, ≤ 3,000 MB",
            verdict(one["seconds"] <= seconds and one["mb"] <= 3000),
        ]
        for (count, one), seconds in zip(found.items(), (60, 300), strict=True)
    ]
    header = ["what", "by the clock", "peak memory", "target", "reached"]
    text = f"{sentence({**machine(), 'load_before_and_after': loads})}\n\n{table(header, rows)}"
    fill_readme(HERE / "README.md", "estimate-scale", text)
    print(text)


def tables(found):
    """What the section of README.md says."""
    made = STUDIES * (1 + 3 * (len(VALUES) - 1))
    rows = [
        [
            f"Graph of {conditions:,} conditions of {name}: {graph['jobs']:,} jobs",
            f"{graph['cpu_seconds']:.1f} s, by the clock {graph['seconds']:.1f} s",
            f"{graph['mb']:,.0f} MB",
            "< 15 s, < 1,000 MB",
            verdict(graph["seconds"] < 15 and graph["mb"] < 1000),
        ]
        for (name, graph), conditions in zip(found["graphs"].items(), (made, CONDITIONS), strict=True)
    ]
    written = found["page"]
    rows.append(
        [
            f"Page of these {CONDITIONS:,} conditions, planned and made of finished estimates: {written['jobs']} jobs",
            f"{written['cpu_seconds']:.1f} s, by the clock {written['seconds']:.1f} s",
            f"{written['mb']:,.0f} MB",
            "< 30 s",
            verdict(written["seconds"] < 30),
        ]
    )
    few, many = (found["records"][str(count)] for count in RECORDS)
    grown = RECORDS[1] / RECORDS[0]
    for script in ("parsed_set", "curated_set", "estimates"):
        one, other = few[script], many[script]
        longer = other["cpu_seconds"] / one["cpu_seconds"]
        rows.append(
            [
                f"`{script}` of {RECORDS[1]:,} records",
                f"{other['cpu_seconds']:.1f} s ({longer:.1f}× that of {RECORDS[0]:,})",
                f"{other['mb']:,.0f} MB ({other['mb'] / one['mb']:.1f}×)",
                f"at most {grown:.0f}× the memory of {RECORDS[0]:,}",
                verdict(other["mb"] <= grown * one["mb"]),
            ]
        )
    header = ["what", "time of a processor", "peak memory", "target", "reached"]
    size = f"The responses that hold {RECORDS[1]:,} records are a file of {many['file_mb']:,.0f} MB."
    return f"{sentence(found['machine'])} {size}\n\n{table(header, rows)}"


def main():
    """Measure in turn, print, and write scale.json and this section of README.md."""
    loads = [os.getloadavg()[0]]
    part = sys.argv[1] if len(sys.argv) > 1 else "all"
    if part == "estimate":
        estimates()
        return
    found = {}
    with tempfile.TemporaryDirectory(prefix="ggmi-bench-") as scratch:
        if part != "records":
            found["graphs"] = graphs(Path(scratch) / "graphs")
        if part != "graph":
            found["records"] = {str(count): pipeline(Path(scratch) / str(count), count) for count in RECORDS}
        if part == "all":
            found["page"] = page(Path(scratch) / "graphs", Path(scratch) / str(RECORDS[0]))
    if part != "all":
        print(json.dumps(found, indent=2))
        return
    loads.append(os.getloadavg()[0])
    found["machine"] = {**machine(), "load_before_and_after": loads}
    text = tables(found)
    (HERE / "scale.json").write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    fill_readme(HERE / "README.md", "scale", text)
    print(f"\n{text}")


if __name__ == "__main__":
    main()
