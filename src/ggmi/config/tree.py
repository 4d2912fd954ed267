"""The whole configuration, and what is wrong with one."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Self, get_args

from pydantic import BaseModel, Field, ValidationError, field_validator, model_validator

from ggmi.config.data_quality import DataQualityStudy
from ggmi.config.language import LanguageStudy
from ggmi.config.mixtures import HistogramSettings, MixtureStudy, Sweeps
from ggmi.config.real_search import RealSearch
from ggmi.config.section import NAME, Section, left_out
from ggmi.config.slow_thinking import SlowThinkingStudy
from ggmi.config.students import JUDGE_TEMPLATES, ExactSettings, Judge
from ggmi.config.tasks import EMBEDDED, TEMPLATES, ImportedSettings, RecordSource, Task, embedded_task
from ggmi.config.theory import TheoryStudy
from ggmi.config.world import STUDENT, World
from ggmi.embedded.language import Sizes
from ggmi.errors import UserError, did_you_mean
from ggmi.models.directory import looks_like_path
from ggmi.models.settings import LocalSettings, RewardSettings, ServerSettings
from ggmi.text.places import STDIN

# Keys whose entries are of the kind that they name, and one whose value is.
BY_KIND, OF_KIND = ("generators",), ("by", "policy")
# Where people put a key or password by mistake: such a value is not repeated.
TELLING = ("key_env", "base_url")
MARK = Annotated[str, Field(min_length=2)]
# Folders and pages of results/ that are no study's or task's.
RESERVED = ("data_quality", "language", "logs", "mixtures", "report", "slow_thinking", "theory", "world")


class Figures(Section):
    """How figures look; changing these redraws figures and nothing else."""

    dpi: int = Field(150, ge=50, le=600, description="resolution of PNG figures, dots an inch")
    width_inches: float = Field(10.0, ge=4, le=30, description="width of figures, inches")


def _default_studies() -> dict[str, MixtureStudy]:
    # A quarter of the released script's resamplings: over the rounds of a condition their noise averages out, and
    # histograms were four fifths of the divergences' time. presets/full.yaml has all of them.
    fewer = HistogramSettings(resamplings=25)
    digits = MixtureStudy(
        released_histogram=fewer,
        aligned_histogram=fewer,
        title="Handwritten digits",
        truth="data",
        covariances=["empirical"],
        sweeps=Sweeps(K=[2, 3, 4, 5, 6], J=[2, 3, 4, 5, 6], L=[2, 3, 4, 5, 6]),
    )
    return {"gmm": MixtureStudy(released_histogram=fewer, aligned_histogram=fewer), "digits": digits}


class Config(Section):
    """The whole configuration of a run."""

    seed: int = Field(20241001, ge=0, lt=2**63, description="every random stream starts from it")
    results: str = Field("results", pattern=r"^[^{}*?]+$", description="folder of everything that is made")
    conditions_per_job: int = Field(
        5,
        ge=1,
        le=1000,
        description="conditions (of the theory: families, statements) a job works through; results do not depend on it",
    )
    stores: str = Field(
        "stores", pattern=r"^[^{}*?]+$", description="folder where every raw response of a model is kept, for good"
    )
    thinking_marks: list[tuple[MARK, MARK]] = Field(
        [], description="further marks around models' thoughts, each as [opening, closing]; the usual ones are known"
    )
    mixtures: dict[NAME, MixtureStudy] = Field(
        default_factory=_default_studies,
        description="mixture studies by name, each with a folder of that name; null leaves one out",
    )
    theory: TheoryStudy | None = Field(
        TheoryStudy(), description="every statement of the theory, checked in finite worlds; null leaves it out"
    )
    slow_thinking: SlowThinkingStudy | None = Field(
        SlowThinkingStudy(),
        description="slow thinking: more samples, a wider search, a better verifier; null leaves it out",
    )
    data_quality: DataQualityStudy | None = Field(
        DataQualityStudy(), description="data quality: which data, how much and how hard; null leaves it out"
    )
    language: LanguageStudy | None = Field(
        LanguageStudy(),
        description="whether claims on data quality hold for language models: SFT, RL, balance; null leaves it out",
    )
    world: World = Field(World(), description="the embedded world; made only if a task uses it")
    tasks: dict[NAME, Task] = Field(
        default_factory=lambda: {EMBEDDED: embedded_task()},
        description="tasks by name, each with a folder of that name; null leaves one out",
    )
    figures: Figures = Field(Figures(), description="how figures look")

    @field_validator("mixtures", "tasks", mode="before")
    @classmethod
    def _leave_out(cls, value: Any) -> Any:
        return left_out(value)

    @model_validator(mode="after")
    def _names_are_folders(self) -> Self:
        taken = [*RESERVED, *self.mixtures]
        for name in self.tasks:
            if name in taken:
                raise ValueError(f"tasks.{name}: the name is taken; allowed: none of {', '.join(taken)}")
        for name in self.mixtures:
            if name in RESERVED:
                raise ValueError(f"mixtures.{name}: the name is taken; allowed: none of {', '.join(RESERVED)}")
        return self

    @model_validator(mode="after")
    def _something_is_asked(self) -> Self:
        parts = ("mixtures", "theory", "slow_thinking", "data_quality", "language", "tasks")
        if not any(getattr(self, part) for part in parts):
            raise ValueError(
                f"{', '.join(parts[:-1])} and {parts[-1]} are all left out, so there is nothing to do; allowed: any one"
            )
        return self

    @model_validator(mode="after")
    def _world_can_be_built(self) -> Self:
        if not any(task.anchors.source == EMBEDDED for task in self.tasks.values()):
            return self
        sizes = Sizes(**self.world.sizes())
        most = sizes.target * sizes.contexts - 1
        if self.world.test_records > most:
            raise ValueError(
                f"world.test_records: {self.world.test_records} leave none of the {most + 1} records of the target "
                f"task for training; allowed: up to {most}"
            )
        return self

    @model_validator(mode="after")
    def _world_models_are_there(self) -> Self:
        if STUDENT in self.world.generators:
            raise ValueError(f"world.generators.{STUDENT}: the name is the student's; choose another")
        for task_name, task in self.tasks.items():
            for name, generator in task.generators.items():
                if generator.kind == "world" and generator.model not in self.world.generators:
                    hint = did_you_mean(generator.model, self.world.generators)
                    raise ValueError(
                        f"tasks.{task_name}.generators.{name}.model: the world has no generator "
                        f"{generator.model!r}; {hint}"
                    )
            if task.anchors.source == EMBEDDED and max(task.instances) > self.world.most_anchors:
                raise ValueError(
                    f"tasks.{task_name}.instances: {max(task.instances)} anchors are more than the world's generators "
                    f"learn to read; allowed: up to world.most_anchors = {self.world.most_anchors}"
                )
        return self


def load(values: Mapping[str, Any], source: str = "config") -> Config:
    """Validate a configuration.

    Parameters
    ----------
    values
        The configuration as read from YAML, possibly merged from several files.
    source
        What to call it in messages.

    Returns
    -------
    Config

    Raises
    ------
    UserError
        One sentence a mistake: the key, the bad value, what is allowed and the nearest spelling.

    Examples
    --------
    >>> load({"seed": 7}).seed
    7
    >>> load({"sed": 7})
    Traceback (most recent call last):
    ...
    ggmi.errors.UserError: config: unknown key 'sed': did you mean 'seed'?
    """
    try:
        return Config.model_validate(values)
    except ValidationError as error:
        sentences = dict.fromkeys(f"{source}: {_sentence(e)}" for e in error.errors())
        raise UserError("\n".join(sentences)) from None


def checked_judge(values: Mapping[str, Any], source: str) -> Judge:
    """Validate a task's section `judge` that stands by itself.

    Parameters
    ----------
    values
        The section as read from YAML.
    source
        What to call it in messages.

    Raises
    ------
    UserError
        As of `load`, or if the judge is that of the embedded world.
    """
    place = ("tasks", "own", "judge")
    try:
        judge = Judge.model_validate(values)
    except ValidationError as error:
        found = [_sentence({**e, "loc": (*place, *e["loc"])}) for e in error.errors()]
        told = dict.fromkeys(f"{source}: {one.replace('.'.join(place) + '.', '')}" for one in found)
        raise UserError("\n".join(told)) from None
    if isinstance(judge.by, ExactSettings):
        raise UserError(f"{source}: by.kind: exact goes with the embedded world only; allowed: local, openai or vllm")
    return judge


def _sentence(error: Any) -> str:
    """One of pydantic's errors in our words."""
    location = [part for part in error["loc"] if part != "[key]"]
    # After a backend's name pydantic puts the kind that it chose, which is no key.
    in_task = location[0] in ("tasks", "slow_thinking") if location else False
    chosen = {i + 2 for i, part in enumerate(location) if in_task and part in BY_KIND}
    chosen |= {i + 1 for i, part in enumerate(location) if in_task and part in OF_KIND}
    named = [part for i, part in enumerate(location) if i not in chosen]
    key = ".".join(str(part) if str(part).isprintable() else repr(part) for part in named)
    if error["type"] == "extra_forbidden":
        return f"unknown key '{key}': {did_you_mean(str(location[-1]), _keys_at(location[:-1]))}"
    if error["type"] == "union_tag_invalid":
        kinds = [kind.strip(" '") for kind in error["ctx"]["expected_tags"].split(",")]
        return f"{key}.kind: {_shown(error['ctx']['tag'])} is not allowed; {did_you_mean(error['ctx']['tag'], kinds)}"
    if error["type"] in ("missing", "union_tag_not_found"):
        return f"{key}{'.kind' * (error['type'] != 'missing')}: is missing"
    if error["type"] == "value_error":
        return (f"{key}: " if key else "") + str(error["ctx"]["error"])
    shown = _shown(error["input"])
    if named and named[-1] in TELLING:
        shown = "a value that is not shown here, since it may hold a key"
    if error["type"] == "literal_error":
        allowed = [part.strip(" '") for part in error["ctx"]["expected"].replace(" or ", ",").split(",")]
        return f"{key}: {shown} is not allowed; {did_you_mean(shown.strip(chr(39)), allowed)}"
    message = error["msg"][0].lower() + error["msg"][1:].partition(" or instance of")[0]
    for theirs, ours in (
        ("input should", "must"),
        ("list should", "must"),
        ("string should", "must"),
        (" after validation, not 0", ""),
    ):
        message = message.replace(theirs, ours)
    return f"{key}: {message}, got {shown}"


