"""Records as a student reads them: three forms of prompt, the response, and its end."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from typing import TYPE_CHECKING, Literal, get_args

from ggmi.errors import UserError, did_you_mean, told_by
from ggmi.students.sets import Examples
from ggmi.text.records import FIELDS, Record
from ggmi.text.templates import TextTemplate

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

    from ggmi.students.base import Base

Form = Literal["plain", "chat", "json"]
TooLong = Literal["truncate", "drop"]

# The plain form; a person's own template (Jinja) may take its place. It ends with a line end, so
# that a response is cut into the same tokens with and without the prompt before it.
PLAIN = """Task: {{ instruction }}

{% if context %}
Input: {{ context }}

{% endif %}
Answer:
"""
# Ends a plain or chat response where the tokenizer has no end token.
END_TEXT = "\n\n### End"
# The line of JSON that is a record ends with it; a JSON string holds no raw line end.
JSON_END = '"}\n'
_NAMES = FIELDS[:2]


def read_plain(path: str | os.PathLike[str]) -> str:
    """Read a person's own template of the plain form.

    Parameters
    ----------
    path
        A text file in Jinja's language that uses ``instruction`` and, if wanted, ``context``.

    Raises
    ------
    UserError
        If it cannot be read, is no template, leaves the instruction out, or uses another name.
    """
    return TextTemplate.read(path, _NAMES, _NAMES[:1]).source


class Writer:
    """Writes prompts and responses for one tokenizer in one form, and reads answers back.

    ============  =====================================================  ======================
    form          prompt                                                 a response ends with
    ============  =====================================================  ======================
    ``plain``     `PLAIN` or a person's own template                     the end token
    ``chat``      the tokenizer's chat template, instruction and         the end token
                  context as the user's message
    ``json``      the record's line of JSON up to the response's         ``"}`` and a line end
                  opening quote
    ============  =====================================================  ======================

    Where a tokenizer has no end token, `END_TEXT` ends a response: no token is added to any
    model. Padding needs no token: it is neither attended to nor learned.

    Parameters
    ----------
    tokenizer
        The student's.
    form
        Which form.
    plain
        Template of the plain form.

    Raises
    ------
    UserError
        If the form is unknown, the tokenizer has no chat template or no way to write an end.

    Examples
    --------
    >>> from ggmi.embedded.language import Language
    >>> writer = Writer(Language.draw(0).tokenizer(), "json")
    >>> print(writer.prompt(Record("r", "kuvo", "abc", "cab")), writer.response(Record("r", "kuvo", "abc", "cab")))
    {"instruction": "kuvo", "context": "abc", "response": " cab"}
    <BLANKLINE>
    """

    def __init__(self, tokenizer: PreTrainedTokenizerBase, form: Form, plain: str = PLAIN) -> None:
        if form not in get_args(Form):
            raise UserError(f"form: {form!r} is unknown; {did_you_mean(form, get_args(Form))}")
        if form == "chat" and not tokenizer.chat_template:
            raise UserError("form: is 'chat', but the tokenizer has no chat template; allowed here: plain, json")
        self.form = form
        self._tokenizer = tokenizer
        self._template = TextTemplate(plain, "plain template", _NAMES, _NAMES[:1]) if form == "plain" else None
        eos = tokenizer.eos_token_id
        if form == "json":
            self._end_text, self._end_tokens = JSON_END, []
        elif isinstance(eos, int):
            self._end_text, self._end_tokens = "", [eos]
        else:
            self._end_text, self._end_tokens = END_TEXT, []
            unknown = tokenizer.unk_token_id
            if not set(self._response_ids([END_TEXT])[0]) - {unknown}:
                raise UserError(
                    f"the tokenizer has no end token and cannot write {END_TEXT!r} in its place; "
                    "name an eos_token in its tokenizer_config.json"
                )

    @property
    def end(self) -> str:
        """What ends a response: the end token's name, or a text."""
        return self._end_text or str(self._tokenizer.eos_token)

    @property
    def stop(self) -> tuple[str, ...]:
        """Texts at which an answer is over, for `ggmi.models.requests.Sampling`."""
        if self.form == "json":
            return ("\n",)
        return (self._end_text,) if self._end_text else ()

    def prompt(self, record: Record) -> str:
        """What the student is asked: the text of a `ggmi.models.requests.Request`.

        Parameters
        ----------
        record
            Its response is not looked at.
        """
        if self._template is not None:
            try:
                return self._template.fill(instruction=record.instruction, context=record.context)
            except UserError as error:
                raise UserError(f"{error}; record {record.id!r}") from None
        if self.form == "json":
            fields = [f'"{n}": {_json(v)}' for n, v in zip(_NAMES, record.values, strict=False)]
            return "{" + ", ".join(fields) + ', "response": "'
        return f"{record.instruction}\n\n{record.context}" if record.context else record.instruction

    def response(self, record: Record) -> str:
        """What the student shall write, without the end token."""
        text = _json(record.response)[1:-1] if self.form == "json" else record.response
        return text + self._end_text

    def read(self, text: str) -> str | None:
        """The answer in what a student wrote up to a stop text.

        Parameters
        ----------
        text
            As a backend returns it.

        Returns
        -------
        str or None
            None if the JSON form is broken.
        """
        if self.form != "json":
            return text.strip()
        if not text.endswith("}"):
            return None
        try:
            value = json.loads('"' + text[:-1])
        except ValueError:
            return None
        return value if isinstance(value, str) else None

    def prompt_ids(self, records: list[Record]) -> list[list[int]]:
        """Token ids of prompts, as `ggmi.models.local` makes them."""
        texts = [self.prompt(record) for record in records]
        if self.form != "chat":
            ids: list[list[int]] = self._tokenizer(texts).input_ids if texts else []
            return ids
        try:
            chats = [
                str(
                    self._tokenizer.apply_chat_template(
                        [{"role": "user", "content": text}], add_generation_prompt=True, tokenize=False
                    )
                )
                for text in texts
            ]
        except Exception as error:  # a template of others can raise anything
            raise UserError(f"the tokenizer's chat template refuses a record ({told_by(error)})") from None
        return self._tokenizer(chats, add_special_tokens=False).input_ids if chats else []

    def response_ids(self, records: list[Record]) -> list[list[int]]:
        """Token ids of responses with their ends."""
        return [ids + self._end_tokens for ids in self._response_ids([self.response(r) for r in records])]

    def _response_ids(self, texts: list[str]) -> list[list[int]]:
        # A response that spells a special token is text: it must not end, or open, anything.
        encoded = self._tokenizer(texts, add_special_tokens=False, split_special_tokens=True) if texts else None
        return [] if encoded is None else encoded.input_ids


