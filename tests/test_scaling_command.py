import gzip
import json
import re
import shlex
import xml.etree.ElementTree as ET
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from ggmi import cli
from ggmi.random import stream

ROOT = Path(__file__).resolve().parents[1]
PUBLISHED = {"6b_finetuning": 21.7, "6b_verification": 39.0, "175b_finetuning": 34.7, "175b_verification": 56.3}
WORDS = re.compile(r"<script[^>]*>.*?</script>|<style>.*?</style>|<[^>]+>", re.DOTALL)


def rows(problems=30, n=8):
    """Samples with a good score, a worthless one with gaps, missing answers and tokens."""
    generator = stream(1, "test", "command")
    made = []
    for i, p in enumerate(generator.beta(1, 1, problems)):
        for _ in range(n):
            right = bool(generator.random() < p)
            made.append(
                {
                    "problem": f"<b>{i}</b>",
                    "answer": "42" if right else (None if generator.random() < 0.2 else str(generator.integers(0, 5))),
                    "correct": right,
                    "orm_score": round(float(generator.random() + 0.6 * right), 3),
                    "noise_score": None if generator.random() < 0.1 else round(float(generator.random()), 2),
                    "tokens": int(generator.integers(20, 90)),
                }
            )
    return made


def write(path, made):
    path.write_text("".join(json.dumps(row) + "\n" for row in made), encoding="utf-8")
    return str(path)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """What the pages' commands read, in the folder where they run."""
    made = rows()
    write(tmp_path / "samples.jsonl", made)
    models = [{"question": f"q{i}", "175b_verification": {"is_correct": i % 3 == 0}} for i in range(9)]
    write(tmp_path / "example_model_solutions.jsonl", models)
    texts = pd.DataFrame(made).assign(gold="42", response=[rf"so \boxed{{{row['answer']}}}" for row in made])
    with gzip.open(tmp_path / "texts.csv.gz", "wt", encoding="utf-8") as file:
        texts[["problem", "gold", "response", "orm_score"]].to_csv(file, index=False)
    log = [
        {
            "doc_id": i,
            "target": "#### 7",
            "filter": name,
            "resps": [["A: 7", "A: 8"]],
            "filtered_resps": ["7"],
            "exact_match": 1,
        }
        for i in range(6)
        for name in ("strict-match", "flexible-extract")
    ]
    write(tmp_path / "samples_gsm8k_2025-01-01T00-00-00.jsonl", log)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def commands():
    """Every line of a shell on the command's page."""
    page = (ROOT / "docs" / "scaling.md").read_text(encoding="utf-8")
    return [line for block in re.findall(r"```sh\n(.*?)```", page, re.DOTALL) for line in block.splitlines()]


@pytest.mark.parametrize("command", commands())
def test_every_command_of_the_page_runs(folder, capsys, command):
    program, *words = shlex.split(command)
    assert program == "ggmi"
    assert cli.main(words) == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert "\nVerdict: " in out
    for option, file in pairwise(words):
        if option in ("--html", "--json"):
            assert (folder / file).stat().st_size > 1000
        if option == "--plot":
            assert all((folder / f"{file}.{kind}").is_file() for kind in ("svg", "png", "csv"))


def test_names_that_the_page_lists_are_recognised():
    from ggmi.scaling.columns import NAMES, SCORES

    page = (ROOT / "docs" / "scaling.md").read_text(encoding="utf-8")
    for names in (*NAMES.values(), SCORES):
        assert ", ".join(f"`{name}`" for name in names) in page


@pytest.mark.parametrize(("model", "accuracy"), PUBLISHED.items())
def test_published_figures_of_verifiers_come_out(model, accuracy, tmp_path, gsm8k_files, capsys):
    file = str(gsm8k_files / "example_model_solutions.jsonl")
    judged = ["--correct", f"{model}.is_correct"]
    extracted = ["--reference", "ground_truth", "--text", f"{model}.solution", "--extract", "gsm8k"]
    for words in (judged, extracted):
        assert cli.main(["scaling", file, "--problem", "question", *words, "--json", str(tmp_path / "out.json")]) == 0
        found = json.loads((tmp_path / "out.json").read_text())
        assert found["problems"] == 1319
        assert round(100 * found["curves"][0]["value"], 1) == accuracy
        assert found["verdict"]["word"] == "undecided"
    assert "one sample a problem says nothing of more" in capsys.readouterr().out


def test_the_order_of_rows_changes_no_byte(tmp_path):
    made = rows(12, 20)
    order = stream(2, "test").permutation(len(made))
    outputs = []
    for name, mine in (("first", made), ("second", [made[i] for i in order])):
        (tmp_path / name).mkdir()
        words = ["scaling", write(tmp_path / name / "s.jsonl", mine), "--price", "1", "--value", "20"]
        assert cli.main([*words, "--json", f"{tmp_path / name}/o.json", "--plot", f"{tmp_path / name}/p"]) == 0
        found = json.loads((tmp_path / name / "o.json").read_text())
        # The file itself is another.
        del found["files"]
        outputs.append(
            (json.dumps(found), *((tmp_path / name / f"p.{kind}").read_bytes() for kind in ("svg", "png", "csv")))
        )
    assert outputs[0] == outputs[1]
    assert any(row["how"] == "Monte Carlo" for row in json.loads(outputs[0][0])["curves"])


