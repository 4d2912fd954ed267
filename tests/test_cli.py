import json
import subprocess
import sys
from functools import partial
from pathlib import Path

import project
import pytest
import yaml
from project import ROOT

from ggmi.config import default_yaml, schema_json


@pytest.fixture
def ggmi(tmp_path):
    """Run a command in an empty folder."""
    return partial(project.ggmi, folder=tmp_path)


@pytest.fixture
def mistake(ggmi, tmp_path):
    """Check a file of the given content and return what is said about it."""

    def say(content, *others):
        path = tmp_path / "mine.yaml"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        found = ggmi("check", *others, "mine.yaml")
        assert found.returncode == 2
        assert found.stdout == ""
        assert "Traceback" not in found.stderr
        return found.stderr

    return say


def test_the_projects_own_configuration_is_fine():
    command = [Path(sys.executable).with_name("ggmi"), "check"]
    found = subprocess.run(command, cwd=ROOT, capture_output=True, encoding="utf-8", timeout=120)
    assert (found.returncode, found.stdout, found.stderr) == (0, "config.yaml: fine\n", "")


def test_a_preset_laid_over_the_default_is_fine(ggmi):
    found = ggmi("check", "config.yaml", "presets/paper.yaml", folder=ROOT)
    assert (found.returncode, found.stderr) == (0, "")
    told, fine = found.stdout.splitlines()
    assert told.startswith("tasks.dolly.anchors.source: databricks/databricks-dolly-15k: a data set of the hub, which ")
    assert fine == "config.yaml + presets/paper.yaml: fine"


def test_a_file_laid_over_another_changes_single_keys_of_it(ggmi, tmp_path):
    # Alone, each is right; together, the second's five dimensions meet the first's histograms.
    (tmp_path / "base.yaml").write_text("mixtures: {gmm: {estimators: [aligned_histogram], rounds: 3}}")
    (tmp_path / "over.yaml").write_text("mixtures: {gmm: {dimensions: 5}}")
    assert ggmi("check", "base.yaml").returncode == 0
    found = ggmi("check", "base.yaml", "over.yaml")
    assert found.returncode == 2
    expected = "ggmi: base.yaml + over.yaml: mixtures.gmm: aligned_histogram.bins = 50 makes 312500000 cells"
    assert found.stderr.startswith(expected)


def test_null_laid_over_a_study_leaves_its_mistakes_out(ggmi, tmp_path):
    (tmp_path / "base.yaml").write_text("mixtures: {gmm: {K: 0}}")
    (tmp_path / "over.yaml").write_text("mixtures: {gmm: null}")
    assert ggmi("check", "base.yaml", "over.yaml").returncode == 0


def test_an_empty_file_is_the_default(ggmi, tmp_path):
    (tmp_path / "empty.yaml").touch()
    assert ggmi("check", "empty.yaml").returncode == 0


def test_each_mistake_is_a_line_that_names_file_and_key(mistake):
    assert mistake("sed: 1\nmixtures: {gmm: {K: 0}}\n").splitlines() == [
        "ggmi: mine.yaml: mixtures.gmm.K: must be greater than or equal to 1, got 0",
        "ggmi: mine.yaml: unknown key 'sed': did you mean 'seed'?",
    ]


def test_a_missing_file_is_named(ggmi):
    found = ggmi("check", "nowhere.yaml")
    expected = (2, "", "ggmi: nowhere.yaml: cannot be read (No such file or directory)\n")
    assert (found.returncode, found.stdout, found.stderr) == expected


def test_a_folder_is_no_configuration_file(ggmi, tmp_path):
    (tmp_path / "folder.yaml").mkdir()
    found = ggmi("check", "folder.yaml")
    assert found.returncode == 2
    assert found.stderr == "ggmi: folder.yaml: cannot be read (Is a directory)\n"


def test_a_file_that_is_not_utf8_is_told_with_the_byte(mistake):
    assert mistake(b"title: \xfc\n") == "ggmi: mine.yaml: is not UTF-8 (byte 7)\n"


@pytest.mark.parametrize(
    ("content", "line"), [("seed: 1\nresults: [a, b\n", 3), ("seed: 1\n  results: b\n", 2), ("a: b: c\n", 1)]
)
def test_broken_yaml_is_told_with_the_line(mistake, content, line):
    said = mistake(content)
    assert said.startswith(f"ggmi: mine.yaml: line {line}: is not YAML (")
    assert said.count("\n") == 1


def test_a_character_that_yaml_forbids_is_told(mistake):
    said = mistake("seed: \x07\n")
    assert said.startswith("ggmi: mine.yaml: is not YAML (")
    assert said.count("\n") == 1


