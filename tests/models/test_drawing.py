import numpy as np
import pytest
import torch
from models.tiny import asks
from scipy.stats import chisquare, kstest
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast

from ggmi.models.drawing import Draw, StopText, spans, to_text, uniforms


@pytest.fixture(scope="module")
def by_bytes():
    """A tokenizer whose tokens are single bytes, so that most characters are several tokens."""
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokenizer = Tokenizer(models.BPE({c: i for i, c in enumerate(letters)}, []))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer)


def test_tokens_follow_the_distribution_of_the_scores():
    scores = torch.tensor([[0.0, 2.0, -torch.inf, 1.0, -3.0, 0.5]])
    n = 20_000
    draw = Draw(np.random.default_rng(0).random((n, 1)))
    drawn = draw(None, scores.expand(n, -1)).argmax(-1)
    counts = np.bincount(drawn, minlength=6)
    p = scores.double().softmax(-1)[0].numpy()
    assert counts[2] == 0
    likely = p > 0
    assert chisquare(counts[likely], n * p[likely]).pvalue > 0.001
    np.testing.assert_allclose(draw.log_probs[0].exp(), p[drawn], rtol=1e-12)


@pytest.mark.parametrize("number", [0.0, 5e-324, 0.5, 1 - 2**-53])
def test_extreme_numbers_draw_a_possible_token(number):
    scores = torch.tensor([[-torch.inf, 1.0, 1.0, -torch.inf]])
    draw = Draw(np.array([[number]]))
    assert torch.isfinite(draw(None, scores)).sum() == 1
    assert draw.log_probs[0].item() == pytest.approx(np.log(0.5))


def test_without_numbers_the_most_probable_token_is_taken_for_certain():
    draw = Draw(None)
    assert draw(None, torch.tensor([[0.0, 3.0, 1.0], [5.0, 3.0, 1.0]])).argmax(-1).tolist() == [1, 0]
    assert draw.log_probs[0].tolist() == [0.0, 0.0]


def test_numbers_belong_to_the_request_not_to_its_place():
    requests = asks({"model": "m"})
    numbers = uniforms(requests)
    np.testing.assert_array_equal(uniforms(requests[::-1])[::-1], numbers)
    assert kstest(numbers.ravel(), "uniform").pvalue > 0.001
    assert len(np.unique(numbers)) == numbers.size


def test_spans_give_each_character_to_the_token_that_completes_it(by_bytes):
    text = "a é – 🙂!"
    tokens = by_bytes(text).input_ids
    found = spans(by_bytes, tokens, [-1.0] * len(tokens), len(text))
    assert len(found) == len(text.encode())
    assert [text[a:b] for a, b, _ in found if b > a] == list(text)
    assert all(a <= b for a, b, _ in found)
    ends = [len(text.encode()[: i + 1].decode(errors="ignore")) for i in range(len(tokens))]
    assert [b for _, b, _ in found] == ends


def test_spans_of_words_join_to_the_text_and_stop_at_its_end(by_bytes):
    tokens = by_bytes("abcSTOP").input_ids
    assert [(a, b) for a, b, _ in spans(by_bytes, tokens, [0.0] * 7, 3)] == [(0, 1), (1, 2), (2, 3)] + [(3, 3)] * 4


def test_a_stop_text_ends_its_row_only(by_bytes):
    texts = ["one two", "one END", "END one"]
    rows = torch.tensor([by_bytes(t).input_ids for t in texts])
    prompt = torch.tensor([by_bytes("END").input_ids] * 3)  # a prompt may hold the stop text
    stop = StopText(by_bytes, ["END"], 3)
    for length in range(1, 8):
        ended = stop(torch.cat([prompt, rows[:, :length]], 1), None)
    assert ended.tolist() == [False, True, True]
    assert stop.ended == {1: 7, 2: 3}
    assert to_text(by_bytes, rows[2, :3].tolist()) == "END"
