"""The one source of defaults, types, ranges and descriptions of every configuration key."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import yaml
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticKnownError

from ggmi.errors import UserError, did_you_mean
from ggmi.mixtures.worlds import AXES, HISTOGRAMS, Axis, Condition, Covariance

Estimator = Literal["released_histogram", "aligned_histogram", "forward", "reverse"]
AnchorComponents = Literal["released", "text"]

# A histogram with more cells than this is no longer worth its memory.
MAX_CELLS = 2**22
# Double precision holds data of standard deviation about 3 apart from a floor this small, no less.
MIN_REGULARISATION = 1e-9
# Coordinates of one synthetic set; a hundred rounds are in memory at once.
MAX_COORDINATES = 1_000_000


def _no_truth_value(value: Any) -> Any:
    """Refuse what pydantic takes for 0 and 1, and YAML makes of no, yes, off and on."""
    if isinstance(value, bool):
        raise PydanticKnownError("float_type")
    return value


SweepValues = Annotated[list[Annotated[int, Field(ge=1, le=64), BeforeValidator(_no_truth_value)]], Field(min_length=1)]


class Section(BaseModel):
    """A part of the configuration: unknown keys are refused, values cannot change afterwards."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    @field_validator("*", mode="before")
    @classmethod
    def _numbers_are_numbers(cls, value: Any, info: ValidationInfo) -> Any:
        number = cls.model_fields[str(info.field_name)].annotation in (int, float)
        return _no_truth_value(value) if number else value


class Sweeps(Section):
    """Values each number of components runs through while the other two stay at their own."""

    K: SweepValues = Field(list(range(2, 16)), description="values of K, anchored components")
    J: SweepValues = Field(list(range(2, 16)), description="values of J, unsampled components")
    L: SweepValues = Field(list(range(2, 16)), description="values of L, irrelevant components")


class Table(Section):
    """A labelled numeric table whose classes become components."""

    source: str = Field("digits", description="a .csv, .parquet or .npz file, or digits (scikit-learn's)")
    label: str = Field("label", description="column (or .npz array) that holds the class; the others are coordinates")
    standardise: bool = Field(False, description="scale every column to unit variance before the principal components")


class ExpectationMaximisation(Section):
    """How mixtures are fitted to anchor and synthetic data."""

    restarts: int = Field(1, ge=1, le=1000, description="k-means++ starts; the likeliest fit is kept")
    tolerance: float = Field(1e-3, gt=0, le=1, description="stop when the mean log-likelihood gains less, nats a point")
    max_iterations: int = Field(100, ge=1, le=100_000, description="EM iterations at most")
    regularisation: float = Field(
        1e-6, ge=MIN_REGULARISATION, le=1, description="added to every variance, squared units of the data"
    )


class HistogramSettings(Section):
    """How a histogram estimator resamples and bins."""

    bins: int = Field(50, ge=2, le=1000, description="bins an axis")
    points: int = Field(1000, ge=10, le=1_000_000, description="points drawn from each mixture a resampling")
    resamplings: int = Field(100, ge=2, le=100_000, description="resamplings averaged")


class ExactSettings(Section):
    """How precisely an exact-density divergence is integrated."""

    relative_error: float = Field(0.01, gt=0, le=1, description="wanted standard error, share of the value")
    absolute_error: float = Field(0.02, gt=0, description="or this many nats, whichever is larger")
    max_points: int = Field(4_000_000, ge=1000, description="points drawn a divergence at most")


class TermSettings(Section):
    """How the terms of Theorem 4.10 are estimated in every round."""

    points: int = Field(8, ge=2, le=100_000, description="points a component on each of sixteen shifted lattices")
    anchor_sets: int = Field(4, ge=2, le=16, description="anchor sets redrawn a round, to average over prompts")


