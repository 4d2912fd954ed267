import json

import numpy as np
import pytest
import torch
from safetensors.numpy import save_file
from scipy.stats import norm
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from transformers import BertConfig, BertModel, PreTrainedTokenizerFast, T5Config, T5ForConditionalGeneration

from ggmi.errors import UserError
from ggmi.information import local_encoder
from ggmi.information.embedding import embed
from ggmi.information.local_encoder import LocalEncoder, checked_encoder, default_encoder, length_batches
from ggmi.provenance import sha256

WORDS = ["the", "a", "cat", "dog", "sat", "ran", "on", "mat", "red", "blue", "and", "or"]
TEXTS = ["the cat sat", "a dog ran on the red mat and sat on the blue mat", "cat", "the dog or the cat"]


class Counting:
    """An encoder that says what it was asked."""

    def __init__(self, identity="one"):
        self.identity, self.asked = identity, []

    def encode(self, texts):
        self.asked += texts
        return np.array([[len(t), sum(map(ord, t))] for t in texts], dtype=np.float32)

    def seen(self, _):
        return None


@pytest.fixture(scope="session")
def model(tmp_path_factory):
    """A small transformer with random weights, saved as sentence-transformers does."""
    root = tmp_path_factory.mktemp("model")
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]
    vocabulary = {word: i for i, word in enumerate([*special, *WORDS])}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token="[PAD]", unk_token="[UNK]", cls_token="[CLS]", sep_token="[SEP]"
    ).save_pretrained(root)
    torch.manual_seed(1)
    BertModel(
        BertConfig(
            vocab_size=len(vocabulary),
            hidden_size=16,
            num_hidden_layers=2,
            num_attention_heads=2,
            intermediate_size=32,
            max_position_embeddings=32,
        )
    ).save_pretrained(root)
    return root


@pytest.fixture
def described(model, tmp_path):
    """The same model with the settings files of sentence-transformers."""

    def make(kinds, mode="pooling_mode_mean_tokens", limit=32, owner="sentence_transformers.models", **pooling):
        for path in model.iterdir():
            (tmp_path / path.name).write_bytes(path.read_bytes())
        named = [{"type": f"{owner}.{kind}", "path": place} for kind, place in kinds]
        modules = [{"idx": i, "name": str(i), **module} for i, module in enumerate(named)]
        (tmp_path / "modules.json").write_text(json.dumps(modules))
        (tmp_path / "1_Pooling").mkdir()
        settings = {"word_embedding_dimension": 16, **({} if pooling else {mode: True}), **pooling}
        (tmp_path / "1_Pooling" / "config.json").write_text(json.dumps(settings))
        (tmp_path / "sentence_bert_config.json").write_text(json.dumps({"max_seq_length": limit}))
        return tmp_path

    return make


def one_by_one(root, texts, pool):
    """The plain loop: one text at a time, nothing padded."""
    encoder = LocalEncoder(root)
    tokenizer, net, _ = encoder._loaded
    rows = []
    for text in texts:
        tokens = tokenizer(text, return_tensors="pt")
        with torch.inference_mode():
            rows.append(pool(net[0].model(**tokens).last_hidden_state[0]).numpy())
    return np.array(rows)


def test_a_plain_transformer_gets_mean_pooling_and_length_one(model):
    found = embed(TEXTS, LocalEncoder(model))
    expected = one_by_one(model, TEXTS, lambda states: states.mean(dim=0) / states.mean(dim=0).norm())
    np.testing.assert_allclose(found, expected, atol=2e-6)
    assert found.dtype == np.float32


def test_the_settings_of_sentence_transformers_are_followed(described):
    root = described([("Transformer", ""), ("Pooling", "1_Pooling")], "pooling_mode_cls_token")
    expected = one_by_one(root, TEXTS, lambda states: states[0])
    np.testing.assert_allclose(embed(TEXTS, LocalEncoder(root)), expected, atol=2e-6)
    assert not np.allclose(np.linalg.norm(expected, axis=1), 1)


