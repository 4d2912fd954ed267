"""What goes wrong at an endpoint: tried again, given up, or the end of the run; told without the key."""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime

import httpx

from ggmi.models.requests import Usage

# HTTP states that pass: conflict and timeout at the server, too early, rate limit, any error of its own.
PASSING = {408, 409, 425, 429}
# Characters of an endpoint's own message that are told.
TOLD = 240
# What an error says, not far from its name, of a request's parameter that its endpoint does not take, and the
# setting that leaves it out.
_UNWANTED = re.compile(
    r"unsupported|not support|n't support|not (?:enabled|allowed|permitted|available|implemented)|unrecogni|unknown"
    r"|invalid|extra_forbidden|cannot|only|deprecated|removed?|omit|must (?:be|not)",
    re.IGNORECASE,
)
NEAR = 80
_SETTINGS = {
    "logprobs": "log_probs: none",
    "temperature": "sampling.temperature: null",
    "top_p": "sampling.top_p: null",
    "stop": "sampling.stop: []",
}
# How endpoints tell in words how long to wait.
_AGAIN_IN = re.compile(
    r"(?:try again|retry|reset\w*|wait)(?: \w+){0,3}? (?:in|after|for) "
    r"(?:(\d+)\s?h(?:ours?)?)?\s?(?:(\d+)\s?m(?:in\w*)?(?!s))?\s?(?:(\d+(?:\.\d+)?)\s?(ms|s)\w*)?",
    re.IGNORECASE,
)


@dataclass
class Fault(Exception):  # noqa: N818 - a fault of the endpoint, not an error of the program
    """One attempt that brought no response.

    Parameters
    ----------
    reason
        Few words, to be counted.
    message
        One sentence.
    again
        Whether another attempt may go better.
    wait
        Seconds that the endpoint asks to wait; None if it does not say.
    everyone
        Whether all requests have to wait, not only this one.
    ends
        Whether no other request would fare better.
    used
        Tokens that were paid for.
    attempts
        How often the request was tried.
    """

    reason: str
    message: str
    again: bool = False
    wait: float | None = None
    everyone: bool = False
    ends: bool = False
    used: Usage = field(default_factory=Usage)
    attempts: int = 1


