import itertools
import json
import re
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ggmi.text import parsing, scanning
from ggmi.text.format import Format
from ggmi.text.jsonl import MAX_DEPTH
from ggmi.text.outcomes import REASONS, validity
from ggmi.text.parsing import parse
from ggmi.text.records import FIELDS
from ggmi.text.thinking import Marks

A = {"instruction": "Add.", "context": "1 2", "response": "3"}
B = {"instruction": "Say \"{}\" or '[1]'.", "context": "", "response": 'line\n```\n{"a": 1}'}
TEXT_A, TEXT_B = json.dumps(A), json.dumps(B)
INDENTED = json.dumps([A, B], indent=2)


def found(text):
    """Records as (position, fields) and failures as (position, reason), after checking their places."""
    result = parse(text)
    items = sorted([*result.records, *result.failures], key=lambda item: item.position)
    assert [item.position for item in items] == list(range(len(items)))
    assert all(before.end <= after.start for before, after in itertools.pairwise(items))
    for record in result.records:
        values = json.loads(text[record.start : record.end], parse_int=str, parse_float=str)
        named = {re.sub(r"[\s_\-*:`\u200b-\u200f\ufeff]", "", key).casefold(): v for key, v in values.items()}
        texts = [named.get(field) for field in FIELDS]
        texts = ["" if v is None else str(v).lower() if isinstance(v, bool) else v for v in texts]
        assert [record.instruction, record.context.strip(), record.response] == [texts[0], texts[1].strip(), texts[2]]
        assert record.extra_fields == len(set(named) - set(FIELDS))
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
        (f'{{"response": [{TEXT_A}]}}', [0], []),
        (f'{{"note": "as asked", "response": [{TEXT_A}, {TEXT_B}]}}', [0, 1], []),
        (f'{{"response": [{TEXT_A}, {{"instr', [0], ["truncated"]),
        (f'{{"instruction": "Add.", "context": [{TEXT_A}]}}', [], ["missing_field"]),
        (f'[{TEXT_A}, 5, "text", null, [1, {{}}], {TEXT_B}]', [0, 5], ["not_an_object"] * 4),
        ('["Add.", "Name a city."]', [], ["not_an_object"] * 2),
        (f"[{TEXT_A}, [1, oops], {TEXT_B}]", [0, 2], ["bad_json"]),
        ("{'instruction': 'Add.', 'response': '3'}", [], ["bad_json"]),
        ('{"instruction": "Add.", "response": "3",}', [], ["bad_json"]),
        ('{"instruction": "Add.", "response": "a\nb"}', [], ["bad_json"]),
        ('{"instruction": "Say "hi"", "response": "b"}', [], ["bad_json"]),
        ('{instruction: "Add."}', [], ["bad_json"]),
        ('{"instruction": "Add.", "response": {"a": 3}}', [], ["wrong_type"]),
        ('{"instruction": "Add.", "response": ["3"]}', [], ["wrong_type"]),
        ('{"instruction": "Add.", "context": [0], "response": "3"}', [], ["wrong_type"]),
        ('{"instruction": "Add."}', [], ["missing_field"]),
        ('{"instruction": "Add.", "input": "x", "output": "3"}', [], ["missing_field"]),
        ('{"instruction": "Add.", "response": "3", "Reference response": "4"}', [], ["duplicate_key"]),
        ('{"instruction": "Add.", "response": "\u200b\ufeff"}', [], ["empty_field"]),
        ('{"instruction": "Halve \\frac{1}{2}.", "response": "3"}', [], ["bad_escape"]),
        ('{"instruction": "Add.", "response": "6 \\times 7"}', [], ["bad_escape"]),
        ('{"instruction": "Add.", "response": "Since \\alpha > 1, {no}."}\n' + TEXT_A, [1], ["bad_escape"]),
        ('{"tasks": [' + TEXT_A + ', {"instruction": "a", "response": "b",}, ' + TEXT_B + "]}", [0, 2], ["bad_json"]),
        ('{"n": 3, "tasks": [' + TEXT_A + ', {"instr', [0], ["truncated"]),
        ('{"1": ' + TEXT_A + ', "2": {"instr', [0], ["truncated"]),
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


