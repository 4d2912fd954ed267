"""Texts as vectors: what embeds them, and a cache in which no text is embedded twice."""

from __future__ import annotations

import hashlib
import os
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from ggmi.errors import UserError
from ggmi.io import atomic

Vectors = NDArray[np.float32]

# Texts embedded between two writes of the cache, unless a caller says otherwise: what a killed job can lose.
SHARD = 4096
# Tokens of a window where the model's own settings name no limit.
DEFAULT_TOKENS = 512


class Seen(NamedTuple):
    """What a model sees of a text.

    Parameters
    ----------
    tokens
        Of the whole text, without those that the model adds.
    cut
        Those in no window.
    unknown
        Those that stand for what the model does not know, be it a letter or a whole text.
    unseen
        Share of the text that was cut or is unknown, the larger of the two; unknown is counted in
        characters, since one token may stand for many.
    """

    tokens: int
    cut: int
    unknown: int
    unseen: float


class Encoder(Protocol):
    """Anything that turns texts into vectors: a local model, or an endpoint."""

    @property
    def identity(self) -> str:
        """What the vectors depend on besides the text: model, weights, pooling, endpoint."""

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Embed distinct texts, shape (len(texts), d)."""

    def seen(self, texts: Sequence[str]) -> list[Seen] | None:
        """What the model sees of each text; None where it does not tell."""


def embed(
    texts: Sequence[str],
    encoder: Encoder,
    cache: str | os.PathLike[str] | None = None,
    *,
    shard: int = SHARD,
    on_texts: Callable[[int, int], None] = lambda *_: None,
) -> Vectors:
    """Embed texts; equal texts once, and texts that the cache knows not at all.

    Parameters
    ----------
    texts
        n of them.
    encoder
        A model of `ggmi.information.local_encoder`, or an endpoint.
    cache
        A folder; None keeps nothing. Every call adds archives of its own (``.npz`` without pickle,
        keys are SHA-256 of encoder and text), so several jobs may share the folder.
    shard
        Texts embedded between two writes of the cache, and between two calls of `on_texts`.
    on_texts
        Called with how many of the texts that had to be embedded are done, and how many there are.

    Returns
    -------
    ndarray of float32, shape (n, d)

    Raises
    ------
    UserError
        If there are no texts, one is not text, or an archive of the cache is damaged.
    """
    if not len(texts):
        raise UserError("texts: holds none; at least one is needed to embed")
    for i, text in enumerate(texts):
        if not isinstance(text, str):
            raise UserError(f"texts: record {i} is {type(text).__name__}; it must be text")
    identity = encoder.identity
    keys = {text: hashlib.sha256(f"{identity}\n{text}".encode("utf-8", "surrogatepass")).digest() for text in texts}
    folder = None if cache is None else Path(cache) / hashlib.sha256(identity.encode()).hexdigest()[:16]
    known = {} if folder is None else _cached(folder, set(keys.values()))
    # By length, longest first: memory fails at once or never, and a shard's batches are even.
    missing = sorted((text for text in keys if keys[text] not in known), key=lambda text: (-len(text), text))
    on_texts(0, len(missing))
    for first in range(0, len(missing), shard):
        part = missing[first : first + shard]
        vectors = encoder.encode(part)
        if vectors.shape[:1] != (len(part),) or not np.isfinite(vectors).all():
            raise UserError(f"embedding model: gave shape {vectors.shape} for {len(part)} texts, or values not finite")
        part_keys = [keys[text] for text in part]
        known.update(zip(part_keys, vectors, strict=True))
        if folder is not None:
            _keep(folder, part_keys, vectors)
        on_texts(first + len(part), len(missing))
    sizes = sorted({len(vector) for vector in known.values()})
    if len(sizes) > 1:
        raise UserError(
            f"embedding model: texts have {sizes[0]} or {sizes[-1]} numbers, some from {folder}; "
            "if another model bears the name now, delete that folder and run again"
        )
    return np.stack([known[keys[text]] for text in texts])


def _cached(folder: Path, wanted: set[bytes]) -> dict[bytes, Vectors]:
    """Read the vectors that are wanted from all archives of a folder."""
    known: dict[bytes, Vectors] = {}
    for path in sorted(folder.glob("*.npz")):
        try:
            with path.open("rb") as file:
                archive = np.load(file, allow_pickle=False)
                keys, vectors = archive["keys"], archive["vectors"]
            if keys.shape != (len(vectors), 32):
                raise ValueError("its keys and vectors do not match")
        except (OSError, ValueError, LookupError, zipfile.BadZipFile, EOFError) as error:
            raise UserError(f"{path}: is damaged ({error}); delete the file and run again") from error
        for key, vector in zip(map(bytes, keys), vectors, strict=True):
            if key in wanted:
                known[key] = vector
    return known


def _keep(folder: Path, keys: list[bytes], vectors: Vectors) -> None:
    """Add one archive to the cache, named by its keys."""
    name = hashlib.sha256(b"".join(keys)).hexdigest()[:32]
    with atomic(folder / f"{name}.npz") as beside, beside.open("wb") as file:
        np.savez(file, keys=np.frombuffer(b"".join(keys), np.uint8).reshape(-1, 32), vectors=vectors)
