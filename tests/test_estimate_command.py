import io
import json
import re
import shlex
import subprocess
import sys
import xml.etree.ElementTree as ET
from argparse import ArgumentParser
from pathlib import Path

import pandas as pd
import pytest
from models.servers import Embedder, serving
from models.tiny import make_classifier
from project import ggmi
from students.tiny import make_base

from ggmi import cli, estimating, options
from ggmi.information.local_encoder import PACKAGE_WEIGHTS, default_encoder
from ggmi.models.directory import fingerprint
from ggmi.options import names_of
from ggmi.pipeline.estimators import ESTIMATORS
from ggmi.pipeline.wording import BY_WORDS
from ggmi.plotting.comparison import comparison_figure
from ggmi.plotting.style import svg_bytes
from ggmi.provenance import sha256
from ggmi.reporting.choosing import recommendation
from ggmi.reporting.estimation import summary_rows, unsettled
from ggmi.reporting.estimators import panels_of
from ggmi.reporting.terminal import show
from ggmi.students.base import Base
from ggmi.students.finetune import finetune
from ggmi.students.settings import TrainingSettings
from ggmi.students.tokenise import tokenise
from ggmi.text.records import Record
from ggmi.text.samples import read_sample

VERBS = ("Add", "Compare", "Describe", "Explain", "List", "Name", "Rewrite", "Sort", "Summarise", "Translate")
THINGS = ("rivers", "planets", "recipes", "verbs", "bridges", "tides", "coins", "maps")


def tasks(count, start=0):
    """Different short tasks."""
    pairs = [(verb, thing) for verb in VERBS for thing in THINGS][start : start + count]
    return [{"instruction": f"{v} some {t}.", "response": f"{t} {v.lower()} {i}"} for i, (v, t) in enumerate(pairs)]