def test_a_context_may_be_absent_null_or_empty():
    for more in ("", ', "context": null', ', "context": ""', ', "context": "\u200b"'):
        assert [r.context for r in parse(f'{{"instruction": "Add.", "response": "3"{more}}}').records] == [""]


def records_of(text, **form):
    """(instruction, context, response) of every record."""
    return [(r.instruction, r.context, r.response) for r in parse(text, Format(**form)).records]


def reasons_of(text, **form):
    return [failure.reason for failure in parse(text, Format(**form)).failures]


DRAFT = '{"instruction": "Draft.", "response": "no"}'
FINAL = '[{"instruction": "Boil an egg.", "response": "Seven minutes."}]'
KEPT = [("Boil an egg.", "", "Seven minutes.")]


@pytest.mark.parametrize(
    "text",
    [
        f"<think>\nPerhaps {DRAFT}, or not.\n</think>\n\n{FINAL}",
        f"Perhaps {DRAFT}, or not.\n</think>\n{FINAL}",
        f"Perhaps {DRAFT[:-5]} or so.\n</think>\n{FINAL}",
        f"<think>a {DRAFT}</think>\n<think>b {DRAFT}</think>{FINAL}",
        f'<think>What of {{"response": "<think>a</think>"}} and {DRAFT}?</think>{FINAL}',
        f"<thinking>{DRAFT}</thinking>\n{FINAL}",
        f"<seed:think>{DRAFT}</seed:think>{FINAL}",
        f"[THINK]{DRAFT}[/THINK]{FINAL}",
        f"\u25c1think\u25b7{DRAFT}\u25c1/think\u25b7{FINAL}",
        f"<|START_THINKING|>{DRAFT}<|END_THINKING|><|START_RESPONSE|>{FINAL}<|END_RESPONSE|>",
        f"<|channel|>analysis<|message|>{DRAFT}<|end|><|start|>assistant<|channel|>final<|message|>{FINAL}<|return|>",
        f"analysisWe write {DRAFT}.assistantfinal{FINAL}",
        f'<details type="reasoning" done="true">{DRAFT}</details>\n{FINAL}',
        f"<details>\n<summary>Thought for 3 s</summary>\n{DRAFT}\n</details>\n{FINAL}",
        f"<antThinking>{DRAFT}</antThinking>{FINAL}",
        f"<longcat_think>{DRAFT}</longcat_think>{FINAL}",
        f"<REASONING_SCRATCHPAD>{DRAFT}</REASONING_SCRATCHPAD>{FINAL}",
        f'<think duration="3">{DRAFT}</think >{FINAL}',
        f"<rationale>{DRAFT}</rationale>{FINAL}",
        f"<plan>{DRAFT}</plan>{FINAL}",
        f"[REASONING]{DRAFT}[/REASONING]{FINAL}",
        f"<|think:start|>{DRAFT}<|think:end|>{FINAL}",
        f"<|begin_of_thought|>{DRAFT}<|end_of_thought|><|begin_of_solution|>{FINAL}<|end_of_solution|>",
        f"<\uff5cbegin\u2581of\u2581thinking\uff5c>{DRAFT}<\uff5cend\u2581of\u2581thinking\uff5c>{FINAL}",
        f"Thinking...\n{DRAFT}\n...done thinking.\n\n{FINAL}",
        f"Here are my reasoning steps:\n{DRAFT}\n[BEGIN FINAL RESPONSE]\n{FINAL}",
        f"## Thinking\n\n{DRAFT}\n\n## Final Response\n\n{FINAL}",
        f"(musing) {DRAFT} (done) {FINAL}",
    ],
)
def test_thoughts_are_no_records(text):
    marks = Marks((("(musing)", "(done)"),))
    assert (records_of(text, marks=marks), reasons_of(text, marks=marks)) == (KEPT, [])


