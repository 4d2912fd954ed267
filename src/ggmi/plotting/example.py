"""The round that figures show: the first of a condition."""

from __future__ import annotations

from collections.abc import Sequence

from ggmi.io import Arrays, read_blocks
from ggmi.mixtures.gaussian import Mixtures
from ggmi.mixtures.worlds import Condition
from ggmi.plotting.mixtures import ExampleWorld


def read_example(paths: Sequence[str], condition: str) -> ExampleWorld:
    """Read the first round of a condition from its artifacts.

    Parameters
    ----------
    paths
        The archives of worlds, synthetic sets, fits to anchors and fits to synthetic sets.
    condition
        Name of the condition.

    Returns
    -------
    ExampleWorld

    Raises
    ------
    UserError
        If an archive is damaged.
    """

    def first(path: str, names: tuple[str, ...]) -> Arrays:
        _, arrays = next(read_blocks(path, condition, names))
        return {name: array[:1] for name, array in arrays.items()}

    worlds, synthetic, fit_anchors, fit_synthetic = paths
    parts = ("truth_means", "truth_covariances", "generator_means", "generator_covariances", "anchors")
    world = first(worlds, parts)
    d = world["anchors"].shape[-1]
    return ExampleWorld(
        Condition.parse(condition),
        Mixtures.equal_weights(world["truth_means"], world["truth_covariances"]),
        Mixtures.equal_weights(world["generator_means"], world["generator_covariances"]),
        Mixtures(**first(fit_anchors, Mixtures.ARRAYS)),
        Mixtures(**first(fit_synthetic, Mixtures.ARRAYS)),
        world["anchors"].reshape(-1, d),
        first(synthetic, ("points",))["points"][0],
    )
