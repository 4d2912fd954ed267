"""The embedded world in the pipeline: its description, its generators against exact Bayes, what they write."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ggmi.embedded.documents import Documents
from ggmi.embedded.domains import Domains
from ggmi.embedded.language import ALPHABET, Language, Sizes
from ggmi.random import stream
from ggmi.statistics import mean_interval
from ggmi.text.templates import Prompt

if TYPE_CHECKING:
    from transformers import PreTrainedModel

ROLES = ("anchored", "unsampled", "irrelevant")
# Prompts on which a generator is measured, of each number of instances.
TRUTH_PROMPTS = 200


def world_of(seed: int, sizes: Mapping[str, int]) -> tuple[Language, Domains]:
    """Skills and domains of the run's world."""
    chosen = Sizes(**sizes)
    return Language.draw(seed, chosen), Domains.draw(seed, chosen)


def documents_of(seed: int, sizes: Mapping[str, int], most_anchors: int, further: int) -> Documents:
    """Documents of the run's world."""
    return Documents(*world_of(seed, sizes), most_anchors, further)


def description(language: Language, domains: Domains) -> dict[str, Any]:
    """Everything that is true of a world, for a reader.

    Parameters
    ----------
    language
        Its skills.
    domains
        Its latent domains.

    Returns
    -------
    dict
        ``sizes``; ``skills``: word, role, what each letter becomes, and from which position each
        letter of the response is taken; ``domains``: name, prior, head and full law by word.
    """
    letters = ALPHABET[: language.sizes.letters]
    skills = [
        {
            "word": word,
            "role": language.role(i),
            "letters": {letters[a]: letters[b] for a, b in enumerate(language.substitutions[i].tolist())},
            "positions": language.orders[i].tolist(),
        }
        for i, word in enumerate(language.words)
    ]

    def law(row: np.ndarray) -> dict[str, float]:
        return {word: float(p) for word, p in zip(language.words, row, strict=True) if p > 0}

    laws = [
        {"name": name, "prior": float(prior), "head": law(head), "full": law(full)}
        for name, prior, head, full in zip(domains.names, domains.prior, domains.head, domains.full, strict=True)
    ]
    sizes = language.sizes
    shown = {name: getattr(sizes, name) for name in ("anchored", "unsampled", "irrelevant", "letters", "length")}
    return {"sizes": shown, "skills": skills, "domains": laws}


def generators_table(
    models: Mapping[str, PreTrainedModel],
    reached: Mapping[str, bool],
    documents: Documents,
    instances: Sequence[int],
    seed: int,
) -> pd.DataFrame:
    """Measure generators against the ideal one.

    Parameters
    ----------
    models
        By name.
    reached
        Whether each met its criterion in training.
    documents
        The world's documents.
    instances
        Anchors in context, one row each.
    seed
        The run's seed.

    Returns
    -------
    DataFrame
        Columns generator, parameters, criterion_reached, instances, prompts, kl_nats (of its law
        of the next skill from the exact one), anchored, unsampled, irrelevant (shares of its next
        skill), skill_accuracy.
    """
    from ggmi.embedded.truth import generator_truth

    rows = []
    for name, model in models.items():
        for x in instances:
            found = generator_truth(model, documents, x, TRUTH_PROMPTS, stream(seed, "embedded", "truth", x))
            rows.append(
                {
                    "generator": name,
                    "parameters": model.num_parameters(),
                    "criterion_reached": reached[name],
                    "instances": x,
                    "prompts": TRUTH_PROMPTS,
                    "kl_nats": found.kl_nats,
                    **{role: getattr(found, role) for role in ROLES},
                    "skill_accuracy": found.accuracy,
                }
            )
    return pd.DataFrame(rows)


