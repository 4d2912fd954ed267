import json
import shutil
import signal
import time

import numpy as np
import pytest
import torch
from models import asking
from models.tiny import WORDS, asks, make_model
from scipy.stats import chisquare
from transformers import AutoModelForCausalLM, AutoTokenizer

from ggmi.errors import UserError
from ggmi.models.backend import ask, backend
from ggmi.models.requests import Request, Sampling
from ggmi.models.store import Store


def local(directory, **settings):
    return backend({"kind": "local", "model": str(directory), "device": "cpu"} | settings)


def written(asked, requests, path):
    store = Store(path)
    assert ask(asked, requests, store).stopped is None
    return list(store.collect(requests))


def content(responses):
    return [r.content() for r in responses]


@pytest.fixture(scope="module")
def model(model_directory):
    return AutoModelForCausalLM.from_pretrained(model_directory, use_safetensors=True).eval()


@torch.inference_mode()
def distributions(model, prompt, tokens, temperature=1.0, top_p=1.0):
    """Log-probabilities at each written token by one direct pass, tempered and cut as by definition; (T, V)."""
    logits = model(torch.tensor([prompt + tokens])).logits[0, len(prompt) - 1 : -1].double() / temperature
    p = logits.softmax(-1).numpy()
    for row in p:
        order = np.argsort(-row)
        kept = order[: np.searchsorted(np.cumsum(row[order]), top_p) + 1]
        row[np.setdiff1d(order, kept)] = 0
        row /= row.sum()
    with np.errstate(divide="ignore"):
        return np.log(p)


def tokens_of(response):
    return [WORDS.index(w) for w in response.text.split()] + [1] * (response.finish_reason == "stop")


@pytest.mark.parametrize(("temperature", "top_p"), [(1.0, 1.0), (0.7, 1.0), (1.0, 0.6), (1.3, 0.8)])
def test_log_probabilities_are_those_of_a_direct_pass(model_directory, model, tmp_path, temperature, top_p):
    asked = local(model_directory, token_log_probs=True)
    requests = asks(asked.identity, temperature=temperature, top_p=top_p)
    for request, response in zip(requests, written(asked, requests, tmp_path / "s"), strict=True):
        prompt = [WORDS.index(w) for w in request.prompt.split()]
        by_token = [nats for _, _, nats in response.token_log_probs]
        assert response.log_prob_nats == pytest.approx(sum(by_token), abs=1e-6)
        assert response.prompt_tokens == len(prompt)
        assert response.completion_tokens == len(by_token)
        tokens = tokens_of(response)
        if len(tokens) != len(by_token):
            continue  # a special token was drawn, which text does not show
        table = distributions(model, prompt, tokens, temperature, top_p)
        np.testing.assert_allclose(by_token, table[range(len(tokens)), tokens], atol=2e-5)


def test_spans_cover_the_text(model_directory, tmp_path):
    asked = local(model_directory, token_log_probs=True)
    for response in written(asked, asks(asked.identity), tmp_path / "s"):
        assert "".join(response.text[a:b] for a, b, _ in response.token_log_probs) == response.text


@pytest.mark.parametrize(("temperature", "top_p"), [(1.0, 1.0), (0.6, 0.9)])
def test_first_tokens_follow_the_tempered_and_cut_softmax(model_directory, model, tmp_path, temperature, top_p):
    asked = local(model_directory, batch_size=500)
    n = 3000
    requests = asks(asked.identity, prompts=1, draws=n, temperature=temperature, top_p=top_p, max_tokens=1)
    nats = [r.log_prob_nats for r in written(asked, requests, tmp_path / "s")]
    p = np.exp(distributions(model, [WORDS.index("w0")], [0], temperature, top_p)[0])
    # A token is told by its probability, so that those that leave no text count too.
    values, index = np.unique(np.round(p[p > 0], 6), return_inverse=True)
    expected = n * np.bincount(index, weights=p[p > 0])
    seen = np.bincount(np.abs(np.exp(nats)[:, None] - values).argmin(1), minlength=len(values))
    common = expected >= 5
    counts = [*seen[common], seen[~common].sum()]
    wanted = [*expected[common], expected[~common].sum()]
    keep = np.array(wanted) > 0
    assert chisquare(np.array(counts)[keep], np.array(wanted)[keep]).pvalue > 0.001