def test_a_text_beyond_the_limit_is_the_mean_of_its_windows_by_their_tokens(described):
    root = described(LAYERS[:2], limit=8)
    long = TEXTS[1]  # thirteen words: windows of six, six and one between two marks each
    words = long.split()
    first, second, last = embed([" ".join(words[:6]), " ".join(words[6:12]), words[12]], LocalEncoder(root))
    mean = (8 * first + 8 * second + 3 * last) / 19
    lengths = np.linalg.norm([first, second, last], axis=1)
    expected = mean / np.linalg.norm(mean) * (lengths @ [8, 8, 3] / 19)
    found = embed([long, "cat"], LocalEncoder(root))
    np.testing.assert_allclose(found[0], expected, atol=2e-6)
    np.testing.assert_allclose(found[1], embed(["cat"], LocalEncoder(root))[0], atol=2e-6)
    # What follows the first window counts.
    other = " ".join([*words[:8], "blue", "blue", "blue", "blue", "blue"])
    assert not np.allclose(embed([other], LocalEncoder(root))[0], found[0], atol=1e-3)


def test_what_the_model_does_not_see_is_counted(described, monkeypatch):
    encoder = LocalEncoder(described(LAYERS[:2], limit=8))
    known, strange, mixed, empty = encoder.seen(["the cat sat", "猫は眠る", "the cat 猫は眠る", ""])
    assert known == (3, 0, 0, 0.0)
    assert (strange.tokens, strange.unknown, strange.unseen) == (1, 1, 1.0)
    assert mixed.unknown == 1
    assert mixed.unseen == pytest.approx(4 / 10)  # of characters: one token may stand for many
    assert empty == (0, 0, 0, 0.0)
    monkeypatch.setattr(local_encoder, "WINDOWS", 2)
    long = encoder.seen([" ".join(["cat"] * 24)])[0]
    assert long == (24, 12, 0, 0.5)
    # The windows that are read are the first and the last.
    start, end = (["red"] * 6, ["blue"] * 6)
    whole = embed([" ".join([*start, *["cat"] * 12, *end])], encoder)
    np.testing.assert_allclose(whole, embed([" ".join([*start, *end])], encoder), atol=2e-6)


# What each way of pooling is, of the vectors of one text's tokens, t of them.
POOLINGS = {
    "cls": lambda states: states[0],
    "max": lambda states: states.max(axis=0),
    "mean": lambda states: states.sum(axis=0) / len(states),
    "mean_sqrt_len_tokens": lambda states: states.sum(axis=0) / np.sqrt(len(states)),
    "weightedmean": lambda states: np.average(states, axis=0, weights=1 + np.arange(len(states))),
    "lasttoken": lambda states: states[-1],
}


@pytest.mark.parametrize("names", [*((name,) for name in POOLINGS), ("weightedmean", "cls", "max")])
def test_every_way_of_pooling_is_that_of_its_definition(described, names):
    root = described([("Transformer", ""), ("Pooling", "1_Pooling")], pooling_mode=list(names))
    expected = one_by_one(
        root, TEXTS, lambda states: torch.tensor(np.concatenate([POOLINGS[n](states.numpy()) for n in names]))
    )
    np.testing.assert_allclose(embed(TEXTS, LocalEncoder(root)), expected, atol=2e-6)


def test_several_flags_of_older_versions_are_joined_in_their_fixed_order(described):
    flags = {"pooling_mode_mean_tokens": True, "pooling_mode_cls_token": True, "pooling_mode_max_tokens": False}
    root = described([("Transformer", ""), ("Pooling", "1_Pooling")], **flags)
    expected = one_by_one(root, TEXTS, lambda states: torch.cat([states[0], states.mean(dim=0)]))
    np.testing.assert_allclose(embed(TEXTS, LocalEncoder(root)), expected, atol=2e-6)


