"""The study of slow thinking."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, field_validator

from ggmi.config.real_search import RealSearch
from ggmi.config.reasoning import Reasoning
from ggmi.config.section import NAME, Section, each_once, left_out

LENGTH = Annotated[int, Field(ge=1, le=64)]
WIDTH = Annotated[int, Field(ge=1, le=4096)]
# exp(20) is far beyond any width.
LOG_LAMBDA = Annotated[float, Field(gt=-20, le=20)]
RELIABILITY = Annotated[float, Field(gt=0, le=1)]


class SlowThinkingStudy(Section):
    """Slow thinking: its theory in finite worlds, the exact calculus of search, the published points."""

    worlds: int = Field(500, ge=1, le=1_000_000, description="random chains of each regime for each statement")
    restarts: int = Field(
        3, ge=1, le=1000, description="starts of the search for the worst violation, twice as many per regime"
    )
    steps: int = Field(30, ge=1, le=10_000, description="steps of gradient ascent from each start")
    log_lambdas: list[LOG_LAMBDA] = Field(
        [1.0, 2.0, 4.0],
        min_length=1,
        description="natural logarithms of lambda: a step is right with probability min(lambda exp(-l), 1)",
    )
    lengths: list[LENGTH] = Field([4, 6, 8], min_length=1, description="steps L of a chain")
    widths: list[WIDTH] = Field(
        [1, 2, 4, 8, 16, 32, 64], min_length=1, description="samples a layer k, or whole answers N"
    )
    reliabilities: list[RELIABILITY] = Field(
        [0.7, 0.8, 0.9, 0.95, 1.0],
        min_length=1,
        description="probability that the verifier selects a right sample where there is one",
    )
    permutations: int = Field(9999, ge=99, le=1_000_000, description="permutations of totals over questions")

    reasoning: Reasoning | None = Field(
        Reasoning(), description="reasoners whose right thoughts are known, and search with them; null leaves them out"
    )
    real: dict[NAME, RealSearch] = Field(
        {}, description="searches with real models by name, see docs/slow_thinking.md; null leaves one out"
    )

    @field_validator("real", mode="before")
    @classmethod
    def _leave_out(cls, value: Any) -> Any:
        return left_out(value)

    @field_validator("log_lambdas", "lengths", "widths", "reliabilities")
    @classmethod
    def _no_repeats(cls, value: list[float]) -> list[float]:
        return each_once(value)
