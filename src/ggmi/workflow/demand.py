"""How long jobs of models take, by arithmetic, for what they ask a cluster for: sizes of models and texts are known."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from stat import S_ISDIR

# Bytes of a weight and of a token, at least; of float32 twice as many weights are reckoned with as there are.
BYTES_PER_WEIGHT, BYTES_PER_TOKEN = 2, 3
# Operations a second that training reaches at least: a small GPT-2 on a thread (248 tokens of 15 million weights in
# benchmarks/students.py), and a small part of any data centre's GPU.
OF_THREAD, OF_GPU = 2e10, 1e13
# A forward pass takes two operations a weight and token, a backward pass twice as many (Kaplan et al. 2020, section
# 2.1). Tokens that are written one after another, in batches, take twice as long as those that are read.
READING, TRAINING, WRITING = 2, 6, 4
# Bytes of a model that the hub has, of which no size is known: a billion weights.
UNKNOWN_MODEL = 2e9
# Answers a minute that a model behind an endpoint gives at least.
ANSWERS_A_MINUTE = 100.0


def bytes_of(files: Iterable[str | Path]) -> int:
    """Bytes of files, and of all that is in folders.

    Parameters
    ----------
    files
        Their paths.

    Raises
    ------
    FileNotFoundError
        If there is none.
    """
    total = 0
    for path in map(Path, files):
        told = path.stat()
        # Thousands of jobs ask for it: one look a file.
        total += bytes_of(path.iterdir()) if S_ISDIR(told.st_mode) else told.st_size
    return total


def lines_of(files: Iterable[str | Path]) -> int:
    """Lines of files: records, prompts, answers.

    Parameters
    ----------
    files
        Their paths.
    """
    total = 0
    for path in files:
        with Path(path).open("rb") as file:
            total += sum(chunk.count(b"\n") for chunk in iter(lambda: file.read(2**20), b""))
    return total


def model_minutes(model_bytes: float, tokens: float, operations: int, *, threads: int = 1, gpus: int = 0) -> float:
    """Minutes in which a model reads, learns or writes tokens.

    Parameters
    ----------
    model_bytes
        Of the files of its weights; 0 where it is not known.
    tokens
        In all.
    operations
        A weight and token: `READING`, `TRAINING` or `WRITING`.
    threads, gpus
        Of the job; with GPUs only they count.

    Examples
    --------
    >>> round(model_minutes(500e6, 3.6e6, TRAINING, gpus=1))
    9
    >>> round(model_minutes(500e6, 3.6e6, TRAINING, threads=8) / 60)
    9
    """
    rate = gpus * OF_GPU or threads * OF_THREAD
    return operations * (model_bytes or UNKNOWN_MODEL) / BYTES_PER_WEIGHT * tokens / rate / 60
