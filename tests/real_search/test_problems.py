"""Problems and their answers as people keep them; which step states an answer."""

import json

import pytest

from ggmi.errors import UserError
from ggmi.real_search.problems import load_problems, read_problems, reference, step_reader, write_problems

SOURCE = {"fields": {}, "encoding": None, "invalid": "drop", "split": None, "revision": None}


def read(path, rows, form, most=None, **changes):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return read_problems({"source": str(path), **SOURCE, **changes}, form, most, 1, "mine")


def test_gsm8k_as_it_is_published(gsm8k_files):
    source = {"source": str(gsm8k_files / "test.jsonl"), **SOURCE}
    problems, report = read_problems(source, "gsm8k", None, 1, "gsm8k")
    assert (len(problems), report["unreadable_answers"]) == (1319, 0)
    assert [p.answer for p in problems[:3]] == ["18", "3", "70000"]
    few, report = read_problems(source, "gsm8k", 50, 1, "gsm8k")
    assert (len(few), report["problems"], report["taken"]) == (50, 1319, 50)
    # The same ones each time, in their order, others with another seed.
    places = [problems.index(p) for p in few]
    assert places == sorted(places)
    assert few == read_problems(source, "gsm8k", 50, 1, "gsm8k")[0] != read_problems(source, "gsm8k", 50, 2, "gsm8k")[0]


def test_true_or_false_with_facts_beside_the_question(tmp_path):
    rows = [
        {"question": "Alex is a lempus.", "query": "True or false: Alex is shy.", "answer": "True"},
        {"question": "Sam is a wumpus.", "query": "True or false: Sam is shy.", "answer": False},
    ]
    fields = {"instruction": "query", "context": "question", "response": "answer"}
    problems, _ = read(tmp_path / "p.jsonl", rows, "true_false", fields=fields)
    assert [p.answer for p in problems] == ["True", "False"]
    assert problems[0].question == "True or false: Alex is shy.\nAlex is a lempus."
    write_problems(tmp_path / "made.jsonl", problems)
    assert load_problems(tmp_path / "made.jsonl") == problems


def test_answers_that_cannot_be_read_are_counted_or_refused(tmp_path):
    rows = [{"question": "1 + 1?", "answer": "#### 2"}, {"question": "Why?", "answer": "nobody knows"}]
    problems, report = read(tmp_path / "p.jsonl", rows, "gsm8k")
    assert ([p.answer for p in problems], report["unreadable_answers"]) == (["2"], 1)
    with pytest.raises(
        UserError, match=r"mine\.problems\.answer: .*p\.jsonl: line 2: the answer 'nobody knows' is not"
    ):
        read(tmp_path / "p.jsonl", rows, "gsm8k", invalid="stop")
    with pytest.raises(UserError, match=r"is not of the form true_false \(2 of 2 are not\)"):
        read(tmp_path / "p.jsonl", rows, "true_false")


@pytest.mark.parametrize(
    ("form", "step", "answer"),
    [
        ("gsm8k", "She has 3 eggs and 4 more.", None),
        ("gsm8k", "#### 1,800", "1800"),
        ("gsm8k", "So the answer is **$18.50**.", "37/2"),
        ("gsm8k", "The answer is not known", ""),
        ("math", r"Hence \boxed{\dfrac{3}{6}}.", "1/2"),
        ("math", "The answer is $x = 5$.", "5"),
        ("math", "x = 5", None),
        ("true_false", "Alex is shy is true, since each lempus is.", None),
        ("true_false", "The answer is: True", "True"),
        ("true_false", "The answer is perhaps.", ""),
        ("exact", "The answer is blue whale.", "blue whale"),
        ("exact", "#### 0.50", "1/2"),
    ],
)
def test_a_step_states_an_answer_or_goes_on(form, step, answer):
    assert step_reader(form)(step) == answer


def test_references_are_answers_or_whole_solutions():
    assert reference(r"Thus $x = \boxed{\frac{2}{4}}$.", "math") == reference("0.5", "math") == "1/2"
    assert reference("It is. The answer is blue.", "exact") == reference(" blue ", "exact") == "blue"
    assert reference("no number", "gsm8k") is None
