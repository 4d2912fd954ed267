"""How often a verifier chooses right where there is something right to choose, by step and width."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from sklearn.metrics import roc_auc_score
from transformers import PreTrainedModel

from ggmi.reasoning.prefixes import Prefixes, Reader, Reasoner, Scorer
from ggmi.reasoning.problems import Bools, Problems
from ggmi.reasoning.samples import SPARE_STEPS
from ggmi.search.policy import Floats, best
from ggmi.search.responses import choose_best, sample_responses
from ggmi.statistics import wilson

WHOLE = 0


def reliability_table(
    models: Mapping[str, PreTrainedModel], problems: Problems, widths: Sequence[int], generator: np.random.Generator
) -> pd.DataFrame:
    """Measure the verifiers on fresh problems.

    Steps are drawn after right prefixes, the largest width at once; smaller widths take the first of them.
    The process model chooses among steps, both models among whole answers.

    Parameters
    ----------
    models
        ``reasoner``, ``orm`` and ``prm``.
    problems
        Problems of one length, none of which was used before.
    widths
        k, or N for whole answers.
    generator
        Source of randomness.

    Returns
    -------
    DataFrame
        ``verifier, step`` (0 for whole answers), ``width, n, p`` (share of right candidates), ``any_right, all_right``
        (share of sets), ``n_with_right, reliability`` and its Wilson interval, ``threshold`` (the reliability that
        is needed for a gain, ``p / (1 - (1 - p)^k)``), ``reported_threshold`` (1/k) and ``auc`` of the scores of all
        candidates of the largest width, over problems.
    """
    prefixes = Prefixes(problems, models["reasoner"].config.n_positions)
    policy = Reasoner(Reader(models["reasoner"], prefixes), prefixes, generator)
    scorers = {name: Scorer(Reader(models[name], prefixes), prefixes, by_step=name == "prm") for name in ("orm", "prm")}
    most = max(widths)
    rows = []
    chain, tokens = problems.chains(), np.arange(len(problems))
    for step in range(1, problems.length + 2):
        nodes = policy.extend(np.repeat(tokens, most)).nodes.reshape(-1, most)
        scores = scorers["prm"].score(nodes)
        rows += _rows("prm", step, prefixes.right[nodes], scores, widths, generator)
        for token in chain[:, 2 * step - 2 : 2 * step].T:
            tokens = prefixes.children(tokens, token)
    drawn = sample_responses(policy, np.arange(len(problems)), most, limit=problems.length + SPARE_STEPS)
    right = prefixes.right[drawn.nodes] & prefixes.ended(drawn.nodes)
    for name, scorer in scorers.items():
        scores = scorer.score(drawn.nodes)
        auc = _auc(right, scores)
        for width in widths:
            places = choose_best(scores[:, :width], drawn.answers[:, :width], generator)
            rows.append(_row(name, WHOLE, right[:, :width], places, auc))
    return pd.DataFrame(rows)


def _rows(
    verifier: str, step: int, right: Bools, scores: Floats, widths: Sequence[int], generator: np.random.Generator
) -> list[dict[str, float | int | str]]:
    auc = _auc(right, scores)
    return [_row(verifier, step, right[:, :k], best(scores[:, :k], generator), auc) for k in widths]


def _auc(right: Bools, scores: Floats) -> float:
    """Probability that a right candidate scores above a wrong one, over all problems; NaN where one kind is missing."""
    there = ~np.isnan(scores)
    labels = right[there]
    return float(roc_auc_score(labels, scores[there])) if 0 < labels.sum() < len(labels) else np.nan


def _row(verifier: str, step: int, right: Bools, places: np.ndarray, auc: float) -> dict[str, float | int | str]:
    width = right.shape[1]
    chosen = np.take_along_axis(right, places[:, None], axis=1)[:, 0]
    there = right.any(axis=1)
    p = float(right.mean())
    interval = wilson(float(chosen[there].mean()), int(there.sum()))
    return {
        "verifier": verifier,
        "step": step,
        "width": width,
        "n": len(right),
        "p": p,
        "any_right": float(there.mean()),
        "all_right": float(right.all(axis=1).mean()),
        "n_with_right": int(there.sum()),
        "reliability": float(chosen[there].mean()),
        "reliability_ci_low": interval.low,
        "reliability_ci_high": interval.high,
        "threshold": p / (1 - (1 - p) ** width),
        "reported_threshold": 1 / width,
        "auc": auc,
    }
