"""Models in this process: transformers, in batches, the same responses after a kill and resume."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Container, Mapping, Sequence
from contextlib import AbstractContextManager
from functools import cached_property
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

from ggmi.errors import UserError, told_by
from ggmi.loading import chosen_device, chosen_dtype, hub_source, loading, threads
from ggmi.models.directory import fingerprint, own_directory
from ggmi.models.drawing import spans, to_text, uniforms, write_tokens
from ggmi.models.protocol import Meter, OnProgress, OnResponse, Outcome
from ggmi.models.requests import Request, Response, Usage, missing
from ggmi.models.settings import LocalSettings


class LocalBackend:
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

    def __init__(self, settings: LocalSettings) -> None:
        self._settings = settings
        self._directory = own_directory(settings.model)
        self._device = chosen_device(settings.device)
        self._dtype = chosen_dtype(settings.dtype, self._device)
        self._source = hub_source(str(self._directory or settings.model), settings.revision)

    @cached_property
    def identity(self) -> Mapping[str, Any]:
        """The model by its content (directory) or commit (hub), its number format and its form of prompt."""
        if self._directory is not None:
            who = {"model": fingerprint(self._directory)}
        else:
            who = {"model": self._settings.model, "revision": str(self._config._commit_hash)}
        form = "chat" if self._tokenizer.chat_template else "plain"
        return {"kind": "local", **who, "dtype": self._dtype, "form": form}

    def generate(
        self,
        requests: Sequence[Request],
        *,
        kept: Container[str],
        spent: Usage,
        on_response: OnResponse,
        on_progress: OnProgress | None = None,
    ) -> Outcome:
        """Write what is missing, batch by batch.

        Parameters and errors are those of `ggmi.models.protocol.Backend.generate`.

        Raises
        ------
        UserError
            Also if the context window is too small for a prompt and its response, before the first.
        """
        todo = {request.key() for request in missing(requests, kept)}
        unique = missing(requests, ())
        meter = Meter(len(unique), len(unique) - len(todo), spent, on_progress=on_progress)
        if not todo:
            return Outcome(0)
        batches = self._batches(unique)
        with threads(self._settings.threads):
            for batch in batches:
                if any(request.key() in todo for request in batch):
                    for response in self._write(batch):
                        if response.key in todo:
                            on_response(response)
                            meter.count(response)
        return Outcome(meter.received)

    def count_tokens(self, request: Request) -> int:
        """Tokens of a request's prompt, with everything the chat template adds."""
        return len(self._prompt_tokens(request))

    def _batches(self, requests: Sequence[Request]) -> list[list[Request]]:
        """Cut requests into batches of like lengths and settings; depends on the requests alone."""
        lengths: dict[tuple[str, str], int] = {}
        for request in requests:
            if (prompt := (request.system, request.prompt)) not in lengths:
                lengths[prompt] = self.count_tokens(request)
            self._check_window(request, lengths[prompt])

        def settings(r: Request) -> tuple[float, float, int, tuple[str, ...]]:
            return *r.sampling.drawn(), r.sampling.max_tokens, r.sampling.stop

        # Longest first: what does not fit into memory shows at once.
        ordered = sorted(requests, key=lambda r: (settings(r), -lengths[r.system, r.prompt], r.key()))
        batches: list[list[Request]] = []
        for request in ordered:
            last = batches[-1] if batches else []
            if last and len(last) < self._settings.batch_size and settings(last[0]) == settings(request):
                last.append(request)
            else:
                batches.append([request])
        return batches

    def _check_window(self, request: Request, length: int) -> None:
        window = getattr(self._config.get_text_config(), "max_position_embeddings", None)
        if window and length + request.sampling.max_tokens > window:
            raise UserError(
                f"{self._settings.model}: the context window holds {window} tokens, but prompt {request.prompt_id!r} "
                f"has {length} and max_tokens is {request.sampling.max_tokens}; "
                "put fewer examples into the prompt or lower max_tokens"
            )

    def _write(self, batch: Sequence[Request]) -> list[Response]:
        """Responses to requests of the same settings, in their order."""
        started = time.monotonic()
        sampling = batch[0].sampling
        prompts = [self._prompt_tokens(request) for request in batch]
        numbers = uniforms(batch) if sampling.temperature != 0 else None
        try:
            written = write_tokens(self._model, self._tokenizer, prompts, sampling, numbers, self._ends)
        except torch.OutOfMemoryError:
            raise UserError(
                f"{self._settings.model}: {len(batch)} responses at the same time do not fit into the memory of the "
                f"GPU; set batch_size below {self._settings.batch_size}"
            ) from None
        seconds = time.monotonic() - started
        return [
            self._response(request, len(prompt), tokens, log_probs, seconds)
            for request, prompt, (tokens, log_probs) in zip(batch, prompts, written, strict=True)
        ]

    def _response(
        self, request: Request, prompt_tokens: int, tokens: list[int], log_probs: list[float], seconds: float
    ) -> Response:
        sampling = request.sampling
        ended = tokens[-1] in self._ends
        text = to_text(self._tokenizer, tokens[:-1] if ended else tokens)
        cuts = [text.index(s) for s in sampling.stop if s in text]
        text = text[: min(cuts)] if cuts else text
        # Nine digits are more than float32 logits carry, and fewer bytes to keep.
        log_probs = [round(nats, 9) for nats in log_probs]
        by_token = None
        if self._settings.token_log_probs:
            by_token = spans(self._tokenizer, tokens, log_probs, len(text))
        return Response(
            key=request.key(),
            text=text,
            finish_reason="stop" if ended or cuts else "length",
            prompt_tokens=prompt_tokens,
            completion_tokens=len(tokens),
            log_prob_nats=round(sum(log_probs), 9),
            log_prob_missing=None,
            token_log_probs=by_token,
            model=self._settings.model if self._directory is None else self._directory.name,
            seconds=round(seconds, 3),
            attempts=1,
        )

    def _prompt_tokens(self, request: Request) -> list[int]:
        tokenizer = self._tokenizer
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
    def _ends(self) -> set[int]:
        """Tokens that end a response, as the model or its tokenizer names them."""
        with contextlib.suppress(OSError):  # a model need not have one
            named = GenerationConfig.from_pretrained(
                self._source["pretrained_model_name_or_path"], revision=self._source["revision"]
            ).eos_token_id
            if named is not None:
                return {named} if isinstance(named, int) else set(named)
        candidates = (self._config.get_text_config().eos_token_id, self._tokenizer.eos_token_id)
        ends: set[int] = set()
        for candidate in candidates:
            ends |= {candidate} if isinstance(candidate, int) else set(candidate or ())
        return ends

    @cached_property
    def _config(self) -> Any:
        with self._loading():
            return AutoConfig.from_pretrained(**self._source)

    @cached_property
    def _tokenizer(self) -> PreTrainedTokenizerBase:
        with self._loading():
            tokenizer = AutoTokenizer.from_pretrained(**self._source)
        # Prompts are measured before they are cut or padded to anything.
        tokenizer.model_max_length = 10**9
        return tokenizer

    @cached_property
    def _model(self) -> PreTrainedModel:
        with self._loading():
            model = AutoModelForCausalLM.from_pretrained(
                **self._source, use_safetensors=True, dtype=getattr(torch, self._dtype)
            )
        model.to(self._device).eval()  # type: ignore[arg-type]
        # The sampling settings that come with a model are not the ones asked for.
        model.generation_config = GenerationConfig()  # type: ignore[no-untyped-call]
        return model

    def _loading(self) -> AbstractContextManager[None]:
        return loading(f"{self._settings.model}: cannot be loaded as a model")
