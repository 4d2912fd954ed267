"""Reward models: sequence classifiers of transformers with one output, asked like any other backend.

The reward of a text is the raw output, which is kept in a store as responses are, so that a search that was cut
off scores nothing twice.
"""

from __future__ import annotations

import time
from collections.abc import Container, Mapping, Sequence
from functools import cached_property
from typing import Any

import torch
from transformers import AutoConfig, AutoModelForSequenceClassification, AutoTokenizer

from ggmi.errors import UserError
from ggmi.loading import chosen_device, chosen_dtype, hub_source, loading, quiet, threads
from ggmi.models.directory import fingerprint, own_directory
from ggmi.models.entailment import window_of
from ggmi.models.protocol import Meter, OnProgress, OnResponse, Outcome
from ggmi.models.requests import Request, Response, Usage, missing
from ggmi.models.settings import RewardSettings

# Digits of a reward that is kept: the last bits depend on which texts are read together.
DIGITS = 5


class RewardBackend:
    """A reward model in this process.

    A request's system prompt is the question, its prompt the solution so far; they are read as a chat where the
    tokenizer has a template for chats, else one after the other.

    Parameters
    ----------
    settings
        See `ggmi.models.settings.RewardSettings`.

    Raises
    ------
    UserError
        If the directory does not exist or is no model.
    """

    def __init__(self, settings: RewardSettings) -> None:
        self._settings = settings
        self._directory = own_directory(settings.model)
        self._device = chosen_device(settings.device)
        self._dtype = chosen_dtype(settings.dtype, self._device)
        self._source = hub_source(str(self._directory or settings.model), settings.revision)

    @cached_property
    def identity(self) -> Mapping[str, Any]:
        """The model by its content (directory) or commit (hub), and its number format."""
        if self._directory is not None:
            return {"kind": "reward", "model": fingerprint(self._directory), "dtype": self._dtype}
        with self._loading():
            commit = AutoConfig.from_pretrained(**self._source)._commit_hash
        return {"kind": "reward", "model": self._settings.model, "revision": str(commit), "dtype": self._dtype}

    def generate(
        self,
        requests: Sequence[Request],
        *,
        kept: Container[str],
        spent: Usage,
        on_response: OnResponse,
        on_progress: OnProgress | None = None,
    ) -> Outcome:
        """Score what is missing, batch by batch.

        Parameters and errors are those of `ggmi.models.protocol.Backend.generate`.

        Raises
        ------
        UserError
            Also if a text is longer than the model's window.
        """
        todo = missing(requests, kept)
        total = len(missing(requests, ()))
        meter = Meter(total, total - len(todo), spent, on_progress=on_progress)
        texts = [self._tokens(request) for request in todo]
        # Longest first: what does not fit into memory shows at once.
        order = sorted(range(len(todo)), key=lambda i: (-len(texts[i]), todo[i].key()))
        size = self._settings.batch_size
        with threads(self._settings.threads):
            for first in range(0, len(order), size):
                batch = order[first : first + size]
                started = time.monotonic()
                rewards = self._rewards([texts[i] for i in batch])
                for i, reward in zip(batch, rewards, strict=True):
                    response = self._response(todo[i], reward, len(texts[i]), time.monotonic() - started)
                    on_response(response)
                    meter.count(response)
        return Outcome(meter.received)

    def _tokens(self, request: Request) -> list[int]:
        """The question and the solution as the model reads them."""
        tokenizer = self._tokenizer
        if tokenizer.chat_template:
            turns = [{"role": "user", "content": request.system}, {"role": "assistant", "content": request.prompt}]
            with loading(f"{self._settings.model}: its chat template refuses {request.prompt_id}"):
                text = str(tokenizer.apply_chat_template(turns, tokenize=False))
            found: list[int] = tokenizer(text, add_special_tokens=False).input_ids
        else:
            found = tokenizer(f"{request.system}\n{request.prompt}").input_ids
        if len(found) > self._window:
            raise UserError(
                f"{self._settings.model}: the context window holds {self._window} tokens, but {request.prompt_id} with "
                f"its question has {len(found)}; allow fewer steps or shorter ones"
            )
        return found

    def _rewards(self, batch: Sequence[list[int]]) -> list[float]:
        """The model's output for texts that are read together."""
        padded = self._tokenizer.pad({"input_ids": list(batch)}, return_tensors="pt").to(self._device)
        try:
            with torch.inference_mode():
                logits = self._model(**padded).logits
        except torch.OutOfMemoryError:
            raise UserError(
                f"{self._settings.model}: {len(batch)} texts at the same time do not fit into the memory of the GPU; "
                f"set batch_size below {self._settings.batch_size}"
            ) from None
        return [round(value, DIGITS) for value in logits[:, 0].double().tolist()]

    def _response(self, request: Request, reward: float, tokens: int, seconds: float) -> Response:
        return Response(
            key=request.key(),
            text=repr(reward),
            finish_reason="stop",
            prompt_tokens=tokens,
            completion_tokens=0,
            log_prob_nats=None,
            log_prob_missing="a reward is no text",
            token_log_probs=None,
            model=self._settings.model if self._directory is None else self._directory.name,
            seconds=round(seconds, 3),
            attempts=1,
        )

    @cached_property
    def _tokenizer(self) -> Any:
        with self._loading():
            tokenizer = AutoTokenizer.from_pretrained(**self._source)
        if tokenizer.pad_token_id is None:
            tokenizer.pad_token = tokenizer.eos_token
        return tokenizer

    @cached_property
    def _window(self) -> int:
        return min(window_of(self._model), self._tokenizer.model_max_length)

    @cached_property
    def _model(self) -> Any:
        with self._loading(), quiet():
            net, info = AutoModelForSequenceClassification.from_pretrained(
                **self._source, use_safetensors=True, dtype=getattr(torch, self._dtype), output_loading_info=True
            )
        outputs = net.config.num_labels
        if outputs != 1:
            raise UserError(f"{self._settings.model}: has {outputs} outputs; a reward model has one")
        if info["missing_keys"]:
            lacks = min(info["missing_keys"])
            raise UserError(f"{self._settings.model}: its weights lack {lacks}; a trained reward model is needed")
        # Which of a text's tokens is its last, the model tells by what pads the others.
        net.config.pad_token_id = self._tokenizer.pad_token_id
        return net.to(self._device).eval()

    def _loading(self) -> Any:
        return loading(f"{self._settings.model}: cannot be loaded as a reward model")
