"""Reward models: sequence classifiers of transformers with one output, asked like any other backend.

The reward of a text is the raw output, which is kept in a store as responses are, so that a search that was cut
off scores nothing twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import torch
from transformers import AutoModelForSequenceClassification

from ggmi.errors import UserError
from ggmi.loading import loading
from ggmi.models.entailment import window_of
from ggmi.models.in_process import InProcessBackend
from ggmi.models.requests import Request
from ggmi.models.settings import RewardSettings

# Digits of a reward that is kept: the last bits depend on which texts are read together.
DIGITS = 5


class RewardBackend(InProcessBackend):
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

    kind, unit = "reward", "texts"

    def __init__(self, settings: RewardSettings) -> None:
        super().__init__(settings, "cannot be loaded as a reward model")

    def _batches(self, unique: Sequence[Request], todo: Sequence[Request]) -> list[list[Request]]:  # noqa: ARG002
        # Longest first: what does not fit into memory shows at once.
        lengths = {request.key(): len(self._tokens(request)) for request in todo}
        return self._cut(sorted(todo, key=lambda r: (-lengths[r.key()], r.key())))

    def _answer(self, batch: Sequence[Request]) -> list[dict[str, Any]]:
        texts = [self._tokens(request) for request in batch]
        padded = self._tokenizer.pad({"input_ids": texts}, return_tensors="pt").to(self._device)
        with torch.inference_mode():
            rewards = self._model(**padded).logits[:, 0].double().tolist()
        return [
            {
                "text": repr(round(reward, DIGITS)),
                "finish_reason": "stop",
                "prompt_tokens": len(text),
                "completion_tokens": 0,
                "log_prob_nats": None,
                "log_prob_missing": "a reward is no text",
                "token_log_probs": None,
            }
            for reward, text in zip(rewards, texts, strict=True)
        ]

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

    @cached_property
    def _tokenizer(self) -> Any:
        tokenizer = self._hub.tokenizer
        if tokenizer.pad_token_id is None:
            tokenizer.pad_token = tokenizer.eos_token
        return tokenizer

    @cached_property
    def _window(self) -> int:
        return min(window_of(self._model), self._hub.longest)

    @cached_property
    def _model(self) -> Any:
        net, info = self._hub.weights(
            AutoModelForSequenceClassification, getattr(torch, self._dtype), output_loading_info=True
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
