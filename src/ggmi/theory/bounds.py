"""The paper's bounds on risks: Lemma 3.1, the mutual-information bound, Lemmas 4.4, 4.6, 4.8, Theorem 4.7.

The loss of a world is bounded by C and sigma-sub-Gaussian by Hoeffding's lemma (sigma = C/2 for
losses in [0, C], sigma = C for losses in [-C, C]). Risks are averaged over the joint law of data and
parameters; a training set is n independent examples, and total variation is that of one. The factor
exp(-(L/2) log(1/eta)) of L contracting layers is the square root of eta^L, the world's `contraction`.
"""

from __future__ import annotations

from ggmi.theory.restrictions import FLOW_COVERED, SCREENED_CHAIN
from ggmi.theory.statement import (
    LAMBDA_EXISTS,
    LAYERED,
    LAYERED_ANCHOR,
    LOSS_GIVEN,
    LOSS_UNSIGNED,
    SHARED_VALUES,
    SUBGAUSSIAN,
    Sides,
    corrected,
    published,
    restricted,
)
from ggmi.theory.statements import B_SYN, BOUND_4_5, CREATED, FLOW, LAMBDA_FLOW, NOISE_LEARNT
from ggmi.theory.terms import (
    Term,
    absolute,
    information,
    number,
    parameter,
    risk,
    sqrt,
    training_risk,
    variation,
)

C = parameter("C")
TASK = variation("S_anchor", "M")
GENERATION = variation("M", "S_gen")
GAP = absolute(risk("S_gen") - training_risk("S_gen"))
CORRECTED_FLOW = B_SYN + CREATED + NOISE_LEARNT


def _flow_bound(flow: Term, layers: bool = True) -> Term:
    """The square root of 2 sigma^2 eta^L flow / n."""
    scale = number(2) * parameter("sigma") * parameter("sigma") * parameter("1/n")
    return sqrt(scale * parameter("contraction") * flow if layers else scale * flow)


def _doubled(term: Term) -> Term:
    return number(2) * term


@published(
    "eq14", "appendix C, (14)", "|R_D(pi) - R_D_M(pi)| <= C D_TV(D, D_M)", LOSS_UNSIGNED, SHARED_VALUES, as_read=True
)
def eq14() -> Sides:
    """Change of the data law from task to generator, for a loss in [0, C].

    Proof: the difference of two expectations is at most the loss's oscillation times the total
    variation distance, which is half the L1 norm.
    """
    return absolute(risk("S_anchor") - risk("M")), C * TASK, {"D_TV(D, D_M)": TASK}


@published(
    "eq15",
    "appendix C, (15)",
    "|R_D_M(pi) - R_D_gen(pi)| <= C D_TV(D_M, D_gen)",
    LOSS_UNSIGNED,
    SHARED_VALUES,
    as_read=True,
)
def eq15() -> Sides:
    """Change of the data law from generator to synthetic data. Proof: as (14)."""
    return absolute(risk("M") - risk("S_gen")), C * GENERATION, {"D_TV(D_M, D_gen)": GENERATION}


RISKS: dict[str, Term] = {
    "R_D(pi)": risk("S_anchor"),
    "R_D_M(pi)": risk("M"),
    "R_D_gen(pi)": risk("S_gen"),
    "training risk": training_risk("S_gen"),
    "D_TV(D, D_M)": TASK,
    "D_TV(D_M, D_gen)": GENERATION,
}


@published(
    "lemma3.1",
    "Lemma 3.1, (1)",
    "|Err(pi)| <= C (D_TV(D, D_M) + D_TV(D_M, D_gen)) + |R_D_gen(pi) - R_S_gen(pi)|",
    LOSS_UNSIGNED,
    SHARED_VALUES,
)
def lemma_3_1() -> Sides:
    """The error Err = R_D(pi) - R_S_gen(pi), for a loss in [0, C].

    Proof: (14), (15) and the triangle inequality.
    """
    return absolute(risk("S_anchor") - training_risk("S_gen")), C * (TASK + GENERATION) + GAP, RISKS


# The same three with "bounded by C" read as |loss| <= C, which allows twice the oscillation.


