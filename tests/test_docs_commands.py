"""Every command and snippet of the documentation and the presets runs; what would take long is read."""

import json
import re
import shlex
import subprocess
import tomllib

import forked
import pandas as pd
import pytest
from models.servers import Endpoint, completion, serving
from project import ROOT, Project
from starlette.responses import JSONResponse
from test_docs import PAGES

from ggmi.cli import command_line, main

TEXTS = {
    page: (ROOT / page).read_text(encoding="utf-8")
    for page in ("CONTRIBUTING.md", *(page.relative_to(ROOT).as_posix() for page in PAGES))
    if page != "CHANGELOG.md"
}
ALL = "\n".join(TEXTS.values())
# The commands of these pages run elsewhere, with files of their own.
ELSEWHERE = ("docs/files.md", "docs/scaling.md")
BLOCKS = [
    block
    for name, text in TEXTS.items()
    if name not in ELSEWHERE
    for block in re.findall(r"^```sh\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
]
# Presets name their command in a comment.
PRESETS = [
    line
    for preset in sorted((ROOT / "presets").glob("*.yaml"))
    for line in re.findall(r"^# +((?:snakemake|ggmi|make) .*)$", preset.read_text(encoding="utf-8"), re.MULTILINE)
]
LINES = [*(line for block in BLOCKS for line in block.splitlines()), *PRESETS]
INLINE = re.findall(r"`((?:make|snakemake|ggmi) [^`…]*)`", ALL)
SNIPPETS = sorted(set(re.findall(r"^```python\n(.*?)^```$", ALL, re.MULTILINE | re.DOTALL)))
ROWS = [{"instruction": f"How much is {i} plus {i}?", "response": f"It is {2 * i}."} for i in range(6)]
# A pilot takes the time that it is given; a run, its state and its resumption have tests of their own.
READ = {"pilot", "resume", "run", "status"}


def commands(program, lines=LINES):
    """What the pages have a program do, each once."""
    parts = [shlex.split(part, comments=True) for line in lines for part in line.split("&&")]
    return sorted({shlex.join(words[1:]) for words in parts if words[:1] == [program]})


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A copy of the project with the files that the pages name."""
    folder = Project.fresh(tmp_path_factory.mktemp("docs")).path
    for name in ("real.jsonl", "first.jsonl", "second.jsonl", "T.jsonl", "a.jsonl"):
        (folder / name).write_text("".join(f"{json.dumps(row)}\n" for row in ROWS))
    pd.DataFrame(ROWS).to_csv(folder / "b.csv", index=False)
    pd.DataFrame(ROWS).to_parquet(folder / "c.parquet")
    samples = [{"problem": i % 6, "answer": i % 7, "correct": i % 7 == 0} for i in range(60)]
    (folder / "samples.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in samples))
    (folder / "mine.yaml").write_text("seed: 5\n")
    (folder / "answer.txt").write_text(json.dumps(ROWS))
    certificate = folder / "results/theory/certificates/declared/10.json"
    certificate.parent.mkdir(parents=True)
    for path in (folder / "world.json", folder / "WORLD.json", certificate):
        path.write_text(re.findall(r"```json\n(.*?)```", TEXTS["docs/worlds.md"], re.DOTALL)[0])
    return folder


def test_every_command_is_of_a_program_that_is_looked_at():
    programs = {part.split()[0] for line in LINES for part in line.split("&&")}
    assert programs == {"cd", "ggmi", "make", "pip", "python", "snakemake"}
    targets = set(re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert {*commands("make"), *commands("make", INLINE)} <= targets
    assert {f"init {place}" for place in commands("cd")} <= set(commands("ggmi"))
    assert all((ROOT / words.split()[0]).is_file() for words in commands("python"))
    laid_over = re.findall(r"--configfile (\S+)", "\n".join(commands("snakemake", INLINE)))
    assert all((ROOT / file).is_file() for file in laid_over)
    built = tomllib.loads((ROOT / "pyproject.toml").read_text())
    wheel = f"ggmi-{built['project']['version']}-py3-none-any.whl"
    assert {words.split()[-1] for words in commands("pip")} == {wheel, *built["dependency-groups"]}


@pytest.mark.parametrize(
    "command", sorted({*commands("ggmi"), *(words for words in commands("ggmi", INLINE) if "." in words)})
)
def test_a_command_of_ggmi_runs(command, folder, monkeypatch, capsys):
    monkeypatch.chdir(folder)
    words = command.partition(" '>' ")[0].split()
    if words[0] in READ:
        command_line().parse_args(words[:1] if words[0] == "run" else words)
    else:
        assert main(words) == 0, capsys.readouterr().err


@pytest.mark.parametrize("command", commands("snakemake"))
def test_snakemake_plans(command, folder):
    words = [forked.python(), "-m", "snakemake", *command.split(), "--dry-run", "--quiet"]
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("snippet", SNIPPETS)
def test_a_snippet_runs(snippet, tmp_path, monkeypatch):
    if "run_pilot" in snippet:
        compile(snippet, "snippet", "exec")
        return
    monkeypatch.chdir(tmp_path)
    with serving(Endpoint(lambda body, _: JSONResponse(completion(body, "The answer is 7.")))) as url:
        exec(snippet.replace("http://127.0.0.1:8000/v1", url), {"real": ROWS, "made": ROWS})