class MixtureStudy(Section):
    """A Gaussian-mixture study: one truth, its sweeps, its variants and its estimators."""

    title: str = Field("Simulated mixtures", min_length=1, description="name in figures and the report")
    truth: Literal["random", "data"] = Field(
        "random", description="random: simulated components; data: classes of a table"
    )
    table: Table = Field(Table(), description="the table, used when truth is data")
    dimensions: int = Field(2, ge=1, le=64, description="d; a table is reduced to it by principal components")
    K: int = Field(2, ge=1, le=64, description="anchored components while another number is swept")
    J: int = Field(2, ge=1, le=64, description="unsampled components while another number is swept")
    L: int = Field(2, ge=1, le=64, description="irrelevant components while another number is swept")
    sweeps: Sweeps = Field(Sweeps(), description="what is swept, one number at a time")
    rounds: int = Field(100, ge=2, le=10_000, description="independent rounds a condition")
    anchors_per_component: int = Field(50, ge=2, le=100_000, description="N, anchor points of each anchored component")
    synthetic_size: int = Field(
        200, ge=2, le=1_000_000, description="n, synthetic points drawn from the generator mixture"
    )
    covariances: list[Covariance] = Field(
        ["psd", "released"],
        min_length=1,
        description="variants of the components' covariances; the first is the main one",
    )
    anchor_components: list[AnchorComponents] = Field(
        ["released", "text"],
        min_length=1,
        description="components fitted to anchors: released K, text K+J+L; the first is the main one",
    )
    estimators: list[Estimator] = Field(
        ["released_histogram", "aligned_histogram", "forward", "reverse"],
        min_length=1,
        description="variants of the divergence, one row of figure 4 each",
    )
    em: ExpectationMaximisation = Field(ExpectationMaximisation(), description="fitting by expectation-maximisation")
    released_histogram: HistogramSettings = Field(
        HistogramSettings(), description="histograms with each sample's own edges, as released"
    )
    aligned_histogram: HistogramSettings = Field(HistogramSettings(), description="histograms with common edges")
    forward: ExactSettings = Field(ExactSettings(), description="D_KL(fit || G) from exact densities")
    reverse: ExactSettings = Field(ExactSettings(), description="D_KL(G || fit), the excess log-loss on the target")
    terms: TermSettings = Field(
        TermSettings(), description="terms of Theorem 4.10, by Monte Carlo from exact densities"
    )

    @field_validator("covariances", "anchor_components", "estimators")
    @classmethod
    def _no_repeats(cls, value: list[str]) -> list[str]:
        repeated = sorted({v for v in value if value.count(v) > 1})
        if repeated:
            raise ValueError(f"{', '.join(repeated)} is listed twice; each variant is allowed once")
        return value

    @model_validator(mode="after")
    def _covariances_go_with_truth(self) -> Self:
        allowed = ("empirical",) if self.truth == "data" else ("psd", "released")
        for covariance in self.covariances:
            if covariance not in allowed:
                raise ValueError(
                    f"covariances: {covariance} does not go with truth: {self.truth}; allowed: {', '.join(allowed)}"
                )
        return self

    @model_validator(mode="after")
    def _points_suffice(self) -> Self:
        coordinates = self.synthetic_size * self.dimensions
        if coordinates > MAX_COORDINATES:
            raise ValueError(
                f"synthetic_size * dimensions = {coordinates} coordinates a round; allowed: at most {MAX_COORDINATES}"
            )
        for c in self.conditions():
            sizes = {f"synthetic_size = {self.synthetic_size}": self.synthetic_size}
            if "text" in self.anchor_components:
                anchors = self.anchors_per_component * c.K
                sizes[f"anchors_per_component * K = {anchors}"] = anchors
            for name, size in sizes.items():
                if size < c.total:
                    raise ValueError(
                        f"{name} points are fewer than the {c.total} components to fit to them "
                        f"at K={c.K}, J={c.J}, L={c.L}; allowed: at least as many"
                    )
        return self

    @model_validator(mode="after")
    def _histograms_fit_in_memory(self) -> Self:
        for estimator in (e for e in self.estimators if e in HISTOGRAMS):
            bins = getattr(self, estimator).bins
            cells = bins**self.dimensions
            if cells > MAX_CELLS:
                raise ValueError(
                    f"{estimator}.bins = {bins} makes {cells} cells in {self.dimensions} dimensions; allowed: "
                    f"at most {MAX_CELLS} (fewer bins or dimensions, or leave {estimator} out of estimators)"
                )
        return self

    def condition(self, axis: Axis, value: int) -> Condition:
        """The condition at one value of one sweep, the other two numbers at their own."""
        return Condition(**{**{a: getattr(self, a) for a in AXES}, axis: value})

    def sweep(self, axis: Axis) -> list[tuple[int, Condition]]:
        """Values of one sweep in ascending order, each once, with their conditions."""
        return [(v, self.condition(axis, v)) for v in sorted(set(getattr(self.sweeps, axis)))]

    def conditions(self) -> list[Condition]:
        """Every distinct condition of the study: the unswept one, then sweep by sweep."""
        found = {Condition(self.K, self.J, self.L): None}
        for axis in AXES:
            found.update({condition: None for _, condition in self.sweep(axis)})
        return list(found)

    def variants(self) -> list[tuple[str, str, str]]:
        """Every covariance, anchor and estimator variant, the main one of each first."""
        return [(c, a, e) for c in self.covariances for a in self.anchor_components for e in self.estimators]


