"""The paper's information inequalities (appendices E and F, Lemma 4.5, Theorem 4.10) as objects.

Numbers are those of arXiv 2410.01720. Where a statement is marked as read, its number is the
paper's and its form is what the proof needs at that place, as we read it. Logarithms are natural.
"""

from __future__ import annotations

from ggmi.theory.statement import (
    ALPHA_EXISTS,
    DETERMINISTIC_CURATION,
    INDEPENDENT,
    LAMBDA_EXISTS,
    Sides,
    corrected,
    published,
)
from ggmi.theory.terms import Term, conditional, entropy, information

DELTA_I = entropy("M") - information("h", "M")
B_SYN = information("e_M", "W") + information("e_p", "W")
# (lambda - 1) I(h(e_p), M(p)) at the smallest lambda with H(e_p) <= lambda I(h(e_p), M(p)).
EFFICIENCY = entropy("e_p") - information("h", "M")
BOUND_4_5 = B_SYN - DELTA_I + entropy("e_M") + EFFICIENCY
# What (5) forgets: dependence of the factors that training creates, and information that the
# curation noise itself gives to W.
CREATED = information("e_p", "e_M", "W") - information("e_p", "e_M")
CREATED_OUTPUTS = information("h", "g", "W") - information("h", "g")
NOISE_LEARNT = information("S_gen", "W", "M")
DELTA_H = entropy("S_anchor") - entropy("S_gen")
EPSILON_W_P = conditional("S_anchor", "W") - conditional("S_anchor", "M")
GGMI = information("S_anchor", "W'") - information("S_gen", "W")
FLOW: dict[str, Term] = {
    "I(S_gen, W)": information("S_gen", "W"),
    "delta_I": DELTA_I,
    "B_syn": B_SYN,
    "H(e_M)": entropy("e_M"),
    "delta_eps_p": EFFICIENCY,
    "I(e_p; e_M | W)": information("e_p", "e_M", "W"),
}
LAMBDA_FLOW = FLOW | {"lambda": entropy("e_p") / information("h", "M")}


@published("eq17", "appendix E, (17)", "H(S_gen) <= H(M(p))")
def eq17() -> Sides:
    """Curation is taken to lose entropy. A noise that is added to M(p) raises it instead."""
    return entropy("S_gen"), entropy("M")


@published("eq18", "appendix E, (18)", "I(S_gen, W) <= I(M(p), W)", as_read=True)
def eq18() -> Sides:
    """Data processing runs the other way: M(p) -> S_gen -> W gives I(M(p), W) <= I(S_gen, W)."""
    return information("S_gen", "W"), information("M", "W")


@published("eq19", "appendix E, (19)", "I(M(p), W) = I(h(e_p) + g(e_M), W)", relation="=", as_read=True)
def eq19() -> Sides:
    """The generator's output written by its factors: I(M(p), W) equals I((h, g, M(p)), W).

    Evaluated as the information of the pair (h, g) that enters the sum only through it.

    Proof: (h, g) -> M(p) -> W is a Markov chain and M(p) is a function of (h, g).
    """
    return information("M", "W"), information(("h", "g"), "W")


@published("eq20", "appendix E, (20)", "I(h + g, W) = H(h + g) - H(h + g | W)", relation="=", as_read=True)
def eq20() -> Sides:
    """Definition of the mutual information; the start of the steps to (23)."""
    return information("M", "W"), entropy("M") - conditional("M", "W")


@published("eq21", "appendix E, (21)", "H(h + g) <= H(h(e_p)) + H(g(e_M))", as_read=True)
def eq21() -> Sides:
    """Subadditivity. Proof: H(h + g) <= H(h, g) <= H(h) + H(g)."""
    return entropy("M"), entropy("h") + entropy("g")


@published("eq22", "appendix E, (22)", "H(h + g | W) >= H(h(e_p) | W) + H(g(e_M) | W)", relation=">=", as_read=True)
def eq22() -> Sides:
    """The step that (20) and (21) need in order to give (23). Both halves of it can fail.

    Entropy is subadditive given W too, and the sum can lose what the pair tells.
    """
    return conditional("M", "W"), conditional("h", "W") + conditional("g", "W")


