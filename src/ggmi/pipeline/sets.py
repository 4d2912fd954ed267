"""From raw responses to synthetic sets, and how well generators kept to the format."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from ggmi.models.requests import Response
from ggmi.pipeline.responses import response_of
from ggmi.statistics import share_interval
from ggmi.text.card import Card
from ggmi.text.curation import Curation, Lengths, curate
from ggmi.text.format import Format
from ggmi.text.jsonl import filter_rows, read_rows, write_rows
from ggmi.text.outcomes import ParsedResponse, validity
from ggmi.text.parsing import parse
from ggmi.text.read_notes import Reading
from ggmi.text.records import Record
from ggmi.text.samples import Sample
from ggmi.text.synthetic import Origin, TokenSpan, failure_rows, synthetic_rows
from ggmi.text.thinking import Marks

# What rows of imported sets that hold no record fail by.
NO_RECORD = "no_record"
Row = dict[str, Any]


def format_of(settings: Mapping[str, Any]) -> Format:
    """What settings take for a record.

    Parameters
    ----------
    settings
        ``fields``, ``repair`` and ``thinking_marks``, as in the configuration.
    """
    return Format(settings["fields"], Marks.of(settings["thinking_marks"]), settings["repair"])


def parsed_rows(
    responses: Iterable[Mapping[str, Any]],
    anchors: Mapping[str, Sequence[str]],
    generator: str,
    form: Format | None = None,
    *,
    at_once: bool = False,
) -> tuple[list[Row], list[Row], dict[str, Any]]:
    """Take the records out of responses.

    Parameters
    ----------
    responses
        Rows of `ggmi.pipeline.responses.collected`.
    anchors
        Ids of the anchors in each prompt, by the prompt's id.
    generator
        The generator's name.
    form
        What is taken for a record.
    at_once
        Whether responses begin inside thoughts (`ggmi.text.thinking.thinks_at_once`): one that was cut at
        ``max_tokens`` before any mark is all thought.

    Returns
    -------
    records : list of dict
        See `ggmi.text.synthetic.synthetic_rows`.
    failures : list of dict
        See `ggmi.text.synthetic.failure_rows`.
    summary : dict
        ``responses``, ``with_records``, ``records``, ``failures`` (by reason), ``validity``
        (records that are correct JSON as a share of all items) with ``validity_ci_low`` and
        ``validity_ci_high`` (95 %, responses as clusters), ``repaired`` (records that were not),
        ``keys`` (what objects without a needed field call theirs), ``extra_fields``,
        ``finish_reasons``, ``cut`` (responses that met ``max_tokens``), ``prompt_tokens``,
        ``completion_tokens``, and ``log_prob_nats`` (sum over responses, null unless all have one).
    """
    records: list[Row] = []
    failures: list[Row] = []
    sizes: list[tuple[int, int]] = []
    finished: Counter[str] = Counter()
    prompt_tokens = completion_tokens = 0
    log_probs: list[float | None] = []
    strict = form or Format()

    def taken() -> Iterator[ParsedResponse]:
        """One response after another; of each, nothing but its rows is kept."""
        nonlocal prompt_tokens, completion_tokens
        for row in responses:
            response = response_of(row)
            cut = at_once and response.finish_reason == "length"
            parsed = parse(response.text, replace(strict, opened=cut))
            correct = sum(not record.repaired for record in parsed.records)
            sizes.append((correct, len(parsed.records) + len(parsed.failures)))
            origin = Origin(generator, row["prompt_id"], tuple(anchors[row["prompt_id"]]), row["draw"], response.key)
            records.extend(synthetic_rows(parsed, origin, _tokens(response)))
            failures.extend(failure_rows(parsed, origin))
            finished[_reason_name(response.finish_reason)] += 1
            prompt_tokens += response.prompt_tokens
            completion_tokens += response.completion_tokens
            log_probs.append(response.log_prob_nats)
            yield parsed

    counts = validity(taken())
    interval = share_interval([hits for hits, _ in sizes], [items for _, items in sizes])
    known = [value for value in log_probs if value is not None]
    summary = {
        "responses": counts.responses,
        "with_records": counts.with_records,
        "records": counts.records,
        "repaired": counts.repaired,
        "failures": counts.failures,
        "keys": counts.keys,
        "validity": counts.rate if counts.responses else None,
        "validity_ci_low": interval.low if counts.responses else None,
        "validity_ci_high": interval.high if counts.responses else None,
        "extra_fields": counts.extra_fields,
        "finish_reasons": dict(sorted(finished.items())),
        "cut": finished["length"],
        "prompt_tokens": prompt_tokens,
        "completion_tokens": completion_tokens,
        "log_prob_nats": sum(known) if len(known) == len(log_probs) else None,
    }
    return records, failures, summary


def _reason_name(finish_reason: str) -> str:
    """Why a response ended, as a name that a table can bear whatever an endpoint writes."""
    return finish_reason if re.fullmatch("[a-z_]{1,30}", finish_reason) else "other"


def _tokens(response: Response) -> list[TokenSpan] | str:
    if response.token_log_probs is not None:
        return [TokenSpan(*span) for span in response.token_log_probs]
    return response.log_prob_missing or "log-probabilities of single tokens were not asked for"


def curation_of(settings: Mapping[str, Any]) -> Curation:
    """The filters that settings ask for.

    Parameters
    ----------
    settings
        Plain values by key, as in the configuration.
    """
    lengths = settings["lengths"]
    bounds = None if lengths is None else Lengths(**{name: tuple(pair) for name, pair in lengths.items()})
    return Curation(**{**settings, "lengths": bounds})


def record_of(row: Mapping[str, Any]) -> Record:
    """The record in a row of a synthetic set."""
    return Record(row["id"], row["instruction"], row["context"], row["response"])


def curate_file(
    path: Path, curation: Curation, references: Mapping[str, Sequence[Record]], kept: Path, drops: Path
) -> dict[str, Any]:
    """Curate a synthetic set, of which only texts are held.

    Parameters
    ----------
    path
        Rows of its records.
    curation
        The filters.
    references
        Real records by name of their set, for contamination.
    kept, drops
        The files to make: rows that stay, as they are; for the others their id, filter, reason, twin and similarity.

    Returns
    -------
    dict
        ``kept``, ``dropped`` (by filter and reason), and how much ε removed: ``removed_share`` of
        records and ``removed_text_share`` of characters, null without records.
    """
    records = [record_of(row) for _, row in read_rows(path)]
    done = curate(records, curation, references)
    dropped = [asdict(drop) for drop in done.drops]
    gone = {drop.id for drop in done.drops}
    filter_rows(path, lambda row, _: records[row].id not in gone, kept)
    write_rows(drops, dropped)
    return curation_summary(len(records), dropped, done.characters, done.characters_kept)


def curation_summary(count: int, drops: Sequence[Row], characters: int, kept: int) -> dict[str, Any]:
    """How much a curation dropped.

    Parameters
    ----------
    count
        Records that there were.
    drops
        What was dropped.
    characters, kept
        Characters of all records and of those that stay.

    Returns
    -------
    dict
        As of `curate_file`.
    """
    counts = Counter(f"{drop['filter']}: {drop['reason']}" for drop in drops)
    return {
        "kept": count - len(drops),
        "dropped": dict(sorted(counts.items())),
        "removed_share": len(drops) / count if count else None,
        "removed_text_share": (1 - kept / characters if characters else float("nan")) if count else None,
    }


def imported_failures(reading: Reading) -> list[Row]:
    """What an imported set's rows that hold no record fail by, a row a kind.

    Parameters
    ----------
    reading
        How the set was read.

    Returns
    -------
    list of dict
        With ``reason``, ``why``, how many ``rows``, and where the first of them stand.
    """
    return [
        {"reason": NO_RECORD, "why": one.reason, "rows": one.count, "places": list(one.places)}
        for one in reading.left_out
    ]


def imported_rows(sample: Sample, generator: str) -> list[Row]:
    """Rows of a synthetic set that was made elsewhere, with the columns of those made here.

    Parameters
    ----------
    sample
        The set.
    generator
        The name it goes by.

    Returns
    -------
    list of dict
        As of `parsed_rows`, with the prompts, anchors, log-probabilities and tokens that the set names; what is not
        known is null.
    """
    return [
        {
            **asdict(record),
            "generator": generator,
            **{"prompt_id": prompt, "anchor_ids": list(anchors), "draw": None, "response_key": None, "position": None},
            "log_prob_nats": nats,
            "log_prob_missing": "the set was imported without it" if nats is None else None,
            "tokens": tokens,
        }
        for record, prompt, anchors, nats, tokens in zip(
            sample.records, sample.keys, sample.anchor_ids, sample.nats, sample.tokens, strict=True
        )
    ]


def imported_summary(records: int, reading: Reading) -> dict[str, Any]:
    """What is known of the making of a set that was made elsewhere.

    Parameters
    ----------
    records
        How many it holds.
    reading
        How it was read.

    Returns
    -------
    dict
        As of `parsed_rows`, of no responses; none are ``missing``. Rows that hold no record count as failures
        ``no_record``, and ``read`` tells why.
    """
    nothing_known = dict.fromkeys(("validity", "validity_ci_low", "validity_ci_high", "log_prob_nats"))
    nothing = dict.fromkeys(
        ("responses", "with_records", "repaired", "extra_fields", "cut", "prompt_tokens", "completion_tokens"), 0
    )
    left = sum(one.count for one in reading.left_out)
    failures = {NO_RECORD: left} if left else {}
    counts: Row = {"records": records, "failures": failures, "keys": {}, "finish_reasons": {}, "missing": 0}
    return {**nothing, **counts, **nothing_known, "cut_prompts": None, "read": reading.described()}


def card_of(
    title: str,
    licence: str,
    made_by: Mapping[str, str],
    parsed: Mapping[str, Any],
    curated: Mapping[str, Any],
    template: str,
) -> Card:
    """The card of a synthetic set.

    Parameters
    ----------
    title
        Its name.
    licence
        Its licence.
    made_by
        How it was made, as label and value.
    parsed, curated
        Summaries of `parsed_rows` and `curate_file`; of a set with faults its counts by ``faults``, too.
    template
        The prompt template.
    """
    counts = {"responses": parsed["responses"], "records found": parsed["records"]}
    counts |= {f"failed: {reason}": number for reason, number in parsed["failures"].items()}
    counts |= {f"dropped: {reason}": number for reason, number in curated["dropped"].items()}
    counts |= {f"replaced: {fault}": number for fault, number in curated.get("faults", {}).items()}
    return Card(title, curated["kept"], licence, made_by, {**counts, "records kept": curated["kept"]}, template)
