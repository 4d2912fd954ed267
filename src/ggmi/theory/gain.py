"""Definition 4.9, Theorem 4.10 and the statements of its proof in appendix F, line by line.

Gan & Liu, arXiv 2410.01720. The theorem bounds GGMI from above. alpha is the number with
H(S_anchor|W') = alpha H(S_anchor|W) that the theorem assumes, so alpha H(S_anchor|W) is written as
H(S_anchor|W') in the trees.
"""

from __future__ import annotations

from ggmi.exact.statement import Condition, Correction
from ggmi.exact.trees import Term, number
from ggmi.theory.flow import DELTA_I, ENTROPY_GAIN, EQ17, I_GEN
from ggmi.theory.needs import ALPHA_EXISTS
from ggmi.theory.statement import Statement, register
from ggmi.theory.terms import conditional, entropy, information

F = "appendix F, proof of Theorem 4.10"
I_ANCHOR = information("S_anchor", "W'")
ANCHOR_W = information("S_anchor", "W")
ANCHOR_OUT = information("S_anchor", "M")
H_ANCHOR_W = conditional("S_anchor", "W")
ALPHA_H = conditional("S_anchor", "W'")
H_GEN_W = conditional("S_gen", "W")
DELTA_H = entropy("S_anchor") - entropy("S_gen")
EPSILON_W_P = H_ANCHOR_W - conditional("S_anchor", "M")
GGMI = I_ANCHOR - I_GEN
BOUND_10 = DELTA_I - ALPHA_H - H_ANCHOR_W + DELTA_H + DELTA_H + H_GEN_W + EPSILON_W_P
GAIN: dict[str, Term] = {
    r"\GGMI": GGMI,
    r"\DI": DELTA_I,
    r"\alpha": ALPHA_H / H_ANCHOR_W,
    r"H(\Sa \mid W)": H_ANCHOR_W,
    r"\DH": DELTA_H,
    r"H(\Sg \mid W)": H_GEN_W,
    r"\varepsilon_{W,p}": EPSILON_W_P,
}
# I(h, M) less I(S_anchor, M), and with what curation adds to the entropy, all that (10) can lack.
BEYOND_ANCHORS = information("h", "M", "S_anchor") - information("S_anchor", "M", "h")
LACKED = ENTROPY_GAIN + BEYOND_ANCHORS
PAID = conditional("S_gen", "M") + information("h", "M", "S_anchor")
PAID_LATEX = r"H(\Sg \mid \Mp) + I(h(e_p); \Mp \mid \Sa)"
CHAIN_RULES = (
    r"$H(\Sg) - H(\Mp) = H(\Sg \mid \Mp) - H(\Mp \mid \Sg)$ and $I(h(e_p), \Mp) - I(\Sa, \Mp) = I(h(e_p); "
    r"\Mp \mid \Sa) "
    r"- I(\Sa; \Mp \mid h(e_p))$, by the chain rules"
)
TOLD = Condition(
    r"H(\Sg \mid \Mp) + I(h(e_p); \Mp \mid \Sa) \le H(\Mp \mid \Sg) + I(\Sa; \Mp \mid h(e_p))",
    LACKED,
    r"The right side less the left is $\DI + I(\Sa, \Mp) - H(\Sg)$, as (33) to (37) show; $\DI = H(\Mp) - I(h(e_p), "
    rf"\Mp)$ and {CHAIN_RULES}.",
    simple=r"$\Sg$ is a function of $\Mp$, and $e_p$ one of $p$",
)
PAYMENT = (
    r"The right side less the left is $\DI + I(\Sa, \Mp) - H(\Sg)$, which is "
    r"$H(\Mp \mid \Sg) + I(\Sa; \Mp \mid h(e_p))$ less what is added here. Where $e_p$ is a function of "
    r"$p$ the last term "
    r"is zero."
)


def _line(key: str, latex: str, left: Term, right: Term, **rest: object) -> Statement:
    relation = rest.pop("relation", "<=")
    return register(Statement(key, F, latex, relation, left, right, **rest))  # type: ignore[arg-type]


