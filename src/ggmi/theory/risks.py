"""Lemma 3.1, Lemmas 4.4, 4.6 and 4.8, Theorem 4.7, and the statements of appendices A.2 and D.

Gan & Liu, arXiv 2410.01720. Err is random and holds the modulus inside, so (1) and appendix D are
judged at every outcome that can occur, and (6) to (8) bound the mean of a modulus. M(p) and S_gen have
their laws given p (appendix C). exp(-(L/2) log(1/eta)) is the square root of eta^L, the world's
`contraction`; sigma is a sub-Gaussian parameter by Hoeffding's lemma.
"""

from __future__ import annotations

from ggmi.exact.statement import Condition, Correction
from ggmi.exact.trees import Term, absolute, logarithm, number, parameter, sqrt
from ggmi.theory.flow import BOUND_5, COVERED, CREATED, FLOW, I_GEN, LEMMA_4_5, NO_MODEL_CHAIN
from ggmi.theory.needs import (
    ANCHOR_EXAMPLES,
    BOUNDED,
    EXAMPLES,
    LAMBDA_EXISTS,
    LAYERED,
    LAYERED_ANCHOR,
    SUBGAUSSIAN,
    UNSIGNED,
)
from ggmi.theory.statement import Statement, charitable, register
from ggmi.theory.terms import information, mean, risk, training_loss, variation

D = "appendix D, proof of Lemma 3.1"
C = parameter("C")
TWO = number(2)
R_D, R_DM, R_GEN = risk("S_anchor"), risk("M"), risk("S_gen")
TRAINED = training_loss()
ERR = absolute(R_D - TRAINED)
GAP = absolute(R_GEN - TRAINED)
TASK = variation("S_anchor", "M")
GENERATION = variation("M", "S_gen")
DIVERGENCES = C * (TASK + GENERATION)
ANCHOR_GAP = risk("S_anchor", "W'") - training_loss("W'")
I_ANCHOR = information("S_anchor", "W'")
BIT = logarithm(2)


def flow_bound(flow: Term, share: str = "1/n", contraction: str = "contraction") -> Term:
    """The square root of 2 sigma^2 eta^L flow / n."""
    scale = TWO * parameter("sigma") * parameter("sigma") * parameter(share)
    return sqrt(scale * parameter(contraction) * flow if contraction else scale * flow)


ETA = r"\exp\left(-\frac{L}{2} \log \frac{1}{\eta}\right)"
ETA_ANCHOR = r"\exp\left(-\frac{L}{2} \log \frac{1}{\eta'}\right)"
BRACKET = r"-\DI + \Bsyn + H(e_M) + \delta_{\varepsilon,p}"
R_LATEX = r"R_{\Dg}(\pi) - \RS(\pi)"
TV_LATEX = r"C \left(\TV(\Da, \DM) + \TV(\DM, \Dg)\right)"
ROOT = rf"{ETA} \sqrt{{\frac{{2\sigma^2 [{BRACKET}]}}{{n}}}}"
WITHIN = r"|\ell| \le C"
HALF_RANGE = (
    r"Subtract the middle of the range of $\ell(\pi, \cdot)$: what is left is at most half the range in size, and "
    r"$\sum |P - Q| = 2\TV(P, Q)$. So a loss in $[0, C]$ gives $C\,\TV$ and one in $[-C, C]$ gives $2C\,\TV$."
)
MODULUS = (
    r"The modulus stands inside the expectation, where it does not vanish for parameters that ignore their data: one "
    r"draw of $\Sg$ differs from its mean."
)
WITH_SIGN = (
    r"Let $B = \pm 1$ be the sign of $R(W) - \widehat R_S(W)$. For the parameters $(W, B)$ with the loss "
    r"$B\,\ell(W, z)$, "
    r"which is as sub-Gaussian, (12) bounds $E\,|R(W) - \widehat R_S(W)|$ by the root of $I(S, (W, B))$, and "
    r"$I(S, (W, B)) \le I(S, W) + H(B) \le I(S, W) + \log 2$."
)
GIVEN_P = (
    r"Given $p$ the bound of Xu and Raginsky has $I(\Sg, W \mid p)$ under the root, which is $I(\Sg, W) - "
    r"I(p, W)$ because "
    r"$p \to \Sg \to W$; average over $p$, the root being concave."
)

