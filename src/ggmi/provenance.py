"""What a table was made from: configuration, seed, versions and the hashes of its inputs."""

from __future__ import annotations

import contextlib
import hashlib
import platform
from collections.abc import Iterable, Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

PACKAGES = (
    *("ggmi", "matplotlib", "numpy", "pandas", "scikit-learn", "scipy", "sentence-transformers", "snakemake"),
    *("tokenizers", "torch", "transformers", "trl"),
)


def versions() -> dict[str, str]:
    """Versions of Python and of the packages that numbers depend on, if they are installed."""
    found = {"python": platform.python_version()}
    for name in PACKAGES:
        with contextlib.suppress(PackageNotFoundError):
            found[name] = version(name)
    return found


def sha256(path: str | Path) -> str:
    """SHA-256 of a file's bytes, in hexadecimal.

    Parameters
    ----------
    path
        The file.
    """
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def record(rule: str, parameters: Mapping[str, Any], inputs: Iterable[str]) -> dict[str, Any]:
    """Describe how a file was made.

    Parameters
    ----------
    rule
        Name of the rule.
    parameters
        Its parameters, among them the seed and the digest of its code.
    inputs
        Its input files.

    Returns
    -------
    dict
        Ready for JSON; the same inputs give the same bytes.
    """
    return {
        "rule": rule,
        "parameters": dict(parameters),
        "versions": versions(),
        "inputs": {str(path): sha256(path) for path in sorted(inputs)},
    }
