"""What a machine does to a run: a full disk, a read-only or vanished folder, signals."""

import contextlib
import os
import re
import shutil
import signal
import subprocess
import time

import pytest
from workflow.conftest import Project

TARGETS = ["results/gmm/kl_gap.csv"]
STUDY = {
    "conditions_per_job": 1,
    "mixtures": {
        "gmm": {
            "sweeps": {"K": [2], "J": [2], "L": [2]},
            "anchor_components": ["released"],
            "estimators": ["forward"],
        },
        "digits": None,
    },
}
GOES_ON = "What was finished is kept; run the same command again to go on."


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """A project whose run nothing disturbed."""
    project = Project.fresh(tmp_path_factory.mktemp("undisturbed") / "project")
    project.configure(STUDY)
    project.run("--cores", "2", *TARGETS)
    return project


@pytest.fixture
def project(fresh_project):
    fresh_project.configure(STUDY)
    return fresh_project


@contextlib.contextmanager
def mounted(place, *options):
    """A small file system of its own at a folder."""
    place.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", ",".join(options), "tmpfs", place], check=True)
    try:
        yield lambda *changed: subprocess.run(["mount", "-o", ",".join(("remount", *changed)), place], check=True)
    finally:
        subprocess.run(["umount", "--lazy", place], check=True)


@contextlib.contextmanager
def read_only(place):
    """A folder, seen by everybody who opens something in it from now on, as read-only."""
    subprocess.run(["mount", "--bind", place, place], check=True)
    try:
        subprocess.run(["mount", "-o", "remount,ro,bind", place], check=True)
        yield
    finally:
        subprocess.run(["umount", "--lazy", place], check=True)


def started(project):
    """A run in a process group of its own, so that a signal reaches it alone or with its jobs, as a terminal's does."""
    return subprocess.Popen(
        project.command("--cores", "2", *TARGETS),
        cwd=project.path,
        env=project.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def wait_for(project, run, pattern):
    """Wait until a file has been made."""
    while not list((project.path / "results").glob(pattern)):
        assert run.poll() is None, run.stdout.read()
        time.sleep(0.02)


def sentences(said):
    assert "Traceback" not in said, said
    return [line.removeprefix("ggmi: ") for line in said.splitlines() if line.startswith("ggmi: ")]


def finished(project):
    """Worlds that a later job has worked on, with what tells whether they were written again."""
    places = [path.with_name("worlds.npz") for path in (project.path / "results").rglob("synthetic.npz")]
    return {place: (place.stat().st_mtime_ns, place.stat().st_ino) for place in places}


def goes_on(project, undisturbed):
    """Run again: what was finished stays as it is, and the results are those of an undisturbed run."""
    before = finished(project)
    said = project.run("--cores", "2", *TARGETS)
    assert "Traceback" not in said.stderr
    assert {place: finished(project)[place] for place in before} == before
    assert project.tables() == undisturbed.tables()
    assert not list((project.path / "results").rglob("*.tmp"))
    return before


def test_a_full_disk_is_one_sentence_and_the_run_goes_on_once_there_is_room(project, undisturbed):
    pages = sum(-(-p.stat().st_size // 4096) for p in (undisturbed.path / "results").rglob("*") if p.is_file())
    with mounted(project.path / "results", f"size={pages * 2 // 3 * 4}k") as remount:
        run = project.run("--cores", "2", *TARGETS, check=False)
        said = run.stdout + run.stderr
        assert run.returncode == 2, said
        full = [sentence for sentence in sentences(said) if "No space left on device" in sentence]
        assert full, said
        # A job whose log has no room left for its reason is told by its name.
        assert {*sentences(said)} - {*full} <= {
            s for s in sentences(said) if re.match(r"rule \w+ \(.*failed; log: ", s)
        }
        assert GOES_ON in said
        remount("size=64m")
        assert goes_on(project, undisturbed)


def test_a_disk_that_is_full_from_the_start_is_one_sentence(project, undisturbed):
    with mounted(project.path / "results", "size=64m") as remount:
        filler = project.path / "results" / "filler"
        subprocess.run(["dd", "if=/dev/zero", f"of={filler}", "bs=1M"], check=False, capture_output=True)
        run = project.run("--cores", "2", *TARGETS, check=False)
        assert run.returncode == 2, run.stderr
        (sentence,) = sentences(run.stdout + run.stderr)
        assert sentence == "config: results: 'results' cannot be written (No space left on device)"
        filler.unlink()
        remount("size=65m")
        goes_on(project, undisturbed)


def test_results_that_cannot_be_written_are_told_before_any_job_starts(project, undisturbed):
    with mounted(project.path / "results", "size=64m") as remount:
        project.run("--cores", "2", "results/gmm/psd/K2_J2_L2/fit_synthetic.npz")
        before = finished(project)
        remount("ro")
        run = project.run("--cores", "2", *TARGETS, check=False)
        assert run.returncode == 2
        (sentence,) = sentences(run.stdout + run.stderr)
        assert sentence.startswith("config: results: 'results' cannot be written")
        assert finished(project) == before
        remount("rw")
        assert goes_on(project, undisturbed) == before


def test_results_that_become_read_only_during_a_run_are_told_and_it_goes_on(project, undisturbed):
    run = started(project)
    wait_for(project, run, "gmm/psd/*/synthetic.npz")
    with read_only(project.path / "results"):
        said = run.communicate(timeout=120)[0]
    # Snakemake marks what a job has made, and ends with its own words where it meets the mistake first.
    assert run.returncode in (1, 2), said
    assert "Read-only file system" in said
    goes_on(project, undisturbed)


def test_results_that_are_deleted_during_a_run_are_told_and_made_anew(project, undisturbed):
    run = started(project)
    wait_for(project, run, "gmm/psd/*/worlds.npz")
    shutil.rmtree(project.path / "results", ignore_errors=True)
    said = run.communicate(timeout=120)[0]
    assert "Traceback" not in said
    assert run.returncode == 2, said
    assert "ggmi: results: was deleted during the run\n" in said
    assert "Traceback" not in said
    assert GOES_ON in said
    goes_on(project, undisturbed)


@pytest.mark.parametrize(
    ("number", "tell"), [(signal.SIGINT, os.killpg), (signal.SIGTERM, os.kill)], ids=["Ctrl-C", "SIGTERM"]
)
def test_a_signal_ends_a_run_that_goes_on_where_it_was(project, undisturbed, number, tell):
    run = started(project)
    wait_for(project, run, "gmm/psd/*/fit_synthetic.npz")
    tell(run.pid, number)
    said = run.communicate(timeout=120)[0]
    assert run.returncode == 1, (run.returncode, said)
    # Jobs that the terminal's signal has ended are named with their logs; a run that is told alone lets them finish.
    told = re.findall("^ggmi: (.*)$", said, re.MULTILINE)
    assert all(re.fullmatch(r"rule \w+( \(.*\))? failed; log: .*", sentence) for sentence in told), told
    assert told == [] or number == signal.SIGINT
    assert GOES_ON in said
    goes_on(project, undisturbed)