def write(path, rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return str(path)


@pytest.fixture
def train(tmp_path):
    return write(tmp_path / "train.jsonl", tasks(20))


def told(capsys, *words):
    """What a mistake is answered with."""
    assert cli.main(["estimate", *words]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    return err


@pytest.fixture(scope="module")
def answered(tmp_path_factory):
    """The command run as people run it: JSONL, CSV and Parquet, with a copying set among them."""
    folder = tmp_path_factory.mktemp("estimate")
    renamed = [{"prompt": row["instruction"], "response": row["response"]} for row in tasks(24)]
    write(folder / "train.jsonl", renamed)
    write(folder / "copy.jsonl", renamed[:6] * 4)
    fresh = [{"prompt": r["instruction"], "response": r["response"]} for r in tasks(24, 40)]
    for row in fresh:
        row |= {"log_prob_nats": -3.0, "tokens": 4}
    pd.DataFrame(fresh).to_csv(folder / "fresh.csv", index=False)
    pd.DataFrame(fresh[:20]).to_parquet(folder / "fewer.parquet")
    command = [sys.executable, "-c", "import sys; from ggmi.cli import main; sys.exit(main(sys.argv[1:]))", "estimate"]
    words = "--train train.jsonl --synthetic copy.jsonl fresh.csv fewer.parquet --map instruction=prompt"
    outputs = "--json made/out.json --html made/out.html"
    done = subprocess.run(
        [*command, *words.split(), *outputs.split()], cwd=folder, capture_output=True, encoding="utf-8", timeout=300
    )
    assert done.returncode == 0, done.stderr
    return done, json.loads((folder / "made/out.json").read_text()), (folder / "made/out.html").read_text()


def test_the_table_says_which_set_is_redundant_and_contaminated(answered):
    done, _, _ = answered
    assert "Traceback" not in done.stderr
    assert "Loading weights" not in done.stderr
    lines = dict(line.split(": ", 1) for line in done.stdout.splitlines() if line.split(": ")[0] in TERMS)
    assert lines["Most redundant"].startswith("copy (near_repeats")
    assert "copy; inside noise: fresh and fewer" in lines["Repeats T more than T repeats itself"]


TERMS = ("Most redundant", "Repeats T more than T repeats itself")


def test_the_json_has_a_row_an_estimator_and_set(answered):
    _, found, _ = answered
    assert [one["name"] for one in found["sets"]] == ["copy", "fresh", "fewer"]
    for one in found["sets"]:
        assert [row["estimator"] for row in one["estimates"]] == [*ESTIMATORS, *BY_WORDS]
    rows = {row["estimator"]: row for row in found["sets"][1]["estimates"]}
    assert rows["information_gain"]["value"] == pytest.approx(3.0)
    assert rows["information_gain_per_token"]["value"] == pytest.approx(0.75)
    assert rows["semantic_entropy"]["ceiling"] == pytest.approx(2.9957, abs=1e-3)  # ln 20: all sets at one size
    assert rows["information_gain_total"]["value"] == pytest.approx(72.0)
    assert [point["n"] for point in rows["semantic_growth"]["curve"]] == [2, 5, 10, 20]
    # Nine tests, so Holm's correction leaves a p-value of a hundredth of 0.05 and less to find.
    assert found["settings"]["permutations"] == 1999
    assert rows["mmd"]["smallest_p"] == 1 / 2000
    assert rows["hsic"]["null_mean"] == 0
    assert 0 < rows["hsic"]["p_value"] <= rows["hsic"]["p_holm"] <= 1
    assert {row["question"] for row in found["comparisons"]} == {
        "closer to T",
        "more diverse",
        "more redundant",
        "more contaminated",
    }


def test_the_table_says_how_records_were_paired_and_which_entropies_tell_their_number(answered):
    done, found, page = answered
    rows = {line.split("│")[1].strip(): line for line in done.stdout.splitlines() if line.count("│") > 3}
    assert re.search(r"3\.00 ! +│", rows["fresh"])  # twenty records of which each says something else
    of_set = found["sets"][1]["estimates"]
    settled = [row | ({"value": 0.1} if row["estimator"] == "semantic_growth" else {}) for row in of_set]
    headings, ((*cells,),) = summary_rows({"fresh": settled})
    assert cells[headings.index("entropy, nats")] == ("3.00", "of 3.00")
    assert not unsettled({row["estimator"]: row for row in settled})
    by_chance = "records by their number in a random order, seed 0, which nothing connects"
    assert [one["pairing"].startswith(by_chance) for one in found["sets"]] == [True] * 3
    for text in (done.stdout, page):
        assert f"HSIC and CKA pair {by_chance}" in text
        assert "! too few records: the last doubling" in text
        assert "near T is tested against what" in text
        assert "Entropies, Vendi and repeats are of 20 records of every set" in text


def test_why_something_is_not_estimated_is_told(answered):
    done, *_ = answered
    (line,) = (line for line in done.stdout.splitlines() if line.startswith("Not estimated") and "copy" in line)
    assert "(24 of 24 records have no log-probability with its number of tokens)" in line


def test_the_recommendation_ends_the_output_and_begins_the_page(answered):
    done, found, page = answered
    choice = found["recommendation"]
    assert choice["not_recommended"] == ["copy"]
    assert set(choice["contenders"]) == {"fresh", "fewer"}
    *_, last = done.stdout.splitlines()
    assert last == choice["command"]
    command = "ggmi pilot --train train.jsonl --synthetic fresh.csv fewer.parquet --map instruction=prompt"
    assert shlex.split(last) == command.split()
    said = "Not recommended: copy (a copy of T, 100 % of its records)"
    assert said in done.stdout
    assert page.index("Recommendation</h2>") < page.index(recommendation(found)[0][1]) < page.index('id="wrong"')
    ((row,), *others) = (one["named"] for one in found["sets"])
    assert (row["kind"], row["share"], others) == ("copies", 1.0, [[], []])
    example = row["examples"][0]
    assert example["response"] == example["train_response"] == tasks(1)[0]["response"]
    assert f"line 1: {example['instruction']} → {example['response']}" in done.stdout


def test_a_command_that_takes_several_lines_is_still_the_command(answered, capsys, monkeypatch):
    found = json.loads(json.dumps(answered[1]))
    words = ["ggmi", "pilot", "--train", "my real data.jsonl", "--synthetic", *(f"it's/{i}.jsonl" for i in range(9))]
    found["recommendation"]["command"] = shlex.join(words)
    monkeypatch.setenv("COLUMNS", "60")
    monkeypatch.setenv("TTY_COMPATIBLE", "1")
    show(found)
    lines = re.sub("\x1b\\[[0-9;]*m", "", capsys.readouterr().out).splitlines()
    last = lines[next(i for i, line in enumerate(lines) if line.startswith("ggmi pilot")) :]
    assert len(last) > 2
    shell = subprocess.run(["sh", "-c", "\n".join(["printf '%s\\n' \\", *last])], capture_output=True, encoding="utf-8")
    assert shell.stdout.splitlines() == words


def test_a_terminal_without_unicode_has_the_chart_too(answered, monkeypatch):
    for encoding, line, dot in (("utf-8", "─", "●"), ("ascii", "-", "o")):
        out = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
        monkeypatch.setattr(sys, "stdout", out)
        show(answered[1])
        out.flush()
        text = out.buffer.getvalue().decode(encoding)
        drawn = [row for row in text.splitlines() if re.search(f"^(copy|fresh|fewer) .*{line}{dot}|{dot}{line}", row)]
        assert len(drawn) > 9
        assert all(row.split(maxsplit=1)[1].count(dot) == 1 for row in drawn)


def test_the_chart_has_a_panel_an_estimator_and_the_same_bytes_each_time(answered):
    tables = {one["name"]: one["estimates"] for one in answered[1]["sets"]}
    panels = panels_of(tables)
    svg, again = (svg_bytes(comparison_figure(panels, 9.0)) for _ in range(2))
    assert svg == again
    texts = ["".join(node.itertext()) for node in ET.fromstring(svg).iter("{http://www.w3.org/2000/svg}text")]
    assert [texts.count(panel.heading) for panel in panels] == [1] * len(panels)
    assert {"copy", "fresh", "fewer"} <= set(texts)
    near = next(panel for panel in panels if panel.heading == "near T")
    rows = [next(row for row in rows if row["estimator"] == "near_duplicates") for rows in tables.values()]
    assert near.ends == [[row["value"], row["ci_low"], row["ci_high"]] for row in rows]
    assert near.nulls == [rows[0]["null_mean"]]
    strange = [panel._replace(names=["$a_$", "数据", "x" * 99]) for panel in panels[:2]]
    assert "$a_$" in svg_bytes(comparison_figure(strange, 9.0)).decode()
    mmd = next(panel for panel in panels if panel.heading.startswith("MMD"))
    assert mmd.ends[0][0] == 1000 * tables["copy"][2]["value"]


@pytest.mark.parametrize("width", [None, 200, 90, 60])
def test_no_name_and_no_number_is_cut_at_any_width(answered, capsys, monkeypatch, width):
    found = json.loads(json.dumps(answered[1]))
    names = ["gpt-4o-2024-05-13-of-a-long-name", "Meta-Llama-3-8B-Instruct", "short"]
    for one, name in zip(found["sets"], names, strict=True):
        one["name"] = name
    for row in found["comparisons"]:
        row["first"], row["second"], row["verdict"] = names[0], names[1], "inside noise"
    monkeypatch.setenv("COLUMNS", str(width or 60))
    if width:
        monkeypatch.setenv("TTY_COMPATIBLE", "1")
    show(found)
    lines = re.sub("\x1b\\[[0-9;]*m", "", capsys.readouterr().out).splitlines()
    table = [line for line in lines if line.startswith("│")]
    assert "…" not in "\n".join(lines)
    if width:
        assert max(map(len, lines)) <= width
    ends = [row for one in found["sets"] for row in one["estimates"] if row["estimator"] == "mmd"]
    for row in ends:
        low, high = (f"{1000 * row[end]:.2f}".replace("-", "−") for end in ("ci_low", "ci_high"))
        assert any(f"[{low}, {high}]" in line for line in table)
    named = "".join(line.split("│")[1].strip() for line in table)
    assert all(name in named for name in names)
    if not width:
        assert all(any(line.startswith(f"│ {name} ") for line in table) for name in names)


def test_the_page_stands_alone(answered):
    *_, page = answered
    assert "default-src &#39;none&#39;" in page or "default-src 'none'" in page
    assert "Which" not in page.split("<title>")[1].split("</title>")[0]
    assert "<script src" not in page
    for name in ESTIMATORS:
        assert name in page


def test_the_default_encoder_comes_with_the_package():
    (weights,) = default_encoder().weights
    assert sha256(weights) == PACKAGE_WEIGHTS


def test_pairs_by_a_column_and_a_wrong_key(capsys, tmp_path):
    rows = [{**row, "item": f"q{i}"} for i, row in enumerate(tasks(8))]
    train = write(tmp_path / "t.jsonl", rows)
    wrong = write(tmp_path / "s.jsonl", [*rows[:5], {**rows[5], "item": "q99"}])
    assert told(capsys, "--train", train, "--synthetic", wrong, "--pairs", "item").startswith(
        f"ggmi: {wrong}: line 6: item 'q99' is not in {train}; "
    )
    assert told(capsys, "--train", train, "--synthetic", wrong, "--pairs", "itme").startswith(
        f"ggmi: {wrong}: line 1: there is no 'itme' to pair by"
    )


GOOD = json.dumps(tasks(1)[0])


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "holds no records"),
        (f"{GOOD}\n".encode(), "holds 1 records; at least 4 are needed"),
        (f"{GOOD}\n[1, 2]\n".encode(), "1 of 2 rows hold no record: 1 not an object (line 2: but a list)"),
        (f"{GOOD}\n{GOOD[:-9]}".encode(), "1 not JSON (line 2: "),
        (f"{GOOD}\n".encode() + '{"instruction": "Übe.", "response": "ü"}'.encode("latin-1"), "line 2 is not UTF-8"),
        (f'{GOOD}\n{{"instruction": [3], "response": "x"}}'.encode(), "that is a list (line 2)"),
        (f'{GOOD}\n{{"instruction": "x", "response": ""}}'.encode(), "1 with an empty response in 'response' (line 2)"),
        (b'{"instruktion": "x", "response": "y"}', "its columns are instruktion, response; name it with --map instr"),
    ],
)
def test_a_bad_set_is_answered_with_one_sentence_and_nothing_is_made(capsys, tmp_path, train, content, sentence):
    bad = tmp_path / "bad.jsonl"
    bad.write_bytes(content)
    words = ["--train", train, "--synthetic", str(bad), "--json", str(tmp_path / "out.json"), "--invalid", "stop"]
    said = told(capsys, *words)
    assert said.startswith(f"ggmi: {bad}: ")
    assert sentence in said
    assert ("--invalid drop leaves them out" in said) == ("hold no record" in said)
    assert not (tmp_path / "out.json").exists()


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--map", "instruktion=prompt"], "--map: there is no field 'instruktion'; did you mean 'instruction'?"),
        (["--map", "prompt"], "--map: 'prompt' is not of the form field=column"),
        (["--map", "response="], "--map: response needs a name; only context and id may be left out"),
        (["--train-map", "respnse=x"], "--train-map: there is no field 'respnse'; did you mean 'response'?"),
        (["--synthetic-map", "id=x", "id=y"], "--synthetic-map: id is named twice"),
        (["--records", "2"], "--records: 2 is not allowed"),
        (["--seed", "-1"], "--seed: -1 is not allowed"),
        (["--json", "TRAIN/out.json"], "train.jsonl/out.json' cannot be written"),
        (["--encoder", "TMP"], "holds no weights; an embedding model needs *.safetensors here"),
        (["--encoder-url", "http://127.0.0.1:9/v1"], "--encoder-url: needs --encoder MODEL"),
        (["--key-env", "MY_KEY"], "--key-env: goes with --encoder-url only"),
        (
            ["--encoder", "m", "--encoder-url", "http://me:secret@x/v1"],
            "--encoder-url: must be an address such as http://127.0.0.1:8000/v1, without password or query\n",
        ),
        (
            ["--encoder", "m", "--encoder-url", "http://127.0.0.1:9/v1", "--key-env", "sk-secret"],
            "--key-env: must be the name of an environment variable in capitals, not a key\n",
        ),
        (
            ["--encoder", "m", "--encoder-url", "http://127.0.0.1:9/v1", "--key-env", "NO_SUCH_KEY"],
            "the environment variable NO_SUCH_KEY is not set",
        ),
        (["--loose"], "--loose: goes with --entailment MODEL only"),
        (["--entailment", "TMP"], "is no model directory (it has no config.json)"),
    ],
)
def test_a_bad_option_is_answered_with_one_sentence(capsys, train, tmp_path, words, sentence):
    other = write(tmp_path / "s.jsonl", tasks(8))
    words = [word.replace("TRAIN", train).replace("TMP", str(tmp_path)) for word in words]
    assert sentence in told(capsys, "--train", train, "--synthetic", other, *words)


