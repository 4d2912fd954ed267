"""A set read and curated in 1, 2, 4 and 8 shards: processor seconds, the longest chain of jobs, memory of a job.

`shards.py [RECORDS]`, 400,000 by default. Every job is a process of its own, as in the workflow; they run one after
another, so that each has the machine. Prints its table and writes it into docs/clusters.md and `shards.json`.
`shards.py whole` measures a set of 100,000 and one of a million in one piece, and writes into README.md.
"""

import hashlib
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from common import HERE, JOB_VARIABLES, ROOT, environment, fill_readme, machine, say, sentence, table, verdict
from scale import megabytes, texts

from ggmi.io import write_json
from ggmi.text.jsonl import write_rows

RECORDS, SHARDS, FILES = 400_000, (1, 2, 4, 8), 8
WHOLE = (100_000, 1_000_000)
NEAR = 0.7
SOURCE = {"fields": {}, "encoding": None, "invalid": "drop"}


class Job(NamedTuple):
    """Seconds of a processor, memory, and seconds by the clock."""

    cpu_seconds: float
    mb: float
    seconds: float


def step(name, folder, shards, shard):
    """What one job of the workflow does."""
    from ggmi.config.tasks import ImportedSettings
    from ggmi.pipeline import shards as work
    from ggmi.pipeline.anchors import read_source
    from ggmi.pipeline.sets import curate_file, imported_rows
    from ggmi.text.curation import Curation
    from ggmi.text.near_index import join_indexes

    source, curation = {"source": str(folder / "parts"), **SOURCE}, Curation(near=NEAR)
    made = folder / str(shards)
    every = {part: [made / f"{part}-{i}" for i in range(shards)] for part in ("rows", "screened", "index", "pairs")}
    every["pairs"] = [path.with_suffix(".npz") for path in every["pairs"]]
    mine = {part: paths[shard] for part, paths in every.items()}
    files = made / "records.jsonl", made / "kept.jsonl", made / "drops.jsonl"
    match name:
        case "whole":
            write_rows(files[0], imported_rows(read_source(source), "g"))
        case "curated":
            curate_file(files[0], curation, {}, *files[1:])
        case "rows":
            mine["rows"].mkdir(parents=True)
            parts = ImportedSettings(path=source["source"], shards=shards).files_of(shard)
            work.read_shard([*map(Path, parts)], source, "g", mine["rows"], several=True)
        case "joined rows":
            _, _, changes = work.merge_readings(every["rows"], source["source"], {}, "drop")
            work.join_rows(every["rows"], changes, files[0])
        case "screened":
            work.screen_shard(mine["rows"] / "rows.jsonl", curation, {}, mine["screened"])
        case "merged":
            work.merge_screened(every["screened"], curation, made / "merged")
        case "index":
            work.index_shard(mine["screened"], made / f"merged/ranks-{shard}.npy", NEAR, mine["index"])
        case "joined index":
            join_indexes(every["index"], made / "index")
        case "pairs":
            work.search_part(made / "index", made / "merged", NEAR, shard, shards, mine["pairs"])
        case "sifted":
            twins = work.settle_shards(made / "index", made / "merged", every["pairs"], NEAR)
            work.sift_shards(files[0], every["screened"], made / "merged", twins, *files[1:])


def measured(name, folder, shards, shard):
    """What one job takes."""
    command = [sys.executable, __file__, "step", name, str(folder), str(shards), str(shard)]
    started = time.perf_counter()
    process = subprocess.Popen(command, env=environment(ROOT, JOB_VARIABLES))
    _, status, used = os.wait4(process.pid, 0)
    if status:
        sys.exit(f"benchmarks: {name} failed")
    return Job(used.ru_utime + used.ru_stime, megabytes(used), time.perf_counter() - started)


