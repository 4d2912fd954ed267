"""Real data against the simulated world, and the result in three sentences."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, get_args

from ggmi.mixtures.study import Verdict
from ggmi.mixtures.worlds import AXES
from ggmi.reporting.mixtures import MixtureStudy, estimator_name, gap_at_base, of, over_variants
from ggmi.reporting.text import listed

Comparing = Literal["same", "undecided_in_both", "reversed", "only_simulated", "only_real"]

# Trends named in a sentence at most.
NAMED = 6

COMPARING_WORDS: dict[Comparing, str] = {
    "reversed": "reversed",
    "only_simulated": "decided in simulation only",
    "only_real": "decided on real data only",
    "undecided_in_both": "undecided in both",
}


def compared(simulated: MixtureStudy, real: MixtureStudy) -> dict[Comparing, list[tuple[str, str]]]:
    """Compare the main variants' verdicts in a simulated world and on real data.

    Parameters
    ----------
    simulated, real
        The studies.

    Returns
    -------
    dict of str to list of (estimator, axis)
        Trends with the same decided verdict, undecided in both, decided the other way round, and
        decided in one study only. Trends that only one study measured are left out.
    """
    result: dict[Comparing, list[tuple[str, str]]] = {kind: [] for kind in get_args(Comparing)}
    others = {row.estimator: row for row in real.main_rows}
    for row in simulated.main_rows:
        for axis in AXES:
            a = row.cells[axis]
            b = others[row.estimator].cells[axis] if row.estimator in others else None
            if a and b:
                result[_comparison(a.verdict, b.verdict)].append((row.estimator, axis))
    return result


def _comparison(simulated: Verdict, real: Verdict) -> Comparing:
    if simulated == real:
        return "undecided_in_both" if real == "undecided" else "same"
    if real == "undecided":
        return "only_simulated"
    return "only_real" if simulated == "undecided" else "reversed"


def on_real_data(simulated: MixtureStudy, real: MixtureStudy) -> str:
    """Whether the trends of the simulated world hold on real geometry, in one sentence.

    Parameters
    ----------
    simulated, real
        The studies; their main variants are compared.
    """
    found = compared(simulated, real)
    total = sum(map(len, found.values()))
    if total == 0:
        return f"No trend was measured both on real geometry and in “{simulated.label}”, so nothing can be compared."
    said = [f"{len(found['same']) or 'none'} {_verb(found['same'], 'gets', 'get')} the same verdict"]
    for kind, words in COMPARING_WORDS.items():
        if (pairs := found[kind]) or kind == "reversed":
            said.append(f"{len(pairs) or 'none'} {_verb(pairs, 'is', 'are')} {words}{_named(pairs)}")
    trends = f"{total} trend{'s' if total > 1 else ''}"
    return (
        f"Of {trends} measured both on real geometry and in “{simulated.label}”, {listed(said)}"
        f"{_less_data(simulated, real)}."
    )


def _verb(pairs: Sequence, singular: str, plural: str) -> str:
    return plural if len(pairs) > 1 else singular


def _named(pairs: Sequence[tuple[str, str]]) -> str:
    """Trends by estimator, in brackets; a long list is left to the matrix of verdicts."""
    if len(pairs) > NAMED:
        return ""
    by_estimator: dict[str, list[str]] = {}
    for estimator, axis in pairs:
        by_estimator.setdefault(estimator, []).append(axis)
    inner = "; ".join(f"{estimator_name(e)}: {', '.join(axes)}" for e, axes in by_estimator.items())
    return f" ({inner})" if inner else ""


def _less_data(simulated: MixtureStudy, real: MixtureStudy) -> str:
    """That undecided trends on real data may come from shorter sweeps."""
    sizes = [
        {(c.conditions, c.rounds) for row in s.main_rows for c in row.cells.values() if c} for s in (real, simulated)
    ]
    if any(len(size) != 1 for size in sizes) or sizes[0] == sizes[1]:
        return ""
    (there, here) = (next(iter(size)) for size in sizes)
    return (
        f"; sweeps on real data are of {there[0]} conditions × {there[1]:,} rounds, "
        f"simulated ones of {here[0]} × {here[1]:,}"
    )


def summary(studies: Sequence[MixtureStudy]) -> list[str]:
    """The result for a terminal: exactly three plain sentences.

    Parameters
    ----------
    studies
        All mixture studies; the first is the main one.

    Returns
    -------
    list of str
        The main variant of the main study; all its variants; and real data against simulation, or
        the KL gap at the unswept condition when there is nothing to compare.
    """
    main = studies[0]
    parts = []
    for row in main.main_rows:
        against, undecided = row.axes("against"), row.axes("undecided")
        reasons = [
            f"{word}: {', '.join(axes)}" for word, axes in (("against", against), ("undecided", undecided)) if axes
        ]
        detail = f" ({'; '.join(reasons)})" if reasons else ""
        parts.append(
            f"{len(row.axes('as_published'))} of {len(row.axes())} by the {estimator_name(row.estimator)}{detail}"
        )
    first = f"Of the published trends, the main variant ({', '.join(main.main)}) supports {listed(parts)}."
    pair = simulated_and_real(studies)
    last = of(pair[1], on_real_data(*pair)) if pair else of(main, gap_at_base(main))
    return [of(main, first), of(main, over_variants(main)), last]


def simulated_and_real(studies: Sequence[MixtureStudy]) -> tuple[MixtureStudy, MixtureStudy] | None:
    """The first simulated and the first real study, None unless there are both."""
    simulated = next((s for s in studies if s.truth == "random"), None)
    real = next((s for s in studies if s.truth == "data"), None)
    return (simulated, real) if simulated and real else None