RISKS: dict[str, Term] = {
    r"E\,R_D(\pi)": mean(R_D),
    r"E\,R_{D_M}(\pi)": mean(R_DM),
    r"E\,R_{\Dg}(\pi)": mean(R_GEN),
    r"E\,\RS(\pi)": mean(TRAINED),
    r"E\,\TV(\Da, \DM)": mean(TASK),
    r"E\,\TV(\DM, \Dg)": mean(GENERATION),
}
ONE_SIGN = Condition(r"0 \le \ell \le C", None, HALF_RANGE, exact=False, simple="the loss has one sign")
LEMMA_3_1 = register(
    Statement(
        "(1)",
        "Lemma 3.1, section 3.3",
        rf"\Err(\pi) \le {TV_LATEX} + \left|{R_LATEX}\right|",
        "<=",
        ERR,
        DIVERGENCES + GAP,
        terms=RISKS,
        needs=(BOUNDED,),
        note=(
            rf"With “bounded by $C$” as ${WITHIN}$. The risks of a loss that takes both signs can differ "
            rf"by twice what "
            r"the lemma allows."
        ),
        correction=Correction(
            rf"\Err(\pi) \le 2 {TV_LATEX} + \left|{R_LATEX}\right|",
            ERR,
            TWO * DIVERGENCES + GAP,
            rf"The triangle inequality (13). {HALF_RANGE}",
        ),
        condition=ONE_SIGN,
    )
)
TRIANGLE = f"The triangle inequality. {HALF_RANGE}"
charitable(
    LEMMA_3_1,
    LEMMA_3_1.latex,
    r"“Bounded by $C$” read as $0 \le \ell \le C$.",
    needs=(UNSIGNED,),
    proofs={"structure": TRIANGLE},
    condition=None,
    correction=None,
)
LAYERS_PROOF = (
    r"Donsker and Varadhan's formula for each example and the concavity of the root give (12); a loss that "
    r"sees its data "
    r"through layers of contraction $\eta$ oscillates by $2\sigma\eta^L$ at most, and $\eta^L \le \eta^{L/2}$."
)
register(
    Statement(
        "(4)",
        "Lemma 4.4, section 4.2",
        rf"E[R(W) - R_S(W)] \le {ETA} \sqrt{{\frac{{2\sigma^2}}{{n}} I(S, W)}}",
        "<=",
        mean(R_GEN - TRAINED),
        flow_bound(I_GEN),
        needs=(LAYERED, EXAMPLES),
        note="After Zhang and others (2018), without a modulus; here $S = \\Sg$ and its law is that given $p$.",
        proofs={"structure": f"{LAYERS_PROOF} {GIVEN_P}"},
    )
)
INHERITED = Condition(
    COVERED.latex,
    COVERED.term,
    r"(4) with Lemma 4.5, which holds exactly then.",
    exact=False,
    simple=NO_MODEL_CHAIN,
)
CORRECTED_BRACKET = rf"{BRACKET} + I(e_p; e_M \mid W) - I(e_p; e_M)"
LEMMA_4_6 = register(
    Statement(
        "(6)",
        "Lemma 4.6, section 4.2",
        rf"E \left|{R_LATEX}\right| \le {ROOT}",
        "<=",
        mean(GAP),
        flow_bound(BOUND_5),
        terms=FLOW,
        needs=(LAYERED, EXAMPLES, LAMBDA_EXISTS),
        note=MODULUS,
        condition=Condition(
            r"I(\Sg, W) + \log 2 \le -\DI + \Bsyn + H(e_M) + \delta_{\varepsilon,p}",
            I_GEN + BIT - BOUND_5,
            WITH_SIGN,
            exact=False,
        ),
        correction=Correction(
            rf"E \left|{R_LATEX}\right| \le {ETA} \sqrt{{\frac{{2\sigma^2 [{CORRECTED_BRACKET} + \log 2]}}{{n}}}}",
            mean(GAP),
            flow_bound(BOUND_5 + CREATED + BIT),
            f"{WITH_SIGN} Then (5) as corrected.",
        ),
    )
)
charitable(
    LEMMA_4_6,
    rf"\left|E[{R_LATEX}]\right| \le {ROOT}",
    "The modulus outside the expectation, as in the bounds that the lemma rests on.",
    left=absolute(mean(R_GEN - TRAINED)),
    proofs={"chains_only": f"(4), also for $-\\ell$, with (5). {LEMMA_4_5.proofs['chains_only']}"},
    condition=INHERITED,
    correction=Correction(
        rf"\left|E[{R_LATEX}]\right| \le {ETA} \sqrt{{\frac{{2\sigma^2 [{CORRECTED_BRACKET}]}}{{n}}}}",
        absolute(mean(R_GEN - TRAINED)),
        flow_bound(BOUND_5 + CREATED),
        "(4), also for $-\\ell$, with (5) as corrected.",
    ),
)
THEOREM_4_7 = register(
    Statement(
        "(7)",
        "Theorem 4.7, section 4.2",
        rf"E(\Err(\pi)) \le {TV_LATEX} + {ROOT}",
        "<=",
        mean(ERR),
        mean(DIVERGENCES) + flow_bound(BOUND_5),
        terms=RISKS | FLOW,
        needs=(LAYERED, EXAMPLES, BOUNDED, LAMBDA_EXISTS),
        note=f"Lemma 3.1 with Lemma 4.6 put in; the distances given $p$ are averaged over $p$. {MODULUS}",
        condition=None,
        correction=Correction(
            rf"E(\Err(\pi)) \le 2 {TV_LATEX} + {ETA} \sqrt{{\frac{{2\sigma^2 [{CORRECTED_BRACKET} + \log 2]}}{{n}}}}",
            mean(ERR),
            mean(TWO * DIVERGENCES) + flow_bound(BOUND_5 + CREATED + BIT),
            "(1) and (6) as corrected.",
        ),
    )
)
charitable(
    THEOREM_4_7,
    rf"\left|E[R_D(\pi) - \RS(\pi)]\right| \le {TV_LATEX} + {ROOT}",
    r"The modulus outside the expectation, and $0 \le \ell \le C$.",
    left=absolute(mean(R_D - TRAINED)),
    needs=(LAYERED, EXAMPLES, UNSIGNED, LAMBDA_EXISTS),
    proofs={"chains_only": "(14) and (15) with $0 \\le \\ell \\le C$, then (6) in its charitable reading."},
    condition=INHERITED,
    correction=Correction(
        rf"\left|E[R_D(\pi) - \RS(\pi)]\right| \le {TV_LATEX} + {ETA} \sqrt{{\frac{{2\sigma^2 "
        rf"[{CORRECTED_BRACKET}]}}{{n}}}}",
        absolute(mean(R_D - TRAINED)),
        mean(DIVERGENCES) + flow_bound(BOUND_5 + CREATED),
        "(14), (15) and (6) as corrected.",
    ),
)
ANCHOR_ERR = r"R_D(\pi^{\Sa}) - \widehat R_{\Sa}(\pi^{\Sa})"
LEMMA_4_8 = register(
    Statement(
        "(8)",
        "Lemma 4.8, section 4.3",
        rf"E(\Err(\pi^{{\Sa}})) = E \left|{ANCHOR_ERR}\right| \le {ETA_ANCHOR} "
        rf"\sqrt{{\frac{{2\sigma^2}}{{m}} I(\Sa, W')}}",
        "<=",
        mean(absolute(ANCHOR_GAP)),
        flow_bound(I_ANCHOR, "1/m", "anchor contraction"),
        needs=(LAYERED_ANCHOR, ANCHOR_EXAMPLES),
        note=MODULUS.replace(r"\Sg", r"\Sa"),
        correction=Correction(
            rf"E \left|{ANCHOR_ERR}\right| \le {ETA_ANCHOR} \sqrt{{\frac{{2\sigma^2}}{{m}} (I(\Sa, W') + \log 2)}}",
            mean(absolute(ANCHOR_GAP)),
            flow_bound(I_ANCHOR + BIT, "1/m", "anchor contraction"),
            WITH_SIGN,
        ),
    )
)
charitable(
    LEMMA_4_8,
    rf"\left|E[{ANCHOR_ERR}]\right| \le {ETA_ANCHOR} \sqrt{{\frac{{2\sigma^2}}{{m}} I(\Sa, W')}}",
    "The modulus outside the expectation.",
    left=absolute(mean(ANCHOR_GAP)),
    proofs={"structure": f"(4) for the anchors, also for $-\\ell$. {LAYERS_PROOF}"},
    correction=None,
)
register(
    Statement(
        "(11)",
        "appendix A.2",
        r"L[p(z \mid x)] = I(Z, X) - \beta I(Z, Y)",
        "=",
        number(0),
        number(0),
        "definition",
        note="The information bottleneck's objective.",
    )
)
GEN_ERR = register(
    Statement(
        "(12)",
        "appendix A.2",
        r"\mathrm{genErr} \le \sqrt{\frac{2\sigma^2}{n} I(S, W)}",
        "<=",
        mean(R_GEN - TRAINED),
        flow_bound(I_GEN, contraction=""),
        needs=(SUBGAUSSIAN, EXAMPLES),
        note=r"genErr is not defined; it is taken for $E[R(W) - R_S(W)]$, the left side of (4).",
        proofs={"structure": rf"Donsker and Varadhan's formula for each of $n$ independent examples. {GIVEN_P}"},
    )
)
charitable(
    GEN_ERR,
    r"\left|E[R(W) - R_S(W)]\right| \le \sqrt{\frac{2\sigma^2}{n} I(S, W)}",
    "genErr taken for the modulus of the mean, as Xu and Raginsky (2017) have it.",
    left=absolute(mean(R_GEN - TRAINED)),
)