def test_an_endpoint_and_a_model_of_inference_are_named_in_the_file(capsys, tmp_path, train, monkeypatch):
    monkeypatch.setenv("MY_KEY", "sk-planted-90aa")
    words = {word for row in tasks(40) for text in row.values() for word in text.split()}
    folder = make_classifier(tmp_path / "nli", words=["[PAD]", "[END]", "[UNK]", *sorted(words)])
    other, file = write(tmp_path / "s.jsonl", tasks(12, 24)), tmp_path / "out.json"
    given = ["estimate", "--train", train, "--synthetic", other, "--json", str(file)]
    assert cli.main(given) == 0
    local = json.loads(file.read_text())
    with serving(Embedder(default_encoder())) as url:
        more = [
            "--encoder-url",
            url,
            "--encoder",
            "mini",
            "--key-env",
            "MY_KEY",
            "--entailment",
            str(folder),
            "--loose",
        ]
        assert cli.main([*given, *more]) == 0
    found = json.loads(file.read_text())
    assert found["encoder"] == f"endpoint {url} mini"
    assert local["entailment"] is None
    assert found["entailment"] == {"model": fingerprint(folder), "criterion": "loose", "prefilter": 0.5}
    values = [{row["estimator"]: row for row in one["sets"][0]["estimates"]} for one in (local, found)]
    assert values[1]["mmd"]["value"] == pytest.approx(values[0]["mmd"]["value"], abs=1e-6)
    assert "mutual entailment (loose)" in values[1]["semantic_entropy"]["method"]
    assert "cosine similarity of at least 0.9" in values[0]["semantic_entropy"]["method"]
    assert "sk-planted" not in file.read_text() + "".join(capsys.readouterr())


