import json
import os
from pathlib import Path

import pytest

from ggmi.text.records import FIELDS, Record, read_records


@pytest.fixture(scope="session")
def shared_data():
    """Folder of real data, which is no part of the project."""
    beside = Path(__file__).parents[3] / "shared" / "data"
    folder = Path(os.environ.get("SHARED_DATA", beside))
    if not folder.is_dir():
        pytest.skip(f"no real data at {folder}; SHARED_DATA names another place")
    return folder


@pytest.fixture(scope="session")
def seed_tasks(shared_data):
    return list(read_records(shared_data / "seed_tasks.jsonl"))


@pytest.fixture
def as_json():
    """A record's fields as a model writes them."""

    def make(*values):
        return json.dumps(dict(zip(FIELDS, values, strict=True)))

    return make


@pytest.fixture
def numbered():
    """Records whose texts have no word in common, from a number on."""

    def make(count, first=0):
        return [Record(f"r{i}", f"task{i} verb{i}", f"input{i}", f"answer{i}") for i in range(first, first + count)]

    return make
