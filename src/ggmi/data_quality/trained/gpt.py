"""Small GPTs that predict a prompt's weights, many at once: every weight has a leading axis of models.

GPT-2's layers (Radford et al. 2019) between a linear read-in and a linear read-out, as in Javanmard,
Mirzasoleiman & Mirrokni, arXiv 2603.01293, section 8; tokens are those of linear self-attention (section 3).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from ggmi.random import stream

Weights = dict[str, Tensor]


@dataclass(frozen=True)
class GptSize:
    """How large a GPT is.

    Parameters
    ----------
    d
        Coordinates of the task.
    layers, width, heads
        As in GPT-2.
    positions
        Most tokens: the longest prompt and the longest chain.
    """

    d: int
    layers: int
    width: int
    heads: int
    positions: int

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Shape of every weight; matrices map rows."""
        tokens, width = 2 * self.d + 2, self.width
        shapes: dict[str, tuple[int, ...]] = {"read_in": (tokens, width), "position": (self.positions, width)}
        for layer in range(self.layers):
            shapes |= {
                f"{layer}.attention": (width, 3 * width),
                f"{layer}.attended": (width, width),
                f"{layer}.up": (width, 4 * width),
                f"{layer}.down": (4 * width, width),
            }
        return shapes | {"read_out": (width, self.d)}


def fresh(size: GptSize, seed: int, repetitions: range) -> Weights:
    """Draw the weights of untrained models.

    Parameters
    ----------
    size
        How large they are.
    seed
        The run's seed.
    repetitions
        Numbers of the models; a model's weights depend on its own number alone.

    Returns
    -------
    dict of str to Tensor
        Matrices of shape (models, rows, columns), normal with variance 1 / rows, those that write into the
        residual stream divided by the root of 2 layers; biases of zero and gains of one.
    """
    weights: Weights = {}
    for name, shape in size.shapes().items():
        scale = 0.02 if name == "position" else shape[0] ** -0.5
        if name.endswith(("attended", "down")):
            scale /= (2 * size.layers) ** 0.5
        drawn = [
            scale * stream(seed, "data_quality", "gpt", place, name).standard_normal(shape) for place in repetitions
        ]
        weights[name] = torch.tensor(np.array(drawn), dtype=torch.float32)
        if name != "position":
            weights[f"{name}.bias"] = torch.zeros(len(drawn), 1, shape[1])
    for layer in range(size.layers):
        for part in ("first", "second"):
            weights |= _gains(f"{layer}.{part}", len(repetitions), size.width)
    return weights | _gains("last", len(repetitions), size.width)


def _gains(name: str, models: int, width: int) -> Weights:
    """Gain and bias of a layer norm."""
    return {name: torch.ones(models, 1, width), f"{name}.bias": torch.zeros(models, 1, width)}


@dataclass
class Reading:
    """What has been read, and what the last tokens predict.

    Parameters
    ----------
    predictions
        Shape (models, prompts, last, d).
    past
        Keys and values of each layer, shape (models · prompts, heads, tokens, width / heads).
    """

    predictions: Tensor
    past: list[tuple[Tensor, Tensor]]


def read(size: GptSize, weights: Weights, tokens: Tensor, last: int, before: Reading | None = None) -> Reading:
    """Read tokens, causally, and predict from the last of them.

    Parameters
    ----------
    size
        How large the models are.
    weights
        Of `fresh`.
    tokens
        Shape (models, prompts, tokens, 2 d + 2); a single one where others have been read before.
    last
        Of how many last tokens the prediction is wanted.
    before
        What has been read before.
    """
    models, prompts, length, _ = tokens.shape
    start = before.past[0][0].shape[2] if before else 0

    def mapped(x: Tensor, name: str) -> Tensor:
        return torch.baddbmm(weights[f"{name}.bias"], x, weights[name])

    def normed(x: Tensor, name: str) -> Tensor:
        return functional.layer_norm(x, (size.width,)) * weights[name] + weights[f"{name}.bias"]

    def heads(x: Tensor) -> Tensor:
        return x.reshape(models * prompts, length, size.heads, -1).transpose(1, 2)

    past = []
    x = mapped(tokens.reshape(models, prompts * length, -1), "read_in")
    x = x + weights["position"][:, start : start + length].repeat(1, prompts, 1)
    for layer in range(size.layers):
        q, k, v = (heads(part) for part in mapped(normed(x, f"{layer}.first"), f"{layer}.attention").chunk(3, dim=-1))
        if before:
            k, v = (torch.cat(pair, dim=2) for pair in zip(before.past[layer], (k, v), strict=True))
        past.append((k, v))
        seen = functional.scaled_dot_product_attention(q, k, v, is_causal=before is None)
        x = x + mapped(seen.transpose(1, 2).reshape(models, prompts * length, -1), f"{layer}.attended")
        raised = functional.gelu(mapped(normed(x, f"{layer}.second"), f"{layer}.up"), approximate="tanh")
        x = x + mapped(raised, f"{layer}.down")
    ends = x.view(models, prompts, length, -1)[:, :, length - last :].reshape(models, prompts * last, -1)
    return Reading(mapped(normed(ends, "last"), "read_out").view(models, prompts, last, -1), past)


def think(size: GptSize, weights: Weights, inputs: Tensor, targets: Tensor, k: int) -> Tensor:
    """Predict weights in k steps, each from the model's own last thought.

    Parameters
    ----------
    size, weights
        The models.
    inputs, targets
        Of the prompts, shapes (models, prompts, n, d) and (models, prompts, n).
    k
        Steps.

    Returns
    -------
    Tensor, shape (models, prompts, d)
        w_k.
    """
    examples, thought = example_tokens(inputs, targets), torch.zeros_like(inputs[:, :, 0])
    reading = read(size, weights, torch.cat([examples, thought_tokens(thought[:, :, None])], dim=2), 1)
    for _ in range(k - 1):
        reading = read(size, weights, thought_tokens(reading.predictions), 1, reading)
    return reading.predictions[:, :, 0]


def example_tokens(inputs: Tensor, targets: Tensor) -> Tensor:
    """Tokens (x; y; 0; 0) of the examples, shape (models, prompts, n, 2 d + 2)."""
    return functional.pad(torch.cat([inputs, targets[..., None]], dim=-1), (0, inputs.shape[-1] + 1))


def thought_tokens(thoughts: Tensor) -> Tensor:
    """Tokens (0; 0; w; 1) of thoughts, shape (models, prompts, thoughts, 2 d + 2)."""
    return functional.pad(functional.pad(thoughts, (thoughts.shape[-1] + 1, 0)), (0, 1), value=1.0)
