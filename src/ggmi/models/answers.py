"""Reading an endpoint's answer: its text, its tokens, and what its log-probabilities are worth."""

from __future__ import annotations

import codecs
import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ggmi.models.faults import Fault, decoded, inert, refusal, told
from ggmi.models.requests import Request, Response, Sampling, TokenLogProb, Usage
from ggmi.models.settings import ClientSettings

# What some servers write for "less likely than can be told", and what rounding makes of a certain token.
UNTOLD, CERTAIN = -9000.0, 1e-3
# Parts of a text by their type; others, such as thoughts, are none.
TEXT_PARTS = ("text", "output_text")
# Settings that change the distribution sampled from and are known by the endpoint only.
_RESHAPING = ("temperature", "top_p", "top_k", "min_p", "typical_p", "top_a", "logit_bias", "repetition_penalty",
              "frequency_penalty", "presence_penalty")  # fmt: skip
_END_TOKEN = re.compile(r"(?:</?[^<>\s]{1,40}>){1,4}")
THOUGHT_ONLY = "nothing but thoughts"
# What endpoints call an answer that was cut at max_tokens, and one that their filter withheld.
CUT = ("length", "max_tokens", "max_output_tokens", "max_length", "token_limit")
FILTERED = ("content_filter", "safety", "recitation", "blocklist", "prohibited_content", "sensitive")
# A shorter key is a word such as EMPTY, which a text may hold.
KEY_LENGTH = 16
_PAIR = re.compile("[\ud800-\udbff][\udc00-\udfff]")
_COMMENTS = re.compile(r"(?::[^\n]{0,200}\n\s{0,8})+(?=\{)")


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
    if settings.log_probs == "sampled":
        return None
    if sampling.temperature is None or sampling.top_p is None:
        return "the endpoint draws at a temperature or top-p of its own, and does not say which"
    if not sampling.is_plain:
        return (
            f"the endpoint tells log-probabilities before temperature {sampling.temperature:g} and "
            f"top-p {sampling.top_p:g}, not of what was sampled from"
        )
    changed = [name for name in _RESHAPING if name in settings.extra]
    return f"the endpoint tells log-probabilities before {', '.join(changed)} of extra" if changed else None


def read_answer(
    body: bytes,
    request: Request,
    settings: ClientSettings,
    prompt_tokens: int,
    seconds: float,
    attempts: int,
    secret: str,
) -> Response:
    """Make a response of what an endpoint answers with HTTP state 200.

    Whatever else is missing or odd, a text that came is kept.

    Parameters
    ----------
    body
        The answer: a chat completion, or the events of a streamed one.
    request
        What was asked.
    settings
        What the person says of the endpoint.
    prompt_tokens
        Our own count, for endpoints that tell none.
    seconds, attempts
        As in the response.
    secret
        The key, to be left out of messages.

    Raises
    ------
    Fault
        If the answer holds no text.
    """
    answer = _decoded(body, secret)
    choice = _choice(answer.get("choices"))
    error = answer.get("error") or (choice.get("error") if isinstance(choice, Mapping) else None)
    finish_reason = choice.get("finish_reason") if isinstance(choice, Mapping) else None
    finish_reason = finish_reason if isinstance(finish_reason, str) and finish_reason else "unknown"
    finish_reason = "length" if finish_reason.lower() in CUT else finish_reason
    if error and (finish_reason == "error" or not _text_of(choice)):
        raise refused({"error": error}, settings.model, getattr(settings, "key_env", None), secret)
    if choice is None:
        if told(answer):
            raise refused(answer, settings.model, getattr(settings, "key_env", None), secret)
        raise Fault("empty answer", "the answer holds no choices", again=True)
    if not isinstance(choice, Mapping):
        raise Fault("damaged answer", "the answer is damaged (a choice is no object)", again=True)
    if finish_reason == "error":
        raise Fault("provider error", "the endpoint's provider failed midway (finish_reason 'error')", again=True)
    text = _text_of(choice)
    counts = answer.get("usage")
    usage: Mapping[str, Any] = counts if isinstance(counts, Mapping) else {}
    read = _count(usage.get("prompt_tokens", usage.get("input_tokens")))
    written = _count(usage.get("completion_tokens", usage.get("output_tokens")))
    thought = _thought(choice, usage)
    if not text.strip():
        used = Usage(0, prompt_tokens if read is None else read, written or 0)
        raise _empty(finish_reason, written, thought, request.sampling.max_tokens, used)
    read, written = read or None, written or None  # a text has tokens, whatever is said
    why_not = why_no_log_probs(settings, request.sampling)
    by_token, reason = _log_probs(choice, text, written, request.sampling.stop, why_not)
    if by_token is not None and thought:
        by_token, reason = None, "the model thought before it wrote, so that the text's probability is not known"
    return Response(
        key=request.key(),
        text=text,
        finish_reason=finish_reason,
        prompt_tokens=prompt_tokens if read is None else read,
        # Without a count, a token has about four characters.
        completion_tokens=math.ceil(len(text) / 4) if written is None else written,
        log_prob_nats=None if by_token is None else round(math.fsum(nats for _, nats in by_token), 9),
        log_prob_missing=reason,
        token_log_probs=_spans(by_token, len(text)) if by_token is not None and settings.token_log_probs else None,
        model=str(answer.get("model")),
        seconds=round(seconds, 3),
        attempts=attempts,
    )


