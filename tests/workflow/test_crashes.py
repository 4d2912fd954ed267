"""A run killed at random moments, then run again: the same results, nothing half-written."""

import shutil
import subprocess
import time

import forked
import numpy as np

from ggmi.random import stream

KILLS = 20
# Draws, fits and divergences, and the tables made of them; pictures and pages are written by the same function.
WANTED = ("--cores", "2", "results/gmm/kl_gap.csv", "results/gmm/trends.csv")
SMALL = {
    "conditions_per_job": 1,
    "mixtures": {
        "gmm": {
            "sweeps": {"K": [2, 3], "J": [2], "L": [2]},
            "anchor_components": ["released"],
            "estimators": ["released_histogram", "forward"],
        },
        "digits": None,
    },
}


def test_twenty_kills_and_plain_reruns_end_in_the_undisturbed_results(fresh_project):
    fresh_project.configure(SMALL)
    fresh_project.run(*WANTED)
    undisturbed = fresh_project.tables()
    moments = stream(20241001, "kill moments")
    shutil.rmtree(fresh_project.path / "results")
    killed = 0
    while killed < KILLS:
        process = subprocess.Popen(
            fresh_project.command(*WANTED, python=forked.python()),
            cwd=fresh_project.path,
            env=fresh_project.environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        # Up to two files later, and in the midst of what is then under way: a job takes half a second and longer.
        # Counted in files, since a run's time depends on what else the machine does; none means while it starts.
        wanted = len(archives(fresh_project)) + moments.integers(3)
        while len(archives(fresh_project)) < wanted and process.poll() is None:
            time.sleep(0.02)
        try:
            assert process.wait(timeout=moments.uniform(0, 1)) == 0
        except subprocess.TimeoutExpired:
            forked.kill(process)
            killed += 1
            every_archive_is_whole(fresh_project)
        else:
            assert fresh_project.tables() == undisturbed
            shutil.rmtree(fresh_project.path / "results")
    fresh_project.run(*WANTED)
    assert fresh_project.tables() == undisturbed
    assert not list((fresh_project.path / "results").rglob("*.tmp"))


def archives(project):
    """Finished archives; what a job is still writing has another name."""
    return list((project.path / "results").rglob("*.npz"))


def every_archive_is_whole(project):
    for path in archives(project):
        with np.load(path, allow_pickle=False) as archive:
            assert all(archive[name].size for name in archive.files)
