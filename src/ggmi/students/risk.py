"""Risks of a student: what it loses on its training set and on the test set."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from transformers import PreTrainedModel

from ggmi.students.batching import padded
from ggmi.students.sets import IGNORED, Examples
from ggmi.students.trainer import response_nats

# Tokens read at the same time; their logits over 50,000 tokens take 400 MB.
AT_ONCE = 2048


@dataclass(frozen=True, eq=False)
class Losses:
    """Loss of each record of a set, so that intervals can be bootstrapped over records.

    Parameters
    ----------
    ids
        Ids of the records.
    nats
        Negative log-probability of each response given its prompt, in nats, shape (n,).
    tokens
        Tokens of each response with its end, shape (n,).
    """

    ids: tuple[str, ...]
    nats: NDArray[np.float64]
    tokens: NDArray[np.int64]


class Risk(NamedTuple):
    """A loss by the two units it can be counted in.

    Parameters
    ----------
    nats_per_token
        Mean over response tokens.
    nats_per_record
        Mean over records; section 3.3 of arXiv 2410.01720 takes the mean over samples.
    """

    nats_per_token: float
    nats_per_record: float


@torch.inference_mode()
def losses(
    model: PreTrainedModel,
    examples: Examples,
    at_once: int = AT_ONCE,
    on_records: Callable[[int], None] = lambda _: None,
) -> Losses:
    """Measure a student on every record of a set.

    Records are read in batches of like lengths; one record's loss depends on its company by
    rounding only (about 1e-6 of it in float32).

    Parameters
    ----------
    model
        The student, on any device; it is put into evaluation mode.
    examples
        The set, made with the student's tokenizer.
    at_once
        Tokens of a batch at most, padding counted; a longer record is read alone.
    on_records
        Called after each batch with the records measured so far.
    """
    model.train(False)
    nats = np.zeros(len(examples))
    order = np.argsort(-examples.lengths, kind="stable")
    start = 0
    while start < len(order):
        chosen = order[start : start + max(at_once // int(examples.lengths[order[start]]), 1)]
        batch = padded(examples.features(chosen))
        labels = batch.pop("labels")
        logits = model(**{name: value.to(model.device) for name, value in batch.items()}).logits
        rows = np.nonzero(labels[:, 1:].numpy() != IGNORED)[0]
        found = response_nats(logits, labels).double().cpu().numpy()
        nats[chosen] = np.bincount(rows, weights=found, minlength=len(chosen))
        start += len(chosen)
        on_records(start)
    return Losses(examples.ids, nats, examples.responses)


def risk(measured: Losses) -> Risk:
    """Mean loss over a set: R̂_S(π) on a training set S, an estimate of R_D(π) on a test set.

    Parameters
    ----------
    measured
        Of one student on one set.

    Examples
    --------
    >>> risk(Losses(("a", "b"), np.array([2.0, 4.0]), np.array([1, 3])))
    Risk(nats_per_token=1.5, nats_per_record=3.0)
    """
    total = float(measured.nats.sum())
    return Risk(total / float(measured.tokens.sum()), total / len(measured.nats))
