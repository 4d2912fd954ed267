"""Tasks: anchor data, prompts, generators and curation."""

from __future__ import annotations

from functools import cached_property
from typing import Annotated, Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from ggmi.config.estimation import Estimation
from ggmi.config.sampling import SamplingSettings
from ggmi.config.section import NAME, Section, each_once, left_out
from ggmi.config.students import (
    BASE_LOSS,
    RANDOM,
    SKILL,
    WORLD_BASE,
    ExactSettings,
    Judge,
    Students,
    embedded_judge,
    embedded_students,
)
from ggmi.errors import did_you_mean
from ggmi.models.settings import EndpointSettings, LocalSettings, ServerSettings, Settings
from ggmi.pilot.settings import PilotSettings
from ggmi.students.settings import Share
from ggmi.text.places import find, is_local

EMBEDDED = "embedded"
# What tables of the embedded world call its exact generator.
IDEAL = "ideal"
# Settings of a backend that do not decide what is answered: how fast, how long, for how much.
MANNER = frozenset(
    [
        *("batch_size", "threads", "concurrency", "requests_per_minute", "tokens_per_minute"),
        *("attempts", "first_wait", "longest_wait", "connect_timeout", "read_timeout", "total_timeout"),
        *("ready_timeout", "gpus", "context_window", "prices", "budget", "key_env", "max_tokens_name"),
    ]
)
# Templates in workflow/templates that are called by name.
TEMPLATES = ("prompt", EMBEDDED)


# How sets that people have are read.
FIELD_NAMES = dict[str, str | list[str]]
CALLED = "what its rows call instruction, context, response and id: a name, or names in their order"
ENCODING = Annotated[str | None, Field(description="of text that is not UTF-8, such as cp1252")]
INVALID = Annotated[
    Literal["drop", "stop"],
    Field(description="rows that hold no record: drop counts them and leaves them out, stop ends the run"),
]


