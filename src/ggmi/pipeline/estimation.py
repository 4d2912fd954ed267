"""Every estimate of a synthetic set against training data; the workflow and `ggmi estimate` share it.

An estimator that does not apply to a set (too few records, no log-probabilities, records that
coincide) gives a row without a value whose `note` says why; nothing is left out silently.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property, partial
from typing import Any

import numpy as np

from ggmi.errors import UserError
from ggmi.information.clustering import Equivalence, MutualEntailment, SimilarEmbedding, prefilter_effect
from ggmi.information.distances import mmd, total_variation_bound
from ggmi.information.diversity import distinct_n, vendi_score
from ggmi.information.duplicates import exact_duplicates, near_duplicates, near_repeats
from ggmi.information.estimate import Array, Estimate, Indices, normal_ends
from ggmi.information.gain import InformationGain, gain_of_sums
from ggmi.information.hsic import hsic
from ggmi.information.neighbours import differential_entropy
from ggmi.information.pairing import pair_by_index
from ggmi.information.semantic_entropy import (
    GROWTH,
    SemanticEntropy,
    labels_by_prompt,
    semantic_entropy,
    semantic_entropy_by_prompt,
)
from ggmi.pipeline.embedded_sets import Embedded, exact_keys
from ggmi.pipeline.estimators import (
    ESTIMATORS,
    LEAST,
    MOST_UNREAD,
    OTHER_ENCODER,
    SEEN_ALONE,
    SEEN_WITH_T,
    UNREAD,
    EstimationSettings,
    orders_of,
    smallest_p,
)
from ggmi.pipeline.set_pairs import pairs_of
from ggmi.pipeline.subsets import came_together, some, some_prompts
from ggmi.random import stream
from ggmi.statistics import mean_interval
from ggmi.text.columns import PROMPT

Row = dict[str, Any]
# Calls of `on_step` in one call of `estimates`, and its tests: of HSIC, MMD, the classifier and near-duplicates.
STEPS, TESTS = 13, 4
# Records of which every pair is asked about, to say what the prefilter of mutual entailment changes:
# at most 60 · 59 = 3,540 directed pairs.
PREFILTER_SAMPLE = 60
# From the embeddings of some records to how they are told to say the same.
Sameness = Callable[[Array], Equivalence]


def estimates(
    synthetic: Embedded,
    train: Embedded,
    settings: EstimationSettings,
    *,
    seed: int,
    anchors: Embedded | None = None,
    prompted: Embedded | None = None,
    key: str = PROMPT,
    same: Sameness | None = None,
    on_step: Callable[[], None] = lambda: None,
) -> list[Row]:
    """Estimate everything there is to say of a synthetic set.

    Parameters
    ----------
    synthetic
        The set.
    train
        The training set T.
    settings
        How.
    seed
        Of samples, folds and shuffles.
    anchors
        The real records that prompts showed; T when not given.
    prompted
        Whole prompts of the set, for what looks at all records of a prompt, where `synthetic` is drawn at random
        from more records; the set itself when not given.
    key
        The column whose values pair records.
    same
        Which records say the same; `EstimationSettings.similar` decides when not given.
    on_step
        Called after each group of estimators, `STEPS` times.

    Returns
    -------
    list of dict
        A row an estimator of `ESTIMATORS`, in that order: ``estimator``, the fields of
        `ggmi.information.estimate.Estimate`, ``smallest_p`` (of a permutation test: the smallest
        p-value that it could have given), and ``note``: why there is no value, or what limits it.
        The row of ``semantic_growth`` has the subsampling ``curve`` too, a dict of the fields of
        `ggmi.information.semantic_entropy.CurvePoint` a size.
    """
    same = same or partial(SimilarEmbedding, threshold=settings.similar)
    work = _Work(synthetic, train, anchors or train, prompted or synthetic, settings, seed, key, same)
    found: dict[str, Row] = {}
    for names, make in work.groups():
        try:
            if len(synthetic) < LEAST:
                raise UserError(f"the set holds {len(synthetic)} records; at least {LEAST} are needed")
            note = work.unread(names)
            made = make()
            rows = {
                name: {**made[name].row(), "smallest_p": work.smallest_p(name, made[name].n), "note": note}
                for name in names
            }
        except UserError as error:
            why = {"value": None, "n": len(synthetic), "smallest_p": None, "note": str(error)}
            rows = {name: {**Estimate(0.0).row(), **why} for name in names}
        found |= rows
        on_step()
    found["semantic_growth"] |= {"curve": []} if found["semantic_growth"]["value"] is None else work.growth()
    return [{"estimator": name, **found[name]} for name in ESTIMATORS]


@dataclass(frozen=True)
class _Work:
    """One set's estimators in groups that share their work."""

    synthetic: Embedded
    train: Embedded
    anchors: Embedded
    prompted: Embedded
    settings: EstimationSettings
    seed: int
    key: str
    same: Sameness

    def groups(self) -> Iterator[tuple[tuple[str, ...], Callable[[], dict[str, Estimate]]]]:
        """Names of estimators, and what computes them."""
        entropies = ("semantic_entropy", "semantic_entropy_miller_madow", "semantic_entropy_chao_shen")
        yield ("hsic", "cka"), self.dependence
        yield ("mmd",), self.discrepancy
        yield ("total_variation",), self.variation
        yield (*entropies, "semantic_growth"), self.entropy
        yield ("semantic_entropy_lists",), self.lists
        yield ("vendi",), lambda: {"vendi": vendi_score(self.equal, groups=self.equal_together)}
        yield ("distinct_2",), self.distinct
        yield ("differential_entropy",), self.density
        yield ("near_repeats",), self.repeats
        yield ("near_duplicates",), self.near_train
        yield ("exact_duplicates",), self.in_train
        yield ("information_gain", "information_gain_per_token", "information_gain_total"), self.gain
        yield ("hsic_published",), self.published

    def smallest_p(self, name: str, n: int) -> float | None:
        """Of an estimator over n observations; its test of near-duplicates takes T's records too."""
        return smallest_p(name, n + len(self.train) if name == "near_duplicates" else n, self.settings)

    def unread(self, names: Sequence[str]) -> str:
        """Which records the encoder does not see, in words; refused where they are too many to say anything."""
        sides = [("the set", self.synthetic)] if {*SEEN_ALONE, *SEEN_WITH_T} & {*names} else []
        sides += [("T", self.train)] if {*SEEN_WITH_T} & {*names} else []
        notes = []
        for side, whole in sides:
            sight = whole.sight()
            if not sight or not sight["unread_records"]:
                continue
            notes.append(f"{UNREAD} {sight['unread_records']:,} of the {len(whole):,} records of {side}")
            if sight["unread_records"] > MOST_UNREAD * len(whole):
                raise UserError(f"{notes[-1]}; {OTHER_ENCODER}")
        return "; ".join(notes)

    def text(self, place: int) -> str:
        return self.synthetic.texts[place]

    @cached_property
    def equal_places(self) -> Indices:
        return some(len(self.synthetic), self.settings.equal_records, self.seed, "equal")

    @cached_property
    def equal(self) -> Array:
        return self.synthetic.vectors[self.equal_places]

    @cached_property
    def both(self) -> tuple[Array, Array, tuple[list[str], list[str]]]:
        """Random samples of T and of the set, for tests of two samples, and which records came together."""
        most = self.settings.records
        real = some(len(self.train), most, self.seed, "train")
        made = some(len(self.synthetic), most, self.seed, "set")
        groups = ([self.train_together[i] for i in real], [self.together[i] for i in made])
        return self.train.vectors[real], self.synthetic.vectors[made], groups

    def dependence(self) -> dict[str, Estimate]:
        s = self.settings
        pairs = pairs_of(
            self.synthetic,
            self.anchors,
            s.pairing,
            key=self.key,
            seed=self.seed,
            most=s.records,
            prompted=self.prompted,
        )
        found = hsic(pairs.x, pairs.y, n_permutations=orders_of(len(pairs.y), s), seed=self.seed)
        found = replace(found, unit="", method=f"{found.method}; {pairs.how}")
        return {"hsic": found, "cka": over_ceiling(found)}

    @cached_property
    def together(self) -> list[str]:
        """Which records of the set came together."""
        return came_together(self.synthetic.sample, "set")

    @cached_property
    def train_together(self) -> list[str]:
        """Which records of T came together."""
        return came_together(self.train.sample, "T")

    @cached_property
    def equal_together(self) -> list[str]:
        return [self.together[i] for i in self.equal_places]

    def distinct(self) -> dict[str, Estimate]:
        return {"distinct_2": distinct_n([self.text(i) for i in self.equal_places], groups=self.equal_together)}

    def density(self) -> dict[str, Estimate]:
        return {"differential_entropy": differential_entropy(self.equal, groups=self.equal_together)}

    def discrepancy(self) -> dict[str, Estimate]:
        x, y, groups = self.both
        return {"mmd": mmd(x, y, groups=groups, n_permutations=self.settings.permutations, seed=self.seed)}

    def variation(self) -> dict[str, Estimate]:
        x, y, groups = self.both
        found = total_variation_bound(x, y, groups=groups, n_permutations=self.settings.permutations, seed=self.seed)
        return {"total_variation": found}

    @cached_property
    def meanings(self) -> tuple[SemanticEntropy, str]:
        """Semantic entropy of the set, and what a prefilter changed."""
        texts, way = [self.text(i) for i in self.equal_places], self.same(self.equal)
        found = semantic_entropy(texts, way, groups=self.equal_together, seed=self.seed)
        return found, _effect_of(texts, way, self.seed)

    def entropy(self) -> dict[str, Estimate]:
        found, effect = self.meanings
        estimates = {
            "semantic_entropy": found.plug_in,
            "semantic_entropy_miller_madow": found.miller_madow,
            "semantic_entropy_chao_shen": found.chao_shen,
        }
        growth = f"what the last doubling of n added to the plug-in, over ln 2; at most {GROWTH:g} says that n suffices"
        growing = Estimate(found.growth, n=len(self.equal), unit="share of ln 2", ceiling=1.0, method=growth)
        return {
            **{name: replace(one, method=one.method + effect) for name, one in estimates.items()},
            "semantic_growth": growing,
        }

    def growth(self) -> Row:
        """The curve of subsamples, and in words whether n suffices."""
        found, _ = self.meanings
        share = f"its last doubling added {100 * found.growth:.0f} % of ln 2"
        note = f"n = {len(self.equal):,} {'suffices' if found.suffices else 'does not suffice'}: {share}"
        return {"curve": [asdict(point) for point in found.curve], "note": note}

    def lists(self) -> dict[str, Estimate]:
        ids = self.prompted.sample.prompt_ids
        if ids is None:
            raise UserError("the set does not name the prompt of every record")
        # With a model of inference every list costs calls.
        places = some_prompts(ids, self.settings.records, self.seed)
        texts, prompts = [self.prompted.texts[i] for i in places], [ids[i] for i in places]
        labels = labels_by_prompt(texts, prompts, self.prompted.vectors[places], self.same)
        found = list(semantic_entropy_by_prompt(texts, prompts, labels, correction="plug_in").values())
        values = [one.value for one in found]
        ends = mean_interval(values, stream(self.seed, "estimation", "lists"))
        ceiling = float(np.mean([np.nan if one.ceiling is None else one.ceiling for one in found]))
        low, high = (None if np.isnan(end) else end for end in (ends.low, ends.high))
        how = self.same(self.synthetic.vectors).describe()
        method = f"plug-in entropy of each prompt's list, mean over {len(found)} prompts; clusters by {how}"
        return {
            "semantic_entropy_lists": Estimate(
                float(np.mean(values)), low, high, ceiling=ceiling, n=len(found), unit="nats", method=method
            )
        }

    def repeats(self) -> dict[str, Estimate]:
        threshold = self.settings.near_duplicate
        return {"near_repeats": near_repeats(self.equal, threshold=threshold, groups=self.equal_together)}

    def near_train(self) -> dict[str, Estimate]:
        found = near_duplicates(
            self.synthetic.vectors,
            self.train.vectors,
            threshold=self.settings.near_duplicate,
            groups=(self.together, self.train_together),
            n_permutations=self.settings.permutations,
            seed=self.seed,
        )
        return {"near_duplicates": found}

    def in_train(self) -> dict[str, Estimate]:
        ours, theirs = (exact_keys(side.whole, side.parts) for side in (self.synthetic, self.train))
        return {"exact_duplicates": exact_duplicates(ours, theirs, groups=self.synthetic.whole.prompt_ids)}

    def gain(self) -> dict[str, Estimate]:
        sample = self.synthetic.whole
        known = [(n, t) for n, t in zip(sample.nats, sample.tokens, strict=True) if n is not None and t]
        if len(known) < len(sample):
            missing = len(sample) - len(known)
            raise UserError(f"{missing} of {len(sample)} records have no log-probability with its number of tokens")
        nats, tokens = np.array(known, dtype=float).T
        found: InformationGain = gain_of_sums(np.maximum(-nats, 0.0), tokens, sample.prompt_ids, seed=self.seed)
        # A record's column is its share of the response it was parsed from, so it follows those before it.
        how = f"{found.total.method}; of a response with several records each given those before it, kept records only"
        names = ("information_gain", "information_gain_per_token", "information_gain_total")
        parts = (found.per_record, found.per_token, found.total)
        return {name: replace(part, method=how) for name, part in zip(names, parts, strict=True)}

    def published(self) -> dict[str, Estimate]:
        s = self.settings
        size = min(s.published_records, len(self.synthetic), len(self.train))
        drawn = []
        for draw in range(s.published_samples):
            pairs = pair_by_index(
                self.train.vectors[some(len(self.train), size, self.seed, f"published train {draw}")],
                self.synthetic.vectors[some(len(self.synthetic), size, self.seed, f"published set {draw}")],
            )
            drawn.append(
                hsic(pairs.x, pairs.y, "biased", bandwidth=s.published_bandwidth, n_permutations=0, seed=self.seed)
            )
        values = np.array([one.value for one in drawn])
        null = float(np.mean([np.nan if one.null_mean is None else one.null_mean for one in drawn]))
        low, high = normal_ends(float(values.mean()), float(values.std(ddof=1)))
        method = (
            f"biased HSIC of {size} records paired by index, Gaussian kernels of bandwidth {s.published_bandwidth:g}, "
            f"mean of {len(values)} samples; the interval is where one sample falls; null: its mean over all pairings"
        )
        return {"hsic_published": Estimate(float(values.mean()), low, high, None, null, None, size, "", method)}


