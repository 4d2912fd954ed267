"""A person's own labelled table goes through the same rules as the simulation."""

import numpy as np
import pandas as pd
import pytest

from ggmi.random import stream


@pytest.fixture
def table():
    """Four well separated classes in three columns, labelled by name."""
    draws = stream(20241001, "own table")
    names = np.repeat(["setosa", "versicolor", "virginica", "other"], 30)
    points = draws.standard_normal((120, 3)) + 6 * np.repeat(np.eye(4, 3), 30, axis=0)
    return pd.DataFrame(points, columns=["a", "b", "c"]).assign(species=names)


def write(table, path):
    table.to_csv(path, index=False) if path.suffix == ".csv" else table.to_parquet(path)


def study_of(source):
    return {
        "title": "Mine",
        "truth": "data",
        "table": {"source": source, "label": "species"},
        "covariances": ["empirical"],
        "estimators": ["forward", "reverse"],
        "anchors_per_component": 10,
        "K": 1,
        "J": 1,
        "L": 1,
        "sweeps": {"K": [1, 2], "J": [1], "L": [1]},
        "rounds": 4,
    }


def test_a_table_of_ones_own_is_studied_like_the_simulation(fresh_project, table):
    write(table, fresh_project.path / "mine.csv")
    fresh_project.configure({"mixtures": {"mine": study_of("mine.csv"), "gmm": None, "digits": None}})
    fresh_project.run("--cores", "2")
    found = pd.read_csv(fresh_project.path / "results/mine/kl_gap.csv")
    assert set(found["covariance"]) == {"empirical"}
    assert len(found) == 2 * 2 * 2
    reverse = found[(found["estimator"] == "reverse") & (found["anchor_components"] == "released")]
    # Anchors of one class say nothing of the other; synthetic data from both serve the target better.
    assert (reverse["median_nats"] > 0).all()
    assert "Mine" in (fresh_project.path / "results/report.html").read_text()


def test_a_table_is_the_same_points_in_either_format_and_is_read_again_once_it_changes(fresh_project, table):
    files = {f"as_{suffix}": fresh_project.path / f"mine.{suffix}" for suffix in ("csv", "parquet")}
    for path in files.values():
        write(table, path)
    studies = {name: study_of(path.name) for name, path in files.items()}
    fresh_project.configure({"mixtures": {**studies, "gmm": None, "digits": None}})
    targets = [f"results/{name}/points.npz" for name in studies]
    fresh_project.run("--cores", "2", *targets)
    points = fresh_project.tables()
    assert points["as_csv/points.npz"] == points["as_parquet/points.npz"]
    assert fresh_project.planned(*targets) == set()
    table.loc[0, "a"] += 1
    for path in files.values():
        write(table, path)
    assert fresh_project.planned(*targets) == {"labelled_points as_csv", "labelled_points as_parquet"}
