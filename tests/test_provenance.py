import hashlib
import json
import platform
from importlib.metadata import version
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ggmi.io import write_json
from ggmi.provenance import PACKAGES, record, sha256, versions


@pytest.fixture
def inputs(tmp_path):
    """Two input files."""
    paths = [tmp_path / "worlds.npz", tmp_path / "fit.npz"]
    for path in paths:
        path.write_bytes(path.name.encode())
    return [str(path) for path in paths]


def test_versions_are_those_that_are_installed():
    found = versions()
    assert found["python"] == platform.python_version()
    assert {name: version(name) for name in PACKAGES} == {k: v for k, v in found.items() if k != "python"}
    assert {"numpy", "scipy", "ggmi", "snakemake"} <= set(found)


@given(content=st.binary(max_size=3000))
def test_a_hash_is_that_of_the_bytes(tmp_path_factory, content):
    path = tmp_path_factory.mktemp("hash") / "file"
    path.write_bytes(content)
    assert sha256(path) == sha256(str(path)) == hashlib.sha256(content).hexdigest()


def test_a_record_names_rule_parameters_versions_and_the_hash_of_every_input(inputs):
    found = record("kl_gap", {"seed": 7, "conditions": ["K2_J2_L2"]}, inputs)
    assert found == {
        "rule": "kl_gap",
        "parameters": {"seed": 7, "conditions": ["K2_J2_L2"]},
        "versions": versions(),
        "inputs": {path: sha256(path) for path in inputs},
    }


def test_a_record_is_written_the_same_whatever_the_order_of_the_inputs(inputs, tmp_path):
    for name, paths in (("a.json", inputs), ("b.json", inputs[::-1])):
        write_json(tmp_path / name, record("trends", {"seed": 7}, paths))
    assert (tmp_path / "a.json").read_bytes() == (tmp_path / "b.json").read_bytes()
    assert list(json.loads((tmp_path / "a.json").read_text())["inputs"]) == sorted(inputs)


def test_a_record_tells_when_an_input_has_changed(inputs):
    before = record("trends", {"seed": 7}, inputs)["inputs"]
    Path(inputs[0]).write_bytes(b"changed")
    after = record("trends", {"seed": 7}, inputs)["inputs"]
    assert [path for path in inputs if before[path] != after[path]] == inputs[:1]


def test_a_record_keeps_the_parameters_it_was_given(inputs):
    parameters = {"seed": 7}
    found = record("trends", parameters, inputs)
    parameters["seed"] = 8
    assert found["parameters"] == {"seed": 7}


def test_a_missing_input_is_not_passed_over(tmp_path):
    with pytest.raises(FileNotFoundError):
        record("trends", {}, [str(tmp_path / "nowhere.npz")])
