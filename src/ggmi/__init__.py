"""Generalization Gain via Mutual Information: whether synthetic data helps, and whether the theory is true.

`ggmi.estimate` compares sets of records, `ggmi.run_pilot` trains on parts of them; `ggmi.mixtures`,
`ggmi.information`, `ggmi.theory` and the other rooms are modules of functions on arrays, records and tables.
"""

from __future__ import annotations

from typing import Any

__all__ = ["Estimates", "PilotFindings", "estimate", "run_pilot"]


def __getattr__(name: str) -> Any:
    # Loaded when asked for: every job imports this package, and few need pandas.
    if name in __all__:
        from ggmi import api

        return getattr(api, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