def tokenise(
    records: Iterable[Record],
    base: Base,
    form: Form,
    *,
    plain: str = PLAIN,
    too_long: TooLong = "truncate",
    longest: int | None = None,
    source: str = "the set",
) -> Examples:
    """Turn records into what a student is trained or measured on.

    Parameters
    ----------
    records
        The set, such as S_gen or S_anchor.
    base
        The model that the student starts from, or is.
    form
        Form of the prompt, see `Writer`.
    plain
        Template of the plain form.
    too_long
        ``truncate`` keeps the prompt of a record that does not fit and cuts its response, which
        then teaches no end; ``drop`` leaves the record out. A record whose prompt alone fills the
        window is left out by either. Both are counted.
    longest
        Tokens of a record at most; by default, and at most, what the context window holds.
    source
        What to call the set in messages.

    Raises
    ------
    UserError
        If the set is empty, nothing of it fits, or a prompt has no tokens.
    """
    taken = list(records)
    if not taken:
        raise UserError(f"{source}: holds no records to train or measure a student on")
    writer = Writer(base.tokenizer, form, plain)
    limit = min((n for n in (longest, base.context) if n), default=None)
    ids, prompts, responses = [], [], []
    truncated = 0
    for record, prompt, response in zip(taken, writer.prompt_ids(taken), writer.response_ids(taken), strict=True):
        if not prompt:
            raise UserError(f"{source}: the prompt of record {record.id!r} has no tokens in {base.name}'s tokenizer")
        if limit is not None and len(prompt) + len(response) > limit:
            if too_long == "drop" or len(prompt) >= limit:
                continue
            response = response[: limit - len(prompt)]
            truncated += 1
        ids.append(record.id)
        prompts.append(prompt)
        responses.append(response)
    if not ids:
        raise UserError(f"{source}: none of its {len(taken)} records fits into {limit} tokens")
    dropped = len(taken) - len(ids)
    return Examples.of(ids, prompts, responses, truncated=truncated, dropped=dropped, end=writer.end)


def _json(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
