"""Samples from files: what each row says is made into arrays, chunk by chunk, and what is odd is told."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ggmi.errors import UserError
from ggmi.scaling.columns import DOCUMENT, FILTER, FILTERED, RESPONSES, Columns, is_harness, resolved
from ggmi.scaling.extraction import Extract, gsm8k, math, plain, rule
from ggmi.scaling.samples import Array, Samples
from ggmi.scaling.tables import Chunk, column_names, read_chunks
from ggmi.text.jsonl import kind
from ggmi.text.visible import one_line

TRUE, FALSE = ("true", "1", "1.0", "yes"), ("false", "0", "0.0", "no")
# What lm-evaluation-harness's filters say where they find no answer.
INVALID = "[invalid]"
_LOG = re.compile(r"samples_(.+)_\d{4}-\d\d-\d\dT.*")


@dataclass(frozen=True)
class Found:
    """What was read.

    Parameters
    ----------
    samples
        The samples.
    columns
        Which column said what.
    notes
        Sentences on what was recognised, left out or odd.
    """

    samples: Samples
    columns: Columns
    notes: list[str]


def read_samples(paths: Sequence[str], asked: Columns, *, extract: str | None = None, only: str | None = None) -> Found:
    """Read samples of one or several files as one set.

    Parameters
    ----------
    paths
        JSON lines, CSV or Parquet, compressed or not; samples of one problem may lie in several.
    asked
        Columns that are named; others are recognised.
    extract
        The rule that finds answers in texts, of `ggmi.scaling.extraction.rule`; None takes the column
        of answers.
    only
        The filter whose rows count in lm-evaluation-harness's sample logs; None takes the first.

    Returns
    -------
    Found

    Raises
    ------
    UserError
        If a file cannot be read, or a value is not as it should be; with its place.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder) / "samples.jsonl"
    ...     _ = path.write_text('{"problem": "p", "answer": "0.5", "reference": "1/2"}')
    ...     found = read_samples([str(path)], Columns())
    >>> found.samples.problems, found.samples.correct.tolist()
    (('p',), [True])
    """
    reading = rule(extract) if extract else None
    names = {path: column_names(path) for path in paths}
    columns, logged = None, False
    for path in paths:
        if not names[path]:
            raise UserError(f"{path}: holds no samples")
        own = resolved(asked, names[path], path)
        if not extract:
            own = replace(own, text=None)
        if columns is not None and own != columns:
            raise UserError(f"{path}: has other columns than {paths[0]}; name those that both have")
        columns, logged = own, is_harness(names[path]) and asked.problem is None
    assert columns is not None
    # Answers in LaTeX that are extracted already are still to be spelt alike.
    spelt = extract == "math" and columns.answer is not None
    if extract and not logged and columns.text is None and not spelt:
        raise UserError("--extract: no column of texts is known; name it with --text")
    rows = _Rows(columns, reading, logged=logged)
    wanted = columns.named + [name for name in (FILTER, FILTERED, RESPONSES) if logged and name in names[paths[0]]]
    for path in paths:
        log = _Log(path, several=len(paths) > 1, rule=bool(extract), only=only) if logged else None
        for chunk in read_chunks(path, wanted):
            rows.add(log.expanded(chunk, columns) if log else chunk)
        if log:
            only = log.only
            rows.skipped |= log.skipped
    if not rows.problems:
        raise UserError(f"{', '.join(paths)}: no samples are there" + (f" of filter {only!r}" if only else ""))
    return rows.found(columns)


@dataclass
class _Log:
    """A sample log of lm-evaluation-harness, whose rows hold several samples each."""

    path: str
    several: bool
    rule: bool
    only: str | None
    skipped: set[str] = field(default_factory=set)

    def expanded(self, chunk: Chunk, columns: Columns) -> Chunk:
        """The chunk with a row a sample."""
        made: dict[str, list[Any]] = {name: [] for name in (*columns.named, RESPONSES, FILTERED)}
        numbers = []
        filters = chunk.columns.get(FILTER, [None] * len(chunk.numbers))
        for row, name in enumerate(filters):
            self.only = self.only if self.only is not None else name
            if name != self.only:
                self.skipped.add(str(name))
                continue
            texts = _texts(chunk.columns[RESPONSES][row])
            filtered = _texts(chunk.columns[FILTERED][row]) if FILTERED in chunk.columns else []
            many = len(texts) > 1
            if many and not self.rule and len(filtered) != len(texts):
                raise UserError(
                    f"{chunk.place(row)}: holds {len(texts):,} responses, of which a filter kept {len(filtered):,}; "
                    "say with --extract how their answers are found"
                )
            answers = filtered if len(filtered) == max(len(texts), 1) else [None] * max(len(texts), 1)
            for text, answer in zip(texts or [None], answers, strict=True):
                for column in columns.named:
                    made[column].append(chunk.columns[column][row])
                made[RESPONSES].append(text)
                made[FILTERED].append(None if answer == INVALID else answer)
                numbers.append(chunk.numbers[row])
                # A metric is one of the row, not of each of its samples; a rule is judged by what it extracts.
                if columns.correct and (many or self.rule):
                    made[columns.correct][-1] = None
        task = _LOG.match(Path(self.path).name)
        where = task[1] if task else Path(self.path).stem
        if self.several:
            made[DOCUMENT] = [f"{where}/{value}" for value in made[DOCUMENT]]
        return Chunk(chunk.source, chunk.unit, numbers, made)


def _texts(value: Any) -> list[str | None]:
    """The texts in a list of lists of them; none where they are no texts, as of log-likelihoods."""
    if not isinstance(value, list):
        return []
    flat = [text for one in value for text in (one if isinstance(one, list) else [one])]
    return flat if all(isinstance(text, str) for text in flat) else []


class _Rows:
    """Rows as they come."""

    def __init__(self, columns: Columns, reading: tuple[Extract, Extract] | None, *, logged: bool) -> None:
        self.columns, self.logged = columns, logged
        self.extract: Extract | None = reading[0] if reading else None
        self.normal: Extract = reading[1] if reading else plain
        self.problems: dict[str, int] = {}
        self.answers: dict[str, int] = {}
        self.references: dict[int, int] = {}
        self.contradicted: set[int] = set()
        self.skipped: set[str] = set()
        # Codes of answers and of references as they are written.
        self._forms: dict[str, int] = {}
        self._truths: dict[str, int] = {}
        self._parts: dict[str, list[NDArray]] = {}

    def add(self, chunk: Chunk) -> None:
        """Take a chunk."""
        values, columns = chunk.columns, self.columns
        assert columns.problem is not None
        problem = [self._problem(value, chunk, row) for row, value in enumerate(values[columns.problem])]
        answer = self._answers(chunk)
        if answer is not None:
            self._keep("answer", np.array(answer, dtype=np.int32))
        right = self._right(chunk, problem, answer)
        self._keep("problem", np.array(problem, dtype=np.int32))
        self._keep("correct", np.array(right, dtype=bool))
        for name in self.columns.scores:
            self._keep(f"score {name}", self._numbers(chunk, name, "a number, or nothing where it is missing"))
        if columns.tokens:
            tokens = self._numbers(chunk, columns.tokens, "a number of at least 0")
            self._refuse(chunk, columns.tokens, tokens < 0, "a number of at least 0")
            self._keep("tokens", tokens)

    def found(self, columns: Columns) -> Found:
        """All rows as samples, and what there is to tell of them."""
        whole = {name: np.concatenate(parts) for name, parts in self._parts.items()}
        kept = ~np.isin(whole["problem"], list(self.contradicted))
        notes = self._notes(whole, kept)
        if not kept.any():
            raise UserError("every problem has two references that differ; name the column of problems with --problem")
        whole = {name: values[kept] for name, values in whole.items()}
        used, problem = np.unique(whole["problem"], return_inverse=True)
        texts = list(self.problems)
        samples = Samples.arranged(
            [texts[code] for code in used],
            problem,
            whole["correct"],
            said=list(self.answers),
            answer=whole.get("answer"),
            scores={name: whole[f"score {name}"] for name in columns.scores},
            tokens=whole.get("tokens"),
        )
        if samples.answer is not None and ((samples.groups.credit > 0) & (samples.groups.credit < 1)).any():
            mixed = int(((samples.groups.credit > 0) & (samples.groups.credit < 1)).sum())
            notes.append(
                f"{_count(mixed, 'answer')} of a problem counted as right in one sample and as wrong in another; "
                "a vote for it has the credit of its share of right samples."
            )
        return Found(samples, columns, notes)

    def _notes(self, whole: dict[str, NDArray], kept: NDArray) -> list[str]:
        """What is odd."""
        notes = []
        if self.skipped:
            names = ", ".join(repr(name) for name in sorted(self.skipped))
            notes.append(f"Rows of other filters are left out ({names}); --filter takes one of them instead.")
        if self.contradicted:
            texts = list(self.problems)
            first = one_line(texts[min(self.contradicted)])[:60]
            notes.append(
                f"{_count(len(self.contradicted), 'problem')} with two references that differ "
                f"{'is' if len(self.contradicted) == 1 else 'are'} left out, with "
                f"{_count(int((~kept).sum()), 'sample')}; the first is “{first}”."
            )
        if "answer" in whole and (missing := int((whole["answer"][kept] < 0).sum())):
            notes.append(
                f"{missing:,} of {int(kept.sum()):,} samples have no answer: they vote for nothing, and to choose one "
                "is wrong unless the file says otherwise."
            )
        for name in self.columns.scores:
            lacking = int(np.isnan(whole[f"score {name}"][kept]).sum())
            if lacking:
                notes.append(
                    f"{lacking:,} of {int(kept.sum()):,} samples lack {name}: they are chosen by it only where no "
                    "sample has it, and their votes weigh nothing."
                )
        keys = [values[kept] for name, values in whole.items()]
        if self.columns.scores:
            repeated = _repeated(keys)
            if repeated:
                notes.append(
                    f"{_count(repeated, 'row')} {'repeats' if repeated == 1 else 'repeat'} another of its problem in "
                    "all that is read; each counts as a sample of its own."
                )
        return notes

    def _keep(self, name: str, values: NDArray) -> None:
        self._parts.setdefault(name, []).append(values)

    def _problem(self, value: Any, chunk: Chunk, row: int) -> int:
        if isinstance(value, float) and value.is_integer():  # whole numbers of a column that lacks some
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, str | int) or value == "":
            raise UserError(
                f"{chunk.place(row)}: the field {self.columns.problem!r} is {kind(value) if value != '' else 'empty'}; "
                "allowed: text or a whole number"
            )
        return self.problems.setdefault(str(value), len(self.problems))

    def _answers(self, chunk: Chunk) -> list[int] | None:
        """Codes of the answers, -1 for none; None where nothing is known of them."""
        texts = RESPONSES if self.logged else self.columns.text
        column = FILTERED if self.logged else self.columns.answer
        if self.extract is not None and texts is not None:
            return [self._extracted(value, chunk, row, texts) for row, value in enumerate(chunk.columns[texts])]
        if column is None:
            return None
        return [self._answer(value, chunk, row, column) for row, value in enumerate(chunk.columns[column])]

    def _extracted(self, value: Any, chunk: Chunk, row: int, column: str) -> int:
        if value is None:
            return -1
        if not isinstance(value, str):
            raise UserError(f"{chunk.place(row)}: the field {column!r} is {kind(value)}; allowed: text")
        assert self.extract is not None
        answer = self.extract(value)
        return -1 if not answer else self.answers.setdefault(answer, len(self.answers))

    def _answer(self, value: Any, chunk: Chunk, row: int, column: str) -> int:
        if value is None or value != value:  # NaN, as Parquet files have it
            return -1
        if isinstance(value, dict | list):
            raise UserError(f"{chunk.place(row)}: the field {column!r} is {kind(value)}; allowed: text or a number")
        text = str(value)
        if text not in self._forms:
            form = self.normal(text)
            self._forms[text] = self.answers.setdefault(form, len(self.answers)) if form else -1
        return self._forms[text]

    def _right(self, chunk: Chunk, problem: list[int], answer: list[int] | None) -> list[bool]:
        """Whether each sample is right: as the file says, else by its reference."""
        columns = self.columns
        said = chunk.columns[columns.correct] if columns.correct else [None] * len(problem)
        given = chunk.columns.get(columns.reference or "", [None] * len(problem))
        right = []
        for row, value in enumerate(said):
            truth = self._truth(value, chunk, row)
            if truth is None:
                code = self._reference(given[row], problem[row], chunk, row)
                if code is None or answer is None:
                    raise UserError(self._unjudged(chunk.place(row), unanswerable=code is not None))
                truth = answer[row] == code
            right.append(truth)
        return right

    def _unjudged(self, place: str, *, unanswerable: bool) -> str:
        if unanswerable:
            return f"{place}: its answer has to be compared with a reference; say how it is found with --extract"
        missing = [repr(name) for name in (self.columns.correct, self.columns.reference) if name]
        return f"{place}: nothing says whether the sample is right ({' and '.join(missing)} missing)"

    def _truth(self, value: Any, chunk: Chunk, row: int) -> bool | None:
        if value is None or value == "" or value != value:
            return None
        if isinstance(value, bool | int | float) and value in (0, 1):
            return bool(value)
        if isinstance(value, str) and value.strip().lower() in TRUE + FALSE:
            return value.strip().lower() in TRUE
        shown = repr(value)[:40] if isinstance(value, str | int | float) else kind(value)
        raise UserError(
            f"{chunk.place(row)}: the field {self.columns.correct!r} is {shown}; allowed: true, false, 1 or 0"
        )

    def _reference(self, value: Any, problem: int, chunk: Chunk, row: int) -> int | None:
        """Code of a problem's right answer."""
        if value is None or value == "" or value != value:
            return None
        if isinstance(value, dict | list):
            column = self.columns.reference
            raise UserError(f"{chunk.place(row)}: the field {column!r} is {kind(value)}; allowed: text or a number")
        text = str(value)
        if text not in self._truths:
            form = _reference_form(text, self.extract, self.normal)
            self._truths[text] = self.answers.setdefault(form, len(self.answers))
        code = self._truths[text]
        if self.references.setdefault(problem, code) != code:
            self.contradicted.add(problem)
        return code

    def _numbers(self, chunk: Chunk, column: str, allowed: str) -> Array:
        """A column of numbers, NaN where missing."""
        values = [None if value == "" else value for value in chunk.columns[column]]
        try:
            found: Array = np.array(values, dtype=float)
        except (TypeError, ValueError):
            found = np.array([0.0 if value is None or _is_number(value) else np.inf for value in values])
        self._refuse(
            chunk, column, (found == np.inf) | np.array([isinstance(value, bool) for value in values]), allowed
        )
        return found

    def _refuse(self, chunk: Chunk, column: str, wrong: NDArray, allowed: str) -> None:
        if wrong.any():
            row = int(wrong.argmax())
            value = chunk.columns[column][row]
            shown = repr(value)[:40] if isinstance(value, str | int | float) else kind(value)
            raise UserError(f"{chunk.place(row)}: the field {column!r} is {shown}; allowed: {allowed}")


def _reference_form(text: str, extract: Extract | None, normal: Extract) -> str:
    """A reference's answer: a whole solution is read by its form."""
    if extract is None:
        extract = gsm8k if "####" in text else math if r"\boxed" in text else None
    return (extract and extract(text)) or normal(text) or text


def _count(n: int, noun: str) -> str:
    """A count with its noun."""
    return f"{n:,} {noun}{'s' * (n != 1)}"


def _is_number(value: Any) -> bool:
    try:
        float(value)
    except (TypeError, ValueError):
        return False
    return True


def _repeated(keys: Sequence[NDArray]) -> int:
    """Rows that are equal to an earlier one in everything."""
    order = np.lexsort(keys)
    same = np.ones(len(order) - 1, dtype=bool)
    for key in keys:
        ordered = key[order]
        same &= (ordered[1:] == ordered[:-1]) | ((ordered[1:] != ordered[1:]) & (ordered[:-1] != ordered[:-1]))
    return int(same.sum())
