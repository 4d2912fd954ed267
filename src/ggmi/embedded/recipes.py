"""How large the world's models are and how long they may learn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["generator", "student"]


@dataclass(frozen=True)
class Recipe:
    """How large a model is and how long it may learn.

    Parameters
    ----------
    kind
        A generator (Llama's architecture) or a student (GPT-2's).
    layers, width, heads
        The model's size.
    record_steps
        Most steps of the first stage, on single records or pairs.
    list_steps
        Most steps of the second stage, on lists; 0 for a student.
    wanted_accuracy
        Share of right responses that ends the first stage, and that the second must keep.
    wanted_kl_nats
        Divergence of the exact law of the next skill from the generator's that ends the second
        stage: the largest over the numbers of instances in `instances`.
    instances
        Anchors in context for which it is measured.
    record_documents, list_documents
        Documents a step in each stage.
    record_rate, list_rate
        Learning rates of the stages.
    """

    kind: Kind
    layers: int
    width: int
    heads: int
    record_steps: int
    list_steps: int = 0
    wanted_accuracy: float = 0.98
    wanted_kl_nats: float = 0.05
    instances: tuple[int, ...] = (3, 10, 20)
    record_documents: int = 64
    list_documents: int = 8
    record_rate: float = 1e-3
    list_rate: float = 2e-3


# The medium generator infers the domain but errs in many responses; the small one writes hardly any JSON.
RECIPES = {
    "large": Recipe("generator", layers=3, width=96, heads=4, record_steps=1500, list_steps=2500),
    "medium": Recipe("generator", layers=2, width=64, heads=4, record_steps=600, list_steps=1000),
    "small": Recipe("generator", layers=1, width=16, heads=2, record_steps=50, list_steps=50),
    # One layer sometimes never learns one of the skills; two always did.
    "student": Recipe("student", layers=2, width=96, heads=4, record_steps=1500),
}
