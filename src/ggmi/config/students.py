"""Students of a task, what they are trained on, and the judge of their answers."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from ggmi.config.sampling import SamplingSettings
from ggmi.config.section import Section, each_once
from ggmi.models.settings import EndpointSettings, LocalSettings, ServerSettings, Settings
from ggmi.students.settings import ReinforcementSettings, TrainingSettings

# Judging instructions in workflow/templates that are called by name.
JUDGE_TEMPLATES = ("judge",)
# What `base` says for the embedded world's student.
WORLD_BASE = "world"
# What subsets can be chosen by besides a column of the set; `skill` is known in the embedded world.
BASE_LOSS, SKILL, RANDOM = "base_loss", "skill", "random"
EASIEST, HARDEST = "easiest", "hardest"
# Names become parts of folders.
COLUMN = Annotated[str, Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.-]*$", max_length=60)]


class Match(Section):
    """What is made equal among the sets that students learn."""

    by: Literal["records", "tokens", "steps"] = Field(
        "records", description="records, or tokens of responses, of every set; or the updates that every student makes"
    )
    to: int | None = Field(None, ge=1, description="how many; null: what the smallest set that is not empty has")


class Subsets(Section):
    """Parts of sets as conditions: the easiest, the hardest, and random records."""

    by: list[COLUMN] = Field(
        [BASE_LOSS, RANDOM],
        min_length=1,
        description="base_loss (nats a token that the base loses on a response), random, skill (the base's exact loss "
        "on the record's skill, in the embedded world), or a column of the set with numbers, larger being harder",
    )
    of: list[COLUMN] = Field(["real"], min_length=1, description="conditions whose sets are cut")
    shares: list[Annotated[float, Field(gt=0, lt=1)]] = Field([], description="shares of a set's records")
    sizes: list[Annotated[int, Field(ge=1)]] = Field(
        [], description="records; a set that has fewer gives all. Matching repeats a subset's records, not others"
    )

    @field_validator("*")
    @classmethod
    def _no_repeats(cls, value: list[Any]) -> list[Any]:
        return each_once(value)

    @model_validator(mode="after")
    def _some_amount(self) -> Self:
        if not self.shares and not self.sizes:
            raise ValueError("shares and sizes are both empty; allowed: at least one value of either")
        return self

    def conditions(self) -> dict[str, dict[str, Any]]:
        """Subsets by name: ``of``, ``by``, ``end`` and one of ``share`` and ``size``, the other being null."""
        amounts: list[tuple[str, float | None, int | None]] = [
            *((f"share{share:g}", share, None) for share in self.shares),
            *((f"size{size}", None, size) for size in self.sizes),
        ]
        return {
            "_".join(part for part in (of, end, "" if by == RANDOM else by, amount) if part): {
                "kind": "subset",
                **{"of": of, "by": by, "end": end, "share": share, "size": size},
            }
            for of in self.of
            for by in self.by
            for end in ([RANDOM] if by == RANDOM else [EASIEST, HARDEST])
            for amount, share, size in amounts
        }


class Reinforcement(ReinforcementSettings):
    """Students that learn from rewards of answers they sample."""

    of: list[COLUMN] = Field(["real"], min_length=1, description="conditions whose records are asked")
    reward: Literal["judge", "exact_match"] = Field(
        "judge", description="the task's judge, or 1 for an answer that is the record's response and 0 for others"
    )

    @field_validator("of")
    @classmethod
    def _no_repeats(cls, value: list[str]) -> list[str]:
        return each_once(value)


class AnswerSettings(Section):
    """How students answer the test set."""

    sampling: SamplingSettings = Field(
        SamplingSettings(temperature=0.0, max_tokens=256), description="how answers are drawn"
    )
    batch_size: int = Field(32, ge=1, description="answers written at the same time")

    @model_validator(mode="after")
    def _students_draw_here(self) -> Self:
        if unset := self.sampling.unset():
            raise ValueError(f"sampling.{unset}: null leaves it to an endpoint, and students answer in this process")
        return self


class Students(Section):
    """Students: what they start from, learn and answer."""

    base: str = Field(
        min_length=1, description="base student: id of the hub, a directory, or world (the embedded world's student)"
    )
    revision: str | None = Field(None, description="commit, branch or tag of an id")
    form: Literal["plain", "chat", "json"] = Field(
        "plain", description="how a student is asked: a text, the tokenizer's chat template, or a record's line of JSON"
    )
    template: str | None = Field(
        None, description="text file with {{ instruction }} and {{ context }} for the plain form; null: our own"
    )
    training: TrainingSettings = Field(TrainingSettings(), description="how a student is trained")
    seeds: int = Field(5, ge=1, le=1000, description="students of each condition, alike but for their random numbers")
    seeds_per_job: int = Field(
        5, ge=1, le=1000, description="students that a job trains one after another; results do not depend on it"
    )
    match: Match | None = Field(
        None, description="by: records, tokens or steps; to: how many; null: every set as large as it is"
    )
    mixtures: list[Annotated[float, Field(gt=0, lt=1)]] = Field(
        [], description="mixtures of each synthetic set with T, by the share of T"
    )
    subsets: Subsets | None = Field(None, description="easiest, hardest and random records as conditions; null: none")
    rl: Reinforcement | None = Field(
        None, description="students trained by group-relative policy gradient on sampled answers; null: none"
    )
    anchors: bool = Field(True, description="students of the anchor data alone")
    real: bool = Field(True, description="students of the real training set T")
    max_length: int | None = Field(
        None, ge=2, description="tokens of a record at most; null: what the context window holds"
    )
    too_long: Literal["truncate", "drop"] = Field(
        "truncate", description="what becomes of longer records; both are counted"
    )
    overlap: Literal["refuse", "drop", "allow"] = Field(
        "refuse", description="when a training record asks what a test record asks: stop, leave it out, or keep it"
    )
    test_records: int | None = Field(None, ge=2, description="test records at most, drawn once; null: all")
    answers: AnswerSettings = Field(AnswerSettings(), description="how students answer the test set")

    @field_validator("mixtures")
    @classmethod
    def _no_repeats(cls, value: list[float]) -> list[float]:
        return each_once(value)

    @model_validator(mode="after")
    def _template_goes_with_plain(self) -> Self:
        if self.template is not None and self.form != "plain":
            raise ValueError(f"template: goes with form: plain only, and the form is {self.form!r}")
        return self


class ExactSettings(Settings):
    """The embedded world's own judge: letters at their place, no model."""

    kind: Literal["exact"] = Field("exact", description="exact: letters at their place, in the embedded world only")


