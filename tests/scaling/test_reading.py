import gzip
import json

import numpy as np
import pandas as pd
import pytest

from ggmi.errors import UserError
from ggmi.scaling.columns import Columns
from ggmi.scaling.reading import read_samples

ROWS = [
    {"problem": "p1", "answer": "4", "correct": True, "score": 0.5, "tokens": 10},
    {"problem": "p1", "answer": None, "correct": False, "score": None, "tokens": 30},
    {"problem": "p2", "answer": "x", "correct": False, "score": 0.25, "tokens": 20},
]


def write(path, rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return str(path)


def same(one, other):
    assert one.problems == other.problems
    np.testing.assert_array_equal(one.correct, other.correct)
    np.testing.assert_array_equal(one.answer, other.answer)
    np.testing.assert_array_equal(one.scores["score"], other.scores["score"])
    np.testing.assert_array_equal(one.tokens, other.tokens)


def test_all_formats_hold_the_same_samples(tmp_path):
    first = read_samples([write(tmp_path / "a.jsonl", ROWS)], Columns())
    table = pd.DataFrame(ROWS)
    table.to_csv(tmp_path / "a.csv", index=False)
    table.to_parquet(tmp_path / "a.parquet")
    table.to_csv(tmp_path / "a.csv.gz", index=False)
    with gzip.open(tmp_path / "a.jsonl.gz", "wt") as file:
        file.writelines(json.dumps(row) + "\n" for row in ROWS)
    assert first.samples.sizes.tolist() == [2, 1]
    assert first.samples.answer.tolist() == [-1, 0, 0]
    for name in ("a.csv", "a.parquet", "a.csv.gz", "a.jsonl.gz"):
        same(read_samples([str(tmp_path / name)], Columns()).samples, first.samples)
    assert any("1 of 3 samples have no answer" in note for note in first.notes)
    assert any("1 of 3 samples lack score" in note for note in first.notes)


def test_references_are_compared_in_normal_form_and_members_of_objects_are_columns(tmp_path):
    rows = [
        {"id": 1, "out": {"answer": "0.50"}, "gold": "1/2"},
        {"id": 1, "out": {"answer": 0.5}, "gold": "1/2"},
        {"id": 1, "out": {"answer": "2"}, "gold": "1/2"},
    ]
    found = read_samples([write(tmp_path / "a.jsonl", rows)], Columns(problem="id", answer="out.answer"))
    assert found.samples.right.tolist() == [2]
    assert len(found.samples.groups.count) == 2
    pd.DataFrame(rows).assign(out=[{"answer": str(row["out"]["answer"])} for row in rows]).to_parquet(
        tmp_path / "a.parquet"
    )
    again = read_samples([str(tmp_path / "a.parquet")], Columns(problem="id", answer="out.answer"))
    np.testing.assert_array_equal(again.samples.correct, found.samples.correct)


def test_a_reference_that_is_named_is_compared_even_where_the_file_judges(tmp_path):
    rows = [{"problem": "a", "answer": "2", "correct": True, "gold": "1"}]
    path = write(tmp_path / "a.jsonl", rows)
    assert read_samples([path], Columns()).samples.right.tolist() == [1]
    assert read_samples([path], Columns(reference="gold")).samples.right.tolist() == [0]
    with pytest.raises(UserError, match="line 1: the field 'gold' is a list; allowed: text or a number"):
        read_samples([write(tmp_path / "b.jsonl", [rows[0] | {"gold": ["1"]}])], Columns(reference="gold"))


def test_a_problem_with_two_references_is_left_out_and_told(tmp_path):
    rows = [
        {"problem": "a", "answer": "1", "reference": "1"},
        {"problem": "a", "answer": "1", "reference": "2"},
        {"problem": "b", "answer": "3", "reference": "3.0"},
    ]
    found = read_samples([write(tmp_path / "a.jsonl", rows)], Columns())
    assert found.samples.problems == ("b",)
    assert found.notes == ["1 problem with two references that differ is left out, with 2 samples; the first is “a”."]


def test_an_answer_right_here_and_wrong_there_and_repeated_rows_are_told(tmp_path):
    rows = [{"problem": "a", "answer": "1", "correct": right, "score": 0.5} for right in (1, 0, 0)]
    notes = read_samples([write(tmp_path / "a.jsonl", rows)], Columns()).notes
    assert any("1 answer of a problem counted as right in one sample and as wrong in another" in note for note in notes)
    assert any("1 row repeats another of its problem" in note for note in notes)


def test_texts_are_read_by_a_rule(tmp_path):
    rows = [
        {"problem": "a", "text": r"so \boxed{\frac12}", "reference": "0.5"},
        {"problem": "a", "text": "I do not know", "reference": "0.5"},
    ]
    found = read_samples([write(tmp_path / "a.jsonl", rows)], Columns(), extract="math")
    assert found.samples.correct.tolist() == [False, True]
    assert found.samples.answer.tolist() == [-1, 0]


def test_samples_of_a_problem_may_lie_in_several_files(tmp_path):
    paths = [write(tmp_path / f"{seed}.jsonl", ROWS) for seed in range(3)]
    assert read_samples(paths, Columns()).samples.sizes.tolist() == [6, 3]


def log(doc_id, texts, filtered, target="#### 7", name="flexible-extract", **metrics):
    return {
        "doc_id": doc_id,
        "doc": {"question": "?"},
        "target": target,
        "arguments": {},
        "resps": [texts],
        "filtered_resps": filtered,
        "filter": name,
        **metrics,
    }


def test_sample_logs_of_the_harness(tmp_path):
    """One response: its metric counts. Several: each is compared with the target. Other filters are left out."""
    rows = [
        log(0, ["it is 7"], ["7"], exact_match=1.0),
        log(0, ["it is 7"], ["[invalid]"], name="strict-match", exact_match=0.0),
        log(1, ["7 or so"], ["[invalid]"], exact_match=0.0),
        log(2, ["7", "7.0", "8"], ["7", "7.0", "8"], exact_match=1.0),
    ]
    path = write(tmp_path / "samples_gsm8k_2025-01-01T00-00-00.jsonl", rows)
    found = read_samples([path], Columns())
    assert found.samples.problems == ("0", "1", "2")
    assert found.samples.sizes.tolist() == [1, 1, 3]
    assert found.samples.right.tolist() == [1, 0, 2]
    assert found.notes[0] == "Rows of other filters are left out ('strict-match'); --filter takes one of them instead."
    strict = read_samples([path], Columns(), only="strict-match")
    assert strict.samples.right.tolist() == [0]


def test_responses_that_the_harness_cut_to_the_first_are_extracted(tmp_path):
    rows = [log(0, ["A: 7", "A: 8", "none"], ["7"], exact_match=1.0)]
    path = write(tmp_path / "samples_x_2025-01-01T00-00-00.jsonl", rows)
    with pytest.raises(UserError, match="line 1: holds 3 responses, of which a filter kept 1; say with --extract"):
        read_samples([path], Columns())
    found = read_samples([path], Columns(), extract="gsm8k")
    assert found.samples.right.tolist() == [1]
    assert found.samples.answer.tolist() == [-1, 0, 1]


def test_sample_logs_may_be_parquet_and_texts_of_them_are_not_named(tmp_path):
    rows = [log(0, ["A: 7", "A: 8"], ["7"]), log(1, ["A: 7"], ["7"])]
    pd.DataFrame(rows).drop(columns="arguments").to_parquet(tmp_path / "samples.parquet")
    found = read_samples([str(tmp_path / "samples.parquet")], Columns(), extract="gsm8k")
    assert found.samples.sizes.tolist() == [2, 1]
    assert found.samples.right.tolist() == [1, 1]
    with pytest.raises(UserError, match=r"--text: .* is a sample log, whose texts are in 'resps'"):
        read_samples([str(tmp_path / "samples.parquet")], Columns(text="target"), extract="gsm8k")


def test_a_byte_order_mark_and_blank_lines_are_no_part_of_the_rows(tmp_path):
    text = "\n".join(["", *(json.dumps(row) for row in ROWS), "", ""])
    (tmp_path / "a.jsonl").write_text(text, encoding="utf-8-sig")
    pd.DataFrame(ROWS).to_csv(tmp_path / "a.csv", index=False, encoding="utf-8-sig")
    first = read_samples([write(tmp_path / "b.jsonl", ROWS)], Columns()).samples
    for name in ("a.jsonl", "a.csv"):
        same(read_samples([str(tmp_path / name)], Columns()).samples, first)
    (tmp_path / "c.jsonl").write_bytes(b"\n" + json.dumps(ROWS[0]).encode() + b"\n\xff\n")
    with pytest.raises(UserError, match="line 3: is not in UTF-8"):
        read_samples([str(tmp_path / "c.jsonl")], Columns())


def test_numbers_that_lack_some_are_whole_and_their_gaps_are_missing(tmp_path):
    table = pd.DataFrame(
        {"problem": [1.0, 1.0], "answer": [3.0, np.nan], "correct": [1.0, 0.0], "score": [np.nan, 2.0]}
    )
    table.to_parquet(tmp_path / "a.parquet")
    found = read_samples([str(tmp_path / "a.parquet")], Columns()).samples
    assert found.problems == ("1",)
    assert found.answer.tolist() == [-1, 0]
    assert found.correct.tolist() == [False, True]


def test_documents_of_two_tasks_are_not_mixed(tmp_path):
    paths = [
        write(tmp_path / f"samples_{task}_2025-01-01T00-00-0{i}.jsonl", [log(0, ["7"], ["7"], exact_match=1)])
        for i, task in enumerate(("one", "two"))
    ]
    again = write(tmp_path / "samples_one_2025-02-01T00-00-00.jsonl", [log(0, ["8"], ["8"], exact_match=0)])
    found = read_samples([*paths, again], Columns())
    assert found.samples.problems == ("one/0", "two/0")
    assert found.samples.sizes.tolist() == [2, 1]


def test_a_log_without_filters_takes_its_responses(tmp_path):
    row = {"doc_id": 0, "target": "7", "resps": [["A: 7", "A: 8"]]}
    found = read_samples([write(tmp_path / "a.jsonl", [row])], Columns(), extract="gsm8k")
    assert found.samples.right.tolist() == [1]


def test_log_likelihoods_of_the_harness_have_no_texts(tmp_path):
    row = {
        "doc_id": 3,
        "target": 1,
        "resps": [[[-3.0, False]], [[-1.0, True]]],
        "filtered_resps": [[-3.0, False], [-1.0, True]],
    }
    found = read_samples([write(tmp_path / "a.jsonl", [row | {"acc": 1.0}])], Columns())
    assert found.samples.sizes.tolist() == [1]
    assert found.samples.right.tolist() == [1]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"correct": 0.5}, "line 2: the field 'correct' is 0.5; allowed: true, false, 1 or 0"),
        ({"correct": "maybe"}, "line 2: the field 'correct' is 'maybe'; allowed: true, false, 1 or 0"),
        ({"correct": None}, "line 2: nothing says whether the sample is right ('correct' missing)"),
        ({"score": "high"}, "line 2: the field 'score' is 'high'; allowed: a number, or nothing where it is missing"),
        (
            {"score": float("inf")},
            "line 2: the field 'score' is inf; allowed: a number, or nothing where it is missing",
        ),
        ({"score": True}, "line 2: the field 'score' is True; allowed: a number, or nothing where it is missing"),
        ({"score": [1]}, "line 2: the field 'score' is a list; allowed: a number, or nothing where it is missing"),
        ({"tokens": -1}, "line 2: the field 'tokens' is -1; allowed: a number of at least 0"),
        ({"problem": None}, "line 2: the field 'problem' is null; allowed: text or a whole number"),
        ({"problem": ""}, "line 2: the field 'problem' is empty; allowed: text or a whole number"),
        ({"answer": ["4"]}, "line 2: the field 'answer' is a list; allowed: text or a number"),
    ],
)
def test_a_wrong_value_is_told_with_its_place(tmp_path, change, told):
    path = write(tmp_path / "a.jsonl", [ROWS[0], ROWS[0] | change])
    with pytest.raises(UserError) as error:
        read_samples([path], Columns())
    assert str(error.value) == f"{path}: {told}"


