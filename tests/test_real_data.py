import os
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

ROOT = Path(__file__).resolve().parents[1]
DATA = Path(os.environ.get("SHARED_DATA", ROOT.parent / "shared" / "data"))
COMMAND = [sys.executable, str(ROOT / "benchmarks" / "real_data.py")]


def test_every_estimator_is_ranked_against_the_win_rates_of_twelve_real_models(tmp_path):
    if not (DATA / "answers" / "win_rates.csv").is_file():
        sys.__stderr__.write(f"\nREAL DATA NOT FOUND in {DATA}: the estimators were not tried on them\n")
        pytest.skip(f"no real data in {DATA}")
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src"), "SHARED_DATA": str(DATA)}
    done = subprocess.run(
        [*COMMAND, str(tmp_path), "6"], env=environment, capture_output=True, encoding="utf-8", timeout=600
    )
    assert done.returncode == 0, done.stderr
    found = pd.read_csv(tmp_path / "predictions.csv")
    ranked = found[found["spearman"].notna()]
    assert set(ranked["n"]) == {12}
    assert {"hsic", "cka", "mmd", "vendi", "total_variation"} <= set(ranked["estimator"])
    assert (ranked["ci_low"] <= ranked["spearman"]).all()
    assert "too few conditions to name any" in (tmp_path / "report.md").read_text()


def test_missing_data_are_said_loudly(tmp_path):
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src"), "SHARED_DATA": str(tmp_path / "nowhere")}
    done = subprocess.run([*COMMAND, str(tmp_path / "made")], env=environment, capture_output=True, encoding="utf-8")
    assert done.returncode == 1
    assert "REAL DATA NOT FOUND" in done.stderr
    assert not (tmp_path / "made").exists()