class Judge(Section):
    """Who rates the students' answers, and how it is asked."""

    by: Annotated[ExactSettings | LocalSettings | EndpointSettings | ServerSettings, Field(discriminator="kind")] = (
        Field(description="the judge; kind: exact, local, openai or vllm")
    )
    template: str = Field(
        "judge", min_length=1, description="judge (in workflow/templates), or a text file with the same places"
    )
    sampling: SamplingSettings = Field(
        SamplingSettings(max_tokens=1024), description="how verdicts are drawn; at temperature 0 nothing is asked again"
    )
    verdicts: int = Field(1, ge=1, le=100, description="ratings of each answer; of two and more, their agreement")
    retries: int = Field(3, ge=0, le=100, description="verdicts asked for in place of those without a rating")
    calibration: int = Field(
        50, ge=6, le=100_000, description="questions on which the judge itself is tested before it is asked"
    )

    @field_validator("by")
    @classmethod
    def _no_world_model(cls, value: Settings) -> Settings:
        if getattr(value, "kind", None) == "world":
            raise ValueError("kind: the world's models write no verdicts; allowed: exact, local, openai or vllm")
        return value

    @model_validator(mode="after")
    def _unset_sampling_goes_with_endpoints(self) -> Self:
        if isinstance(self.by, LocalSettings) and (unset := self.sampling.unset()):
            raise ValueError(
                f"sampling.{unset}: null leaves it to an endpoint, and the judge is a model in this process"
            )
        return self


def embedded_students() -> Students:
    """Students of the embedded world."""
    return Students(
        base=WORLD_BASE,
        form="json",
        seeds=3,
        training=TrainingSettings(learning_rate=1e-3, save_every=200),
        match=Match(to=500),
        # A small world repeats itself: what stands in the test set by chance is left out.
        overlap="drop",
        answers=AnswerSettings(sampling=SamplingSettings(temperature=0.0, max_tokens=8), batch_size=300),
    )


def embedded_judge() -> Judge:
    """The embedded world's exact judge."""
    return Judge(by=ExactSettings())
