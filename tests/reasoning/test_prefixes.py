import numpy as np
import pytest
import torch
from transformers import GPT2ForTokenClassification, GPT2LMHeadModel

from ggmi.reasoning.prefixes import MOST_STEP_TOKENS, Prefixes, Reader, Reasoner, Scorer
from ggmi.reasoning.problems import END, FIRST_VALUE, Problems, group_table, positions, positions_needed
from ggmi.search.policy import NO_ANSWER
from ggmi.search.responses import sample_responses
from ggmi.training import gpt2_config

LONGEST = 5


def untrained(kind=GPT2LMHeadModel, layers=2, **further):
    torch.manual_seed(0)
    config = gpt2_config(16, layers, 2, positions_needed(LONGEST), vocab_size=FIRST_VALUE + 18, **further)
    return kind(config).train(False)


@pytest.fixture
def problems(table):
    return Problems.draw(table, 3, 30, np.random.default_rng(0))


def whole_pass(model, problems, prefixes, node):
    """The model's output after a prefix, read whole by transformers itself."""
    tokens = prefixes.tokens(np.array([node]))[0]
    tokens = tokens[tokens >= 0]
    ids = np.concatenate([problems.prompts()[prefixes.problem[node]], tokens])[None]
    places = positions(problems.length, model.config.n_positions)[None, : ids.shape[1]]
    ids, places = torch.from_numpy(ids), torch.from_numpy(places)
    with torch.inference_mode():
        return model(input_ids=ids, position_ids=places, attention_mask=torch.ones_like(ids)).logits[0, -1].numpy()


@pytest.mark.parametrize("kind", [GPT2LMHeadModel, GPT2ForTokenClassification])
def test_outputs_are_those_of_a_whole_pass(kind, problems):
    model = untrained(kind, num_labels=1, classifier_dropout=0.0)
    prefixes = Prefixes(problems, model.config.n_positions)
    writer = untrained()
    policy = Reasoner(Reader(writer, prefixes), prefixes, np.random.default_rng(1))
    drawn = sample_responses(policy, np.arange(30), 4, limit=5).nodes.ravel()
    reader = Reader(model, prefixes)
    nodes = np.random.default_rng(2).permutation(np.concatenate([np.arange(30), drawn, prefixes.parent[drawn]]))
    found = reader.outputs(nodes)
    for node, output in list(zip(nodes, found, strict=True))[::7]:
        np.testing.assert_allclose(output, whole_pass(model, problems, prefixes, node), atol=2e-5)


def test_draws_follow_the_models_law(problems):
    model = untrained(layers=1)
    prefixes = Prefixes(problems, model.config.n_positions)
    reader = Reader(model, prefixes)
    policy = Reasoner(reader, prefixes, np.random.default_rng(1))
    nodes = policy.extend(np.zeros(40_000, dtype=int)).nodes
    while (prefixes.depth[nodes] > 1).any():
        nodes = np.where(prefixes.depth[nodes] > 1, prefixes.parent[nodes], nodes)
    law = torch.tensor(reader.outputs(np.array([0]))[0]).softmax(-1).numpy()
    shares = np.bincount(prefixes.token[nodes], minlength=len(law)) / len(nodes)
    assert np.abs(shares - law).max() < 4 * np.sqrt(law.max() / len(nodes))


def test_chains_of_a_model_that_knows_nothing_end_and_are_cut(problems):
    model = untrained()
    prefixes = Prefixes(problems, model.config.n_positions)
    policy = Reasoner(Reader(model, prefixes), prefixes, np.random.default_rng(1))
    found = sample_responses(policy, np.repeat(np.arange(30), 20), 1, limit=40)
    nodes = found.nodes[:, 0]
    assert policy.ended(nodes).all()
    assert (prefixes.depth[nodes] <= prefixes.deepest).all()
    assert prefixes.broken.any()
    assert (policy.answers(nodes[prefixes.broken[nodes]]) == NO_ANSWER).all()
    assert not prefixes.right[nodes[prefixes.broken[nodes]]].any()
    assert (found.tokens <= MOST_STEP_TOKENS * found.steps).all()


def test_right_chains_are_right_and_answer_the_result(problems):
    prefixes = Prefixes(problems, positions_needed(LONGEST))
    nodes = np.arange(len(problems))
    for token in problems.chains().T:
        nodes = prefixes.children(nodes, token)
        assert prefixes.right[nodes].all()
    assert prefixes.ended(nodes).all()
    assert (prefixes.answers(nodes) == problems.thoughts()[:, -1]).all()
    wrong = prefixes.children(np.arange(30), FIRST_VALUE + (problems.thoughts()[:, 1] + 1) % 6)
    assert not prefixes.right[wrong].any()
    early = prefixes.children(np.arange(30), np.full(30, END))
    assert not prefixes.right[early].any()
    assert (prefixes.answers(early) == problems.starts).all()


def test_a_prefix_is_kept_once(problems):
    prefixes = Prefixes(problems, positions_needed(LONGEST))
    nodes, tokens = np.array([0, 1, 0, 0]), np.array([3, 3, 4, 3])
    first = prefixes.children(nodes, tokens)
    assert len(set(first)) == 3
    assert first[0] == first[3]
    assert (prefixes.children(nodes, tokens) == first).all()
    assert prefixes.size == 33


def test_a_process_models_score_is_the_product_over_steps(problems):
    model = untrained(GPT2ForTokenClassification, num_labels=1, classifier_dropout=0.0)
    prefixes = Prefixes(problems, model.config.n_positions)
    nodes, ends = np.arange(len(problems)), []
    for place, token in enumerate(problems.chains().T):
        nodes = prefixes.children(nodes, token)
        ends += [nodes] if place % 2 or place == 6 else []
    reader = Reader(model, prefixes)
    by_step = [1 / (1 + np.exp(-reader.outputs(end)[:, 0].astype(float))) for end in ends]
    asked = np.stack([nodes, np.full(30, -1)], axis=1)
    found = Scorer(reader, prefixes, by_step=True).score(asked)
    np.testing.assert_allclose(found[:, 0], np.prod(by_step, axis=0), rtol=1e-6)
    np.testing.assert_allclose(Scorer(reader, prefixes, by_step=False).score(asked)[:, 0], by_step[-1], rtol=1e-6)
    assert np.isnan(found[:, 1]).all()


def test_groups_are_groups():
    for name in ("cyclic_7", "symmetric_3", "symmetric_4"):
        t = group_table(name)
        m = len(t)
        assert (np.sort(t, axis=0) == np.arange(m)[:, None]).all()
        assert (np.sort(t, axis=1) == np.arange(m)[None]).all()
        a, b, c = np.random.default_rng(0).integers(m, size=(3, 200))
        assert (t[t[a, b], c] == t[a, t[b, c]]).all()
