import numpy as np
import pytest
from sklearn.metrics import adjusted_rand_score

from ggmi.errors import UserError
from ggmi.information import clustering
from ggmi.information.clustering import MutualEntailment, SimilarEmbedding, prefilter_effect
from ggmi.random import stream

FORMS = ("{} is the capital of {}", "the capital of {1} is {0}", "{1}: its capital city is {0}", "capital({1}) = {0}")


class Oracle:
    """An inference model that knows which texts mean the same, and counts what it is asked."""

    def __init__(self, meaning, related=()):
        self.meaning, self.related, self.asked, self.largest = meaning, related, [], 0

    def __call__(self, premises, hypotheses):
        self.asked += list(zip(premises, hypotheses, strict=True))
        self.largest = max(self.largest, len(premises))
        return [self.label(p, h) for p, h in zip(premises, hypotheses, strict=True)]

    def label(self, premise, hypothesis):
        if (premise, hypothesis) in self.related:
            return "neutral"
        return "entailment" if self.meaning[premise] == self.meaning[hypothesis] else "contradiction"


@pytest.fixture
def statements():
    """Statements of known meaning in several wordings, and embeddings in which wordings lie near each other."""

    def make(meanings, n):
        generator = stream(20241001, "statements", meanings, n)
        centres = generator.normal(size=(meanings, 48))
        texts, truth, vectors, place = [], [], [], {}
        for i in range(n):
            meaning = int(generator.integers(meanings))
            form = FORMS[generator.integers(len(FORMS))]
            texts.append(form.format(f"city{meaning}", f"country{meaning}") + "." * (i // 40))
            truth.append(meaning)
            # Equal texts have one embedding.
            noisy = centres[meaning] + 0.35 * generator.normal(size=48)
            vectors.append(place.setdefault(texts[-1], noisy))
        return texts, np.array(truth), np.array(vectors)

    return make


def same_partition(one, other):
    return adjusted_rand_score(one, other) == 1


def naive(texts, vectors, threshold):
    """Greedy leaders, one record at a time."""
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    leaders, labels = [], {}
    for i in sorted(range(len(texts)), key=texts.__getitem__):
        labels[i] = next((c for c, j in enumerate(leaders) if unit[i] @ unit[j] >= threshold), len(leaders))
        if labels[i] == len(leaders):
            leaders.append(i)
    return [labels[i] for i in range(len(texts))]


@pytest.mark.parametrize("block", [3, 512])
@pytest.mark.parametrize("threshold", [0.0, 0.3, 0.8, 1.0])
def test_blocks_give_the_clusters_of_one_record_after_another(monkeypatch, block, threshold):
    monkeypatch.setattr(clustering, "BLOCK", block)
    vectors = stream(2, "leaders").normal(size=(60, 3))
    texts = [f"{hash(i) * 7919 % 60:02d}" for i in range(60)]
    assert SimilarEmbedding(vectors, threshold).cluster(texts).tolist() == naive(texts, vectors, threshold)


@pytest.mark.parametrize("kind", ["embedding", "entailment"])
def test_the_order_of_the_records_does_not_matter(statements, kind):
    texts, truth, vectors = statements(12, 150)
    order = stream(3, "order").permutation(150)

    def partition(chosen):
        chosen_texts = [texts[i] for i in chosen]
        ways = {
            "embedding": SimilarEmbedding(vectors[chosen], 0.6),
            "entailment": MutualEntailment(Oracle(dict(zip(texts, truth, strict=True))), vectors=vectors[chosen]),
        }
        return ways[kind].cluster(chosen_texts)

    plain = partition(np.arange(150))
    assert 1 < plain.max() + 1 < len(set(texts)) < 150
    np.testing.assert_array_equal(partition(order), plain[order])


def test_entailment_with_a_prefilter_finds_the_truth_with_a_tenth_of_the_questions(statements):
    texts, truth, vectors = statements(40, 400)
    oracle = Oracle(dict(zip(texts, truth, strict=True)))
    equivalence = MutualEntailment(oracle, vectors=vectors, prefilter=0.4)
    labels = equivalence.cluster(texts)
    distinct = len(set(texts))
    assert adjusted_rand_score(labels, truth) >= 0.95
    assert equivalence.calls == len(oracle.asked)
    assert len(oracle.asked) * 10 <= distinct * (distinct - 1)
    assert len(set(oracle.asked)) == len(oracle.asked)
    assert oracle.largest <= 64


def test_the_effect_of_the_prefilter_is_measured(statements):
    texts, truth, vectors = statements(30, 300)
    oracle = Oracle(dict(zip(texts, truth, strict=True)))
    mild = prefilter_effect(texts, MutualEntailment(oracle, vectors=vectors, prefilter=0.4), sample=200)
    assert mild[0] >= 0.95
    assert mild[1] * 5 < mild[2]
    harsh = prefilter_effect(texts, MutualEntailment(oracle, vectors=vectors, prefilter=0.999), sample=200)
    assert harsh[0] < 0.5
    with pytest.raises(ValueError, match="no vectors"):
        prefilter_effect(texts, MutualEntailment(oracle))


def test_without_a_prefilter_the_partition_is_that_of_the_meanings(statements):
    texts, truth, _ = statements(8, 80)
    labels = MutualEntailment(Oracle(dict(zip(texts, truth, strict=True))), batch_size=7).cluster(texts)
    assert same_partition(labels, truth)


@pytest.mark.parametrize(
    ("forward", "backward", "strict", "loose"),
    [
        ("entailment", "entailment", True, True),
        ("entailment", "neutral", False, True),
        ("neutral", "entailment", False, True),
        ("neutral", "neutral", False, False),
        ("entailment", "contradiction", False, False),
        ("contradiction", "entailment", False, False),
    ],
)
def test_the_criteria_are_those_of_the_literature(forward, backward, strict, loose):
    def entails(premises, hypotheses):
        return [forward if p < h else backward for p, h in zip(premises, hypotheses, strict=True)]

    for criterion, same in (("strict", strict), ("loose", loose)):
        labels = MutualEntailment(entails, criterion).cluster(["a", "b"])
        assert (labels[0] == labels[1]) == same


def test_the_second_direction_is_not_asked_when_the_first_decides():
    oracle = Oracle({"a": 0, "b": 1, "c": 2})
    MutualEntailment(oracle).cluster(["c", "a", "b", "a"])
    assert sorted(oracle.asked) == [("a", "b"), ("a", "c"), ("b", "c")]


@pytest.mark.parametrize(
    ("equivalence", "message"),
    [
        (SimilarEmbedding([[1.0, 0.0]], 0.5), "vectors: 1 embeddings for 2 records"),
        (SimilarEmbedding([[1.0], [0.0]], 0.5), "vectors: embedding 1 is zero"),
        (SimilarEmbedding([[1.0], [1.0]], 1.5), "threshold: 1.5 is not allowed"),
        (MutualEntailment(lambda p, _: ["yes"] * len(p)), "entailment model: answered"),
        (MutualEntailment(lambda *_: []), "entailment model: answered"),
        (MutualEntailment(lambda *_: [], criterion="strikt"), "criterion: 'strikt' is unknown; did you mean 'strict'"),
    ],
)
def test_bad_input_is_told_in_one_sentence(equivalence, message):
    with pytest.raises(UserError, match=message):
        equivalence.cluster(["a", "b"])
