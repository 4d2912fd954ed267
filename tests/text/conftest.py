import json

import pytest

from ggmi.text.records import FIELDS, Record, read_records


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