def refused(answer: Mapping[str, Any], model: str, key_env: str | None, secret: str) -> Fault:
    """What an error means that comes with HTTP state 200.

    Parameters
    ----------
    answer
        The answer, or what it has of the error.
    model, key_env, secret
        As of `ggmi.models.faults.refusal`.
    """
    error = answer.get("error")
    codes = [part.get(name) for part in (error, answer) if isinstance(part, Mapping) for name in ("code", "status")]
    states = [int(code) for code in map(str, codes) if re.fullmatch("[45][0-9]{2}", code)]
    return refusal(states[0] if states else 200, answer, {}, model, key_env, secret)


def _choice(choices: object) -> object:
    """Of several choices the first that holds a text; None where there is none."""
    if not isinstance(choices, list) or not choices:
        return None
    ordered = sorted(choices, key=lambda one: _count(one.get("index")) or 0 if isinstance(one, Mapping) else 0)
    return next((one for one in ordered if _text_of(one).strip()), ordered[0])


def _decoded(body: bytes, secret: str) -> Mapping[str, Any]:
    """An answer as an object, streamed or not."""
    start = decoded(body).lstrip("\ufeff \t\r\n")
    if len(secret) >= KEY_LENGTH:
        start = start.replace(secret, "[key]")  # some servers send back what they were sent
    if comments := _COMMENTS.match(start):
        start = start[comments.end() :]
    if start.startswith(("data:", "event:", ":", "id:")):
        return _joined(start, secret)
    try:
        answer, end = json.JSONDecoder().raw_decode(start)
        if start[end:].strip() and not start[end:].lstrip().startswith("data:"):
            json.loads(start)  # says what is wrong
    except (ValueError, RecursionError) as error:
        if start.startswith(("{", "[")) or not start:
            raise Fault("damaged answer", f"the answer is damaged ({inert(error, secret)})", again=True) from None
        raise Fault("no JSON", f"the endpoint answers no JSON but {inert(start, secret)!r}", again=True) from None
    if isinstance(answer, list) and len(answer) == 1:
        answer = answer[0]
    if not isinstance(answer, Mapping):
        raise Fault("damaged answer", f"the answer is a {type(answer).__name__}, no chat completion", again=True)
    return answer


