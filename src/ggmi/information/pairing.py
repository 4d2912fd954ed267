"""Which training data synthetic records are compared with: their prompt's anchors, or whatever has their number."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from numpy.typing import ArrayLike

from ggmi.errors import UserError
from ggmi.information.estimate import Array, nearest_id, places_by, points, unique_ids
from ggmi.information.kernels import Sets
from ggmi.random import stream

# How the words begin of a pairing that nothing but chance makes.
BY_NUMBER = "records by their number"


@dataclass(frozen=True)
class Pairs:
    """Paired observations, ready for `ggmi.information.hsic.hsic`.

    Parameters
    ----------
    x
        Training side: the anchors of each prompt as `Sets`, or points of shape (n, d).
    y
        Synthetic side: the records of each prompt as `Sets`, or points of shape (n, d).
    how
        The pairing in words.
    """

    x: Sets | Array
    y: Sets | Array
    how: str


def pair_by_prompt(
    synthetic: ArrayLike,
    prompt_ids: Sequence[str],
    prompts: Mapping[str, Sequence[str]],
    anchors: ArrayLike,
    anchor_ids: Sequence[str],
) -> Pairs:
    """Pair the synthetic records of every prompt with the anchors in it: one observation a prompt.

    The dependence of this pair is what ``I(h(e_p), M(p))`` of definition 4.2 is about: how much of
    the prompt's content the output carries.

    Records of one prompt share its anchors and whatever else a prompt's records have in common (a
    theme, a draw), so they are no independent observations: taken as such, any theme is dependence.
    Prompts are independent. A prompt is a pair of sets here, its anchors x and its records y, each
    compared by the mean of its feature vectors: n is the number of prompts, and it is prompts that a
    null shuffles and an interval leaves out. What is estimated does not change. With a random record
    R of a random prompt and mean feature vectors phi(x), ``E[phi(x) psi(R)']`` is
    ``E[phi(x) mean over y of psi']``, and so are the two means: the population's HSIC is that of one
    record, drawn from a prompt that is drawn first. Prompts weigh equally, whatever number of records
    they have.

    Parameters
    ----------
    synthetic
        Embedded synthetic records, shape (n, d).
    prompt_ids
        The prompt each record answers, n of them.
    prompts
        The ids of the anchors in each prompt.
    anchors
        Embedded anchors, shape (u, d).
    anchor_ids
        Their ids, u of them.

    Returns
    -------
    Pairs
        In the order in which prompts first come; prompts without records are left out.

    Raises
    ------
    UserError
        If lengths differ, an anchor id comes twice, or a record names an unknown prompt, or a
        prompt an unknown anchor.

    Examples
    --------
    >>> prompts, anchors = {"p": ["a"], "q": ["a", "b"]}, [[0.0], [2.0]]
    >>> pairs = pair_by_prompt([[0.0], [1.0], [3.0]], ["p", "q", "p"], prompts, anchors, ["a", "b"])
    >>> [list(m) for m in pairs.x.members], [list(m) for m in pairs.y.members]
    ([[0], [0, 1]], [[0, 2], [1]])
    """
    y, known = points(synthetic, "synthetic records"), points(anchors, "anchors", least=1)
    if len(prompt_ids) != len(y):
        raise UserError(f"prompt_ids: {len(prompt_ids)} for {len(y)} synthetic records; each record needs its prompt")
    if len(anchor_ids) != len(known):
        raise UserError(f"anchor_ids: {len(anchor_ids)} for {len(known)} anchors; each anchor needs its id")
    place = {key: i for i, key in enumerate(unique_ids(anchor_ids, "anchors"))}
    records = places_by(prompt_ids)
    sets: dict[str, list[int]] = {}
    for prompt, answers in records.items():
        if prompt not in prompts:
            hint = nearest_id(prompt, prompts)
            raise UserError(f"synthetic record {answers[0]}: prompt '{prompt}' is not among the prompts; {hint}")
        missing = [key for key in prompts[prompt] if key not in place]
        if missing:
            hint = nearest_id(missing[0], place)
            raise UserError(f"prompt '{prompt}': anchor '{missing[0]}' is not among the anchors; {hint}")
        sets[prompt] = [place[key] for key in prompts[prompt]]
    return pairs_of_groups(
        y, records, known, sets, "the synthetic records of each prompt with the anchors in it; n counts prompts"
    )


def pairs_of_groups(
    synthetic: Array, records: Mapping[str, Sequence[int]], real: Array, partners: Mapping[str, Sequence[int]], how: str
) -> Pairs:
    """Pair groups of synthetic records with groups of real ones, an observation a group.

    Parameters
    ----------
    synthetic, real
        Embedded records, shapes (n, d) and (u, d).
    records
        Rows of `synthetic` in each group.
    partners
        Rows of `real` that belong to each group, at least to those in `records`.
    how
        The pairing in words.

    Returns
    -------
    Pairs
        In the order of `records`.
    """
    x = Sets(real, [partners[group] for group in records])
    y = Sets(synthetic, list(records.values()))
    return Pairs(x, y, how)


def pair_by_index(x: ArrayLike, y: ArrayLike, *, seed: int | None = None) -> Pairs:
    """Pair the first record with the first, the second with the second: the published way.

    Nothing but their numbers connects such records, so their dependence is zero by construction
    unless the order of both files carries it.

    Parameters
    ----------
    x, y
        Embedded records, shapes (n, d) and (m, e); the longer side is cut.
    seed
        Of a random order of both sides before the cut; None keeps the order given.

    Returns
    -------
    Pairs

    Examples
    --------
    >>> pair_by_index([[0.0], [1.0], [2.0]], [[5.0], [6.0]]).x.ravel()
    array([0., 1.])
    """
    sides = [points(x, "x"), points(y, "y")]
    if seed is not None:
        sides = [
            side[stream(seed, "pairing", name).permutation(len(side))] for side, name in zip(sides, "xy", strict=True)
        ]
    n = min(map(len, sides))
    order = "the order given" if seed is None else f"a random order, seed {seed}"
    return Pairs(sides[0][:n], sides[1][:n], f"{BY_NUMBER} in {order}")