@published(
    "eq14-signed",
    "appendix C, (14), with |loss| <= C",
    "|R_D(pi) - R_D_M(pi)| <= C D_TV(D, D_M)",
    LOSS_GIVEN,
    SHARED_VALUES,
    as_read=True,
    rereads="eq14",
)
def eq14_signed() -> Sides:
    """A loss in [-C, C] oscillates by 2C, so the constant is too small by a factor of two."""
    return eq14.left, eq14.right, eq14.terms


@published(
    "eq15-signed",
    "appendix C, (15), with |loss| <= C",
    "|R_D_M(pi) - R_D_gen(pi)| <= C D_TV(D_M, D_gen)",
    LOSS_GIVEN,
    SHARED_VALUES,
    as_read=True,
    rereads="eq15",
)
def eq15_signed() -> Sides:
    """As (14) with |loss| <= C."""
    return eq15.left, eq15.right, eq15.terms


@published(
    "lemma3.1-signed",
    "Lemma 3.1, (1), with |loss| <= C",
    "|Err(pi)| <= C (D_TV(D, D_M) + D_TV(D_M, D_gen)) + |R_D_gen(pi) - R_S_gen(pi)|",
    LOSS_GIVEN,
    SHARED_VALUES,
    as_read=True,
    rereads="lemma3.1",
)
def lemma_3_1_signed() -> Sides:
    """As (14) with |loss| <= C."""
    return lemma_3_1.left, lemma_3_1.right, lemma_3_1.terms


@published(
    "eq12",
    "appendix, (12)",
    "|E[R(W) - R_S(W)]| <= sqrt(2 sigma^2 I(S_gen, W) / n)",
    SUBGAUSSIAN,
    as_read=True,
)
def eq12() -> Sides:
    """The mutual-information bound of Xu and Raginsky (2017, Theorem 1).

    Proof: for each of n independent examples the Donsker-Varadhan formula and the sub-Gaussian
    loss give a gap of at most sqrt(2 sigma^2 I(z_i, W)). Average, use concavity of the root, and
    sum_i I(z_i, W) <= I(S_gen, W) for independent examples.
    """
    return GAP, _flow_bound(information("S_gen", "W"), layers=False)


@published(
    "lemma4.4",
    "Lemma 4.4",
    "E[R(W) - R_S(W)] <= exp(-(L/2) log(1/eta)) sqrt(2 sigma^2 I(S_gen, W) / n)",
    LAYERED,
    as_read=True,
)
def lemma_4_4() -> Sides:
    """The same with L contracting layers (Zhang, Liu and Tao 2018).

    Proof, for layers that act independently of W: apply (12) to the last layer's values t_i; the
    strong data-processing inequality gives I(t_i, W) <= eta^L I(z_i, W), eta being the layers'
    Dobrushin coefficient. A layer that loses nothing has eta = 1.
    """
    return GAP, _flow_bound(information("S_gen", "W"))


@published(
    "lemma4.8",
    "Lemma 4.8",
    "E[R(W') - R_S(W')] <= exp(-(L/2) log(1/eta)) sqrt(2 sigma^2 I(S_anchor, W') / n)",
    LAYERED_ANCHOR,
    as_read=True,
)
def lemma_4_8() -> Sides:
    """Lemma 4.4 for a student trained on the anchor data; same proof."""
    gap = absolute(risk("S_anchor", "W'") - training_risk("S_anchor", "W'"))
    return gap, _flow_bound(information("S_anchor", "W'"))


@published(
    "lemma4.6",
    "Lemma 4.6",
    "E[R(W) - R_S(W)] <= exp(-(L/2) log(1/eta)) sqrt(2 sigma^2 (-delta_I + B_syn + H(e_M) + delta) / n)",
    LAYERED,
    LAMBDA_EXISTS,
    as_read=True,
)
def lemma_4_6() -> Sides:
    """Lemma 4.4 with Lemma 4.5 put in; inherits the failure of Lemma 4.5."""
    return GAP, _flow_bound(BOUND_4_5), LAMBDA_FLOW


