"""Tables of all reasoners, with the controls that lose nothing, and the claims on them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from ggmi.claims import Claim
from ggmi.reasoning.chain_claims import chain_claims, laws_table
from ggmi.reasoning.information import perfect_lengths, plan_lengths
from ggmi.reasoning.problems import Problems
from ggmi.reasoning.search_tables import together

# Step accuracy within which a reasoner errs, but not for want of having learned.
BAND = (0.85, 0.97)


def control_lengths(problems: Mapping[int, Problems], generator: np.random.Generator) -> pd.DataFrame:
    """Information per token of texts that lose nothing: a stated plan, and right chains.

    Parameters
    ----------
    problems
        Problems by length.
    generator
        Source of randomness.

    Returns
    -------
    DataFrame
        ``control, length, n, tokens, total_nats, per_token_nats``.
    """
    order = next(iter(problems.values())).order
    plans = plan_lengths(order, {n: len(p) for n, p in problems.items()}, generator)
    return pd.concat([plans.assign(control="plan"), perfect_lengths(problems).assign(control="right chains")])


def reasoner_tables(
    names: Sequence[str],
    curves: Sequence[pd.DataFrame],
    steps: Sequence[pd.DataFrame],
    lengths: Sequence[pd.DataFrame],
    reached: Sequence[bool],
    controls: Mapping[str, pd.DataFrame],
) -> tuple[dict[str, pd.DataFrame], list[Claim]]:
    """Gather the tables of all reasoners, and judge the claims.

    Parameters
    ----------
    names
        The reasoners', each its group and its own.
    curves, steps, lengths
        Tables of each.
    reached
        Whether each met its criterion.
    controls
        Of `control_lengths`, by group.

    Returns
    -------
    tables : dict of DataFrame
        ``reasoners``: training steps, step accuracy at the end of training, whether the criterion was reached, share
        of right steps of all sampled chains, and whether it is in the band. ``steps``, ``lengths`` (with controls) and
        ``laws`` of all.
    claims : list of Claim
    """
    rows, laws, claims = [], {}, []
    for name, curve, part, length, met in zip(names, curves, steps, lengths, reached, strict=True):
        weight = part["n_right_before"]
        share = float((weight * part["right_given_right"]).sum() / weight.sum())
        rows.append(
            {
                **{"reasoner": name, "training_steps": int(curve["step"].iloc[-1])},
                **{"step_accuracy": float(curve["step_accuracy"].iloc[-1]), "criterion_reached": met},
                **{"sampled_step_accuracy": share, "in_band": BAND[0] <= share <= BAND[1]},
            }
        )
        laws[name] = laws_table(part)
        claims += chain_claims(name, part, length, laws[name], controls[name.partition("/")[0]])
    of_controls = {f"{group}, {name}": part for group, c in controls.items() for name, part in c.groupby("control")}
    tables = {
        "reasoners": pd.DataFrame(rows),
        "steps": together(dict(zip(names, steps, strict=True))),
        "lengths": together({**dict(zip(names, lengths, strict=True)), **of_controls}).drop(columns="control"),
        "laws": together(laws),
    }
    return tables, claims