def _joined(body: str, secret: str) -> Mapping[str, Any]:
    """The completion that a stream's events make up; of several choices the first."""
    answer: dict[str, Any] = {}
    message: dict[str, Any] = {}
    choice: dict[str, Any] = {"message": message}
    tokens: list[Any] = []
    done = False
    for chunk in _events(body, secret):
        if chunk is None:
            done = True
            continue
        answer |= {name: value for name, value in chunk.items() if name != "choices" and value is not None}
        for piece in chunk.get("choices") or ():
            if not isinstance(piece, Mapping) or piece.get("index"):
                continue
            delta = piece.get("delta") or piece.get("message") or {}
            for name, part in delta.items():
                if isinstance(part, str) and name != "role":
                    message[name] = str(message.get(name) or "") + part
                elif isinstance(part, list):
                    message[name] = [*(message.get(name) or []), *part]
            choice |= {name: piece[name] for name in ("finish_reason", "error") if piece.get(name)}
            if isinstance(piece.get("logprobs"), Mapping):
                tokens += piece["logprobs"].get("content") or []
    if "finish_reason" not in choice and answer.get("error"):
        choice["finish_reason"] = "error"
    if not done and "finish_reason" not in choice:
        raise Fault("damaged answer", "the answer's stream ends before the answer does", again=True)
    if isinstance(message.get("content"), str):  # a character may have come in two halves
        whole = (
            half[0].encode("utf-16", "surrogatepass").decode("utf-16") for half in _PAIR.finditer(message["content"])
        )
        message["content"] = _PAIR.sub(lambda _: next(whole), message["content"])
    choice["logprobs"] = {"content": tokens} if tokens else None
    return {**answer, "choices": [choice]}


def _events(body: str, secret: str) -> Iterator[Mapping[str, Any] | None]:
    """The objects of a stream, and None for its end."""
    for line in re.split("\r\n|\n|\r", body):  # other separators may stand in a text
        name, _, data = line.partition(":")
        if name != "data":
            continue
        if data.strip() == "[DONE]":
            yield None
            continue
        try:
            chunk = json.loads(data)
        except (ValueError, RecursionError) as error:
            raise Fault("damaged answer", f"the answer is damaged ({inert(error, secret)})", again=True) from None
        if isinstance(chunk, Mapping):
            yield chunk


def _text_of(choice: object) -> str:
    """What the model wrote: text, the text among several parts, a refusal, or what it wrote into a tool's call."""
    if not isinstance(choice, Mapping):
        return ""
    message = choice.get("message")
    message = message if isinstance(message, Mapping) else {"content": message}
    content = message.get("content")
    if isinstance(content, list):
        content = "".join(map(_part, content))
    elif isinstance(content, Mapping):
        content = _part(content) or json.dumps(content, ensure_ascii=False)
    if not content:
        calls = message.get("tool_calls")
        functions = [c.get("function") for c in calls if isinstance(c, Mapping)] if isinstance(calls, list) else []
        written = [f.get("arguments") for f in (*functions, message.get("function_call")) if isinstance(f, Mapping)]
        content = message.get("refusal") or "\n".join(w for w in written if isinstance(w, str)) or choice.get("text")
    return content if isinstance(content, str) else ""


def _part(part: object) -> str:
    """The text of one of several parts."""
    if isinstance(part, Mapping) and part.get("type", "text") in TEXT_PARTS:
        part = part.get("text")
    return part if isinstance(part, str) else ""


def _thought(choice: Mapping[str, Any], usage: Mapping[str, Any]) -> bool:
    """Whether the model thought where the text does not show it."""
    message = choice.get("message")
    message = message if isinstance(message, Mapping) else {}
    details = usage.get("completion_tokens_details")
    hidden = _count(details.get("reasoning_tokens")) if isinstance(details, Mapping) else None
    content = message.get("content")
    parts = content if isinstance(content, list) else []
    kinds = {part.get("type", "text") for part in parts if isinstance(part, Mapping)}
    return bool(message.get("reasoning_content") or message.get("reasoning") or hidden or kinds - {*TEXT_PARTS})