def dense(root, name, activation, shape, bias=True, **more):
    """A dense layer's folder; its weights."""
    generator = np.random.default_rng(len(name) + shape[0])
    weights = {"linear.weight": generator.normal(size=shape).astype(np.float32)}
    if bias:
        weights["linear.bias"] = generator.normal(size=shape[0]).astype(np.float32)
    (root / name).mkdir()
    save_file(weights, root / name / "model.safetensors")
    settings = {"in_features": shape[1], "out_features": shape[0], "bias": bias, "activation_function": activation}
    (root / name / "config.json").write_text(json.dumps(settings | more))
    return weights["linear.weight"], weights.get("linear.bias", 0.0)


ACTIVATIONS = {
    "torch.nn.modules.activation.Tanh": np.tanh,
    "torch.nn.modules.linear.Identity": lambda x: x,
    "torch.nn.modules.activation.ReLU": lambda x: np.maximum(x, 0),
    "torch.nn.modules.activation.GELU": lambda x: x * norm.cdf(x),
    "torch.nn.modules.activation.SiLU": lambda x: x / (1 + np.exp(-x)),
    "torch.nn.modules.activation.Sigmoid": lambda x: 1 / (1 + np.exp(-x)),
}
LAYERS = [("Transformer", ""), ("Pooling", "1_Pooling"), ("Dense", "2_Dense"), ("Normalize", "3"), ("Dense", "4_Dense")]


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_dense_layers_and_length_one_follow_in_the_order_given(described, activation):
    root = described(LAYERS)
    (first, shift), (second, _) = (
        dense(root, "2_Dense", activation, (6, 16)),
        dense(root, "4_Dense", "torch.nn.modules.linear.Identity", (3, 6), bias=False),
    )
    plain = one_by_one(root, TEXTS, lambda states: states.mean(dim=0))
    inner = ACTIVATIONS[activation](plain.astype(float) @ first.T + shift)
    expected = inner / np.linalg.norm(inner, axis=1, keepdims=True) @ second.T
    encoder = LocalEncoder(root)
    np.testing.assert_allclose(embed(TEXTS, encoder), expected, atol=5e-6)
    before = encoder.identity
    dense_weights = root / "4_Dense" / "model.safetensors"
    dense_weights.write_bytes(dense_weights.read_bytes()[:-1] + b"?")
    assert LocalEncoder(root).identity != before


def test_lower_case_and_the_prompt_of_the_settings_come_before_the_tokenizer(described):
    root = described([("Transformer", ""), ("Pooling", "1_Pooling")], limit=32)
    expected = embed(["red and the cat", "red and a dog"], LocalEncoder(root))
    (root / "sentence_bert_config.json").write_text(json.dumps({"max_seq_length": 32, "do_lower_case": True}))
    settings = {"prompts": {"pair": "Red and "}, "default_prompt_name": "pair"}
    (root / "config_sentence_transformers.json").write_text(json.dumps(settings))
    np.testing.assert_allclose(embed(["The CAT", "a dog"], LocalEncoder(root)), expected, atol=2e-6)


def test_a_tokenizer_without_padding_pads_with_its_end_and_t5_embeds_by_its_encoder(model, tmp_path):
    tokenizer = PreTrainedTokenizerFast(tokenizer_file=str(model / "tokenizer.json"), eos_token="[SEP]")
    tokenizer.save_pretrained(tmp_path)
    torch.manual_seed(2)
    settings = T5Config(vocab_size=16, d_model=16, d_kv=8, d_ff=32, num_layers=1, num_heads=2)
    T5ForConditionalGeneration(settings).save_pretrained(tmp_path)
    expected = one_by_one(tmp_path, TEXTS, lambda states: states.mean(dim=0) / states.mean(dim=0).norm())
    np.testing.assert_allclose(embed(TEXTS, LocalEncoder(tmp_path)), expected, atol=2e-6)


