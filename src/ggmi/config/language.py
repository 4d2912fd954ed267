"""The study of language models: which records, how many and how hard."""

from __future__ import annotations

from typing import Annotated, Any, Self

from pydantic import Field, field_validator, model_validator

from ggmi.config.section import Section, check_heads, each_once


class SmallModel(Section):
    """The language that bases are pretrained on, and their size."""

    skills: int = Field(12, ge=9, le=40, description="skills, each a way to rewrite letters")
    letters: int = Field(8, ge=2, le=10, description="letters of the alphabet")
    length: int = Field(2, ge=1, le=4, description="letters of a context and of a response")
    layers: int = Field(2, ge=1, le=12, description="transformer layers")
    width: int = Field(48, ge=8, le=1024, description="width of the residual stream")
    heads: int = Field(2, ge=1, le=16, description="attention heads; they share the width evenly")
    documents: int = Field(64, ge=1, le=4096, description="records a step of pretraining")
    rate: float = Field(2e-3, gt=0, le=1, description="learning rate of pretraining")
    most_steps: int = Field(1200, ge=1, le=1_000_000, description="most steps of pretraining")
    loss: float = Field(0.5, gt=0, le=3, description="loss at which pretraining ends, nats a token of a response")
    imbalance: float = Field(
        16.0, ge=1, le=1e6, description="how much more often the most common skill is seen where skills are unbalanced"
    )

    @model_validator(mode="after")
    def _heads_share_the_width(self) -> Self:
        check_heads(self.width, self.heads)
        return self

    @property
    def records(self) -> int:
        """All records of the language."""
        return self.skills * self.letters**self.length


class FineTuning(Section):
    """Supervised fine-tuning (SFT)."""

    batch_size: int = Field(16, ge=1, le=100_000, description="records an update")
    learning_rate: float = Field(5e-4, gt=0, le=1, description="highest learning rate")


class Rewards(Section):
    """Reinforcement (RL): group-relative policy gradient on sampled answers, which the exact judge rates."""

    prompts: int = Field(16, ge=1, le=100_000, description="records an update")
    answers: int = Field(8, ge=2, le=1000, description="answers sampled to each")
    learning_rate: float = Field(1e-3, gt=0, le=1, description="highest learning rate")
    beta: float = Field(0.0, ge=0, le=1000, description="weight of the divergence from the base (KL)")


class LanguageStudy(Section):
    """Whether claims on data quality hold for language models."""

    seeds: int = Field(3, ge=2, le=1000, description="students of each condition")
    model: SmallModel = Field(SmallModel(), description="the language, and the bases")
    test_records: int = Field(168, ge=20, le=100_000, description="records that students are rated on")
    sizes: list[Annotated[int, Field(ge=2, le=1_000_000)]] = Field(
        [20, 100], min_length=2, description="records of sets, ascending; all records there are come last by themselves"
    )
    updates: int = Field(100, ge=1, le=1_000_000, description="updates of every student")
    fine_tuning: FineTuning = Field(FineTuning(), description="supervised fine-tuning")
    rewards: Rewards = Field(Rewards(), description="reinforcement")

    @field_validator("sizes")
    @classmethod
    def _ascending(cls, value: list[int]) -> list[int]:
        if each_once(value) != sorted(value):
            raise ValueError(f"{value} do not ascend; allowed: {sorted(value)}")
        return value

    @model_validator(mode="after")
    def _records_are_there(self) -> Self:
        most = self.model.records - self.test_records
        if self.sizes[-1] >= most:
            raise ValueError(
                f"sizes: {self.sizes[-1]} of the language's {self.model.records} records, of which {self.test_records} "
                f"are for testing; allowed: less than {most}"
            )
        return self

    def design(self) -> dict[str, Any]:
        """What conditions depend on: all ``sizes``, ``updates``, and ``token_updates`` of fine-tuning.

        Records are equally long, so that as many tokens are read where as many records are: an update of
        reinforcement reads prompts × answers of them.
        """
        sampled = self.rewards.prompts * self.rewards.answers
        pool = self.model.records - self.test_records
        return {
            "sizes": [*self.sizes, pool],
            "updates": self.updates,
            "token_updates": max(1, round(self.updates * sampled / self.fine_tuning.batch_size)),
        }
