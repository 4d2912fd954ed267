"""What to do with one's data, in four sentences: which way the verdicts of the studies lean, and their counts."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from ggmi.reporting.text import listed

SUPPORTED, CONTRADICTED, UNDECIDED = "supported", "contradicted", "undecided"
# A question: the study and claim that speak to it, and what follows where more settings support it, contradict
# it, or neither.
QUESTIONS = (
    (
        "language",
        "Large sets dilute: fine-tuning on few records is better than on all",
        {
            SUPPORTED: "Fine-tune on few records rather than on all",
            CONTRADICTED: "Fine-tune on all records that you have, not on few",
            UNDECIDED: "Whether few records or all are better for fine-tuning, measure on your own",
        },
    ),
    (
        "language",
        "For fine-tuning the hardest records are better than others, as many of them",
        {
            SUPPORTED: "Choose the hardest for it if you must choose",
            CONTRADICTED: "Do not choose the hardest for it",
            UNDECIDED: "Whether the hardest are the better choice is open",
        },
    ),
    (
        "language",
        "For reinforcement the hardest records are worse than others, as many of them",
        {
            SUPPORTED: "For reinforcement leave out what the model hardly ever gets right",
            CONTRADICTED: "For reinforcement keep the hardest records",
            UNDECIDED: "Which records reinforcement wants is open",
        },
    ),
    (
        "data_quality",
        "At equal trace the data aligned with the shift are best",
        {
            SUPPORTED: "Look for data where your test differs from what the model has seen",
            CONTRADICTED: "That data lie where the test differs from what the model has seen is not enough",
            UNDECIDED: "Whether data that lie where the test differs are best is open",
        },
    ),
)


def advice(papers: Mapping[str, pd.DataFrame]) -> list[str]:
    """Answer which data, how much and how hard, a sentence a question with how often the studies say so.

    Parameters
    ----------
    papers
        Claims by study; questions on studies that are not there are left out.

    Examples
    --------
    >>> claims = pd.DataFrame({"claim": [QUESTIONS[0][1]] * 3, "verdict": [CONTRADICTED, CONTRADICTED, UNDECIDED]})
    >>> (said,) = advice({"language": claims})
    >>> said.partition(" (")[0], said[-40:]
    ('Fine-tune on all records that you have, not on few', 'n all”: 2 contradicted and 1 undecided).')
    """
    said = []
    for study, claim, answers in QUESTIONS:
        if study not in papers:
            continue
        verdicts = papers[study].loc[papers[study]["claim"] == claim, "verdict"]
        counts = {word: int((verdicts == word).sum()) for word in (SUPPORTED, CONTRADICTED, UNDECIDED)}
        lean = counts[SUPPORTED] - counts[CONTRADICTED]
        answer = SUPPORTED if lean > 0 else CONTRADICTED if lean < 0 else UNDECIDED
        found = listed([f"{count} {word}" for word, count in counts.items() if count])
        if len(verdicts):
            said.append(f"{answers[answer]} (“{claim}”: {found}).")
    return said
