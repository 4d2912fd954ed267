"""The same configuration gives the same bytes, and conditions do not disturb one another."""

import pandas as pd

from ggmi.io import read_rounds


def test_arrays_tables_and_pages_are_the_same_bytes_at_any_cores(finished, fresh_project):
    fresh_project.run("--cores", "1", again=True)
    again = fresh_project.tables()
    assert again.keys() == finished.tables().keys()
    assert [name for name, content in finished.tables().items() if again[name] != content] == []


def test_adding_a_condition_changes_no_other(finished, tmp_path):
    project = finished.copy(tmp_path / "project")
    project.configure({"mixtures": {"gmm": {"sweeps": {"K": [2, 3, 5]}}}})
    project.run("--cores", "2", "results/gmm/kl_gap.csv", "results/gmm/terms.csv")
    for name, content in finished.tables().items():
        if name.startswith("gmm/psd/"):
            assert project.tables()[name] == content
    before, after = (pd.read_csv(p.path / "results/gmm/kl_gap.csv") for p in (finished, project))
    pd.testing.assert_frame_equal(after[after["K"] != 5].reset_index(drop=True), before)


def test_how_conditions_are_cut_into_jobs_does_not_matter(finished, fresh_project):
    names = [f"gmm/{n}.csv" for n in ("kl_gap", "trends", "fits", "divergences", "terms", "term_trends", "claims")]
    fresh_project.configure({"conditions_per_job": 1})
    fresh_project.run("--cores", "2", *(f"results/{name}" for name in names))
    for name in names:
        assert sorted(fresh_project.tables()[name].splitlines()) == sorted(finished.tables()[name].splitlines())


def test_more_rounds_keep_the_rounds_there_were(finished, fresh_project):
    fresh_project.configure({"mixtures": {"gmm": {"rounds": 8}}})
    fresh_project.run("--cores", "2", "results/gmm/gaps.npz")
    names = [f"psd-released-{estimator}-K2_J2_L2" for estimator in ("forward", "released_histogram")]
    for name in names:
        few, many = (
            read_rounds(p.path / "results/gmm/gaps.npz", name, ("gap_nats",))["gap_nats"]
            for p in (finished, fresh_project)
        )
        assert len(few) == 6
        assert (many[:6] == few).all()
