"""Embeddings from an OpenAI-compatible endpoint that somebody runs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import openai
from pydantic import BaseModel, Field, FiniteFloat, ValidationError

from ggmi.errors import UserError
from ggmi.information.embedding import Vectors
from ggmi.models.conversation import on_this_machine
from ggmi.models.endpoint import read_key
from ggmi.models.faults import inert, of_error
from ggmi.models.settings import EmbeddingSettings

# Attempts after the first. The client waits for as long as the endpoint asks, up to two minutes, or
# 0.5, 1, 2, 4, 8, 8 and 8 s.
RETRIES = 7
# Seconds of silence, and until the endpoint takes the call.
READ_TIMEOUT, CONNECT_TIMEOUT = 300.0, 10.0


class _Embedding(BaseModel):
    index: int
    embedding: list[FiniteFloat] = Field(min_length=1)


class _Answer(BaseModel):
    data: list[_Embedding]


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
        timeout = openai.Timeout(READ_TIMEOUT, connect=CONNECT_TIMEOUT)
        size = self._settings.batch_size
        with openai.OpenAI(
            base_url=self._base_url,
            api_key=self._key or "none",
            max_retries=RETRIES,
            timeout=timeout,
            http_client=openai.DefaultHttpxClient(trust_env=not on_this_machine(self._base_url), timeout=timeout),
        ) as client:
            found = [self._ask(client, texts[first : first + size]) for first in range(0, len(texts), size)]
        return np.concatenate(found) if found else np.empty((0, self._size or 0), dtype=np.float32)

    def seen(self, texts: Sequence[str]) -> None:
        """Nothing is known of what an endpoint's model sees of texts."""

    def _ask(self, client: openai.OpenAI, texts: Sequence[str]) -> Vectors:
        """Embed the texts of one request."""
        try:
            # Unparsed: the client's own reading takes any shape for an answer.
            answer = client.embeddings.with_raw_response.create(
                model=self._settings.model, input=list(texts), encoding_format="float"
            ).content
        except (openai.OpenAIError, ValueError) as error:
            fault = of_error(error, self._settings.model, self._settings.key_env, self._key)
            raise UserError(f"{self._base_url}: {fault.message}") from None
        try:
            rows = _Answer.model_validate_json(answer).data
        except ValidationError as error:
            first = error.errors(include_url=False, include_context=False, include_input=False)[0]
            said = inert(": ".join([".".join(map(str, first["loc"])), first["msg"]]).removeprefix(": "), self._key)
            raise UserError(
                f"{self._base_url}: the answer holds no embeddings ({said}); "
                "is base_url the address of an OpenAI-compatible endpoint?"
            ) from None
        if sorted(row.index for row in rows) != list(range(len(texts))):
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
            vectors = np.array([row.embedding for row in sorted(rows, key=lambda row: row.index)], dtype=np.float32)
        if not np.isfinite(vectors).all():
            raise UserError(f"{self._base_url}: an embedding holds a number too large for single precision")
        return vectors
