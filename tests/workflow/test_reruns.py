"""A change of configuration or code, and exactly what `snakemake -n` would then run."""

import re

import pytest

GMM = ["K2-3_J2_L2", "K2_J3_L2", "K2_J2_L3"]
ESTIMATORS = ["released_histogram", "aligned_histogram", "forward", "reverse"]
TABLES = ["kl_gap", "trends"]


def figures4(study, covariance):
    return {f"figure4 {study} {covariance} {anchors}" for anchors in ("released", "text")}


def chain(study, covariance, segments, estimators, *, from_rule="worlds"):
    """Everything that is made of some segments from a rule on."""
    order = ["worlds", "synthetic_set", "fitted_mixture", "terms", "divergences"]
    jobs = set()
    for rule in order[order.index(from_rule) :]:
        for segment in segments:
            place = f"{rule} {study} {covariance} {segment}"
            if rule == "fitted_mixture":
                jobs |= {f"{place} {source}" for source in ("synthetic", "anchors_released", "anchors_text")}
            elif rule == "divergences":
                jobs |= {f"{place} {estimator}" for estimator in estimators}
            else:
                jobs.add(place)
    return jobs


def summaries(study, covariance):
    return {f"{rule} {study}" for rule in ("gaps", "accuracy", *TABLES)} | figures4(study, covariance)


def term_summaries(study, covariance):
    return {f"term_tables {study}", f"figure_terms {study} {covariance}"}


def study_figures(study):
    return {f"figure2 {study}", f"figure5 {study}"}


EVERYTHING_GMM = (
    chain("gmm", "psd", GMM, ESTIMATORS) | summaries("gmm", "psd") | term_summaries("gmm", "psd") | study_figures("gmm")
)
EVERYTHING_DIGITS = (
    chain("digits", "empirical", GMM, ["forward"])
    | summaries("digits", "empirical")
    | term_summaries("digits", "empirical")
    | study_figures("digits")
)
ALWAYS = {"resolved_config", "report"}

CHANGES = {
    "adding a value to one sweep": (
        {"mixtures": {"gmm": {"sweeps": {"K": [2, 3, 16]}}}},
        chain("gmm", "psd", ["K16_J2_L2"], ESTIMATORS) | summaries("gmm", "psd") | term_summaries("gmm", "psd"),
    ),
    "changing n": (
        {"mixtures": {"gmm": {"synthetic_size": 150}}},
        (
            chain("gmm", "psd", GMM, ESTIMATORS, from_rule="synthetic_set")
            | summaries("gmm", "psd")
            | term_summaries("gmm", "psd")
            | study_figures("gmm")
        )
        - {f"fitted_mixture gmm psd {s} anchors_{a}" for s in GMM for a in ("released", "text")},
    ),
    "changing one estimator's setting": (
        {"mixtures": {"gmm": {"forward": {"relative_error": 0.4}}}},
        {f"divergences gmm psd {s} forward" for s in GMM} | summaries("gmm", "psd"),
    ),
    "changing a setting of the terms": (
        {"mixtures": {"gmm": {"terms": {"points": 3}}}},
        {f"terms gmm psd {s}" for s in GMM} | term_summaries("gmm", "psd"),
    ),
    "changing a plot setting": (
        {"figures": {"dpi": 100}},
        figures4("gmm", "psd")
        | figures4("digits", "empirical")
        | study_figures("gmm")
        | study_figures("digits")
        | {"figure_terms gmm psd", "figure_terms digits empirical"},
    ),
    "changing the seed": ({"seed": 1}, EVERYTHING_GMM | EVERYTHING_DIGITS),
    "changing the rounds of one study": ({"mixtures": {"gmm": {"rounds": 7}}}, EVERYTHING_GMM),
    "changing the dimensions of the real data": (
        {"mixtures": {"digits": {"dimensions": 3}}},
        EVERYTHING_DIGITS | {"labelled_points digits"},
    ),
    "taking a value out of a sweep": (
        {"mixtures": {"gmm": {"sweeps": {"K": [2]}}}},
        summaries("gmm", "psd") | term_summaries("gmm", "psd"),
    ),
    "leaving a variant out": (
        {"mixtures": {"gmm": {"estimators": ESTIMATORS[:3]}}},
        summaries("gmm", "psd"),
    ),
    "cutting jobs differently": ({"conditions_per_job": 1}, set()),
}


@pytest.fixture(scope="module")
def unchanged(finished, tmp_path_factory):
    return finished.copy(tmp_path_factory.mktemp("reruns") / "project")


@pytest.fixture
def project(unchanged, tmp_path):
    return unchanged.copy(tmp_path / "project")


@pytest.mark.parametrize("name", CHANGES)
def test_a_configuration_change_reruns_what_depends_on_it(name, unchanged):
    change, expected = CHANGES[name]
    pages = ALWAYS | {"mixtures_page"} if expected else ALWAYS
    assert unchanged.planned(change=change) == expected | pages


def edit(project, file, pattern, replacement):
    path = project.path / file
    text, count = re.subn(pattern, replacement, path.read_text(), count=1)
    assert count == 1
    path.write_text(text)


def test_editing_a_library_function_reruns_its_users_only(project):
    edit(project, "src/ggmi/mixtures/divergence.py", r"FIRST_POINTS = 32\b", "FIRST_POINTS = 64")
    expected = {f"divergences gmm psd {s} {e}" for s in GMM for e in ESTIMATORS}
    expected |= {f"divergences digits empirical {s} forward" for s in GMM}
    expected |= summaries("gmm", "psd") | summaries("digits", "empirical") | {"mixtures_page", "report"}
    assert project.planned() == expected


def test_editing_how_terms_are_estimated_reruns_terms_only(project):
    edit(project, "src/ggmi/mixtures/terms.py", r"BLOCK_ELEMENTS = 2\*\*18", "BLOCK_ELEMENTS = 2**17")
    expected = {f"terms {study} {s}" for study in ("gmm psd", "digits empirical") for s in GMM}
    expected |= term_summaries("gmm", "psd") | term_summaries("digits", "empirical")
    expected |= {"mixtures_page", "report"}
    assert project.planned() == expected


def test_comments_and_docstrings_rerun_nothing(project):
    config = project.path / "config.yaml"
    config.write_text("# a remark\n" + config.read_text().replace("seed: 20241001", "seed: 20241001  # mine"))
    edit(project, "src/ggmi/mixtures/em.py", r'"""Fit a Gaussian mixture', '"""Fits a Gaussian mixture')
    edit(project, "src/ggmi/mixtures/worlds.py", r"\n# Means are uniform", "\n# All means are uniform")
    assert project.planned() == set()