@published("eq23", "appendix E, (23)", "I(h(e_p) + g(e_M), W) <= I(h(e_p), W) + I(g(e_M), W)")
def eq23() -> Sides:
    """False already for W = (e_p + e_M) mod 2 with fair bits: one bit on the left, none on the right."""
    return information("M", "W"), information("h", "W") + information("g", "W"), FLOW


@published("eq24", "appendix E, (24)", "I(h(e_p), W) + I(g(e_M), W) <= I(e_p, W) + I(e_M, W) = B_syn", as_read=True)
def eq24() -> Sides:
    """Data processing. Proof: h and g are functions of e_p and e_M."""
    return information("h", "W") + information("g", "W"), B_SYN


@published("lemmaE1", "Lemma E.1", "I(h(e_p), M(p)) <= H(e_p), so the smallest lambda is at least 1", as_read=True)
def lemma_e1() -> Sides:
    """Defines lambda: the smallest number with H(e_p) <= lambda I(h(e_p), M(p)), as we read it.

    It measures how well the generator uses the prompt and enters Lemma 4.5 through
    delta = (lambda - 1) I(h(e_p), M(p)) = (1 - 1/lambda) H(e_p) = H(e_p) - I(h(e_p), M(p)). No
    finite lambda exists where the output ignores the prompt although the prompt varies; where e_p
    does not vary every lambda meets the definition, and delta is zero.

    Proof of lambda >= 1: I(h, M) <= H(h) <= H(e_p).
    """
    return information("h", "M"), entropy("e_p")


@published("eq25", "appendix E, (25)", "I(S_gen, W) <= B_syn", as_read=True)
def eq25() -> Sides:
    """What (18), (23) and (24) give together; false because (18) and (23) are."""
    return information("S_gen", "W"), B_SYN, FLOW


@published("lemmaE2", "Lemma E.2, (26)", "H(M(p)) <= H(e_p) + H(e_M)", as_read=True)
def lemma_e2() -> Sides:
    """The output holds no more than its factors. Proof: M(p) is a function of (e_p, e_M); subadditivity."""
    return entropy("M"), entropy("e_p") + entropy("e_M")


@published("eq28", "appendix E, (28)", "delta_I <= H(e_M) + delta", LAMBDA_EXISTS, as_read=True)
def eq28() -> Sides:
    """Makes the terms that Lemma 4.5 adds to B_syn non-negative.

    Proof: delta_I = H(M|h) <= H(g|h) <= H(e_M), because given h the sum is a function of g; and
    delta >= 0 by Lemma E.1.
    """
    return DELTA_I, entropy("e_M") + EFFICIENCY


@published(
    "lemma4.5", "Lemma 4.5, (5)", "I(S_gen, W) <= -delta_I + B_syn + H(e_M) + delta", LAMBDA_EXISTS, as_read=True
)
def lemma_4_5() -> Sides:
    """The information-flow upper bound; delta = (lambda - 1) I(h(e_p), M(p)) at the smallest lambda.

    The form of delta is our reading; the rest is the paper's. With fair bits, W = S_gen mod 2 and
    lambda = 2 the sides are 1 and 1/2 bit; there the terms without delta add up to zero, so the
    lemma fails under every reading that gives delta less than one bit. If S_gen has noise of its
    own, a constant output and one noise bit that W stores suffice: e_p does not vary, delta is zero
    for every lambda, and the sides are 1 and 0 bit.
    """
    return information("S_gen", "W"), BOUND_4_5, LAMBDA_FLOW


@published("eq30", "appendix F, (30)", "I(S_anchor, W') = H(S_anchor) - H(S_anchor|W')", relation="=", as_read=True)
def eq30() -> Sides:
    """Definition of the mutual information, with H(S_anchor|W') = alpha H(S_anchor|W)."""
    return information("S_anchor", "W'"), entropy("S_anchor") - conditional("S_anchor", "W'")


@published("eq31", "appendix F, (31)", "I(S_gen, W) = H(S_gen) - H(S_gen|W)", relation="=", as_read=True)
def eq31() -> Sides:
    """Definition of the mutual information."""
    return information("S_gen", "W"), entropy("S_gen") - conditional("S_gen", "W")


@published("eq32", "appendix F, (32)", "I(S_anchor, M(p)) <= I(h(e_p), M(p))", as_read=True)
def eq32() -> Sides:
    """The output knows of the anchors through the prompt's factor alone; where e_M depends on e_p it can know more."""
    return information("S_anchor", "M"), information("h", "M")


