"""Tasks: anchor data, prompts, generators and curation."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from ggmi.config.estimation import Estimation
from ggmi.config.section import NAME, Section, each_once, left_out
from ggmi.models.settings import EndpointSettings, LocalSettings, ServerSettings, Settings
from ggmi.text.records import FORMATS

EMBEDDED = "embedded"
# What tables of the embedded world call its exact generator.
IDEAL = "ideal"
# Settings of a backend that do not decide what is answered: how fast, how long, for how much.
MANNER = frozenset(
    [
        *("batch_size", "threads", "concurrency", "requests_per_minute", "tokens_per_minute"),
        *("attempts", "first_wait", "longest_wait", "connect_timeout", "read_timeout", "total_timeout"),
        *("ready_timeout", "context_window", "prices", "budget", "key_env"),
    ]
)
# Templates in workflow/templates that are called by name.
TEMPLATES = ("prompt", EMBEDDED)


class ImportedSettings(Settings):
    """A synthetic set that exists already and joins at curation."""

    kind: Literal["import"] = "import"
    path: str = Field(description="file of records: .jsonl, .csv or .parquet")
    fields: dict[str, str] = Field({}, description="what the file calls instruction, context, response and id")


WORDS = Annotated[int, Field(ge=0)]
Generator = Annotated[LocalSettings | EndpointSettings | ServerSettings | ImportedSettings, Field(discriminator="kind")]


class AnchorSource(Section):
    """Where a task's real examples come from."""

    source: str = Field(
        EMBEDDED, min_length=1, description="embedded, a .jsonl, .csv or .parquet file, or a Hugging Face data set"
    )
    split: str = Field("train", description="which split of a data set")
    revision: str | None = Field(None, description="branch, tag or commit of a data set on the hub")
    fields: dict[str, str] = Field({}, description="what the source calls instruction, context, response and id")
    test_share: float = Field(0.2, gt=0, lt=1, description="share of the records kept for testing")
    near_duplicate: float = Field(
        0.7, gt=0, lt=1, description="ROUGE-L above which a test record is reported as near a training record"
    )
    assumed_tokens: int = Field(120, ge=1, description="tokens of an anchor, for pricing before the source can be read")

    @property
    def is_file(self) -> bool:
        """Whether the source is a file of records."""
        return Path(self.source).suffix.lower() in FORMATS


class PromptSettings(Section):
    """How anchors become prompts."""

    template: str = Field(
        "prompt",
        min_length=1,
        description="prompt or embedded (in workflow/templates), or a text file with {{ anchors }} and {{ count }}",
    )
    system: str = Field("", description="system prompt; empty for none")
    prompts: int = Field(60, ge=1, le=1_000_000, description="prompts of each number of instances")
    draws: int = Field(1, ge=1, le=10_000, description="responses to each prompt")
    count: int = Field(20, ge=1, le=1000, description="records that a prompt asks for")
    draw: Literal["nested", "independent"] = Field(
        "nested", description="nested: prompts of more instances begin with those of fewer"
    )


class SamplingSettings(Section):
    """How responses are drawn."""

    temperature: float = Field(1.0, ge=0, le=10, description="divides the logits; 0 takes the likeliest token")
    top_p: float = Field(1.0, gt=0, le=1, description="draw from the smallest set of this probability")
    max_tokens: int = Field(4096, ge=1, description="tokens of a response at most")
    stop: list[Annotated[str, Field(min_length=1)]] = Field([], description="texts that end a response")


class LengthSettings(Section):
    """Least and most words of each field."""

    instruction: tuple[WORDS, WORDS] = Field((1, 150), description="words of an instruction")
    context: tuple[WORDS, WORDS] = Field((0, 150), description="words of a context")
    response: tuple[WORDS, WORDS] = Field((1, 150), description="words of a response")

    @field_validator("*")
    @classmethod
    def _least_comes_first(cls, value: tuple[int, int]) -> tuple[int, int]:
        if value[0] > value[1]:
            raise ValueError(f"least is {value[0]} and most is {value[1]}; allowed: least first")
        return value


class CurationSettings(Section):
    """Which filters make up the curation noise, in their order."""

    lengths: LengthSettings | None = Field(LengthSettings(), description="bounds on words; null: off")
    placeholders: bool = Field(True, description="drop records with text left to be filled in")
    exact: bool = Field(True, description="drop repeated records (up to case and spaces)")
    contamination: float | None = Field(
        None, gt=0, lt=1, description="drop records whose ROUGE-L with a real record exceeds this; null: off"
    )
    near: float | None = Field(
        0.7, gt=0, lt=1, description="drop records whose ROUGE-L with an earlier one exceeds this; null: off"
    )


class Task(Section):
    """A task: real examples, ways to generate more of them, and curation."""

    title: str = Field(min_length=1, max_length=60, description="name in figures and the report")
    anchors: AnchorSource = Field(AnchorSource(), description="real examples")
    instances: list[Annotated[int, Field(ge=1, le=10_000)]] = Field(
        [3, 10, 20], min_length=1, description="anchors in a prompt, one value a condition (3-ins, 10-ins, 20-ins)"
    )
    prompts: PromptSettings = Field(PromptSettings(), description="how anchors become prompts")
    sampling: SamplingSettings = Field(SamplingSettings(), description="how responses are drawn")
    generators: dict[NAME, Generator] = Field(
        min_length=1,
        description="generators M by name; null leaves one out; kind: world, local, openai, vllm or import",
    )
    curations: dict[NAME, CurationSettings] = Field(
        {"standard": CurationSettings()}, min_length=1, description="curations by name; null leaves one out"
    )
    missing_allowed: float = Field(
        0.0, ge=0, lt=1, description="share of responses that may have failed for good; else the run stops there"
    )
    estimation: Estimation | None = Field(
        Estimation(), description="estimates of every synthetic set against the real records; null leaves them out"
    )
    license: str = Field("other", description="licence of the synthetic sets, as in their cards")

    @field_validator("generators", "curations", mode="before")
    @classmethod
    def _leave_out(cls, value: Any) -> Any:
        return left_out(value)

    @field_validator("instances")
    @classmethod
    def _no_repeats(cls, value: list[int]) -> list[int]:
        return each_once(value)

    @model_validator(mode="after")
    def _world_goes_with_embedded(self) -> Self:
        for name, generator in self.generators.items():
            if generator.kind == "world" and name == IDEAL:
                raise ValueError(f"generators.{name}: the name is that of the exact generator; choose another")
            if generator.kind == "world" and self.anchors.source != EMBEDDED:
                raise ValueError(
                    f"generators.{name}: kind world goes with anchors.source: embedded only, and the source is "
                    f"{self.anchors.source!r}"
                )
        return self

    def conditions(self) -> list[tuple[str, str]]:
        """Every generator with its conditions: ``3-ins`` and so on, or ``given`` for an imported set."""
        return [
            (name, condition)
            for name, generator in self.generators.items()
            for condition in (["given"] if generator.kind == "import" else [f"{x}-ins" for x in self.instances])
        ]


def embedded_task() -> Task:
    """The default task: the embedded world, with three trained generators."""
    return Task(
        title="Embedded world",
        prompts=PromptSettings(template=EMBEDDED, count=10),
        # Ten records of eleven tokens.
        sampling=SamplingSettings(max_tokens=110),
        generators={
            name: LocalSettings(kind="world", model=name, token_log_probs=True) for name in ("large", "medium", "small")
        },
        # Equal records are samples of a law there, not copies.
        curations={
            "as_sampled": CurationSettings(lengths=None, placeholders=False, exact=False, near=None),
        },
        license="cc0-1.0",
    )
