"""Tables of the synthesis phase."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

VALIDITY = ["validity", "validity_ci_low", "validity_ci_high"]


def validity_table(conditions: Sequence[Sequence[str]], summaries: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """How well every generator kept to the format.

    Parameters
    ----------
    conditions
        Generator and condition of each summary.
    summaries
        Of `ggmi.pipeline.sets.parsed_rows`, with the responses that are ``missing``.

    Returns
    -------
    DataFrame
        Columns generator, condition, responses, missing (given up, see ``missing_allowed``), records,
        repaired (records that were not correct JSON), validity (the other records as a share of items
        found in responses) with its 95 % interval (responses as clusters), responses_with_records, cut
        (responses that met max_tokens), cut_prompts (prompts of which the endpoint counts far fewer tokens
        than they have; empty where nobody counts), prompt_tokens, completion_tokens, failures, and a column
        ``failed_<reason>`` and ``finished_<reason>`` a reason. Imported sets have no responses.
    """
    reasons = sorted({reason for summary in summaries for reason in summary["failures"]})
    ends = sorted({end for summary in summaries for end in summary["finish_reasons"]})
    rows = []
    for (generator, condition), summary in zip(conditions, summaries, strict=True):
        failures = sum(summary["failures"].values())
        rows.append(
            {
                "generator": generator,
                "condition": condition,
                "responses": summary["responses"],
                "missing": summary["missing"],
                "records": summary["records"],
                "repaired": summary["repaired"],
                **{name: summary[name] for name in VALIDITY},
                "responses_with_records": summary["with_records"],
                "cut": summary["cut"],
                "cut_prompts": summary["cut_prompts"],
                "prompt_tokens": summary["prompt_tokens"],
                "completion_tokens": summary["completion_tokens"],
                "failures": failures,
                **{f"failed_{reason}": summary["failures"].get(reason, 0) for reason in reasons},
                **{f"finished_{end}": summary["finish_reasons"].get(end, 0) for end in ends},
            }
        )
    return pd.DataFrame(rows).astype({**dict.fromkeys(VALIDITY, float), "cut_prompts": "Int64"})


def curation_table(
    conditions: Sequence[Sequence[str]], curations: Sequence[str], summaries: Sequence[Mapping[str, Any]]
) -> pd.DataFrame:
    """How much every curation removed from every set.

    Parameters
    ----------
    conditions
        Generators and conditions.
    curations
        Names of the curations.
    summaries
        Of `ggmi.pipeline.sets.curate_file`, curations within conditions.

    Returns
    -------
    DataFrame
        Columns generator, condition, curation, kept, dropped, removed_share, removed_text_share,
        one column ``<filter>: <reason>`` a reason, and one ``replaced: <fault>`` a fault that was put in.
    """
    reasons = sorted({reason for summary in summaries for reason in summary["dropped"]})
    faults = sorted({fault for summary in summaries for fault in summary.get("faults", {})})
    names = [(generator, condition, curation) for generator, condition in conditions for curation in curations]
    rows = []
    for (generator, condition, curation), summary in zip(names, summaries, strict=True):
        rows.append(
            {
                "generator": generator,
                "condition": condition,
                "curation": curation,
                "kept": summary["kept"],
                "dropped": sum(summary["dropped"].values()),
                "removed_share": summary["removed_share"],
                "removed_text_share": summary["removed_text_share"],
                **{reason: summary["dropped"].get(reason, 0) for reason in reasons},
                **{f"replaced: {fault}": summary.get("faults", {}).get(fault, 0) for fault in faults},
            }
        )
    return pd.DataFrame(rows).astype({"removed_share": float, "removed_text_share": float})