class Figures(Section):
    """How figures look; changing these redraws figures and nothing else."""

    dpi: int = Field(150, ge=50, le=600, description="resolution of PNG figures, dots an inch")
    width_inches: float = Field(10.0, ge=4, le=30, description="width of figures, inches")


def _default_studies() -> dict[str, MixtureStudy]:
    digits = MixtureStudy(
        title="Handwritten digits",
        truth="data",
        covariances=["empirical"],
        sweeps=Sweeps(K=[2, 3, 4, 5, 6], J=[2, 3, 4, 5, 6], L=[2, 3, 4, 5, 6]),
    )
    return {"gmm": MixtureStudy(), "digits": digits}


class Config(Section):
    """The whole configuration of a run."""

    seed: int = Field(20241001, ge=0, lt=2**63, description="every random stream starts from it")
    results: str = Field("results", pattern=r"^[^{}*?]+$", description="folder of everything that is made")
    conditions_per_job: int = Field(
        5, ge=1, le=1000, description="conditions a job works through; results do not depend on it"
    )
    mixtures: dict[Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")], MixtureStudy] = Field(
        default_factory=_default_studies,
        description="mixture studies by name, each with a folder of that name; null leaves one out",
    )
    figures: Figures = Field(Figures(), description="how figures look")

    @field_validator("mixtures", mode="before")
    @classmethod
    def _leave_out(cls, value: Any) -> Any:
        # A file laid over another cannot take a key away; null does.
        return {k: v for k, v in value.items() if v is not None} if isinstance(value, dict) else value


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


def read_yaml(path: Path) -> dict[str, Any]:
    """Read one configuration file.

    Parameters
    ----------
    path
        A YAML file.

    Returns
    -------
    dict

    Raises
    ------
    UserError
        If the file is missing, is not UTF-8, is not YAML, or is not a mapping; with the line.
    """
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror})") from None
    except UnicodeDecodeError as error:
        raise UserError(f"{path}: is not UTF-8 (byte {error.start})") from None
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else "?"
        raise UserError(f"{path}: line {line}: is not YAML ({error.problem})") from None
    except yaml.YAMLError as error:
        raise UserError(f"{path}: is not YAML ({str(error).splitlines()[0]})") from None
    except (ValueError, RecursionError) as error:  # such as the date 2024-13-01, or a thousand brackets
        raise UserError(f"{path}: holds a value that cannot be read ({error})") from None
    if values is None:
        return {}
    if not isinstance(values, dict):
        raise UserError(f"{path}: must be a mapping of keys to values, got {type(values).__name__}")
    return values