def link(kind, path, other):
    """Another way to a file."""
    if kind == "same":
        return f"{path.parent}/../{path.parent.name}/{path.name}"
    (other.symlink_to if kind == "symbolic" else other.hardlink_to)(path)
    return str(other)


@pytest.mark.parametrize("option", ["--json", "--html"])
@pytest.mark.parametrize("kind", ["same", "symbolic", "hard"])
@pytest.mark.parametrize("of", ["--train", "--synthetic"])
def test_an_output_that_is_an_input_is_refused_and_the_input_stays(capsys, tmp_path, train, option, kind, of):
    other = write(tmp_path / "s.jsonl", tasks(8))
    file = Path(train if of == "--train" else other)
    before = file.read_bytes()
    said = told(capsys, "--train", train, "--synthetic", other, option, link(kind, file, tmp_path / "link"))
    assert f"is the file of {of}, which would be lost; name another" in said
    assert said.startswith(f"ggmi: {option}: ")
    assert file.read_bytes() == before


def test_outputs_that_are_one_file_or_lie_in_a_model_are_refused(capsys, tmp_path, train):
    other = write(tmp_path / "s.jsonl", tasks(8))
    words = ["--train", train, "--synthetic", other]
    same = told(capsys, *words, "--json", str(tmp_path / "out"), "--html", f"{tmp_path}/x/../out")
    assert "is the file of --json, which would be lost" in same
    (tmp_path / "model").mkdir()
    inside = told(capsys, *words, "--encoder", str(tmp_path / "model"), "--json", str(tmp_path / "model/config.json"))
    assert "lies in the model's folder of --encoder; name another place" in inside
    assert sorted(path.name for path in tmp_path.iterdir()) == ["model", "s.jsonl", "train.jsonl"]