def test_batches_of_any_size_and_any_order_write_the_same_texts(model_directory, tmp_path):
    identity = local(model_directory).identity
    requests = asks(identity, prompts=8, draws=8)
    alone = written(local(model_directory, batch_size=1), requests, tmp_path / "1")
    for size in (3, 16, 64):
        together = written(local(model_directory, batch_size=size), requests[::-1], tmp_path / str(size))[::-1]
        assert [r.text for r in together] == [r.text for r in alone]
        np.testing.assert_allclose([r.log_prob_nats for r in together], [r.log_prob_nats for r in alone], atol=1e-4)


def test_the_same_list_gives_the_same_bytes_whatever_is_kept_already(model_directory, tmp_path):
    asked = local(model_directory, batch_size=5, token_log_probs=True)
    requests = asks(asked.identity)
    whole = content(written(asked, requests, tmp_path / "whole"))
    lines = (tmp_path / "whole").read_bytes().splitlines(keepends=True)
    for seed in range(5):
        some = np.random.default_rng(seed).permutation(len(lines))[: 4 * seed]
        path = tmp_path / f"some {seed}"
        path.write_bytes(b"".join(lines[i] for i in some) + b'{"key": "torn')
        assert content(written(local(model_directory, batch_size=5, token_log_probs=True), requests, path)) == whole
        assert len(path.read_bytes().splitlines()) == len(requests)


def test_killed_at_random_moments_and_resumed_it_writes_the_same_bytes(model_directory, tmp_path, processes):
    settings = {"kind": "local", "model": str(model_directory), "device": "cpu", "batch_size": 4}
    asked = backend(settings)
    requests = asks(asked.identity, prompts=6, draws=8, max_tokens=100)
    whole = content(written(asked, requests, tmp_path / "whole"))
    path = tmp_path / "killed"
    path.touch()
    moments = np.random.default_rng(0)
    kills = 0
    # How much a process gets done before it is killed depends on the machine; the kills go on in a new store.
    while kills < 5 or asking.lines_in(path):
        goal = asking.lines_in(path) + moments.integers(1, 12)
        process = processes.Process(target=asking.ask_all, args=(settings, requests, path))
        process.start()
        while process.is_alive() and asking.lines_in(path) < goal:
            time.sleep(moments.random() * 0.02)
        process.kill()
        process.join()
        kills += process.exitcode == -signal.SIGKILL
        if len(Store(path)) == len(requests):
            assert content(Store(path).collect(requests)) == whole
            path.write_bytes(b"")


def test_a_stop_text_ends_a_response_and_is_not_part_of_it(model_directory, tmp_path):
    asked = local(model_directory)
    stop = ("w7", "w21 w", *(f"w{i} " for i in range(30, 45)))
    responses = written(asked, asks(asked.identity, stop=stop), tmp_path / "s")
    assert not any(s in r.text for r in responses for s in stop)
    ended = [r for r in responses if r.finish_reason == "stop" and r.text.endswith(" ")]
    assert len(ended) > len(responses) / 2
    for response in ended:  # the tokens that completed the stop text count and are part of the probability
        assert response.completion_tokens > len(response.text.split())


def test_temperature_0_takes_the_most_probable_tokens_for_certain(model_directory, model, tmp_path):
    asked = local(model_directory)
    requests = asks(asked.identity, temperature=0)
    for request, response in zip(requests, written(asked, requests, tmp_path / "s"), strict=True):
        assert response.log_prob_nats == 0.0
        prompt = [WORDS.index(w) for w in request.prompt.split()]
        tokens = tokens_of(response)
        if len(tokens) == response.completion_tokens:
            assert distributions(model, prompt, tokens).argmax(1).tolist() == tokens


def test_responses_end_with_the_models_own_end_or_at_the_limit(model_directory, tmp_path):
    asked = local(model_directory)
    responses = written(asked, asks(asked.identity, draws=30), tmp_path / "s")
    assert {r.finish_reason for r in responses} == {"stop", "length"}
    for response in responses:
        assert "[END]" not in response.text
        if response.finish_reason == "length":
            assert response.completion_tokens == 24


def test_a_chat_template_is_used_where_there_is_one(model_directory, chat_directory, tmp_path):
    plain, chat = local(model_directory), local(chat_directory)
    assert (plain.identity["form"], chat.identity["form"]) == ("plain", "chat")
    request = Request(chat.identity, "w1 w2", Sampling(max_tokens=3), system="w3")
    assert chat.count_tokens(request) == 6
    assert plain.count_tokens(request) == 3
    words = Request(plain.identity, "[UNK] w3 user w1 w2 assistant", Sampling(max_tokens=3))
    ids = AutoTokenizer.from_pretrained(chat_directory)(words.prompt).input_ids
    assert plain._prompt_tokens(words) == chat._prompt_tokens(request) == ids


