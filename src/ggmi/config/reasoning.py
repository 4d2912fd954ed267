"""A reasoner whose right thoughts are known, its verifiers, and the searches that are compared."""

from __future__ import annotations

from typing import Annotated, Any, Self

from pydantic import AfterValidator, Field, field_validator, model_validator

from ggmi.config.section import NAME, Section, check_heads, each_once, left_out
from ggmi.reasoning.problems import group_table

WIDTH = Annotated[int, Field(ge=1, le=1024)]
RELIABILITY = Annotated[float, Field(ge=0, le=1)]
# Uses of problems: a reasoner's chains, chains that verifiers learn from, their measurement, search.
USES = ("samples", "training", "calibration", "search")


def _group(name: str) -> str:
    """Refuse a group that is not there."""
    group_table(name)
    return name


class ReasonerRecipe(Section):
    """How large a reasoner is, and when its training ends."""

    layers: int = Field(1, ge=1, le=12, description="transformer layers")
    width: int = Field(32, ge=8, le=1024, description="width of the residual stream")
    heads: int = Field(2, ge=1, le=16, description="attention heads")
    steps: int = Field(1500, ge=1, le=100_000, description="most training steps")
    rate: float = Field(5e-3, gt=0, le=1, description="learning rate")
    chains: int = Field(96, ge=1, le=4096, description="worked chains a training step")
    wanted_accuracy: float = Field(0.9, gt=0, le=1, description="share of right steps that ends the training")

    @model_validator(mode="after")
    def _heads_share_the_width(self) -> Self:
        check_heads(self.width, self.heads)
        return self


class VerifierRecipe(Section):
    """How verifiers learn from the reasoner's own chains; their body is the reasoner's and one layer more."""

    chains: int = Field(12_000, ge=2000, le=10_000_000, description="chains that they learn from, one a problem")
    temperature: float = Field(2.0, gt=0, le=10, description="at which half of those chains are drawn; the rest at 1")
    orm_steps: int = Field(250, ge=1, le=100_000, description="training steps of the outcome model (more: no better)")
    prm_steps: int = Field(1000, ge=1, le=100_000, description="training steps of the process model")
    rate: float = Field(4e-3, gt=0, le=1, description="learning rate")
    batch: int = Field(96, ge=1, le=4096, description="chains a training step")


class Search(Section):
    """Searches of the same problems by every method."""

    reasoners: list[NAME] = Field(["small"], min_length=1, description="whose problems are searched")
    length: int = Field(8, ge=1, le=64, description="steps L of the problems")
    problems: int = Field(500, ge=10, le=1_000_000, description="problems")
    repeats: int = Field(5, ge=1, le=1000, description="independent searches of each problem")
    widths: list[WIDTH] = Field(
        [1, 2, 4, 8, 16, 32, 64], min_length=1, description="steps drawn a layer k, or whole answers N"
    )
    keep: int = Field(4, ge=1, le=64, description="beams kept by beam search; step-wise search keeps one")
    simulations: int = Field(24, ge=1, le=10_000, description="leaves that a tree search visits")
    exploration: float = Field(1.0, ge=0, le=100, description="c of PUCT")
    reliabilities: list[RELIABILITY] = Field(
        [0.7, 0.9, 1.0], description="synthetic verifiers: probability to choose right where both kinds are there"
    )

    @field_validator("reasoners", "widths", "reliabilities")
    @classmethod
    def _no_repeats(cls, value: list[Any]) -> list[Any]:
        return each_once(value)

    @field_validator("widths")
    @classmethod
    def _one_is_there(cls, value: list[int]) -> list[int]:
        if 1 not in value:
            raise ValueError("1 is missing, with which every other width is compared")
        return sorted(value)


def _large() -> ReasonerRecipe:
    return ReasonerRecipe(layers=2, width=48, rate=4e-3, chains=64, wanted_accuracy=0.94)


class Reasoning(Section):
    """Transformers that learn worked chains in finite groups on the spot, and search with them."""

    groups: list[Annotated[str, AfterValidator(_group)]] = Field(
        ["cyclic_7", "symmetric_3"],
        min_length=1,
        description="in which steps are taken: cyclic_<m> adds modulo m, symmetric_<n> composes permutations",
    )
    shortest: int = Field(2, ge=1, le=64, description="steps of the shortest problems")
    longest: int = Field(16, ge=2, le=64, description="steps of the longest problems")
    chains: int = Field(21_000, ge=100, le=10_000_000, description="chains sampled of each reasoner, over all lengths")
    reasoners: dict[NAME, ReasonerRecipe] = Field(
        {"small": ReasonerRecipe(), "large": _large()}, description="reasoners by name; null leaves one out"
    )
    verifiers: VerifierRecipe = Field(VerifierRecipe(), description="outcome and process model")
    search: Search = Field(Search(), description="searches at matched cost")

    @field_validator("groups")
    @classmethod
    def _no_repeats(cls, value: list[str]) -> list[str]:
        return each_once(value)

    @field_validator("reasoners", mode="before")
    @classmethod
    def _leave_out(cls, value: Any) -> Any:
        return left_out(value)

    @model_validator(mode="after")
    def _parts_fit(self) -> Self:
        if self.shortest >= self.longest:
            raise ValueError(f"longest: {self.longest} is not above shortest = {self.shortest}")
        if not self.shortest <= self.search.length <= self.longest:
            raise ValueError(
                f"search.length: {self.search.length} is not taught; allowed: {self.shortest} to {self.longest}"
            )
        for name in self.search.reasoners:
            if name not in self.reasoners:
                raise ValueError(
                    f"search.reasoners: there is no reasoner {name!r}; allowed: {', '.join(self.reasoners)}"
                )
        return self

    def counts(self, use: str) -> dict[int, int]:
        """How many problems of each length one use takes."""
        if use == "samples":
            lengths = range(self.shortest, self.longest + 1)
            return {n: -(-self.chains // len(lengths)) for n in lengths}
        of_use = {
            "training": self.verifiers.chains,
            "calibration": self.search.problems,
            "search": self.search.problems,
        }
        return {self.search.length: of_use[use]}