def _sentence(error: Any) -> str:
    """One of pydantic's errors in our words."""
    location = [part for part in error["loc"] if part != "[key]"]
    key = ".".join(str(part) if str(part).isprintable() else repr(part) for part in location)
    if error["type"] == "extra_forbidden":
        return f"unknown key '{key}': {did_you_mean(str(location[-1]), _keys_at(location[:-1]))}"
    if error["type"] == "value_error":
        return (f"{key}: " if key else "") + str(error["ctx"]["error"])
    try:
        shown = repr(error["input"])
    except ValueError:  # Python writes no integer of more than 4,300 digits
        shown = "an integer of thousands of digits"
    if len(shown) > 80:
        shown = shown[:77] + "..."
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


def _keys_at(location: list[Any]) -> list[str]:
    """The keys allowed at a place of the configuration tree."""
    model: type[BaseModel] = Config
    rest = list(location)
    while rest:
        name = rest.pop(0)
        annotation = model.model_fields[name].annotation if name in model.model_fields else None
        if name == "mixtures" and rest:
            rest.pop(0)
            annotation = MixtureStudy
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            model = annotation
    return list(model.model_fields)


def default_yaml() -> str:
    """The text of ``config.yaml``: every default with its description as a comment.

    Returns
    -------
    str
        YAML. A second study shows only the keys in which it differs from the first.
    """
    config = Config()
    lines = [
        "# yaml-language-server: $schema=workflow/config.schema.json",
        "# The embedded default: offline, on a CPU, in minutes. Made by `ggmi defaults`.",
        "# Lay another file over it with `snakemake --configfile presets/smoke.yaml`.",
        "",
    ]
    for index, line in enumerate(_yaml_lines(config, 0)):
        if index and not line.startswith((" ", "#")):
            lines.append("")
        lines.append(line)
    return "\n".join(lines) + "\n"


def schema_json() -> str:
    """The text of ``config.schema.json``, for editors that check YAML as it is typed."""
    return json.dumps(Config.model_json_schema(), indent=2) + "\n"


def resolved(config: Config) -> dict[str, Any]:
    """The whole configuration as plain values, every default filled in."""
    return config.model_dump(mode="json")


def _yaml_lines(section: BaseModel, depth: int, only: set[str] | None = None) -> Iterator[str]:
    """Lines of YAML with comments for one section."""
    indent = "  " * depth
    for name, field in type(section).model_fields.items():
        if only is not None and name not in only:
            continue
        value = getattr(section, name)
        if isinstance(value, BaseModel):
            yield f"{indent}{name}:  # {field.description}"
            yield from _yaml_lines(value, depth + 1)
        elif isinstance(value, dict):
            yield f"{indent}{name}:  # {field.description}"
            for index, (key, study) in enumerate(value.items()):
                yield f"{indent}  {key}:" + ("" if index == 0 else "  # keys not given here have the defaults above")
                different = {k for k in type(study).model_fields if getattr(study, k) != getattr(MixtureStudy(), k)}
                if index:
                    different.add("table")
                yield from _yaml_lines(study, depth + 2, None if index == 0 else different)
        else:
            yield f"{indent}{name}: {_yaml_value(value)}  # {field.description}"


def _yaml_value(value: Any) -> str:
    """A value as YAML 1.1 reads it back: 1e-06 without a point would be text."""
    text = json.dumps(value)
    return text.replace("e", ".0e") if isinstance(value, float) and "." not in text else text


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
    place = Path(config.results).absolute()
    while not place.exists():
        place = place.parent
    if not place.is_dir() or not os.access(place, os.W_OK | os.X_OK):
        raise UserError(f"config: results: {config.results!r} cannot be written ({place} is not a writable folder)")
