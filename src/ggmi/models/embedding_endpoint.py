"""Embeddings from an OpenAI-compatible endpoint that somebody runs."""

from __future__ import annotations

import base64
import codecs
import json
import time
from collections.abc import Sequence

import httpx
import numpy as np
from pydantic import BaseModel, Field, FiniteFloat, ValidationError, field_validator

from ggmi.errors import UserError
from ggmi.information.embedding import Vectors
from ggmi.models.answers import refused
from ggmi.models.connection import http_client
from ggmi.models.endpoint import read_key
from ggmi.models.faults import Fault, decoded, inert, of_error, of_status, told, unwanted
from ggmi.models.settings import EmbeddingSettings

# Attempts in all; the client waits for as long as the endpoint asks, up to two minutes, or 0.5, 1, 2, 4, 8, 8 and 8 s.
ATTEMPTS, FIRST_WAIT, LONGEST_BACKOFF, LONGEST_WAIT = 8, 0.5, 8.0, 120.0
# Seconds of silence, and until the endpoint takes the call.
READ_TIMEOUT, CONNECT_TIMEOUT = 300.0, 10.0
# States in which an endpoint may refuse a batch for its size.
TOO_MANY = (400, 413, 422)


class _Embedding(BaseModel):
    index: int | None = None
    embedding: list[FiniteFloat] = Field(min_length=1)

    @field_validator("embedding", mode="before")
    @classmethod
    def _numbers(cls, value: object) -> object:
        """Numbers that come as the bytes of single precision in base64, which some endpoints always send."""
        if not isinstance(value, str):
            return value
        return np.frombuffer(base64.b64decode(value, validate=True), dtype="<f4").tolist()


class _Answer(BaseModel):
    data: list[_Embedding]


class _BatchRefusedError(Exception):
    """An endpoint refused several texts, and may take fewer."""


class EndpointEncoder:
    """An embedding model behind an endpoint; satisfies `ggmi.information.embedding.Encoder`.

    Parameters
    ----------
    settings
        See `ggmi.models.settings.EmbeddingSettings`.

    Raises
    ------
    UserError
        If the key is missing; nothing is sent yet.
    """

    def __init__(self, settings: EmbeddingSettings) -> None:
        self._settings = settings
        self._base_url = settings.base_url.rstrip("/")
        self._key = read_key(settings.key_env)
        self._size: int | None = None
        self._batch = settings.batch_size
        self._format: dict[str, str] = {"encoding_format": "float"}

    @property
    def identity(self) -> str:
        """The kind of encoder, the address and the model's name."""
        return f"endpoint {self._base_url} {self._settings.model}"

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Embed texts, some in a request, one request after another.

        Parameters
        ----------
        texts
            n of them.

        Returns
        -------
        ndarray of float32, shape (n, d)

        Raises
        ------
        UserError
            If the endpoint refuses, stays silent, or answers with anything but one vector a text,
            all of one length.
        """
        timeout = httpx.Timeout(READ_TIMEOUT, connect=CONNECT_TIMEOUT)
        with http_client(httpx.Client, self._base_url, self._key, timeout) as client:
            found = []
            at = 0
            while at < len(texts):
                batch = texts[at : at + self._batch]
                try:
                    found.append(self._ask(client, batch))
                except _BatchRefusedError:
                    self._batch = (len(batch) + 1) // 2
                else:
                    at += len(batch)
        return np.concatenate(found) if found else np.empty((0, self._size or 0), dtype=np.float32)

    def seen(self, texts: Sequence[str]) -> None:
        """Nothing is known of what an endpoint's model sees of texts."""

    def _ask(self, client: httpx.Client, texts: Sequence[str]) -> Vectors:
        """Embed the texts of one request."""
        try:
            rows = _Answer.model_validate_json(self._answer(client, texts)).data
        except ValidationError as error:
            first = error.errors(include_url=False, include_context=False, include_input=False)[0]
            said = inert(": ".join([".".join(map(str, first["loc"])), first["msg"]]).removeprefix(": "), self._key)
            raise UserError(
                f"{self._base_url}: the answer holds no embeddings ({said}); "
                "is base_url the address of an OpenAI-compatible endpoint?"
            ) from None
        # Some endpoints number no embedding, or all alike; of a single text there is nothing to mistake.
        indices = [0 if row.index is None or len(texts) == 1 else row.index for row in rows]
        if len(rows) == len(texts) > 1 and len(set(indices)) == 1:
            raise _BatchRefusedError
        if sorted(indices) != list(range(len(texts))):
            raise UserError(
                f"{self._base_url}: {len(rows)} embeddings came for {len(texts)} texts, "
                "or their indices are not those of the texts"
            )
        sizes = {len(row.embedding) for row in rows} | ({self._size} if self._size else set())
        if len(sizes) > 1:
            few, *_, many = sorted(sizes)
            raise UserError(f"{self._base_url}: embeddings have {few} and {many} dimensions; all need the same")
        (self._size,) = sizes
        # Doubles beyond the largest single are as little a vector as NaN is.
        with np.errstate(over="ignore"):
            vectors = np.empty((len(rows), self._size), dtype=np.float32)
            vectors[indices] = [row.embedding for row in rows]
        if not np.isfinite(vectors).all():
            raise UserError(f"{self._base_url}: an embedding holds a number too large for single precision")
        return vectors

    def _answer(self, client: httpx.Client, texts: Sequence[str]) -> bytes:
        """What the endpoint answers with state 200, asked again where that may help."""
        model, key_env = self._settings.model, self._settings.key_env
        for attempt in range(1, ATTEMPTS + 1):
            body = json.dumps({"model": model, "input": list(texts), **self._format})
            try:
                answer = client.post("/embeddings", content=body)
                if answer.is_success and answer.request.method == "POST":
                    found = answer.content.removeprefix(codecs.BOM_UTF8)
                    _check(found, model, key_env, self._key)
                    return found
                if self._format and answer.status_code in TOO_MANY and unwanted(decoded(answer.content), self._format):
                    self._format = {}
                    continue
                fault = of_status(answer, model, key_env, self._key)
                if answer.status_code in TOO_MANY and len(texts) > 1 and not fault.ends and not fault.again:
                    raise _BatchRefusedError
            except httpx.HTTPError as error:
                fault = of_error(error, self._key)
            except Fault as error:
                fault = error
            if not fault.again or attempt == ATTEMPTS or (fault.wait or 0.0) > LONGEST_WAIT:
                break
            time.sleep(fault.wait or min(FIRST_WAIT * 2 ** (attempt - 1), LONGEST_BACKOFF))
        asks = f"; it asks to wait {fault.wait:.6g} s" if (fault.wait or 0.0) > LONGEST_WAIT else ""
        raise UserError(f"{self._base_url}: {fault.message}{asks}")


def _check(body: bytes, model: str, key_env: str | None, secret: str) -> None:
    """Raise the fault of an answer that was cut short or holds an error, though its state is 200."""
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError) as error:
        if body.lstrip()[:1] in (b"", b"{", b"["):
            raise Fault("damaged answer", f"the answer is damaged ({inert(error, secret)})", again=True) from None
        return
    if isinstance(answer, dict) and not answer.get("data") and told(answer):
        raise refused(answer, model, key_env, secret)