@pytest.mark.parametrize("tokens", [8, 40, 4096])
def test_batches_do_not_change_the_vectors(model, monkeypatch, tokens):
    whole = embed(TEXTS, LocalEncoder(model))
    monkeypatch.setitem(local_encoder.BATCH_TOKENS, "cpu", tokens)
    np.testing.assert_allclose(embed(TEXTS, LocalEncoder(model)), whole, atol=2e-6)


def test_batches_hold_similar_lengths_within_the_budget_and_every_item_once():
    lengths = [3, 50, 7, 7, 120, 1, 0, 8]
    batches = list(length_batches(lengths, 50))
    assert sorted(i for batch in batches for i in batch) == list(range(8))
    assert batches[0] == [4]
    for batch in batches[1:]:
        assert len(batch) * max(lengths[i] for i in batch) <= 50
    assert [lengths[i] for batch in batches for i in batch] == sorted(lengths, reverse=True)


def test_no_text_is_embedded_twice_within_a_call_or_across_calls(tmp_path):
    encoder = Counting()
    first = embed(["a", "b", "a", "c"], encoder, tmp_path)
    assert sorted(encoder.asked) == ["a", "b", "c"]
    np.testing.assert_array_equal(first[0], first[2])
    again = Counting()
    second = embed(["c", "d", "a"], again, tmp_path)
    assert again.asked == ["d"]
    np.testing.assert_array_equal(second[2], first[0])
    assert second.tolist() == [[1, ord("c")], [1, ord("d")], [1, ord("a")]]


def test_another_model_does_not_see_the_cache(tmp_path):
    embed(["a"], Counting("one"), tmp_path)
    other = Counting("two")
    embed(["a"], other, tmp_path)
    assert other.asked == ["a"]


def test_a_killed_job_keeps_its_finished_archives(tmp_path):
    class Dying(Counting):
        def encode(self, texts):
            if self.asked:
                raise KeyboardInterrupt
            return super().encode(texts)

    with pytest.raises(KeyboardInterrupt):
        embed(["aaaa", "bbb", "cc", "d"], Dying(), tmp_path, shard=2)
    rest = Counting()
    steps = []
    embed(["aaaa", "bbb", "cc", "d"], rest, tmp_path, shard=1, on_texts=lambda *step: steps.append(step))
    assert rest.asked == ["cc", "d"]
    assert steps == [(0, 2), (1, 2), (2, 2)]


@pytest.mark.parametrize("damage", [b"", b"PK\x03\x04 cut", b"\x80\x04pickle"])
def test_a_damaged_archive_is_named(tmp_path, damage):
    embed(["a"], Counting(), tmp_path)
    archive = next(tmp_path.rglob("*.npz"))
    archive.write_bytes(damage)
    with pytest.raises(UserError, match=f"{archive.name}: is damaged"):
        embed(["a"], Counting(), tmp_path)


def test_the_identity_changes_with_weights_and_settings(described):
    root = described([("Transformer", ""), ("Pooling", "1_Pooling")])
    identities = {LocalEncoder(root).identity}
    (root / "sentence_bert_config.json").write_text('{"max_seq_length": 4}')
    identities.add(LocalEncoder(root).identity)
    with (root / "model.safetensors").open("ab") as file:
        file.write(b" ")
    identities.add(LocalEncoder(root).identity)
    assert len(identities) == 3


def test_weights_with_another_hash_are_refused(model):
    right = sha256(model / "model.safetensors")
    assert checked_encoder(model, right).weights == [model / "model.safetensors"]
    with pytest.raises(UserError, match=f"has SHA-256 {right}, not 0123"):
        checked_encoder(model, "0123")


@pytest.mark.parametrize(
    ("kinds", "settings", "message"),
    [
        ([("StaticEmbedding", "")], {}, "modules StaticEmbedding are not supported; allowed: Transformer, then any of"),
        ([("Transformer", ""), ("Router", "2")], {}, "modules Transformer, Router are not supported"),
        ([("Transformer", "../elsewhere")], {}, "leads outside the directory"),
        ([("Transformer", "")], {"owner": "my_code"}, "module 'my_code.Transformer' is code of the model's own"),
        (LAYERS[:2], {"pooling_mode": "median"}, "usable embedding model .*'median'.*cls.*max.*mean"),
        (LAYERS[:2], {"mode": "pooling_mode_new"}, "pooling_mode_new"),
    ],
)
def test_models_that_cannot_be_followed_are_refused(described, kinds, settings, message):
    with pytest.raises(UserError, match=message):
        LocalEncoder(described(kinds, **settings)).encode(["a"])