@pytest.mark.parametrize(
    "text",
    [
        f"<think>\nPerhaps {DRAFT} and then",
        f"Sure.\n<think>\n{DRAFT}",
        f"<think>a</think><think>{DRAFT}",
        f"<|channel|>analysis<|message|>{DRAFT} and",
        f"analysisWe write {DRAFT} and",
    ],
)
def test_thinking_that_is_cut_short_is_a_failure_of_its_own(text):
    assert (records_of(text), reasons_of(text)) == ([], ["thinking_cut"])


def test_thoughts_that_the_chat_template_opened_are_thoughts_where_nothing_closes_them():
    assert reasons_of(f"Perhaps {DRAFT}", opened=True) == ["thinking_cut"]
    assert records_of(f"Perhaps {DRAFT}</think>{FINAL}", opened=True) == KEPT
    assert reasons_of(f"{DRAFT}</think>") == ["no_json"]


def test_marks_inside_a_record_are_its_text():
    text = json.dumps([{"instruction": "Why </think>?", "response": "<think>1+1</think> 2"}] * 2)
    assert len(records_of(text)) == 2
    assert records_of(f"I use <think> tags: {FINAL}") == KEPT


PAIR = [("Name a moon.", "", "Io."), ("Name a sea.", "", "The Aral.")]
MOON, SEA = (json.dumps({"instruction": a, "response": b}) for a, _, b in PAIR)


@pytest.mark.parametrize(
    ("text", "form"),
    [
        (f"{MOON}\n{SEA}".replace('"response"', '"reference response"'), {}),
        (f"{MOON}\n{SEA}".replace('"response"', '"Reference_Response "').replace("instr", " Instr"), {}),
        (f"{MOON}\n{SEA}".replace('"response"', '"answer"'), {"names": {"response": "Answer"}}),
        (
            MOON.replace("response", "output") + SEA.replace("response", "solution"),
            {"names": {"response": ["output", "solution"]}},
        ),
        (f'{{"count": 2, "topics": ["a", "b"], "tasks": [{MOON}, {SEA}], "done": true}}', {}),
        (f'{{"data": {{"items": [{MOON}, {SEA}]}}}}', {}),
        (f'{{"response": {json.dumps(f"[{MOON}, {SEA}]")}}}', {}),
        (f"{MOON}\n{SEA}".replace('"instruction"', '"**Instruction:**"'), {}),
        (f'{{"task 1": {MOON}, "task 2": {SEA}}}', {}),
        (f'[{{"task": {MOON}}}, {{"task": {SEA}}}]', {}),
        (json.dumps(f"[{MOON}, {SEA}]"), {}),
        (json.dumps({"tasks": f"[{MOON},\n {SEA}]", "n": 2}), {}),
        (json.dumps([MOON, SEA]), {}),
        (f"[{MOON[:-1]},}},\n{SEA[:-1]},}},]", {"repair": True}),
        (f"[{MOON}, {SEA}]".replace('{"', "{\u201c").replace('"', "\u201d"), {"repair": True}),
        (f"[{MOON}, {SEA}]".replace('"', "'"), {"repair": True}),
        (f"[{MOON}, {SEA}]".replace('{"', "{\u2018").replace('"', "\u2019"), {"repair": True}),
        (f"[{MOON}, {SEA}]".replace('"', "\u201e", 1).replace('"', "\u201d"), {"repair": True}),
        (f"[{MOON}, {SEA}]".replace('{"', '{\u200b"').replace('":', '"\ufeff:'), {"repair": True}),
        (f"{MOON}, {SEA}".replace('"instruction"', "instruction"), {"repair": True}),
        (f"[{MOON}, {SEA}]".replace('", "resp', '" "resp'), {"repair": True}),
    ],
)
def test_records_are_read_as_models_write_them(text, form):
    assert (records_of(text, **form), reasons_of(text, **form)) == (PAIR, [])


