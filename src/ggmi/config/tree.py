"""The whole configuration, and what is wrong with one."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, get_args

from pydantic import BaseModel, Field, ValidationError, field_validator

from ggmi.config.mixtures import MixtureStudy, Sweeps
from ggmi.config.section import Section
from ggmi.config.theory import TheoryStudy
from ggmi.errors import UserError, did_you_mean


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
        5,
        ge=1,
        le=1000,
        description="conditions (of the theory: families, statements) a job works through; results do not depend on it",
    )
    mixtures: dict[Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")], MixtureStudy] = Field(
        default_factory=_default_studies,
        description="mixture studies by name, each with a folder of that name; null leaves one out",
    )
    theory: TheoryStudy | None = Field(
        TheoryStudy(), description="every statement of the theory, checked in finite worlds; null leaves it out"
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
        for choice in (annotation, *get_args(annotation)):
            if isinstance(choice, type) and issubclass(choice, BaseModel):
                model = choice
    return list(model.model_fields)


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
    place = Path(config.results).absolute()
    while not place.exists():
        place = place.parent
    if not place.is_dir() or not os.access(place, os.W_OK | os.X_OK):
        raise UserError(f"config: results: {config.results!r} cannot be written ({place} is not a writable folder)")