@pytest.mark.parametrize(
    ("activation", "more", "message"),
    [
        ("os.system", {}, "activation 'os.system' is not supported; allowed: torch.nn's"),
        ("torch.nn.utils.skip_init", {}, "usable embedding model .*code that comes with it"),
        ("torch.nn.Tanh", {"module_input_name": "no_such"}, "do not fit together .*no_such"),
    ],
)
def test_dense_layers_that_cannot_be_followed_are_refused(described, activation, more, message):
    root = described(LAYERS[:3])
    dense(root, "2_Dense", activation, (6, 16), **more)
    with pytest.raises(UserError, match=message):
        LocalEncoder(root).encode(["a"])


def test_a_dense_layer_may_have_a_residual(described):
    root = described(LAYERS[:3])
    weight, bias = dense(root, "2_Dense", "torch.nn.modules.activation.Tanh", (16, 16), use_residual=True)
    plain = one_by_one(root, TEXTS, lambda states: states.mean(dim=0))
    expected = plain + np.tanh(plain @ weight.T + bias)
    np.testing.assert_allclose(embed(TEXTS, LocalEncoder(root)), expected, atol=5e-6)


def test_dense_layers_without_safe_weights_or_of_another_width_are_refused(described):
    root = described(LAYERS[:3])
    dense(root, "2_Dense", "torch.nn.modules.activation.Tanh", (6, 15))
    with pytest.raises(UserError, match="its modules do not fit together"):
        LocalEncoder(root).encode(["a"])
    (root / "2_Dense" / "model.safetensors").rename(root / "2_Dense" / "pytorch_model.bin")
    with pytest.raises(UserError, match=r"2_Dense: holds no weights; an embedding model needs \*\.safetensors here"):
        LocalEncoder(root)


def test_a_directory_without_safe_weights_is_refused(tmp_path):
    (tmp_path / "pytorch_model.bin").write_bytes(b"\x80\x04")
    with pytest.raises(UserError, match=r"holds no weights; an embedding model needs \*.safetensors"):
        LocalEncoder(tmp_path)
    (tmp_path / "model.safetensors").write_bytes(b"broken")
    with pytest.raises(UserError, match="is not a usable embedding model"):
        LocalEncoder(tmp_path).encode(["a"])


@pytest.mark.parametrize(
    ("texts", "message"), [([], "texts: holds none"), (["a", None], "texts: record 1 is NoneType; it must be text")]
)
def test_sets_that_hold_no_text_are_refused(texts, message):
    with pytest.raises(UserError, match=message):
        embed(texts, Counting())


def test_vectors_that_are_not_finite_are_refused():
    class Broken(Counting):
        def encode(self, texts):
            return np.full((len(texts), 2), np.nan, dtype=np.float32)

    with pytest.raises(UserError, match="values not finite"):
        embed(["a"], Broken())


def test_the_default_model_gives_its_published_similarity():
    # The similarity of these sentences in the documentation of sentence-transformers for all-MiniLM-L6-v2 is 0.7553.
    vectors = embed(["A man is eating food.", "A man is eating a piece of bread."], default_encoder())
    assert vectors.shape == (2, 384)
    assert float(vectors[0] @ vectors[1]) == pytest.approx(0.7553, abs=1e-4)


def test_without_the_package_the_message_says_what_to_install(monkeypatch):
    monkeypatch.setattr(local_encoder, "PACKAGE", "no_such_package_of_weights")
    with pytest.raises(UserError, match="the package no-such-package-of-weights is not installed"):
        default_encoder()
