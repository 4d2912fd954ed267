"""Self-contained pages from templates, closed to the network; and sentences from templates of plain text."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import jinja2
import pandas as pd
from jinja2.sandbox import SandboxedEnvironment
from markupsafe import Markup, escape

from ggmi.formulas import mathml, set_formula, split
from ggmi.project import REPORT_PARTS
from ggmi.reporting.tables import Columns, DataTable, data_table, read_columns
from ggmi.reporting.text import capital, estimate, fixed, listed, per_hundred, plural
from ggmi.text.visible import one_line, plain

# What all pictures of a page may take together, encoded: with its tables the page stays below 5 MB.
PICTURE_BYTES = 3_000_000
# Of every page, in this order; its own templates follow.
PARTS = ("page.html.j2", "parts.html.j2", "page.css", "page.js", "columns.yaml")

_SPACE = re.compile(r"\s+")
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
    (re.compile(r"(?<=[\d\]]) (?=nats\b|%|rounds\b|conditions\b)"), "\N{NO-BREAK SPACE}"),
    (re.compile(r"(?<=\b[KJLd]) = (?=\d)"), "\N{NO-BREAK SPACE}=\N{NO-BREAK SPACE}"),
)

# SVG and PNG of each figure, by its path beside the page without suffix.
Figures = Mapping[str, tuple[bytes, bytes]]


@dataclass(frozen=True)
class Picture:
    """A figure on a page: embedded data (empty where it is only linked), proportions, name and link of its files."""

    source: str
    width: int
    height: int
    files: Sequence[tuple[str, str]]


def parts_of(*templates: str) -> list[Path]:
    """Files that a page of the installed package is made of.

    Parameters
    ----------
    templates
        Names of its own templates without suffix, the page's last.
    """
    return [REPORT_PARTS / name for name in (*PARTS, *(f"{name}.html.j2" for name in templates))]


def render(files: Iterable[str | Path], /, **shown: object) -> str:
    """Render a page to HTML that needs nothing but itself.

    Parameters
    ----------
    files
        Among others its templates (``.html.j2``, the page's own last), style, script and columns.
    **shown
        What the template shows.

    Returns
    -------
    str
        The same input gives the same text. The page's security policy allows its own style, its own script and
        embedded pictures, and no request to anywhere.

    Raises
    ------
    ValueError
        If style or script would end their element.
    """
    texts = _texts(files)
    templates = {name.partition(".")[0]: text for name, text in texts.items() if name.endswith(".html.j2")}
    style, script = texts["page.css"], texts["page.js"]
    if "</" in style or "</script" in script:
        raise ValueError("style and script cannot be embedded: they contain a closing tag")
    policy = (
        "default-src 'none'; img-src data:; "
        f"style-src '{_digest(style)}'; script-src '{_digest(script)}'; base-uri 'none'; form-action 'none'"
    )
    environment = _environment(templates, plain, read_columns(texts["columns.yaml"]))
    return environment.get_template(list(templates)[-1]).render(
        policy=policy,
        style=Markup(style),  # noqa: S704 - our own file
        script=Markup(script),  # noqa: S704 - our own file
        **shown,
    )


def sentences(files: Iterable[str | Path], /, **shown: object) -> list[str]:
    """Sentences from templates, one a line.

    Parameters
    ----------
    files
        Among others the templates, the one that says the lines last.
    **shown
        What it shows; untrusted text comes out as one visible line.
    """
    templates = {name.partition(".")[0]: text for name, text in _texts(files).items() if name.endswith(".j2")}
    environment = _environment(templates, lambda text: plain(_SPACE.sub(" ", text)), {}, escaped=False)
    lines = environment.get_template(list(templates)[-1]).render(**shown).splitlines()
    return [" ".join(line.split()) for line in lines if line.strip()]


def _texts(files: Iterable[str | Path]) -> dict[str, str]:
    """Of what pages are made of, the text by name."""
    paths = (path for path in map(Path, files) if path.suffix in (".j2", ".css", ".js") or path.name == "columns.yaml")
    return {path.name: path.read_text(encoding="utf-8") for path in paths}


def _environment(
    templates: Mapping[str, str], visible: Callable[[str], str], columns: Columns, *, escaped: bool = True
) -> jinja2.Environment:
    """Templates with the filters that all share; what is shown passes through `visible`."""

    def table(frame: pd.DataFrame, kind: str) -> DataTable:
        return data_table(frame, columns[kind])

    environment = SandboxedEnvironment(
        autoescape=escaped,
        loader=jinja2.DictLoader(dict(templates)),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=lambda value: visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value,
    )
    environment.filters |= {
        "prose": _typeset,
        "formula": lambda latex: Markup(mathml(latex, display=True)),  # noqa: S704 - made of escaped symbols
        "fixed": fixed,
        "listed": listed,
        "plural": plural,
        "per_hundred": per_hundred,
        "capital": capital,
        "one_line": one_line,
        "number": "{:,}".format,
        "percent": lambda share, decimals=0: f"{fixed(100 * share, decimals)} %",
        "data_table": table,
        "interval": interval,
    }
    environment.globals["estimate"] = estimate
    return environment


def interval(row: Mapping[str, float], name: str, unit: str = "", decimals: int | None = None) -> str:
    """A value of a row of a table with its 95 % interval.

    Parameters
    ----------
    row
        With columns ``name``, ``name_ci_low``, ``name_ci_high``, each ending in `unit`.
    name, unit
        Parts of their names; where the ends have no name of their own, they are called ``ci_low`` and ``ci_high``.
    decimals
        As of `ggmi.reporting.text.estimate`.
    """
    ends = [f"{name}_ci_{end}{unit}" for end in ("low", "high")]
    low, high = (row[end] if end in row else row[end.removeprefix(f"{name}_")] for end in ends)
    return estimate(row[f"{name}{unit}"], low, high, decimals)


def _typeset(text: str) -> Markup:
    """Escape a sentence, set its formulas as MathML and its marks in type."""
    # What a macro says comes escaped.
    parts = split(plain(text.unescape() if isinstance(text, Markup) else text))
    return Markup("").join(set_formula(part) if formula else _marked(part) for part, formula in parts)


def _marked(text: str) -> Markup:
    """Escape a text and set its marks in type."""
    safe = str(escape(text))
    for mark, setting in _MARKS:
        safe = mark.sub(setting, safe)
    return Markup(safe)  # noqa: S704 - escaped above


def _digest(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def read_figures(files: Iterable[str], beside: Path) -> dict[str, tuple[bytes, bytes]]:
    """SVG and PNG of each figure, by its path beside a page without suffix.

    Parameters
    ----------
    files
        Of all kinds.
    beside
        The page's folder.
    """
    drawn = [Path(file) for file in files if file.endswith(".svg")]
    return {
        svg.relative_to(beside).with_suffix("").as_posix(): (svg.read_bytes(), svg.with_suffix(".png").read_bytes())
        for svg in drawn
    }


def pictures(figures: Figures) -> dict[str, Picture]:
    """All figures of one page, embedded.

    All are SVG; while they are too many bytes together, the largest SVG gives way to its PNG, and then the largest
    PNG to a link.

    Parameters
    ----------
    figures
        Of `read_figures`.
    """
    forms = {
        stem: [("svg+xml", svg), *([("png", png)] if len(png) < len(svg) else []), ("", b"")]
        for stem, (svg, png) in figures.items()
    }
    while sum(_encoded(form[0]) for form in forms.values()) > PICTURE_BYTES:
        forms[max(forms, key=lambda stem: (forms[stem][0][0] == "svg+xml", _encoded(forms[stem][0])))].pop(0)
    return {stem: picture(stem, figures[stem][0], *form[0]) for stem, form in forms.items()}


def _encoded(form: tuple[str, bytes]) -> int:
    """Bytes of a figure in a page."""
    return 4 * len(form[1]) // 3


def picture(stem: str, svg: bytes, form: str, data: bytes) -> Picture:
    """A figure with its data, in a form such as ``png``; of proportions that its SVG states."""
    box = _VIEW_BOX.search(svg[:4000])
    width, height = (round(float(side)) for side in box.groups()) if box else (0, 0)
    source = f"data:image/{form};base64,{base64.b64encode(data).decode()}" if data else ""
    return Picture(source, width, height, [(kind.upper(), f"{stem}.{kind}") for kind in ("svg", "png", "csv")])


def by_name(shown: Mapping[str, Picture]) -> dict[str, Picture]:
    """Pictures by the figure's name alone, where that is enough."""
    return {stem.rpartition("/")[2]: picture for stem, picture in shown.items()}