def test_t_and_the_sets_may_have_other_names_and_the_same_command_gives_the_same_bytes(capsys, tmp_path):
    renamed = [{"prompt": row["instruction"], "answer": row["response"]} for row in tasks(12)]
    train, other = write(tmp_path / "t.jsonl", renamed), write(tmp_path / "s.jsonl", tasks(12, 6))
    words = ["--train", train, "--synthetic", other, "--json", str(tmp_path / "o.json")]
    both = told(capsys, *words, "--map", "instruction=prompt", "response=answer")
    assert both.startswith(f"ggmi: {other}: no row has the field 'prompt' (instruction); ")
    maps = ["--train-map", "instruction=prompt", "response=answer"]
    assert cli.main(["estimate", *words, *maps]) == 0
    first = (tmp_path / "o.json").read_bytes()
    assert cli.main(["estimate", *words, *maps]) == 0
    assert (tmp_path / "o.json").read_bytes() == first

    def but_command(text):
        found = json.loads(text)
        return found.pop("recommendation") | {"command": ""}, found

    again = ["--map", "instruction=prompt", "response=answer", "--synthetic-map", "instruction=instruction"]
    assert cli.main(["estimate", *words, *again, "response=response"]) == 0
    assert but_command((tmp_path / "o.json").read_bytes()) == but_command(first)
    # These names are known, too, and a map may be that of one set.
    assert cli.main(["estimate", *words]) == 0
    assert but_command((tmp_path / "o.json").read_bytes()) == but_command(first)
    assert cli.main(["estimate", *words, "--map-of", "s", "instruction=instruction", "response=response"]) == 0
    assert but_command((tmp_path / "o.json").read_bytes()) == but_command(first)


