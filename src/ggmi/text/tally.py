"""How the rows of a set were read, without its records: what parts of a set count adds up to that of the whole."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, Self

from ggmi.errors import UserError, did_you_mean
from ggmi.text.chats import as_chat
from ggmi.text.columns import Column
from ggmi.text.forms import FieldReader, find_value
from ggmi.text.json_documents import Broken, Row
from ggmi.text.read_notes import NAMED, LeftOut, Reading, Wording
from ggmi.text.row_files import FORMATS
from ggmi.text.suggestions import beside, suggestion

# Share of rows above which a set without them is another set.
MOST_LEFT_OUT = 0.5
# What programs write into a table's cell where a value is missing; words that can be answers, too.
MISSING_WORDS = frozenset(["nan", "NaN", "None", "null", "NULL", "N/A", "<NA>"])

Invalid = Literal["drop", "stop"]


@dataclass
class Tally:
    """What was seen of the rows of a set, or of a part of it.

    Parameters
    ----------
    records
        Rows that hold one.
    left_out
        Rows that hold none: how many and where the first stand, by reason and field.
    first
        The first row that is no broken one, until there is a record.
    missing
        Responses that are one of `MISSING_WORDS`: how many, where the first stands, and which.
    sources, passed
        As of `ggmi.text.forms.FieldReader`.
    no_text
        As of `ggmi.text.forms.FieldReader`.
    wrong
        Columns beside the fields that are left aside, with the reason.
    columns
        All that the rows have, in the order in which they came.
    form, files
        Format of the last file, and how many files there are.
    """

    records: int = 0
    left_out: dict[tuple[str, str], tuple[int, list[str]]] = field(default_factory=dict)
    first: Row | None = None
    missing: tuple[int, str, list[str]] = (0, "", [])
    sources: dict[str, dict[str, int]] = field(default_factory=dict)
    passed: set[str] = field(default_factory=set)
    no_text: dict[str, int] = field(default_factory=dict)
    wrong: dict[str, str] = field(default_factory=dict)
    columns: dict[str, None] = field(default_factory=dict)
    form: str = ""
    files: int = 0

    def leave_out(self, place: str, row: Broken) -> None:
        """Count a row that holds no record."""
        self._leave_out((row.reason, row.field), 1, [f"{place}: {row.detail}" if row.detail else place])

    def keep(self, place: str, response: str) -> None:
        """Count a record."""
        self.records += 1
        if response in MISSING_WORDS:
            self._miss((1, place, [response]))

    def close(
        self, reader: FieldReader, columns: Sequence[Column], found: Mapping[str, None], form: str, files: int
    ) -> Self:
        """Take over what is known once all rows are read.

        Parameters
        ----------
        reader, columns
            What read them.
        found
            All columns that the rows have.
        form, files
            Of the files.
        """
        self.sources, self.passed, self.no_text = reader.sources, set(reader.passed), reader.no_text
        self.wrong = {column.name: column.wrong for column in columns if column.wrong}
        self.columns, self.form, self.files = dict(found), form, files
        return self

    def add(self, later: Tally) -> None:
        """Count the rows of the part that follows, too."""
        self.records += later.records
        for why, (count, places) in later.left_out.items():
            self._leave_out(why, count, places)
        self.first = self.first or later.first
        self._miss(later.missing)
        for name, counts in later.sources.items():
            known = self.sources.setdefault(name, {})
            for source, count in counts.items():
                known[source] = known.get(source, 0) + count
        for what, count in later.no_text.items():
            self.no_text[what] = self.no_text.get(what, 0) + count
        self.passed |= later.passed
        self.wrong = {**later.wrong, **self.wrong}
        self.columns |= later.columns
        self.form, self.files = later.form or self.form, self.files + later.files

    def check(self, name: str, reader: FieldReader, invalid: Invalid, wording: Wording) -> None:
        """Stop if the set that is left is another one than the person means, or none.

        Parameters
        ----------
        name
            The set's, for messages.
        reader
            With the names that a person gave.
        invalid
            ``stop`` where rows without a record shall stop the reading.
        wording
            How the options are called in messages.

        Raises
        ------
        UserError
            In that case.
        """
        left = sum(count for count, _ in self.left_out.values())
        total = left + self.records
        if not total:
            raise UserError(f"{name}: holds no records")
        if not self.records and self.first is not None and (absent := reader.lacks(self.first)):
            raise UserError(f"{name}: {self._nothing_for(reader, absent, wording)}")
        if left and (invalid == "stop" or left > MOST_LEFT_OUT * total):
            rows = f"{left:,} of {total:,} rows hold no record"
            which = "; ".join(map(str, self._reasons()))
            few = left <= MOST_LEFT_OUT * total
            way = f"{wording.drop} leaves them out" if few else self._way_out(wording)
            raise UserError(f"{name}: {rows}: {which}; {way}")
        for key, names in reader.named.items():
            used = {name if name in self.columns else name.split(".")[0] for name in names}
            if names and not self.passed & used:
                hint = did_you_mean(names[0], [*map(str, self.columns)])
                raise UserError(f"{name}: no row has the field {names[0]!r} that is named for {key}; {hint}")

    def reading(self, beside: Sequence[str], made: int) -> Reading:
        """How the set was read.

        Parameters
        ----------
        beside
            Columns that are read beside the fields.
        made
            Ids that are made of the content.
        """
        notes = [self.wrong[name] for name in beside if name in self.wrong]
        if made:
            notes.append(f"{made:,} ids are made of the content, since the rows' own are none or come twice")
        notes += [
            f"{count:,} records come of chats that hold {what}, of which nothing was read"
            for what, count in self.no_text.items()
        ]
        count, place, words = self.missing
        if count and self.form.startswith((FORMATS["csv"], FORMATS["tsv"])):
            said = ", ".join(sorted(words))
            notes.append(f"{count:,} responses read {said}, the first in {place}; they are kept as texts")
        used = {*self.passed, *beside}
        return Reading(
            form=self.form,
            files=self.files,
            columns=tuple((key, tuple(names)) for key, names in self.sources.items()),
            unread=tuple(str(name) for name in self.columns if name not in used),
            left_out=tuple(self._reasons()),
            notes=tuple(notes),
        )

    def to_json(self) -> dict[str, Any]:
        """All of it, ready for JSON; the first row only where something can be wrong with it."""
        left_out = [[*why, count, places] for why, (count, places) in self.left_out.items()]
        # Tables hold dates and bytes, too.
        first = json.loads(json.dumps(self.first, default=str)) if left_out else None
        return {**asdict(self), "left_out": left_out, "first": first, "passed": sorted(self.passed)}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Tally:
        """Read it back."""
        left_out = {(reason, key): (count, places) for reason, key, count, places in values["left_out"]}
        missing = tuple(values["missing"])
        return cls(**{**values, "left_out": left_out, "missing": missing, "passed": set(values["passed"])})

    def _leave_out(self, why: tuple[str, str], count: int, places: list[str]) -> None:
        known, at = self.left_out.get(why, (0, []))
        self.left_out[why] = known + count, [*at, *places][:NAMED]

    def _miss(self, later: tuple[int, str, list[str]]) -> None:
        count, place, words = self.missing
        self.missing = count + later[0], place or later[1], sorted({*words, *later[2]})

    def _reasons(self) -> list[LeftOut]:
        return [LeftOut(why, count, tuple(places)) for (why, _), (count, places) in self.left_out.items()]

    def _nothing_for(self, reader: FieldReader, absent: Sequence[str], wording: Wording) -> str:
        """That no row has some fields, and which columns may be meant."""
        key, columns = absent[0], [*map(str, self.columns)]
        names = reader.named.get(key)
        sought = f"the field {names[0]!r} ({key})" if names else f"a field for the {key}"
        near = did_you_mean(names[0], columns) if names else f"its columns are {', '.join(columns[:12]) or 'none'}"
        meant = {one: suggestion(self.first or {}, one) for one in absent}
        if as_chat(find_value(self.first or {}, meant.get("instruction") or "")):
            meant = {"instruction": meant["instruction"]}  # which holds the answer, too
        if isinstance(path := meant.get("response") or meant.get("instruction"), str):
            context = beside(self.first or {}, path)
            meant |= {"context": context} if context and "context" not in reader.named else {}
        way = wording.naming({one: column or "COLUMN" for one, column in meant.items()})
        alone = wording.alone if meant.get("instruction", "") is None else ""
        return f"no row has {sought}; {near}; name it with {way}{_of_lists(meant.values())}{alone}"

    def _way_out(self, wording: Wording) -> str:
        """What mends a set most of whose rows hold no record."""
        key = max(self.left_out, key=lambda why: self.left_out[why][0])[1]
        if not key:
            return "mend the file"
        meant = suggestion(self.first or {}, key)
        column = meant if meant is not None and meant not in self.passed else "COLUMN"
        return f"another column is named with {wording.naming({key: column})}{_of_lists([column])}"


def _of_lists(paths: Iterable[str | None]) -> str:
    """What to say of paths that lead into lists."""
    return " (of each list its first)" if any(".0." in f"{path}." for path in paths) else ""