def _empty(finish_reason: str, written: int | None, thought: bool, most: int, used: Usage) -> Fault:
    """What an answer without a text means."""
    if finish_reason == "length":
        spent = f"all {written:,} tokens" if written else "all tokens"
        said = f"{spent} went into thinking, and no answer came; raise max_tokens (now {most:,})"
        return Fault(THOUGHT_ONLY, said, used=used)
    if finish_reason.lower() in FILTERED:
        return Fault("content filter", "the endpoint's filter withheld the answer", again=True, used=used)
    if thought:
        return Fault(THOUGHT_ONLY, "the model thought and wrote no answer", again=True, used=used)
    said = f"the answer holds no text (finish_reason {inert(finish_reason)!r})"
    return Fault("empty text", said, again=True, used=used)


def _count(value: object) -> int | None:
    """A number of tokens, also as text; None for anything else."""
    if isinstance(value, str) and re.fullmatch("[0-9]{1,15}", value):
        return int(value)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 2**53:
        return None
    return int(value)


def _log_probs(
    choice: Mapping[str, Any], text: str, written: int | None, stops: Sequence[str], reason: str | None
) -> tuple[list[tuple[bytes, float]] | None, str | None]:
    """Bytes and nats of each token, or why not."""
    if reason is not None:
        return None, reason
    given = choice.get("logprobs")
    pairs = list(_tokens(given)) if isinstance(given, Mapping) else []
    if not pairs:
        return None, "the endpoint gives none"
    if any(piece is None for piece, _ in pairs):
        return None, "the endpoint gives them in a form that is not known"
    pieces = [piece or b"" for piece, _ in pairs]
    spelled = b"".join(pieces).decode("utf-8", "replace")
    core = text.strip()
    rest = spelled.lstrip().removeprefix(core).strip().strip("\ufffd")
    # Behind the text may stand the end-of-text token, or the text that ended it.
    ended = (
        not rest or _END_TOKEN.fullmatch(rest) or any(rest.startswith(stop) for stop in map(str.strip, stops) if stop)
    )
    if not spelled.lstrip().startswith(core) or not ended:
        return None, "the endpoint's tokens do not spell the text (they may cover its thoughts, or be numbers)"
    if written is not None and len(pairs) < written - 1:  # the end-of-text token may be counted and not listed
        return None, f"the endpoint gives them for {len(pairs)} of {written} tokens"
    nats = [value for _, value in pairs]
    unknown = sum(value is None for value in nats)
    if unknown:
        return None, f"the endpoint gives none for {unknown} of {len(nats)} tokens"
    known = [value for value in nats if value is not None]
    if any(not UNTOLD < value <= CERTAIN for value in known):
        return None, "the endpoint does not tell that of an unlikely token"
    if lead := len(spelled) - len(spelled.lstrip()) - (len(text) - len(text.lstrip())):
        pieces[0] = pieces[0].decode("utf-8", "replace")[max(lead, 0) :].encode()
    return [(piece, min(value, 0.0)) for piece, value in zip(pieces, known, strict=True)], None


def _tokens(given: Mapping[str, Any]) -> Iterator[tuple[bytes | None, float | None]]:
    """Each token's bytes and nats, in today's form or that of the older completions; None where there is none."""
    listed = given.get("content")
    if not isinstance(listed, list):
        names, values = given.get("tokens"), given.get("token_logprobs")
        whole = isinstance(names, list) and isinstance(values, list) and len(names) == len(values)
        listed = [{"token": n, "logprob": v} for n, v in zip(names, values, strict=True)] if whole else []  # type: ignore[arg-type]
    for token in listed:
        if not isinstance(token, Mapping):
            yield None, None
            continue
        value = token.get("logprob")
        nats = float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
        raw, name = token.get("bytes"), token.get("token")
        if isinstance(raw, list) and all(isinstance(b, int) and 0 <= b < 256 for b in raw):
            yield bytes(raw), nats
        else:
            yield name.encode("utf-8", "surrogatepass") if isinstance(name, str) else None, nats


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
