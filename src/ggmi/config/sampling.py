"""How responses, answers and verdicts are drawn."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from ggmi.config.section import Section


class SamplingSettings(Section):
    """How responses are drawn."""

    temperature: float = Field(1.0, ge=0, le=10, description="divides the logits; 0 takes the likeliest token")
    top_p: float = Field(1.0, gt=0, le=1, description="draw from the smallest set of this probability")
    max_tokens: int = Field(4096, ge=1, description="tokens of a response at most")
    stop: list[Annotated[str, Field(min_length=1)]] = Field([], description="texts that end a response")
