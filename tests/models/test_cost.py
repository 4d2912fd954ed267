import pandas as pd
import pytest

from ggmi.models.cost import CHAT_TOKENS, cost_table, estimate, token_counter
from ggmi.models.requests import Request, Sampling
from ggmi.models.settings import Prices
from ggmi.models.store import Store

PRICES = Prices(input=2.0, output=8.0)


def requests(count):
    return [Request({"model": "m"}, "w1 w2 w3", Sampling(max_tokens=100), system="w4", draw=d) for d in range(count)]


@pytest.fixture
def store(tmp_path, answer):
    """A store that holds responses of 20 tokens, to prompts of 3, for the first four of the requests."""
    made = Store(tmp_path / "s")
    with made.writing():
        for request in requests(4):
            made.append(answer(request, completion_tokens=20))
    return made


def test_what_is_missing_is_priced(store):
    found = estimate(requests(10), store, token_counter(), PRICES)
    read = 2 + 1 + CHAT_TOKENS  # 8 and 2 characters
    assert (found.kept, found.requests, found.input_tokens) == (4, 6, 6 * read)
    assert (found.expected_output_tokens, found.worst_output_tokens) == (120, 600)
    assert found.spent == pytest.approx((12 * 2 + 80 * 8) / 1e6)
    assert found.expected_price == pytest.approx((6 * read * 2 + 120 * 8) / 1e6)
    assert found.worst_price == pytest.approx((6 * read * 2 + 600 * 8) / 1e6)
    assert found.rule == "4 characters a token"


def test_nothing_is_expected_where_nothing_is_known(tmp_path):
    empty = Store(tmp_path / "none")
    found = estimate(requests(3), empty, token_counter(), PRICES)
    assert found.expected_output_tokens is None
    assert found.expected_price is None
    assert estimate(requests(3), empty, token_counter(), PRICES, 50).expected_output_tokens == 150
    assert estimate(requests(3), empty, token_counter(), PRICES, 5000).expected_output_tokens == 300


def test_the_models_own_tokenizer_counts_where_it_is_at_hand(model_directory):
    count = token_counter(str(model_directory))
    assert count(requests(1)[0]) == 4 + CHAT_TOKENS
    assert "tokenizer of" in count.rule
    assert token_counter("owner/not-downloaded").rule == "4 characters a token"


def test_the_table_adds_up_and_does_not_hide_what_is_unknown(store, tmp_path):
    known = estimate(requests(10), store, token_counter(), PRICES)
    unknown = estimate(requests(3), Store(tmp_path / "none"), token_counter(), PRICES)
    table = cost_table({"a": known, "b": known, "c": unknown}).set_index("name")
    assert list(table.index) == ["a", "b", "c", "total"]
    assert table.loc["total", "requests"] == 15
    assert table.loc["total", "worst_price"] == pytest.approx(2 * known.worst_price + unknown.worst_price)
    assert pd.isna(table.loc["total", "expected_output_tokens"])
    assert pd.isna(table.loc["total", "expected_price"])
    assert cost_table({"a": known}).set_index("name").loc["total", "expected_output_tokens"] == 120
