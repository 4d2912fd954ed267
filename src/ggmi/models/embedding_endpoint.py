"""Embeddings from an OpenAI-compatible endpoint that somebody runs."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence

import httpx
import numpy as np
from pydantic import BaseModel, Field, FiniteFloat, ValidationError

from ggmi.errors import UserError
from ggmi.information.embedding import Vectors
from ggmi.models.connection import http_client
from ggmi.models.endpoint import read_key
from ggmi.models.faults import inert, of_error, of_status
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
        body = json.dumps({"model": self._settings.model, "input": list(texts), "encoding_format": "float"})
        for attempt in range(1, ATTEMPTS + 1):
            try:
                answer = client.post("/embeddings", content=body)
                if answer.is_success:
                    return answer.content
                fault = of_status(answer, self._settings.model, self._settings.key_env, self._key)
                if answer.status_code in TOO_MANY and len(texts) > 1 and not fault.ends:
                    raise _BatchRefusedError
            except httpx.HTTPError as error:
                fault = of_error(error, self._key)
            if not fault.again or attempt == ATTEMPTS or (fault.wait or 0.0) > LONGEST_WAIT:
                break
            time.sleep(fault.wait or min(FIRST_WAIT * 2 ** (attempt - 1), LONGEST_BACKOFF))
        raise UserError(f"{self._base_url}: {fault.message}")
