"""Prompts p = φ_T(S_anchor): a template file with places for the anchors, filled once."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass

from jinja2 import StrictUndefined, TemplateSyntaxError, meta, nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment

from ggmi.errors import UserError, did_you_mean, told_by
from ggmi.text.jsonl import kind, lines, read_rows, write_rows
from ggmi.text.records import FIELDS, Record, content_hash

# What a template may ask for; anchors it must.
ANCHORS, COUNT = "anchors", "count"
_SANDBOX = ImmutableSandboxedEnvironment(
    undefined=StrictUndefined,
    keep_trailing_newline=True,
    trim_blocks=True,
    autoescape=False,  # a prompt is no page
)


class TextTemplate:
    """A text with places to fill in, in Jinja's language, which runs in Jinja's sandbox.

    Whatever a value holds, braces and dollar signs too, stands in the text as it is.

    Parameters
    ----------
    source
        The template.
    where
        What to call it in messages.
    places
        Names that exist.
    needed
        Those that must be there.

    Raises
    ------
    UserError
        If it is no template, lacks a place, or names one that does not exist.

    Examples
    --------
    >>> TextTemplate("Dear {{ name }}!", "letter", ["name"], ["name"]).fill(name="{{ 7 * 7 }}")
    'Dear {{ 7 * 7 }}!'
    """

    def __init__(self, source: str, where: str, places: Sequence[str], needed: Sequence[str]) -> None:
        self.source, self._where = source, where
        try:
            tree = _SANDBOX.parse(source)
            used = meta.find_undeclared_variables(tree)
            self._template = _SANDBOX.from_string(source)
        except TemplateSyntaxError as error:
            raise UserError(f"{where}: line {error.lineno}: is no template ({error.message})") from None
        for node in tree.find_all(nodes.Name):
            if node.name in used and node.name not in places:
                hint = did_you_mean(node.name, places)
                raise UserError(f"{where}: line {node.lineno}: there is no placeholder {node.name!r}; {hint}")
        if absent := [f"{{{{ {place} }}}}" for place in needed if place not in used]:
            last = source.removesuffix("\n").count("\n") + 1
            raise UserError(f"{where}: none of its lines (1 to {last}) holds {', '.join(absent)}")

    @classmethod
    def read(cls, path: str | os.PathLike[str], places: Sequence[str], needed: Sequence[str]) -> TextTemplate:
        """Read a template file, UTF-8; parameters and errors are those of the class."""
        source = "".join(line for _, line in lines(path)).replace("\r\n", "\n")
        return cls(source, str(path), places, needed)

    def fill(self, **values: str) -> str:
        """The text with every place filled.

        Raises
        ------
        UserError
            If the template fails, as a division by zero in it does.
        """
        try:
            return self._template.render(values)
        except Exception as error:  # a template can raise anything
            raise UserError(f"{self._where}: cannot be filled in ({told_by(error)})") from None

    def pieces(self) -> list[str]:
        """Text and names of places in turn, text first and last."""
        found = [""]
        for _, sort, value in _SANDBOX.lex(self.source):
            if sort == "data":
                found[-1] += value
            elif sort == "name":
                found += [value, ""]
        return found


@dataclass(frozen=True, slots=True)
class Template:
    """A prompt that shows a generator anchors.

    Parameters
    ----------
    text
        With places for `ANCHORS` and, if wanted, `COUNT`.
    """

    text: TextTemplate

    def fill(self, anchors: Sequence[Record], *, count: int = 20) -> Prompt:
        r"""Write a prompt.

        Parameters
        ----------
        anchors
            The in-context instances, in order; each becomes one line of JSON.
        count
            How many records the prompt asks for.

        Returns
        -------
        Prompt

        Examples
        --------
        >>> anchor = Record("a1", "Add.", "{{ count }}", "3")
        >>> text = TextTemplate("Give {{ count }} like\n{{ anchors }}", "doc", (ANCHORS, COUNT), (ANCHORS,))
        >>> print(Template(text).fill([anchor], count=5).text)
        Give 5 like
        {"instruction": "Add.", "context": "{{ count }}", "response": "3"}
        """
        text = self.text.fill(**{ANCHORS: "\n".join(map(anchor_line, anchors)), COUNT: str(count)})
        ids = tuple(anchor.id for anchor in anchors)
        return Prompt(content_hash([text, *ids]), text, ids)


@dataclass(frozen=True, slots=True)
class Prompt:
    """What a generator is asked.

    Parameters
    ----------
    id
        Hash of the text and the anchors' ids.
    text
        The whole prompt.
    anchor_ids
        The in-context instances, in the order of the text.
    """

    id: str
    text: str
    anchor_ids: tuple[str, ...]


def anchor_line(record: Record) -> str:
    """A record as one line of JSON, as a prompt shows it and a generator shall write it.

    Parameters
    ----------
    record
        The record; its id is left out.

    Examples
    --------
    >>> anchor_line(Record("a1", "reverse", "abc", "cba"))
    '{"instruction": "reverse", "context": "abc", "response": "cba"}'
    """
    return json.dumps(dict(zip(FIELDS, record.values, strict=True)), ensure_ascii=False)


def read_template(path: str | os.PathLike[str]) -> Template:
    """Read a template file: text with ``{{ anchors }}`` and, if wanted, ``{{ count }}``.

    Parameters
    ----------
    path
        The file, UTF-8.

    Raises
    ------
    UserError
        See `TextTemplate`.
    """
    return Template(TextTemplate.read(path, (ANCHORS, COUNT), (ANCHORS,)))


def write_prompts(path: str | os.PathLike[str], prompts: Iterable[Prompt]) -> int:
    """Write prompts as JSON lines, atomically.

    Parameters
    ----------
    path
        The file to make.
    prompts
        Taken one at a time.

    Returns
    -------
    int
        How many there were.
    """
    return write_rows(path, map(asdict, prompts))


def read_prompts(path: str | os.PathLike[str]) -> list[Prompt]:
    """Read prompts that `write_prompts` wrote.

    Parameters
    ----------
    path
        The file.

    Returns
    -------
    list of Prompt

    Raises
    ------
    UserError
        If the file cannot be read, a line is no prompt, or an id is not that of its text.
    """
    prompts = []
    for number, row in read_rows(path):
        place = f"{path}: line {number}"
        text, ids = row.get("text"), row.get("anchor_ids")
        if not isinstance(text, str):
            raise UserError(f"{place}: the field 'text' is {kind(text)}; allowed: text")
        if not isinstance(ids, list) or not all(isinstance(i, str) for i in ids):
            raise UserError(f"{place}: the field 'anchor_ids' is not a list of texts")
        expected = content_hash([text, *ids])
        if row.get("id") != expected:
            raise UserError(f"{place}: the id {row.get('id')!r} is not that of the text ({expected}); make it anew")
        prompts.append(Prompt(expected, text, tuple(ids)))
    return prompts
