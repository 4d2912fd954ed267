"""What is made of models' answers: `ggmi parse` and `ggmi verdict`, for people who write prompts and templates."""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, NamedTuple

from ggmi.errors import UserError, did_you_mean
from ggmi.rating.verdicts import REASONS as NO_RATING_BECAUSE
from ggmi.rating.verdicts import read_verdict
from ggmi.text.format import Format
from ggmi.text.outcomes import BAD_ESCAPE, BAD_JSON, REASONS, Parsed, ParsedResponse, ParseFailure, validity
from ggmi.text.parsing import parse
from ggmi.text.records import FIELDS
from ggmi.text.thinking import Marks, thinks_at_once
from ggmi.text.visible import one_line

# Items of each answer that are listed, and characters of each field.
LISTED, SHOWN = 40, 60


class Answer(NamedTuple):
    """What a model wrote, where it stands, and why it ended if that is known."""

    file: str
    number: int
    text: str
    finish_reason: str | None = None


def add_arguments(parser: argparse.ArgumentParser, *, verdicts: bool) -> None:
    """Declare the options of `ggmi parse` or `ggmi verdict`.

    Parameters
    ----------
    parser
        The command's.
    verdicts
        Whether it is `ggmi verdict`.
    """
    what = "verdict" if verdicts else "answer"
    where = f"a text of one {what}, a store of responses (.jsonl), or - for standard input"
    parser.add_argument("files", nargs="+", metavar="FILE", help=where)
    parser.add_argument("--json", action="store_true", help="print everything as JSON")
    parser.add_argument(
        "--split", metavar="LINE", help=f"a line that stands between the {what}s of a text, such as ====="
    )
    parser.add_argument(
        "--mark", nargs=2, action="append", default=[], metavar=("OPENING", "CLOSING"),
        help="further marks around thoughts, as in thinking_marks; may be given again",
    )  # fmt: skip
    if not verdicts:
        parser.add_argument(
            "--fields", action="append", default=[], metavar="FIELD=NAME",
            help="what else the model calls a field, as in prompts.fields: response=output; may be given again",
        )  # fmt: skip
        parser.add_argument("--repair", action="store_true", help="mend what is almost JSON, as in prompts.repair")


def run_parse(options: argparse.Namespace) -> None:
    """Print the records and failures of every answer.

    Parameters
    ----------
    options
        Of `add_arguments`.

    Raises
    ------
    UserError
        If a file cannot be read or an option is wrong.
    """
    form = Format(_fields(options.fields), Marks.of(options.mark), options.repair)
    answers = [answer for file in options.files for answer in _answers(file, options.split)]
    at_once = thinks_at_once((answer.text for answer in answers), form.marks)
    cut = [at_once and answer.finish_reason == "length" for answer in answers]
    found = [parse(a.text, replace(form, opened=opened)) for a, opened in zip(answers, cut, strict=True)]
    counts = validity(found)
    if options.json:
        rows = [
            {
                "file": answer.file,
                "answer": answer.number,
                "records": [asdict(record) for record in parsed.records],
                "failures": [asdict(failure) | {"meaning": REASONS[failure.reason]} for failure in parsed.failures],
            }
            for answer, parsed in zip(answers, found, strict=True)
        ]
        totals: dict[str, Any] = {**asdict(counts), "validity": counts.rate if answers else None}
        _print_json({"answers": rows, "counts": totals})
        return
    out = [line for answer, parsed in zip(answers, found, strict=True) for line in _listing(answer, parsed)]
    share = f", {counts.rate:.1%} valid" if answers else ""
    mended = f" ({counts.repaired:,} mended)" if counts.repaired else ""
    failed = sum(counts.failures.values())
    out.append(
        f"{counts.responses:,} answers, {counts.with_records:,} with records: {counts.records:,} records{mended}, "
        f"{failed:,} failures{share}"
    )
    out += [f"  {reason}: {times:,} ({REASONS[reason]})" for reason, times in counts.failures.items()]
    if not options.repair and counts.failures.keys() & {BAD_JSON, BAD_ESCAPE}:
        out.append("  --repair (prompts.repair in a configuration) mends objects that are almost JSON")
    if counts.extra_fields:
        passed = "fields of records were passed over; --fields FIELD=NAME maps those that belong to one"
        out.append(f"  {counts.extra_fields:,} other {passed}, such as context=input")
    if counts.keys:
        seen = ", ".join(f"{one_line(key)!r}" for key in list(counts.keys)[:12])
        out.append(f"  keys seen where a field is missing: {seen}; --fields response=NAME maps them")
    sys.stdout.write("\n".join(out) + "\n")


