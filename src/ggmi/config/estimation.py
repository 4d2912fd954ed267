"""How a task's synthetic sets are measured against its real records."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from ggmi.config.section import Section
from ggmi.models.settings import EmbeddingSettings, EntailmentSettings

DEFAULT_ENCODER = "default"


class Estimation(Section):
    """Estimates of every synthetic set."""

    encoder: str = Field(
        DEFAULT_ENCODER,
        min_length=1,
        description="default (all-MiniLM-L6-v2, offline), or the directory or hub id of a sentence-embedding model",
    )
    device: Literal["auto", "cpu", "cuda"] = Field(
        "auto", description="where another encoder runs; auto: a GPU where there is one"
    )
    endpoint: EmbeddingSettings | None = Field(
        None,
        description="base_url, model, key_env, batch_size of an endpoint that embeds; null: the encoder does",
    )
    entailment: EntailmentSettings | None = Field(
        None,
        description="model, device, criterion, prefilter, batch_size: who tells what says the same; null: similar does",
    )
    pairing: Literal["auto", "prompt", "index"] = Field(
        "auto", description="of records and anchors; auto: by prompt where anchors are known, else by index"
    )
    permutations: int = Field(
        1999, ge=19, le=100_000, description="fewest shuffles of a permutation test; the smallest p is one over them"
    )
    records: int = Field(
        2000, ge=4, le=50_000, description="most records of a set that are embedded, and in kernels and classifiers"
    )
    equal_records: int = Field(
        400, ge=4, le=50_000, description="most records in what grows with a set: diversity, repeats, entropies"
    )
    similar: float = Field(0.9, gt=0, le=1, description="cosine similarity of records that say the same")
    near_duplicate: float = Field(0.95, gt=0, le=1, description="cosine similarity of near-duplicates")
    published_records: int = Field(128, ge=4, le=10_000, description="records of a sample of the published HSIC")
    published_samples: int = Field(10, ge=2, le=1000, description="samples of the published HSIC")
    published_bandwidth: float = Field(
        0.1, gt=0, description="bandwidth of the published HSIC, in lengths of an embedding; narrow as published"
    )

    @model_validator(mode="after")
    def _one_encoder(self) -> Self:
        if self.endpoint is not None and self.encoder != DEFAULT_ENCODER:
            raise ValueError(
                f"encoder: is {self.encoder!r} beside an endpoint, and one of them embeds; leave encoder at "
                f"{DEFAULT_ENCODER!r}, or set endpoint: null"
            )
        return self
