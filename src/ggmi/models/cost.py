"""What is still to be asked, and what it may cost."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from huggingface_hub import try_to_load_from_cache
from tokenizers import Tokenizer

from ggmi.models.requests import Request, Usage
from ggmi.models.settings import Prices
from ggmi.models.store import Store

if TYPE_CHECKING:
    import pandas as pd

# English prose has about four characters a token in the vocabularies of today's models.
CHARACTERS_PER_TOKEN = 4
# Tokens that a chat template adds around a prompt, about.
CHAT_TOKENS = 10


@dataclass(frozen=True)
class TokenCounter:
    """Counts the tokens of prompts.

    Parameters
    ----------
    rule
        How, in words.
    count
        Tokens of a text.
    """

    rule: str
    count: Callable[[str], int]

    def __call__(self, request: Request) -> int:
        """Tokens of a request's prompt, with the system prompt and an allowance for the chat template."""
        return self.count(request.prompt) + (self.count(request.system) if request.system else 0) + CHAT_TOKENS


def token_counter(model: str | None = None, revision: str | None = None) -> TokenCounter:
    """A counter by the model's own tokenizer if it is at hand, else by a rule of characters.

    Nothing is downloaded.

    Parameters
    ----------
    model
        A directory or an id of the hub.
    revision
        Commit, branch or tag of an id.

    Examples
    --------
    >>> token_counter().count("What is a reverse bottleneck?")
    8
    """
    file = None
    if model is not None and (Path(model) / "tokenizer.json").is_file():
        file = str(Path(model) / "tokenizer.json")
    elif model is not None and model.count("/") == 1 and not Path(model).exists():
        cached = try_to_load_from_cache(model, "tokenizer.json", revision=revision)
        file = cached if isinstance(cached, str) else None
    if file is not None:
        tokenizer = Tokenizer.from_file(file)
        tokenizer.no_truncation()
        tokenizer.no_padding()
        return TokenCounter(f"tokenizer of {model}", lambda text: len(tokenizer.encode(text).ids))
    rule = f"{CHARACTERS_PER_TOKEN} characters a token"
    return TokenCounter(rule, lambda text: math.ceil(len(text) / CHARACTERS_PER_TOKEN))


@dataclass(frozen=True)
class Estimate:
    """What is missing and what it may cost.

    Parameters
    ----------
    kept, requests
        Responses at hand, and requests still to be sent.
    input_tokens
        Of the prompts still to be sent.
    expected_output_tokens
        If responses are as long as those at hand, or as expected; None if neither is known.
    worst_output_tokens
        If every response is as long as `max_tokens` allows.
    spent, expected_price, worst_price
        In the currency of the price table: of what is kept, and of what is missing; expected None
        as above.
    rule
        How prompts were counted.
    """

    kept: int
    requests: int
    input_tokens: int
    expected_output_tokens: int | None
    worst_output_tokens: int
    spent: float
    expected_price: float | None
    worst_price: float
    rule: str

    @classmethod
    def of(
        cls, prices: Prices, used: Usage, *, input_tokens: int, expected: int | None, worst: int, **fields: Any
    ) -> Estimate:
        """Price tokens: those used, those to be read, and those to be written as expected and at worst.

        Parameters
        ----------
        prices
            The person's own.
        used
            What the responses at hand used.
        input_tokens, expected, worst
            See `input_tokens`, `expected_output_tokens` and `worst_output_tokens`.
        **fields
            `kept`, `requests` and `rule`.
        """
        return cls(
            input_tokens=input_tokens,
            expected_output_tokens=expected,
            worst_output_tokens=worst,
            spent=prices.cost(used.prompt_tokens, used.completion_tokens),
            expected_price=None if expected is None else prices.cost(input_tokens, expected),
            worst_price=prices.cost(input_tokens, worst),
            **fields,
        )


def estimate(
    requests: Iterable[Request],
    store: Store,
    count: TokenCounter,
    prices: Prices,
    expected_output: float | None = None,
) -> Estimate:
    """Price what a store is still missing.

    Parameters
    ----------
    requests
        Everything that is wanted.
    store
        What is kept.
    count
        Counts prompt tokens.
    prices
        The person's own.
    expected_output
        Tokens of a response, if the store holds none to tell.
    """
    wanted = list(requests)
    todo = store.missing(wanted)
    used = store.usage
    mean = used.completion_tokens / used.responses if used.responses else expected_output
    expected = None
    if mean is not None:
        expected = round(sum(min(mean, request.sampling.max_tokens) for request in todo))
    return Estimate.of(
        prices,
        used,
        input_tokens=sum(count(request) for request in todo),
        expected=expected,
        worst=sum(request.sampling.max_tokens for request in todo),
        kept=len({request.key() for request in wanted}) - len(todo),
        requests=len(todo),
        rule=count.rule,
    )


def cost_table(estimates: Mapping[str, Estimate]) -> pd.DataFrame:
    """Estimates by name, with their sum as the last row.

    Parameters
    ----------
    estimates
        One a generator or judge.

    Returns
    -------
    DataFrame
        Columns name, kept, requests, input_tokens, expected_output_tokens, worst_output_tokens,
        spent, expected_price, worst_price, counted_by; empty where not known.
    """
    import pandas as pd

    rows = [{"name": name, **vars(e)} for name, e in estimates.items()]
    table = pd.DataFrame(rows).rename(columns={"rule": "counted_by"})
    numbers = [c for c in table.columns if c not in ("name", "counted_by")]
    # A sum with an unknown part is unknown.
    total = {c: table[c].sum(skipna=False) for c in numbers}
    table = pd.concat([table, pd.DataFrame([{"name": "total", **total, "counted_by": ""}])], ignore_index=True)
    return table.astype({c: "Int64" for c in numbers if "price" not in c and c != "spent"})
