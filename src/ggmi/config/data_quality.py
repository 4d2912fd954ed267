"""The study of data quality."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, field_validator, model_validator

from ggmi.config.section import Section, each_once
from ggmi.config.trained import TrainedModels

SIZE = Annotated[int, Field(ge=1, le=100_000)]
SET_SIZE = Annotated[int, Field(ge=0, le=100_000)]
VARIANCE = Annotated[float, Field(ge=0, le=100)]
POSITIVE = Annotated[float, Field(gt=0, le=1000)]
CHAIN = Annotated[int, Field(ge=1, le=12)]


class Grid(Section):
    """Lists of values, each allowed once."""

    @field_validator("*", mode="after")
    @classmethod
    def _no_repeats(cls, value: object) -> object:
        return each_once(value) if isinstance(value, list) else value


class Curves(Grid):
    """Test error by number and by length of prompts, as in figures 1 and 2."""

    d: int = Field(400, ge=4, le=5000, description="coordinates; one half has variance rho in pretraining, the other 1")
    interferences: list[VARIANCE] = Field(
        [0.0, 0.01, 0.1], min_length=1, description="variances r of fine-tuning prompts where nothing shifts"
    )
    lengths: list[SIZE] = Field([400, 800, 1200], min_length=1, description="lengths n of prompts in figure 1")
    prompts: list[SET_SIZE] = Field(
        [
            *(0, 5, 10, 15, 20, 30, 40, 50, 60, 80, 100, 120, 140, 150, 160, 170, 180, 190, 195, 200),
            *(205, 210, 225, 250, 275, 300, 325, 350, 370, 385, 395, 400, 410, 450, 500, 600, 800, 1000, 1400, 2000),
        ],
        min_length=1,
        description="fine-tuning prompts B in figure 1",
    )
    chained_prompts: list[SET_SIZE] = Field(
        [0, 20, 50, 100, 150, 400, 600, 2000],
        description="B at which figure 1 is also drawn for more than one test step; some of prompts",
    )
    swept_lengths: list[SIZE] = Field(
        [20, 50, 100, 200, 400, 600, 800, 1000], min_length=1, description="lengths n in figure 2"
    )
    swept_prompts: list[SET_SIZE] = Field([50, 150, 300, 500], min_length=1, description="B of figure 2's curves")
    base_length: int = Field(400, ge=1, le=100_000, description="length of the others where one length varies alone")
    test_steps: list[CHAIN] = Field([1, 3, 8], min_length=1, description="chain-of-thought steps at test")
    test_prompts: int = Field(2, ge=1, le=10_000, description="test prompts a repetition where steps are simulated")


class AgainstLimit(Grid):
    """The limit of many coordinates beside what it describes, as in figure 5."""

    d: int = Field(600, ge=4, le=5000, description="coordinates")
    interference: float = Field(0.1, gt=0, le=100, description="variance r of fine-tuning prompts where nothing shifts")
    lengths: list[SIZE] = Field([1000, 5000], min_length=1, description="lengths n of prompts")
    prompts: list[SET_SIZE] = Field(
        [0, 60, 150, 240, 330, 420, 510, 560, 660, 750, 1000], min_length=1, description="fine-tuning prompts B"
    )


class SmallSets(Grid):
    """Where small sets are best, and whether hard ones are."""

    d: int = Field(100, ge=20, le=5000, description="coordinates")
    ratios: list[VARIANCE] = Field(
        [0.0, 0.05, 0.1, 0.2, 0.5, 1.0], min_length=1, description="interference r over eta; 1 is what the test has"
    )
    lengths_over_d: list[POSITIVE] = Field(
        [0.25, 0.5, 1.0, 2.0, 3.0, 10.0], min_length=1, description="lengths of prompts over d"
    )
    difficulty_lengths_over_d: list[POSITIVE] = Field(
        [1.0, 3.0], min_length=1, description="lengths of prompts over d where difficulties are compared"
    )
    difficulty_prompts_over_d: list[POSITIVE] = Field(
        [0.25, 4.0], min_length=1, description="fine-tuning prompts over d there, besides endless ones"
    )


class Outcome(Grid):
    """Outcome supervision of a small model."""

    d: int = Field(10, ge=4, le=100, description="coordinates")
    lengths: list[SIZE] = Field([10, 40, 160], min_length=2, description="lengths n of prompts; the middle one is kept")
    prompts: list[SIZE] = Field([5, 20, 80], min_length=2, description="training prompts B; the middle one is kept")
    steps: list[CHAIN] = Field([1, 3], min_length=1, description="chain-of-thought steps k, in training and test")
    descents: list[SIZE] = Field([10, 100, 300], min_length=2, description="steps of gradient descent")
    shifts: list[POSITIVE] = Field(
        [0.03, 0.1, 0.3, 1.0, 3.0], min_length=2, description="variances that the shift adds; small: nearly learnt"
    )
    curvature_lengths: list[SIZE] = Field(
        [20, 500], min_length=1, description="lengths n at which curvature is measured"
    )
    curvature_prompts: int = Field(40, ge=2, le=10_000, description="training prompts there")
    curvature_steps: list[CHAIN] = Field([1, 2, 4, 8], min_length=2, description="chain-of-thought steps k there")


class DataQualityStudy(Section):
    """Data quality: which data, how much and how hard, in closed form."""

    seeds: int = Field(10, ge=6, le=10_000, description="repetitions, each with prompts of its own")
    rho: float = Field(0.1, gt=0, le=100, description="variance of pretraining where the test distribution shifts")
    eta: float = Field(
        0.2, gt=0, le=1, description="share of what is missing that a step of the fine-tuning targets adds"
    )
    theorem_d: int = Field(10, ge=4, le=100, description="coordinates where theorems are checked on random prompts")
    curves: Curves = Field(Curves(), description="test error by number and by length of prompts")
    limit: AgainstLimit = Field(AgainstLimit(), description="the limit of many coordinates beside what it describes")
    small_sets: SmallSets = Field(SmallSets(), description="where small sets are best, and whether hard ones are")
    outcome: Outcome = Field(Outcome(), description="outcome supervision of a small model")
    trained: TrainedModels | None = Field(
        TrainedModels(), description="trained transformers, and real policy gradients; null leaves them out"
    )

    @model_validator(mode="after")
    def _chained_are_known(self) -> Self:
        unknown = [b for b in self.curves.chained_prompts if b not in self.curves.prompts]
        if unknown:
            raise ValueError(f"curves.chained_prompts: {unknown[0]} is not allowed; allowed: those of curves.prompts")
        return self
