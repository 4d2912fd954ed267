"""The model a student starts from: its tokenizer, its context window, its weights."""

from __future__ import annotations

import contextlib
from contextlib import AbstractContextManager
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from transformers import (
    AutoConfig,
    AutoModelForCausalLM,
    AutoTokenizer,
    GenerationConfig,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)

from ggmi.errors import UserError
from ggmi.loading import hub_source, loading, quiet
from ggmi.models.directory import fingerprint, own_directory


class Base:
    """A causal model in Hugging Face format; each part is loaded when it is first asked for.

    Weights are read as safetensors only, and no code that comes with a model is run.

    Parameters
    ----------
    model
        A directory, or an id of the hub (published: ``gpt2``).
    revision
        Commit, branch or tag of an id.

    Raises
    ------
    UserError
        If the directory is no model or holds pickled weights only; on use, if the model cannot be
        loaded or had.
    """

    def __init__(self, model: str, revision: str | None = None) -> None:
        self.name = model
        directory = own_directory(model)
        self._content = fingerprint(directory) if directory is not None else None
        self._source = hub_source(str(directory or model), revision)

    @property
    def identity(self) -> str:
        """The model by its content (directory) or by id and commit (hub)."""
        return self._content or f"{self.name}@{self.config._commit_hash}"

    @cached_property
    def config(self) -> Any:
        """The model's configuration."""
        with self._loading():
            return AutoConfig.from_pretrained(**self._source)

    @cached_property
    def tokenizer(self) -> PreTrainedTokenizerBase:
        """The model's tokenizer."""
        with self._loading():
            tokenizer = AutoTokenizer.from_pretrained(**self._source)
        self._written_length = tokenizer.model_max_length
        # Sequences are measured before they are cut; the tokenizer's own warning would come first.
        tokenizer.model_max_length = 10**9
        return tokenizer

    @property
    def context(self) -> int | None:
        """Tokens that the context window holds; None where the model names no limit."""
        limit: int | None = getattr(self.config.get_text_config(), "max_position_embeddings", None)
        return limit

    def load(self) -> PreTrainedModel:
        """A fresh copy of the model, in float32 on the CPU.

        Raises
        ------
        UserError
            If it cannot be loaded, or its tokenizer has more tokens than it has embeddings, which
            are never resized here.
        """
        with self._loading(), quiet():
            model: PreTrainedModel = AutoModelForCausalLM.from_pretrained(
                **self._source, use_safetensors=True, dtype=torch.float32
            )
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
        with self._loading(), quiet():
            ends = self.ends(tokenizer.eos_token_id)
            model.generation_config = GenerationConfig(eos_token_id=ends)  # type: ignore[no-untyped-call]
            model.save_pretrained(directory)
            template, longest = tokenizer.chat_template, tokenizer.model_max_length
            tokenizer.chat_template = template if chat else None
            tokenizer.model_max_length = self._written_length
            try:
                tokenizer.save_pretrained(directory)
            finally:
                tokenizer.chat_template, tokenizer.model_max_length = template, longest

    def ends(self, end: Any) -> list[int] | None:
        """Token ids that end a response: those the model names, and the one that students learn.

        Parameters
        ----------
        end
            The tokenizer's end token id, or None.
        """
        named: Any = None
        with contextlib.suppress(OSError):  # a model need not have generation settings
            named = GenerationConfig.from_pretrained(
                self._source["pretrained_model_name_or_path"], revision=self._source["revision"]
            ).eos_token_id
        if named is None:
            named = self.config.get_text_config().eos_token_id
        ends = {*(named if isinstance(named, list) else [named]), end} - {None}
        return sorted(ends) or None

    def _loading(self) -> AbstractContextManager[None]:
        return loading(f"{self.name}: the student's base cannot be loaded")
