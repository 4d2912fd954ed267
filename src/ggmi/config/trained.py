"""Transformers that are pretrained and post-trained on prompts whose weights are known."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from ggmi.config.section import Section, check_heads, each_once

SIZE = Annotated[int, Field(ge=1, le=100_000)]
CHAIN = Annotated[int, Field(ge=1, le=12)]
SHARE = Annotated[float, Field(gt=0, le=1)]
VARIANCE = Annotated[float, Field(gt=0, le=100)]


def _grid(values: list[Any]) -> list[Any]:
    """In order, each once."""
    return sorted(each_once(values))


SIZES = Annotated[list[SIZE], Field(min_length=3), AfterValidator(_grid)]
CHAINS = Annotated[list[CHAIN], Field(min_length=2), AfterValidator(_grid)]
SHARES = Annotated[list[SHARE], Field(min_length=1), AfterValidator(_grid)]
VARIANCES = Annotated[list[VARIANCE], Field(min_length=2), AfterValidator(_grid)]


class Repeated(Section):
    """A model whose repetitions have prompts of their own."""

    seeds: int = Field(8, ge=5, le=10_000, description="repetitions, each with prompts of its own")
    d: int = Field(50, ge=4, le=5000, description="coordinates")
    test_prompts: int = Field(64, ge=1, le=100_000, description="test prompts of each repetition")

    def world(self) -> dict[str, int]:
        """What prompts are drawn by."""
        return self.model_dump(include={"seeds", "d", "test_prompts"})


class Panels(Repeated):
    """What the panels of a figure vary, and what they keep."""

    prompts: SIZES = Field([5, 10, 20, 40, 80, 160, 320], description="training prompts B")
    lengths: SIZES = Field([12, 25, 50, 100, 200, 400], description="lengths n of prompts")
    chains: CHAINS = Field([1, 2, 3, 5, 8], description="chain-of-thought steps k in training")
    base_prompts: SIZE = Field(80, description="B where another thing varies")
    base_lengths: Annotated[list[SIZE], AfterValidator(_grid)] = Field(
        [50, 150], min_length=1, description="values of n where another thing varies"
    )
    base_chain: CHAIN = Field(3, description="k where another thing varies")
    etas: SHARES = Field([0.2, 1.0], description="shares of what is missing that a step of the SFT targets adds")
    epochs: int = Field(130, ge=1, le=1_000_000, description="passes over the prompts; of base_prompts for fixed steps")
    outcome_epochs: int = Field(130, ge=1, le=1_000_000, description="the same for outcome supervision")
    batch: int = Field(64, ge=1, le=100_000, description="prompts a training step")
    rates: SHARES = Field([1e-3], description="Adam's step sizes")

    def plan(self, method: str) -> dict[str, Any]:
        """What one method's panels need.

        Parameters
        ----------
        method
            ``SFT`` or ``OS``.
        """
        kept = {"prompts", "lengths", "chains", "base_prompts", "base_lengths", "base_chain", "batch", "rates"}
        return self.model_dump(include=kept | ({"etas", "epochs"} if method == "SFT" else {"outcome_epochs"}))


class Gpt(Panels):
    """A small GPT, pretrained once a repetition; all settings start from those weights."""

    seeds: int = Field(6, ge=5, le=10_000, description="repetitions, each with weights and prompts of its own")
    prompts: SIZES = Field([8, 32, 96, 256], description="training prompts B")
    lengths: SIZES = Field([4, 8, 16], description="lengths n of prompts; pretraining draws one of them a step")
    chains: CHAINS = Field([1, 2, 3, 4], description="chain-of-thought steps k in training")
    base_prompts: SIZE = Field(96, description="B where another thing varies")
    base_lengths: Annotated[list[SIZE], AfterValidator(_grid)] = Field(
        [8], min_length=1, description="values of n where another thing varies"
    )
    etas: SHARES = Field([0.5], description="shares of what is missing that a step of the SFT targets adds")
    epochs: int = Field(25, ge=1, le=1_000_000, description="passes over the prompts; of base_prompts for fixed steps")
    outcome_epochs: int = Field(25, ge=1, le=1_000_000, description="the same for outcome supervision")
    batch: int = Field(32, ge=1, le=100_000, description="prompts a training step")
    rates: SHARES = Field([1e-4, 1e-3], description="Adam's step sizes")
    test_prompts: int = Field(256, ge=1, le=100_000, description="test prompts of each repetition")
    d: int = Field(4, ge=2, le=1000, description="coordinates")
    layers: int = Field(2, ge=1, le=48, description="transformer layers")
    width: int = Field(32, ge=8, le=4096, description="width of the residual stream")
    heads: int = Field(2, ge=1, le=64, description="attention heads")
    pretraining_eta: SHARE = Field(0.5, description="share that a step of the pretraining targets adds")
    pretraining_chain: CHAIN = Field(4, description="chain-of-thought steps k of pretraining; at least any k above")
    pretraining_steps: int = Field(800, ge=1, le=10_000_000, description="steps of pretraining")
    pretraining_rate: float = Field(5e-3, gt=0, le=1, description="its largest step size")

    @model_validator(mode="after")
    def _parts_fit(self) -> Self:
        check_heads(self.width, self.heads)
        longest = max(*self.chains, self.base_chain)
        if longest > self.pretraining_chain:
            raise ValueError(
                f"pretraining_chain: {self.pretraining_chain} is less than a chain that is trained; "
                f"allowed: {longest} to 12"
            )
        return self


class Rewards(Repeated):
    """Policy gradients beside outcome supervision, and how balance and difficulty act, on a smaller model."""

    d: int = Field(20, ge=4, le=5000, description="coordinates")
    prompts: SIZES = Field([8, 32, 128, 512], description="training prompts B")
    lengths: SIZES = Field([20, 60, 180], description="lengths n of prompts")
    chains: CHAINS = Field([1, 2, 4], description="chain-of-thought steps k, the same in training and test")
    base_prompts: SIZE = Field(128, description="B where another thing varies")
    base_length: SIZE = Field(60, description="n where another thing varies")
    base_chain: CHAIN = Field(2, description="k where another thing varies")
    steps: int = Field(200, ge=1, le=1_000_000, description="updates, of every method")
    batch: int = Field(32, ge=1, le=100_000, description="prompts an update")
    group: int = Field(8, ge=2, le=10_000, description="chains sampled of a prompt")
    noise: float = Field(0.3, gt=0, le=10, description="standard deviation of a sampled step around its prediction")
    success: SHARE = Field(0.5, description="share of the squared length of w* below which an error is a success")
    rate: float = Field(0.01, gt=0, le=1, description="Adam's step size")
    eta: SHARE = Field(1.0, description="share of what is missing that a step of the SFT targets adds")
    floors: VARIANCES = Field(
        [0.01, 0.03, 0.1, 0.3, 1.0], description="least variance of pretraining, at one trace: balance"
    )
    scales: VARIANCES = Field([0.25, 0.5, 1.0, 2.0, 4.0], description="factors of the shift as training data: scale")
    alignments: Annotated[list[SHARE], Field(min_length=2), AfterValidator(_grid)] = Field(
        [0.25, 0.5, 0.75, 1.0], description="shares of the data's trace in the shift, at one trace: alignment"
    )

    def updates(self) -> dict[str, float]:
        """How every method trains."""
        return self.model_dump(include={"steps", "batch", "rate", "group", "noise", "success", "eta"})


class TrainedModels(Section):
    """Trained transformers: the paper's figures 3 and 4, and real policy gradients."""

    share: float = Field(0.2, gt=0, lt=1, description="share of coordinates where pretraining has variance rho")
    device: Literal["auto", "cpu", "cuda"] = Field("cpu", description="auto: a GPU where there is one")
    lsa: Panels = Field(Panels(), description="linear self-attention (figure 4), pretrained exactly")
    gpt: Gpt = Field(Gpt(), description="a small GPT (figure 3)")
    rewards: Rewards = Field(Rewards(), description="policy gradients, balance and difficulty (ours)")
