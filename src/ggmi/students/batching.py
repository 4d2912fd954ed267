"""Which records make an update, and how they are laid out in rows of tokens."""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils.data import Dataset
from transformers import PreTrainedModel

from ggmi.random import stream
from ggmi.students.sets import Examples

# Label of a token that is not learned.
IGNORED = -100
# Width of a model whose configuration tells none.
USUAL_WIDTH = 768

Rows = list[list[int]]


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


def shares(chosen: NDArray, lengths: NDArray, parts: int) -> list[NDArray]:
    """Divide an update into parts of as many records and about as many tokens.

    Parameters
    ----------
    chosen
        Records of the update.
    lengths
        Tokens of each record of the set.
    parts
        How many; must divide the number of records.

    Returns
    -------
    list of ndarray
    """
    # There and back again over the parts, from the longest record to the shortest.
    ordered = chosen[np.argsort(-lengths[chosen], kind="stable")].reshape(-1, parts)
    ordered[1::2] = ordered[1::2, ::-1].copy()
    return list(ordered.T)


def rows(lengths: Sequence[int] | NDArray, width: int = USUAL_WIDTH) -> Rows:
    """Lay sequences out in rows at the least cost.

    For every number of rows, the longest sequence that is left goes to the emptiest row. R rows
    of W tokens cost 24 d² + 4 W d operations a token and layer (weights and attention over the
    row), so the layout with the least R W (6 d + W) is taken: padding and attention across
    records, both useless, are weighed against each other.

    Parameters
    ----------
    lengths
        Tokens of each sequence.
    width
        d, the model's width.

    Returns
    -------
    list of list of int
        Sequences of each row.

    Examples
    --------
    >>> rows([10, 4, 3, 3])
    [[0], [1, 2, 3]]
    """
    lengths = [int(n) for n in lengths]
    if len(set(lengths)) <= 1:
        return [[i] for i in range(len(lengths))]
    order = sorted(range(len(lengths)), key=lambda i: -lengths[i])
    least = float("inf")
    best: Rows = []
    for count in range(1, len(lengths) + 1):
        laid: Rows = [[] for _ in range(count)]
        heap = [(0, row) for row in range(count)]
        for i in order:
            filled, row = heap[0]
            laid[row].append(i)
            heapq.heapreplace(heap, (filled + lengths[i], row))
        longest = max(filled for filled, _ in heap)
        if (cost := count * longest * (6 * width + longest)) < least:
            least, best = cost, laid
    return best


def collate(examples: Examples, chosen: Sequence[int] | NDArray, laid: Rows) -> dict[str, torch.Tensor]:
    """Make the tensors of a batch.

    Where a row holds several records, positions start at 0 with each of them; transformers then
    lets no record attend to another. Padding stands at the end of a row, where nothing that
    counts can attend to it, so there is no mask.

    Parameters
    ----------
    examples
        The set.
    chosen
        Records of the batch.
    laid
        Places in `chosen`, by row.

    Returns
    -------
    dict of str to Tensor, shape (rows, tokens)
        ``input_ids``, ``labels`` and, where needed, ``position_ids``.
    """
    filled = [sum(int(examples.lengths[chosen[i]]) for i in row) for row in laid]
    shape = len(laid), max(filled)
    ids = np.zeros(shape, dtype=np.int64)
    labels = np.full(shape, IGNORED, dtype=np.int64)
    positions = np.zeros(shape, dtype=np.int64)
    for r, row in enumerate(laid):
        end = 0
        for i in row:
            sequence = examples.sequence(chosen[i])
            start, end = end, end + len(sequence)
            learned = start + int(examples.prompts[chosen[i]])
            ids[r, start:end] = sequence
            labels[r, learned:end] = ids[r, learned:end]
            positions[r, start:end] = np.arange(len(sequence))
        positions[r, end:] = np.arange(shape[1] - end)
    batch = {"input_ids": torch.from_numpy(ids), "labels": torch.from_numpy(labels)}
    if any(len(row) > 1 for row in laid):
        batch["position_ids"] = torch.from_numpy(positions)
    return batch


@dataclass
class Plan(Dataset):
    """Everything a training reads, in order: the parts of the first update, then those of the second.

    With W devices, part i goes to device i modulo W, and parts of an update stand side by side.

    Parameters
    ----------
    examples
        The set.
    order
        Records of each update, shape (steps, batch_size).
    parts
        Into how many parts an update is divided, over devices and accumulation.
    width
        The model's width; None lays out one record a row.
    """

    examples: Examples
    order: NDArray[np.int64]
    parts: int
    width: int | None

    def __len__(self) -> int:
        return len(self.order) * self.parts

    def __getitem__(self, index: int) -> dict[str, torch.Tensor]:
        chosen, laid = self.layout(index)
        return collate(self.examples, chosen, laid)

    def layout(self, index: int) -> tuple[NDArray, Rows]:
        """Records of a part, and how they are laid out."""
        step, part = divmod(index, self.parts)
        lengths = self.examples.lengths
        chosen = shares(self.order[step], lengths, self.parts)[part]
        if self.width is None:
            return chosen, [[i] for i in range(len(chosen))]
        return chosen, rows(lengths[chosen], self.width)

    def tokens(self) -> NDArray[np.int64]:
        """Tokens read by the end of each update, padding not counted, shape (steps,)."""
        return np.cumsum(self.examples.lengths[self.order].sum(1))

    def waste(self, most: int = 1000) -> float:
        """Share of padding in what is computed, over the first parts.

        Parameters
        ----------
        most
            Parts looked at.
        """
        real = computed = 0
        for index in range(min(len(self), most)):
            chosen, laid = self.layout(index)
            lengths = self.examples.lengths[chosen]
            real += int(lengths.sum())
            computed += len(laid) * max(int(lengths[row].sum()) for row in laid)
        return 1 - real / computed if computed else 0.0


@torch.inference_mode()
def keeps_records_apart(model: PreTrainedModel) -> bool:
    """Whether a model reads packed records as it reads them one by one; measured, not assumed.

    Parameters
    ----------
    model
        On any device; it is put into evaluation mode.
    """
    model.train(False)
    config: Any = model.config.get_text_config()
    window = min(getattr(config, "max_position_embeddings", None) or 8, 8)
    ids = np.arange(2 * window) * 7 % min(config.vocab_size, 97)
    both = Examples.of(["a", "b"], [ids[:2], ids[window : window + 1]], [ids[2:window], ids[window + 1 :]])
    if window < 3:
        return False

    def read(laid: Rows) -> torch.Tensor:
        batch = collate(both, [0, 1], laid)
        batch.pop("labels")
        on_device = {name: value.to(model.device) for name, value in batch.items()}
        # As in training: with a cache, transformers does not look for records in a row.
        logits: torch.Tensor = model(**on_device, use_cache=False).logits
        return logits.float().reshape(2 * window, -1)

    try:
        packed = read([[0, 1]])
    except (TypeError, ValueError, RuntimeError, IndexError):  # a model that takes no positions
        return False
    apart = read([[0], [1]])
    return bool((packed - apart).abs().max() <= 1e-3 * apart.abs().max().clamp(min=1.0))
