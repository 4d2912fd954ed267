import numpy as np

from ggmi.pipeline.embedded_sets import STEP, check_pairs, embedded_together
from ggmi.text.records import Record
from ggmi.text.samples import Sample


class Counting:
    """An encoder that says what it was asked."""

    identity = "counting"

    def __init__(self):
        self.asked = []

    def encode(self, texts):
        self.asked += texts
        return np.array([[len(text), sum(map(ord, text))] for text in texts], dtype=np.float32)


def sample(source, texts, keys=None):
    """A set of responses."""
    n = len(texts)
    records = tuple(Record(str(i), "Say.", "", text) for i, text in enumerate(texts))
    nothing = (None,) * n
    return Sample(source, records, ("line",) * n, tuple(keys or nothing), ((),) * n, nothing, nothing)


def test_texts_that_sets_share_are_embedded_once_and_every_set_gets_its_own_vectors_back():
    encoder, moves = Counting(), []
    texts = [["a", "bb", "a"], ["bb", "ccc"], [f"{i:05}" for i in range(STEP)]]
    found = embedded_together(
        [sample(str(i), each) for i, each in enumerate(texts)],
        encoder,
        ["response"],
        on_texts=lambda *move: moves.append(move),
    )
    distinct = {text for each in texts for text in each}
    assert sorted(encoder.asked) == sorted(distinct)
    assert moves == [(0, STEP + 3), (STEP, STEP + 3), (STEP + 3, STEP + 3)]
    for one, each in zip(found, texts, strict=True):
        assert one.vectors.tolist() == [[len(text), sum(map(ord, text))] for text in each]
        assert one.vectors.dtype == float


def test_pairs_of_a_column_are_told_from_pairs_by_number_which_only_chance_connects():
    sets = [sample(name, ["a", "b", "c", "d"], ["q1", "q2", "q3", "q4"]) for name in "TS"]
    by_key = check_pairs(sets[1], sets[0], "prompt", "question")
    assert "question" in by_key
    by_number = check_pairs(sets[1], sets[0], "auto", seed=7)
    assert "seed 7, which nothing connects" in by_number
    assert "nothing connects" not in by_key
