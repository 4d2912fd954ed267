"""Models in this process: transformers, in batches, the same responses after a kill and resume."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

import torch
from transformers import AutoModelForCausalLM, GenerationConfig, PreTrainedModel

from ggmi.errors import UserError, told_by
from ggmi.models.drawing import spans, to_text, uniforms, write_tokens
from ggmi.models.in_process import InProcessBackend
from ggmi.models.requests import Request
from ggmi.models.settings import LocalSettings


class LocalBackend(InProcessBackend):
    """A causal model of transformers.

    A response is drawn by random numbers that depend on its request's key alone, so neither order
    nor company changes what is drawn, up to rounding: in float32 the last bits of a probability
    depend on the shape of the batch, which moves a log-probability by about 1e-6 and changes a
    token about once in 1e5 to 1e6. To the last bit, responses repeat for the same list of
    requests, settings and machine: batches are cut from the whole list, and one that a kill left
    incomplete is written again as it was.

    Parameters
    ----------
    settings
        See `ggmi.models.settings.LocalSettings`.

    Raises
    ------
    UserError
        If the directory does not exist, is no model, holds pickled weights, or the id is unknown.
    """

    kind, unit = "local", "responses"
    _settings: LocalSettings

    def __init__(self, settings: LocalSettings) -> None:
        super().__init__(settings, "cannot be loaded as a model")

    @cached_property
    def identity(self) -> Mapping[str, Any]:
        """The model by its content (directory) or commit (hub), its number format and its form of prompt."""
        return {**super().identity, "form": "chat" if self._hub.tokenizer.chat_template else "plain"}

    def count_tokens(self, request: Request) -> int:
        """Tokens of a request's prompt, with everything the chat template adds."""
        return len(self._prompt_tokens(request))

    def _batches(self, unique: Sequence[Request], todo: Sequence[Request]) -> list[list[Request]]:  # noqa: ARG002
        """Batches of like lengths and settings; they depend on all requests, not on which are missing."""
        lengths: dict[tuple[str, str], int] = {}
        for request in unique:
            if (prompt := (request.system, request.prompt)) not in lengths:
                lengths[prompt] = self.count_tokens(request)
            self._check_window(request, lengths[prompt])

        def settings(r: Request) -> tuple[float, float, int, tuple[str, ...]]:
            return *r.sampling.drawn(), r.sampling.max_tokens, r.sampling.stop

        # Longest first: what does not fit into memory shows at once.
        return self._cut(sorted(unique, key=lambda r: (settings(r), -lengths[r.system, r.prompt], r.key())), settings)

    def _check_window(self, request: Request, length: int) -> None:
        window = self._hub.context
        if window and length + request.sampling.max_tokens > window:
            raise UserError(
                f"{self._settings.model}: the context window holds {window} tokens, but prompt {request.prompt_id!r} "
                f"has {length} and max_tokens is {request.sampling.max_tokens}; "
                "put fewer examples into the prompt or lower max_tokens"
            )

    def _answer(self, batch: Sequence[Request]) -> list[dict[str, Any]]:
        sampling = batch[0].sampling
        prompts = [self._prompt_tokens(request) for request in batch]
        numbers = uniforms(batch) if sampling.temperature != 0 else None
        written = write_tokens(self._model, self._hub.tokenizer, prompts, sampling, numbers, self._hub.ends)
        return [
            self._fields(request, len(prompt), tokens, log_probs)
            for request, prompt, (tokens, log_probs) in zip(batch, prompts, written, strict=True)
        ]

    def _fields(
        self, request: Request, prompt_tokens: int, tokens: list[int], log_probs: list[float]
    ) -> dict[str, Any]:
        """What is kept of a response."""
        tokenizer, stop = self._hub.tokenizer, request.sampling.stop
        ended = tokens[-1] in self._hub.ends
        text = to_text(tokenizer, tokens[:-1] if ended else tokens)
        cuts = [text.index(s) for s in stop if s in text]
        text = text[: min(cuts)] if cuts else text
        # Nine digits are more than float32 logits carry, and fewer bytes to keep.
        log_probs = [round(nats, 9) for nats in log_probs]
        by_token = spans(tokenizer, tokens, log_probs, len(text)) if self._settings.token_log_probs else None
        return {
            "text": text,
            "finish_reason": "stop" if ended or cuts else "length",
            "prompt_tokens": prompt_tokens,
            "completion_tokens": len(tokens),
            "log_prob_nats": round(sum(log_probs), 9),
            "log_prob_missing": None,
            "token_log_probs": by_token,
        }

    def _prompt_tokens(self, request: Request) -> list[int]:
        tokenizer = self._hub.tokenizer
        if not tokenizer.chat_template:
            text = f"{request.system}\n\n{request.prompt}" if request.system else request.prompt
            tokens: list[int] = tokenizer(text).input_ids
        else:
            try:
                chat = tokenizer.apply_chat_template(request.messages(), add_generation_prompt=True, tokenize=False)
            except Exception as error:  # a template is a program of others, though a confined one
                raise UserError(
                    f"{self._settings.model}: its chat template refuses prompt {request.prompt_id!r} ({told_by(error)})"
                ) from error
            tokens = tokenizer(str(chat), add_special_tokens=False).input_ids  # the template writes them
        if not tokens:
            raise UserError(f"{self._settings.model}: prompt {request.prompt_id!r} is empty")
        return tokens

    @cached_property
    def _model(self) -> PreTrainedModel:
        model: PreTrainedModel = self._hub.weights(AutoModelForCausalLM, getattr(torch, self._dtype))
        model.to(self._device).eval()  # type: ignore[arg-type]
        # The sampling settings that come with a model are not the ones asked for.
        model.generation_config = GenerationConfig()  # type: ignore[no-untyped-call]
        return model