def test_identity_follows_content_not_name(model_directory, tmp_path):
    moved = tmp_path / "moved"
    shutil.copytree(model_directory, moved)
    assert local(moved).identity == local(model_directory).identity
    (moved / "README.md").write_text("decides nothing")
    assert local(moved).identity == local(model_directory).identity
    other = make_model(tmp_path / "other", seed=1)
    assert local(other).identity != local(model_directory).identity
    assert local(moved, dtype="bfloat16").identity != local(moved).identity


def test_half_precision_and_several_threads_are_to_be_had(model_directory, tmp_path):
    threads = torch.get_num_threads()
    asked = local(model_directory, dtype="bfloat16", threads=2)
    requests = asks(asked.identity, prompts=2)
    assert all(r.log_prob_nats < 0 for r in written(asked, requests, tmp_path / "s"))
    assert torch.get_num_threads() == threads


def test_a_window_too_small_is_told_with_numbers_before_the_first_response(tmp_path):
    asked = local(make_model(tmp_path / "small", window=30))
    requests = asks(asked.identity, prompts=6)  # prompts of 1 to 11 tokens, responses of 24
    store = Store(tmp_path / "s")
    with pytest.raises(UserError, match=r"holds 30 tokens, but prompt 'p3' has 7 and max_tokens is 24; ") as caught:
        ask(asked, requests, store)
    assert "\n" not in str(caught.value)
    assert len(store) == 0


def test_pickled_weights_are_refused(model_directory, tmp_path):
    pickled = tmp_path / "pickled"
    shutil.copytree(model_directory, pickled)
    (pickled / "model.safetensors").unlink()
    torch.save({}, pickled / "pytorch_model.bin")
    with pytest.raises(UserError, match=r"pickled weights only \(pytorch_model.bin\)"):
        local(pickled).identity  # noqa: B018
    (pickled / "pytorch_model.bin").unlink()
    with pytest.raises(UserError, match="holds no weights"):
        local(pickled).identity  # noqa: B018


def test_code_that_comes_with_a_model_is_not_run(model_directory, tmp_path):
    coded = tmp_path / "coded"
    shutil.copytree(model_directory, coded)
    config = json.loads((coded / "config.json").read_text())
    config |= {"model_type": "evil", "auto_map": {"AutoConfig": "evil.Config", "AutoModelForCausalLM": "evil.Model"}}
    (coded / "config.json").write_text(json.dumps(config))
    (coded / "evil.py").write_text(f"open({str(tmp_path / 'sprung')!r}, 'w')")
    asked = local(coded)
    with pytest.raises(UserError, match="cannot be loaded as a model") as caught:
        ask(asked, asks(asked.identity), Store(tmp_path / "s"))
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "sprung").exists()


@pytest.mark.parametrize("wrong", ["/no/such/place", "./nowhere", "a/b/c"])
def test_a_directory_that_is_not_there_is_told(wrong):
    with pytest.raises(UserError, match="there is no such directory"):
        local(wrong)


def test_a_directory_without_a_model_is_told(tmp_path):
    with pytest.raises(UserError, match=r"no config\.json"):
        local(tmp_path).identity  # noqa: B018


def test_an_unknown_id_is_told_in_one_sentence(monkeypatch, tmp_path):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(UserError, match="no-such-model: cannot be loaded as a model") as caught:
        local("no-such-model").identity  # noqa: B018
    assert "\n" not in str(caught.value)


def test_an_empty_prompt_is_told(model_directory, tmp_path):
    asked = local(model_directory)
    with pytest.raises(UserError, match="prompt 'p9' is empty"):
        ask(asked, [Request(asked.identity, "", Sampling(), prompt_id="p9")], Store(tmp_path / "s"))


def test_progress_counts_up_to_the_total(model_directory, tmp_path):
    asked = local(model_directory)
    requests = asks(asked.identity)
    store = Store(tmp_path / "s")
    ask(asked, requests[:10], store)
    seen = []
    ask(asked, requests, store, seen.append)
    assert [p.done for p in seen] == list(range(11, 25))
    assert {p.total for p in seen} == {24}
    assert seen[-1].seconds_left == 0
    assert seen[-1].usage == store.usage
    assert ask(asked, requests, store, seen.append).received == 0
