"""docs/files.md: every file on the page is read as the page says, every command's words hold."""

import argparse
import re
import shlex
from pathlib import Path

import pytest
import yaml
from project import ROOT
from text.test_files import FORMS, REFUSED

from ggmi import estimating
from ggmi.checking import describe_inputs
from ggmi.config import load
from ggmi.options import read_sets
from ggmi.text.forms import NAMES

PAGE = (ROOT / "docs" / "files.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w+)(?: (\S+))?\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
ANSWERS = ["The Loire.", "3"]


@pytest.fixture
def files(tmp_path, monkeypatch):
    for _, name, content in BLOCKS:
        if name and "." in name:
            (tmp_path / name).write_text(content, encoding="utf-8")
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("command", [content for kind, _, content in BLOCKS if kind == "sh"])
def test_a_command_on_the_page_reads_the_records_that_the_page_shows(files, command):
    parser = argparse.ArgumentParser()
    estimating.add_arguments(parser)
    ggmi, name, *words = shlex.split(command.replace("\\\n", " "))
    assert (ggmi, name) == ("ggmi", "estimate")
    options = parser.parse_args(words)
    names, samples = read_sets(options)
    assert names == [Path(file).stem for file in options.synthetic]
    for sample in samples:
        assert [record.response for record in sample.records] == ANSWERS
        if options.parts != ["response"]:
            assert [record.instruction for record in sample.records] == ["Name a river.", "Add 1 and 2."]


def test_the_configuration_on_the_page_reads_them_too(files):
    (content,) = [content for kind, _, content in BLOCKS if kind == "yaml"]
    told = list(describe_inputs(load(yaml.safe_load(content))))
    assert told[0].endswith("instruction from instruction, context from input, response from output")
    assert told[-1] == "  first record: “Name a river.” → “The Loire.”"


def test_every_ending_and_name_on_the_page_is_one_that_the_tests_read():
    (formats,) = re.findall(r"^## Formats\n(.*?)^## ", PAGE, re.MULTILINE | re.DOTALL)
    endings = re.findall(r"^\| (`[^|]*)\|", formats, re.MULTILINE)
    assert {e for cell in endings for e in re.findall(r"`(\.\w+)`", cell)} <= {
        suffix for name in FORMS for suffix in Path(name).suffixes
    }
    for field in ("instruction", "context", "response"):
        assert all(f"`{name}`" in PAGE for name in NAMES[field])
    assert {"sheet.xlsx", "pointer.jsonl", "page.jsonl"} <= REFUSED.keys()
