"""Reading an endpoint's answer: its text, its tokens, and what its log-probabilities are worth."""

from __future__ import annotations

import codecs
import math
from collections.abc import Sequence

from openai.types.chat import ChatCompletion
from openai.types.chat.chat_completion import Choice

from ggmi.models.faults import Fault, inert
from ggmi.models.requests import Request, Response, Sampling, TokenLogProb
from ggmi.models.settings import ClientSettings

# What some servers write for "less likely than can be told".
UNTOLD = -9000.0


def why_no_log_probs(settings: ClientSettings, sampling: Sampling) -> str | None:
    """Why an endpoint's log-probabilities would not be those of the distribution sampled from.

    Parameters
    ----------
    settings
        What the person says of the endpoint.
    sampling
        How is drawn.

    Returns
    -------
    str or None
        None if they are worth asking for.

    Examples
    --------
    >>> settings = ClientSettings(model="m")
    >>> why_no_log_probs(settings, Sampling())
    >>> why_no_log_probs(settings, Sampling(temperature=0.7))
    'the endpoint tells log-probabilities before temperature 0.7 and top-p 1, not of what was sampled from'
    """
    if settings.log_probs == "none":
        return "not asked for"
    if sampling.temperature == 0:
        return "at temperature 0 the endpoint's log-probabilities are not of the distribution sampled from"
    if settings.log_probs == "model" and not sampling.is_plain:
        return (
            f"the endpoint tells log-probabilities before temperature {sampling.temperature:g} and "
            f"top-p {sampling.top_p:g}, not of what was sampled from"
        )
    return None


def read_answer(
    answer: object,
    request: Request,
    settings: ClientSettings,
    prompt_tokens: int,
    seconds: float,
    attempts: int,
    secret: str,
) -> Response:
    """Make a response of what the client gives.

    Parameters
    ----------
    answer
        Whatever came; text, if it was no JSON.
    request
        What was asked.
    settings
        What the person says of the endpoint.
    prompt_tokens
        Our own count, for endpoints that tell none.
    seconds, attempts
        How long and how often it was asked.
    secret
        The key, to be left out of every message.

    Raises
    ------
    Fault
        If the answer is none; all of these may go better another time.
    """
    if isinstance(answer, str):
        told = inert(answer, secret) or "nothing"
        raise Fault("no JSON", f"the endpoint answers no JSON but {told!r}", again=True)
    if not isinstance(answer, ChatCompletion):
        raise Fault("damaged answer", f"the answer is a {type(answer).__name__}, no chat completion", again=True)
    if not isinstance(answer.choices, list) or not answer.choices:
        raise Fault("empty answer", "the answer holds no choices", again=True)
    choice = answer.choices[0]
    try:
        text = choice.message.content or choice.message.refusal or ""
        finish_reason = choice.finish_reason or "unknown"
        used = answer.usage
        read = prompt_tokens if used is None else int(used.prompt_tokens)
        # Without a count, a token has about four characters.
        written = math.ceil(len(text) / 4) if used is None else int(used.completion_tokens)
        by_token, reason = _log_probs(choice, written, why_no_log_probs(settings, request.sampling))
        if not isinstance(text, str) or not isinstance(finish_reason, str):
            raise TypeError("text is not text")
    except (AttributeError, TypeError, ValueError) as error:
        raise Fault("damaged answer", f"the answer is damaged ({inert(error, secret)})", again=True) from None
    return Response(
        key=request.key(),
        text=text,
        finish_reason=finish_reason,
        prompt_tokens=read,
        completion_tokens=written,
        log_prob_nats=None if by_token is None else round(math.fsum(nats for _, nats in by_token), 9),
        log_prob_missing=reason,
        token_log_probs=_spans(by_token, len(text)) if by_token is not None and settings.token_log_probs else None,
        model=str(answer.model),
        seconds=round(seconds, 3),
        attempts=attempts,
    )


def _log_probs(choice: Choice, written: int, reason: str | None) -> tuple[list[tuple[bytes, float]] | None, str | None]:
    """Bytes and nats of each token, or why not."""
    if reason is not None:
        return None, reason
    listed = choice.logprobs.content if choice.logprobs else None
    if listed is None:
        return None, "the endpoint gives none"
    # The end-of-text token may be counted but not listed.
    if not written - 1 <= len(listed) <= written:
        return None, f"the endpoint gives them for {len(listed)} of {written} tokens"
    found = [(bytes(t.bytes) if t.bytes is not None else t.token.encode(), float(t.logprob)) for t in listed]
    if any(not UNTOLD < nats <= 0 for _, nats in found):
        return None, "the endpoint does not tell that of an unlikely token"
    return found, None


def _spans(tokens: Sequence[tuple[bytes, float]], length: int) -> tuple[TokenLogProb, ...]:
    """Where tokens stand in the text: a character belongs to the token that completes it."""
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    found = []
    place = 0
    for piece, nats in tokens:
        end = place + len(decoder.decode(piece))
        found.append((min(place, length), min(end, length), nats))
        place = end
    return tuple(found)
