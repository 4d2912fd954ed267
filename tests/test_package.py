"""The wheel, used far from any checkout."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[1]
ROWS = [{"instruction": f"How much is {i} plus {i}?", "context": "", "response": f"It is {2 * i}."} for i in range(8)]


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """A folder that holds the wheel's files, and nothing of the checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    subprocess.run(
        [*pip, "wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", folder, ROOT], check=True, cwd=folder
    )
    (wheel,) = folder.glob("*.whl")
    subprocess.run([*pip, "install", "--no-deps", "--no-compile", "--target", folder / "site", wheel], check=True)
    return folder / "site"


@pytest.fixture
def ggmi(installed, tmp_path):
    """The installed command, run in an empty folder."""

    def run(*words, folder=tmp_path):
        command = [sys.executable, "-c", "from ggmi.cli import main; raise SystemExit(main())", *words]
        env = {**os.environ, "PYTHONPATH": str(installed), "PYTHONDONTWRITEBYTECODE": "1"}
        return subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=False)

    return run


def test_commands_find_their_templates(ggmi, tmp_path):
    for name in ("t", "s"):
        (tmp_path / f"{name}.jsonl").write_text("\n".join(json.dumps(row) for row in ROWS))
    done = ggmi("estimate", "--train", "t.jsonl", "--synthetic", "s.jsonl", "--html", "page.html")
    assert done.returncode == 0, done.stderr
    assert "<title>" in (tmp_path / "page.html").read_text()
    (tmp_path / "mine.yaml").write_text("seed: 5\n")
    assert "mine.yaml: fine" in ggmi("check", "mine.yaml").stdout


def test_the_workflow_runs_where_there_is_none(ggmi, tmp_path):
    target = "results/data_quality/certificates"
    (tmp_path / "mine.yaml").write_text(yaml.safe_dump({"theory": None, "results": "made"}))
    mine = target.replace("results", "made")
    for words, folder in (
        ((target,), "results"),
        ((mine, "--configfile", "mine.yaml"), "made"),
        (("--configfile=mine.yaml", "--forceall", mine), "made"),
        (("--forceall", "--configfiles", "mine.yaml", "--", mine), "made"),
    ):
        done = ggmi("run", "--cores", "1", *words)
        assert done.returncode == 0, done.stderr
        assert list((tmp_path / folder / "data_quality" / "certificates").glob("*.json"))
        assert done.stderr.count("1 jobs ahead") == 1


def test_a_folder_of_ones_own(ggmi, tmp_path):
    assert ggmi("init", "mine").returncode == 0
    mine = tmp_path / "mine"
    assert (mine / "config.yaml").read_bytes() == (ROOT / "config.yaml").read_bytes()
    assert not list(mine.rglob("__pycache__"))
    config = yaml.safe_load((mine / "config.yaml").read_text())
    (mine / "config.yaml").write_text(yaml.safe_dump({**config, "results": "own"}))
    done = ggmi("run", "--cores", "1", "own/data_quality/certificates", folder=mine)
    assert done.returncode == 0, done.stderr
    assert (mine / "own/data_quality/certificates").is_dir()
    again = ggmi("init", "mine")
    assert again.returncode == 2
    assert again.stderr == "ggmi: mine: has Snakefile already, which would be replaced; name another folder\n"


def test_a_wrong_configuration_ends_with_its_sentence_and_code(ggmi, tmp_path):
    (tmp_path / "config.yaml").write_text("sed: 5\n")
    done = ggmi("run", "--cores", "1")
    assert done.returncode == 2
    assert "unknown key 'sed': did you mean 'seed'?" in done.stderr


def test_only_run_takes_other_words(ggmi):
    done = ggmi("check", "--cores", "1")
    assert done.returncode == 2
    assert "--cores" in done.stderr
