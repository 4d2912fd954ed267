"""Formulas: one LaTeX string becomes MathML for a page and readable text for a table or a terminal."""

from __future__ import annotations

import re
from functools import cache
from html import unescape

from latex2mathml.converter import convert
from markupsafe import Markup, escape

# Short commands for the paper's symbols, expanded before anything reads the LaTeX.
MACROS = {
    "Sa": r"S_{\mathrm{anchor}}",
    "Sg": r"S_{\mathrm{gen}}",
    "Mp": "M(p)",
    "DI": r"\Delta I",
    "DH": r"\Delta H",
    "Bsyn": r"B_{\mathrm{syn}}",
    "TV": r"D_{\mathrm{TV}}",
    "KL": r"D_{\mathrm{KL}}",
    "GGMI": r"\mathrm{GGMI}",
    "Err": r"\mathrm{Err}",
    "Da": "D",
    "DM": "D_M",
    "Dg": r"D_{\mathrm{gen}}",
    "RS": r"\widehat R_{S_{\mathrm{gen}}}",
    "E": "\N{MATHEMATICAL DOUBLE-STRUCK CAPITAL E}",
}
_MACRO = re.compile(rf"\\({'|'.join(sorted(MACROS, key=len, reverse=True))})(?![A-Za-z])")
# A formula in prose: no space within its dollar signs, so that prices stay prices. Code comes first.
_MARKED = re.compile(r"(`[^`]+`)|\$(?!\s)([^$]*[^$\s])\$(?!\d)")
# A formula of more characters is cut into pieces between which a line may break.
LINE = 24
_SYMBOL = re.compile(r"\\[A-Za-z]+|\\.|\s+|[^\\\s]", re.DOTALL)
_BREAKS = re.compile(r"\\(?:le|ge|lesssim|to|sqrt|quad)|[=+-]")
WORDS = {
    **{"lt": "<", "gt": " > ", "prod": "Π ", "tau": "τ"},
    **{"le": " ≤ ", "ge": " ≥ ", "lesssim": " ≲ ", "mid": " | ", "to": " → ", "cdot": " · ", "pm": "±"},
    **{"sum": "Σ ", "int": "∫ ", "infty": "∞", "quad": "  ", "in": " ∈ ", "ne": " ≠ ", "times": " × "},
    **{"log": "log ", "exp": "exp", "min": "min", "max": "max", "left": "", "right": "", "dots": "…"},
    **{"alpha": "α", "beta": "β", "delta": "δ", "varepsilon": "ε", "epsilon": "ε", "eta": "η", "lambda": "λ"},
    **{"pi": "π", "sigma": "σ", "ell": "ℓ", "Delta": "Δ", "rho": "ρ", "varphi": "φ", "phi": "φ"},
}
# What else a formula may hold: nothing that could link, colour or style.
COMMANDS = {"frac", "sqrt", "text", "mathrm", "widehat", ",", *WORDS}
SQUARED = {"2": "²", "3": "³"}


class FormulaError(ValueError):
    """LaTeX that no formula can be made of."""


def expand(latex: str) -> str:
    r"""The LaTeX with `MACROS` written out.

    Examples
    --------
    >>> expand(r"H(\Sg)")
    'H(S_{\\mathrm{gen}})'
    """
    return _MACRO.sub(lambda found: MACROS[found[1]], latex)


@cache
def mathml(latex: str, display: bool = False) -> str:
    """The formula as MathML.

    Parameters
    ----------
    latex
        LaTeX, with `MACROS`.
    display
        Whether fractions and roots are set at full height.

    Returns
    -------
    str
        A ``math`` element; for a long formula several, between which a line may break: before
        relations, signs and roots that no bracket holds.

    Raises
    ------
    FormulaError
        If it is no LaTeX that the library reads.
    """
    written = expand(latex)
    unknown = [
        symbol
        for symbol in _SYMBOL.findall(written)
        if symbol in '<>&"' or (symbol[0] == "\\" and symbol[1:] not in COMMANDS)
    ]
    if unknown:
        raise FormulaError(f"no formula can be made of {latex!r}: it holds {unknown[0]}")
    pieces = [_element(piece, display=display, first=not i) for i, piece in enumerate(_pieces(written))]
    return pieces[0] if len(pieces) == 1 else f'<span class="formula">{"<wbr>".join(pieces)}</span>'


