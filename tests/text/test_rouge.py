import random
from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rapidfuzz.distance import LCSseq

from ggmi.text import candidates, near_index, rouge
from ggmi.text.near_index import NearIndex, Pair, in_threads, join_indexes
from ggmi.text.rouge import first_of_kind, near_pairs, repeating, settled
from ggmi.text.samples import read_sample
from ggmi.text.tokens import rarest_first, renumber, tokenize, tokens

# Few words, so that texts share many of them, in other orders and numbers.
WORDS = st.lists(st.sampled_from(["a", "b", "c", "d", "e", "f"]), max_size=12).map(" ".join)


@given(st.lists(st.text("aB9 _-\n\x1c\x85é東ไ🙂\ud800İß", max_size=9), max_size=6), st.integers(0, 9))
def test_tokens_of_many_texts_are_numbered_as_those_of_one_after_another(texts, block):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("ggmi.text.tokens._BLOCK_CHARACTERS", block)
        found = tokenize(iter(texts))
    whole = [tokens(text) for text in texts]
    assert found.vocabulary == list(dict.fromkeys(token for each in whole for token in each))
    assert [found.vocabulary[number] for number in found.numbers] == [token for each in whole for token in each]
    assert found.lengths.tolist() == [len(each) for each in whole]


def lcs(left, right):
    """The longest common subsequence by its recurrence."""
    row = [0] * (len(right) + 1)
    for a in left:
        last = row
        row = [0]
        for j, b in enumerate(right):
            row.append(last[j] + 1 if a == b else max(last[j + 1], row[j]))
    return row[-1]


def f_measure(left, right):
    """Equations 2 to 4 of Lin (2004) with beta = 1, as they stand there."""
    x, y = left.lower().split(), right.lower().split()
    if not x or not y or not lcs(x, y):
        return 0.0
    recall, precision = lcs(x, y) / len(x), lcs(x, y) / len(y)
    return 2 * recall * precision / (recall + precision)


def rouge_l(left, right):
    """The same by a library, with the search's rounding."""
    x, y = tokens(left), tokens(right)
    return 2 * LCSseq.similarity(x, y) / (len(x) + len(y)) if x and y else 0.0


@given(WORDS, WORDS)
def test_a_similarity_is_the_published_definition(left, right):
    for one, other in ((left, right), (right, left)):
        found = [pair.similarity for pair in near_pairs([one], [other], 0.0)]
        assert found == pytest.approx([f_measure(left, right)] if f_measure(left, right) else [], abs=1e-15)


def test_the_published_example():
    # Lin (2004), section 3.1: S1 against S2 and S3.
    others = ["police kill the gunman", "the gunman kill police"]
    assert near_pairs(["police killed the gunman"], others, 0.0) == [Pair(0, 0, 0.75), Pair(0, 1, 0.5)]


@pytest.mark.parametrize("text", ["It's 3.5 kg_net—OK? e-mail: A.B@c.d", "".join(map(chr, range(128))) + "aB"])
def test_tokens_of_ascii_text_are_the_usual_ones(text):
    usual = "".join(c if c.isascii() and c.isalnum() else " " for c in text.lower()).split()
    assert tokens(text) == usual


def test_texts_without_tokens_are_like_none():
    assert near_pairs(["...", ""], ["...", "a"], 0.0) == []
    assert first_of_kind(["", "...", ""]) == {}


def every_pair(left, right, threshold):
    scores = [(i, j, rouge_l(a, b)) for i, a in enumerate(left) for j, b in enumerate(right)]
    return [Pair(*pair) for pair in scores if pair[2] > threshold]


def greedy(texts, threshold):
    kept, twins = [], {}
    for i, text in enumerate(texts):
        scores = [(rouge_l(text, texts[j]), -j) for j in kept]
        best, where = max(scores, default=(0.0, 0))
        if best > threshold:
            twins[i] = Pair(i, -where, best)
        else:
            kept.append(i)
    return twins


@given(st.lists(WORDS, max_size=12), st.lists(WORDS, max_size=12), st.sampled_from([0.0, 0.3, 0.5, 0.7, 0.9, 0.999]))
def test_the_search_finds_what_comparing_all_pairs_finds(left, right, threshold):
    assert near_pairs(left, right, threshold) == every_pair(left, right, threshold)
    assert first_of_kind(left + right, threshold) == greedy(left + right, threshold)
    assert repeated(left + right, threshold) == [any(others) for others in near_others(left + right, threshold)]


def repeated(texts, threshold):
    """Which texts the search says are near another."""
    index = NearIndex(texts, threshold)
    return repeating(index, *settled(index, np.arange(len(texts)))).tolist()


def near_others(texts, threshold):
    """Which others each text is near."""
    return [[rouge_l(a, b) > threshold for j, b in enumerate(texts) if j != i] for i, a in enumerate(texts)]


@pytest.fixture
def small_blocks(monkeypatch):
    """Blocks and tiles so small that every loop goes round."""
    sizes = {
        near_index: {"BLOCK_TEXTS": 7, "ELEMENTS": 90},
        candidates: {"PAIRS": 20, "LARGE": 8, "TILE_ROWS": 3, "TILE_COLUMNS": 5},
    }
    for module, changed in sizes.items():
        for name, size in changed.items():
            monkeypatch.setattr(module, name, size)
    monkeypatch.setattr(rouge, "FEW_TEXTS", 10)
    monkeypatch.setattr(rouge, "PAIRS_A_TEXT", 0)