def test_the_same_records_in_any_form_give_the_same_estimates_bit_by_bit(tmp_path):
    train, rows = tasks(20), [{**row, "context": "", "id": f"r{i}"} for i, row in enumerate(tasks(12, 30))]
    alpaca = [{"instruction": r["instruction"], "input": "", "output": r["response"]} for r in rows]
    chats = [
        {"messages": [{"role": "user", "content": r["instruction"]}, {"role": "assistant", "content": r["response"]}]}
        for r in rows
    ]
    frame = pd.DataFrame(rows)
    write(tmp_path / "t.jsonl", train)
    write(tmp_path / "lines.jsonl", rows)
    (tmp_path / "list.json").write_text(json.dumps(alpaca, indent=2))
    write(tmp_path / "chats.jsonl", chats)
    frame.to_csv(tmp_path / "table.csv", index=False, encoding="utf-16")
    frame.to_csv(tmp_path / "packed.tsv.gz", sep="\t")
    frame.to_parquet(tmp_path / "parquet.parquet")
    files = ("lines.jsonl", "list.json", "chats.jsonl", "table.csv", "packed.tsv.gz", "parquet.parquet")
    samples = [read_sample(tmp_path / name) for name in ("t.jsonl", *files)]
    found = estimating.estimated(samples, names_of(files))["sets"]
    assert [one["records"] for one in found] == [12] * 6
    first, *others = [json.dumps(one["estimates"]) for one in found]
    assert [other == first for other in others] == [True] * 5


def test_a_set_named_twice_a_missing_file_and_an_unknown_format_are_refused(capsys, train, tmp_path):
    (tmp_path / "link.jsonl").symlink_to(train)
    assert "is named twice" in told(capsys, "--train", train, "--synthetic", train, str(tmp_path / "link.jsonl"))
    assert "no.jsonl: there is no such file" in told(
        capsys, "--train", train, "--synthetic", str(tmp_path / "no.jsonl")
    )
    (tmp_path / "a.txt").write_text("one\ntwo\n")
    assert "name it with --format, one of jsonl, " in told(
        capsys, "--train", train, "--synthetic", str(tmp_path / "a.txt")
    )
    assert "which can be one set only" in told(capsys, "--train", "-", "--synthetic", "-")


def test_options_given_twice_add_up_or_are_refused(capsys):
    parser = ArgumentParser()
    estimating.add_arguments(parser)
    words = "--train t --synthetic a --synthetic b c --map instruction=q --map response=r"
    found = parser.parse_args(words.split())
    assert (found.synthetic, found.map) == (["a", "b", "c"], ["instruction=q", "response=r"])
    values = {"--records": "9", "--seed": "9", "--parts": "response", "--format": "csv", "--invalid": "stop"}
    single = [a.option_strings[0] for a in parser._actions if isinstance(a, options.Once)]
    lists = ("--synthetic", "--map", "--train-map", "--synthetic-map", "--map-of")
    others = {a.option_strings[0] for a in parser._actions} - set(single)
    assert others == {"-h", "--loose", *lists}
    for option in single:
        value = values.get(option, "x")
        with pytest.raises(SystemExit) as caught:
            parser.parse_args([*words.split(), option, value, option, value])
        assert caught.value.code == 2
        assert f"{option} is given twice; name one value" in capsys.readouterr().err


