"""Prompts and the responses to them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from ggmi.errors import UserError
from ggmi.models.cost import CHARACTERS_PER_TOKEN, CHAT_TOKENS, token_counter
from ggmi.models.protocol import Outcome
from ggmi.models.requests import Request, Response, Sampling
from ggmi.models.store import Store
from ggmi.text.format import Format
from ggmi.text.outcomes import BAD_ESCAPE, BAD_JSON, MISSING_FIELD, REASONS, THINKING_CUT, validity
from ggmi.text.parsing import parse
from ggmi.text.records import Record
from ggmi.text.splitting import instance_sets
from ggmi.text.templates import Prompt, Template

# So many answers without one record, and the rest is not paid for.
ENOUGH = 36
# A prompt was cut where the endpoint counts less than this share of our tokens: of those of the model's own
# tokenizer, or of those of a rule of characters, which other languages and long words stretch.
CUT_EXACT, CUT_BY_RULE = 0.9, 0.65
# What to do where nothing but failures of a kind comes.
ADVICE = {
    THINKING_CUT: "raise sampling.max_tokens",
    MISSING_FIELD: "name them in prompts.fields, such as prompts.fields: {response: output}",
    BAD_JSON: "set prompts.repair: true, or ask for JSON more plainly",
    BAD_ESCAPE: "set prompts.repair: true, or ask for doubled backslashes",
}


class RecordWatch:
    """Looks at answers as they come and tells when it is no use asking for more.

    Parameters
    ----------
    form
        What is taken for a record.
    kept
        Answers at hand.

    Examples
    --------
    >>> watch = RecordWatch(Format(), [])
    >>> for _ in range(36): said = watch("I cannot.")
    >>> said.split(";")[0]
    'none of the first 36 answers holds a record (no_json: 36, nothing in the response looks like an object)'
    """

    def __init__(self, form: Format, kept: Iterable[str]) -> None:
        self._form = form
        self._without: list[str] = []
        self._found = False
        for text in kept:
            if self._found or len(self._without) >= ENOUGH:
                break
            self(text)

    def __call__(self, text: str) -> str | None:
        """Look at one more answer; why going on is no use, else None."""
        if self._found:
            return None
        self._found = bool(parse(text, self._form).records)
        if self._found:
            self._without.clear()
            return None
        self._without.append(text)
        return self.reason()

    def reason(self) -> str | None:
        """Why going on is no use, by the answers so far; None if it may be."""
        if len(self._without) < ENOUGH:
            return None
        counted = validity(parse(text, self._form) for text in self._without)
        reason, times = next(iter(counted.failures.items()))
        seen = f"; the keys seen are {', '.join(map(repr, list(counted.keys)[:8]))}" if counted.keys else ""
        advice = ADVICE.get(reason, "look at them with `ggmi parse`, and at the prompt's template")
        first = f"none of the first {len(self._without)} answers holds a record"
        return f"{first} ({reason}: {times}, {REASONS[reason]}){seen}; {advice}"


def cut_prompts(store: Store, requests: Sequence[Request], model: str, revision: str | None) -> int:
    """How many prompts an endpoint seems to have cut without a word: it counts far fewer tokens than they have.

    Parameters
    ----------
    store
        What was answered.
    requests
        What was asked.
    model, revision
        Whose tokenizer counts, if it is at hand; else a rule of characters does.
    """
    count = token_counter(model, revision)
    share = CUT_BY_RULE if count.rule == token_counter().rule else CUT_EXACT
    here = [request for request in requests if request.key() in store]
    lengths = [count(request) - CHAT_TOKENS for request in here]
    told = [response.prompt_tokens for response in store.collect(here)]
    least = CHARACTERS_PER_TOKEN * CHAT_TOKENS
    return sum(theirs < share * ours and ours > least for ours, theirs in zip(lengths, told, strict=True))


def prompts_of(
    pool: Sequence[Record], template: Template, instances: int, settings: Mapping[str, Any], seed: int, place: str
) -> list[Prompt]:
    """The prompts of one number of in-context instances: p = φ_T(S_anchor).

    Parameters
    ----------
    pool
        Anchor data.
    template
        φ_T.
    instances
        Anchors in a prompt.
    settings
        ``prompts``, ``count`` and ``draw``, as in the configuration.
    seed
        The run's seed.
    place
        The task's key, for messages.

    Raises
    ------
    UserError
        If there are fewer anchors than instances.
    """
    if instances > len(pool):
        raise UserError(
            f"{place}.instances: {instances} anchors are wanted in a prompt, and {place}.anchors.source gives "
            f"{len(pool)} to choose from; allowed: up to {len(pool)}"
        )
    sets = instance_sets(pool, [instances], settings["prompts"], seed, draw=settings["draw"])
    return [template.fill(anchors, count=settings["count"]) for anchors in sets[instances]]


def requests_of(
    prompts: Sequence[Prompt], identity: Mapping[str, Any], sampling: Mapping[str, Any], *, system: str, draws: int
) -> list[Request]:
    """Everything that is asked of a generator for some prompts.

    Parameters
    ----------
    prompts
        The prompts.
    identity
        What the backend says of itself.
    sampling
        Settings of `ggmi.models.requests.Sampling`.
    system
        System prompt, empty for none.
    draws
        Responses to each prompt.

    Returns
    -------
    list of Request
        Prompt by prompt, its draws in order. A prompt that comes again, as it does where few
        anchors can be chosen, goes on with further draws.
    """
    how = Sampling.of(sampling)
    seen: Counter[str] = Counter()
    requests = []
    for prompt in prompts:
        for _ in range(draws):
            draw = seen[prompt.id]
            requests.append(Request(identity, prompt.text, how, system=system, draw=draw, prompt_id=prompt.id))
            seen[prompt.id] += 1
    return requests


def store_file(stores: str, task: str, generator: str, condition: str, settings: Mapping[str, Any]) -> str:
    """Where a generator's responses are kept.

    Parameters
    ----------
    stores
        The folder of all stores.
    task, generator, condition
        Whose.
    settings
        The generator's, with its ``kind``.

    Returns
    -------
    str
        One store a condition; but one for all conditions of an endpoint, since its budget is one.
    """
    whose = f"{stores}/{task}/{generator}"
    return f"{whose}.jsonl" if settings["kind"] == "openai" else f"{whose}/{condition}.jsonl"


def collected(store: Store, requests: Sequence[Request]) -> Iterator[dict[str, Any]]:
    """Rows of the responses at hand, in the order of the requests; times and attempts are left out.

    Parameters
    ----------
    store
        Where responses are kept.
    requests
        What is wanted.

    Yields
    ------
    dict
        ``prompt_id`` and ``draw``, and what `ggmi.models.requests.Response.content` has.
    """
    here = [request for request in requests if request.key() in store]
    for request, response in zip(here, store.collect(here), strict=True):
        yield {"prompt_id": request.prompt_id, "draw": request.draw, **response.content()}


def response_of(row: Mapping[str, Any]) -> Response:
    """A response from a row of `collected`."""
    spans = row["token_log_probs"]
    values = {k: v for k, v in row.items() if k not in ("prompt_id", "draw")}
    values["token_log_probs"] = None if spans is None else tuple((int(a), int(b), float(c)) for a, b, c in spans)
    return Response(**values, seconds=0.0, attempts=1)


def check_outcome(outcome: Outcome, wanted: int, missing: int, allowed: float) -> None:
    """Refuse to go on with too few responses.

    Parameters
    ----------
    outcome
        What a run brought.
    wanted
        Responses that are wanted in all.
    missing
        How many of them are still missing.
    allowed
        Share that may be missing because requests failed for good.

    Raises
    ------
    UserError
        If the run stopped early, or more than the share is missing, with the reasons.
    """
    kept = wanted - missing
    if outcome.stopped:
        raise UserError(f"{outcome.stopped}; {kept} of {wanted} responses are kept")
    if missing > allowed * wanted:
        reasons = ", ".join(f"{reason}: {count}" for reason, count in outcome.failed().most_common())
        last = outcome.failures[-1].message if outcome.failures else "no reason is known"
        raise UserError(
            f"{missing} of {wanted} responses are missing ({reasons or 'none failed'}); the last said: {last}; run "
            f"again to ask for them, or allow more with missing_allowed (now {allowed:g})"
        )
