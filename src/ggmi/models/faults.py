"""What goes wrong at an endpoint: tried again, given up, or the end of the run; told without the key."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

import openai

# HTTP states that pass: conflict and timeout at the server, too early, rate limit, any error of its own.
PASSING = {408, 409, 425, 429}
# Characters of an endpoint's own message that are told.
TOLD = 120


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
    """

    reason: str
    message: str
    again: bool = False
    wait: float | None = None
    everyone: bool = False
    ends: bool = False


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
    """Seconds that a server asks to wait, given in seconds or as a date.

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
        seconds = float(value)
    except ValueError:
        try:
            until = parsedate_to_datetime(value).timestamp()
            now = parsedate_to_datetime(headers["date"]).timestamp() if "date" in headers else time.time()
        except (ValueError, OverflowError):
            return None
        seconds = until - now
    return max(seconds, 0.0) if seconds < float("inf") else None


def of_error(error: Exception, model: str, key_env: str | None, secret: str) -> Fault:
    """What an exception of the client means.

    Parameters
    ----------
    error
        What was raised.
    model
        The model asked.
    key_env
        Name of the environment variable of the key.
    secret
        The key, to be left out of every message.
    """
    if isinstance(error, openai.APIStatusError):
        return _of_status(error, model, key_env, secret)
    if isinstance(error, openai.APITimeoutError | TimeoutError):
        return Fault("timed out", "the endpoint did not answer in time", again=True)
    if isinstance(error, openai.APIConnectionError):
        cause = error.__cause__ or error
        return Fault(
            "connection", f"the connection failed ({inert(cause, secret) or type(cause).__name__})", again=True
        )
    if isinstance(error, ValueError | RecursionError):  # JSON cut short, or a shape that pydantic refuses
        return Fault("damaged answer", f"the answer is damaged ({inert(error, secret)})", again=True)
    raise error


def _of_status(error: openai.APIStatusError, model: str, key_env: str | None, secret: str) -> Fault:
    status = error.status_code
    said = inert(_said(error), secret)
    key = f"the key in {key_env}" if key_env else "requests without a key"
    if status in (401, 403):
        return Fault(f"HTTP {status}", f"the endpoint refuses {key} (HTTP {status}: {said})", ends=True)
    if status == 404:
        return Fault(
            "HTTP 404", f"the endpoint knows no model {model!r}, or its address is wrong (HTTP 404: {said})", ends=True
        )
    if error.code == "insufficient_quota" or status == 402:
        return Fault(f"HTTP {status}", f"the endpoint's account is used up (HTTP {status}: {said})", ends=True)
    if status in PASSING or status >= 500:
        wait = retry_after(error.response.headers)
        everyone = status == 429 or wait is not None
        return Fault(f"HTTP {status}", f"HTTP {status}: {said}", again=True, wait=wait, everyone=everyone)
    return Fault(f"HTTP {status}", f"the endpoint refuses the request (HTTP {status}: {said})")


def _said(error: openai.APIStatusError) -> object:
    """The message in the shapes that servers use, else the answer as it is."""
    body = error.body
    for name in ("error", "message", "detail"):
        if isinstance(body, Mapping) and body.get(name):
            body = body[name]
    return body or error.response.text or "no message"
