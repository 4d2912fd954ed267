import json

import numpy as np
import pytest
import torch
from models.tiny import WORDS, make_classifier, prompt
from safetensors.torch import load_file, save_file

from ggmi.errors import UserError
from ggmi.information.clustering import LABELS, prefilter_effect
from ggmi.models.entailment import EntailmentModel
from ggmi.models.settings import EntailmentSettings

TEXTS = [prompt(number) for number in range(12)]
PAIRS = [(premise, hypothesis) for premise in TEXTS for hypothesis in TEXTS]


@pytest.fixture(scope="module")
def directory(tmp_path_factory):
    return make_classifier(tmp_path_factory.mktemp("nli") / "model")


def model(directory, **settings):
    return EntailmentModel(EntailmentSettings(model=str(directory), device="cpu", **settings))


def labels(found, pairs, size):
    return [
        label
        for first in range(0, len(pairs), size)
        for label in found(*map(list, zip(*pairs[first : first + size], strict=True)))
    ]


def test_labels_are_the_same_batched_or_one_by_one(directory):
    together = labels(model(directory), PAIRS, len(PAIRS))
    assert together == labels(model(directory), PAIRS, 1) == labels(model(directory), PAIRS, 7)
    assert set(together) == set(LABELS)


def test_records_cluster_alike_whatever_the_batch(directory):
    vectors = np.ones((len(TEXTS), 2))
    found = {}
    for criterion in ("strict", "loose"):
        for size in (1, 64):
            way = model(directory, criterion=criterion, batch_size=size, prefilter=0.5).mutual(vectors)
            found[criterion, size] = way.cluster(TEXTS).tolist()
            assert way.describe().startswith(f"mutual entailment ({criterion})")
        assert found[criterion, 1] == found[criterion, 64]
    assert len(set(found["loose", 1])) < len(set(found["strict", 1])) < len(TEXTS) + 1


def test_a_prefilter_that_lets_nothing_through_is_seen(directory):
    distinct = np.eye(len(TEXTS))
    index, filtered, unfiltered = prefilter_effect(TEXTS, model(directory, criterion="loose").mutual(distinct))
    assert index < 1
    assert filtered == 0 < unfiltered


def test_other_spellings_in_another_order_are_understood(directory, tmp_path):
    config = json.loads((directory / "config.json").read_text())
    names = ["ENTAIL", "Neutrality", "contradicts"]
    other = make_classifier(tmp_path / "other", names)
    assert json.loads((other / "config.json").read_text())["id2label"] != config["id2label"]
    assert labels(model(other), PAIRS, 64) == labels(model(directory), PAIRS, 64)
    turned = make_classifier(tmp_path / "turned", names[::-1])
    of = dict(zip(("entailment", "neutral", "contradiction"), ("contradiction", "neutral", "entailment"), strict=True))
    assert labels(model(turned), PAIRS, 64) == [of[label] for label in labels(model(directory), PAIRS, 64)]


@pytest.mark.parametrize(
    "names",
    [
        ("entailment", "not_entailment"),
        ("LABEL_0", "LABEL_1", "LABEL_2"),
        ("entailment", "neutral", "neutral again"),
        ("entailment", "neutral", "contradiction", "other"),
    ],
)
def test_other_labels_are_refused_in_a_sentence(tmp_path, names):
    folder = make_classifier(tmp_path / "model", names)
    with pytest.raises(UserError) as caught:
        model(folder)
    listed = ", ".join(map(repr, names))
    assert str(caught.value) == (
        f"{folder}: its labels are {listed}; a model of natural-language inference has three, "
        "whose names contain entail, neutral, contradict"
    )


def test_texts_beyond_the_window_are_cut_to_it(directory):
    long = " ".join(WORDS[5:] * 3)
    found = model(directory)
    assert found([long, long], [TEXTS[1], TEXTS[1] + " w7"])[0] in LABELS
    # The longer text loses what stands beyond 64 tokens of both.
    kept = " ".join(long.split()[: 64 - len(TEXTS[1].split())])
    assert found([long], [TEXTS[1]]) == found([kept], [TEXTS[1]])


def test_a_pair_is_read_once(directory):
    found = model(directory)
    first = labels(found, PAIRS[:50], 50)
    found._net = None
    assert labels(found, PAIRS[:50], 7) == first


def test_the_identity_is_that_of_the_weights_not_of_the_folder(directory, tmp_path):
    same, other = make_classifier(tmp_path / "same"), make_classifier(tmp_path / "other", seed=1)
    assert model(same).identity == model(directory).identity != model(other).identity
    assert model(same, criterion="loose").described() == {
        "model": model(directory).identity,
        "criterion": "loose",
        "prefilter": 0.5,
    }


def test_a_model_without_its_classifier_is_refused(directory, tmp_path):
    folder = make_classifier(tmp_path / "model")
    weights = load_file(folder / "model.safetensors")
    bare = {name: tensor for name, tensor in weights.items() if not name.startswith("classifier")}
    save_file(bare, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(UserError, match=r"its weights lack classifier\.dense\.bias; a trained classifier is needed"):
        model(folder)


def test_a_folder_that_is_missing_or_holds_no_model_is_told(tmp_path):
    with pytest.raises(UserError, match="there is no such directory"):
        model(tmp_path / "none")
    with pytest.raises(UserError, match="is no model directory"):
        model(tmp_path)


def test_a_gpu_that_is_not_there_is_told(directory, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(UserError, match=r"entailment\.device: is 'cuda', but there is no GPU here"):
        EntailmentModel(EntailmentSettings(model=str(directory), device="cuda"))