@published("eq33", "appendix F, (33)", "H(M(p)) <= H(S_gen)", as_read=True)
def eq33() -> Sides:
    """What (34) needs besides (32); the reverse of (17), so both hold only where the entropies are equal."""
    return entropy("M"), entropy("S_gen")


@published("eq34", "appendix F, (34)", "delta_I + I(S_anchor, M(p)) <= H(S_gen)", as_read=True)
def eq34() -> Sides:
    """Equivalent to Theorem 4.10, term by term: GGMI minus its bound is H(S_gen) - delta_I - I(S_anchor, M(p))."""
    return DELTA_I + information("S_anchor", "M"), entropy("S_gen")


GGMI_TERMS: dict[str, Term] = {
    "GGMI": GGMI,
    "alpha": conditional("S_anchor", "W'") / conditional("S_anchor", "W"),
    "delta_I": DELTA_I,
    "H(S_anchor|W)": conditional("S_anchor", "W"),
    "H(S_anchor|W') = alpha H(S_anchor|W)": conditional("S_anchor", "W'"),
    "delta_H": DELTA_H,
    "H(S_gen|W)": conditional("S_gen", "W"),
    "epsilon_W_p": EPSILON_W_P,
}
BOUND_4_10 = (
    DELTA_I
    - conditional("S_anchor", "W'")
    - conditional("S_anchor", "W")
    + DELTA_H
    + DELTA_H
    + conditional("S_gen", "W")
    + EPSILON_W_P
)


@published(
    "theorem4.10",
    "Theorem 4.10, (10)",
    "GGMI >= delta_I - (alpha + 1) H(S_anchor|W) + 2 delta_H + H(S_gen|W) + epsilon_W_p",
    ALPHA_EXISTS,
    relation=">=",
    as_read=True,
)
def theorem_4_10() -> Sides:
    """The lower bound of the generalization gain, with alpha = H(S_anchor|W') / H(S_anchor|W).

    Here epsilon_W_p = H(S_anchor|W) - H(S_anchor|M(p)), as we read it. Writing everything out, the bound holds
    exactly where delta_I + I(S_anchor, M(p)) <= H(S_gen): a curation that merges outputs breaks it.
    """
    return GGMI, BOUND_4_10, GGMI_TERMS


# What is true instead.


@corrected("eq17-corrected", eq17, "H(S_gen) <= H(M(p)) + H(S_gen|M(p))")
def eq17_corrected() -> Sides:
    """Proof: H(S_gen) <= H(S_gen, M(p)) = H(M(p)) + H(S_gen|M(p)); the last term is at most the noise's entropy."""
    return entropy("S_gen"), entropy("M") + conditional("S_gen", "M")


@corrected("eq18-corrected", eq18, "I(S_gen, W) <= I(M(p), W) + I(S_gen; W | M(p))")
def eq18_corrected() -> Sides:
    """Proof: I(S_gen, W) <= I((M(p), S_gen), W) = I(M(p), W) + I(S_gen; W | M(p)), with equality in the chain."""
    return information("S_gen", "W"), information("M", "W") + NOISE_LEARNT


@corrected("eq22-corrected", eq22, "H(h + g | W) >= H(h|W) + H(g|W) - I(h; g | W) - H(h, g | M(p), W)")
def eq22_corrected() -> Sides:
    """Proof: H(M|W) = H(h, g|W) - H(h, g|M, W) since M is a function of (h, g).

    And H(h, g|W) = H(h|W) + H(g|W) - I(h; g|W). The two sides are equal.
    """
    lost = information("h", "g", "W") + conditional(("h", "g"), ("M", "W"))
    return conditional("M", "W"), conditional("h", "W") + conditional("g", "W") - lost


@corrected("eq23-corrected", eq23, "I(h + g, W) <= I(h, W) + I(g, W) + I(h; g | W) - I(h; g)")
def eq23_corrected() -> Sides:
    """Proof: I(h + g, W) <= I((h, g), W) = H(h, g) - H(h, g|W), and each entropy splits.

    H(h, g) = H(h) + H(g) - I(h; g) and H(h, g|W) = H(h|W) + H(g|W) - I(h; g|W). For independent
    factors the last term vanishes.
    """
    return information("M", "W"), information("h", "W") + information("g", "W") + CREATED_OUTPUTS


