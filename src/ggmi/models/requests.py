"""What is asked of a model, what it answers, and the key that joins the two."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Container, Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields
from functools import cached_property
from typing import Any

# One token's part of a response: first character, one past the last, log-probability in nats.
TokenLogProb = tuple[int, int, float]


@dataclass(frozen=True)
class Sampling:
    """How a response is drawn from a model's distribution.

    Parameters
    ----------
    temperature
        Divides the logits; 0 takes the most probable token; None leaves it to an endpoint.
    top_p
        Tokens are drawn from the smallest set that holds at least this probability; None leaves it
        to an endpoint.
    max_tokens
        Tokens of a response at most.
    stop
        Texts that end a response and are not part of it.
    seed
        Random numbers start from it; a local model draws from its key where none is given, an
        endpoint is sent none.

    Raises
    ------
    ValueError
        If a setting is out of range.
    """

    temperature: float | None = 1.0
    top_p: float | None = 1.0
    max_tokens: int = 1024
    stop: tuple[str, ...] = ()
    seed: int | None = None

    def __post_init__(self) -> None:
        drawn = (self.temperature is None or self.temperature >= 0) and (self.top_p is None or 0 < self.top_p <= 1)
        if not (drawn and self.max_tokens >= 1 and all(self.stop)):
            raise ValueError(f"{self} is out of range")

    @classmethod
    def of(cls, settings: Mapping[str, Any]) -> Sampling:
        """How is drawn, by a section of the configuration."""
        return cls(**{**settings, "stop": tuple(settings["stop"])})

    def drawn(self) -> tuple[float, float]:
        """Temperature and top-p of a model in this process, which has none of its own: 1 where they are None."""
        return (
            1.0 if self.temperature is None else float(self.temperature),
            1.0 if self.top_p is None else float(self.top_p),
        )

    @property
    def is_plain(self) -> bool:
        """Whether tokens are drawn from the model's own distribution, neither tempered nor cut."""
        return self.temperature == 1 and self.top_p == 1


@dataclass(frozen=True)
class Request:
    """One response asked of one model.

    Parameters
    ----------
    identity
        What the backend says of itself (`ggmi.models.protocol.Backend.identity`).
    prompt
        The prompt.
    sampling
        How to draw.
    system
        The system prompt; empty for none.
    draw
        Which of several responses to the same prompt.
    prompt_id
        Name of the prompt elsewhere; decides nothing and is not part of the key.
    """

    identity: Mapping[str, Any]
    prompt: str
    sampling: Sampling
    system: str = ""
    draw: int = 0
    prompt_id: str = field(default="", compare=False)

    def messages(self) -> list[dict[str, str]]:
        """The request in the form that chat models take."""
        system = [{"role": "system", "content": self.system}] if self.system else []
        return [*system, {"role": "user", "content": self.prompt}]

    def key(self) -> str:
        """Hash of everything that decides the response.

        Returns
        -------
        str
            64 hexadecimal digits (SHA-256).

        Examples
        --------
        >>> one = Request({"kind": "local", "model": "m"}, "Hello", Sampling(), prompt_id="a")
        >>> other = Request({"model": "m", "kind": "local"}, "Hello", Sampling(), prompt_id="b")
        >>> one.key() == other.key()
        True
        >>> Request(one.identity, "Hello", Sampling(), draw=1).key() == one.key()
        False
        """
        return self._key

    def drawn_seed(self) -> int:
        """Seed to send with the request: one for each draw, the same at whatever address the model answers.

        Returns
        -------
        int
            31 bits, which every server takes.

        Examples
        --------
        >>> addresses = [{"model": "m", "base_url": f"http://localhost:{port}/v1"} for port in (8000, 8001)]
        >>> here, there = (Request(address, "Hello", Sampling(seed=1)) for address in addresses)
        >>> here.drawn_seed() == there.drawn_seed(), here.key() == there.key()
        (True, False)
        """
        return int(self._hash({k: v for k, v in self.identity.items() if k != "base_url"})[:8], 16) >> 1

    @cached_property
    def _key(self) -> str:
        return self._hash(self.identity)

    def _hash(self, identity: Mapping[str, Any]) -> str:
        """Hash of the request as one to the model of an identity."""
        decides = {f.name: getattr(self, f.name) for f in fields(self) if f.compare}
        decides["identity"] = dict(identity)
        decides["sampling"] = asdict(self.sampling)
        text = json.dumps(decides, sort_keys=True, separators=(",", ":"), allow_nan=False)
        return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True)