@pytest.mark.parametrize(
    ("content", "asked", "told"),
    [
        ('{"problem": "a", "correct": 1}\n{"problem"', Columns(), "line 2: is not JSON"),
        ("[1]\n", Columns(), "line 1: holds a list; allowed: an object a line"),
        ('{"problem": "a", "correct": 1}', Columns(correct="corect"), "no column 'corect'; did you mean 'correct'?"),
        ('{"problem": "a", "correct": 1}', Columns(scores=("orm",)), "--score: "),
        ('{"task": "a", "correct": 1}', Columns(), "name it with --problem, one of task, correct"),
        ('{"problem": "a", "answer": 1}', Columns(), "nothing says which samples are right"),
        ('{"problem": "a", "gold": 1}', Columns(), "there is nothing to compare 'gold' with"),
        ("", Columns(problem="p"), "a.jsonl: holds no samples"),
    ],
)
def test_what_a_file_lacks_is_told(tmp_path, content, asked, told):
    path = tmp_path / "a.jsonl"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(UserError) as error:
        read_samples([str(path)], asked)
    assert told in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("name", "told"), [("a.txt", "has an unknown format; allowed: .jsonl"), ("no.csv", "there is no such file")]
)
def test_files_that_cannot_be_read_are_told(tmp_path, name, told):
    if name == "a.txt":
        (tmp_path / name).write_text("x")
    with pytest.raises(UserError, match=told):
        read_samples([str(tmp_path / name)], Columns())


@pytest.mark.parametrize("name", ["a.parquet", "a.csv.gz", "a.jsonl.zst"])
def test_damaged_files_are_told(tmp_path, name):
    (tmp_path / name).write_bytes(b"PAR1 nothing of it")
    with pytest.raises(UserError, match="cannot be read"):
        read_samples([str(tmp_path / name)], Columns())