def _line(key: str, latex: str, left: Term, right: Term, **rest: object) -> Statement:
    relation = rest.pop("relation", "<=")
    needs = rest.pop("needs", (BOUNDED,))
    return register(Statement(key, D, latex, relation, left, right, needs=needs, **rest))  # type: ignore[arg-type]


_PARTS = absolute(R_D - R_DM) + absolute(R_DM - R_GEN) + GAP
PARTS_LATEX = (
    r"\left|R_D(\pi) - R_{\DM}(\pi)\right| + \left|R_{\DM}(\pi) - R_{\Dg}(\pi)\right| + "
    r"\left|R_{\Dg}(\pi) - \RS(\pi)\right|"
)
_line(
    "(13)",
    rf"\Err(\pi) \le {PARTS_LATEX}",
    ERR,
    _PARTS,
    proofs={"structure": "The triangle inequality."},
)
for _key, _one, _two, _first, _second, _distance in (
    ("(14)", "D", r"\DM", R_D, R_DM, TASK),
    ("(15)", r"\DM", r"\Dg", R_DM, R_GEN, GENERATION),
):
    _difference = absolute(_first - _second)
    _named = rf"\left|R_{{{_one}}}(\pi) - R_{{{_two}}}(\pi)\right|"
    _integral = rf"(P_{{{_one}}}(z) - P_{{{_two}}}(z))"
    _line(
        f"{_key}.1",
        rf"{_named} = \left|\int \ell(\pi, z) {_integral} \, dz\right|",
        _difference,
        _difference,
        relation="=",
        kind="definition",
    )
    # The integral of |loss| |P - Q| is at most C times that of |P - Q|, which is 2 D_TV.
    _line(
        f"{_key}.2",
        rf"\left|\int \ell(\pi, z) {_integral} \, dz\right| \le \int \left|\ell(\pi, z) {_integral}\right| dz",
        _difference,
        TWO * C * _distance,
        note=r"Evaluated together with the next line, against $C \int |P - P'| = 2C\,\TV$.",
        proofs={"structure": "The modulus of an integral is at most the integral of the modulus."},
    )
    _line(
        f"{_key}.3",
        rf"\int \left|\ell(\pi, z) {_integral}\right| dz \le C \int \left|P_{{{_one}}}(z) - P_{{{_two}}}(z)\right|",
        _difference,
        TWO * C * _distance,
        note="Evaluated together with the line before.",
        proofs={"structure": rf"${WITHIN}$."},
    )
    _fourth = _line(
        f"{_key}.4",
        rf"C \int \left|P_{{{_one}}}(z) - P_{{{_two}}}(z)\right| \lesssim C\,\TV({_one}, {_two})",
        TWO * C * _distance,
        TWO * C * _distance,
        kind="definition",
        note=r"The paper writes $\lesssim$, which allows a constant. By definition A.4 it is 2: "
        r"$\int |P - P'| = 2\TV(P, P')$.",
    )
    charitable(
        _fourth,
        rf"{_named} \le C\,\TV({_one}, {_two}) \text{{ for }} 0 \le \ell \le C",
        r"$\le$ for $\lesssim$, from the first side of the chain to the last, with $0 \le \ell \le C$.",
        left=_difference,
        right=C * _distance,
        kind="inequality",
        needs=(UNSIGNED,),
        proofs={"structure": HALF_RANGE},
    )