class Response:
    """A model's raw answer to one request.

    Parameters
    ----------
    key
        The request's key.
    text
        What the model wrote, untouched.
    finish_reason
        ``stop`` (the model ended, or wrote a stop text), ``length`` (cut at ``max_tokens``), or
        whatever else an endpoint names.
    prompt_tokens, completion_tokens
        Counts as the model's tokenizer makes them; the end-of-text token counts.
    log_prob_nats
        Log-probability of the response, in nats, under the distribution it was really drawn from,
        after temperature and top-p; None where it is not known.
    log_prob_missing
        Why it is not known; None where it is.
    token_log_probs
        Per token ``(first character, one past the last, nats)``; a token that completes no
        character, such as the end of text, has an empty span. None where not asked or not known.
    model
        The model as the one who answered names it.
    seconds
        Time from the first attempt to the answer; differs from run to run.
    attempts
        How often it was asked; differs from run to run.
    """

    key: str
    text: str
    finish_reason: str
    prompt_tokens: int
    completion_tokens: int
    log_prob_nats: float | None
    log_prob_missing: str | None
    token_log_probs: tuple[TokenLogProb, ...] | None
    model: str
    seconds: float
    attempts: int

    def content(self) -> dict[str, Any]:
        """All but `seconds` and `attempts`: what may decide an artifact that must repeat byte for byte."""
        return {k: v for k, v in asdict(self).items() if k not in ("seconds", "attempts")}

    def to_json(self) -> str:
        """The response as one line of ASCII, without its line end."""
        return json.dumps(asdict(self), allow_nan=False, separators=(",", ":"))

    @classmethod
    def from_json(cls, line: str | bytes) -> Response:
        """Read a response back.

        Raises
        ------
        ValueError
            If the line is not one that `to_json` wrote.
        """
        try:
            values = json.loads(line)
            spans = values["token_log_probs"]
            values["token_log_probs"] = (
                None if spans is None else tuple((int(a), int(b), float(c)) for a, b, c in spans)
            )
            response = cls(**values)
        except (TypeError, KeyError, RecursionError) as error:
            raise ValueError(f"is no response ({type(error).__name__})") from error
        texts = (response.key, response.text, response.finish_reason, response.model)
        counts = (response.prompt_tokens, response.completion_tokens, response.attempts)
        if not all(isinstance(t, str) for t in texts) or not all(isinstance(c, int) for c in counts):
            raise ValueError("is no response (a field is of the wrong type)")
        return response


@dataclass(frozen=True)
class Usage:
    """Responses received and tokens paid for.

    Examples
    --------
    >>> Usage(1, 10, 5) + Usage(1, 20, 5)
    Usage(responses=2, prompt_tokens=30, completion_tokens=10)
    """

    responses: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0

    @classmethod
    def of(cls, response: Response) -> Usage:
        """What one response used."""
        return cls(1, response.prompt_tokens, response.completion_tokens)

    def __add__(self, other: Usage) -> Usage:
        return Usage(
            self.responses + other.responses,
            self.prompt_tokens + other.prompt_tokens,
            self.completion_tokens + other.completion_tokens,
        )

    @property
    def tokens(self) -> int:
        """Tokens read and written."""
        return self.prompt_tokens + self.completion_tokens


def missing(requests: Iterable[Request], kept: Container[str]) -> list[Request]:
    """Requests whose responses are not kept yet, each key once, in their order.

    Parameters
    ----------
    requests
        What is wanted.
    kept
        Keys of the responses at hand.
    """
    wanted: dict[str, Request] = {}
    for request in requests:
        wanted.setdefault(request.key(), request)
    return [request for key, request in wanted.items() if key not in kept]
