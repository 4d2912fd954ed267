import os
import signal
import sys
from pathlib import Path

# Before NumPy is loaded: processes of tests share the cores, and threads of BLAS beside them would wait for each other.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import pytest
from hypothesis import settings

from ggmi.random import stream

settings.register_profile("repeatable", deadline=None, derandomize=True)
settings.load_profile("repeatable")

ROOT = Path(__file__).resolve().parents[1]

# A shell that starts the tests in the background has them, and all they start, ignore Ctrl-C.
signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items):
    """Begin with the files that run whole workflows, so that short ones are left to even out processes at the end."""
    items.sort(key=lambda item: "workflow" not in item.path.relative_to(ROOT).parts[:2])


@pytest.fixture(scope="session")
def shared_data():
    """Folder of real data, which is no part of the project."""
    folder = Path(os.environ.get("SHARED_DATA", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        sys.__stderr__.write(f"\nREAL DATA NOT FOUND in {folder}: nothing was tried on them\n")
        pytest.skip(f"no real data at {folder}; SHARED_DATA names another place")
    return folder


@pytest.fixture(scope="session")
def gsm8k_files():
    """The folder of GSM8K's files."""
    folder = Path(os.environ.get("SHARED_DATA", ROOT.parent / "shared" / "data")) / "gsm8k"
    if not (folder / "example_model_solutions.jsonl").is_file():
        sys.__stderr__.write(f"\nREAL DATA NOT FOUND in {folder}: answers were not extracted from them\n")
        pytest.skip(f"no real data in {folder}")
    return folder


@pytest.fixture
def streams():
    """Several streams of one name, numbered from zero."""

    def make(count, *name):
        return [stream(20241001, *name, index) for index in range(count)]

    return make
