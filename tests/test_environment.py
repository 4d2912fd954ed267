"""The versions that the project names in several places are the same everywhere."""

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


def distributions_of(environment):
    """What an environment installs: the packages that it lists, and theirs."""
    listed = yaml.safe_load((ROOT / "envs" / environment).read_text())["dependencies"]
    by_pip = [line for part in listed if isinstance(part, dict) for line in part["pip"]]
    todo = [re.split("=+", part)[0] for part in [*by_pip, *(p for p in listed if isinstance(p, str))]]
    todo = [CONDA_NAMES.get(name, name) for name in todo if name not in ("python", "pip")]
    found = set()
    while todo:
        name = canonicalize_name(todo.pop())
        if name not in found:
            found.add(name)
            wanted = map(Requirement, metadata.requires(name) or [])
            todo += [r.name for r in wanted if r.marker is None or r.marker.evaluate({**PYTHON, "extra": ""})]
    return found


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
    available = distributions_of(environment)
    lacking = sorted(
        package
        for package, owners in metadata.packages_distributions().items()
        if not any(canonicalize_name(owner) in available for owner in owners) and package != "ggmi"
    )
    code = f"""
import ast
import importlib
from importlib.machinery import PathFinder
found = PathFinder.find_spec
PathFinder.find_spec = lambda name, *place: None if name in {set(lacking)} else found(name, *place)
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
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == ""


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
