"""Segments: runs of conditions along one sweep that one job works through.

A job per condition would spend more time on starting Python than on arithmetic. A segment is part
of a file's path and names its conditions in full, so a job needs no other knowledge, and results
do not depend on how conditions are cut into segments.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from ggmi.mixtures.worlds import AXES, Axis, Condition

if TYPE_CHECKING:
    from ggmi.config import MixtureStudy


@dataclass(frozen=True)
class Segment:
    """Conditions that differ in one number only.

    Parameters
    ----------
    axis
        The number that differs.
    conditions
        Sorted, at least one.

    Examples
    --------
    >>> Segment.parse("K2-4+9_J2_L2").conditions[-1]
    Condition(K=9, J=2, L=2)
    >>> Segment.parse("K2-4+9_J2_L2").name
    'K2-4+9_J2_L2'
    """

    axis: Axis
    conditions: tuple[Condition, ...]

    @property
    def name(self) -> str:
        """The segment's name in paths: runs of values as ``2-4``, joined by ``+``."""
        values = [getattr(c, self.axis) for c in self.conditions]
        breaks = [0, *(i + 1 for i, (a, b) in enumerate(pairwise(values)) if b != a + 1), len(values)]
        runs = [values[a:b] for a, b in pairwise(breaks)]
        swept = "+".join(f"{r[0]}-{r[-1]}" if len(r) > 1 else f"{r[0]}" for r in runs)
        first = self.conditions[0]
        return "_".join(f"{a}{swept if a == self.axis else getattr(first, a)}" for a in AXES)

    @classmethod
    def parse(cls, name: str) -> Segment:
        """Read a segment back from its name.

        Raises
        ------
        ValueError
            If the name is not a segment's.
        """
        runs = r"(\d+(?:-\d+)?(?:\+\d+(?:-\d+)?)*)"
        match = re.fullmatch(f"K{runs}_J{runs}_L{runs}", name)
        if match is None:
            raise ValueError(f"{name!r} names no segment")
        values: list[list[int]] = []
        for text in match.groups():
            ends = [[int(v) for v in run.split("-")] for run in text.split("+")]
            values.append([v for e in ends for v in range(e[0], e[-1] + 1)])
        swept = [i for i, v in enumerate(values) if len(v) > 1] or [0]
        if len(swept) > 1 or not all(v and min(v) > 0 for v in values):
            raise ValueError(f"{name!r} names no segment")
        conditions = {
            Condition(*(value if i == swept[0] else v[0] for i, v in enumerate(values))) for value in values[swept[0]]
        }
        segment = cls(AXES[swept[0]], tuple(sorted(conditions)))
        if segment.name != name:  # the folder would not be found again
            raise ValueError(f"{name!r} names no segment")
        return segment


def parts_of(path: str) -> tuple[str, str, str]:
    """Covariance variant, segment and file name of an artifact's path.

    Parameters
    ----------
    path
        ``.../<covariance>/<segment>/<file>``.

    Examples
    --------
    >>> parts_of("results/gmm/psd/K2-6_J2_L2/worlds.npz")
    ('psd', 'K2-6_J2_L2', 'worlds.npz')
    """
    covariance, segment, file = path.split("/")[-3:]
    return covariance, segment, file


def plan(study: MixtureStudy, existing: Iterable[str], size: int) -> list[Segment]:
    """Cut a study's conditions into segments, keeping those that exist.

    What has been made stays as it was cut, so a new value in a sweep makes one new segment and
    touches no other; a segment stays in use as long as one of its conditions is wanted.

    Parameters
    ----------
    study
        The study.
    existing
        Names of folders that may be segments made before.
    size
        Conditions in a new segment at most.

    Returns
    -------
    list of Segment
        Disjoint, in the order of their conditions; together they hold every condition of the study.
    """
    wanted = set(study.conditions())
    kept: list[Segment] = []
    covered: set[Condition] = set()
    candidates = []
    for name in existing:
        try:
            candidates.append(Segment.parse(name))
        except ValueError:
            continue
    for segment in sorted(candidates, key=lambda s: (-len(wanted & set(s.conditions)), s.name)):
        members = set(segment.conditions)
        if members & wanted and not members & covered:
            kept.append(segment)
            covered |= members
    for axis in AXES:
        along = {condition for _, condition in study.sweep(axis)}
        if axis == AXES[0]:
            along.add(Condition(study.K, study.J, study.L))
        rest = sorted(along - covered)
        covered |= along
        kept.extend(Segment(axis, tuple(rest[i : i + size])) for i in range(0, len(rest), size))
    return sorted(kept, key=lambda s: s.conditions)