def _shown(value: Any) -> str:
    """A value as Python writes it, shortened."""
    try:
        text = repr(value)
    except ValueError:  # Python writes no integer of more than 4,300 digits
        return "an integer of thousands of digits"
    return text if len(text) <= 80 else text[:77] + "..."


def _keys_at(location: list[Any]) -> list[str]:
    """The keys allowed at a place of the configuration tree."""
    models: list[type[BaseModel]] = [Config]
    for part in location:
        # A part is a key, or the name of an entry or kind, which leads nowhere else.
        inner = [model.model_fields[part].annotation for model in models if part in model.model_fields]
        if inner:
            models = [found for annotation in inner for found in _sections(annotation)]
        else:
            models = [m for m in models if m.model_fields.get("kind") and part in _literals(m)] or models
    return list(dict.fromkeys(key for model in models for key in model.model_fields))


def _sections(annotation: Any) -> list[type[BaseModel]]:
    """Models that an annotation is made of."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [found for part in get_args(annotation) for found in _sections(part)]


def _literals(model: type[BaseModel]) -> tuple[Any, ...]:
    """Values that a model's key ``kind`` may have."""
    return get_args(model.model_fields["kind"].annotation)


def resolved(config: Config) -> dict[str, Any]:
    """The whole configuration as plain values, every default filled in."""
    return config.model_dump(mode="json")