def _pieces(latex: str) -> list[str]:
    """A long formula cut before what may begin a line, a short one whole."""
    if len(plain(latex)) <= LINE:
        return [latex]
    pieces, grouped, bracketed, previous = [""], 0, 0, ""
    for symbol in _SYMBOL.findall(latex):
        # A sign or a root at the beginning, or after a relation or sign, stays with it.
        follows = not previous or _BREAKS.fullmatch(previous)
        # Plain brackets are cut open where they hold much, groups and brackets that grow never.
        open_ = not grouped and (not bracketed or len(plain(pieces[-1])) > LINE)
        if open_ and pieces[-1].strip() and _BREAKS.fullmatch(symbol) and not follows:
            pieces.append("")
        grouped += (symbol in ("{", r"\left")) - (symbol in ("}", r"\right"))
        bracketed += (symbol in ("(", "[")) - (symbol in (")", "]"))
        pieces[-1] += symbol
        previous = symbol if symbol.strip() else previous
    return pieces


def _element(latex: str, *, display: bool, first: bool) -> str:
    """One ``math`` element."""
    try:
        made = convert(latex, display="block" if display else "inline")
    except Exception as error:  # The library has no class of its own for all of its errors.
        raise FormulaError(f"no formula can be made of {latex!r}: {error or type(error).__name__}") from error
    made = re.sub(r"&#x[0-9A-Fa-f]+;", lambda found: str(escape(unescape(found[0]))), made)
    # Letters of one word are one identifier; Greek capitals stand upright; what the library takes for an identifier.
    made = re.sub(r'(?:<mi mathvariant="normal">\w</mi>){2,}', _joined, made)
    made = made.replace("<mi>Δ</mi>", '<mi mathvariant="normal">Δ</mi>').replace("<mi>±</mi>", "<mo>±</mo>")
    made = re.sub(r"<mi>(log|exp)</mi>(?!<mrow><mo)", r'<mi>\1</mi><mspace width="0.167em" />', made)
    made = made.replace("<mi>;</mi>", "<mo>;</mo>")
    made = re.sub(r"(<mo[^>]*>[≤≥=≲(\[]</mo>)<mo>([−±])</mo>", r'\1<mo form="prefix">\2</mo>', made)
    made = made.replace("<mo>/</mo>", '<mo lspace="0" rspace="0">/</mo>')
    # A raised prime is raised already, and hardly seen if it is raised and made smaller once more.
    made = re.sub(r"<msup>(<mi>.</mi>)<mi>′</mi></msup>", r'<mrow>\1<mo lspace="0" rspace="0">′</mo></mrow>', made)
    # A bar between two symbols would take the space of a relation.
    made = made.replace('<mo stretchy="false">|</mo>', '<mo stretchy="false" lspace="0" rspace="0">|</mo>')
    made = made.replace(' xmlns="http://www.w3.org/1998/Math/MathML"', "")
    made = re.sub(r'^<math display="\w+">', '<math displaystyle="true">' if display else "<math>", made)
    # An operator that begins a piece still stands between two terms.
    if not first:
        made = re.sub(r"^(<math[^>]*><mrow>)<mo>", r'\1<mo form="infix">', made)
    return made


def _joined(found: re.Match[str]) -> str:
    return f"<mi>{re.sub('<[^>]*>', '', found[0])}</mi>"


