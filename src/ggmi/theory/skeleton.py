"""The discrete part of random worlds: maps, supports and ties that put them into a regime, whatever their numbers are.

The regimes' Markov chains are equalities, which no random numbers meet. A skeleton makes them hold by
construction: rows of the learner that the chain M(p) -> e_M -> W cannot tell apart are one row, and so
are the noise laws of prompts that h(e_p) -> M(p) -> S_gen cannot. What is left free are logits, which
families draw and the search climbs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ggmi.theory.laws import Indices

Flags = NDArray[np.bool_]
CURATIONS = ("none", "map", "noise", "noise given p", "channel", "channel given p")
NONE, MAP, PLAIN_NOISE, NOISE_GIVEN_P, CHANNEL, CHANNEL_GIVEN_P = range(len(CURATIONS))
# Which curations a regime allows, plainest first: a counterexample that needs less says more.
ALLOWED = {
    "declared": (NONE, PLAIN_NOISE, NOISE_GIVEN_P),
    "without_4.1": (NONE, PLAIN_NOISE, NOISE_GIVEN_P),
    "chains_only": (NONE, MAP, PLAIN_NOISE, CHANNEL),
    "structure": (NONE, MAP, CHANNEL, CHANNEL_GIVEN_P),
}
WITH_MODEL_CHAIN = ("declared", "chains_only")
# Values that the noise takes: 0 and 1.
NOISE = 2


@dataclass(frozen=True)
class Sizes:
    """Alphabet sizes: anchors, prompt factors, model factors, values of h and g, parameters W and W'.

    With several clusters g can be spaced so far apart that h and noise do not bridge its values.
    """

    s: int
    e: int
    m: int
    values: int
    w: int
    v: int
    clusters: int = 1

    @property
    def spacing(self) -> int:
        """Distance of clusters."""
        return self.values + NOISE - 1

    @property
    def k(self) -> int:
        """Values of M(p)."""
        return max(2 * self.values - 1, self.spacing * (self.clusters - 1) + self.values)

    @property
    def y(self) -> int:
        """Values of S_gen."""
        return self.k + NOISE - 1


@dataclass(frozen=True)
class Skeleton:
    """B skeletons of equal sizes.

    Parameters
    ----------
    h, g, output
        As in `World`.
    certain, prompt_map
        Whether e_p is a function of p, and which, shapes (B,) and (B, s).
    mask
        Which e_M can occur with which e_p, shape (B, e, m).
    independent, anchored
        Whether e_M is independent of e_p, and whether it depends on S_anchor past e_p, shape (B,).
    curation, curation_map
        Index into `CURATIONS`, shape (B,), and the map of those that are one, shape (B, k).
    noise_rows
        The row of noise laws that each e_p uses, shape (B, e).
    learner_rows
        The row of the learner that each value of S_gen uses, shape (B, y).
    """

    h: Indices
    g: Indices
    output: Indices
    certain: Flags
    prompt_map: Indices
    mask: Flags
    independent: Flags
    anchored: Flags
    curation: Indices
    curation_map: Indices
    noise_rows: Indices
    learner_rows: Indices

    def __len__(self) -> int:
        return len(self.h)

    def __getitem__(self, index: Indices | slice) -> Skeleton:
        """Return the skeletons at `index`."""
        return replace(self, **{f.name: getattr(self, f.name)[index] for f in fields(self)})

    def shapes(self, sizes: Sizes) -> dict[str, tuple[int, ...]]:
        """Shapes of the logits that `tables` takes, without the batch axis."""
        s, e, m, k, y, w, v = sizes.s, sizes.e, sizes.m, sizes.k, sizes.y, sizes.w, sizes.v
        return {
            "anchor": (s,),
            "prompt": (s, e),
            "model": (s, e, m),
            "noise": (e, NOISE),
            "channel": (s, k, y),
            "learner": (y, w),
            "anchor_learner": (s, v),
        }

    def tables(self, logits: Mapping[str, Any], xp: Any = np) -> dict[str, Any]:
        """Probability tables from logits; a table's rows are the softmax of its logits where it is free.

        Parameters
        ----------
        logits
            Arrays of `shapes` behind the batch axis.
        xp
            numpy, or a module of its functions that differentiates.

        Returns
        -------
        dict
            Tables of `World` by name; model factor and curation with an axis of anchors.
        """
        batch = np.arange(len(self))[:, None]
        e, k = self.h.shape[1], self.curation_map.shape[1]
        y = self.learner_rows.shape[1]
        prompt = xp.where(
            self.certain[:, None, None],
            (self.prompt_map[..., None] == np.arange(e)).astype(float),
            softmax(logits["prompt"], xp),
        )
        model = softmax(xp.where(self.mask[:, None], logits["model"], -1e3), xp)
        # Both branches in full: the derivative of `where` does not sum over axes that it broadcast.
        model = xp.where(self.anchored[:, None, None, None], model, model[:, :1] + 0 * model)
        model = xp.where(self.independent[:, None, None, None], model[:, :1, :1] + 0 * model, model)
        noise = softmax(logits["noise"], xp)[batch, self.noise_rows][batch, self.prompt_map]
        shifts = np.stack([np.eye(k, y, shift) for shift in range(NOISE)])
        channel = softmax(logits["channel"], xp)
        kinds = {
            NONE: np.eye(k, y)[None, None],
            MAP: (self.curation_map[..., None] == np.arange(y)).astype(float)[:, None],
            PLAIN_NOISE: (noise_tables := xp.einsum("zsd,dky->zsky", noise, shifts)),
            NOISE_GIVEN_P: noise_tables,
            CHANNEL: channel[:, :1],
            CHANNEL_GIVEN_P: channel,
        }
        curation = 0.0
        for kind, table in kinds.items():
            curation = curation + (self.curation == kind)[:, None, None, None] * table
        return {
            "anchor": softmax(logits["anchor"], xp),
            "prompt_factor": prompt,
            "model_factor": model,
            "curation": curation,
            "learner": softmax(logits["learner"], xp)[batch, self.learner_rows],
            "anchor_learner": softmax(logits["anchor_learner"], xp),
        }


def softmax(logits: Any, xp: Any = np) -> Any:
    """Normalised exponentials along the last axis."""
    weights = xp.exp(logits - logits.max(axis=-1, keepdims=True))
    return weights / weights.sum(axis=-1, keepdims=True)


def sketch(
    generator: np.random.Generator,
    count: int,
    sizes: Sizes,
    regime: str,
    *,
    curations: Sequence[int] = (),
    independent: bool | None = None,
    modulus: int | None = None,
) -> Skeleton:
    """Draw skeletons of a regime.

    Parameters
    ----------
    generator
        Source of randomness.
    count
        How many.
    sizes
        Alphabets.
    regime
        Key of a regime.
    curations
        Which of `CURATIONS`, by index, taken in turn; those of `ALLOWED` by default.
    independent
        Whether e_M is independent of e_p; None for half of them.
    modulus
        Sum modulo this number; None for a sum over the integers.

    Returns
    -------
    Skeleton
    """
    s, e, m, k = sizes.s, sizes.e, sizes.m, sizes.k
    h = generator.integers(0, sizes.values, (count, e))
    g = generator.integers(0, sizes.values, (count, m))
    # Every second one counts: h and g as one-to-one as they can be, the natural case.
    h[::2], g[::2] = np.arange(e) % sizes.values, np.arange(m) % sizes.values
    chained = regime in WITH_MODEL_CHAIN
    alone = generator.random(count) < 0.5 if independent is None else np.full(count, independent)
    allowed = np.array(list(curations) or ALLOWED[regime])
    curation = allowed[np.arange(count) % len(allowed)]
    mask = np.ones((count, e, m), dtype=bool)
    if chained:
        # Three ways to a chain that leaves W something: outputs that noise cannot take from one e_M's to
        # another's; an e_M that names h(e_p); few pairs of factors.
        way = generator.integers(0, 3, count)
        way[alone] = 0
        # A channel bridges everything but for an e_M that tells M(p).
        way[(curation == CHANNEL) & ~alone] = 1
        spaced = way == 0
        g[spaced] = sizes.spacing * (np.arange(m) % sizes.clusters)
        owner = np.concatenate([np.tile(np.arange(e), (count, 1)), generator.integers(0, e, (count, m))], axis=1)
        owner = generator.permuted(owner[:, :m], axis=1) if m >= e else owner[:, :m]
        named = h[:, :, None] == np.take_along_axis(h, owner, axis=1)[:, None, :]
        mask = np.where((way == 1)[:, None, None], named, mask)
        mask = np.where((way == 2)[:, None, None], generator.random((count, e, m)) < 0.5, mask)
        # An e_p without any e_M gets one.
        lonely = ~mask.any(axis=2)
        mask[lonely, generator.integers(0, m, int(lonely.sum()))] = True
    total = h[:, :, None] + g[:, None, :]
    # In the wider regimes half of the prompt factors are functions too, and half the model's see the anchors.
    certain = np.full(count, regime in ("declared", "without_4.1")) | (generator.random(count) < 0.5)
    prompt_map = generator.integers(0, e, (count, s))
    prompt_map[::2] = np.arange(s) % e
    anchored = np.full(count, regime == "structure") & (generator.random(count) < 0.5) & ~alone
    skeleton = Skeleton(
        h,
        g,
        total % modulus if modulus else total,
        certain,
        prompt_map,
        mask,
        alone,
        anchored,
        curation,
        generator.integers(0, k, (count, k)),
        np.zeros((count, e), dtype=np.int64),
        np.tile(np.arange(sizes.y), (count, 1)),
    )
    skeleton = replace(skeleton, noise_rows=_noise_rows(skeleton))
    return replace(skeleton, learner_rows=_learner_rows(skeleton)) if chained else skeleton


def _learner_rows(skeleton: Skeleton) -> Indices:
    kinds = {
        NONE: np.eye(*_channel_shape(skeleton), dtype=bool)[None],
        MAP: skeleton.curation_map[..., None] == np.arange(skeleton.learner_rows.shape[1]),
    }
    noisy = np.sum([np.eye(*_channel_shape(skeleton), shift) for shift in range(NOISE)], axis=0) > 0
    support = np.ones((len(skeleton), *_channel_shape(skeleton)), dtype=bool)
    for kind, table in kinds.items():
        support = np.where((skeleton.curation == kind)[:, None, None], table, support)
    added = np.isin(skeleton.curation, (PLAIN_NOISE, NOISE_GIVEN_P))
    support = np.where(added[:, None, None], noisy[None], support)
    return tied_rows(skeleton.mask, skeleton.output, support)


def _channel_shape(skeleton: Skeleton) -> tuple[int, int]:
    return skeleton.curation_map.shape[1], skeleton.learner_rows.shape[1]


def _noise_rows(skeleton: Skeleton) -> Indices:
    """One law for all e_p, or where the noise depends on p one for all e_p that share a value of M(p)."""
    occurs = _occurring(skeleton.mask, skeleton.output, skeleton.curation_map.shape[1]).any(axis=2).astype(float)
    shared = np.einsum("zek,zfk->zef", occurs, occurs) > 0
    return np.where((skeleton.curation == NOISE_GIVEN_P)[:, None], _first_linked(shared), 0)


def tied_rows(mask: Flags, output: Indices, support: Flags) -> Indices:
    """Rows of the learner that must be one for M(p) -> e_M -> W to be a chain.

    If an e_M goes with several values of M(p), W must not tell apart what these lead to. The
    condition is sufficient, not necessary.

    Parameters
    ----------
    mask
        Which e_M can occur with which e_p, shape (B, e, m).
    output
        Index of M(p), shape (B, e, m).
    support
        Which values of S_gen a value of M(p) can lead to, shape (B, k, y).

    Returns
    -------
    ndarray, shape (B, y)
        The row that each value of S_gen is to use.
    """
    outputs = _occurring(mask, output, support.shape[1]).any(axis=1)
    several = outputs.sum(axis=2) > 1
    reached = np.einsum("zmk,zky->zmy", outputs.astype(float), support.astype(float)) > 0
    linked = (reached & several[..., None]).astype(float)
    return _first_linked(np.einsum("zmy,zmx->zyx", linked, linked) > 0)


def _occurring(mask: Flags, output: Indices, k: int) -> Flags:
    """Which value of M(p) each pair of factors that can occur gives, shape (B, e, m, k)."""
    return (output[..., None] == np.arange(k)) & mask[..., None]


def _first_linked(links: Flags) -> Indices:
    """For every element the first one that a path of links leads to, shape (B, n)."""
    n = links.shape[1]
    paths = links | np.eye(n, dtype=bool)
    for _ in range(max(n - 1, 1).bit_length()):
        step = paths.astype(float)
        paths = step @ step > 0
    return paths.argmax(axis=2)
