import json

import pytest

from ggmi.errors import UserError
from ggmi.scaling.extraction import gsm8k, math, math_form, plain, rule

MODELS = ("6b_finetuning", "6b_verification", "175b_finetuning", "175b_verification")


def lines(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").rstrip("\n").split("\n")]


@pytest.mark.parametrize("name", ["test", "train"])
def test_every_reference_of_gsm8k_is_found(gsm8k_files, name):
    extract, _ = rule("gsm8k")
    rows = lines(gsm8k_files / f"{name}.jsonl")
    assert len(rows) in (1319, 7473)
    for row in rows:
        wanted = row["answer"].rpartition("####")[2].replace(",", "").strip()
        assert extract(row["answer"]) == plain(wanted)
        assert float(wanted) == float(extract(row["answer"]))


def test_extraction_judges_real_models_answers_as_their_publishers_did(gsm8k_files):
    extract, _ = rule("gsm8k")
    rows = lines(gsm8k_files / "example_model_solutions.jsonl")
    for model in MODELS:
        for row in rows:
            same = extract(row[model]["solution"]) == extract(row["ground_truth"])
            assert same == row[model]["is_correct"]


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("so 9 * 2 = 18.\n#### 18", "18"),
        ("#### $1,234.50", "2469/2"),
        ("#### -3", "-3"),
        ("#### 4\nwait\n#### 5", "5"),
        ("He has 3 left.\nA: 3,000", "3000"),
        ("The answer is 12 of 40 eggs.", "12"),
        ("The final answer: $7.00", "7"),
        ("It costs .75 dollars", "3/4"),
        ("He walks 2 miles and then 16 more", "16"),
        ("x2 and version3 are no numbers", None),
        ("####", None),
        ("", None),
    ],
)
def test_forms_of_gsm8k(text, answer):
    assert gsm8k(text) == answer


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        (r"\boxed{1} and then \boxed{\frac{1}{2}}", "1/2"),
        (r"\boxed{\dfrac12}", "1/2"),
        (r"\boxed{0.50}", "1/2"),
        (r"\boxed{-\tfrac{3}{6}}", "-1/2"),
        (r"\boxed{\frac{\sqrt{3}}{2}}", r"\frac{\sqrt{3}}{2}"),
        (r"\boxed{5\sqrt2}", r"5\sqrt{2}"),
        (r"\boxed{10 \text{ inches}}", "10"),
        (r"\boxed{12\text{ cm}^2}", "12"),
        (r"\boxed{90^\circ}", "90"),
        (r"\boxed{50\%}", "50"),
        (r"\boxed{\$1{,}000}", "1000"),
        (r"\boxed{\left( 2, \infty \right)}", r"(2,\infty)"),
        (r"\boxed{\text{(B)}}", "B"),
        (r"\boxed{\text{Evelyn}}", "Evelyn"),
        (r"\boxed{x = 5}", "5"),
        (r"\fbox{3}", "3"),
        (r"\boxed 7", "7"),
        (r"\boxed{\begin{pmatrix} 1 \\ 2 \end{pmatrix}}", r"\begin{pmatrix}1\\2\end{pmatrix}"),
        (r"The answer is $\frac{4}{2}$.", "2"),
        (r"\boxed{1/0}", "1/0"),
        (r"never closed \boxed{\frac{1}{2}", None),
        (r"\boxed{}", None),
        ("nothing", None),
    ],
)
def test_forms_of_math(text, answer):
    assert math(text) == answer


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (r"\frac{1}{2}", ".5"),
        (r"3\!", "3.0"),
        (r"\frac a b", r"\frac{a}{b}"),
        ("10 cm", "10"),
        ("(A)", "A"),
        ("−4", "-4"),
    ],
)
def test_equal_answers_of_math_are_spelt_alike(one, other):
    assert math_form(one) == math_form(other)


@pytest.mark.parametrize(("one", "other"), [("x+1", "1+x"), ("1,2", "12"), ("(1,2)", "[1,2]"), ("2", "-2")])
def test_different_spellings_that_no_algebra_joins_stay_apart(one, other):
    assert math_form(one) != math_form(other)


def test_a_numeral_without_end_is_text():
    long = "9" * 5000
    assert plain(long) == long


def test_an_expression_of_ones_own_takes_its_last_match():
    extract, normal = rule(r"ANSWER=(\S+)")
    assert extract("ANSWER=3 ANSWER=4.0") == normal("4")
    assert extract("none") is None
    assert rule(r"\d+")[0]("1 2 3") == "3"


def test_what_is_no_expression_is_told():
    with pytest.raises(
        UserError, match=r"--extract: '\(' is neither gsm8k nor math nor true_false nor a regular expression"
    ):
        rule("(")