def test_numbers_and_booleans_are_texts_as_they_are_written():
    text = '{"instruction": "Add.", "context": 1.50, "response": true}{"instruction": "Add.", "response": 1e999}'
    assert records_of(text) == [("Add.", "1.50", "true"), ("Add.", "", "1e999")]


def test_a_failure_names_the_keys_that_were_seen():
    text = '{"question": "Name a moon.", "answer": "Io."}' + SEA
    assert parse(text).failures[0].keys == ("question", "answer")
    assert validity([parse(text)]).keys == {"answer": 1, "question": 1}


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        (r"Halve \frac{1}{2} by \times and \nu.", r"Halve \frac{1}{2} by \times and \nu."),
        (r"\beta \rho \to \alpha\nnext \"line\" \u00e9", '\\beta \\rho \\to \\alpha\nnext "line" é'),
        ("two\nlines\tand a tab", "two\nlines\tand a tab"),
        ('He said "no" twice', 'He said "no" twice'),
        (r"a \\frac that is right, \sum that is not", r"a \frac that is right, \sum that is not"),
    ],
)
def test_repairs_are_counted_apart(written, meant):
    text = f'[{{"instruction": "Do it.", "response": "{written}"}}, {MOON}]'
    assert records_of(text) == PAIR[:1]
    mended = parse(text, Format(repair=True))
    assert [(r.response, r.repaired) for r in mended.records] == [(meant, True), ("Io.", False)]
    counted = validity([mended])
    assert (counted.records, counted.repaired, counted.rate) == (2, 1, 0.5)
    assert validity([parse(text)]).rate == 0.5


def test_strings_that_a_program_would_put_together_are_not_mended():
    text = '[{"instruction": "Name " + "a moon.", "response": "Io."}]'
    assert (records_of(text, repair=True), reasons_of(text, repair=True)) == ([], ["bad_json"])


def test_line_ends_and_tabs_before_words_are_no_latex():
    text = json.dumps({"instruction": "Run\nnot this\tto that\nnext \\frac{1}{2}", "response": "\ttwo\nin"})
    assert len(records_of(text)) == 1


def test_other_fields_and_huge_numbers_are_passed_over_and_counted(monkeypatch):
    text = f'{{"id": {"9" * 100_000}, "instruction": "Add.", "x": {{"response": [1e999]}}, "response": "3"}}'
    monkeypatch.setattr(parsing, "MAX_CHARACTERS", 200_000)
    (record,) = parse(text).records
    assert (record.instruction, record.response, record.extra_fields) == ("Add.", "3", 2)


@pytest.mark.parametrize("edge", [scanning.WINDOW, 2 * scanning.WINDOW])
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


def test_an_object_too_long_or_too_deep_is_no_record(monkeypatch):
    long = json.dumps({**A, "response": "x" * 10**7})
    assert found(f"{long}\n{TEXT_A}") == ([(1, A)], [(0, "too_long")])
    for depth, reasons in ((MAX_DEPTH - 1, []), (MAX_DEPTH, [(0, "too_deep")]), (100_000, [(0, "too_deep")])):
        text = f'{{"instruction": "Add.", "response": "3", "x": {"[" * depth}{"]" * depth}}}'
        monkeypatch.setattr(parsing, "MAX_CHARACTERS", 10**6)
        records, failures = found(f"{text}\n{TEXT_A}")
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


# What JSON's short escapes could be taken for LaTeX, and texts of invisible characters only, are tested above.
FIELD = st.text(st.characters(exclude_characters="\x00\x08\x0c\r\t\n$^_", exclude_categories=["Cs", "Cf"])).filter(
    str.strip
)
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
