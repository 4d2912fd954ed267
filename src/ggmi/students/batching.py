"""Which records make an update, and how they become the tensors that a model reads."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from transformers import DataCollatorWithFlattening, PreTrainedModel

from ggmi.random import stream
from ggmi.students.sets import IGNORED

# Share of padding up to which records have a row each. A row of W tokens costs 24 d² + 4 W d operations a token and
# layer: 16 records of 80 tokens in one row of a model of width d = 768 cost a quarter more, as a fifth of padding does.
LITTLE_PADDING = 0.2

# A record as transformers' collators take it: ``input_ids`` and ``labels``.
Features = Mapping[str, Any]
Batch = dict[str, torch.Tensor]

# All records in one row, positions from 0 with each; transformers then lets none attend to another.
packed: Callable[[Sequence[Features]], Batch] = DataCollatorWithFlattening()  # type: ignore[no-untyped-call]


def updates(records: int, steps: int, batch_size: int, seed: int) -> NDArray[np.int64]:
    """Records of each update: all of them in a random order, then all in another, without a gap.

    Parameters
    ----------
    records
        Records of the set.
    steps
        Updates.
    batch_size
        Records an update. Every update has that many, also where two passes meet.
    seed
        The run's seed. More updates begin with the same ones.

    Returns
    -------
    ndarray, shape (steps, batch_size)
    """
    passes = -(-steps * batch_size // records)
    orders = [stream(seed, "students", "order", epoch).permutation(records) for epoch in range(passes)]
    order = np.concatenate(orders) if orders else np.empty(0, dtype=np.int64)
    return order[: steps * batch_size].reshape(steps, batch_size).astype(np.int64)


def sorted_by_length(order: NDArray, lengths: NDArray) -> NDArray:
    """Sort the records of each update from the longest to the shortest, so that its parts hold like lengths.

    Parameters
    ----------
    order
        Records of each update, shape (steps, batch_size).
    lengths
        Tokens of each record of the set.
    """
    return np.take_along_axis(order, np.argsort(-lengths[order], axis=1, kind="stable"), axis=1)


def dealt_out(order: NDArray, each: int) -> NDArray:
    """Deal the records of each update, sorted by length, out to its parts, so that these hold about as many tokens.

    Parameters
    ----------
    order
        See `sorted_by_length`.
    each
        Records of a part; must divide those of an update.

    Examples
    --------
    >>> dealt_out(np.array([[7, 5, 3, 1]]), 2).tolist()
    [[7, 3, 5, 1]]
    """
    return order.reshape(len(order), each, -1).swapaxes(1, 2).reshape(order.shape)


def padding(order: NDArray, lengths: NDArray, each: int) -> float:
    """Share of padding in what is computed with one record a row.

    Parameters
    ----------
    order, lengths
        As for `sorted_by_length`.
    each
        Records of a part, whose rows are padded to its longest; must divide those of an update.

    Examples
    --------
    >>> padding(np.array([[0, 1]]), np.array([4, 2]), 2)
    0.25
    """
    parts = lengths[order].reshape(-1, each)
    return 1 - float(parts.sum()) / float(each * parts.max(1).sum()) if len(parts) else 0.0


def padded(records: Sequence[Features]) -> Batch:
    """One record a row, padded at its end, where nothing that counts can attend to it: there is no mask.

    Parameters
    ----------
    records
        Of a part.
    """
    return {
        name: torch.nn.utils.rnn.pad_sequence(
            [torch.tensor(record[name]) for record in records], batch_first=True, padding_value=fill
        )
        for name, fill in (("input_ids", 0), ("labels", IGNORED))
    }


@torch.inference_mode()
def keeps_records_apart(model: PreTrainedModel) -> bool:
    """Whether a model reads records that share a row as it reads them one by one; measured, not assumed.

    Parameters
    ----------
    model
        On any device; it is put into evaluation mode.
    """
    model.train(False)
    config: Any = model.config.get_text_config()
    window = min(getattr(config, "max_position_embeddings", None) or 8, 8)
    if window < 3:
        return False
    ids = [7 * i % min(config.vocab_size, 97) for i in range(2 * window)]
    both = [{"input_ids": part, "labels": part} for part in (ids[:window], ids[window:])]

    def read(batch: Batch) -> torch.Tensor:
        on_device = {name: value.to(model.device) for name, value in batch.items() if name != "labels"}
        # As in training: with a cache, transformers does not look for records in a row.
        logits: torch.Tensor = model(**on_device, use_cache=False).logits
        return logits.float().reshape(2 * window, -1)

    try:
        together = read(packed(both))
    except (TypeError, ValueError, RuntimeError, IndexError):  # a model that takes no positions
        return False
    apart = read(padded(both))
    return bool((together - apart).abs().max() <= 1e-3 * apart.abs().max().clamp(min=1.0))
