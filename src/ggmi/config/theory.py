"""The theory study."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field, field_validator

from ggmi.config.section import Section, each_once
from ggmi.errors import did_you_mean
from ggmi.theory.families import DEFAULT_FAMILIES

FAMILIES = [family.name for family in DEFAULT_FAMILIES]


def _known_family(name: str) -> str:
    """Refuse a family that is not there, with the nearest one that is."""
    if name not in FAMILIES:
        former = name.startswith(("independent, ", "dependent, "))
        hint = "families are named by their regime now" if former else did_you_mean(name, FAMILIES)
        raise ValueError(f"there is no family {name[:60]!r}; {hint}")
    return name


class TheoryStudy(Section):
    """The theory's statements, checked exactly in finite worlds."""

    worlds: int = Field(2000, ge=1, le=1_000_000, description="random worlds of each family that a statement speaks of")
    families: list[Annotated[str, AfterValidator(_known_family)]] = Field(
        FAMILIES, min_length=1, description="how worlds are drawn: the regime that they meet, curation, learner"
    )
    restarts: int = Field(4, ge=1, le=1000, description="starts of the search for the worst violation, per structure")
    steps: int = Field(60, ge=1, le=10_000, description="steps of gradient ascent from each start")

    @field_validator("families")
    @classmethod
    def _no_repeats(cls, value: list[str]) -> list[str]:
        return each_once(value)
