"""Drawing tokens with each request's own random numbers, and what is known of them afterwards."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch
from tokenizers.decoders import DecodeStream
from transformers import (
    GenerationConfig,
    LogitsProcessor,
    LogitsProcessorList,
    StoppingCriteria,
    StoppingCriteriaList,
    TemperatureLogitsWarper,
    TopPLogitsWarper,
)

from ggmi.errors import UserError
from ggmi.models.requests import Request, Sampling, TokenLogProb
from ggmi.random import stream

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

# Keeps a draw below the total mass after rounding, whatever the uniform number.
BELOW_ONE = 1 - 1e-12
# Tokens looked back on, beyond a stop text's bytes, when it may have been completed.
LOOK_BACK = 8
# Tokens between two looks at which responses have ended; those are taken out of the batch.
ROUND = 32


def uniforms(requests: Sequence[Request]) -> NDArray[np.float64]:
    """Random numbers that decide each request's tokens, one a token, from nothing but its key.

    Parameters
    ----------
    requests
        Requests of the same `max_tokens`.

    Returns
    -------
    ndarray, shape (len(requests), max_tokens)
        In [0, 1).
    """
    return np.stack([stream(0, "tokens", r.key()).random(r.sampling.max_tokens) for r in requests])


class Draw(LogitsProcessor):
    """Draws each row's next token by inverting its distribution function at the row's own uniform number.

    The distribution is that of the scores it is given, so it comes last, after temperature and
    top-p; the scores it returns leave one token possible. Rounding that moves the distribution
    function by δ changes a token with a probability of about δ times the number of likely tokens.

    Parameters
    ----------
    numbers : ndarray, shape (B, max_tokens), or None
        Uniform numbers in [0, 1); None takes the most probable token.

    Attributes
    ----------
    log_probs : list of Tensor, each of shape (B,)
        Log-probability in nats of each row's token, a step each; 0 where nothing is random.
    """

    def __init__(self, numbers: NDArray[np.float64] | None) -> None:
        self._numbers = numbers
        self.log_probs: list[torch.Tensor] = []

    def __call__(self, _input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        """Draw a step: scores of shape (B, V) in, the drawn token's 0 and minus infinity elsewhere out."""
        if self._numbers is None:
            tokens = scores.argmax(-1, keepdim=True)
            log_probs = scores.new_zeros(len(scores), dtype=torch.float64)
        else:
            log_p = scores.double().log_softmax(-1)
            cdf = log_p.exp().cumsum(-1)
            step = torch.from_numpy(self._numbers[:, len(self.log_probs)]).to(scores.device)
            target = step[:, None] * cdf[:, -1:] * BELOW_ONE
            tokens = torch.searchsorted(cdf, target, right=True)
            log_probs = log_p.gather(1, tokens)[:, 0]
        self.log_probs.append(log_probs)
        return torch.full_like(scores, -torch.inf).scatter_(1, tokens, 0.0)


class StopText(StoppingCriteria):
    """Ends a row once it holds one of the stop texts.

    Those of transformers (``stop_strings``) cannot be: they fail on a vocabulary of whole words, as the embedded
    world's may be, and a text that begins in the prompt would end a row.

    Parameters
    ----------
    tokenizer
        Turns tokens into text.
    stop
        The texts.
    prompt_length
        Columns that belong to the prompt.

    Attributes
    ----------
    ended : dict of int to int
        Tokens of each row up to and with the one that completed a stop text.
    """

    def __init__(self, tokenizer: PreTrainedTokenizerBase, stop: Sequence[str], prompt_length: int) -> None:
        self._tokenizer = tokenizer
        self._stop = stop
        self._prompt_length = prompt_length
        # A token is at least one byte of text, special tokens aside.
        self._window = max(len(s.encode()) for s in stop) + LOOK_BACK
        self.ended: dict[int, int] = {}

    def __call__(self, input_ids: torch.Tensor, _scores: object, **_kwargs: object) -> torch.Tensor:
        """Which rows have ended: booleans of shape (B,)."""
        written = input_ids[:, self._prompt_length :]
        for row in range(len(written)):
            if row not in self.ended and self._found(written[row, -self._window :]) and self._found(written[row]):
                self.ended[row] = written.shape[1]
        return torch.tensor([row in self.ended for row in range(len(written))], device=input_ids.device)

    def _found(self, tokens: torch.Tensor) -> bool:
        text = to_text(self._tokenizer, tokens.tolist())
        return any(s in text for s in self._stop)


