import html
import re

import pytest
import yaml

from ggmi.io import write_text
from ggmi.text.card import COLUMNS, Card, card_text, escape_markdown, fenced
from ggmi.text.jsonl import write_rows
from ggmi.text.parsing import parse
from ggmi.text.samples import read_sample
from ggmi.text.synthetic import Origin, TokenSpan, synthetic_rows

HOSTILE = "<script>alert(1)</script> ![x](http://a) `y` | # *b*\n---\nlicense: evil\n{{ x }} \u202e =1+1"
VISIBLE = "<script>alert(1)</script> ![x](http://a) `y` | # *b* --- license: evil {{ x }} ⟨U+202E⟩ =1+1"


def card(**changes):
    settings = {
        "title": "Synthetic tasks",
        "records": 2,
        "license": "other",
        "made_by": {"generator": "tiny", "prompts": "1 (3-ins)"},
        "counts": {"responses": 1, "no_json": 0},
        **changes,
    }
    return Card(**settings)


def front_matter(text):
    _, front, body = text.split("---\n", 2)
    return yaml.safe_load(front), body


def test_a_folder_with_a_card_is_a_data_set(tmp_path, monkeypatch):
    import datasets

    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    folder = tmp_path / "set"
    text = (
        '[{"instruction": "Add.", "response": "3"}, {"instruction": "Name a city.", "context": "x", "response": "y"}]'
    )
    spans = [TokenSpan(0, 60, -1.5), TokenSpan(60, len(text), -2.5)]
    rows = list(synthetic_rows(parse(text), Origin("tiny", "p1", ("a1",), 0, "k"), spans))
    write_rows(folder / "synthetic.jsonl", rows)
    write_text(folder / "README.md", card_text(card(made_by={"generator": HOSTILE})))
    loaded = datasets.load_dataset(str(folder))
    assert list(loaded) == ["train"]
    assert loaded["train"].column_names == list(COLUMNS)
    assert loaded["train"].to_list() == rows
    assert [record.id for record in read_sample(folder).records] == ["k-0", "k-1"]
    # Neither a set made anew in its place nor one whose folder has the same name is taken for this one.
    write_rows(folder / "synthetic.jsonl", rows[:1])
    write_rows(tmp_path / "other/set/synthetic.jsonl", rows[1:])
    write_text(tmp_path / "other/set/README.md", (folder / "README.md").read_text())
    assert [r["id"] for r in datasets.load_dataset(str(folder))["train"]] == ["k-0"]
    assert [r["id"] for r in datasets.load_dataset(str(tmp_path / "other/set"))["train"]] == ["k-1"]


def test_the_front_matter_says_licence_and_size():
    for records, size in ((999, "n<1K"), (1000, "1K<n<10K"), (10**8, "10M<n<100M")):
        front, _ = front_matter(card_text(card(records=records)))
        assert front["size_categories"] == [size]
        assert (front["license"], front["tags"]) == ("other", ["synthetic", "instruction-tuning"])


def test_hostile_text_stays_text():
    made = card(title=HOSTILE, license=HOSTILE, made_by={HOSTILE: HOSTILE}, counts={HOSTILE: 3}, template=HOSTILE)
    front, body = front_matter(card_text(made))
    assert front["license"] == front["pretty_name"] == VISIBLE
    before, block = body.split("```text\n")
    assert not re.search(r"<script|!\[|\]\(|\*b\*|`y`|\n---\n|^license: ", before)
    assert "\u202e" not in body
    assert block.startswith("<script>")
    rows = [line for line in before.splitlines() if line.startswith("|") and "script" in line]
    assert [line.count("|") for line in rows] == [3, 3]
    assert html.unescape(before).count(VISIBLE) == 5


@pytest.mark.parametrize("text", ["```\n<script>\n```", "`````", "no fence\x00"])
def test_a_fence_cannot_be_closed_from_inside(text):
    lines = fenced(text).splitlines()
    fence = lines[-1]
    assert lines[0] == f"{fence}text"
    assert not any(fence in line for line in lines[1:-1])
    assert "\x00" not in fenced(text)


def test_plain_words_stay_plain():
    assert escape_markdown("gpt-4o, 20 prompts. café") == "gpt-4o, 20 prompts. café"
