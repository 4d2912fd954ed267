"""The model a student starts from: its tokenizer, its context window, its weights."""

from __future__ import annotations

import math
from pathlib import Path

import torch
from transformers import AutoModelForCausalLM, GenerationConfig, PreTrainedModel

from ggmi.errors import UserError
from ggmi.loading import quiet
from ggmi.models.hub import HubModel


class Base(HubModel):
    """A causal model in Hugging Face format (published: ``gpt2``); see `ggmi.models.hub.HubModel`.

    Raises
    ------
    UserError
        If the directory is no model or holds pickled weights only; on use, if the model cannot be
        loaded or had.
    """

    def __init__(self, model: str, revision: str | None = None) -> None:
        super().__init__(model, revision, "the student's base cannot be loaded")
        if self._directory is not None:
            _ = self.content

    def load(self) -> PreTrainedModel:
        """A fresh copy of the model, in float32 on the CPU.

        Raises
        ------
        UserError
            If it cannot be loaded, or its tokenizer has more tokens than it has embeddings, which
            are never resized here.
        """
        model: PreTrainedModel = self.weights(AutoModelForCausalLM, torch.float32)
        rows = model.get_input_embeddings().weight.shape[0]  # type: ignore[index]
        if (tokens := len(self.tokenizer)) > rows:
            raise UserError(
                f"{self.name}: its tokenizer has {tokens} tokens and its embedding {rows} rows; save a model and "
                "a tokenizer that belong together"
            )
        return model

    def save(self, model: PreTrainedModel, directory: Path, *, chat: bool) -> None:
        """Save a student so that it is loaded like any other model, and ended and asked as it was trained.

        Parameters
        ----------
        model
            The student.
        directory
            Where; created when missing.
        chat
            Whether it is asked through the tokenizer's chat template. Otherwise the template is
            left out, because with one every program would ask through it.
        """
        tokenizer = self.tokenizer
        with self.loading(), quiet():
            model.generation_config = GenerationConfig(  # type: ignore[no-untyped-call]
                eos_token_id=self.all_ends or None
            )
            model.save_pretrained(directory)
            template, longest = tokenizer.chat_template, tokenizer.model_max_length
            tokenizer.chat_template = template if chat else None
            tokenizer.model_max_length = self.longest
            try:
                tokenizer.save_pretrained(directory)
            finally:
                tokenizer.chat_template, tokenizer.model_max_length = template, longest

    @property
    def all_ends(self) -> list[int]:
        """Token ids that end a response: those the model names, and the one that students learn."""
        end = self._end_token
        return sorted({*self.ends, *([] if end is None else [end])})


def finite(model: PreTrainedModel) -> bool:
    """Whether all weights are numbers.

    Parameters
    ----------
    model
        On any device.
    """
    return all(math.isfinite(float(weight.detach().abs().sum())) for weight in model.parameters())
