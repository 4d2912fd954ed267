"""A person's mistakes, as real Snakemake tells them: one sentence, exit code 2, nothing lost."""

import os

import numpy as np
import pandas as pd
import pytest
import yaml

from ggmi.random import stream

SMALL = {
    "rounds": 2,
    "sweeps": {"K": [2, 3], "J": [2], "L": [2]},
    "anchor_components": ["released"],
    "estimators": ["forward"],
    "forward": {"relative_error": 0.5, "absolute_error": 1.0},
}
GMM = {**SMALL, "covariances": ["psd"]}
SEGMENT = "results/gmm/psd/K2-3_J2_L2"
GAPS = "results/gmm/kl_gap.csv"


def cells(source):
    """A study of a table's classes."""
    return {
        **SMALL,
        "truth": "data",
        "covariances": ["empirical"],
        "anchors_per_component": 10,
        "table": {"source": source, "label": "kind"},
    }


@pytest.fixture
def project(fresh_project):
    """A copy of the project that has not been run, with the small study alone."""
    configured(fresh_project, {"gmm": GMM})
    return fresh_project


def configured(project, studies, **others):
    values = {**others, "mixtures": {"digits": None, **studies}}
    project.configfile.write_text(yaml.safe_dump(values), encoding="utf-8")


def run(project, *arguments):
    return project.run("--cores", "1", *(arguments or [GAPS]), check=False)


def sentences(done):
    """What a run that met mistakes says of them, a sentence a line."""
    said = done.stdout + done.stderr
    assert done.returncode == 2, said
    assert "Traceback" not in said
    return [line.removeprefix("ggmi: ") for line in said.splitlines() if line.startswith("ggmi: ")]


def test_mistakes_in_the_configuration_are_told_at_once_before_any_job_starts(project):
    configured(project, {"gmm": {**GMM, "rouds": 3, "rounds": "many", "K": 0, "sweeps": {"K": []}}}, sed=3)
    assert sorted(sentences(run(project))) == [
        "config: mixtures.gmm.K: must be greater than or equal to 1, got 0",
        "config: mixtures.gmm.rounds: must be a valid integer, unable to parse string as an integer, got 'many'",
        "config: mixtures.gmm.sweeps.K: must have at least 1 item, got []",
        "config: unknown key 'mixtures.gmm.rouds': did you mean 'rounds'?",
        "config: unknown key 'sed': did you mean 'seed'?",
    ]
    assert not (project.path / "results").exists()


def test_a_results_folder_that_cannot_be_written_is_told_before_any_job_starts(project):
    (project.path / "file").write_text("kept")
    configured(project, {"gmm": GMM}, results="file/results")
    (said,) = sentences(run(project, "file/results/gmm/kl_gap.csv"))
    assert said == f"config: results: 'file/results' cannot be written ({project.path}/file is not a writable folder)"
    assert (project.path / "file").read_text() == "kept"


@pytest.mark.parametrize(
    "content",
    [b"mixtures: {gmm: [2,\n", b"- seed\n- results\n", b"seed: \xff\n"],
    ids=["broken YAML", "a list", "not UTF-8"],
)
def test_a_config_yaml_that_cannot_be_read_is_told_without_a_traceback(project, content):
    (project.path / "config.yaml").write_bytes(content)
    (said,) = sentences(run(project))
    assert said.startswith("config.yaml: ")
    assert not (project.path / "results").exists()


def test_damaged_tables_are_told_and_what_others_finished_is_kept(project):
    numbers = stream(1, "cells").normal(size=(70, 3))
    table = pd.DataFrame(numbers, columns=list("xyz")).assign(kind=np.repeat(list("abcdefg"), 10))
    table.to_parquet(project.path / "cut.parquet")
    os.truncate(project.path / "cut.parquet", (project.path / "cut.parquet").stat().st_size // 2)
    table.astype({"y": object}).replace({"y": {numbers[4, 1]: "zwei"}}).to_csv(project.path / "text.csv", index=False)
    configured(project, {"gmm": GMM, "cut": cells("cut.parquet"), "text": cells("text.csv")})
    targets = [f"results/{study}/kl_gap.csv" for study in ("gmm", "cut", "text")]
    said = sentences(run(project, "--keep-going", *targets))
    assert len(said) == 2
    assert said[0].startswith("cut.parquet: cannot be read as parquet; the file may be damaged (")
    assert said[1] == "text.csv: row 5, column 'y': 'zwei' is not a finite number"
    assert len(pd.read_csv(project.path / GAPS)) == 2
    assert not (project.path / "results/cut/points.npz").exists()


def test_a_truncated_artifact_is_named_and_the_others_are_kept(project):
    assert run(project).returncode == 0
    whole = project.tables()
    worlds = project.path / SEGMENT / "worlds.npz"
    os.truncate(worlds, worlds.stat().st_size // 2)
    newest = max(path.stat().st_mtime for path in (project.path / "results").rglob("*"))
    os.utime(worlds, (newest + 2, newest + 2))
    (said,) = sentences(run(project))
    assert said.startswith(f"{SEGMENT}/worlds.npz: is damaged or missing (")
    assert said.endswith("; delete the file and run again")
    # Snakemake removes what a job is about to make anew; all else is as it was.
    kept = project.tables()
    lost = {name for name in whole if kept.get(name) != whole[name]}
    place = SEGMENT.removeprefix("results/")
    assert f"{place}/worlds.npz" in lost
    assert lost <= {f"{place}/{name}.npz" for name in ("worlds", "synthetic", "fit_anchors_released")}
    # The advice helps.
    worlds.unlink()
    assert run(project, f"{SEGMENT}/worlds.npz", f"{SEGMENT}/synthetic.npz", GAPS).returncode == 0
    assert project.tables() == whole
