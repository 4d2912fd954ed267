"""What goes wrong at an endpoint: tried again, given up, or the end of the run; told without the key."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime

import httpx

from ggmi.models.requests import Usage

# HTTP states that pass: timeout, conflict and a failed part at the server, too early, rate limits under several names.
PASSING = {408, 409, 420, 424, 425, 429, 449, 498}
# HTTP states of an address where no such model or no endpoint is.
NOWHERE = {404, 405, 410}
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
    "seed": "sampling.seed: null",
}
# What an error's words mean, whatever its state: servers, and what stands before them, choose states loosely.
_MEANT = (
    (
        402,
        r"insufficient[_ ](?:quota|balance|credits?|funds)|credit balance is too low|out of credits"
        r"|exceeded[_ ]current[_ ]quota|exceeded your current quota|billing_hard_limit|arrearage|余额不足|欠费",
    ),
    (
        401,
        r"(?:invalid|incorrect|wrong|missing|no) api.?key|api.?key (?:is )?(?:not valid|invalid|missing|expired)"
        r"|invalid_api_key|authentication (?:failed|error)|authentication_error|login fail",
    ),
    (
        404,
        r"model[_ ]not[_ ](?:found|exist)|(?:invalid|unknown) model(?: name| id|:| ['\"`])"
        r"|\bmodel\b.{0,80}(?:does not exist|not found)",
    ),
)
_BUSY = re.compile(
    r"rate.?limit|too many requests|overloaded|try again (?:later|in)|temporarily unavailable|(?:at|over) capacity"
    r"|server is busy|请求过于频繁",
    re.IGNORECASE,
)
_TOO_LONG = re.compile(
    r"context[ _](?:length|window|size)|(?:prompt|input|request)(?: \w+){0,4} too (?:long|large)"
    r"|too many (?:input )?tokens|max_new_tokens",
    re.IGNORECASE,
)
_NO_SYSTEM = re.compile(
    r"system[ _](?:role|message|prompt|instruction)s?\W.{0,40}(?:not (?:be )?(?:support|allow|enabl|permit)|n't support"
    r"|unsupported)|developer instruction",
    re.IGNORECASE,
)
# How endpoints tell in words how long to wait.
_AGAIN_IN = re.compile(
    r"(?:try again|retry|reset\w*|wait)(?: \w+){0,3}? (?:in|after|for) "
    r"(?:(\d+)\s?d(?:ays?)?)?\s?(?:(\d+)\s?h(?:ours?)?)?\s?(?:(\d+)\s?m(?:in\w*)?(?!s))?\s?(?:(\d+(?:\.\d+)?)\s?(ms|s)\w*)?",
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


def decoded(body: bytes) -> str:
    """The text of an answer: JSON has its own encodings, whatever a header says, and anything else is read as UTF-8.

    Examples
    --------
    >>> decoded("größer".encode())
    'größer'
    """
    try:
        return body.decode(json.detect_encoding(body), "surrogatepass")
    except UnicodeDecodeError:
        return body.decode("utf-8", "replace")


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
    value = headers.get("retry-after", "").strip().removesuffix("s")
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
    days, hours, minutes, seconds, unit = found.groups()
    return (
        86400 * int(days or 0)
        + 3600 * int(hours or 0)
        + 60 * int(minutes or 0)
        + float(seconds or 0) / (1000 if unit == "ms" else 1)
    )


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
    if isinstance(error, httpx.RequestError) and error.request.method != "POST":
        return moved(error.request.url, secret)
    if "CERTIFICATE_VERIFY_FAILED" in str(error):
        hint = "SSL_CERT_FILE names a file of the certificates to trust"
        return Fault("connection", f"the endpoint's certificate is not trusted ({told}); {hint}", ends=True)
    if isinstance(error, httpx.DecodingError | httpx.TooManyRedirects):
        return Fault("damaged answer", f"the answer is damaged ({told})", again=True)
    return Fault("connection", f"the connection failed ({told})", again=True)


def moved(url: httpx.URL | None, secret: str) -> Fault:
    """What it means that an address leads to another one without what was posted.

    Parameters
    ----------
    url
        Where it leads; None if it does not say.
    secret
        The key, to be left out of the message.
    """
    place = "another one" if url is None else inert(url.copy_with(query=None, userinfo=b""), secret)
    return Fault("moved", f"the address leads on to {place}; set base_url to where the endpoint is", ends=True)


def of_status(answer: httpx.Response, model: str, key_env: str | None, secret: str) -> Fault:
    """What an endpoint's error means.

    Parameters
    ----------
    answer
        Of an HTTP state of 300 and more, or what an address led to that leads on.
    model
        The model asked.
    key_env
        Name of the environment variable of the key.
    secret
        The key, to be left out of every message.
    """
    if answer.request.method != "POST" or answer.status_code < 400:
        return moved(answer.url if answer.history else None, secret)
    try:
        body: object = answer.json()
    except (ValueError, RecursionError):
        body = decoded(answer.content)
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
    whole = told(body) or str(body or "no message")
    said = inert(whole, secret)
    code = f"HTTP {status}"
    about = f"({code}: {said})"
    wait = retry_after(headers)
    meant = _meaning(502 if status == 200 else status, str(body), waits=wait is not None)
    # A page of HTML may speak of anything.
    spoken = meant < 500 or isinstance(body, Mapping | list)
    if meant != 429 and spoken and (names := unwanted(str(body), _SETTINGS)):
        return Fault(code, f"the endpoint does not take a parameter {about}; set {_SETTINGS[names[0]]}", ends=True)
    if meant < 500 and _NO_SYSTEM.search(whole):
        hint = "leave system empty, and put it into the prompt's template"
        return Fault(code, f"the endpoint takes no system prompt {about}; {hint}", ends=True)
    if meant == 401 or (meant == 403 and not re.search("moderat|flagged|content|policy", whole, re.IGNORECASE)):
        key = f"the key in {key_env}" if key_env else "requests without a key"
        return Fault(code, f"the endpoint refuses {key} {about}", ends=True)
    if meant in NOWHERE:
        return Fault(code, f"the endpoint knows no model {model!r}, or its address is wrong {about}", ends=True)
    if meant == 402:
        return Fault(code, f"the endpoint's account is used up {about}", ends=True)
    if meant in PASSING or (meant >= 500 and meant != 501):
        wait = wait_in_words(whole) if wait is None and meant == 429 else wait
        return Fault(code, f"{code}: {said}", again=True, wait=wait, everyone=meant == 429 or wait is not None)
    return Fault(code, f"the endpoint refuses the request {about}")


def _meaning(status: int, words: str, *, waits: bool) -> int:
    """The HTTP state that an error's words mean, which may be another than it bears."""
    if _TOO_LONG.search(words) and status not in (401, 402, 403, 404):
        return 413
    # A limit that tells when it ends is one, whatever quota it speaks of.
    limited = status == 429 and "insufficient_quota" not in words and (waits or wait_in_words(words) is not None)
    for state, pattern in _MEANT:
        if not limited and re.search(pattern, words, re.IGNORECASE):
            return state
    return 429 if status in (400, 403, 422) and (_BUSY.search(words) or (status == 403 and waits)) else status


