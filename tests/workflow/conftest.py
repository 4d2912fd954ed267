import fcntl
import os

import pytest
from project import Project


@pytest.fixture(scope="session")
def finished(tmp_path_factory):
    """A project whose tiny configuration has been run to its end; copy it before changing it.

    Processes that share the tests share it: the first that needs it makes it, the others wait.
    """
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "finished"
    folder.mkdir(exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "done").exists():
            Project.fresh(folder / "project").run("--cores", "2")
            (folder / "done").touch()
    return Project(folder / "project")


@pytest.fixture(scope="session")
def project_at():
    """Make a project that has not been run, at a path."""
    return Project.fresh


@pytest.fixture
def fresh_project(tmp_path):
    """A project that has not been run."""
    return Project.fresh(tmp_path / "project")