def inert(text: object, secret: str = "") -> str:
    r"""An endpoint's words on one line, without control characters and without the key.

    Parameters
    ----------
    text
        What it said.
    secret
        The key.

    Examples
    --------
    >>> inert("no such key:\n\x1b[31msk-1234", "sk-1234")
    'no such key: [31m[key]'
    """
    # The key goes last, since leaving characters out may make it whole; a page may be megabytes long.
    words = " ".join(str(text)[: 100 * TOLD].split())
    words = "".join(c for c in words if c.isprintable())
    if secret:
        words = words.replace(secret, "[key]")
    return words if len(words) <= TOLD else words[:TOLD] + "…"


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds that a server asks to wait, given in milliseconds, in seconds or as a date.

    Parameters
    ----------
    headers
        Of the server's answer; names in small letters. A date is compared with the server's own
        clock where it tells it.

    Returns
    -------
    float or None
        None if it asks nothing that can be understood.

    Examples
    --------
    >>> retry_after({"retry-after": "2.5"})
    2.5
    >>> retry_after({"date": "Mon, 05 May 2025 10:00:00 GMT", "retry-after": "Mon, 05 May 2025 10:01:00 GMT"})
    60.0
    """
    value = headers.get("retry-after", "")
    try:
        exact = "retry-after-ms" in headers
        seconds = float(headers["retry-after-ms"]) / 1000 if exact else float(value)
    except ValueError:
        try:
            until = parsedate_to_datetime(value).timestamp()
            now = parsedate_to_datetime(headers["date"]).timestamp() if "date" in headers else time.time()
        except (ValueError, OverflowError):
            return None
        seconds = until - now
    return max(seconds, 0.0) if seconds < float("inf") else None


def wait_in_words(said: str) -> float | None:
    """Seconds that an endpoint's message asks to wait; None if it names none.

    Examples
    --------
    >>> wait_in_words("Limit 3, Used 3. Please try again in 7m12s."), wait_in_words("try again in 850ms")
    (432.0, 0.85)
    """
    found = _AGAIN_IN.search(said)
    if not found or not any(found.groups()):
        return None
    hours, minutes, seconds, unit = found.groups()
    return 3600 * int(hours or 0) + 60 * int(minutes or 0) + float(seconds or 0) / (1000 if unit == "ms" else 1)


def of_error(error: httpx.HTTPError | TimeoutError, secret: str) -> Fault:
    """What an exception on the way to an endpoint means.

    Parameters
    ----------
    error
        What was raised.
    secret
        The key, to be left out of every message.
    """
    if isinstance(error, httpx.TimeoutException | TimeoutError):
        return Fault("timed out", "the endpoint did not answer in time", again=True)
    told = inert(error, secret) or type(error).__name__
    if "CERTIFICATE_VERIFY_FAILED" in str(error):
        hint = "SSL_CERT_FILE names a file of the certificates to trust"
        return Fault("connection", f"the endpoint's certificate is not trusted ({told}); {hint}", ends=True)
    if isinstance(error, httpx.DecodingError | httpx.TooManyRedirects):
        return Fault("damaged answer", f"the answer is damaged ({told})", again=True)
    return Fault("connection", f"the connection failed ({told})", again=True)


def of_status(answer: httpx.Response, model: str, key_env: str | None, secret: str) -> Fault:
    """What an endpoint's error means.

    Parameters
    ----------
    answer
        Of an HTTP state of 400 and more.
    model
        The model asked.
    key_env
        Name of the environment variable of the key.
    secret
        The key, to be left out of every message.
    """
    try:
        body: object = answer.json()
    except (ValueError, RecursionError):
        body = answer.text
    return refusal(answer.status_code, body, answer.headers, model, key_env, secret)


def refusal(
    status: int, body: object, headers: Mapping[str, str], model: str, key_env: str | None, secret: str
) -> Fault:
    """What an endpoint's error means.

    Parameters
    ----------
    status
        The HTTP state, or the code that stands in an error with state 200.
    body
        What came: JSON as Python has it, or text.
    headers
        Of the answer; names in small letters.
    model, key_env, secret
        As of `of_status`.
    """
    whole = _said(body)
    said = inert(whole, secret)
    code = f"HTTP {status}"
    if 400 <= status < 500 and status != 429 and (names := unwanted(str(body), _SETTINGS)):
        told = f"the endpoint does not take a parameter ({code}: {said}); set {_SETTINGS[names[0]]}"
        return Fault(code, told, ends=True)
    if status == 401 or (status == 403 and not re.search("moderat|flagged|content|policy", whole, re.IGNORECASE)):
        key = f"the key in {key_env}" if key_env else "requests without a key"
        return Fault(code, f"the endpoint refuses {key} ({code}: {said})", ends=True)
    if status == 404:
        told = f"the endpoint knows no model {model!r}, or its address is wrong ({code}: {said})"
        return Fault(code, told, ends=True)
    if status == 402 or "insufficient_quota" in str(body):
        return Fault(code, f"the endpoint's account is used up ({code}: {said})", ends=True)
    if status in PASSING or status >= 500:
        wait = retry_after(headers)
        wait = wait_in_words(whole) if wait is None and status == 429 else wait
        return Fault(code, f"{code}: {said}", again=True, wait=wait, everyone=status == 429 or wait is not None)
    return Fault(code, f"the endpoint refuses the request ({code}: {said})")


def unwanted(said: str, names: Iterable[str]) -> list[str]:
    """Those parameters that an endpoint says it does not take; a request that it only repeats says nothing.

    Examples
    --------
    >>> unwanted("Unsupported parameter: 'top_p'. You sent {'temperature': 1}" + 80 * "." , ["top_p", "stop"])
    ['top_p']
    """
    found = []
    for name in names:
        # A short English word must be quoted to be one; top_logprobs is about the same.
        named = rf"['\"`]{name}['\"`]" if name == "stop" else rf"(?<![a-z]){name}(?![a-z])"
        places = re.finditer(named, said, re.IGNORECASE)
        if any(_UNWANTED.search(said, max(0, place.start() - NEAR), place.end() + NEAR) for place in places):
            found.append(name)
    return found


def _said(body: object) -> str:
    """The message in the shapes that servers use, else the answer as it is."""
    details: list[object] = []
    for name in ("error", "message", "detail"):
        if isinstance(body, Mapping) and body.get(name):
            metadata = body.get("metadata")
            details += [metadata["raw"]] if isinstance(metadata, Mapping) and metadata.get("raw") else []
            body = body[name]
    if isinstance(body, list) and all(isinstance(item, Mapping) and item.get("msg") for item in body):
        body = "; ".join(f"{'.'.join(map(str, item.get('loc') or ()))}: {item['msg']}" for item in body)
    return ": ".join(map(str, [body or "no message", *details]))