@torch.inference_mode()
def write_tokens(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    prompts: Sequence[Sequence[int]],
    sampling: Sampling,
    numbers: NDArray[np.float64] | None,
    ends: Collection[int],
) -> list[tuple[list[int], list[float]]]:
    """Write a batch of responses.

    Parameters
    ----------
    model, tokenizer
        Who writes.
    prompts
        Tokens of B prompts.
    sampling
        How to draw, the same for all.
    numbers : ndarray, shape (B, max_tokens), or None
        What decides the draws (`uniforms`); None at temperature 0.
    ends
        Tokens that end a response.

    Returns
    -------
    list of (tokens, log_probs)
        For each prompt its response's tokens, up to and with the one that ended it, and their
        log-probabilities in nats.
    """
    width = max(map(len, prompts))
    ids = torch.zeros(len(prompts), width, dtype=torch.long, device=model.device)
    mask = torch.zeros_like(ids)
    for row, prompt in enumerate(prompts):  # padded on the left, so that all responses start in one column
        ids[row, width - len(prompt) :] = torch.tensor(prompt)
        mask[row, width - len(prompt) :] = 1
    warpers: list[LogitsProcessor] = []
    temperature, top_p = sampling.drawn()
    if temperature not in (0, 1):
        warpers.append(TemperatureLogitsWarper(temperature))
    if temperature != 0 and top_p < 1:
        warpers.append(TopPLogitsWarper(top_p))
    written: list[tuple[list[int], list[float]]] = [([], []) for _ in prompts]
    rows = list(range(len(prompts)))
    cache = None
    while rows:
        done = ids.shape[1] - width
        draw = Draw(None if numbers is None else numbers[rows, done:])
        stop = StopText(tokenizer, sampling.stop, width) if sampling.stop else None
        made = model.generate(  # type: ignore[operator]
            input_ids=ids,
            attention_mask=mask,
            past_key_values=cache,
            generation_config=GenerationConfig(  # type: ignore[no-untyped-call]
                max_new_tokens=min(ROUND, sampling.max_tokens - done),
                do_sample=False,
                eos_token_id=sorted(ends) or None,
                pad_token_id=0,
                return_dict_in_generate=True,
            ),
            logits_processor=LogitsProcessorList([*warpers, draw]),
            stopping_criteria=StoppingCriteriaList([stop] if stop else []),
        )
        new = made.sequences[:, ids.shape[1] :]
        log_probs = torch.stack(draw.log_probs, 1).tolist()
        going = []
        for place, tokens in enumerate(new.tolist()):
            end = next((i + 1 for i, token in enumerate(tokens) if token in ends), None)
            if stop and place in stop.ended:
                end = stop.ended[place] - done
            written[rows[place]][0].extend(tokens[:end])
            written[rows[place]][1].extend(log_probs[place][:end])
            if end is None and done + len(tokens) < sampling.max_tokens:
                going.append(place)
        rows = [rows[place] for place in going]
        keep = torch.tensor(going, dtype=torch.long, device=model.device)
        ids = made.sequences[keep]
        mask = torch.cat([mask, torch.ones_like(new)], 1)[keep]
        cache = made.past_key_values
        if rows and len(rows) < len(new):
            cache.batch_select_indices(keep)
    return written


def to_text(tokenizer: PreTrainedTokenizerBase, tokens: list[int]) -> str:
    """Text of tokens as they are, special ones left out."""
    text = tokenizer.decode(tokens, skip_special_tokens=True, clean_up_tokenization_spaces=False)
    assert isinstance(text, str)
    return text


def spans(
    tokenizer: PreTrainedTokenizerBase, tokens: list[int], log_probs: Sequence[float], length: int
) -> tuple[TokenLogProb, ...]:
    """Where each token stands in the text, with its log-probability.

    Parameters
    ----------
    tokenizer
        Turns tokens into text.
    tokens, log_probs
        Of one response, in nats.
    length
        Characters of its text; what lies behind, such as a stop text, gets empty spans.

    Returns
    -------
    tuple of (int, int, float)
        First character, one past the last, nats. A token that completes no character has an empty
        span, and the one that completes it has the character.

    Raises
    ------
    UserError
        If the tokenizer is none of the tokenizers library.
    """
    found = []
    core, place = getattr(tokenizer, "backend_tokenizer", None), 0
    if core is None:
        raise UserError("token_log_probs: this model's tokenizer cannot tell where a token stands; allowed here: false")
    decoder = DecodeStream(ids=None, skip_special_tokens=True)
    for token, nats in zip(tokens, log_probs, strict=True):
        end = place + len(decoder.step(core, token) or "")
        found.append((min(place, length), min(end, length), nats))
        place = end
    return tuple(found)
