import pytest
from project import Project


@pytest.fixture(scope="session")
def finished(tmp_path_factory):
    """A project whose tiny configuration has been run to its end; copy it before changing it."""
    project = Project.fresh(tmp_path_factory.mktemp("finished") / "project")
    project.run("--cores", "2")
    return project


@pytest.fixture(scope="session")
def project_at():
    """Make a project that has not been run, at a path."""
    return Project.fresh


@pytest.fixture
def fresh_project(tmp_path):
    """A project that has not been run."""
    return Project.fresh(tmp_path / "project")