def check_files(config: Config) -> None:
    """Check, before any job starts, what configuration alone cannot tell: files and folders.

    Parameters
    ----------
    config
        A valid configuration.

    Raises
    ------
    UserError
        If a table is missing or its format unknown, or the results folder cannot be written.
    """
    for name, study in config.mixtures.items():
        source = study.table.source
        if study.truth != "data" or source == "digits":
            continue
        key = f"config: mixtures.{name}.table.source"
        if Path(source).suffix not in (".csv", ".parquet", ".npz"):
            raise UserError(f"{key}: {source!r} has an unknown format; allowed: .csv, .parquet, .npz, or digits")
        if not Path(source).is_file():
            raise UserError(f"{key}: there is no file {source!r}")
    for name, task in config.tasks.items():
        _check_task_files(f"config: tasks.{name}", task)
    for name, search in (config.slow_thinking.real if config.slow_thinking else {}).items():
        _check_search_files(f"config: slow_thinking.real.{name}", search)
    for key in ("results", "stores"):
        folder = getattr(config, key)
        place = Path(folder).absolute()
        while not place.exists():
            place = place.parent
        if not place.is_dir() or not os.access(place, os.W_OK | os.X_OK):
            raise UserError(f"config: {key}: {folder!r} cannot be written ({place} is not a writable folder)")


