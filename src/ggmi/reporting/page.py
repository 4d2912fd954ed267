"""One self-contained page: sections made of blocks, rendered by a template, closed to the network.

A study adds to the page by making `Section` objects; neither this module nor the template needs
to know it.
"""

from __future__ import annotations

import base64
import hashlib
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import jinja2
from markupsafe import Markup, escape

from ggmi.formulas import mathml, set_formula, split
from ggmi.reporting.tables import DataTable
from ggmi.reporting.text import count_word, fixed, listed, plural
from ggmi.text.visible import plain

# What all pictures of a page may take together, encoded, and all tables, at some 30 bytes a cell:
# the page stays below 5 MB.
PICTURE_BYTES = 3_500_000
TABLE_CELLS = 36_000

_VIEW_BOX = re.compile(rb'viewBox="0 0 ([\d.]+) ([\d.]+)"')
# Marks in our sentences that become typography, replaced after escaping.
_MARKS = (
    (re.compile(r"`([^`]+)`"), r"<code>\1</code>"),
    (re.compile(r"(?<=\w)&#39;(?=\w| )"), "\N{RIGHT SINGLE QUOTATION MARK}"),
    # An estimate stays on one line with its interval.
    (re.compile(r"(?:ρ = |[KJL] )?[+−]?[\d.,]+ \[[^\[\]<>]{1,40}\]"), r'<span class="one">\g<0></span>'),
    (re.compile(r"\^(−?\d+)"), r"<sup>\1</sup>"),
    (re.compile(r"\b([DSe])_(KL|TV|M|anchor|gen|p)\b"), r"<i>\1</i><sub>\2</sub>"),
    (re.compile(r"π_(anchor|gen)\b"), r"<i>π</i><sup>\1</sup>"),
    (re.compile(r"(?<=[\d\]]) (?=(nats|%|rounds|conditions)\b)"), "\N{NO-BREAK SPACE}"),
    (re.compile(r"(?<=\b[KJLd]) = (?=\d)"), "\N{NO-BREAK SPACE}=\N{NO-BREAK SPACE}"),
)


@dataclass(frozen=True)
class Prose:
    """Paragraphs; the tone ``lead`` sets them larger, ``note`` smaller."""

    kind: ClassVar[str] = "prose"
    paragraphs: Sequence[str]
    tone: str = ""


@dataclass(frozen=True)
class Points:
    """Short texts under a term each."""

    kind: ClassVar[str] = "points"
    items: Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Links:
    """Sources: what they are for, and where they are (``https`` addresses or relative files)."""

    kind: ClassVar[str] = "links"
    items: Sequence[tuple[str, str, str]]


@dataclass(frozen=True)
class Verdict:
    """One judged trend: a verdict, and where its interval lies between -1 and 1."""

    verdict: str
    text: str
    value: float
    low: float
    high: float

    @property
    def marks(self) -> tuple[float, float, float] | None:
        """Value and ends as positions from 0 to 100, None where there is no interval."""
        if not all(math.isfinite(x) for x in (self.value, self.low, self.high)):
            return None
        value, low, high = (round(50 + 50 * min(max(x, -1), 1), 1) for x in (self.value, self.low, self.high))
        return value, low, high


@dataclass(frozen=True)
class VerdictGroup:
    """Rows of the verdict matrix under a heading.

    Parameters
    ----------
    title
        What the rows have in common.
    rows
        Name, explanation and verdicts of each row; None where nothing was measured.
    above
        A larger heading above the title, where a new study begins.
    """

    title: str
    rows: Sequence[tuple[str, str, Sequence[Verdict | None]]]
    above: str = ""


@dataclass(frozen=True)
class VerdictMatrix:
    """Variants (or what else `head` says) as rows, trends as columns."""

    kind: ClassVar[str] = "verdicts"
    caption: str
    columns: Sequence[tuple[str, str]]
    groups: Sequence[VerdictGroup]
    head: str = "divergence"


@dataclass(frozen=True)
class Figure:
    """The two files of a figure."""

    svg: bytes
    png: bytes


@dataclass(frozen=True)
class Picture:
    """A figure.

    Parameters
    ----------
    svg, png
        The figure's two files.
    alt
        What it shows, for those who do not see it.
    caption
        What to look at.
    files
        Name and relative link of each file beside the page, the SVG first.
    source
        Made by `render`: the address of the embedded picture, empty when it is only linked.
    width, height
        Made by `render`: the picture's proportions.
    """

    kind: ClassVar[str] = "picture"
    svg: bytes
    png: bytes
    alt: str
    caption: str
    files: Sequence[tuple[str, str]] = ()
    source: str = ""
    width: int = 0
    height: int = 0


@dataclass(frozen=True)
class Listing:
    """Text as it is, such as a configuration."""

    kind: ClassVar[str] = "listing"
    text: str


@dataclass(frozen=True)
class Fold:
    """Blocks behind a line that opens them."""

    kind: ClassVar[str] = "fold"
    title: str
    blocks: Sequence[Block]
    open: bool = False


@dataclass(frozen=True)
class Heading:
    """A heading within a section."""

    kind: ClassVar[str] = "heading"
    text: str


Block = Prose | Points | Links | VerdictMatrix | Picture | DataTable | Listing | Fold | Heading


@dataclass(frozen=True)
class Section:
    """A part of the page with a heading and an entry in the contents.

    Parameters
    ----------
    name
        Identifier in the page's address.
    title
        Heading.
    short
        Entry in the contents.
    blocks
        What it holds.
    """

    name: str
    title: str
    short: str
    blocks: Sequence[Block]


