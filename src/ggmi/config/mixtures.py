"""Gaussian-mixture studies."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, field_validator, model_validator

from ggmi.config.section import Section, each_once, no_truth_value
from ggmi.mixtures.worlds import AXES, HISTOGRAMS, Axis, Condition, Covariance

Estimator = Literal["released_histogram", "aligned_histogram", "forward", "reverse"]
AnchorComponents = Literal["released", "text"]

# A histogram with more cells than this is no longer worth its memory.
MAX_CELLS = 2**22
# Double precision holds data of standard deviation about 3 apart from a floor this small, no less.
MIN_REGULARISATION = 1e-9
# Coordinates of one synthetic set; a hundred rounds are in memory at once.
MAX_COORDINATES = 1_000_000


SweepValues = Annotated[list[Annotated[int, Field(ge=1, le=64), BeforeValidator(no_truth_value)]], Field(min_length=1)]


class Sweeps(Section):
    """Values each number of components runs through while the other two stay at their own."""

    K: SweepValues = Field(list(range(2, 16)), description="values of K, anchored components")
    J: SweepValues = Field(list(range(2, 16)), description="values of J, unsampled components")
    L: SweepValues = Field(list(range(2, 16)), description="values of L, irrelevant components")


class Table(Section):
    """A labelled numeric table whose classes become components."""

    source: str = Field("digits", description="a .csv, .parquet or .npz file, or digits (scikit-learn's)")
    label: str = Field("label", description="column (or .npz array) that holds the class; the others are coordinates")
    standardise: bool = Field(False, description="scale every column to unit variance before the principal components")


class ExpectationMaximisation(Section):
    """How mixtures are fitted to anchor and synthetic data."""

    restarts: int = Field(1, ge=1, le=1000, description="k-means++ starts; the likeliest fit is kept")
    tolerance: float = Field(1e-3, gt=0, le=1, description="stop when the mean log-likelihood gains less, nats a point")
    max_iterations: int = Field(100, ge=1, le=100_000, description="EM iterations at most")
    regularisation: float = Field(
        1e-6, ge=MIN_REGULARISATION, le=1, description="added to every variance, squared units of the data"
    )


class HistogramSettings(Section):
    """How a histogram estimator resamples and bins."""

    bins: int = Field(50, ge=2, le=1000, description="bins an axis")
    points: int = Field(1000, ge=10, le=1_000_000, description="points drawn from each mixture a resampling")
    resamplings: int = Field(100, ge=2, le=100_000, description="resamplings averaged")


class ExactSettings(Section):
    """How precisely an exact-density divergence is integrated."""

    relative_error: float = Field(0.01, gt=0, le=1, description="wanted standard error, share of the value")
    absolute_error: float = Field(0.02, gt=0, description="or this many nats, whichever is larger")
    max_points: int = Field(4_000_000, ge=1000, description="points drawn a divergence at most")


class TermSettings(Section):
    """How the terms of Theorem 4.10 are estimated in every round."""

    points: int = Field(8, ge=2, le=100_000, description="points a component on each of sixteen shifted lattices")
    anchor_sets: int = Field(4, ge=2, le=16, description="anchor sets redrawn a round, to average over prompts")


class MixtureStudy(Section):
    """A Gaussian-mixture study: one truth, its sweeps, its variants and its estimators."""

    SHOWN = frozenset({"table"})

    title: str = Field("Simulated mixtures", min_length=1, description="name in figures and the report")
    truth: Literal["random", "data"] = Field(
        "random", description="random: simulated components; data: classes of a table"
    )
    table: Table = Field(Table(), description="the table, used when truth is data")
    dimensions: int = Field(2, ge=1, le=64, description="d; a table is reduced to it by principal components")
    K: int = Field(2, ge=1, le=64, description="anchored components while another number is swept")
    J: int = Field(2, ge=1, le=64, description="unsampled components while another number is swept")
    L: int = Field(2, ge=1, le=64, description="irrelevant components while another number is swept")
    sweeps: Sweeps = Field(Sweeps(), description="what is swept, one number at a time")
    rounds: int = Field(100, ge=2, le=10_000, description="independent rounds a condition")
    anchors_per_component: int = Field(50, ge=2, le=100_000, description="N, anchor points of each anchored component")
    synthetic_size: int = Field(
        200, ge=2, le=1_000_000, description="n, synthetic points drawn from the generator mixture"
    )
    covariances: list[Covariance] = Field(
        ["psd", "released"],
        min_length=1,
        description="variants of the components' covariances; the first is the main one",
    )
    anchor_components: list[AnchorComponents] = Field(
        ["released", "text"],
        min_length=1,
        description="components fitted to anchors: released K, text K+J+L; the first is the main one",
    )
    estimators: list[Estimator] = Field(
        ["released_histogram", "aligned_histogram", "forward", "reverse"],
        min_length=1,
        description="variants of the divergence, one row of figure 4 each",
    )
    em: ExpectationMaximisation = Field(ExpectationMaximisation(), description="fitting by expectation-maximisation")
    released_histogram: HistogramSettings = Field(
        HistogramSettings(), description="histograms with each sample's own edges, as released"
    )
    aligned_histogram: HistogramSettings = Field(HistogramSettings(), description="histograms with common edges")
    forward: ExactSettings = Field(ExactSettings(), description="D_KL(fit || G) from exact densities")
    reverse: ExactSettings = Field(ExactSettings(), description="D_KL(G || fit), the excess log-loss on the target")
    terms: TermSettings = Field(TermSettings(), description="terms of Theorem 4.10, from exact densities")

    @field_validator("covariances", "anchor_components", "estimators")
    @classmethod
    def _no_repeats(cls, value: list[str]) -> list[str]:
        return each_once(value)

    @model_validator(mode="after")
    def _covariances_go_with_truth(self) -> Self:
        allowed = ("empirical",) if self.truth == "data" else ("psd", "released")
        for covariance in self.covariances:
            if covariance not in allowed:
                raise ValueError(
                    f"covariances: {covariance} does not go with truth: {self.truth}; allowed: {', '.join(allowed)}"
                )
        return self

    @model_validator(mode="after")
    def _points_suffice(self) -> Self:
        coordinates = self.synthetic_size * self.dimensions
        if coordinates > MAX_COORDINATES:
            raise ValueError(
                f"synthetic_size * dimensions = {coordinates} coordinates a round; allowed: at most {MAX_COORDINATES}"
            )
        for c in self.conditions():
            sizes = {f"synthetic_size = {self.synthetic_size}": self.synthetic_size}
            if "text" in self.anchor_components:
                anchors = self.anchors_per_component * c.K
                sizes[f"anchors_per_component * K = {anchors}"] = anchors
            for name, size in sizes.items():
                if size < c.total:
                    raise ValueError(
                        f"{name} points are fewer than the {c.total} components to fit to them "
                        f"at K={c.K}, J={c.J}, L={c.L}; allowed: at least as many"
                    )
        return self

    @model_validator(mode="after")
    def _histograms_fit_in_memory(self) -> Self:
        for estimator in (e for e in self.estimators if e in HISTOGRAMS):
            bins = getattr(self, estimator).bins
            cells = bins**self.dimensions
            if cells > MAX_CELLS:
                raise ValueError(
                    f"{estimator}.bins = {bins} makes {cells} cells in {self.dimensions} dimensions; allowed: "
                    f"at most {MAX_CELLS} (fewer bins or dimensions, or leave {estimator} out of estimators)"
                )
        return self

    def condition(self, axis: Axis, value: int) -> Condition:
        """The condition at one value of one sweep, the other two numbers at their own."""
        return Condition(**{**{a: getattr(self, a) for a in AXES}, axis: value})

    def sweep(self, axis: Axis) -> list[tuple[int, Condition]]:
        """Values of one sweep in ascending order, each once, with their conditions."""
        return [(v, self.condition(axis, v)) for v in sorted(set(getattr(self.sweeps, axis)))]

    def conditions(self) -> list[Condition]:
        """Every distinct condition of the study: the unswept one, then sweep by sweep."""
        found = {Condition(self.K, self.J, self.L): None}
        for axis in AXES:
            found.update({condition: None for _, condition in self.sweep(axis)})
        return list(found)

    def variants(self) -> list[tuple[str, str, str]]:
        """Every covariance, anchor and estimator variant, the main one of each first."""
        return [(c, a, e) for c in self.covariances for a in self.anchor_components for e in self.estimators]