_line(
    "(16).1",
    rf"\Err(\pi) \le {PARTS_LATEX}",
    ERR,
    _PARTS,
    note="(13) again.",
    proofs={"structure": "The triangle inequality."},
)
_FACTORED = DIVERGENCES + GAP
SPREAD = rf"C\,\TV(\Da, \DM) + C\,\TV(\DM, \Dg) + \left|{R_LATEX}\right|"
SECOND = _line(
    "(16).2",
    rf"{PARTS_LATEX} \le {SPREAD}",
    _PARTS,
    _FACTORED,
    terms=RISKS,
    note=r"The $\lesssim$ of (14) and (15) has become $\le$: a constant of 2 is lost.",
    correction=Correction(
        rf"{PARTS_LATEX} \le 2C\,\TV(\Da, \DM) + 2C\,\TV(\DM, \Dg) + \left|{R_LATEX}\right|",
        _PARTS,
        TWO * DIVERGENCES + GAP,
        HALF_RANGE,
    ),
    condition=ONE_SIGN,
)
charitable(
    SECOND,
    SECOND.latex,
    r"“Bounded by $C$” read as $0 \le \ell \le C$.",
    needs=(UNSIGNED,),
    proofs={"structure": HALF_RANGE},
    condition=None,
    correction=None,
)
_line(
    "(16).3",
    rf"{SPREAD} = {TV_LATEX} + \left|{R_LATEX}\right|",
    _FACTORED,
    _FACTORED,
    relation="=",
    kind="definition",
)
