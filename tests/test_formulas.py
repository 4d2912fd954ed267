import re
from xml.etree import ElementTree

import pytest

from ggmi.formulas import LINE, FormulaError, expand, mathml, plain, plain_prose
from ggmi.reporting.page import _typeset as prose
from ggmi.theory.catalogue import STATEMENTS
from ggmi.theory.consequences import CONSEQUENCES
from ggmi.theory.regimes import ASSUMPTIONS, REGIMES

ROOT = r"\sqrt{\frac{2\sigma^2 [-\DI + \log 2]}{n}}"


def formulas():
    """All formulas that the theory has, and all its prose."""
    latex, texts = [], []
    for statement in STATEMENTS.values():
        latex += [statement.latex, *statement.terms]
        texts += [statement.note, *statement.proofs.values()]
        for other in filter(None, (statement.condition, statement.correction)):
            latex.append(other.latex)
            texts.append(other.proof)
    for consequence in CONSEQUENCES:
        latex.append(consequence.latex)
        texts += [consequence.proof, consequence.note, consequence.title]
    return latex, [*texts, *(a.text for a in ASSUMPTIONS), *(r.text for r in REGIMES.values())]


def test_every_formula_of_the_theory_becomes_mathml_and_text_without_a_trace_of_latex():
    latex, texts = formulas()
    assert len(latex) > 100
    for formula in latex:
        for display in (False, True):
            made = mathml(formula, display)
            assert "\\" not in made
            assert "&" not in made
            ElementTree.fromstring(made.replace("<wbr>", ""))
        assert not re.search(r"[\\{}$]", plain(formula)), plain(formula)
    for text in texts:
        for read in (str(prose(text)), plain_prose(text)):
            assert "\\" not in read, read
            assert "$" not in read, read


@pytest.mark.parametrize(
    ("latex", "text"),
    [
        (r"\Err(\pi) \le 2C\,\TV(\Da, \DM)", "Err(π) ≤ 2C D_TV(D, D_M)"),
        (r"\GGMI = I(\Sa, W') - I(\Sg, W)", "GGMI = I(S_anchor, W') − I(S_gen, W)"),
        (ROOT, "√((2σ² [−ΔI + log 2])/n)"),
        (r"H(\Sg \mid W) \lesssim \alpha^{L/2}", "H(S_gen | W) ≲ α^L/2"),
        (r"\text{right side of (28).1} \ge (1 - \alpha)", "right side of (28).1 ≥ (1 − α)"),
        (r"E \left|\RS(\pi)\right| = -x", "E |R\N{COMBINING CIRCUMFLEX ACCENT}_S_gen(π)| = −x"),
    ],
)
def test_plain_text_reads_like_the_formula(latex, text):
    assert plain(latex) == text


def test_words_are_one_upright_identifier_and_a_sign_after_a_relation_is_no_difference():
    assert mathml(r"\Sg") == "<math><mrow><msub><mi>S</mi><mrow><mrow><mi>gen</mi></mrow></mrow></msub></mrow></math>"
    assert '<mo>≤</mo><mo form="prefix">−</mo>' in mathml(r"a \le -b")
    assert '<mi mathvariant="normal">Δ</mi><mi>I</mi>' in mathml(r"\DI")


def test_a_long_formula_breaks_before_relations_signs_and_roots_but_not_within_a_group():
    short, long = r"a \le b", rf"\GGMI \le -\DI + \Bsyn + H(e_M) + \left(\alpha - 1\right) + {ROOT}"
    assert mathml(short).count("<math") == 1
    made = mathml(long)
    assert made.startswith('<span class="formula">')
    texts = ["".join(ElementTree.fromstring(piece).itertext()) for piece in made[22:-7].split("<wbr>")]
    assert texts == ["GGMI", "≤−ΔI", "+Bsyn", "+H(eM)", "+(α−1)", "+2σ2[−ΔI+log2]n"]
    assert made.count('<mo form="infix">') == 5
    assert all(len(plain(piece)) <= 2 * LINE for piece in texts)


def test_a_macro_ends_where_its_name_does():
    assert expand(r"\Sa \Sab \DI") == r"S_{\mathrm{anchor}} \Sab \Delta I"


@pytest.mark.parametrize(
    "latex", [r"\text{<script>}", r"\href{javascript:1}{x}", r"\color{red}x", r"a & b", r"\frac{", "x<y", r"\nothing"]
)
def test_what_is_no_formula_is_refused_and_stays_text_in_prose(latex):
    with pytest.raises(FormulaError, match="no formula can be made of"):
        mathml(latex)
    made = str(prose(f"a ${latex}$ b"))
    assert "<math" not in made
    assert "<script" not in made
    assert made.startswith("a $")


def test_prices_and_code_are_no_formulas():
    for text in ("between $5 and $6", "$5/$6", "`echo $HOME $PATH`", "5$ or 6$"):
        assert "<math" not in prose(text)
        assert plain_prose(text) == text
    assert prose("<b> $x$ & $y$").count("<math>") == 2
    assert prose("<b>") == "&lt;b&gt;"