class ImportedSettings(Settings):
    """A synthetic set that exists already and joins at curation."""

    kind: Literal["import"] = "import"
    path: str = Field(min_length=1, description="a file, folder or pattern of files of records, or a hub id")
    fields: FIELD_NAMES = Field({}, description=CALLED)
    encoding: ENCODING = None
    invalid: INVALID = "drop"
    shards: int = Field(1, ge=1, description="jobs that read and curate it, each some of its files; the result is one")

    @cached_property  # asked by every job of every shard
    def watched(self) -> list[str]:
        """Files whose change makes the set anew."""
        return [str(file) for file in find(self.path).files]

    def files_of(self, shard: int) -> list[str]:
        """The files of a shard, counted from 0: neighbours in the order of the set.

        Examples
        --------
        >>> from pathlib import Path
        >>> from tempfile import TemporaryDirectory
        >>> with TemporaryDirectory() as folder:
        ...     for name in "abcde":
        ...         _ = Path(folder, f"{name}.jsonl").write_text("")
        ...     split = ImportedSettings(path=folder, shards=3)
        ...     [[Path(file).stem for file in split.files_of(shard)] for shard in range(3)]
        [['a'], ['b', 'c'], ['d', 'e']]
        """
        files = self.watched
        first, last = (len(files) * i // self.shards for i in (shard, shard + 1))
        return files[first:last]

    def read_settings(self) -> dict[str, Any]:
        """What reading depends on."""
        return {"source": self.path, "fields": self.fields, "encoding": self.encoding, "invalid": self.invalid}


WORDS = Annotated[int, Field(ge=0)]
Generator = Annotated[LocalSettings | EndpointSettings | ServerSettings | ImportedSettings, Field(discriminator="kind")]


class RecordSource(Section):
    """A set of records that a person has."""

    source: str = Field(min_length=1, description="a file, folder or pattern of files, or a Hugging Face data set")
    split: str | None = Field(None, description="which split of a data set with several; null: train, of the hub's")
    revision: str | None = Field(None, description="branch, tag or commit of a data set on the hub")
    fields: FIELD_NAMES = Field({}, description=CALLED)
    encoding: ENCODING = None
    invalid: INVALID = "drop"

    @property
    def is_here(self) -> bool:
        """Whether the source is on this machine, there or not; what exists here is never asked of the hub."""
        return self.source != EMBEDDED and is_local(self.source)

    @property
    def watched(self) -> list[str]:
        """Files whose change makes the records anew."""
        return [str(file) for file in find(self.source, self.split).files] if self.is_here else []

    def read_settings(self) -> dict[str, Any]:
        """What reading the source depends on."""
        return self.model_dump(include={"source", "split", "revision", "fields", "encoding", "invalid"})


class AnchorSource(RecordSource):
    """Where a task's real examples come from."""

    source: str = Field(
        EMBEDDED, min_length=1, description="embedded, a file, folder or pattern of files, or a Hugging Face data set"
    )
    test_share: float = Field(0.2, gt=0, lt=1, description="share of the records kept for testing")
    near_duplicate: float = Field(
        0.7, gt=0, lt=1, description="ROUGE-L above which a test record is reported as near a training record"
    )
    assumed_tokens: int = Field(120, ge=1, description="tokens of an anchor, for pricing before the source can be read")

    def read_settings(self) -> dict[str, Any]:
        """What reading and splitting the source depends on."""
        return self.model_dump(exclude={"assumed_tokens"})


class PromptSettings(Section):
    """How anchors become prompts."""

    template: str = Field(
        "prompt",
        min_length=1,
        description="prompt or embedded (in workflow/templates), or a text file with {{ anchors }} and {{ count }}",
    )
    system: str = Field("", description="system prompt; empty for none")
    fields: dict[Literal["instruction", "context", "response"], str | list[str]] = Field(
        {}, description="what else the model calls instruction, context and response: a name, or a list of names"
    )
    repair: bool = Field(
        False, description="mend records that are almost JSON (raw line ends, commas, quotes, LaTeX); counted apart"
    )
    prompts: int = Field(60, ge=1, le=1_000_000, description="prompts of each number of instances")
    draws: int = Field(1, ge=1, le=10_000, description="responses to each prompt")
    count: int = Field(20, ge=1, le=1000, description="records that a prompt asks for")
    draw: Literal["nested", "independent"] = Field(
        "nested", description="nested: prompts of more instances begin with those of fewer"
    )


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


class FaultSettings(Section):
    """Shares of a set's records that are replaced by faulty ones on purpose; no record has two faults."""

    wrong: Share = Field(0.0, description="share with the response of another record")
    repeated: Share = Field(0.0, description="share of copies of other records of the set")
    off_task: Share = Field(0.0, description="share of records of irrelevant skills; in the embedded world only")
    copied: Share = Field(0.0, description="share of records of T")

    @model_validator(mode="after")
    def _some_records_stay(self) -> Self:
        if not 0 < (total := sum(self.model_dump().values())) < 1:
            raise ValueError(f"the shares sum to {total:g}; allowed: above 0 and below 1, or null for no faults")
        return self


class CurationSettings(Section):
    """Which filters make up the curation noise, in their order; then what is done to the set on purpose."""

    lengths: LengthSettings | None = Field(LengthSettings(), description="bounds on words; null: off")
    placeholders: bool = Field(True, description="drop records with text left to be filled in")
    exact: bool = Field(True, description="drop repeated records (up to case and spaces)")
    contamination: float | None = Field(
        None, gt=0, lt=1, description="drop records whose ROUGE-L with a real record exceeds this; null: off"
    )
    near: float | None = Field(
        0.7, gt=0, lt=1, description="drop records whose ROUGE-L with an earlier one exceeds this; null: off"
    )
    records: int | None = Field(None, ge=1, description="so many of the records left, drawn at random; null: all")
    faults: FaultSettings | None = Field(
        None, description="wrong, repeated, off_task, copied: shares replaced to see what estimates say; null: none"
    )


class Pilot(PilotSettings):
    """Small trainings on every set of a task."""

    judge: bool = Field(False, description="whether the task's judge rates what the last students of a pilot answer")


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
    pilot: Pilot | None = Field(
        None, description="small trainings that say which set should get the large one; null leaves them out"
    )
    license: str = Field("other", description="licence of the synthetic sets, as in their cards")
    students: Students | None = Field(None, description="students trained on each set; null: none, and no ratings")
    judge: Judge | None = Field(None, description="judge of their answers; null: risks only")

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
        for name, curation in self.curations.items():
            if curation.faults and curation.faults.off_task and self.anchors.source != EMBEDDED:
                raise ValueError(
                    f"curations.{name}.faults.off_task: goes with anchors.source: embedded only, and the source is "
                    f"{self.anchors.source!r}"
                )
        for name, generator in self.generators.items():
            if generator.kind == "world" and name == IDEAL:
                raise ValueError(f"generators.{name}: the name is that of the exact generator; choose another")
            if generator.kind == "world" and self.anchors.source != EMBEDDED:
                raise ValueError(
                    f"generators.{name}: kind world goes with anchors.source: embedded only, and the source is "
                    f"{self.anchors.source!r}"
                )
        return self

    @model_validator(mode="after")
    def _students_and_judge_go_with_the_source(self) -> Self:
        if self.pilot is not None and self.pilot.judge and self.judge is None:
            raise ValueError("pilot.judge: is true, and the task has no judge")
        if self.judge is not None and self.anchors.source != EMBEDDED and isinstance(self.judge.by, ExactSettings):
            raise ValueError(f"judge.by.kind: exact goes with anchors.source: embedded, got {self.anchors.source!r}")
        if self.students is None:
            if self.judge is not None and not (self.pilot and self.pilot.judge):
                raise ValueError("judge: there are no answers to judge while students is null and pilot asks for none")
            return self
        if self.anchors.source == EMBEDDED:
            if self.students.form != "json":
                raise ValueError(
                    f"students.form: students of anchors.source: embedded know lines of JSON, so it must be 'json', "
                    f"got {self.students.form!r}"
                )
            return self
        if self.students.base == WORLD_BASE:
            raise ValueError(f"students.base: world goes with anchors.source: embedded, got {self.anchors.source!r}")
        return self

    @model_validator(mode="after")
    def _conditions_of_students_are_there(self) -> Self:
        if self.students is None:
            return self
        subsets, rl, known = self.students.subsets, self.students.rl, self._sets()
        if subsets is not None:
            for of in subsets.of:
                if of not in known:
                    raise ValueError(f"students.subsets.of: there is no condition {of!r}; {did_you_mean(of, known)}")
            for by in {*subsets.by} - {BASE_LOSS, RANDOM, SKILL}:
                if mixed := [of for of in subsets.of if known[of]["kind"] == "mixture"]:
                    raise ValueError(f"students.subsets.by: {by!r} is no column of {mixed[0]}, a mixture of two sets")
            if SKILL in subsets.by and self.anchors.source != EMBEDDED:
                raise ValueError("students.subsets.by: skill goes with anchors.source: embedded only")
            known |= subsets.conditions()
        if rl is not None:
            for of in rl.of:
                if of not in known:
                    raise ValueError(f"students.rl.of: there is no condition {of!r}; {did_you_mean(of, known)}")
            if rl.reward == "judge" and self.judge is None:
                raise ValueError("students.rl.reward: is 'judge', but judge is null; allowed here: exact_match")
            if rl.reward == "judge" and isinstance(self.judge and self.judge.by, ServerSettings):
                raise ValueError(
                    "students.rl.reward: a judge of kind vllm would start its server at every update; start it, then "
                    "name it in judge.by as kind openai"
                )
        return self

    @model_validator(mode="after")
    def _unset_sampling_goes_with_endpoints(self) -> Self:
        local = [name for name, generator in self.generators.items() if isinstance(generator, LocalSettings)]
        if local and (unset := self.sampling.unset()):
            raise ValueError(
                f"sampling.{unset}: null leaves it to an endpoint, and generators.{local[0]} is a model in this "
                "process; allowed: a number"
            )
        return self

    @property
    def rated(self) -> bool:
        """Whether a judge rates the answers of students of whole sets."""
        return self.students is not None and self.judge is not None

    def student_conditions(self) -> dict[str, dict[str, Any]]:
        """What students are trained on, by name: how each set is made.

        ``kind`` is base (nothing), synthetic, mixture, anchors, real, subset or rl; of a synthetic set and of
        a mixture also ``generator``, ``condition`` and ``curation``, of a mixture the ``share`` of T. Subsets
        (see `Subsets.conditions`) and ``rl`` name the condition they are ``of``, and ``set`` says how that is made.
        """
        if self.students is None:
            return {}
        found = {"base": {"kind": "base"}, **self._sets()}
        if self.students.subsets is not None:
            parts = self.students.subsets.conditions()
            found |= {name: {**part, "set": found[part["of"]]} for name, part in parts.items()}
        if self.students.rl is not None:
            found |= {f"{of}_rl": {"kind": "rl", "of": of, "set": found[of]} for of in self.students.rl.of}
        return found

    def _sets(self) -> dict[str, dict[str, Any]]:
        """Whole sets and mixtures of them."""
        assert self.students is not None
        sets = {
            f"{generator}_{condition}_{curation}": {
                "generator": generator,
                "condition": condition,
                "curation": curation,
            }
            for generator, condition in self.conditions()
            for curation in self.curations
        }
        found: dict[str, dict[str, Any]] = {name: {"kind": "synthetic", **made} for name, made in sets.items()}
        for share in self.students.mixtures:
            found |= {
                f"{name}_real{share:g}": {"kind": "mixture", **made, "share": share} for name, made in sets.items()
            }
        wanted = (("anchors", self.students.anchors), ("real", self.students.real))
        return found | {name: {"kind": name} for name, on in wanted if on}

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
        students=embedded_students(),
        judge=embedded_judge(),
    )
