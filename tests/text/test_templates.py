import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ggmi.errors import UserError
from ggmi.text.jsonl import write_rows
from ggmi.text.records import Record
from ggmi.text.templates import Template, TextTemplate, anchor_line, read_prompts, read_template, write_prompts

TEMPLATES = Path(__file__).parents[2] / "workflow" / "templates"
HOSTILE = [
    "{{ 7*7 }}",
    "{anchors}",
    "{{ anchors }}",
    "{{count}}",
    "$anchors",
    "%(count)s",
    "{% raw %}",
    "{0.__class__}",
]


def template(tmp_path, text):
    path = tmp_path / "prompt.txt"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def test_places_are_filled(tmp_path):
    path = template(tmp_path, 'Write {{count}} like\n{{ anchors }}\nor {{  count  }}. {"a": {"b": {}}}\r\n')
    anchors = [Record("a", "Add.", "1 2", "3"), Record("b", "Sort.", "", "x")]
    prompt = read_template(path).fill(anchors, count=5)
    assert prompt.text == (
        'Write 5 like\n{"instruction": "Add.", "context": "1 2", "response": "3"}\n'
        '{"instruction": "Sort.", "context": "", "response": "x"}\nor 5. {"a": {"b": {}}}\n'
    )
    assert prompt.anchor_ids == ("a", "b")


@pytest.mark.parametrize("hostile", HOSTILE)
def test_what_an_anchor_holds_stands_in_the_prompt_as_it_is(tmp_path, hostile):
    filled = read_template(template(tmp_path, "{{ anchors }}")).fill([Record(hostile, hostile, hostile, hostile)])
    assert json.loads(filled.text) == {"instruction": hostile, "context": hostile, "response": hostile}
    assert filled.text.count(hostile) == 3


@given(st.text(), st.text(), st.text())
def test_an_anchor_is_one_line_of_json_with_its_fields_in_order(instruction, context, response):
    line = anchor_line(Record("a", instruction, context, response))
    assert "\n" not in line
    assert list(json.loads(line).items()) == [
        ("instruction", instruction),
        ("context", context),
        ("response", response),
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("Write some.\n", "none of its lines (1 to 1) holds {{ anchors }}"),
        ("", "none of its lines (1 to 1) holds {{ anchors }}"),
        ("a\n{{ count }}", "none of its lines (1 to 2) holds {{ anchors }}"),
        ("a\n{{ anchor }}", "line 2: there is no placeholder 'anchor'; did you mean 'anchors'?"),
        ("{{ anchors }}\n{{ x }}", "line 2: there is no placeholder 'x'; allowed: anchors, count"),
        ("{{ anchors }}\n\n{{ count }", "line 3: is no template (unexpected '}')"),
        (
            "{{ anchors }}\n{% if count %}",
            "line 2: is no template (Unexpected end of template. Jinja was looking for the following tags: 'elif' or "
            "'else' or 'endif'. The innermost block that needs to be closed is 'if'.)",
        ),
        (b"{{ anchors }}\n\xff", "line 2 is not UTF-8 (its byte 1)"),
    ],
)
def test_a_bad_template_is_told_with_its_line(tmp_path, text, message):
    path = template(tmp_path, text)
    with pytest.raises(UserError) as caught:
        read_template(path)
    assert str(caught.value) == f"{path}: {message}"


def test_the_embedded_template_is_examples_and_the_marker():
    anchors = [Record("a", "shift", "abc", "bcd"), Record("b", "swap", "xyz", "zyx")]
    assert read_template(TEMPLATES / "embedded.txt").fill(anchors).text == (
        '{"instruction": "shift", "context": "abc", "response": "bcd"}\n'
        '{"instruction": "swap", "context": "xyz", "response": "zyx"}\n'
        "more like these\n"
    )


def test_the_shipped_template_asks_for_what_the_paper_asks(seed_tasks):
    prompt = read_template(TEMPLATES / "prompt.txt").fill(seed_tasks[:3]).text
    for asked in (
        "20 new tasks",
        "verbs",
        "questions",
        "kind of task",
        "English",
        "one or two",
        "100 words",
        "JSON list",
    ):
        assert asked in prompt
    assert all(anchor_line(task) in prompt.splitlines() for task in seed_tasks[:3])


def test_prompts_come_back_as_they_were_written(tmp_path, seed_tasks):
    prompts = [read_template(TEMPLATES / "prompt.txt").fill(seed_tasks[i : i + 10]) for i in range(5)]
    path = tmp_path / "prompts.jsonl"
    assert write_prompts(path, prompts) == 5
    assert read_prompts(path) == prompts
    assert len({prompt.id for prompt in prompts}) == 5


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"text": "else"}, "is not that of the text"),
        ({"text": 3}, "the field 'text' is a number; allowed: text"),
        ({"anchor_ids": ["a", 1]}, "the field 'anchor_ids' is not a list of texts"),
        ({"id": None}, "the id None is not that of the text"),
    ],
)
def test_a_damaged_prompt_is_told(tmp_path, change, message):
    prompt = Template(TextTemplate("{{ anchors }}", "test", ["anchors"], [])).fill([Record("a", "Add.", "", "3")])
    path = tmp_path / "prompts.jsonl"
    write_rows(path, [{"id": prompt.id, "text": prompt.text, "anchor_ids": list(prompt.anchor_ids)} | change])
    with pytest.raises(UserError, match=f"line 1: .*{message}"):
        read_prompts(path)


def test_a_template_cannot_reach_what_is_around_it(tmp_path):
    path = template(tmp_path, "{{ anchors.__class__.__mro__ }}{{ anchors }}")
    with pytest.raises(UserError, match="cannot be filled in"):
        read_template(path).fill([])


def test_text_and_places_in_turn():
    text = TextTemplate("{{ a }}{{b}} and\n {{ a }}\n", "test", ["a", "b"], ["a"])
    assert text.pieces() == ["", "a", "", "b", " and\n ", "a", "\n"]
