"""Answers of students on the test set, by the same backends that generate."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from ggmi.errors import UserError
from ggmi.models.protocol import Backend
from ggmi.models.requests import Request, Response, Sampling
from ggmi.students.tokenise import Writer
from ggmi.text.records import Record

# Why there is no answer, or not a whole one.
NO_ROOM, BROKEN, MISSING, CUT = "prompt fills the context", "broken JSON", "not answered", "cut at max_tokens"


@dataclass(frozen=True)
class Answer:
    """What a student answered to one test record.

    Parameters
    ----------
    id
        The record's id.
    draw
        Which of several answers.
    text
        The answer; None where there is none.
    raw
        What the student wrote; None where it was not asked or did not answer.
    problem
        Why there is no answer or it is not whole; None where it is.
    """

    id: str
    draw: int
    text: str | None
    raw: str | None
    problem: str | None


def questions(
    asked: Backend,
    writer: Writer,
    records: Iterable[Record],
    sampling: Sampling,
    *,
    context: int | None = None,
    draws: int = 1,
) -> list[Request | None]:
    """Requests that put the test set to a student.

    Parameters
    ----------
    asked
        The student's backend, such as ``backend({"kind": "local", "model": directory})``.
    writer
        The form that the student was trained in.
    records
        The test set.
    sampling
        How answers are drawn; the form's stop texts are added.
    context
        Tokens of the student's context window. Where a prompt leaves less room than `max_tokens`,
        these are halved until they fit, so that few sizes of batches arise.
    draws
        Answers a record.

    Returns
    -------
    list of Request or None
        Record by record, draw by draw; None where a prompt leaves no room for an answer.

    Raises
    ------
    UserError
        If the backend would ask in another form than the student was trained in.
    """
    form = asked.identity.get("form")
    if form is not None and (form == "chat") != (writer.form == "chat"):
        raise UserError(f"form: is {writer.form!r}, but this model's tokenizer makes every prompt a {form} one")
    taken = list(records)
    lengths = [len(ids) for ids in writer.prompt_ids(taken)]
    requests: list[Request | None] = []
    for record, length in zip(taken, lengths, strict=True):
        most = sampling.max_tokens
        while context is not None and most and length + most > context:
            most //= 2
        stop = (*sampling.stop, *writer.stop)
        fitting = replace(sampling, max_tokens=most, stop=stop) if most else None
        for draw in range(draws):
            prompt = writer.prompt(record)
            requests.append(
                Request(asked.identity, prompt, fitting, draw=draw, prompt_id=record.id) if fitting else None
            )
    return requests


def answers(
    writer: Writer,
    records: Sequence[Record],
    requests: Sequence[Request | None],
    responses: Iterable[Response],
) -> list[Answer]:
    """Read the answers out of responses.

    Parameters
    ----------
    writer
        The form that the student was trained in.
    records, requests
        As given to and returned by `questions`.
    responses
        In any order, such as `ggmi.models.store.Store.collect` gives them; some may be missing.

    Returns
    -------
    list of Answer
        In the order of the requests.
    """
    kept = {response.key: response for response in responses}
    draws = len(requests) // len(records) if records else 0
    found = []
    for place, request in enumerate(requests):
        identity, draw = records[place // draws].id, place % draws
        response = kept.get(request.key()) if request else None
        if response is None:
            found.append(Answer(identity, draw, None, None, MISSING if request else NO_ROOM))
            continue
        text = writer.read(response.text)
        cut = CUT if response.finish_reason == "length" else None
        found.append(Answer(identity, draw, text, response.text, cut or (BROKEN if text is None else None)))
    return found
