"""Models in Hugging Face format: the one place where generators, judges, rewards and students are loaded."""

from __future__ import annotations

import contextlib
from contextlib import AbstractContextManager
from functools import cached_property
from typing import Any

from transformers import AutoConfig, AutoTokenizer, GenerationConfig, PreTrainedTokenizerBase

from ggmi.loading import loading, quiet
from ggmi.models.directory import fingerprint, own_directory


class HubModel:
    """A model by its directory or hub id; each part is loaded when it is first asked for.

    Weights are read as safetensors only, and no code that comes with a model is run.

    Parameters
    ----------
    model
        A directory, or an id of the hub.
    revision
        Commit, branch or tag of an id.
    refusal
        What a message says after the model's name where a part cannot be loaded.

    Raises
    ------
    UserError
        If there is no such directory; on use, if the directory is no model or holds pickled weights only, or a
        part cannot be loaded or had.
    """

    def __init__(self, model: str, revision: str | None = None, refusal: str = "cannot be loaded as a model") -> None:
        self.name = model
        self._refusal = refusal
        self._directory = own_directory(model)
        self._source: dict[str, Any] = {
            "pretrained_model_name_or_path": str(self._directory or model),
            "revision": revision or "main",
            "trust_remote_code": False,
        }

    @property
    def label(self) -> str:
        """The model's name without where it lies."""
        return self.name if self._directory is None else self._directory.name

    @cached_property
    def content(self) -> dict[str, str]:
        """The model by its content (directory) or by id and commit (hub), for a backend's identity."""
        if self._directory is not None:
            return {"model": fingerprint(self._directory)}
        return {"model": self.name, "revision": str(self.config._commit_hash)}

    @property
    def identity(self) -> str:
        """The same in one word."""
        return "@".join(self.content.values())

    @cached_property
    def config(self) -> Any:
        """The model's configuration."""
        with self.loading():
            return AutoConfig.from_pretrained(**self._source)

    @property
    def context(self) -> int | None:
        """Tokens that the context window holds; None where the model names no limit."""
        limit: int | None = getattr(self.config.get_text_config(), "max_position_embeddings", None)
        return limit

    @cached_property
    def tokenizer(self) -> PreTrainedTokenizerBase:
        """The model's tokenizer, which cuts nothing: texts are measured first."""
        with self.loading():
            tokenizer = AutoTokenizer.from_pretrained(**self._source)
            if not tokenizer.vocab_size:  # what transformers makes up where there are no files of a tokenizer
                raise ValueError("it holds no tokenizer")
        self._longest: int = tokenizer.model_max_length
        tokenizer.model_max_length = 10**9
        return tokenizer

    @property
    def longest(self) -> int:
        """Tokens of a text at most, as the tokenizer's own settings name it."""
        _ = self.tokenizer
        return self._longest

    @cached_property
    def ends(self) -> list[int]:
        """Tokens that end a response, as the model names them or else its configuration and its tokenizer."""
        named: Any = None
        with contextlib.suppress(OSError):  # a model need not have generation settings
            named = GenerationConfig.from_pretrained(
                self._source["pretrained_model_name_or_path"], revision=self._source["revision"]
            ).eos_token_id
        sources = [named] if named is not None else [self.config.get_text_config().eos_token_id, self._end_token]
        return sorted({end for ids in sources for end in (ids if isinstance(ids, list) else [ids]) if end is not None})

    @property
    def _end_token(self) -> int | None:
        end = self.tokenizer.eos_token_id
        return end if isinstance(end, int) else None

    def weights(self, auto: Any, dtype: Any, **options: Any) -> Any:
        """The model, on the CPU.

        Parameters
        ----------
        auto
            Which of transformers' classes, such as `transformers.AutoModelForCausalLM`.
        dtype
            Number format.
        **options
            Further arguments of ``from_pretrained``.
        """
        with self.loading(), quiet():
            return auto.from_pretrained(**self._source, use_safetensors=True, dtype=dtype, **options)

    def loading(self) -> AbstractContextManager[None]:
        """Tell what cannot be loaded in one sentence."""
        return loading(f"{self.name}: {self._refusal}")
