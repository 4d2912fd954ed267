import numpy as np
import pytest
from rapidfuzz.distance import LCSseq

from ggmi.pipeline.wording import BY_WORDS, NEAR, repeats_by_words
from ggmi.text.records import Record
from ggmi.text.samples import Sample
from ggmi.text.tokens import tokens


def sample(source, texts, keys=None):
    """A set of responses."""
    n = len(texts)
    records = tuple(Record(str(i), "Say.", "", text) for i, text in enumerate(texts))
    nothing = (None,) * n
    return Sample(source, records, ("line",) * n, tuple(keys or nothing), ((),) * n, nothing, nothing)


def near(one, other):
    x, y = tokens(one), tokens(other)
    return 2 * LCSseq.similarity(x, y) / (len(x) + len(y)) > NEAR


def texts(draw, count, others=()):
    """Texts of which a third vary an earlier one or another, and some repeat one."""
    made = []
    for _ in range(count):
        words = [f"w{i}" for i in draw.integers(300, size=draw.integers(5, 25))]
        known = [*made, *others]
        if known and draw.random() < 0.4:
            words = known[draw.integers(len(known))].split()
            words = [word if draw.random() < 0.85 else f"w{draw.integers(300)}" for word in words]
        made.append(" ".join(words))
        if draw.random() < 0.1:
            made.append(made[-1].upper())
    return made[:count]


def test_shares_are_those_of_comparing_every_pair_of_all_records():
    draw = np.random.default_rng(5)
    train = texts(draw, 60)
    sets = [texts(draw, 80, train), texts(draw, 50)]
    found = repeats_by_words([sample(str(i), each) for i, each in enumerate([train, *sets])], ["response"])
    own = np.mean([any(near(a, b) for j, b in enumerate(train) if j != i) for i, a in enumerate(train)])
    for (rows, partners, of_train), each in zip(found, sets, strict=True):
        assert [row["estimator"] for row in rows] == list(BY_WORDS)
        values = {row["estimator"]: row["value"] for row in rows}
        repeated = [any(near(a, b) for j, b in enumerate(each) if j != i) for i, a in enumerate(each)]
        assert values["word_repeats"] == pytest.approx(np.mean(repeated))
        assert values["word_duplicates"] == pytest.approx(np.mean([any(near(a, b) for b in train) for a in each]))
        lower = [text.lower() for text in each]
        assert values["exact_repeats"] == pytest.approx(np.mean([lower.count(text) > 1 for text in lower]))
        assert 0 < values["word_repeats"] < 1
        assert rows[2]["null_mean"] == pytest.approx(own) == of_train.mean()
        assert set(partners) == {i for i, a in enumerate(each) if any(near(a, b) for b in train)}
        assert all(near(each[i], train[j]) for i, j in partners.items())
        assert {row["n"] for row in rows} == {len(each)}


def test_parts_that_are_not_compared_do_not_count():
    same = sample("T", ["one two three four five", "six seven eight nine ten"])
    ((rows, *_),) = repeats_by_words([same, same], ["instruction"])
    assert [row["value"] for row in rows] == [1.0, 1.0, 1.0]
    ((rows, *_),) = repeats_by_words([same, same], ["response"])
    assert [row["value"] for row in rows] == [0.0, 0.0, 1.0]
