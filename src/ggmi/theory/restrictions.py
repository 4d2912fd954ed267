"""The published forms under the weakest extra assumption we found, with proofs.

Most are exact: what a statement lacks is a term of known form, the assumption says that this term
does no harm, and wherever it does the statement fails. Simple cases in words come with each.
"""

from __future__ import annotations

from ggmi.theory.statement import at_most_zero, restricted
from ggmi.theory.statements import (
    B_SYN,
    BOUND_4_5,
    CREATED,
    CREATED_OUTPUTS,
    NOISE_LEARNT,
    eq17,
    eq18,
    eq22,
    eq23,
    eq25,
    eq32,
    eq33,
    eq34,
    lemma_4_5,
    theorem_4_10,
)
from ggmi.theory.terms import conditional, information

KNOWN_TWICE = conditional("S_gen", "M") - conditional("M", "S_gen")
PAST_H = information("e_p", "M", "h") - information("e_p", "M", "S_anchor")
NOTHING_CREATED = "I(e_p; e_M | W) <= I(e_p; e_M) (training creates no dependence of the factors)"
SCREENED_CHAIN = f"{NOTHING_CREATED} and S_gen is a function of M(p)"
INDEPENDENT_AND_KEPT = "e_p and e_M are independent and S_gen is M(p) plus independent noise, or M(p) itself"

restricted(
    "eq17-restricted",
    eq17,
    at_most_zero("H(S_gen|M(p)) <= H(M(p)|S_gen)", KNOWN_TWICE),
    proof="""H(S_gen) - H(M(p)) = H(S_gen|M(p)) - H(M(p)|S_gen), both being the joint entropy less one of the two.
    The first term is zero if S_gen is a function of M(p).""",
    necessary=True,
    instances="S_gen is a function of M(p)",
)
restricted(
    "eq18-restricted",
    eq18,
    at_most_zero("I(S_gen; W | M(p)) = 0", NOISE_LEARNT),
    proof="""I(S_gen, W) - I(M(p), W) = I(S_gen; W | M(p)) in the chain M(p) -> S_gen -> W (eq18-corrected), which is
    never negative. It is zero if S_gen is a function of M(p), or if W ignores the noise.""",
    necessary=True,
    instances="S_gen is a function of M(p)",
)
restricted(
    "eq22-restricted",
    eq22,
    at_most_zero("I(h; g | W) = 0", information("h", "g", "W")),
    at_most_zero(
        "H(h, g | M(p), W) = 0 (the sum tells its summands)",
        conditional(("h", "g"), ("M", "W")),
    ),
    proof="eq22-corrected is an equality, and neither of its two subtracted terms is ever negative.",
    necessary=True,
    instances="h(e_p) or g(e_M) does not vary",
)
restricted(
    "eq23-restricted",
    eq23,
    at_most_zero("I(h; g | W) <= I(h; g)", CREATED_OUTPUTS),
    proof="""eq23-corrected is an equality: M(p) is a function of (h, g) and (h, g) -> M(p) -> W is a chain, so
    I(M(p), W) = I((h, g), W).""",
    necessary=True,
    instances="W is made of one part seen from h(e_p) and one seen from g(e_M), and these two are independent",
)
restricted(
    "eq25-restricted",
    eq25,
    at_most_zero("I(e_p; e_M | W) + I(S_gen; W | M(p)) <= I(e_p; e_M)", CREATED + NOISE_LEARNT),
    proof="""eq25-corrected is an equality: the one inequality of its proof, I(M(p), W) <= I((e_p, e_M), W), is one
    too, because (e_p, e_M) -> M(p) -> W is a chain and M(p) a function of the factors.""",
    necessary=True,
    instances=SCREENED_CHAIN,
)
FLOW_COVERED = at_most_zero(
    "I(e_p; e_M | W) - I(e_p; e_M) + I(S_gen; W | M(p)) <= H(e_M) + delta - delta_I",
    CREATED + NOISE_LEARNT + B_SYN - BOUND_4_5,
)
restricted(
    "lemma4.5-restricted",
    lemma_4_5,
    FLOW_COVERED,
    proof="""I(S_gen, W) - B_syn is the left side of the condition (eq25-corrected is an equality, see
    eq25-restricted), and the lemma's right side is B_syn plus the right side of the condition. By (28) that
    is never negative, so it is enough that the left side is not positive.""",
    necessary=True,
    instances=SCREENED_CHAIN,
)
restricted(
    "eq32-restricted",
    eq32,
    at_most_zero("I(e_p; M(p) | h(e_p)) <= I(e_p; M(p) | S_anchor)", PAST_H),
    proof="""h is a function of e_p, so I(e_p, M(p)) = I(h, M(p)) + I(e_p; M(p) | h); and S_anchor -> e_p -> M(p) is
    a chain, so I(e_p, M(p)) = I(S_anchor, M(p)) + I(e_p; M(p) | S_anchor). Subtract. The condition's left
    side is zero if the factors are independent, because then e_p -> h(e_p) -> M(p) is a chain, and if h is
    one-to-one.""",
    necessary=True,
    instances="e_p and e_M are independent, or h is one-to-one",
)
restricted(
    "eq33-restricted",
    eq33,
    at_most_zero("H(M(p)|S_gen) <= H(S_gen|M(p))", -KNOWN_TWICE),
    proof="""As eq17-restricted, with the sides exchanged. It is met by independent noise that is added: H(S_gen) >=
    H(M(p) + noise | noise) = H(M(p)).""",
    necessary=True,
    instances="S_gen is M(p) plus independent noise, or M(p) itself",
)
NOTHING_LOST = at_most_zero(
    "H(M(p)|S_gen) + I(e_p; M(p) | h(e_p)) <= H(S_gen|M(p)) + I(e_p; M(p) | S_anchor)", PAST_H - KNOWN_TWICE
)
restricted(
    "eq34-restricted",
    eq34,
    NOTHING_LOST,
    proof="""delta_I + I(S_anchor, M(p)) - H(S_gen) = [H(M(p)) - H(S_gen)] + [I(S_anchor, M(p)) - I(h, M(p))], and
    the proofs of eq33-restricted and eq32-restricted give the brackets as H(M(p)|S_gen) - H(S_gen|M(p)) and
    I(e_p; M(p) | h) - I(e_p; M(p) | S_anchor).""",
    necessary=True,
    instances=INDEPENDENT_AND_KEPT,
)
restricted(
    "theorem4.10-restricted",
    theorem_4_10,
    NOTHING_LOST,
    proof="Where alpha exists, the bound is missed by exactly what (34) is missed by; see eq34-restricted.",
    necessary=True,
    instances=INDEPENDENT_AND_KEPT,
)
