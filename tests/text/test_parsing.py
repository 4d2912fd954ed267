import itertools
import json
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ggmi.text import parsing
from ggmi.text.jsonl import MAX_DEPTH
from ggmi.text.outcomes import REASONS, validity
from ggmi.text.parsing import parse
from ggmi.text.records import FIELDS

A = {"instruction": "Add.", "context": "1 2", "response": "3"}
B = {"instruction": "Say \"{}\" or '[1]'.", "context": "", "response": 'line\n```\n{"a": 1}'}
TEXT_A, TEXT_B = json.dumps(A), json.dumps(B)
INDENTED = json.dumps([A, B], indent=2)


def found(text, **settings):
    """Records as (position, fields) and failures as (position, reason), after checking their places."""
    result = parse(text, **settings)
    items = sorted([*result.records, *result.failures], key=lambda item: item.position)
    assert [item.position for item in items] == list(range(len(items)))
    assert all(before.end <= after.start for before, after in itertools.pairwise(items))
    for record in result.records:
        values = json.loads(text[record.start : record.end])
        assert (record.instruction, record.response) == (values["instruction"], values["response"])
        assert record.context == (values.get("context") or "")
        assert record.extra_fields == len(set(values) - set(FIELDS))
    for failure in result.failures:
        assert failure.reason in REASONS
        shown = text[failure.start : failure.end][: parsing.EXCERPT]
        assert failure.excerpt == shown.encode("utf-8", "backslashreplace").decode()
    records = [(r.position, {name: getattr(r, name) for name in FIELDS}) for r in result.records]
    return records, [(f.position, f.reason) for f in result.failures]


@pytest.mark.parametrize(
    "text",
    [
        f"[{TEXT_A}, {TEXT_B}]",
        f"{TEXT_A}\n{TEXT_B}\n",
        f"{TEXT_A}{TEXT_B}",
        f"{TEXT_A}, {TEXT_B},",
        f"```json\n{INDENTED}\n```",
        f"```\n{TEXT_A}\n```\nand\n```\n{TEXT_B}\n```",
        f"Sure! Here are {{two}} tasks [as asked]:\n\n1. {TEXT_A}\n2. {TEXT_B}\n\nI'm done {{ ok }} \" [1].",
        f"[\n{TEXT_A},\n{TEXT_B},\n]",
        f"[[{TEXT_A}], [{TEXT_B}]]",
        f'{{"tasks": [{TEXT_A}, {TEXT_B}]}}',
        json.dumps({"tasks": [A, B]}, indent=4),
        f'["no" list] {TEXT_A} {TEXT_B}',
        f"{{{TEXT_A}}} {TEXT_B}",
    ],
)
def test_records_are_found_whatever_stands_around_them(text):
    assert found(text) == ([(0, A), (1, B)], [])


@pytest.mark.parametrize(
    ("text", "records", "reasons"),
    [
        ("", [], ["no_json"]),
        ("I am sorry, I cannot {do} that [1].", [], ["no_json"]),
        ('[{"instruction": "Add.", "resp', [], ["truncated"]),
        ("[{", [], ["truncated"]),
        ('{"instruction": "Add.", "response": "\\u00', [], ["truncated"]),
        ('{"instruction": "Add.", "context": nul', [], ["truncated"]),
        ('{"instruction": "Add.", "n": 1.', [], ["truncated"]),
        (f'{{"tasks": [{TEXT_A}, {{"instr', [0], ["truncated"]),
        (f'{{"bad": [{TEXT_A}], "instruction": "Add.", "resp', [], ["truncated"]),
        (f'{{"bad": [{TEXT_A}], "instruction": "Add.", "response": "3"}}', [0], []),
        (f'{{"response": [{TEXT_A}]}}', [], ["missing_field"]),
        (f'{{"tasks": [{{"more": [{TEXT_A}]}}]}}', [], ["missing_field"]),
        (f'[{TEXT_A}, 5, "text", null, [1, {{}}], {TEXT_B}]', [0, 5], ["not_an_object"] * 4),
        ('["Add.", "Name a city."]', [], ["not_an_object"] * 2),
        (f"[{TEXT_A}, [1, oops], {TEXT_B}]", [0, 2], ["bad_json"]),
        ("{'instruction': 'Add.', 'response': '3'}", [], ["bad_json"]),
        ('{"instruction": "Add.", "response": "3",}', [], ["bad_json"]),
        ('{"instruction": "Add.", "response": "a\nb"}', [], ["bad_json"]),
        ('{"instruction": "Say "hi"", "response": "b"}', [], ["bad_json"]),
        ('{instruction: "Add."}', [], ["bad_json"]),
        ('{"instruction": "Add.", "response": 3}', [], ["wrong_type"]),
        ('{"instruction": "Add.", "response": ["3"]}', [], ["wrong_type"]),
        ('{"instruction": "Add.", "context": 0, "response": "3"}', [], ["wrong_type"]),
        ('{"instruction": "Add."}', [], ["missing_field"]),
        ('{"Instruction": "Add.", "response": "3"}', [], ["missing_field"]),
        ('{"instruction": "Add.", "response": null}', [], ["missing_field"]),
        ('{"instruction": " \\n", "response": "3"}', [], ["empty_field"]),
        ('{"instruction": "Add.", "response": "3", "response": "4"}', [], ["duplicate_key"]),
        ('{"instruction": "Add.", "response": "3", "n": NaN}', [], ["bad_number"]),
        ('{"instruction": "Add.", "response": "3", "n": [-Infinity]}', [], ["bad_number"]),
        ('{"instruction": "Add.", "response": "\\u0000"}', [], ["bad_character"]),
        ('{"instruction": "Add.", "response": "\\ud83d"}', [], ["bad_character"]),
        ('{"instruction": "Add.", "response": "\ud83d"}', [], ["bad_character"]),
        ('{"instruction": "Add.", "response": "\x00"}', [], ["bad_json"]),
    ],
)
def test_every_failure_has_its_reason(text, records, reasons):
    got, failures = found(text)
    assert [position for position, _ in got] == records
    assert [reason for _, reason in failures] == reasons


