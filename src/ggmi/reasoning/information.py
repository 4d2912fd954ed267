"""What steps tell of the right thoughts, and how often they are right, with bootstrap intervals over chains."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import xlogy

from ggmi.information.semantic_entropy import miller_madow
from ggmi.reasoning.problems import Ints, Problems
from ggmi.reasoning.samples import Samples

Array = NDArray[np.float64]
RESAMPLES, PERMUTATIONS = 200, 199
Z = 1.959963984540054


def information(thoughts: Ints, texts: Ints, order: int) -> tuple[float, float]:
    """Mutual information of thought and step, and the entropy of the thought, bias-corrected, in nats.

    ``I(t; r) = H(t) + H(r) - H(t, r)``, each entropy with Miller and Madow's correction: plug-in information
    is too large by about ``(cells - rows - columns + 1) / (2 n)``.

    Parameters
    ----------
    thoughts
        Right thoughts, 0 to m - 1, shape (n,).
    texts
        What the steps say, whole numbers from 0, shape (n,).
    order
        m.

    Returns
    -------
    information, entropy : float

    Examples
    --------
    >>> import numpy as np
    >>> t = np.arange(3000) % 3
    >>> found = information(t, (t + 1) % 3, 3)
    >>> [round(x, 2) for x in found]
    [1.1, 1.1]
    """
    joint = np.bincount(texts * order + thoughts)
    entropy = miller_madow(np.bincount(thoughts))
    return entropy + miller_madow(np.bincount(texts)) - miller_madow(joint), entropy


def fano_bound(mean_loss: float, error: float, order: int) -> float:
    """Right side of Theorem 3.3: ``(mean of earlier losses - H_b(error)) / log(m - 1)``.

    Undefined (NaN) for m = 2. That H(t_l|r_l) may be replaced by the mean of earlier losses is the paper's.
    """
    if order < 3:
        return float("nan")
    binary = -float(xlogy(error, error) + xlogy(1 - error, 1 - error))
    return (mean_loss - binary) / float(np.log(order - 1))


@dataclass(frozen=True)
class _Chains:
    """Chains of several lengths, padded to the longest; step l of a shorter chain is absent."""

    order: int
    lengths: Ints
    thoughts: Ints
    texts: Ints
    right: NDArray
    from_last: NDArray
    before: NDArray
    tokens: Ints

    @classmethod
    def of(cls, samples: Mapping[int, Samples]) -> _Chains:
        longest = max(samples)

        def padded(arrays: list[NDArray]) -> NDArray:
            return np.concatenate([np.pad(a, ((0, 0), (0, longest - a.shape[1]))) for a in arrays])

        parts = list(samples.values())
        return cls(
            parts[0].problems.order,
            np.concatenate([np.full(len(s.tokens), n) for n, s in samples.items()]),
            padded([s.problems.thoughts()[:, 1:] for s in parts]),
            padded([s.texts for s in parts]),
            padded([s.right_prefix[:, 1:] for s in parts]),
            padded([s.right_from_last for s in parts]),
            padded([s.right_prefix[:, :-1] for s in parts]),
            np.concatenate([(s.tokens >= 0).sum(axis=1) for s in parts]),
        )

    def steps(self, which: Ints) -> dict[str, Array]:
        """All that is reported of each step, from some of the chains (repeats allowed)."""
        found: dict[str, list[float]] = {}
        losses: list[float] = []
        wrong_value = self.texts % self.order != self.thoughts
        wrong_value |= self.texts >= self.order**2
        for step in range(int(self.lengths.max())):
            rows = which[self.lengths[which] > step]
            told, entropy = information(self.thoughts[rows, step], self.texts[rows, step], self.order)
            before = self.before[rows, step].astype(bool)
            error = float(wrong_value[rows, step].mean())
            mean_loss = float(np.mean(losses)) if losses else float("nan")
            row = {
                "right_given_right": self.right[rows[before], step].mean(),
                "error": error,
                "error_after_right": 1 - self.from_last[rows[before], step].mean(),
                "error_after_wrong": 1 - self.from_last[rows[~before], step].mean() if (~before).any() else np.nan,
                "information_nats": told,
                "loss_nats": entropy - told,
                "bound": fano_bound(mean_loss, error, self.order) if losses else np.nan,
            }
            row["slack"] = error - row["bound"]
            losses.append(entropy - told)
            for name, value in row.items():
                found.setdefault(name, []).append(float(value))
        return {name: np.array(values) for name, values in found.items()}

    def by_length(self, which: Ints) -> dict[str, Array]:
        """Information per token and per chain, by length, from some of the chains."""
        totals, tokens = [], []
        for length in np.unique(self.lengths):
            rows = which[self.lengths[which] == length]
            told = [information(self.thoughts[rows, s], self.texts[rows, s], self.order)[0] for s in range(length)]
            totals.append(float(np.sum(told)))
            tokens.append(float(self.tokens[rows].mean()))
        total, count = np.array(totals), np.array(tokens)
        return {"tokens": count, "total_nats": total, "per_token_nats": total / count}

    def resample(self, generator: np.random.Generator) -> Ints:
        """A bootstrap resample of the chains, within each length."""
        groups = [np.flatnonzero(self.lengths == length) for length in np.unique(self.lengths)]
        return np.concatenate([g[generator.integers(len(g), size=len(g))] for g in groups])


def step_tables(samples: Mapping[int, Samples], generator: np.random.Generator) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Measure every step, and every length, of a reasoner's chains.

    Parameters
    ----------
    samples
        Chains by length, one a problem.
    generator
        Source of resamples and permutations.

    Returns
    -------
    steps : DataFrame
        A row a step: ``step, n, n_right_before``; each of right_given_right, error, error_after_right,
        error_after_wrong, information_nats, loss_nats, bound and slack with ``_ci_low`` and ``_ci_high`` (normal,
        bootstrap standard error over chains); ``information_null_nats`` and ``information_p`` by permutation.
        Step l takes all chains of at least l steps.
    lengths : DataFrame
        A row a length: ``length, n, tokens, total_nats, per_token_nats`` with intervals; the total is the sum of
        I(t_l; r_l) over steps.
    """
    chains = _Chains.of(samples)
    everyone = np.arange(len(chains.lengths))
    resamples = [chains.resample(generator) for _ in range(RESAMPLES)]
    steps = _with_intervals(chains.steps(everyone), [chains.steps(r) for r in resamples])
    count = np.array([(chains.lengths > s).sum() for s in range(chains.texts.shape[1])])
    right = np.array([chains.before[chains.lengths > s, s].sum() for s in range(len(count))])
    null, p_values = _permuted(chains, steps["information_nats"].to_numpy(), generator)
    steps = steps.assign(information_null_nats=null, information_p=p_values)
    steps.insert(0, "step", 1 + np.arange(len(count)))
    steps.insert(1, "n", count)
    steps.insert(2, "n_right_before", right)
    lengths = _with_intervals(chains.by_length(everyone), [chains.by_length(r) for r in resamples])
    values, counts = np.unique(chains.lengths, return_counts=True)
    lengths.insert(0, "length", values)
    lengths.insert(1, "n", counts)
    return steps, lengths


