"""What all parts of the configuration have in common."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator
from pydantic_core import PydanticKnownError

T = TypeVar("T")


def no_truth_value(value: Any) -> Any:
    """Refuse what pydantic takes for 0 and 1, and YAML makes of no, yes, off and on."""
    if isinstance(value, bool):
        raise PydanticKnownError("float_type")
    return value


def each_once(value: list[T]) -> list[T]:
    """Refuse lists that name a variant twice."""
    repeated = list(dict.fromkeys(str(v) for v in value if value.count(v) > 1))
    if repeated:
        raise ValueError(f"{', '.join(repeated)} is listed twice; each variant is allowed once")
    return value


def check_heads(width: int, heads: int) -> None:
    """Refuse a width that attention heads do not share evenly."""
    if width % heads:
        raise ValueError(f"width: {width} is not shared evenly by heads = {heads}; allowed: multiples of {heads}")


class Section(BaseModel):
    """A part of the configuration: unknown keys are refused, values cannot change afterwards."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)
    # Keys that the default file shows even where they have their default.
    SHOWN: ClassVar[frozenset[str]] = frozenset()

    @field_validator("*", mode="before")
    @classmethod
    def _numbers_are_numbers(cls, value: Any, info: ValidationInfo) -> Any:
        number = cls.model_fields[str(info.field_name)].annotation in (int, float)
        return no_truth_value(value) if number else value


# Names become folders.
NAME = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$", max_length=60)]


def left_out(value: Any) -> Any:
    """Entries that are not null: a file laid over another cannot take a key away, so null does."""
    return {k: v for k, v in value.items() if v is not None} if isinstance(value, dict) else value
