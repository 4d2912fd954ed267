"""How responses, answers and verdicts are drawn."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, field_validator

from ggmi.config.section import Section


class SamplingSettings(Section):
    """How responses are drawn."""

    temperature: float | None = Field(
        1.0, ge=0, le=10, description="divides the logits; 0 takes the likeliest token; null: as an endpoint likes"
    )
    top_p: float | None = Field(
        1.0, gt=0, le=1, description="draw from the smallest set of this probability; null: as an endpoint likes"
    )
    max_tokens: int = Field(4096, ge=1, description="tokens of a response at most")
    stop: list[Annotated[str, Field(min_length=1)]] = Field([], description="texts that end a response")

    @field_validator("stop", mode="before")
    @classmethod
    def _null_is_none(cls, value: Any) -> Any:
        return [] if value is None else value

    def unset(self) -> str | None:
        """The first setting that is left to an endpoint, which a model in this process has none of."""
        return next((name for name in ("temperature", "top_p") if getattr(self, name) is None), None)
