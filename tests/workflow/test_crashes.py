"""A run killed at random moments, then run again: the same results, nothing half-written."""

import os
import signal
import subprocess
import time

import numpy as np

from ggmi.random import stream

KILLS = 20


def test_twenty_kills_and_plain_reruns_end_in_the_undisturbed_results(finished, fresh_project):
    moments = stream(20241001, "kill moments")
    started = time.monotonic()
    fresh_project.run("--cores", "2")
    duration = time.monotonic() - started
    for _ in range(KILLS):
        remove_results(fresh_project, share=moments.random())
        process = subprocess.Popen(
            fresh_project.command("--cores", "2"),
            cwd=fresh_project.path,
            env=fresh_project.environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        time.sleep(moments.uniform(0, duration))
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        every_archive_is_whole(fresh_project)
    fresh_project.run("--cores", "2")
    assert fresh_project.tables() == finished.tables()
    assert not list((fresh_project.path / "results").rglob("*.tmp"))


def remove_results(project, share):
    """Take away a share of what was made, so that each run has work to be killed in."""
    picks = stream(20241001, "removed", int(share * 1e9))
    for path in sorted((project.path / "results").rglob("*.npz")):
        if picks.random() < share:
            path.unlink()


def every_archive_is_whole(project):
    for path in (project.path / "results").rglob("*.npz"):
        with np.load(path, allow_pickle=False) as archive:
            assert all(archive[name].size for name in archive.files)