def related_texts():
    """Texts of all lengths, half of them another with a few words changed."""
    numbers = random.Random(3)
    texts = []
    for _ in range(120):
        size = numbers.choice([1, 2, 5, 30, 40, 70, 300])
        fresh = [f"w{numbers.randrange(60)}" for _ in range(size)]
        if texts and numbers.random() < 0.5:
            fresh = numbers.choice(texts).split()
            fresh = [word if numbers.random() < 0.8 else f"w{numbers.randrange(60)}" for word in fresh]
        texts.append(" ".join(fresh))
    return texts


@pytest.mark.parametrize("threshold", [0.2, 0.7])
def test_blocks_of_any_length_give_the_same(small_blocks, threshold):
    texts = related_texts()
    assert near_pairs(texts[:50], texts[50:], threshold) == every_pair(texts[:50], texts[50:], threshold)
    expected = greedy(texts, threshold)
    assert first_of_kind(texts, threshold) == expected
    assert repeated(texts, threshold) == [any(others) for others in near_others(texts, threshold)]
    assert len(expected) > 10


@pytest.mark.parametrize("threshold", [0.2, 0.7])
def test_threads_find_the_same(small_blocks, threshold):
    texts, places = related_texts(), np.arange(120)
    alone, together = (NearIndex(texts, threshold, threads=threads) for threads in (1, 3))
    assert together.passes(places) > 3
    passed = []
    assert together.pairs_among(places, on_pass=lambda: passed.append(1)) == alone.pairs_among(places)
    assert len(passed) == together.passes(places)
    assert together.pairs(places[:50], places[50:]) == alone.pairs(places[:50], places[50:])
    assert (together.pairs_among(places, 20), alone.pairs_among(places, 20)) == (None, None)
    assert settled(together, places)[1] == settled(alone, places)[1]


def test_what_fails_in_a_thread_is_told():
    done = []

    def work(item):
        if item == 3:
            raise ValueError("three")
        done.append(item)

    with pytest.raises(ValueError, match="three"):
        in_threads(2, work, range(1000))
    assert 3 not in done
    in_threads(2, done.append, range(1000, 1100))
    assert set(range(1000, 1100)) <= set(done)


def joined(texts, cuts, folder, threshold):
    """An index made of those of parts of the texts, each made by itself."""
    parts = [tokenize(texts[first:last]) for first, last in pairwise([0, *cuts, len(texts)])]
    counts = Counter()
    for part in parts:
        counts.update(dict(zip(part.vocabulary, part.counts().tolist(), strict=True)))
    rank = dict(zip(counts, rarest_first(np.array(list(counts.values()), dtype=np.int64)).tolist(), strict=True))
    for i, part in enumerate(parts):
        renumber(part.numbers, np.array([rank[token] for token in part.vocabulary], dtype=np.int32))
        NearIndex.of_numbers(part.numbers, part.lengths, threshold).save(folder / str(i))
    join_indexes([folder / str(i) for i in range(len(parts))], folder / "all")
    return NearIndex.load(folder / "all", threshold)


@pytest.mark.parametrize("cuts", [[60], [0, 1, 119], [40, 80, 80]])
@pytest.mark.parametrize("threshold", [0.2, 0.7])
def test_indexes_of_parts_make_that_of_the_whole_and_parts_of_the_search_find_all(
    small_blocks, tmp_path, cuts, threshold
):
    texts = related_texts()
    index = joined(texts, cuts, tmp_path, threshold)
    everyone = np.arange(len(texts))
    found = [index.pairs_among(everyone, part=part, parts=3) for part in range(3)]
    assert sorted(set().union(*found)) == NearIndex(texts, threshold).pairs_among(everyone)
    assert all(found)
    assert dict(sorted(settled(index, everyone)[1].items())) == greedy(texts, threshold)


def test_real_answers_of_two_models_give_the_same_as_comparing_all(shared_data):
    left, right = (
        [record.text for record in read_sample(shared_data / "answers" / f"{name}.jsonl").records[:150]]
        for name in ("gpt4", "alpaca-7b")
    )
    index = NearIndex(left + right, 0.7)
    n = len(left)
    found = index.pairs(np.arange(n), np.arange(n, len(index)))
    assert [pair._replace(right=pair.right - n) for pair in found] == every_pair(left, right, 0.7)
    assert found
    # Of 22,500 pairs the filters leave hardly more than those that are near.
    assert index.compared < len(left) * len(right) / 100


def words(prefix, count):
    return [f"{prefix}{i}" for i in range(count)]


@pytest.mark.parametrize("size", [20, 100, 400, 3000])
@pytest.mark.parametrize("threshold", [0.3, 0.5, 0.7, 0.9])
def test_a_pair_just_above_the_threshold_is_found(size, threshold):
    common = int(threshold * size) + 1
    other = [*words("a", common), *words("b", size - common)]
    assert near_pairs([" ".join(words("a", size))], [" ".join(other)], threshold) == [Pair(0, 0, common / size)]
    # The shortest text that can be near the other: it is all part of it.
    shorter = int(threshold / (2 - threshold) * size) + 1
    pairs = near_pairs([" ".join(words("a", size))], [" ".join(words("a", shorter))], threshold)
    assert pairs == [Pair(0, 0, 2 * shorter / (size + shorter))]


def test_very_long_texts_are_compared():
    long = " ".join(f"w{i}" for i in range(40_000))
    other = " ".join(f"v{i}" for i in range(40_000))
    assert first_of_kind([long, other, long + " more"]) == {2: Pair(2, 0, 2 * 40_000 / 80_001)}


@pytest.mark.parametrize("threshold", [-0.1, 1.0, float("nan")])
def test_a_threshold_out_of_range_is_refused(threshold):
    with pytest.raises(ValueError, match="threshold"):
        NearIndex([], threshold)