def run_verdict(options: argparse.Namespace) -> None:
    """Print the rating of every verdict, or why it has none.

    Parameters
    ----------
    options
        Of `add_arguments`.

    Raises
    ------
    UserError
        If a file cannot be read.
    """
    marks = Marks.of(options.mark)
    rows: list[dict[str, Any]] = []
    for file in options.files:
        for answer in _answers(file, options.split):
            reading = read_verdict(answer.text, marks)
            meaning = None if reading.reason is None else NO_RATING_BECAUSE[reading.reason]
            rows.append({"file": file, "verdict": answer.number, **asdict(reading), "meaning": meaning,
                         "end": answer.text.rstrip()[-SHOWN:]})  # fmt: skip
    if options.json:
        _print_json({"verdicts": rows})
        return
    out = []
    for row in rows:
        said = f"{row['rating']:g}" if row["rating"] is not None else f"none: {row['reason']} ({row['meaning']})"
        out.append(f"{row['file']} {row['verdict']}: {said}  …{one_line(row['end'])}")
    rated = sum(row["rating"] is not None for row in rows)
    reasons = Counter(row["reason"] for row in rows if row["reason"])
    told = "".join(f", {reason}: {times:,}" for reason, times in reasons.most_common())
    out.append(f"{len(rows):,} verdicts, {rated:,} with a rating{told}")
    sys.stdout.write("\n".join(out) + "\n")


def _print_json(value: object) -> None:
    sys.stdout.write(json.dumps(value, indent=2) + "\n")


def _listing(answer: Answer, parsed: ParsedResponse) -> Iterator[str]:
    """Lines that show the items of an answer in their order."""
    yield f"{answer.file}, answer {answer.number}"
    items: list[Parsed | ParseFailure] = [*parsed.records, *parsed.failures]
    items.sort(key=lambda item: item.position)
    for item in items[:LISTED]:
        if isinstance(item, ParseFailure):
            keys = f" (keys: {', '.join(map(one_line, item.keys))})" if item.keys else ""
            yield f"  {item.position}: {item.reason}{keys}: {_short(item.excerpt)}"
        else:
            mended = " (mended)" if item.repaired else ""
            texts = map(_short, (item.instruction, item.context, item.response))
            yield f"  {item.position}: record{mended}: {' | '.join(texts)}"
    if len(items) > LISTED:
        yield f"  … and {len(items) - LISTED:,} more (--json shows all)"


def _short(text: str) -> str:
    line = one_line(text)
    return line if len(line) <= SHOWN else f"{line[:SHOWN]}…"


def _fields(given: Sequence[str]) -> dict[str, list[str]]:
    """What options of the form FIELD=NAME map."""
    names: dict[str, list[str]] = {}
    for pair in given:
        wanted, equals, name = pair.partition("=")
        if not equals or not name:
            raise UserError(f"--fields: {pair!r} is not of the form FIELD=NAME, such as response=output")
        if wanted not in FIELDS:
            raise UserError(f"--fields: {wanted!r} is no field: {did_you_mean(wanted, FIELDS)}")
        names.setdefault(wanted, []).append(name)
    return names


def _answers(file: str, split: str | None) -> Iterator[Answer]:
    """The answers of a file: one, those between lines, or those of a store."""
    text = _read(file)
    rows = list(_rows(text)) if file.endswith((".jsonl", ".ndjson")) else []
    if rows:
        for number, (said, finish_reason) in enumerate(rows, 1):
            yield Answer(file, number, said, finish_reason)
        return
    parts = [text]
    if split is not None:
        parts = [""]
        for line in text.splitlines(keepends=True):
            if line.strip() == split.strip():
                parts.append("")
            else:
                parts[-1] += line
    for number, part in enumerate(parts, 1):
        yield Answer(file, number, part)


def _rows(text: str) -> Iterator[tuple[str, str | None]]:
    """Texts of stored responses or verdicts, one or more a line; none if these are no such lines."""
    found: list[tuple[str, str | None]] = []
    for line in text.splitlines():
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError):
            return
        if not isinstance(row, dict):
            return
        several = row["verdicts"] if isinstance(row.get("verdicts"), list) else [row]
        for each in several:
            said = each.get("text", 0) if isinstance(each, dict) else 0
            if isinstance(said, str):
                found.append((said, row.get("finish_reason")))
            elif said is not None:  # the lines are records themselves, say
                return
    yield from found


def _read(file: str) -> str:
    """A file's text, or that of standard input."""
    try:
        raw = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
        return raw.decode("utf-8-sig")
    except OSError as error:
        raise UserError(f"{file}: cannot be read ({error.strerror or error})") from None
    except UnicodeDecodeError as error:
        raise UserError(f"{file}: is not UTF-8 (byte {error.start + 1}); save it as UTF-8") from None
