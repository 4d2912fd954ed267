import json
import subprocess
import sys

import pandas as pd
import pytest
from models.servers import Embedder, serving
from models.tiny import make_classifier

from ggmi import cli
from ggmi.information.embedding import PACKAGE_WEIGHTS, default_encoder, file_hash
from ggmi.models.directory import fingerprint
from ggmi.pipeline.estimation import ESTIMATORS

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
        assert [row["estimator"] for row in one["estimates"]] == list(ESTIMATORS)
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


def test_the_page_stands_alone(answered):
    *_, page = answered
    assert "default-src &#39;none&#39;" in page or "default-src 'none'" in page
    assert "Which" not in page.split("<title>")[1].split("</title>")[0]
    assert "<script src" not in page
    for name in ESTIMATORS:
        assert name in page


def test_the_default_encoder_comes_with_the_package():
    (weights,) = default_encoder().weights
    assert file_hash(weights) == PACKAGE_WEIGHTS


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
        (f"{GOOD}\n[1, 2]\n".encode(), "line 2 is not an object but a list"),
        (f"{GOOD}\n{GOOD[:-9]}".encode(), "line 2 is not JSON"),
        (f"{GOOD}\n".encode() + '{"instruction": "Übe.", "response": "ü"}'.encode("latin-1"), "line 2 is not UTF-8"),
        (
            f'{GOOD}\n{{"instruction": 3, "response": "x"}}'.encode(),
            "line 2: the field 'instruction' (instruction) is a",
        ),
        (
            f'{GOOD}\n{{"instruction": "x", "response": ""}}'.encode(),
            "line 2: the field 'response' (response) is empty",
        ),
        (f'{GOOD}\n{{"instruktion": "x", "response": "y"}}'.encode(), "did you mean 'instruktion'?"),
        (
            f'{GOOD}\n{{"instruction": "x", "response": "y", "tokens": "z"}}'.encode(),
            "line 2: the field 'tokens' is 'z'",
        ),
        (f'{GOOD}\n{{"instruction": "x", "response": "y", "log_prob_nats": 2}}'.encode(), "is finite and at most 0"),
        (f'{GOOD}\n{{"instruction": "x", "response": "y", "log_prob_nats": NaN}}'.encode(), "NaN is no JSON number"),
        (f'{GOOD}\n{{"instruction": "x", "response": "y", "anchor_ids": [1]}}'.encode(), "allowed: a list of ids"),
        (b'{"id": "a", "instruction": "x", "response": "y"}\n' * 2, "line 2: the id 'a' is that of line 1 already"),
    ],
)
def test_a_bad_set_is_answered_with_one_sentence_and_nothing_is_made(capsys, tmp_path, train, content, sentence):
    bad = tmp_path / "bad.jsonl"
    bad.write_bytes(content)
    said = told(capsys, "--train", train, "--synthetic", str(bad), "--json", str(tmp_path / "out.json"))
    assert said.startswith(f"ggmi: {bad}: ")
    assert sentence in said
    assert not (tmp_path / "out.json").exists()


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--map", "instruktion=prompt"], "--map: there is no field 'instruktion'; did you mean 'instruction'?"),
        (["--map", "prompt"], "--map: 'prompt' is not of the form field=column"),
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


def test_a_set_named_twice_a_missing_file_and_an_unknown_format_are_refused(capsys, train, tmp_path):
    assert "is named twice" in told(capsys, "--train", train, "--synthetic", train, train)
    assert "cannot be read" in told(capsys, "--train", train, "--synthetic", str(tmp_path / "no.jsonl"))
    assert "unknown format; allowed: .jsonl" in told(capsys, "--train", train, "--synthetic", "a.txt")
