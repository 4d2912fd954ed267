"""Model directories in Hugging Face format: what they hold, without loading it."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from ggmi.errors import UserError
from ggmi.provenance import sha256

# What transformers reads of a directory besides weights.
DECIDING_FILES = (
    "*.safetensors",
    "*.safetensors.index.json",
    "*config.json",
    "tokenizer*",
    "vocab*",
    "merges.txt",
    "added_tokens.json",
    "special_tokens_map.json",
    "chat_template*",
)
PICKLED = ("*.bin", "*.pt", "*.pth", "*.ckpt", "*.pkl")


def fingerprint(directory: Path) -> str:
    """Hash of the files of a model directory that decide what it writes, whatever the directory's name.

    Parameters
    ----------
    directory
        A directory in Hugging Face format.

    Returns
    -------
    str
        ``sha256:`` and 64 hexadecimal digits.

    Raises
    ------
    UserError
        If it is no such directory, or its weights are pickled.
    """
    if not (directory / "config.json").is_file():
        raise UserError(f"{directory}: is no model directory (it has no config.json)")
    if not any(directory.glob("*.safetensors")):
        pickled = sorted(path.name for pattern in PICKLED for path in directory.glob(pattern))
        if pickled:
            raise UserError(
                f"{directory}: holds pickled weights only ({pickled[0]}), which can run code when read; "
                "save the model as safetensors"
            )
        raise UserError(f"{directory}: holds no weights (*.safetensors)")
    names = sorted({path.name for pattern in DECIDING_FILES for path in directory.glob(pattern) if path.is_file()})
    listing = json.dumps([[name, sha256(directory / name)] for name in names])
    return "sha256:" + hashlib.sha256(listing.encode()).hexdigest()


def own_directory(model: str) -> Path | None:
    """The directory that a person means by a model.

    Parameters
    ----------
    model
        A directory, or an id of the hub.

    Returns
    -------
    Path or None
        None for an id.

    Raises
    ------
    UserError
        If there is no such directory.
    """
    if not looks_like_path(model):
        return None
    directory = Path(model).expanduser()
    if not directory.is_dir():
        raise UserError(f"{model}: there is no such directory")
    return directory


def looks_like_path(model: str) -> bool:
    """Whether a model is meant as a directory, not as an id of the hub (``name`` or ``owner/name``)."""
    return Path(model).is_dir() or model.startswith((".", "/", "~")) or model.count("/") > 1
