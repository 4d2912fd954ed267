"""A task's page: its anchors, what generators wrote, what curation removed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from ggmi.reporting.estimation import EstimationResults, estimation_section
from ggmi.reporting.page import Block, Figure, Fold, Heading, Links, Listing, Page, Picture, Points, Prose, Section
from ggmi.reporting.students import StudentResults, rating_sentence, student_sections
from ggmi.reporting.tables import COLUMNS, data_table, plain_table
from ggmi.reporting.text import capital, count_word, fixed, listed, plural

# Near-duplicates across the split written out; the file has all.
NEAR_SHOWN = 20
# Characters of a record's id there; a person's file may have any text for an id.
ID_SHOWN = 200


@dataclass(frozen=True)
class TaskResults:
    """What a task's rules made.

    Parameters
    ----------
    name, title
        The task's.
    split
        Counts of real records, and near-duplicates across the split.
    validity, curation
        Of `ggmi.pipeline.tables`.
    generators, shares
        Of `ggmi.pipeline.world`; None outside the embedded world.
    students
        What students learned and how they were rated; None where none were trained.
    estimation
        Estimates of the sets; None where they are left out.
    """

    name: str
    title: str
    split: Mapping[str, Any]
    validity: pd.DataFrame
    curation: pd.DataFrame
    generators: pd.DataFrame | None = None
    shares: pd.DataFrame | None = None
    students: StudentResults | None = None
    estimation: EstimationResults | None = None


def synthesis_sentence(task: TaskResults) -> str:
    """How well the generators kept to the format, in one sentence.

    Parameters
    ----------
    task
        What was made.
    """
    asked = task.validity[task.validity["responses"] > 0]
    if asked.empty:
        return f"{task.title}: {plural(len(task.validity), 'imported set')}, nothing was generated."
    parts = []
    for name, rows in asked.groupby("generator", sort=False):
        valid = rows["records"].sum() / max(1, (rows["records"] + rows["failures"]).sum())
        parts.append(f"{name} {fixed(100 * valid, 1)} %")
    written = task.curation[task.curation["generator"].isin(asked["generator"])]
    kept = [f"{int(rows['kept'].sum()):,} ({name})" for name, rows in written.groupby("curation", sort=False)]
    return (
        f"{task.title}: of what generators wrote, valid records were {listed(parts)}; "
        f"kept after curation: {listed(kept)}."
    )


def task_sentences(task: TaskResults) -> list[str]:
    """What came of a task, the verdict on its sets first."""
    rated = [] if task.students is None else [rating_sentence(task.title, task.students)]
    return [*rated, synthesis_sentence(task)]


def task_page(task: TaskResults, figures: Mapping[str, Figure], provenance: Sequence[Mapping[str, Any]]) -> Page:
    """Say what a task's generators wrote.

    Parameters
    ----------
    task
        What was made.
    figures
        By name, such as ``figure_shares``.
    provenance
        Records of how the tables were made.

    Returns
    -------
    Page
    """
    sections = student_sections(task.name, task.students, figures) if task.students is not None else []
    if task.shares is not None and task.generators is not None:
        sections.append(_world_section(task, task.shares, task.generators, figures))
    if task.estimation is not None:
        sections.append(estimation_section(task.name, task.estimation, figures))
    sections += [_validity_section(task), _curation_section(task), _anchors_section(task), _making_section(provenance)]
    return Page(
        title=f"{'Which data were worth it' if task.students else 'What the generators wrote'}: {task.title}",
        kicker="From anchors to synthetic sets to students (arXiv 2410.01720, section 3.2 and appendix G.1)",
        asked=(
            "Anchors become prompts that show some of them; generators answer with lists of records; what can be "
            "parsed strictly becomes a synthetic set, and curation drops from it what its filters find. Every raw "
            "response, every failure and every drop is kept with its reason."
        ),
        verdict=" ".join(task_sentences(task)),
        findings=[
            (str(name), _generator_sentence(rows)) for name, rows in task.validity.groupby("generator", sort=False)
        ],
        sections=sections,
        colophon="All logarithms are natural; log-probabilities are those of the distribution really sampled from.",
    )


def task_section(task: TaskResults) -> Section:
    """What the main page says of a task, and where the rest is."""
    return Section(
        task.name,
        task.title,
        task.title,
        [
            Prose(task_sentences(task), "lead"),
            Links([("What came of the task", "Ratings, risks, validity, curation, tables.", f"{task.name}.html")]),
        ],
    )


def _generator_sentence(rows: pd.DataFrame) -> str:
    if (rows["responses"] == 0).all():
        return f"{int(rows['records'].sum()):,} records, made elsewhere."
    parts = [
        f"{row['condition']}: {int(row['records']):,} records, valid "
        f"{fixed(row['validity'], 2)} [{fixed(row['validity_ci_low'], 2)}, {fixed(row['validity_ci_high'], 2)}]"
        for row in rows.to_dict("records")
    ]
    reasons = [name for name in rows if name.startswith("failed_") and rows[name].sum()]
    worst = max(reasons, key=lambda name: rows[name].sum(), default=None)
    failed = f" Most frequent failure: {worst.removeprefix('failed_').replace('_', ' ')}." if worst else ""
    return "; ".join(parts) + "." + failed


def _world_section(
    task: TaskResults, shares: pd.DataFrame, generators: pd.DataFrame, figures: Mapping[str, Figure]
) -> Section:
    ideal = shares[shares["generator"] == "ideal"].sort_values("instances")
    first, last = ideal.iloc[0], ideal.iloc[-1]
    mechanism = (
        f"More anchors tell an ideal generator which domain is meant: from {first['instances']} to "
        f"{last['instances']} of them its share of unsampled skills (J) goes from {fixed(first['unsampled'], 2)} to "
        f"{fixed(last['unsampled'], 2)} and that of irrelevant ones (L) from {fixed(first['irrelevant'], 2)} to "
        f"{fixed(last['irrelevant'], 2)}, while its information gain ΔI falls from "
        f"{fixed(first['information_gain_nats'], 2)} to {fixed(last['information_gain_nats'], 2)} nats a record."
    )
    missed = generators.loc[~generators["criterion_reached"], "generator"].unique()
    trained = (
        "Every generator met its training criterion."
        if not len(missed)
        else f"Short of the training criterion when training ended: {listed(list(missed))}."
    )
    name = f"{task.name}/figure_shares"
    alt = "Shares of anchored, unsampled and irrelevant skills against anchors in the prompt, a panel a generator."
    picture = Picture(
        figures["figure_shares"].svg,
        figures["figure_shares"].png,
        alt,
        "Shares of skills in what each generator wrote, with 95 % intervals over prompts; dashed: the ideal generator "
        "after the same prompts, by exact Bayes.",
        [(kind.upper(), f"{name}.{kind}") for kind in ("svg", "png", "csv")],
    )
    caption = "Generators against exact Bayes"
    blocks: list[Block] = [Prose([mechanism, trained]), picture, Heading("Tables")]
    blocks.append(data_table(shares, COLUMNS["shares"], caption="What was written", source=f"{task.name}/shares.csv"))
    blocks.append(data_table(generators, COLUMNS["generators"], caption=caption, source="world/generators.csv"))
    truth = "Its skills and latent domains, with their exact laws."
    blocks.append(Links([("The world as it is", truth, "world/world.json")]))
    return Section("world", "Against the truth", "Against the truth", blocks)


def _validity_section(task: TaskResults) -> Section:
    table = data_table(task.validity, COLUMNS["validity"], caption="Validity", source=f"{task.name}/validity.csv")
    note = (
        "Valid: records as a share of all items found in responses, with a 95 % interval in which a response counts as "
        "a cluster. A generator without one valid record has no synthetic set: the published tables show “/” there."
    )
    return Section("validity", "Who kept to the format", "Format", [Prose([note], "note"), table])


def _curation_section(task: TaskResults) -> Section:
    table = data_table(task.curation, COLUMNS["curation"], caption="Curation", source=f"{task.name}/curation.csv")
    return Section("curation", "What curation removed", "Curation", [table])


def _anchors_section(task: TaskResults) -> Section:
    split = task.split
    blocks: list[Block] = [
        Prose([f"{split['anchors']:,} anchors, {split['train']:,} training and {split['test']:,} test records."])
    ]
    near = split.get("near_duplicates_across")
    if near is not None:
        above = f"have a ROUGE-L above {split['near_duplicate_above']}"
        blocks.append(Prose([capital(f"{count_word(len(near))} pairs of a training and a test record {above}.")]))
        if near:
            ids = [[p[side][:ID_SHOWN] for side in ("train_id", "test_id")] for p in near[:NEAR_SHOWN]]
            rows = [(*pair, fixed(p["rouge_l"], 3)) for pair, p in zip(ids, near, strict=False)]
            caption = "Near-duplicates across the split"
            table = plain_table(("training record", "test record", "ROUGE-L"), rows, caption=caption, numeric=(2,))
            blocks.append(Fold(f"{caption} ({len(near)})", [table]))
    return Section("anchors", "Real records", "Real records", blocks)


def _making_section(provenance: Sequence[Mapping[str, Any]]) -> Section:
    inputs = [f"{digest}  {path}" for record in provenance for path, digest in record["inputs"].items()]
    used = listed([f"{name} {version}" for name, version in provenance[0]["versions"].items()])
    items = [(record["rule"], f"code {record['parameters']['code']}") for record in provenance]
    return Section(
        "making",
        "How each number was made",
        "How it was made",
        [
            Prose([f"Made with {used}."]),
            Points(items),
            Fold(f"SHA-256 of the tables' inputs ({len(inputs)})", [Listing("\n".join(inputs))]),
        ],
    )