@pytest.mark.parametrize(
    ("content", "kind"), [("- seed\n- results\n", "list"), ("seed\n", "str"), ("3\n", "int"), ("no\n", "bool")]
)
def test_a_file_that_holds_no_mapping_is_told(mistake, content, kind):
    assert mistake(content) == f"ggmi: mine.yaml: must be a mapping of keys to values, got {kind}\n"


@pytest.mark.parametrize(
    "content",
    [
        "seed: !!python/object/apply:os.system ['touch harmed']\n",
        "!!python/object/new:subprocess.Popen\nargs: [[touch, harmed]]\n",
        "results: !!python/name:os.getcwd\n",
    ],
)
def test_a_tag_that_would_run_code_is_refused_and_not_run(mistake, tmp_path, content):
    said = mistake(content)
    assert said.startswith("ggmi: mine.yaml: line 1: is not YAML (could not determine a constructor for the tag")
    assert said.count("\n") == 1
    assert not (tmp_path / "harmed").exists()


@pytest.mark.parametrize("content", ["seed: 2024-13-01\n", "seed: " + "9" * 5000, "seed: " + "[" * 5000])
def test_a_value_that_no_reader_can_hold_is_told(mistake, content):
    said = mistake(content)
    assert said.startswith("ggmi: mine.yaml: ")
    assert said.count("\n") == 1
    assert len(said) < 300


def test_a_missing_table_is_told_by_the_check(mistake):
    said = mistake("mixtures: {digits: {truth: data, covariances: [empirical], table: {source: cells.csv}}}")
    assert said == "ggmi: config: mixtures.digits.table.source: there is no file 'cells.csv'\n"


def test_defaults_prints_a_configuration_that_passes_the_check(ggmi, tmp_path):
    found = ggmi("defaults")
    assert (found.returncode, found.stdout, found.stderr) == (0, default_yaml(), "")
    (tmp_path / "config.yaml").write_text(found.stdout, encoding="utf-8")
    assert ggmi("check").returncode == 0


def test_schema_prints_the_schema(ggmi):
    found = ggmi("schema")
    assert (found.returncode, found.stdout, found.stderr) == (0, schema_json(), "")
    assert yaml.safe_load(found.stdout)["additionalProperties"] is False


def test_cost_prices_the_published_set_up(ggmi):
    found = ggmi("cost", "config.yaml", "presets/paper.yaml", "--json", folder=ROOT)
    assert (found.returncode, found.stderr) == (0, "")
    said = json.loads(found.stdout)
    row, total = said["rows"]
    # 200 prompts of 3, 10 and 20 instances; local models cost nothing.
    assert (row["name"], row["requests"], total["requests"]) == ("dolly gpt_4o", 600, 600)
    assert row["worst_output_tokens"] == 600 * 4096
    expected = (2.5 * row["input_tokens"] + 10 * row["expected_output_tokens"]) / 1e6
    assert row["expected_price"] == pytest.approx(expected)
    assert "databricks/databricks-dolly-15k are not at hand" in said["notes"][0]


def test_cost_prints_a_table_and_what_it_rests_on(ggmi):
    found = ggmi("cost", "config.yaml", "presets/paper.yaml", folder=ROOT)
    assert found.returncode == 0
    assert "gpt_4o" in found.stdout
    assert "prompts counted by: 4 characters a token" in found.stdout


def test_cost_of_the_default_is_nothing(ggmi):
    found = ggmi("cost", folder=ROOT)
    assert (found.returncode, found.stdout) == (
        0,
        "no generator, judge or policy is an endpoint: nothing is paid for\n",
    )


def test_cost_tells_a_mistake_like_any_other(ggmi, tmp_path):
    generators = "{g: {kind: openai, model: m}}"
    (tmp_path / "a.jsonl").write_text('{"instruction": "Add."}\n')
    (tmp_path / "mine.yaml").write_text(
        f"tasks: {{embedded: null, t: {{title: T, anchors: {{source: a.jsonl}}, generators: {generators}}}}}\n"
    )
    found = ggmi("cost", "mine.yaml")
    assert (found.returncode, found.stdout) == (2, "")
    assert found.stderr == (
        "ggmi: a.jsonl: no row has a field for the response; its columns are instruction; name it with "
        "fields: {response: COLUMN}\n"
    )


@pytest.mark.parametrize("words", [[], ["chek"], ["check", "--all"], ["defaults", "config.yaml"]])
def test_a_wrong_command_line_shows_how_it_is_used(ggmi, words):
    found = ggmi(*words)
    assert found.returncode == 2
    assert found.stderr.startswith("usage: ggmi")
    assert "Traceback" not in found.stderr


