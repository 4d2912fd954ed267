"""Near-duplicates among 10,000, 100,000 and 1,000,000 records: ours against what people use, in one run.

`near_duplicates.py PYTHON [SIZE …]`, where PYTHON is an interpreter that has datasketch, rensa, semhash and text-dedup
(a virtual environment of its own: none is in the lock). What it lacks is left out and named. Prints its table and
writes it into README.md and `near_duplicates.json`.
"""

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

SIZES = (10_000, 100_000, 1_000_000)
# Words as frequent as in English: the r-th of so many with a probability of about 1 / (r + 2.7).
VOCABULARY, OFFSET = 60_000, 2.7
# Share of records that are an earlier one with some of its words replaced, and the largest share replaced.
PLANTED, REPLACED = 0.05, 0.5
# ROUGE-L beyond which a pair is near; with as many words in both, so many in common are a Jaccard index of 0.54.
NEAR, JACCARD = 0.7, 0.5
# Cosine similarity of mean vectors from which on semhash calls records near: its default.
ALIKE = 0.9
PERMUTATIONS = 128
# Seconds of a processor after which a tool is stopped, and beyond which it is not begun.
MOST = 600


def texts(count):
    """Texts of some fifty words, and of each planted copy of an earlier one its ROUGE-L with it."""
    from rapidfuzz.distance import LCSseq

    draw = np.random.default_rng(count)
    law = 1 / (np.arange(VOCABULARY) + OFFSET)
    ends = np.cumsum(law / law.sum())
    names = np.array([f"w{i:x}" for i in range(VOCABULARY)])
    lengths = np.clip(draw.lognormal(np.log(45), 0.5, count).astype(int), 12, 250)
    words = np.split(np.searchsorted(ends, draw.random(lengths.sum())), np.cumsum(lengths)[:-1])
    planted = {}
    copies = draw.random(count) < PLANTED
    copies[0] = False
    originals = np.flatnonzero(~copies)
    for i in np.flatnonzero(copies):
        original = int(originals[draw.integers(np.searchsorted(originals, i))])
        copy = words[original].copy()
        places = draw.choice(len(copy), int(draw.uniform(0, REPLACED) * len(copy)), replace=False)
        copy[places] = np.searchsorted(ends, draw.random(len(places)))
        words[i] = copy
        planted[int(i)] = LCSseq.normalized_similarity(copy.tolist(), words[original].tolist())
    return [" ".join(names[one]) for one in words], planted


def ours(records):
    """The exact search of this project, by ROUGE-L."""
    from ggmi.text.rouge import first_of_kind

    return list(first_of_kind(records, NEAR))


def datasketch(records):
    """MinHash and its index of bands, as datasketch's documentation shows."""
    from datasketch import MinHash, MinHashLSH

    index, known, dropped = MinHashLSH(threshold=JACCARD, num_perm=PERMUTATIONS), {}, []
    for i, record in enumerate(records):
        hashed = MinHash(num_perm=PERMUTATIONS)
        hashed.update_batch([word.encode() for word in set(record.split())])
        if any(hashed.jaccard(known[key]) >= JACCARD for key in index.query(hashed)):
            dropped.append(i)
        else:
            index.insert(i, hashed)
            known[i] = hashed
    return dropped


def rensa(records):
    """MinHash in Rust, as rensa's documentation shows: signatures, bands, and the estimate of each candidate."""
    from rensa import RMinHash, RMinHashLSH

    index, known, dropped = RMinHashLSH(JACCARD, PERMUTATIONS, 32), {}, []
    for i, record in enumerate(records):
        hashed = RMinHash(PERMUTATIONS, 42)
        hashed.update(list(set(record.split())))
        if any(hashed.jaccard(known[key]) >= JACCARD for key in index.query(hashed)):
            dropped.append(i)
        else:
            index.insert(i, hashed)
            known[i] = hashed
    return dropped


def semhash(records):
    """Nearest neighbours of static embeddings, as semhash's documentation shows.

    Its own model, of real words, comes from the hub; a model of the same kind and size has a vector for each word here.
    """
    from model2vec import StaticModel
    from semhash import SemHash
    from tokenizers import Tokenizer, models, pre_tokenizers

    words = Tokenizer(models.WordLevel({f"w{i:x}": i for i in range(VOCABULARY)}, unk_token="w0"))
    words.pre_tokenizer = pre_tokenizers.Whitespace()
    vectors = np.random.default_rng(1).normal(size=(VOCABULARY, 256)).astype(np.float32)
    model = StaticModel(vectors, words, normalize=True)
    found = SemHash.from_records(records=records, model=model).self_deduplicate(threshold=ALIKE)
    kept = set(found.selected)
    return [i for i, record in enumerate(records) if record not in kept]


