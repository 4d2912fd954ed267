"""What every part that runs a model does around it: threads held, and mistakes in loading told in a sentence."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import torch
from safetensors import SafetensorError

from ggmi.errors import UserError, told_by


@contextlib.contextmanager
def loading(what: str) -> Iterator[None]:
    """Say in one sentence what transformers says in many.

    Parameters
    ----------
    what
        What cannot be loaded, and as what: the beginning of the sentence.

    Raises
    ------
    UserError
        In place of what transformers and safetensors raise.
    """
    try:
        yield
    except (OSError, ValueError, KeyError, RuntimeError, ImportError, SafetensorError) as error:
        raise UserError(f"{what} ({told_by(error)})") from error


@contextlib.contextmanager
def threads(number: int) -> Iterator[None]:
    """Compute in so many threads, and in as many as before afterwards.

    Parameters
    ----------
    number
        Threads of torch on the CPU.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(number)
    try:
        yield
    finally:
        torch.set_num_threads(before)