def test_a_broken_object_takes_what_is_inside_it_along():
    assert found(f'{{"a": oops, "example": {TEXT_A}}} {TEXT_B}') == ([(1, B)], [(0, "bad_json")])
    assert found(f"{{'context': '{TEXT_A}', 'response': 'x'}}\n{TEXT_B}") == ([(1, B)], [(0, "bad_json")])
    assert found(f'{{\n  "a": oops,\n  "b": [\n    {TEXT_A}\n  ]\n}}\n{TEXT_B}') == ([(1, B)], [(0, "bad_json")])


def test_pieces_of_a_broken_object_are_no_records():
    # The bracket inside the string ends the broken object too early.
    left = [(0, "bad_json"), (1, "bad_json")]
    assert found(f'{{"a": oops, "b": "}}", "c": {TEXT_A}}}, {TEXT_B}') == ([(2, B)], left)
    assert found(f'{{"a": oops, "b": "}}", "c": [{TEXT_A}, {TEXT_A}]}}, {TEXT_B}') == ([(2, B)], left)
    assert found(f'"task": {TEXT_A} {TEXT_B}') == ([(1, B)], [(0, "bad_json")])
    assert found(f"Task: {TEXT_A} {TEXT_B}") == ([(0, A), (1, B)], [])


def test_a_line_that_begins_an_object_ends_one_that_was_never_closed():
    assert found(f'{{"instruction": "Add.", "response": "3"\n{TEXT_A}') == ([(1, A)], [(0, "bad_json")])
    assert found(f'{{"instruction": "Add.", "response": "3}}\n{TEXT_A}') == ([(1, A)], [(0, "bad_json")])
    deeper = f'[\n  {{"instruction": "Add.", "response": "3"\n    {TEXT_A}\n  {TEXT_B}]'
    assert found(deeper) == ([(1, B)], [(0, "bad_json")])


def test_a_context_may_be_absent_null_or_empty_unless_it_is_required():
    texts = [
        f'{{"instruction": "Add.", "response": "3"{more}}}' for more in ("", ', "context": null', ', "context": ""')
    ]
    assert [found(text)[1] for text in texts] == [[], [], []]
    assert [found(text, context_required=True)[1] for text in texts] == [
        [(0, "missing_field")],
        [(0, "missing_field")],
        [(0, "empty_field")],
    ]


def test_other_fields_and_huge_numbers_are_passed_over_and_counted():
    text = f'{{"id": {"9" * 100_000}, "instruction": "Add.", "x": {{"response": [1e999]}}, "response": "3"}}'
    (record,) = parse(text, max_characters=200_000).records
    assert (record.instruction, record.response, record.extra_fields) == ("Add.", "3", 2)


@pytest.mark.parametrize("edge", [parsing.WINDOW, 2 * parsing.WINDOW])
def test_nothing_changes_where_the_decoder_is_given_only_a_part(edge):
    for length in range(edge - 80, edge):
        text = json.dumps({"instruction": "x" * length + "é😀\n", "more": None, "n": -1.5e-3, "response": "3"})
        assert len(parse(text).records) == 1
        assert [f.reason for f in parse(text[:-1] + "x}").failures] == ["bad_json"]
    assert found(f"[{TEXT_A}, {'9' * edge}, {TEXT_B}]") == ([(0, A), (2, B)], [(1, "not_an_object")])


def test_control_and_direction_characters_are_kept():
    hostile = "<script>\u202e\u2066\x07{{ anchors }} %s =1+1 \ufeff"
    text = json.dumps({"instruction": hostile, "response": hostile})
    assert found(text)[0] == [(0, {"instruction": hostile, "context": "", "response": hostile})]


def test_an_object_too_long_or_too_deep_is_no_record():
    long = json.dumps({**A, "response": "x" * 10**7})
    assert found(f"{long}\n{TEXT_A}") == ([(1, A)], [(0, "too_long")])
    for depth, reasons in ((MAX_DEPTH - 1, []), (MAX_DEPTH, [(0, "too_deep")]), (100_000, [(0, "too_deep")])):
        text = f'{{"instruction": "Add.", "response": "3", "x": {"[" * depth}{"]" * depth}}}'
        records, failures = found(f"{text}\n{TEXT_A}", max_characters=10**6)
        assert failures == reasons
        assert records[-1][1] == A