@dataclass(frozen=True)
class Page:
    """A whole report.

    Parameters
    ----------
    title
        Its heading and the window's title.
    kicker
        A line above the heading.
    asked
        What was asked, in a paragraph.
    verdict
        The answer in one sentence.
    findings
        Sentences that carry it, each under a term.
    sections
        The rest.
    colophon
        Last line.
    """

    title: str
    kicker: str
    asked: str
    verdict: str
    findings: Sequence[tuple[str, str]]
    sections: Sequence[Section]
    colophon: str = ""


def render(page: Page, template: str, style: str, script: str) -> str:
    """Render a page to HTML that needs nothing but itself.

    Parameters
    ----------
    page
        What it says.
    template
        The Jinja template.
    style, script
        CSS and JavaScript to put into the page.

    Returns
    -------
    str
        The same page gives the same text. The page's security policy allows its own style, its
        own script and embedded pictures, and no request to anywhere.
    """
    shown = replace(page, sections=_within_budget(page.sections))
    return render_template({"page": template}, style, script, page=shown)


def render_template(templates: Mapping[str, str], style: str, script: str, **shown: object) -> str:
    """Render the last of some templates, which may extend those before it.

    Parameters
    ----------
    templates
        By name.
    style, script
        CSS and JavaScript to put into the page.
    **shown
        What the template shows.

    Returns
    -------
    str
        As of `render`.

    Raises
    ------
    ValueError
        If style or script would end their element.
    """
    if "</" in style or "</script" in script:
        raise ValueError("style and script cannot be embedded: they contain a closing tag")
    policy = (
        "default-src 'none'; img-src data:; "
        f"style-src '{_digest(style)}'; script-src '{_digest(script)}'; base-uri 'none'; form-action 'none'"
    )
    environment = jinja2.Environment(
        autoescape=True,
        loader=jinja2.DictLoader(dict(templates)),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=lambda value: value if isinstance(value, Markup) or not isinstance(value, str) else plain(value),
    )
    environment.filters |= {
        "prose": _typeset,
        "formula": lambda latex: Markup(mathml(latex, display=True)),  # noqa: S704 - made of escaped symbols
        "fixed": fixed,
        "listed": listed,
        "plural": plural,
        "count_word": count_word,
    }
    return environment.get_template(list(templates)[-1]).render(
        policy=policy,
        style=Markup(style),  # noqa: S704 - our own file
        script=Markup(script),  # noqa: S704 - our own file
        **shown,
    )


def _typeset(text: str) -> Markup:
    """Escape a sentence, set its formulas as MathML and its marks in type."""
    parts = split(plain(text))
    return Markup("").join(set_formula(part) if formula else _marked(part) for part, formula in parts)


def _marked(text: str) -> Markup:
    """Escape a text and set its marks in type."""
    safe = str(escape(text))
    for mark, setting in _MARKS:
        safe = mark.sub(setting, safe)
    return Markup(safe)  # noqa: S704 - escaped above


def _digest(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _flat(blocks: Sequence[Block]) -> Iterator[Block]:
    """Blocks and those within them, in order."""
    for block in blocks:
        yield block
        if isinstance(block, Fold):
            yield from _flat(block.blocks)


def _within_budget(sections: Sequence[Section]) -> list[Section]:
    """Sections whose pictures carry their data and whose tables fit on the page."""
    blocks = [block for section in sections for block in _flat(section.blocks)]
    forms = iter(_picture_forms([block for block in blocks if isinstance(block, Picture)]))
    rows = _rows_a_table([block for block in blocks if isinstance(block, DataTable)])

    def fitted(blocks: Sequence[Block]) -> list[Block]:
        result: list[Block] = []
        for block in blocks:
            if isinstance(block, Picture):
                block = _with_data(block, *next(forms))
            elif isinstance(block, DataTable):
                block = replace(block, rows=block.rows[:rows])
            elif isinstance(block, Fold):
                block = replace(block, blocks=fitted(block.blocks))
            result.append(block)
        return result

    return [replace(section, blocks=fitted(section.blocks)) for section in sections]


def embedded(pictures: Sequence[Picture]) -> list[Picture]:
    """Pictures that carry their data, for a template that shows them itself.

    Parameters
    ----------
    pictures
        All of one page.
    """
    forms = zip(pictures, _picture_forms(pictures), strict=True)
    return [_with_data(picture, *form) for picture, form in forms]


def _picture_forms(pictures: Sequence[Picture]) -> list[tuple[str, bytes]]:
    """Format and data of each picture.

    All are SVG; while they are too many bytes together, the largest SVG gives way to its PNG, and
    then the largest PNG to nothing.
    """
    forms = [[("svg+xml", p.svg), *([("png", p.png)] if len(p.png) < len(p.svg) else []), ("", b"")] for p in pictures]
    sizes = [[4 * len(data) // 3 for _, data in form] for form in forms]
    while sum(size[0] for size in sizes) > PICTURE_BYTES:
        largest = max(range(len(sizes)), key=lambda i: (forms[i][0][0] == "svg+xml", sizes[i][0]))
        forms[largest].pop(0)
        sizes[largest].pop(0)
    return [form[0] for form in forms]


def _rows_a_table(tables: Sequence[DataTable]) -> int:
    """The most rows a table may show so that all tables together keep their budget."""
    rows = max((len(table.rows) for table in tables), default=0)
    while rows > 1 and sum(min(len(t.rows), rows) * len(t.columns) for t in tables) > TABLE_CELLS:
        rows = rows * 9 // 10
    return rows


def _with_data(picture: Picture, form: str, data: bytes) -> Picture:
    box = _VIEW_BOX.search(picture.svg[:4000])
    width, height = (round(float(side)) for side in box.groups()) if box else (0, 0)
    source = f"data:image/{form};base64,{base64.b64encode(data).decode()}" if data else ""
    return replace(picture, source=source, width=width, height=height)
