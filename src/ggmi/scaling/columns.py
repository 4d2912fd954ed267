"""Which column of a file says what: named by a person, or recognised."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

from ggmi.errors import UserError, did_you_mean

# Names that are recognised, the surest first.
NAMES = {
    "problem": (*("problem_id", "question_id", "task_id", "doc_id", "unique_id", "problem", "question", "prompt"),),
    "answer": ("predicted_answer", "extracted_answer", "final_answer", "answer", "prediction", "pred"),
    "correct": ("correct", "is_correct", "exact_match", "passed", "acc"),
    "reference": ("reference", "expected_answer", "ground_truth", "gold", "target"),
    "tokens": ("tokens", "num_generated_tokens", "completion_tokens", "output_tokens", "num_tokens"),
    "text": ("text", "generation", "completion", "response", "output", "solution"),
}
SCORES, SCORE_ENDS = ("score", "reward", "orm", "prm"), ("_score", "_reward")
# Columns of lm-evaluation-harness's sample logs.
DOCUMENT, FILTER, TARGET, RESPONSES, FILTERED = "doc_id", "filter", "target", "resps", "filtered_resps"
METRICS = ("exact_match", "acc", "math_verify", "pass@1")


@dataclass(frozen=True)
class Columns:
    """Names of the columns that say what; None or empty where there is none.

    Parameters
    ----------
    problem
        Which problem was asked.
    answer
        What a sample answers.
    text
        The sample's text, from which an answer is extracted.
    correct
        Whether it is right.
    reference
        The problem's right answer.
    tokens
        Tokens that were generated.
    scores
        What verifiers gave it.
    """

    problem: str | None = None
    answer: str | None = None
    text: str | None = None
    correct: str | None = None
    reference: str | None = None
    tokens: str | None = None
    scores: tuple[str, ...] = ()

    @property
    def named(self) -> list[str]:
        """All that are known."""
        single = [getattr(self, name) for name in NAMES]
        return list(dict.fromkeys([column for column in single if column] + list(self.scores)))


def is_harness(names: Sequence[str]) -> bool:
    """Whether these are the columns of a sample log of lm-evaluation-harness."""
    return DOCUMENT in names and RESPONSES in names


def resolved(asked: Columns, names: Sequence[str], source: str) -> Columns:
    """What a person named, and what is recognised of the rest.

    Parameters
    ----------
    asked
        Columns that are named.
    names
        Columns that the file has.
    source
        The file, for messages.

    Raises
    ------
    UserError
        If a column that is named is not there, or too little is known of the samples.
    """
    for field in fields(Columns):
        wanted = getattr(asked, field.name)
        for column in wanted if isinstance(wanted, tuple) else (wanted,):
            if column is not None and column not in names:
                option = field.name.removesuffix("s") if field.name == "scores" else field.name
                raise UserError(f"--{option}: {source} has no column {column!r}; {did_you_mean(column, names)}")
    logged = is_harness(names)
    if logged and asked.problem is None and (asked.answer or asked.text):
        raise UserError(
            f"--{'answer' if asked.answer else 'text'}: {source} is a sample log, whose texts are in {RESPONSES!r} and "
            f"answers in {FILTERED!r}; --problem reads it as any other table"
        )
    found: dict[str, str | None] = {}
    taken = set(asked.named)
    for name, known in NAMES.items():
        if logged and asked.problem is None:
            known = {"problem": (DOCUMENT,), "correct": METRICS, "reference": (TARGET,)}.get(name, ())
        found[name] = getattr(asked, name) or next((one for one in known if one in names and one not in taken), None)
    if asked.reference and not asked.correct:
        # Who names right answers wants them compared, whatever else the file says.
        found["correct"] = None
    scores = asked.scores or tuple(
        name for name in names if name not in taken and (name in SCORES or name.endswith(SCORE_ENDS))
    )
    columns = Columns(**found, scores=scores)
    if columns.problem is None:
        raise UserError(
            f"{source}: no column is known to name the problem; name it with --problem, one of {', '.join(names)}"
        )
    if columns.correct is None and columns.reference is None:
        raise UserError(
            f"{source}: nothing says which samples are right; name a column with --correct, or with --reference "
            f"one of right answers, among {', '.join(names)}"
        )
    if columns.correct is None and not logged and columns.answer is None and columns.text is None:
        raise UserError(
            f"{source}: there is nothing to compare {columns.reference!r} with; name --answer, or --text and --extract"
        )
    return columns