def plain(latex: str) -> str:
    r"""The formula as readable text.

    Parameters
    ----------
    latex
        LaTeX, with `MACROS`.

    Examples
    --------
    >>> plain(r"I(\Sg, W) \le -\DI + \Bsyn + H(e_M) + \delta_{\varepsilon,p}")
    'I(S_gen, W) ≤ −ΔI + B_syn + H(e_M) + δ_ε,p'
    >>> plain(r"\sqrt{\frac{2\sigma^2}{n} (I(S, W) + \log 2)}")
    '√((2σ²/n) (I(S, W) + log 2))'
    """
    symbols = _SYMBOL.findall(expand(latex))
    symbols.reverse()
    return " ".join(_text(symbols).replace("Δ ", "Δ").split())


def _text(symbols: list[str], *, closed: bool = False) -> str:
    """Text of what is left of a reversed list of symbols, or of a group that has been opened."""
    said = ""
    while symbols:
        symbol = symbols.pop()
        if closed and symbol == "}":
            return said
        said += _word(symbol, symbols, said)
    return said


def _word(symbol: str, symbols: list[str], before: str) -> str:
    """One symbol's text, with its arguments."""
    name = symbol[1:]
    if symbol == "{":
        return _text(symbols, closed=True)
    if symbol == r"\text":
        return _verbatim(symbols)
    if symbol == r"\frac":
        above, below = _argument(symbols), _argument(symbols)
        return f"({_bracketed(above)}/{_bracketed(below)})"
    if symbol == r"\sqrt":
        under = _argument(symbols)
        return f"√{under}" if _enclosed(under) else f"√({under})"
    if symbol == r"\widehat":
        return f"{_argument(symbols)}\N{COMBINING CIRCUMFLEX ACCENT}"
    if symbol == "^":
        power = _argument(symbols)
        return SQUARED.get(power, f"^{_bracketed(power)}")
    if symbol == "_":
        return f"_{_argument(symbols)}"
    if symbol in ("+", "-", "="):
        # A sign at the beginning, or after a relation or bracket, has no space behind it.
        sign = symbol.replace("-", "−")
        unary = symbol != "=" and (not before.strip() or before.rstrip()[-1] in "([≤≥=≲|,")
        return sign if unary else f" {sign} "
    if symbol.startswith("\\"):
        return WORDS.get(name, " " if name == "," else "" if name == "mathrm" else name)
    return symbol


def _argument(symbols: list[str]) -> str:
    """The next group or symbol as text."""
    while symbols and symbols[-1].isspace():
        symbols.pop()
    return " ".join(_word(symbols.pop(), symbols, "").split()) if symbols else ""


def _verbatim(symbols: list[str]) -> str:
    """A group of words, its signs as they are."""
    said = ""
    while symbols and (symbol := symbols.pop()) != "}":
        said += symbol.removeprefix("{")
    return said


def _enclosed(text: str) -> bool:
    """Whether one pair of brackets holds all of it."""
    depths = [text[: i + 1].count("(") - text[: i + 1].count(")") for i in range(len(text))]
    return text.startswith("(") and 0 not in depths[:-1] and depths[-1] == 0


def _bracketed(text: str) -> str:
    """In brackets if it is a sum or a product of several words."""
    return f"({text})" if " " in text and not _enclosed(text) else text


def split(text: str) -> list[tuple[str, bool]]:
    """A text's parts, and whether each is a formula's LaTeX.

    Examples
    --------
    >>> split("see $x$ for $5 or $6")
    [('see ', False), ('x', True), (' for $5 or $6', False)]
    """
    parts, end = [], 0
    for found in _MARKED.finditer(text):
        if found[2] is None:
            continue
        parts += [(text[end : found.start()], False), (found[2], True)]
        end = found.end()
    return [(part, formula) for part, formula in [*parts, (text[end:], False)] if part]


def set_formula(latex: str) -> Markup:
    """A formula within prose; what is none, as it was written."""
    try:
        return Markup(mathml(latex))  # noqa: S704 - made of escaped symbols
    except FormulaError:
        return Markup("${}$").format(latex)


def plain_prose(text: str) -> str:
    r"""Prose with its formulas as readable text.

    Examples
    --------
    >>> plain_prose(r"where $\Sg$ is a function of $\Mp$")
    'where S_gen is a function of M(p)'
    """
    return "".join(plain(part) if formula else part for part, formula in split(text))