def test_the_page_shows_what_the_json_holds(folder, capsys):
    assert cli.main(shlex.split("scaling samples.jsonl --html o.html --json o.json --price 1 --value 30")) == 0
    found, page = json.loads((folder / "o.json").read_text()), (folder / "o.html").read_text()
    words = " ".join(WORDS.sub(" ", page).split())
    assert found["verdict"]["sentence"].partition(":")[0] in words
    by_orm = next(
        r for r in found["curves"] if r["method"] == "best of k" and r["score"] == "orm_score" and r["k"] == 8
    )
    assert f"{100 * by_orm['value']:.1f} [{100 * by_orm['ci_low']:.1f}, {100 * by_orm['ci_high']:.1f}]" in words
    for claim in found["claims"]:
        assert claim["claim"] in words
    assert "samples lack noise_score" in words
    assert "http://" not in page.replace("http://www.w3.org", "")
    assert page.count("<table") == 4
    svg = re.search(r'src="data:image/svg\+xml;base64,([^"]+)"', page)
    assert svg is not None
    out = capsys.readouterr().out
    assert found["verdict"]["sentence"] in out
    # What a score is worth is known here: one chooses, one is noise.
    verdicts = {row["variant"]: row["verdict"] for row in found["claims"] if "better than chance" in row["claim"]}
    assert verdicts == {"orm_score": "supported", "noise_score": "undecided"}


@pytest.mark.parametrize(
    "made", [[{"problem": "a", "correct": 1}], [{"problem": p, "correct": 0, "answer": None} for p in "aabb"]]
)
def test_one_sample_and_nothing_solved_make_a_page_too(tmp_path, capsys, made):
    words = ["--price", "1", "--value", "3", "--html", str(tmp_path / "o.html"), "--plot", str(tmp_path / "o")]
    assert cli.main(["scaling", write(tmp_path / "a.jsonl", made), *words]) == 0
    assert "\nVerdict: Undecided: " in capsys.readouterr().out
    assert "nan" not in WORDS.sub(" ", (tmp_path / "o.html").read_text()).lower()


def test_hostile_names_stay_text(tmp_path):
    made = [row | {"<script>x_score": 0.5} for row in rows(6, 4)]
    html = tmp_path / "o.html"
    words = ["--problem", "problem", "--score", "<script>x_score"]
    assert cli.main(["scaling", write(tmp_path / "<i>.jsonl", made), *words, "--html", str(html)]) == 0
    assert "<script>x" not in html.read_text()
    assert "&lt;i&gt;.jsonl" in html.read_text()


def test_the_figure_is_drawn_from_its_numbers(folder):
    assert cli.main(["scaling", "samples.jsonl", "--plot", "o"]) == 0
    numbers = pd.read_csv(folder / "o.csv")
    assert set(numbers["panel"]) == {"solved", "reliability"}
    assert np.isfinite(numbers.loc[numbers["panel"] == "solved", ["value", "ci_low", "ci_high"]]).all(axis=None)
    ET.parse(folder / "o.svg")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("samples.jsonl samples.jsonl", "samples.jsonl: is named twice"),
        ("missing.jsonl", "missing.jsonl: there is no such file"),
        (
            "samples.jsonl --json samples.jsonl",
            "--json: 'samples.jsonl' is the file of the samples, which would be lost",
        ),
        ("samples.jsonl --html o --json o", "--json"),
        ("samples.jsonl --value 3", "--value: goes with --price or --price-tokens"),
        ("samples.jsonl --price -1", "--price: -1 is not allowed; it must be a number of at least 0"),
        ("samples.jsonl --most 0", "--most: 0 is not allowed; it must be a number of at least 1"),
        ("samples.jsonl --seed -1", "--seed: -1 is not allowed"),
        ("samples.jsonl --most 99", "--most: no problem has 99 samples; at most 8 can be compared"),
        ("samples.jsonl --score orm_scor", "no column 'orm_scor'; did you mean 'orm_score'?"),
        ("samples.jsonl --extract gsm8k", "--extract: no column of texts"),
        (
            "samples.jsonl --extract (",
            "--extract: '(' is neither gsm8k nor math nor true_false nor a regular expression",
        ),
        ("samples_gsm8k_2025-01-01T00-00-00.jsonl --extract gsm8k --filter x", "no samples are there of filter 'x'"),
    ],
)
def test_mistakes_are_told_in_a_sentence(folder, capsys, words, told):
    assert cli.main(["scaling", *words.split()]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert told in err
