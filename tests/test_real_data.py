import importlib
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from ggmi.pilot.proxy import make_proxies
from ggmi.students.base import Base
from ggmi.text.samples import read_rows

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


@pytest.fixture
def benchmark(monkeypatch):
    """A benchmark's module by its name."""
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    yield importlib.import_module
    for name in ("common", "worth", "real_students"):
        sys.modules.pop(name, None)


def test_rows_of_an_outcome_take_the_place_of_its_own_alone(benchmark, tmp_path):
    kinds = [f"{name}{end}" for name in ("raw", "partial") for end in ("", "_ci_low", "_ci_high", "_p", "_p_holm")]
    kinds += [f"{name}{end}" for name in ("skill", "concordance") for end in ("", "_ci_low", "_ci_high")]

    def worth(value, *estimators):
        return pd.DataFrame([{"estimator": name, **dict.fromkeys(kinds, value), "n": 9} for name in estimators])

    keep, place = benchmark("worth").keep, tmp_path / "worth.csv"
    keep("b", worth(0.5, "vendi", "cka"), place)
    keep("a", worth(1 / 3, "hsic"), place)
    keep("b", worth(0.25, "mmd"), place)
    found = pd.read_csv(place)
    assert found[["outcome", "estimator", "raw"]].to_numpy().tolist() == [["a", "hsic", 0.333333], ["b", "mmd", 0.25]]
    assert list(found) == ["outcome", "estimator", *(k for k in kinds if not k.endswith("_p")), "n"]


def test_students_are_tested_on_instructions_that_no_set_answers(benchmark, tmp_path):
    if not (DATA / "answers150.parquet").is_file():
        sys.__stderr__.write(f"\nREAL DATA NOT FOUND in {DATA}: the split for students was not tried on them\n")
        pytest.skip(f"no real data in {DATA}")
    module = benchmark("real_students")
    sets, target, (answers, solutions) = module.read_data(DATA, 3)
    assert list(sets)[-1] == target != "NullModel"
    asked = {row["prompt_id"] for rows in sets.values() for row in rows}
    assert (len(sets), len(asked), len(answers), len(solutions)) == (4, 110, 50, 100)
    assert not set(answers) & {row["response"] for row in sets[target]}
    folder = tmp_path / "base"
    make_proxies({"t": read_rows(sets[target][:3], "t").records}, [folder], 0)
    base = Base(str(folder))
    texts = [answers[0], "short"]
    cut = module.windows(base, texts)
    end = base.tokenizer.eos_token_id
    assert cut.lengths.max() == base.context
    assert set(cut.tokens[cut.starts[:-1]]) == {end}
    whole = np.concatenate([cut.sequence(i)[1:] for i in range(len(cut))])
    assert base.tokenizer.decode(whole) == "<|end|>".join([*texts, ""])
    # A law of single tokens that has seen nothing but the end is uniform but for it.
    nothing = module.unigram_loss(module.windows(base, [""]), cut)
    assert nothing == pytest.approx(np.log(cut.tokens.max() + 2), rel=0.05)
