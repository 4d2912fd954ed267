"""Reading 100,000 records in the forms that people keep them in, each beside the library datasets; fills README.md.

Both give Python objects: here records with ids and what is known of them, there rows.
"""

import gzip
import json
import os
import statistics
import tempfile
import time
from pathlib import Path

import pandas as pd
from common import HERE, fill_readme, machine, say, sentence, table

from ggmi.text.samples import read_sample

RECORDS, RUNS = 100_000, 3
WORDS = "word " * 30


def write(folder):
    """The same records in each form; the names of the files and the library's name of the form."""
    rows = [
        {"id": f"r{i}", "instruction": f"Describe thing {i}.", "context": "", "response": f"Thing {i} is {WORDS}{i}."}
        for i in range(RECORDS)
    ]
    chats = [
        {"messages": [{"role": "user", "content": r["instruction"]}, {"role": "assistant", "content": r["response"]}]}
        for r in rows
    ]
    lines = "".join(json.dumps(row) + "\n" for row in rows)
    (folder / "lines.jsonl").write_text(lines)
    (folder / "list.json").write_text(json.dumps(rows, indent=1))
    (folder / "chats.jsonl").write_text("".join(json.dumps(row) + "\n" for row in chats))
    (folder / "packed.jsonl.gz").write_bytes(gzip.compress(lines.encode()))
    pd.DataFrame(rows).to_csv(folder / "table.csv", index=False)
    pd.DataFrame(rows).to_parquet(folder / "table.parquet")
    names = {"lines.jsonl": "json", "list.json": "json", "chats.jsonl": "json", "packed.jsonl.gz": "json"}
    return {**names, "table.csv": "csv", "table.parquet": "parquet"}


def seconds(read):
    """The median of some runs."""
    found = []
    for _ in range(RUNS):
        started = time.perf_counter()
        assert read() == RECORDS
        found.append(time.perf_counter() - started)
    return statistics.median(found)


def main():
    """Measure every form in turn, both readers one after another."""
    # Nothing is asked of the hub.
    os.environ["HF_HUB_OFFLINE"] = "1"
    import datasets

    datasets.disable_progress_bars()
    loads = [os.getloadavg()[0]]
    rows = []
    with tempfile.TemporaryDirectory(prefix="ggmi-bench-") as scratch:
        folder = Path(scratch)
        for name, kind in write(folder).items():

            def theirs(name=name, kind=kind):
                # A cache of its own each time, or nothing would be read.
                cache = tempfile.mkdtemp(dir=folder)
                loaded = datasets.load_dataset(kind, data_files=str(folder / name), split="train", cache_dir=cache)
                return len(loaded.to_list())

            ours = seconds(lambda name=name: len(read_sample(folder / name)))
            other = seconds(theirs)
            say(f"{name}: {ours:.2f} s, datasets {other:.2f} s")
            rows.append([f"`{name}`", f"{ours:.2f} s", f"{other:.2f} s", f"{other / ours:.2f}"])
    loads.append(os.getloadavg()[0])
    text = table(["form", "`read_sample`", "`datasets`", "ratio"], rows)
    fill_readme(HERE / "README.md", "reading", f"{sentence({**machine(), 'load_before_and_after': loads})}\n\n{text}")


if __name__ == "__main__":
    main()