def text_dedup(records):
    """The command of text-dedup on one core, its bands for the same Jaccard index; in it the bands alone decide.

    It keeps any one of a cluster; here the first one, as the others do.
    """
    from datasets import Dataset
    from text_dedup import minhash

    with tempfile.TemporaryDirectory(prefix="ggmi-bench-") as folder:
        Dataset.from_dict({"text": records}).save_to_disk(f"{folder}/texts")
        # Its own defaults, five words a shingle and SHA-1, find few of these copies and take longer.
        settings = {"ngram": 1, "min_length": 1, "num_perm": PERMUTATIONS, "threshold": JACCARD, "hash_func": "xxh3"}
        settings |= {"path": f"{folder}/texts", "output": f"{folder}/kept", "column": "text", "num_proc": 1}
        minhash.main(["--local", *(f"--{name}={value}" for name, value in settings.items())], standalone_mode=False)
    clusters, dropped = set(), []
    for i in range(len(records)):
        cluster = minhash.uf.find(i)
        if cluster in clusters:
            dropped.append(i)
        clusters.add(cluster)
    return dropped


TOOLS = (ours, datasketch, rensa, semhash, text_dedup)


def cpu_seconds():
    """Seconds of a processor of this process and those it started and waited for."""
    used = [resource.getrusage(whose) for whose in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def run(name, file, output):
    """What one tool drops, in a process of its own."""
    resource.setrlimit(resource.RLIMIT_CPU, (MOST, MOST))
    records = json.loads(Path(file).read_text())
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    wall, cpu = time.perf_counter(), cpu_seconds()
    dropped = next(tool for tool in TOOLS if tool.__name__ == name)(records)
    found = {"seconds": time.perf_counter() - wall, "cpu_seconds": cpu_seconds() - cpu, "dropped": dropped}
    found["mb"] = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1e3
    Path(output).write_text(json.dumps(found))


def measured(folder, tool, python, planted, env):
    """Seconds, memory, and how many of the planted near-duplicates a tool finds."""
    output = folder / "found.json"
    command = [python, __file__, "run", tool.__name__, str(folder / "texts.json"), str(output)]
    done = subprocess.run(command, env=env, capture_output=True, text=True)
    if done.returncode < 0:
        return {"failed": f"stopped after {MOST} s of a processor"}
    if done.returncode:
        return {"failed": done.stderr.strip().splitlines()[-1].split(",")[0]}
    found = json.loads(output.read_text())
    dropped = set(found.pop("dropped"))
    near = {i for i, similarity in planted.items() if similarity > NEAR}
    recall, precision = (len(dropped & near) / len(of) for of in (near, dropped))
    return {**found, "recall": recall, "precision": precision}


def main(python, sizes):
    """Measure in turn, print, and write near_duplicates.json and this section of README.md."""
    from common import HERE, environment, fill_readme, machine, say, sentence, table

    loads, found = [os.getloadavg()[0]], {}
    with tempfile.TemporaryDirectory(prefix="ggmi-bench-") as name:
        folder = Path(name)
        for size in sizes:
            records, planted = texts(size)
            (folder / "texts.json").write_text(json.dumps(records))
            for tool in TOOLS:
                own = tool is ours
                env = environment(variables={"OMP_NUM_THREADS": "1", "RAYON_NUM_THREADS": "1"})
                known = {} if own else {"PYTHONPATH": ""}
                before = found.setdefault(tool.__name__, {})
                grown = max((one.get("cpu_seconds", 0) * size / int(n) for n, one in before.items()), default=0)
                if grown > MOST:
                    one = {"failed": f"not run: {grown:,.0f} s of a processor if its time grows as the records"}
                else:
                    one = measured(folder, tool, sys.executable if own else python, planted, {**env, **known})
                before[str(size)] = one
                say(f"{tool.__name__}, {size:,} records: {one}")
    loads.append(os.getloadavg()[0])
    about = {**machine(), "load_before_and_after": loads}
    (HERE / "near_duplicates.json").write_text(json.dumps({"machine": about, "tools": found}, indent=1) + "\n")
    rows = []
    for size in map(str, sizes):
        mine = found["ours"][size]
        for tool, by_size in found.items():
            one = by_size[size]
            if "failed" in one:
                rows.append([f"{int(size):,}", tool, one["failed"].replace("|", "/"), "", "", "", "", ""])
                continue
            worse = any(one[kind] < mine[kind] for kind in ("recall", "precision"))
            ahead = {"what is found": worse, "time": one["cpu_seconds"] > mine["cpu_seconds"]}
            cells = [
                f"{one['recall']:.1%}",
                f"{one['precision']:.1%}",
                f"{one['cpu_seconds']:.1f} s",
                f"{one['seconds']:.1f} s",
                f"{one['mb']:,.0f} MB",
            ]
            rows.append([f"{int(size):,}", tool, *cells, ", ".join(kind for kind, so in ahead.items() if so) or "–"])
    measures = ["near ones dropped", "near among dropped", "time of a processor", "by the clock", "memory"]
    header = ["records", "tool", *measures, "ours ahead in"]
    text = f"{sentence(about)}\n\n{table(header, rows)}"
    print(text)
    fill_readme(HERE / "README.md", "near_duplicates", text)


if __name__ == "__main__":
    if sys.argv[1:2] == ["run"]:
        run(*sys.argv[2:])
    elif len(sys.argv) < 2:
        sys.exit("benchmarks: name an interpreter that has datasketch, rensa, semhash and text-dedup")
    else:
        main(sys.argv[1], [int(size) for size in sys.argv[2:]] or SIZES)