def plan_lengths(order: int, lengths: Mapping[int, int], generator: np.random.Generator) -> pd.DataFrame:
    """The control: a plan of fixed content, stated without loss somewhere in a text of L tokens.

    The plan t is one of m; its token stands at a random place, all other tokens are filler. ``I(t; r) = log m``
    whatever L is, so that per token it falls as 1/L, though nothing is lost.

    Parameters
    ----------
    order
        m.
    lengths
        How many texts of each length L.
    generator
        Source of randomness.

    Returns
    -------
    DataFrame
        As the lengths of `step_tables`, without intervals.
    """
    rows = []
    for length, count in lengths.items():
        plans = generator.integers(order, size=count)
        texts = np.full((count, length), order)
        texts[np.arange(count), generator.integers(length, size=count)] = plans
        # Where the token stands says nothing of the plan, and what it is says all: the text as a bag of tokens.
        told, _ = information(plans, texts.min(axis=1), order)
        rows.append(
            {"length": length, "n": count, "tokens": length, "total_nats": told, "per_token_nats": told / length}
        )
    return pd.DataFrame(rows)


def perfect_lengths(problems: Mapping[int, Problems]) -> pd.DataFrame:
    """The control of right chains, as a reasoner without errors would write them.

    Parameters
    ----------
    problems
        Problems by length.

    Returns
    -------
    DataFrame
        As `plan_lengths`.
    """
    chains = _Chains.of({n: Samples(p, p.chains()) for n, p in problems.items()})
    found = pd.DataFrame(chains.by_length(np.arange(len(chains.lengths))))
    found.insert(0, "length", list(problems))
    found.insert(1, "n", [len(p) for p in problems.values()])
    return found


def _permuted(chains: _Chains, found: Array, generator: np.random.Generator) -> tuple[Array, Array]:
    """Mean information of permuted thoughts, and the permutation p-value, of each step."""
    null, p_values = [], []
    for step, value in enumerate(found):
        rows = np.flatnonzero(chains.lengths > step)
        thoughts, texts = chains.thoughts[rows, step], chains.texts[rows, step]
        drawn = [information(generator.permutation(thoughts), texts, chains.order)[0] for _ in range(PERMUTATIONS)]
        null.append(float(np.mean(drawn)))
        p_values.append((1 + sum(d >= value for d in drawn)) / (1 + PERMUTATIONS))
    return np.array(null), np.array(p_values)


def _with_intervals(found: dict[str, Array], resamples: list[dict[str, Array]]) -> pd.DataFrame:
    """Values with normal intervals of their bootstrap standard errors."""
    table: dict[str, Array] = {}
    for name, values in found.items():
        spread = np.std([r[name] for r in resamples], axis=0, ddof=1)
        table |= {name: values, f"{name}_ci_low": values - Z * spread, f"{name}_ci_high": values + Z * spread}
    return pd.DataFrame(table)
