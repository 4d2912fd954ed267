"""What every part that runs a model does around it: threads held, and mistakes in loading told in a sentence."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import torch
from safetensors import SafetensorError
from transformers.utils import logging

from ggmi.errors import UserError, told_by

# What transformers, sentence-transformers and safetensors raise on files that are not what they should be; the last
# two on settings that are no arguments of the class that they name.
MISTAKES = (OSError, ValueError, KeyError, RuntimeError, ImportError, SafetensorError, TypeError, AttributeError)


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
    except MISTAKES as error:
        raise UserError(f"{what} ({told_by(error)})") from error


def chosen_device(device: str, place: str = "device") -> str:
    """Where a model runs.

    Parameters
    ----------
    device
        ``cpu``, ``cuda``, or ``auto``: a GPU where there is one.
    place
        What a message calls the setting.

    Returns
    -------
    str
        ``cpu`` or ``cuda``.

    Raises
    ------
    UserError
        If a GPU is wanted and there is none.
    """
    gpu = torch.cuda.is_available()
    if device == "cuda" and not gpu:
        raise UserError(f"{place}: is 'cuda', but there is no GPU here; allowed here: auto, cpu")
    return "cuda" if gpu and device != "cpu" else "cpu"


def chosen_dtype(dtype: str, device: str) -> str:
    """Number format of a model's weights; ``auto`` is bfloat16 on a GPU and float32 elsewhere."""
    if dtype != "auto":
        return dtype
    return "bfloat16" if device == "cuda" else "float32"


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Keep transformers' progress bars and notices out of a job's output."""
    level, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    try:
        yield
    finally:
        logging.set_verbosity(level)
        if bars:
            logging.enable_progress_bar()  # type: ignore[no-untyped-call]


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