def shares_table(
    language: Language,
    domains: Domains,
    anchors: Mapping[str, str],
    prompts: Mapping[str, Sequence[Prompt]],
    records: Mapping[tuple[str, str], Sequence[Mapping[str, Any]]],
    seed: int,
) -> pd.DataFrame:
    """Compare the skills in what generators wrote with the ideal generator after the same prompts.

    Parameters
    ----------
    language, domains
        The world.
    anchors
        Skill word of each anchor, by id.
    prompts
        Prompts of each condition (``3-ins`` and so on).
    records
        Rows of each generator and condition.
    seed
        The run's seed.

    Returns
    -------
    DataFrame
        A row a generator and condition, the exact one (``ideal``) first: generator, instances,
        prompts (each counted once), records, and for anchored, unsampled and irrelevant skills their share with a 95 %
        interval over prompts (BCa bootstrap; none for the ideal, which is exact after the prompts
        at hand), ``right`` (share of records whose response is right) and ``information_gain_nats``
        (exact ΔI a record of the ideal generator, mean over prompts).
    """
    rows = []
    for condition, every in prompts.items():
        asked = list({prompt.id: prompt for prompt in every}.values())
        x = int(condition.removesuffix("-ins"))
        counts = skill_counts(language, anchors, asked)
        law = domains.next_skill(counts)
        ideal = {"generator": "ideal", "instances": x, "prompts": len(asked), "records": 0, "right": 1.0}
        for role, share in zip(ROLES, domains.shares(law).mean(axis=0), strict=True):
            ideal[role] = float(share)
        ideal["information_gain_nats"] = float(domains.record_entropy(law).mean())
        rows.append(ideal)
        for (generator, made), found in records.items():
            if made == condition:
                rows.append(
                    {"generator": generator, "instances": x, **_written(language, asked, found, seed, generator, x)}
                )
    columns = ["generator", "instances", "prompts", "records"]
    columns += [f"{role}{end}" for role in ROLES for end in ("", "_ci_low", "_ci_high")]
    return pd.DataFrame(rows, columns=[*columns, "right", "information_gain_nats"])


def irrelevant_records(language: Language, number: int, generator: np.random.Generator) -> list[dict[str, str]]:
    """Records of the skills outside the target task, each as likely.

    Parameters
    ----------
    language
        The world's skills.
    number
        How many records.
    generator
        Source of skills and contexts.
    """
    sizes = language.sizes
    skills = generator.integers(sizes.target, sizes.skills, size=number)
    return language.records(skills, language.random_contexts((number,), generator))


def skill_counts(language: Language, anchors: Mapping[str, str], prompts: Sequence[Prompt]) -> np.ndarray:
    """How often each skill occurs among the anchors of each prompt, shape (prompts, S).

    Parameters
    ----------
    language
        The world's.
    anchors
        Skill word of each anchor, by id.
    prompts
        The prompts.
    """
    return np.array([_counts(language, [anchors[i] for i in prompt.anchor_ids]) for prompt in prompts])


def _counts(language: Language, words: Sequence[str]) -> np.ndarray:
    found = Counter(language.skill_of(word) for word in words)
    return np.array([found.get(skill, 0) for skill in range(language.sizes.skills)])


def _response(language: Language, skill: int, context: str) -> str | None:
    """The skill's response to a context; None to what is no context."""
    letters = [ALPHABET[: language.sizes.letters].find(letter) for letter in context]
    if len(letters) != language.sizes.length or -1 in letters:
        return None
    return language.records([skill], [letters])[0]["response"]


def _written(
    language: Language, prompts: Sequence[Prompt], rows: Sequence[Mapping[str, Any]], seed: int, generator: str, x: int
) -> dict[str, Any]:
    """Shares of the three kinds of skill in what was written, prompt by prompt."""
    order = {prompt.id: i for i, prompt in enumerate(prompts)}
    tally = np.zeros((len(order), len(ROLES)))
    totals = np.zeros(len(order))
    right = 0
    for row in rows:
        skill = language.skill_of(row["instruction"])
        place = order[row["prompt_id"]]
        totals[place] += 1
        if skill is not None:
            tally[place, ROLES.index(language.role(skill))] += 1
            right += row["response"] == _response(language, skill, row["context"])
    found: dict[str, Any] = {"prompts": len(prompts), "records": len(rows)}
    found["right"] = right / len(rows) if rows else np.nan
    heard = totals > 0
    for i, role in enumerate(ROLES):
        shares = tally[heard, i] / totals[heard]
        found[role] = float(shares.mean()) if heard.any() else np.nan
        if heard.sum() > 1:
            interval = mean_interval(shares, stream(seed, "shares", generator, x, role))
            found |= {f"{role}_ci_low": interval.low, f"{role}_ci_high": interval.high}
    return found
