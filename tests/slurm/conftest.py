import shutil
import sys
import tempfile
from pathlib import Path

import pytest
from project import Project
from slurm.cluster import Cluster

HERE = Path(__file__).parent


class ClusterProject(Project):
    """A copy of the project whose jobs go to the cluster, with rules that misbehave on demand."""

    cluster: Cluster
    # SLURM watches over what it has started itself.
    python = sys.executable

    def command(self, *arguments: str, python: str = sys.executable) -> list[str]:
        # Jobs that last seconds are looked at every second.
        profile = ["--workflow-profile", "profiles/slurm", "--slurm-init-seconds-before-status-checks", "1"]
        return [*super().command(python=python), *profile, *arguments]

    @property
    def environment(self) -> dict[str, str]:
        return {**super().environment, **self.cluster.environment, "PYTHONPATH": str(self.path / "src")}

    def jobs(self) -> list[dict[str, str]]:
        """The cluster's jobs of this folder, as `scontrol` describes them."""
        return [job for job in self.cluster.jobs() if job["WorkDir"] == str(self.path)]


@pytest.fixture(scope="session")
def cluster():
    folder = Path(tempfile.mkdtemp(prefix="ggmi-slurm-"))
    cluster = Cluster(folder)
    yield cluster
    cluster.stop()
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def project_on(cluster, tmp_path_factory):
    """Make a project that has not been run, whose jobs go to the cluster."""

    def make(name):
        project = ClusterProject.fresh(tmp_path_factory.mktemp(name) / "project")
        project.cluster = cluster
        shutil.copy2(HERE / "extra.smk", project.path / "rules")
        with (project.path / "Snakefile").open("a") as file:
            file.write('\n\ninclude: "rules/extra.smk"\n')
        return project

    return make
