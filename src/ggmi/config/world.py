"""The embedded world: its skills, and the models that are trained in it."""

from __future__ import annotations

from typing import Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from ggmi.config.section import NAME, Section, left_out
from ggmi.embedded.recipes import RECIPES

STUDENT = "student"
# Anchors in context at which a generator's training is measured, as published.
MEASURED_INSTANCES = (3, 10, 20)


class ModelRecipe(Section):
    """How large one of the world's models is, and how long it may learn."""

    layers: int = Field(ge=1, le=12, description="transformer layers")
    width: int = Field(ge=8, le=1024, description="width of the residual stream")
    heads: int = Field(ge=1, le=16, description="attention heads")
    record_steps: int = Field(ge=1, le=100_000, description="most steps on single records or pairs")
    list_steps: int = Field(0, ge=0, le=100_000, description="most steps on lists of records; 0 for a student")
    record_rate: float = Field(1e-3, gt=0, le=1, description="learning rate on single records or pairs")
    wanted_accuracy: float = Field(0.98, gt=0, le=1, description="share of right responses that ends the first stage")
    wanted_kl_nats: float = Field(
        0.05, gt=0, description="divergence from the exact law of the next skill that ends the second stage, nats"
    )

    @model_validator(mode="after")
    def _heads_share_the_width(self) -> Self:
        # Positions are written into pairs of a head's numbers.
        if self.width % (2 * self.heads):
            raise ValueError(
                f"width: {self.width} is not shared evenly by heads = {self.heads}; allowed: multiples of "
                f"{2 * self.heads}"
            )
        return self


def _recipe(name: str) -> ModelRecipe:
    return ModelRecipe(**{key: getattr(RECIPES[name], key) for key in ModelRecipe.model_fields})


class World(Section):
    """A small world in which every truth is known, with real transformers trained on the spot."""

    anchored: int = Field(6, ge=4, le=20, description="K, target skills that anchors show")
    unsampled: int = Field(6, ge=1, le=20, description="J, target skills that anchors never show")
    irrelevant: int = Field(10, ge=4, le=40, description="L, skills outside the target task")
    letters: int = Field(10, ge=2, le=10, description="letters of the alphabet")
    length: int = Field(3, ge=1, le=4, description="letters of a context and of a response")
    most_anchors: int = Field(20, ge=1, le=40, description="most anchors that generators learn to read")
    further: int = Field(10, ge=1, le=40, description="records that generators learn to write after them")
    anchor_records: int = Field(400, ge=1, le=1_000_000, description="anchor data: records of the K anchored skills")
    train_records: int = Field(500, ge=1, le=1_000_000, description="real training set T: records of the target task")
    test_records: int = Field(300, ge=1, le=1_000_000, description="test set: further records of the target task")
    generators: dict[NAME, ModelRecipe] = Field(
        {name: _recipe(name) for name in RECIPES if name != STUDENT},
        description="generators M by name (Llama's architecture); null leaves one out",
    )
    student: ModelRecipe = Field(
        _recipe(STUDENT),
        description="base student (GPT-2's architecture): knows the format and the irrelevant skills",
    )

    @field_validator("generators", mode="before")
    @classmethod
    def _leave_out(cls, value: Any) -> Any:
        return left_out(value)

    @field_validator("student")
    @classmethod
    def _no_lists_for_the_student(cls, value: ModelRecipe) -> ModelRecipe:
        if value.list_steps:
            raise ValueError(f"list_steps: {value.list_steps} steps, but the student learns no lists; allowed: 0")
        return value

    def sizes(self) -> dict[str, int]:
        """What the skills and domains are drawn from."""
        return {name: getattr(self, name) for name in ("anchored", "unsampled", "irrelevant", "letters", "length")}

    def counts(self) -> dict[str, int]:
        """How many real records the world draws, by set."""
        return {name: getattr(self, name) for name in ("anchor_records", "train_records", "test_records")}

    def recipe(self, name: str) -> dict[str, Any]:
        """Settings of one model, with its kind."""
        kind: Literal["generator", "student"] = "student" if name == STUDENT else "generator"
        found = self.student if kind == "student" else self.generators[name]
        values = {"kind": kind, **found.model_dump()}
        if kind == "generator":
            # What it never learns to read is no criterion of its training.
            values["instances"] = sorted({min(x, self.most_anchors) for x in MEASURED_INSTANCES})
        return values