def test_help_names_every_command(ggmi):
    found = ggmi("--help")
    assert found.returncode == 0
    assert all(f"  {command} " in found.stdout for command in ("check", "cost", "defaults", "schema"))


ANSWER = 'So: [{"instruction": "Add.", "response": 3}, {"instruction": "Add.", "output": "4"}, {"instruction": "A",}]\n'


def test_parse_shows_what_becomes_of_an_answer(ggmi, tmp_path):
    (tmp_path / "one.txt").write_text(ANSWER, encoding="utf-8-sig")
    shown = ggmi("parse", "one.txt")
    assert shown.returncode == 0, shown.stderr
    assert "0: record: Add. |  | 3\n" in shown.stdout
    assert "1: missing_field (keys: instruction, output): " in shown.stdout
    assert "1 answers, 1 with records: 1 records, 2 failures, 33.3% valid" in shown.stdout
    assert "--fields response=NAME maps them" in shown.stdout
    assert "--repair (prompts.repair in a configuration) mends objects that are almost JSON" in shown.stdout
    mapped = json.loads(ggmi("parse", "--json", "--repair", "--fields", "response=output", "one.txt").stdout)
    assert [r["response"] for r in mapped["answers"][0]["records"]] == ["3", "4"]
    assert mapped["counts"]["failures"] == {"missing_field": 1}


def test_parse_and_verdict_read_stores_and_parts_of_a_file(ggmi, tmp_path):
    (tmp_path / "s.jsonl").write_text(
        "".join(json.dumps({"text": t}) + "\n" for t in (ANSWER, "no", "Rating: [[7]]/10"))
    )
    (tmp_path / "v.txt").write_text("Good.\nRating: [[8]]\n=====\nRating: none\n")
    assert json.loads(ggmi("parse", "--json", "s.jsonl").stdout)["counts"]["responses"] == 3
    rows = json.loads(ggmi("verdict", "--json", "--split", "=====", "v.txt", "s.jsonl").stdout)["verdicts"]
    assert [row["rating"] for row in rows] == [8, None, None, None, 7]
    assert "v.txt 2: none: no_rating" in ggmi("verdict", "--split", "=====", "v.txt").stdout
    # Lines that are records themselves are one answer.
    (tmp_path / "r.jsonl").write_text('{"instruction": "a", "response": "b"}\n' * 2)
    assert json.loads(ggmi("parse", "--json", "r.jsonl").stdout)["counts"]["records"] == 2


@pytest.mark.parametrize(
    "words", [("nothing.txt",), ("--fields", "answer=x", "v.txt"), ("--fields", "response", "v.txt")]
)
def test_a_wrong_word_to_parse_is_told(ggmi, words):
    found = ggmi("parse", *words)
    assert (found.returncode, found.stdout) == (2, "")
    assert found.stderr.startswith("ggmi: ")
    assert found.stderr.count("\n") == 1


def test_check_opens_every_input_and_says_which_key_names_a_bad_one(ggmi, tmp_path):
    rows = [{"instruction": "Add.", "input": f"{i} and 1", "output": f"{i + 1}", "score": 1} for i in range(300)]
    rows[4]["output"] = None
    (tmp_path / "a.json").write_text(json.dumps(rows))
    (tmp_path / "b.csv").write_text("ask,tell\nA?,b\n")
    mine = "{title: T, anchors: {source: a.json}, generators: {g: {kind: import, path: b.csv, fields: FIELDS}}}"
    config = tmp_path / "mine.yaml"
    config.write_text(f"tasks: {{embedded: null, t: {mine}}}\n".replace("FIELDS", "{instruction: ask, response: tell}"))
    found = ggmi("check", "mine.yaml")
    assert found.stdout.splitlines() == [
        "tasks.t.anchors.source: a.json: JSON; instruction from instruction, context from input, response from output",
        "  first 200 rows: 199 records; 1 with an empty response in 'output' (record 5)",
        "  not read: score",
        "  first record: “Add.” → “0 and 1” → “1”",
        "tasks.t.generators.g.path: b.csv: CSV; instruction from ask, response from tell",
        "  1 rows: 1 records",
        "  first record: “A?” → “b”",
        "mine.yaml: fine",
    ]
    config.write_text(f"tasks: {{embedded: null, t: {mine}}}\n".replace("FIELDS", "{}"))
    found = ggmi("check", "mine.yaml")
    assert (found.returncode, found.stderr) == (
        2,
        "ggmi: config: tasks.t.generators.g.path: b.csv: no row has a field for the instruction; its columns are ask, "
        "tell; name it with fields: {instruction: COLUMN, response: COLUMN}\n",
    )