def unwanted(said: str, names: Iterable[str]) -> list[str]:
    """Those parameters that an endpoint says it does not take; a request that it only repeats says nothing.

    Examples
    --------
    >>> unwanted("Unsupported parameter: 'top_p'. You sent {'temperature': 1}" + 80 * "." , ["top_p", "stop"])
    ['top_p']
    """
    found = []
    for name in names:
        # A short English word must be named as a parameter; top_logprobs is about the same as logprobs.
        named = rf"(?<![a-z]){name}(?![a-z])"
        if name in ("stop", "seed"):
            named = rf"['\"`]{name}['\"`]|(?:supplied|parameters?|arguments?|fields?):? {name}(?![a-z])"
        places = re.finditer(named, said, re.IGNORECASE)
        if any(_UNWANTED.search(said, max(0, place.start() - NEAR), place.end() + NEAR) for place in places):
            found.append(name)
    return found


def told(body: object) -> str | None:
    """The message in the shapes that servers use; None where there is none of them."""
    details: list[object] = []
    body = body[0] if isinstance(body, list) and len(body) == 1 and isinstance(body[0], Mapping) else body
    given = body
    for name in ("error", "errors", "base_resp", "message", "msg", "status_msg", "detail"):
        if isinstance(body, Mapping) and body.get(name) and isinstance(body[name], str | Mapping | list):
            metadata = body.get("metadata")
            details += [metadata["raw"]] if isinstance(metadata, Mapping) and metadata.get("raw") else []
            body = body[name]
            body = body[0] if name == "errors" and isinstance(body, list) else body
    if body is given and not isinstance(body, str):
        return None
    if isinstance(body, list) and all(isinstance(item, Mapping) and item.get("msg") for item in body):
        body = "; ".join(f"{'.'.join(map(str, item.get('loc') or ()))}: {item['msg']}" for item in body)
    return ": ".join(map(str, [body, *details]))
