"""What a person sets about the training of students: the one place of its defaults."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from ggmi.models.settings import Count, Positive, Settings

Share = Annotated[float, Field(ge=0, lt=1)]


class TrainingSettings(Settings):
    """How a student is trained (published: GPT-2, 20 epochs)."""

    epochs: float = Field(20.0, ge=0, allow_inf_nan=False, description="passes over the set; 0: the base as it is")
    steps: Count | None = Field(None, description="updates; where given, they count and epochs do not")
    batch_size: Count = Field(16, description="records an update, over all devices")
    per_device: Count | None = Field(
        None, description="records a device takes at a time; null: batch_size over the devices, without accumulation"
    )
    learning_rate: Positive = Field(5e-5, description="highest learning rate of AdamW")
    schedule: Literal["linear", "cosine", "constant"] = Field("linear", description="decay to zero, or none")
    warmup: Share = Field(0.03, description="share of the updates over which the learning rate rises")
    weight_decay: float = Field(0.0, ge=0, allow_inf_nan=False, description="of AdamW, on matrices")
    clip: float = Field(1.0, ge=0, allow_inf_nan=False, description="largest norm of the gradient; 0: not clipped")
    batching: Literal["packed", "padded"] = Field(
        "packed",
        description="packed: records share a row, kept apart, where over a fifth would be padding; padded: one a row",
    )
    device: Literal["auto", "cpu", "cuda"] = Field("auto", description="auto: a GPU where there is one")
    dtype: Literal["auto", "float32", "bfloat16"] = Field(
        "auto", description="of the arithmetic; auto: bfloat16 on a GPU, else float32; weights are float32"
    )
    processes: Count = Field(
        1, description="processes that share the records of an update, one a GPU where there are any"
    )
    threads: Count = Field(1, description="CPU threads of a process; the last bits can depend on them")
    log_every: Count = Field(10, description="updates a row of the loss curve averages over")
    save_every: Count = Field(500, description="updates between checkpoints")


class ReinforcementSettings(Settings):
    """How a student learns from rewards; device, threads, schedule, clipping and rows are those of its training."""

    steps: Count = Field(200, description="updates")
    prompts: Count = Field(8, description="records an update")
    answers: Annotated[int, Field(ge=2)] = Field(8, description="answers sampled to each; rewards are relative to them")
    temperature: Positive = Field(1.0, description="of the sampled answers")
    max_tokens: Count = Field(64, description="tokens of an answer at most")
    learning_rate: Positive = Field(1e-5, description="highest learning rate of AdamW")
    beta: float = Field(0.0, ge=0, allow_inf_nan=False, description="weight of the divergence from the base (KL)")
