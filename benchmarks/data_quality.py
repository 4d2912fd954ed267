"""Time figure 1's sweep of the data quality study against a plain loop that draws every prompt and solves for V*."""

import json
import os
import statistics
import time

import numpy as np
from common import HERE, fill_readme, machine, say, sentence, table, verdict

from ggmi.config.data_quality import DataQualityStudy
from ggmi.data_quality.curves import Curves, by_prompts

WANTED = 20.0
REPEATS = 3


def loop(generator, curves, r, n, prompts):
    """Test errors of V* at each number of prompts, one after another: inputs drawn, pseudo-inverse, Proposition 5.1."""
    d, first = curves.d, np.arange(curves.d) < curves.m
    pretraining = np.where(first, curves.rho, 1.0)
    test = np.diag(np.where(first, curves.rho + 1, 1.0))
    scale = np.sqrt(np.where(first, curves.eta * (curves.rho + 1), r))
    start = np.diag(-1 / ((1 + 1 / n) * pretraining + pretraining.sum() / n))
    # The same prompts serve every B, as in ours; drawing them anew for each B would take seven times as many.
    phi, omega = np.empty((2, d, max(prompts)))
    for i in range(max(prompts)):
        inputs = generator.standard_normal((n, d)) * scale
        omega[:, i] = generator.standard_normal(d)
        phi[:, i] = inputs.T @ (inputs @ omega[:, i]) / n
    errors = []
    for b in prompts:
        inverse = np.linalg.pinv(phi[:, :b], rcond=1e-10) if b else np.zeros((0, d))
        v = -curves.eta * omega[:, :b] @ inverse + start @ (np.eye(d) - phi[:, :b] @ inverse)
        moved = v @ test
        noise = np.trace(moved @ moved.T) + np.trace(moved @ v.T) * np.trace(test)
        errors.append((np.square(np.eye(d) + moved).sum() + noise / n) / d)
    return errors


def main():
    """Measure, print, and write the results and the README's section."""
    study = DataQualityStudy()
    settings = study.curves
    loads = [os.getloadavg()[0]]
    curves = Curves(1, study.seeds, settings.d, settings.d // 2, study.rho, study.eta)
    cells = [(r, n) for r in settings.interferences for n in settings.lengths]
    ours, theirs = [], []
    for repeat in range(REPEATS):
        say(f"the whole sweep, {repeat + 1} of {REPEATS}")
        started = time.perf_counter()
        found = by_prompts(curves, settings.interferences, settings.lengths, settings.prompts, [])
        ours.append(time.perf_counter() - started)
        # One repetition of a panel, times the rest: its three lengths cost as much in every panel.
        r = settings.interferences[repeat % len(settings.interferences)]
        say(f"the loop, one repetition at r = {r}")
        started = time.perf_counter()
        for n in settings.lengths:
            errors = loop(np.random.default_rng(repeat), curves, r, n, settings.prompts)
            rows = found[(found["r"] == r) & (found["n_sft"] == n) & found["seed"].notna()]
            # Both are draws from one distribution: where tails are light they agree within a tenth.
            smooth = settings.prompts.index(2000)
            median = rows.loc[rows["B"] == 2000, "err_over_d"].median()
            assert abs(errors[smooth] / median - 1) < 0.1, (r, n, errors[smooth], median)
        theirs.append((time.perf_counter() - started) * len(cells) / len(settings.lengths) * study.seeds)
    loads.append(os.getloadavg()[0])
    ratios = [b / a for a, b in zip(ours, theirs, strict=True)]
    rows = [
        [
            f"figure 1's sweep: {len(cells)} cells of {len(settings.prompts)} B, {study.seeds} repetitions, "
            f"d = {settings.d}",
            f"{statistics.median(ours):.1f} s",
            f"{statistics.median(theirs):,.0f} s, from one repetition of a panel",
            f"{statistics.median(ratios):.0f} ({min(ratios):.0f} to {max(ratios):.0f})",
            f"{WANTED:.0f}",
            verdict(min(ratios) >= WANTED),
        ]
    ]
    result = {
        "machine": {**machine(), "load_before_and_after": loads},
        "ours_seconds": ours,
        "loop_seconds": theirs,
        "ratios": ratios,
    }
    header = ["what", "ggmi", "plain loop", "ratio", "target", "reached"]
    text = f"{sentence(result['machine'])}\n\n{table(header, rows)}"
    (HERE / "data_quality.json").write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    fill_readme(HERE / "README.md", "data_quality", text)
    print(f"\n{text}")


if __name__ == "__main__":
    main()