def _effect_of(texts: list[str], way: Equivalence, seed: int) -> str:
    """What a prefilter changes, in words that follow the method's."""
    if not isinstance(way, MutualEntailment):
        return ""
    index, filtered, all_pairs = prefilter_effect(texts, way, sample=PREFILTER_SAMPLE, seed=seed)
    return (
        f"; of {min(len(texts), PREFILTER_SAMPLE)} records the prefilter asks {filtered:,} of {all_pairs:,} "
        f"directed pairs, adjusted Rand index {index:.3f}"
    )


def over_ceiling(found: Estimate) -> Estimate:
    """Centred kernel alignment: HSIC, its interval and its null over its ceiling.

    Parameters
    ----------
    found
        An HSIC estimate.

    Raises
    ------
    UserError
        If the ceiling is not positive, as the unbiased statistic's can be for few records.

    Examples
    --------
    >>> over_ceiling(Estimate(0.5, 0.25, 0.75, 0.01, 0.0, 2.0, 9)).row()["value"]
    0.25
    """
    scale = found.ceiling
    if scale is None or not scale > 0:
        raise UserError("HSIC of a variable with itself is not positive: too few records")
    low, high = (None if part is None else part / scale for part in (found.ci_low, found.ci_high))
    null = None if found.null_mean is None else found.null_mean / scale
    method = f"CKA: {found.method}, over its ceiling"
    return Estimate(found.value / scale, low, high, found.p_value, null, 1.0, found.n, "share", method)