@corrected(
    "eq25-independent",
    eq25,
    "I(S_gen, W) <= B_syn + I(e_p; e_M | W)",
    INDEPENDENT,
    DETERMINISTIC_CURATION,
)
def eq25_independent() -> Sides:
    """For independent factors and a curation without noise of its own; h and g are arbitrary.

    Proof: S_gen is a function of (e_p, e_M), so I(S_gen, W) <= I((e_p, e_M), W). That is
    I(e_p, W) + I(e_M, W) + I(e_p; e_M | W) - I(e_p; e_M) by the chain rule, and the last term is
    zero. If S_gen has noise of its own the first step fails: a learner can store the noise, and
    I(S_gen; W | M(p)) must be added (see eq25-corrected).
    """
    return information("S_gen", "W"), B_SYN + information("e_p", "e_M", "W"), FLOW


@corrected("eq25-corrected", eq25, "I(S_gen, W) <= B_syn + I(e_p; e_M | W) - I(e_p; e_M) + I(S_gen; W | M(p))")
def eq25_corrected() -> Sides:
    """Without any assumption on factors, h, g or curation.

    Proof: I(S_gen, W) = I(M(p), W) + I(S_gen; W | M(p)) (eq18-corrected, an equality in the chain
    M(p) -> S_gen -> W). Since M(p) is a function of (e_p, e_M), I(M(p), W) <= I((e_p, e_M), W) =
    B_syn + I(e_p; e_M | W) - I(e_p; e_M). The last term is at most H(S_gen|M(p)).
    """
    return information("S_gen", "W"), B_SYN + CREATED + NOISE_LEARNT, FLOW


@corrected(
    "lemma4.5-corrected",
    lemma_4_5,
    "I(S_gen, W) <= -delta_I + B_syn + H(e_M) + delta + I(e_p; e_M | W) - I(e_p; e_M) + I(S_gen; W | M(p))",
)
def lemma_4_5_corrected() -> Sides:
    """Proof: eq25-corrected, and the added -delta_I + H(e_M) + delta is non-negative by (28)."""
    return information("S_gen", "W"), BOUND_4_5 + CREATED + NOISE_LEARNT, LAMBDA_FLOW


@corrected("eq32-corrected", eq32, "I(S_anchor, M(p)) <= I(h(e_p), M(p)) + I(e_p; M(p) | h(e_p))")
def eq32_corrected() -> Sides:
    """Proof: S_anchor -> e_p -> M(p), so the left side is at most I(e_p, M(p)), which splits by the chain rule."""
    return information("S_anchor", "M"), information("h", "M") + information("e_p", "M", "h")


@corrected("eq33-corrected", eq33, "H(M(p)) <= H(S_gen) + H(M(p)|S_gen)")
def eq33_corrected() -> Sides:
    """Proof: H(M(p)) <= H(M(p), S_gen)."""
    return entropy("M"), entropy("S_gen") + conditional("M", "S_gen")


@corrected("eq34-corrected", eq34, "delta_I + I(S_anchor, M(p)) <= H(S_gen) + H(M(p)|S_gen) + I(e_p; M(p) | h(e_p))")
def eq34_corrected() -> Sides:
    """Proof: the left side is H(M(p)) - I(h, M(p)) + I(S_anchor, M(p)); use eq32-corrected and eq33-corrected."""
    right = entropy("S_gen") + conditional("M", "S_gen") + information("e_p", "M", "h")
    return DELTA_I + information("S_anchor", "M"), right


@corrected(
    "theorem4.10-corrected",
    theorem_4_10,
    "GGMI >= bound of (10) - H(M(p)|S_gen) - I(e_p; M(p) | h(e_p))",
    ALPHA_EXISTS,
)
def theorem_4_10_corrected() -> Sides:
    """What curation destroys, and what e_M knows of the prompt, has to be paid.

    Proof: GGMI minus the bound of (10) is H(S_gen) - delta_I - I(S_anchor, M(p)); by
    eq34-corrected this is at least -H(M(p)|S_gen) - I(e_p; M(p) | h(e_p)). For independent factors
    the last term is zero, and without merging curation both are.
    """
    paid = conditional("M", "S_gen") + information("e_p", "M", "h")
    return GGMI, BOUND_4_10 - paid, GGMI_TERMS
