import os
import re
import subprocess
from pathlib import Path

import forked
import pytest
import yaml

from ggmi.config import load, resolved

REPOSITORY = Path(__file__).parents[2]
TITLE = "Made: <b>{{ 7 * 7 }}</b>"
STUDY = {
    "title": TITLE,
    "covariances": ["psd"],
    "anchor_components": ["released"],
    "sweeps": {axis: [2, 3, 4] for axis in "KJL"},
    "rounds": 20,
}
CONFIG = {
    **{"seed": 7, "mixtures": {"gmm": STUDY}, "tasks": {"embedded": None}},
    **dict.fromkeys(("theory", "slow_thinking", "data_quality", "language")),
}
# Only the report's rules: everything they read has been made.
SNAKEFILE = """
configfile: "config.yaml"


include: "rules/common.smk"
include: "rules/resources.smk"
include: "rules/step.smk"
include: "rules/report.smk"
"""


@pytest.fixture(scope="module")
def workplace(tmp_path_factory, make_study, write_results):
    place = tmp_path_factory.mktemp("report")
    for folder in ("rules", "workflow", "envs"):
        (place / folder).symlink_to(REPOSITORY / folder)
    (place / "Snakefile").write_text(SNAKEFILE)
    (place / "config.yaml").write_text(yaml.safe_dump(CONFIG))
    write_results(place / "results", make_study({("psd", "released", "forward", "K"): "against"}, title=TITLE))
    return place


def snakemake(place, *arguments, **environment):
    command = [forked.python(), "-m", "snakemake", "--cores", "1", "results/report.html", *arguments]
    environment = os.environ | {"LC_ALL": "C.UTF-8"} | environment
    done = subprocess.run(command, cwd=place, capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


def test_the_rules_make_pages_summary_and_configuration(workplace):
    snakemake(workplace)
    results = workplace / "results"
    assert yaml.safe_load((results / "config.resolved.yaml").read_text()) == resolved(load(CONFIG))
    (line,) = (results / "summary.txt").read_text(encoding="utf-8").splitlines()
    assert line.startswith(
        "Does synthetic data bring a student closer to the truth? All published trends appear under 3 "
    )
    front, page = ((results / name).read_text(encoding="utf-8") for name in ("report.html", "mixtures.html"))
    assert "under 3 of 4 divergences" in front
    assert "under 3 of 4 divergences: the released histogram, aligned histogram and reverse divergence" in page
    for text, count in ((front, 1 + 7), (page, 1 + 3 * 4 + 4 + 3)):
        assert "Made: &lt;b&gt;{{ 7 * 7 }}&lt;/b&gt;" in text
        links = [link for link in re.findall(r'href="([^"]+)"', text) if not link.startswith(("#", "https:", "data:"))]
        assert len(links) == count
        assert all((results / link).is_file() for link in links)

    assert "Nothing to be done" in snakemake(workplace, "-n")
    snakemake(workplace, "--forcerun", "report", "mixtures_page", PYTHONHASHSEED="1")
    assert (results / "report.html").read_text(encoding="utf-8") == front
    assert (results / "mixtures.html").read_text(encoding="utf-8") == page