@published(
    "theorem4.7",
    "Theorem 4.7, (7)",
    "E[Err(pi)] <= C (D_TV(D, D_M) + D_TV(D_M, D_gen)) + bound of Lemma 4.6",
    LAYERED,
    LOSS_UNSIGNED,
    SHARED_VALUES,
    LAMBDA_EXISTS,
    as_read=True,
)
def theorem_4_7() -> Sides:
    """Lemma 3.1 with Lemma 4.6 put in; inherits the failure of Lemma 4.5."""
    left = absolute(risk("S_anchor") - training_risk("S_gen"))
    return left, C * (TASK + GENERATION) + _flow_bound(BOUND_4_5), {**RISKS, **LAMBDA_FLOW}


@corrected("eq14-corrected", eq14_signed, "|R_D(pi) - R_D_M(pi)| <= 2 C D_TV(D, D_M)", LOSS_GIVEN, SHARED_VALUES)
def eq14_corrected() -> Sides:
    """Proof: subtract the middle of the loss's range; what is left is at most C in size, and sum |p - q| = 2 D_TV."""
    return absolute(risk("S_anchor") - risk("M")), _doubled(C * TASK)


@corrected(
    "eq15-corrected", eq15_signed, "|R_D_M(pi) - R_D_gen(pi)| <= 2 C D_TV(D_M, D_gen)", LOSS_GIVEN, SHARED_VALUES
)
def eq15_corrected() -> Sides:
    """Proof: as eq14-corrected."""
    return absolute(risk("M") - risk("S_gen")), _doubled(C * GENERATION)


@corrected(
    "lemma3.1-corrected",
    lemma_3_1_signed,
    "|Err(pi)| <= 2 C (D_TV(D, D_M) + D_TV(D_M, D_gen)) + |R_D_gen(pi) - R_S_gen(pi)|",
    LOSS_GIVEN,
    SHARED_VALUES,
)
def lemma_3_1_corrected() -> Sides:
    """Proof: the triangle inequality with eq14-corrected and eq15-corrected."""
    return absolute(risk("S_anchor") - training_risk("S_gen")), _doubled(C * (TASK + GENERATION)) + GAP, RISKS


@corrected(
    "lemma4.6-corrected",
    lemma_4_6,
    "E[R(W) - R_S(W)] <= eta^(L/2) sqrt(2 sigma^2 (B_syn + I(e_p; e_M|W) - I(e_p; e_M) + I(S_gen; W|M(p))) / n)",
    LAYERED,
)
def lemma_4_6_corrected() -> Sides:
    """Proof: Lemma 4.4 with eq25-corrected.

    For independent factors and a curation that is a function, the flow is B_syn + I(e_p; e_M | W).
    """
    return GAP, _flow_bound(CORRECTED_FLOW), FLOW


@corrected(
    "theorem4.7-corrected",
    theorem_4_7,
    "E[Err(pi)] <= C (D_TV(D, D_M) + D_TV(D_M, D_gen)) + bound of lemma4.6-corrected",
    LAYERED,
    LOSS_UNSIGNED,
    SHARED_VALUES,
)
def theorem_4_7_corrected() -> Sides:
    """Proof: Lemma 3.1, which holds for 0 <= loss <= C, with lemma4.6-corrected."""
    left = absolute(risk("S_anchor") - training_risk("S_gen"))
    return left, C * (TASK + GENERATION) + _flow_bound(CORRECTED_FLOW), {**RISKS, **FLOW}


for _statement in (eq14_signed, eq15_signed, lemma_3_1_signed):
    restricted(
        _statement.key.replace("signed", "restricted"),
        _statement,
        LOSS_UNSIGNED,
        proof="A loss in [0, C] oscillates by at most C.",
    )
restricted(
    "lemma4.6-restricted",
    lemma_4_6,
    FLOW_COVERED,
    proof="Lemma 4.4 with lemma4.5-restricted.",
    instances=SCREENED_CHAIN,
)
restricted(
    "theorem4.7-restricted",
    theorem_4_7,
    FLOW_COVERED,
    proof="Lemma 3.1 with lemma4.6-restricted.",
    instances=SCREENED_CHAIN,
)