def grown(folder, shards):
    """All jobs of a set in so many shards."""
    (folder / str(shards)).mkdir()
    alone = {"joined rows", "merged", "joined index", "sifted"}
    steps = ["rows", "joined rows", "screened", "merged", "index", "joined index", "pairs", "sifted"]
    steps = ["whole", "curated"] if shards == 1 else steps
    found = {
        name: [measured(name, folder, shards, shard) for shard in range(1 if name in alone else shards)]
        for name in steps
    }
    digest = hashlib.sha256(b"".join((folder / f"{shards}/{name}.jsonl").read_bytes() for name in ("kept", "drops")))
    say(f"{shards} shards: " + ", ".join(f"{name} {max(jobs)[0]:.0f} s" for name, jobs in found.items()))
    return {
        "processor_seconds": sum(job.cpu_seconds for jobs in found.values() for job in jobs),
        # Rows are joined beside the screening.
        "chain_seconds": sum(max(jobs)[0] for name, jobs in found.items() if name != "joined rows"),
        "mb": max(job.mb for jobs in found.values() for job in jobs),
        "longest": max(found, key=lambda name: max(found[name])),
        "sha256": digest.hexdigest(),
    }


def write_parts(folder, count):
    """Made records in files."""
    rows = texts(count, "shards")
    (folder / "parts").mkdir(parents=True)
    for i in range(FILES):
        write_rows(folder / f"parts/{i}.jsonl", rows[len(rows) * i // FILES : len(rows) * (i + 1) // FILES])


def whole():
    """Reading and curation of sets of 100,000 and of a million records in one piece."""
    load, found = os.getloadavg()[0], {}
    for count in WHOLE:
        with tempfile.TemporaryDirectory(prefix="ggmi-shards-") as place:
            write_parts(Path(place), count)
            (Path(place) / "1").mkdir()
            found[count] = {name: measured(name, Path(place), 1, 0) for name in ("whole", "curated")}
        say(f"{count:,}: {found[count]}")
    few, many = (found[count]["curated"] for count in WHOLE)
    reached = many.seconds <= 360 and many.mb <= 4000 and many.seconds <= 12 * few.seconds
    rows = [
        [
            f"{label} {count:,} records",
            f"{job.seconds:.0f} s ({job.cpu_seconds:.0f} s of a processor)",
            f"{job.mb:,.0f} MB",
            f"≤ 360 s, ≤ 4,000 MB, ≤ 12× ({many.seconds / few.seconds:.1f}×)" if job is many else "",
            verdict(reached) if job is many else "",
        ]
        for count, jobs in found.items()
        for label, job in (("reading", jobs["whole"]), ("curating", jobs["curated"]))
    ]
    head = ["what", "by the clock", "peak memory", "target", "reached"]
    text = f"{sentence({**machine(), 'load_before_and_after': [load, os.getloadavg()[0]]})}\n\n{table(head, rows)}"
    fill_readme(HERE / "README.md", "curation-scale", text)
    print(text)


def main():
    count = int(sys.argv[1]) if sys.argv[1:] else RECORDS
    with tempfile.TemporaryDirectory(prefix="ggmi-shards-") as place:
        folder = Path(place)
        write_parts(folder, count)
        found = {str(shards): grown(folder, shards) for shards in SHARDS}
    if len({one["sha256"] for one in found.values()}) > 1:
        sys.exit("benchmarks: the sets differ")
    rows = [
        [
            shards if shards != "1" else "1 (in one piece)",
            f"{one['processor_seconds']:.0f} s",
            f"{one['chain_seconds']:.0f} s",
            f"{one['mb']:,.0f} MB",
            one["longest"],
        ]
        for shards, one in found.items()
    ]
    head = ["shards", "processor time in all", "longest chain of jobs", "largest job", "slowest job"]
    shown = f"{count:,} made records of some forty words, a tenth near another; the set is the same to the byte.\n\n"
    shown += f"{table(head, rows)}\n\n`benchmarks/shards.py`"
    print(shown)
    fill_readme(ROOT / "docs/clusters.md", "shards", shown)
    write_json(HERE / "shards.json", {"machine": machine(), "records": count, "shards": found})


if __name__ == "__main__":
    if sys.argv[1:2] == ["step"]:
        step(sys.argv[2], Path(sys.argv[3]), int(sys.argv[4]), int(sys.argv[5]))
    elif sys.argv[1:2] == ["whole"]:
        whole()
    else:
        main()