def test_records_are_a_number_or_all(capsys):
    parser = ArgumentParser()
    estimating.add_arguments(parser)
    words = ["--train", "t", "--synthetic", "a", "--records"]
    assert parser.parse_args([*words, "all"]).records is None
    with pytest.raises(SystemExit):
        parser.parse_args([*words, "some"])
    assert "argument --records: 'some' is neither a number nor 'all'" in capsys.readouterr().err


def test_ctrl_c_is_one_line_and_exit_code_130(capsys, monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(estimating, "run", interrupted)
    assert cli.main(["estimate", "--train", "t", "--synthetic", "s"]) == 130
    assert capsys.readouterr() == ("", "ggmi: interrupted\n")


def test_without_a_terminal_progress_is_a_line(capsys, monkeypatch):
    monkeypatch.setattr(options, "QUIET", 0.0)
    with options.progress_bar() as bar:
        bar("embedding texts", 256, 1000)
    assert "ggmi: embedding texts: 256 of 1,000\n" in capsys.readouterr().err


@pytest.fixture(scope="module")
def measured(tmp_path_factory):
    """The command with a model of difficulty that has learnt T's answers by heart, and a set with a wrong answer."""
    folder = tmp_path_factory.mktemp("difficulty")
    known = [{"instruction": f"Say {word}.", "response": word * 2} for word in ("abc", "bcd", "cde", "def", "efg")]
    write(folder / "t.jsonl", known * 4)
    write(folder / "same.jsonl", known * 2)
    write(folder / "other.jsonl", [*known, {"instruction": "Say abc.", "response": "<b>QQQQ"}])
    base = Base(str(make_base(folder / "base")))
    texts = [Record(str(i), row["instruction"], "", row["response"]) for i, row in enumerate(known)]
    how = TrainingSettings(steps=300, batch_size=5, learning_rate=5e-3, device="cpu")
    finetune(base, tokenise(texts, base, "plain"), folder / "model", how)
    words = "estimate --train t.jsonl --synthetic same.jsonl other.jsonl --difficulty model"
    done = ggmi(*words.split(), *["--json", "out.json", "--html", "out.html"], folder=folder)
    assert done.returncode == 0, done.stderr
    return done.stdout, json.loads((folder / "out.json").read_text()), (folder / "out.html").read_text()


def test_difficulty_finds_what_is_too_easy_and_what_looks_wrong(measured):
    out, found, page = measured
    same, other = (one["difficulty"] for one in found["sets"])
    assert found["train"]["difficulty"]["too_easy"] == 20
    assert (same["too_easy"], same["looks_wrong"]) == (10, 0)
    assert (other["too_easy"], other["looks_wrong"]) == (5, 1)
    worst = other["highest"][0]
    assert (worst["place"], worst["response"], worst["looks_wrong"]) == ("line 6", "<b>QQQQ", True)
    row = found["sets"][0]["estimates"][-1]
    assert (row["estimator"], row["unit"], row["n"]) == ("difficulty", "nats a token", 10)
    assert row["ci_low"] <= row["value"] == same["median_nats_per_token"] <= row["ci_high"]
    assert "difficulty, nats/token" in out
    assert "too easy 10 of 10 records" in out
    assert "looks wrong 1: line 6" in out
    assert "How hard the records are" in page
    assert "&lt;b&gt;QQQQ" in page


def test_a_model_of_difficulty_that_is_none_is_refused(capsys, tmp_path, train):
    words = ["--train", train, "--synthetic", train + "x", "--difficulty", str(tmp_path)]
    write(tmp_path / "train.jsonlx", tasks(5))
    assert told(capsys, *words) == f"ggmi: --difficulty: {tmp_path}: is no model directory (it has no config.json)\n"
