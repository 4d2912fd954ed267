"""Searches with real models: problems, who writes steps, who scores them, and what is searched."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from ggmi.config.sampling import SamplingSettings
from ggmi.config.section import Section, each_once
from ggmi.config.tasks import RecordSource
from ggmi.models.settings import (
    BackendSettings,
    EndpointSettings,
    LocalSettings,
    RewardSettings,
    ServerSettings,
    Settings,
)

WIDTH = Annotated[int, Field(ge=1, le=1024)]
Method = Literal["self_consistency", "best_of_n", "vote", "beam", "tree"]
# What is sampled once for several methods, by the name of its job.
JOBS: dict[str, tuple[Method, ...]] = {
    "answers": ("self_consistency", "best_of_n", "vote"),
    "beam": ("beam",),
    "tree": ("tree",),
}
Writer = Annotated[LocalSettings | EndpointSettings | ServerSettings, Field(discriminator="kind")]


class ProblemSource(RecordSource):
    """Problems with their right answers."""

    answer: Literal["gsm8k", "math", "true_false", "exact"] = Field(
        "gsm8k", description="form of the answers: gsm8k (a number), math (LaTeX), true_false, or exact (any text)"
    )
    most: int | None = Field(None, ge=1, description="problems at most, drawn once; null: all")
    assumed_problems: int = Field(1000, ge=1, description="problems, for pricing before the source can be read")
    assumed_tokens: int = Field(100, ge=1, description="tokens of a problem, for pricing before the source can be read")


class SelfSettings(Settings):
    """The policy judges its own steps."""

    kind: Literal["self"] = Field("self", description="self: the policy is asked whether its steps are right")


class StepVerifier(Section):
    """Who scores steps, and how it is asked."""

    by: Annotated[
        SelfSettings | RewardSettings | LocalSettings | EndpointSettings | ServerSettings, Field(discriminator="kind")
    ] = Field(description="kind: reward (a reward model), self (the policy), local, openai or vllm (asked yes or no)")
    template: str | None = Field(
        None, description="text file with {{ question }} and {{ steps }} that asks for yes or no; null: our own"
    )
    sampling: SamplingSettings = Field(SamplingSettings(max_tokens=16), description="how yes or no is drawn")
    draws: int = Field(1, ge=1, le=100, description="replies of yes or no a text; the score is the share of yes")


class RealSearch(Section):
    """One policy on one set of problems, searched by several methods."""

    title: str = Field(min_length=1, max_length=60, description="name in figures and on the page")
    problems: ProblemSource = Field(description="problems and their right answers")
    policy: Writer = Field(description="who writes steps; kind: local, openai or vllm")
    verifier: StepVerifier | None = Field(None, description="who scores; null: self_consistency only")
    template: str | None = Field(
        None, description="text file with {{ question }} and {{ steps }} that asks for the next step; null: our own"
    )
    system: str = Field("", description="system prompt of the policy; empty for none")
    sampling: SamplingSettings = Field(SamplingSettings(max_tokens=128), description="how a step is drawn")
    seeded: bool = Field(
        True, description="send each draw a seed of its own; false: none, for endpoints that refuse it"
    )
    stop_at_line: bool = Field(
        True, description="tell the model to stop at a line's end; false: cut here, for servers that refuse it"
    )
    methods: list[Method] = Field(
        ["self_consistency", "best_of_n", "vote", "beam", "tree"],
        min_length=1,
        description="self_consistency, best_of_n (highest score), vote (weighted by score), beam, tree (MCTS)",
    )
    widths: list[WIDTH] = Field([1, 2, 4, 8], min_length=1, description="steps drawn a layer k")
    whole_answers: list[WIDTH] | None = Field(
        None, min_length=1, description="whole answers N of self_consistency, best_of_n and vote; null: the widths"
    )
    steps: int = Field(16, ge=1, le=1000, description="lines of an answer at most")
    repeats: int = Field(1, ge=1, le=1000, description="independent searches of each problem")
    keep: int = Field(1, ge=1, le=64, description="beams kept by beam search, at most the width")
    simulations: int = Field(16, ge=1, le=10_000, description="leaves that a tree search visits")
    exploration: float = Field(1.0, ge=0, le=100, description="c of PUCT")
    missing_allowed: float = Field(
        0.0, ge=0, lt=1, description="share of steps and scores that may have failed for good; else the run stops there"
    )

    @field_validator("methods", "widths", "whole_answers")
    @classmethod
    def _no_repeats(cls, value: list[Any] | None) -> list[Any] | None:
        return value and each_once(value)

    @field_validator("policy")
    @classmethod
    def _no_world_model(cls, value: Settings) -> Settings:
        if getattr(value, "kind", None) == "world":
            raise ValueError("kind: the world's models solve no problems; allowed: local, openai or vllm")
        return value

    @model_validator(mode="after")
    def _parts_fit(self) -> Self:
        scored = [method for method in self.methods if method != "self_consistency"]
        if self.verifier is None and scored:
            raise ValueError(f"verifier: is missing, and {scored[0]} needs one; allowed without: self_consistency")
        asked: dict[str, tuple[Settings, SamplingSettings]] = {"sampling": (self.policy, self.sampling)}
        if self.verifier is not None:
            asked["verifier.sampling"] = (self.judge() or self.policy, self.verifier.sampling)
        for place, (who, sampling) in asked.items():
            if isinstance(who, LocalSettings) and (unset := sampling.unset()):
                raise ValueError(
                    f"{place}.{unset}: null leaves it to an endpoint, and here a model in this process draws"
                )
        return self

    def judge(self) -> BackendSettings | None:
        """Settings of who scores: the policy's own where it judges itself; None where nobody does."""
        if self.verifier is None:
            return None
        return self.policy if isinstance(self.verifier.by, SelfSettings) else self.verifier.by

    def models(self) -> dict[str, BackendSettings]:
        """Settings of the models by part, ``policy`` and ``verifier``; a policy that judges itself is there once."""
        judge = self.judge()
        apart = judge is not None and judge != self.policy
        return {"policy": self.policy, **({"verifier": judge} if apart and judge is not None else {})}

    def jobs(self) -> dict[str, list[str]]:
        """Methods by the job that makes them, the asked ones only."""
        found: dict[str, list[str]] = {job: [m for m in methods if m in self.methods] for job, methods in JOBS.items()}
        return {job: methods for job, methods in found.items() if methods}

    def models_of(self, job: str) -> dict[str, BackendSettings]:
        """Of `models` those that a job asks: votes alone need nobody who scores."""
        found = self.models()
        return found if self.jobs()[job] != ["self_consistency"] else {"policy": found["policy"]}

    def plan(self, job: str) -> dict[str, Any]:
        """What one job's searches depend on, beside who is asked; as `ggmi.real_search.asking.plan_of` takes it."""
        shared = {"widths", "steps", "repeats", "seeded", "stop_at_line", "system", "sampling", "template"}
        own = {"beam": {"keep"}, "tree": {"simulations", "exploration"}}.get(job, set())
        methods = self.jobs()[job]
        judging: dict[str, Any] = {}
        if self.verifier is not None and methods != ["self_consistency"]:
            judging = {"judging": self.verifier.sampling.model_dump(), "judge_template": self.verifier.template}
            # A reward model says the same each time.
            judging["draws"] = 1 if isinstance(self.verifier.by, RewardSettings) else self.verifier.draws
        planned = {
            "methods": methods,
            "answer": self.problems.answer,
            **self.model_dump(include=shared | own),
            **judging,
        }
        if job == "answers" and self.whole_answers is not None:
            planned["widths"] = self.whole_answers
        return {**planned, "widths": sorted(planned["widths"])}