def _check_task_files(place: str, task: Task) -> None:
    sources: dict[str, RecordSource | ImportedSettings] = {"anchors.source": task.anchors}
    sources |= {f"generators.{name}.path": g for name, g in task.generators.items() if g.kind == "import"}
    _check_sources(place, sources)
    files = {} if task.prompts.template in TEMPLATES else {"prompts.template": task.prompts.template}
    if task.students is not None and task.students.template is not None:
        files["students.template"] = task.students.template
    if task.judge is not None and task.judge.template not in JUDGE_TEMPLATES:
        files["judge.template"] = task.judge.template
    folders = {
        f"generators.{name}.model": generator.model
        for name, generator in task.generators.items()
        if generator.kind in ("local", "vllm")
    }
    if task.estimation is not None and task.estimation.entailment is not None:
        folders["estimation.entailment.model"] = task.estimation.entailment.model
    if task.pilot is not None and task.pilot.base is not None:
        folders["pilot.base"] = task.pilot.base
    _check_places(place, files, folders)


def _check_search_files(place: str, search: RealSearch) -> None:
    _check_sources(place, {"problems.source": search.problems})
    templates = {"template": search.template}
    if search.verifier is not None:
        templates["verifier.template"] = search.verifier.template
    models = {"policy": "policy.model", "verifier": "verifier.by.model"}
    folders = {
        models[part]: settings.model
        for part, settings in search.models().items()
        if isinstance(settings, LocalSettings | ServerSettings | RewardSettings)
    }
    _check_places(place, {key: file for key, file in templates.items() if file is not None}, folders)


def _check_sources(place: str, sources: Mapping[str, RecordSource | ImportedSettings]) -> None:
    for key, source in sources.items():
        named = source.source if isinstance(source, RecordSource) else source.path
        if named == STDIN:
            raise UserError(f"{place}.{key}: - is standard input, which a run has none of; name a file")
        try:
            unreadable = [file for file in source.watched if not os.access(file, os.R_OK)]
        except UserError as error:
            raise UserError(f"{place}.{key}: {error}") from None
        if unreadable:
            raise UserError(f"{place}.{key}: {unreadable[0]!r} cannot be read (its permissions)")
        if isinstance(source, ImportedSettings) and source.shards > max(1, count := len(source.watched)):
            holds = f"{source.path} holds {count}" if count else f"{source.path} is read from the hub"
            raise UserError(
                f"{place}.{key.removesuffix('path')}shards: {source.shards} jobs need as many files, and {holds}; "
                f"allowed: 1{f' to {count}' if count > 1 else ''}"
            )


def _check_places(place: str, files: Mapping[str, str], folders: Mapping[str, str]) -> None:
    for key, file in files.items():
        if not Path(file).is_file():
            raise UserError(f"{place}.{key}: there is no file {file!r}")
    for key, folder in folders.items():
        if looks_like_path(folder) and not Path(folder).expanduser().is_dir():
            raise UserError(f"{place}.{key}: there is no folder {folder!r}")
