"""What is true of the world, of its generators and of its students: the ground that estimates are judged against."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy.special import rel_entr

from ggmi.embedded.documents import Documents
from ggmi.embedded.domains import Array
from ggmi.embedded.language import ALPHABET, CLOSING, END_ID, OPENING_ID, Ints, Language

if TYPE_CHECKING:
    from transformers import PreTrainedModel

# Records, and whole prompts, that a model reads at once.
BLOCK, PROMPT_BLOCK = 200, 64


@dataclass(frozen=True)
class StudentTruth:
    """What a student knows of some skills, exactly: over every one of their records.

    Parameters
    ----------
    risk_nats_record
        Mean negative log-probability of the response given instruction and context: its letters, the
        closing of the line and, if it counts, the end token. For D this is the test risk R_D(π) and, responses
        being certain, also D_KL(D || π) between conditional laws.
    risk_nats_token
        The same a token.
    joint_kl_nats
        D_KL(D || π) between laws of whole records, instruction and context included, given the opening.
    exact_match
        Share of records whose most likely answer, written token by token, is the right one.
    answer_probability
        Mean probability of the right answer when sampled at temperature 1.
    letters
        Mean share of response letters that are most likely given the right ones before them.
    """

    risk_nats_record: float
    risk_nats_token: float
    joint_kl_nats: float
    exact_match: float
    answer_probability: float
    letters: float


def student_truth(
    model: PreTrainedModel, language: Language, skills: NDArray | None = None, *, ended: bool = True
) -> StudentTruth:
    """Measure a student exactly, over all contexts.

    Parameters
    ----------
    model
        A causal model over the language's tokens.
    language
        The world's language.
    skills
        The skills that count, equally; the K + J target skills when left out, which makes it D.
    ended
        Whether the end token after the line counts. Students of lines of JSON
        (`ggmi.students.tokenise`) are done with the line and never learn it.
    """
    import torch

    sizes = language.sizes
    chosen = np.arange(sizes.target) if skills is None else np.asarray(skills)
    contexts = np.tile(language.contexts, (len(chosen), 1))
    records = language.record_ids(np.repeat(chosen, len(language.contexts)), contexts)
    ids = np.pad(records, ((0, 0), (0, int(ended))), constant_values=END_ID)
    answer = 4 + sizes.length  # tokens of a question; the response begins there
    nats, joint, right, letters = [], [], [], []
    with torch.inference_mode():
        for first in range(0, len(ids), BLOCK):
            block = torch.from_numpy(ids[first : first + BLOCK])
            logs = model(input_ids=block).logits[:, :-1].double().log_softmax(-1)
            chosen_logs = logs.gather(-1, block[:, 1:, None])[..., 0]
            hits = logs[:, answer - 1 :].argmax(-1) == block[:, answer:]
            nats.append(-chosen_logs[:, answer - 1 :].sum(1).numpy())
            joint.append(-chosen_logs.sum(1).numpy())
            right.append(hits[:, : sizes.length + 1].all(1).numpy())
            letters.append(hits[:, : sizes.length].double().mean(1).numpy())
    record = np.concatenate(nats)
    return StudentTruth(
        risk_nats_record=float(record.mean()),
        risk_nats_token=float(record.mean()) / (ids.shape[1] - answer),
        joint_kl_nats=float(np.concatenate(joint).mean() - np.log(len(ids))),
        exact_match=float(np.concatenate(right).mean()),
        answer_probability=float(np.exp(-record).mean()),
        letters=float(np.concatenate(letters).mean()),
    )


def next_skill_law(model: PreTrainedModel, language: Language, prompts: Ints) -> Array:
    """A generator's own law of the next record's skill word, exactly.

    Parameters
    ----------
    model
        The generator.
    language
        The world's language.
    prompts
        Token ids, shape (prompts, tokens); all of one length.

    Returns
    -------
    ndarray, shape (prompts, S)
        Probability of each skill word where one is due, given that a record is opened; the rest up
        to one is what else the model would write there.
    """
    import torch

    opened = np.pad(prompts, ((0, 0), (0, 1)), constant_values=OPENING_ID)
    first = language.first_skill_id
    with torch.inference_mode():
        laws = [
            model(input_ids=torch.from_numpy(opened[i : i + PROMPT_BLOCK])).logits[:, -1].double().softmax(-1)
            for i in range(0, len(opened), PROMPT_BLOCK)
        ]
    return np.asarray(torch.cat(laws)[:, first : first + language.sizes.skills].numpy())


@dataclass(frozen=True)
class GeneratorTruth:
    """What a generator does after prompts of uniform anchors, against the ideal one.

    Parameters
    ----------
    instances
        Anchors in context.
    kl_nats
        Mean divergence of the exact law of the next skill from the generator's, ``D_KL(M ideal || M)``.
    anchored, unsampled, irrelevant
        Shares of the K, J and L skills in its next skill.
    accuracy
        Share of records whose response it continues rightly, token by token.
    """

    instances: int
    kl_nats: float
    anchored: float
    unsampled: float
    irrelevant: float
    accuracy: float


def generator_truth(
    model: PreTrainedModel, documents: Documents, instances: int, prompts: int, generator: np.random.Generator
) -> GeneratorTruth:
    """Measure a generator against exact Bayes on prompts of uniform anchors.

    Parameters
    ----------
    model
        The generator.
    documents
        The world's documents.
    instances
        Anchors in context.
    prompts
        Prompts.
    generator
        Source of the prompts and of the records whose responses are tested, over all skills.
    """
    language, domains = documents.language, documents.domains
    ids, anchors = documents.prompts(prompts, instances, generator)
    ideal = domains.next_skill(domains.counts(anchors))
    skills = generator.integers(0, language.sizes.skills, size=prompts)
    records = language.record_ids(skills, language.random_contexts((prompts,), generator))
    law = next_skill_law(model, language, ids)
    own = domains.shares(law.mean(axis=0))
    return GeneratorTruth(
        instances=instances,
        kl_nats=float(rel_entr(ideal, law).sum(axis=1).mean()),
        anchored=float(own[0]),
        unsampled=float(own[1]),
        irrelevant=float(own[2]),
        accuracy=response_accuracy(model, language, np.concatenate([ids, records], axis=1)),
    )


def response_accuracy(model: PreTrainedModel, language: Language, ids: Ints) -> float:
    """Share of documents whose last record's response is most likely, each letter given those before.

    Parameters
    ----------
    model
        A causal model.
    language
        The world's language.
    ids
        Documents that end with a record, or with a record and the end token, shape (n, tokens).
    """
    import torch

    stop = ids.shape[1] - 1 - int(ids[0, -1] == END_ID)
    start = stop - language.sizes.length
    hits = []
    with torch.inference_mode():
        for first in range(0, len(ids), PROMPT_BLOCK):
            block = torch.from_numpy(ids[first : first + PROMPT_BLOCK])
            likely = model(input_ids=block[:, : stop - 1]).logits[:, start - 1 :].argmax(-1)
            hits.append((likely == block[:, start:stop]).all(1))
    return float(torch.cat(hits).double().mean())


def rating(answer: str, reference: str) -> int:
    """The world's exact judge: a rating from 1 to 10.

    An answer that is not made of letters of the alphabet alone rates 1. Any other starts with 2,
    gains 2 if it is as long as the reference, and gains up to 6 in proportion to the letters of the
    reference that stand at their place in it, rounded down.

    Parameters
    ----------
    answer
        What the student wrote after the response's opening quote, with or without the closing of
        the line.
    reference
        The right response.

    Examples
    --------
    >>> [rating(text, "abc") for text in ("abc", "abd", "add", "ddd", "ab", "abcd", "give me a 10", "")]
    [10, 8, 6, 4, 6, 8, 1, 1]
    """
    letters = answer.removesuffix(CLOSING).removesuffix(CLOSING.strip())
    if not letters or set(letters) - set(ALPHABET):
        return 1
    right = sum(a == b for a, b in zip(letters, reference, strict=False))
    return 2 + 2 * (len(letters) == len(reference)) + 6 * right // len(reference)