register(
    Statement(
        "(9)",
        "Definition 4.9, section 4.3",
        r"\GGMI = I(\Sa, W') - I(\Sg, W)",
        "=",
        GGMI,
        GGMI,
        "definition",
        note="The generalization gain via mutual information.",
    )
)
BOUND_LATEX = r"\DI - (\alpha + 1) H(\Sa \mid W) + 2 \DH + H(\Sg \mid W) + \varepsilon_{W,p}"
THEOREM_4_10 = register(
    Statement(
        "(10)",
        "Theorem 4.10, section 4.3",
        rf"\GGMI \le {BOUND_LATEX}",
        "<=",
        GGMI,
        BOUND_10,
        terms=GAIN,
        needs=(ALPHA_EXISTS,),
        note=(
            r"The upper bound of the gain, with $\DH = H(\Sa) - H(\Sg)$, $\varepsilon_{W,p} = H(\Sa \mid "
            r"W) - H(\Sa \mid "
            r"\Mp)$ and $H(\Sa \mid W') = \alpha H(\Sa \mid W)$. In every world it is equivalent to (32).2."
        ),
        condition=TOLD,
        correction=Correction(rf"\GGMI \le {BOUND_LATEX} + {PAID_LATEX}", GGMI, BOUND_10 + PAID, PAYMENT),
    )
)
_line(
    "(30)",
    r"H(\Mp) \ge H(\Sg)",
    entropy("M"),
    entropy("S_gen"),
    relation=">=",
    note=r"Said to follow from $h(e_p) \to \Mp \to \Sg$; the same statement as (17).",
    condition=EQ17.condition,
    correction=Correction(
        r"H(\Mp) + H(\Sg \mid \Mp) \ge H(\Sg)",
        entropy("M") + conditional("S_gen", "M"),
        entropy("S_gen"),
        "As for (17).",
    ),
)
_line(
    "(31)",
    r"I(\Sa, \Mp) \ge I(h(e_p), \Mp)",
    ANCHOR_OUT,
    information("h", "M"),
    relation=">=",
    note="True where $e_p$, and so $h(e_p)$, is a function of $p$; false where $e_p$ has randomness of its own.",
    proofs={"without_4.1": r"Data processing: $h(e_p)$ is a function of $p$, and $p$ of $\Sa$."},
    condition=Condition(
        r"I(h(e_p); \Mp \mid \Sa) \le I(\Sa; \Mp \mid h(e_p))",
        BEYOND_ANCHORS,
        rf"{CHAIN_RULES}.",
        simple="$e_p$ is a function of $p$",
    ),
    correction=Correction(
        r"I(\Sa, \Mp) + I(h(e_p); \Mp \mid \Sa) \ge I(h(e_p), \Mp)",
        ANCHOR_OUT + information("h", "M", "S_anchor"),
        information("h", "M"),
        r"$I(h(e_p), \Mp) \le I((\Sa, h(e_p)), \Mp)$ and the chain rule.",
    ),
)
_line(
    "(32).1",
    r"\DI = H(\Mp) - I(h(e_p), \Mp)",
    DELTA_I,
    DELTA_I,
    relation="=",
    kind="definition",
    note="(2) again.",
)
_line(
    "(32).2",
    r"H(\Mp) - I(h(e_p), \Mp) \ge H(\Sg) - I(\Sa, \Mp)",
    DELTA_I,
    entropy("S_gen") - ANCHOR_OUT,
    relation=">=",
    terms={
        r"\DI": DELTA_I,
        r"H(\Sg)": entropy("S_gen"),
        r"I(\Sa, \Mp)": ANCHOR_OUT,
    },
    note="(30) and (31) together. Theorem 4.10 is equivalent to it.",
    condition=TOLD,
    correction=Correction(
        rf"H(\Mp) - I(h(e_p), \Mp) + {PAID_LATEX} \ge H(\Sg) - I(\Sa, \Mp)",
        DELTA_I + PAID,
        entropy("S_gen") - ANCHOR_OUT,
        "(30) and (31) as corrected.",
    ),
)
_THIRD = I_GEN + H_GEN_W - ANCHOR_OUT
_line(
    "(32).3",
    r"H(\Sg) - I(\Sa, \Mp) = I(\Sg, W) + H(\Sg \mid W) - I(\Sa, \Mp)",
    entropy("S_gen") - ANCHOR_OUT,
    _THIRD,
    relation="=",
    kind="definition",
)
_line(
    "(33).1",
    r"I(\Sa, W') = H(\Sa) - H(\Sa \mid W')",
    I_ANCHOR,
    entropy("S_anchor") - ALPHA_H,
    relation="=",
    kind="definition",
)
_line(
    "(33).2",
    r"H(\Sa) - H(\Sa \mid W') = H(\Sa) - \alpha H(\Sa \mid W)",
    entropy("S_anchor") - ALPHA_H,
    entropy("S_anchor") - ALPHA_H,
    relation="=",
    kind="assumption",
    note=r"The theorem's assumption $H(\Sa \mid W') = \alpha H(\Sa \mid W)$, $\alpha \ge 0$.",
)
ANCHOR_LINE = ANCHOR_W + H_ANCHOR_W - ALPHA_H
_line(
    "(33).3",
    r"H(\Sa) - \alpha H(\Sa \mid W) = I(\Sa, W) + (1 - \alpha) H(\Sa \mid W)",
    entropy("S_anchor") - ALPHA_H,
    ANCHOR_LINE,
    relation="=",
    kind="definition",
)
_line(
    "(34).1",
    r"I(\Sa, \Mp) = H(\Sa) - H(\Sa \mid \Mp)",
    ANCHOR_OUT,
    entropy("S_anchor") - conditional("S_anchor", "M"),
    relation="=",
    kind="definition",
)
_line(
    "(34).2",
    r"H(\Sa) - H(\Sa \mid \Mp) = I(\Sa, W) + H(\Sa \mid W) - H(\Sa \mid \Mp)",
    ANCHOR_OUT,
    ANCHOR_W + EPSILON_W_P,
    relation="=",
    kind="definition",
)
_line(
    "(34).3",
    r"I(\Sa, W) + H(\Sa \mid W) - H(\Sa \mid \Mp) = I(\Sa, W) + \varepsilon_{W,p}",
    ANCHOR_W + EPSILON_W_P,
    ANCHOR_W + EPSILON_W_P,
    relation="=",
    kind="definition",
    note=r"Defines $\varepsilon_{W,p} = H(\Sa \mid W) - H(\Sa \mid \Mp)$.",
)
_line("(35).1", r"\GGMI = I(\Sa, W') - I(\Sg, W)", GGMI, GGMI, relation="=", kind="definition", note="(9) again.")
_line(
    "(35).2",
    r"\GGMI = I(\Sa, W) + (1 - \alpha) H(\Sa \mid W) - I(\Sg, W)",
    GGMI,
    ANCHOR_LINE - I_GEN,
    relation="=",
    kind="definition",
)
_line(
    "(35).3",
    r"\GGMI = [I(\Sg, W) + H(\Sg \mid W) - I(\Sa, \Mp)] - I(\Sg, W) - H(\Sg \mid W) + I(\Sa, \Mp) + I(\Sa, W) + "
    r"(1 - \alpha) H(\Sa \mid W) - I(\Sg, W)",
    GGMI,
    _THIRD - I_GEN - H_GEN_W + ANCHOR_OUT + ANCHOR_LINE - I_GEN,
    relation="=",
    kind="definition",
)
TWICE_GEN = number(2) * I_GEN
_SIXTH = DELTA_I - TWICE_GEN - H_GEN_W + ANCHOR_LINE + ANCHOR_OUT
_line(
    "(36).1",
    r"\GGMI \le \DI - 2 I(\Sg, W) - H(\Sg \mid W) + I(\Sa, W) + (1 - \alpha) H(\Sa \mid W) + I(\Sa, \Mp)",
    GGMI,
    _SIXTH,
    terms=GAIN,
    needs=(ALPHA_EXISTS,),
    note="(32) put into (35); as (32).2.",
    condition=TOLD,
    correction=Correction(
        r"\GGMI \le \DI - 2 I(\Sg, W) - H(\Sg \mid W) + I(\Sa, W) + (1 - \alpha) H(\Sa \mid W) + I(\Sa, \Mp) + "
        + PAID_LATEX,
        GGMI,
        _SIXTH + PAID,
        PAYMENT,
    ),
)
_SECOND = DELTA_I - TWICE_GEN - H_GEN_W + number(2) * ANCHOR_W + H_ANCHOR_W - ALPHA_H + EPSILON_W_P
_line(
    "(36).2",
    r"\text{right side of (36).1} = \DI - 2 I(\Sg, W) - H(\Sg \mid W) + 2 I(\Sa, W) + (1 - \alpha) H(\Sa \mid W) + "
    r"\varepsilon_{W,p}",
    _SIXTH,
    _SECOND,
    relation="=",
    kind="definition",
)
_line(
    "(36).3",
    r"\text{right side of (36).2} = \DI - 2 H(\Sg) + H(\Sg \mid W) + 2 H(\Sa) - (\alpha + 1) H(\Sa \mid W) + "
    r"\varepsilon_{W,p}",
    _SECOND,
    BOUND_10,
    relation="=",
    kind="definition",
)
_line(
    "(37)",
    rf"\GGMI \le {BOUND_LATEX}",
    GGMI,
    BOUND_10,
    terms=GAIN,
    needs=(ALPHA_EXISTS,),
    note="(10) again.",
    condition=TOLD,
    correction=THEOREM_4_10.correction,
)