def test_the_answer_does_not_depend_on_how_deep_the_caller_is():
    texts = [f'{{"a": {"[" * n}{tail}}}\n{TEXT_A}' for n in (50, 99, 100, 101, 150) for tail in ("]" * n, "oops")]

    def below(frames):
        return below(frames - 1) if frames else [parse(text) for text in texts]

    assert below(sys.getrecursionlimit() - 400) == [parse(text) for text in texts]


def steps(text):
    """How often `parse` starts a step of its own, in lines of Python executed."""
    count = 0

    def trace(frame, event, _):
        nonlocal count
        count += event == "line"
        return trace

    sys.settrace(trace)
    try:
        parse(text)
    finally:
        sys.settrace(None)
    return count


@pytest.mark.parametrize(
    "piece",
    ['{"a":', "[", '[{"a":', '{"', "{}", "{'", '["', '{"a" x\n', "[{},[[", '{"a\\', '{"a":[{"a":[', "{x:", "\n {"],
)
def test_hostile_text_is_read_in_steps_that_grow_with_its_length(piece):
    short, long = (steps(piece * n) for n in (1_000, 4_000))
    assert long < 5 * short + 200


@pytest.mark.parametrize(
    "piece", ['{"a":', "[", '[{"a":', '{"', '["', '{"a" x\n', "[{},[[", '{"a\\', "{x:", "{ ", "[["]
)
def test_long_hostile_text_is_read(piece):
    result = parse(piece * 10**5)
    assert not result.records
    assert result.failures


FIELD = st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"])).filter(str.strip)
RECORD = st.fixed_dictionaries(
    {"instruction": FIELD, "response": FIELD}, optional={"context": FIELD, "id": st.integers(), "extra": FIELD}
)
ITEMS = st.lists(RECORD | st.text() | st.none() | st.dictionaries(st.text(), st.text()), min_size=1)


def expected(items):
    """What whole JSON states: by its items, not by their text."""
    return [
        {name: item.get(name, "") for name in FIELDS}
        for item in items
        if isinstance(item, dict)
        and all(isinstance(item.get(n), str) and item[n].strip() for n in ("instruction", "response"))
        and not any("\x00" in str(item.get(n)) for n in FIELDS)
        and isinstance(item.get("context", ""), str)
    ]


@given(ITEMS, st.sampled_from([None, 1, "\t"]), st.booleans())
def test_a_list_gives_its_records_however_it_is_written(items, indent, ascii_only):
    first = {"instruction": "Begin.", "response": "Yes."}
    text = json.dumps([first, *items], indent=indent, ensure_ascii=ascii_only)
    records, failures = found(text)
    assert [values for _, values in records] == expected([first, *items])
    assert len(records) + len(failures) == len(items) + 1


@given(st.lists(RECORD, min_size=1), st.data())
def test_a_list_cut_off_anywhere_gives_the_records_before_the_cut(items, data):
    text = json.dumps(items, ensure_ascii=False)
    cut = data.draw(st.integers(0, len(text)))
    whole = [r for r in parse(text).records if r.end <= cut]
    records, failures = found(text[:cut])
    assert len(records) == len(whole)
    assert {reason for _, reason in failures} <= {"truncated", "no_json"}


MUTATIONS = st.lists(
    st.tuples(
        st.sampled_from(["cut", "put", "copy"]),
        st.floats(0, 1),
        st.sampled_from([*"{}[]\",:\\\n'`", "\x00", "\ud800", "\u202e", "NaN", '"', "{{", '{"a": ', TEXT_A]),
    ),
    max_size=8,
)


def mutated(text, mutations):
    for kind, where, piece in mutations:
        at = int(where * len(text))
        if kind == "cut":
            text = text[:at] + text[at + 1 + len(piece) :]
        elif kind == "put":
            text = text[:at] + piece + text[at:]
        else:
            text = text[at:] + text[:at]
    return text


@settings(max_examples=500)
@given(st.lists(RECORD, min_size=1, max_size=3), st.sampled_from([None, 2]), MUTATIONS)
def test_damaged_text_never_gives_a_record_that_it_does_not_state(items, indent, mutations):
    found(mutated(json.dumps(items, indent=indent, ensure_ascii=False), mutations))


@given(st.text() | st.text(st.sampled_from("{}[]\",: \\\n'ab1")))
def test_any_text_gives_a_record_or_a_reason(text):
    records, failures = found(text)
    assert records or failures


def test_text_that_is_no_json_has_no_valid_record(seed_tasks):
    answers = [parse(task.response) for task in seed_tasks]
    assert validity(answers).rate == 0


def test_real_records_come_back(seed_tasks, as_json):
    text = "Here you are:\n" + "\n".join(as_json(*task.values) for task in seed_tasks)
    result = parse(text)
    assert [(r.instruction, r.context, r.response) for r in result.records] == [task.values for task in seed_tasks]
    assert not result.failures
