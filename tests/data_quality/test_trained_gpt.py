"""Small GPTs in one tensor against transformers' GPT-2, and their chains against reading anew."""

import numpy as np
import pytest
import torch

from ggmi.data_quality.trained.gpt import GptSize, example_tokens, fresh, read, think, thought_tokens
from ggmi.data_quality.trained.gpt_study import GptWorld, Pretraining, gpt_table, pretrain, supervised_loss
from ggmi.data_quality.trained.lsa_study import World
from ggmi.data_quality.trained.plan import Plan
from ggmi.errors import UserError

SIZE = GptSize(d=2, layers=2, width=8, heads=2, positions=7)


@pytest.fixture(scope="module")
def weights():
    """Weights of two models, biases and gains moved off zero and one."""
    generator = torch.Generator().manual_seed(5)
    return {
        name: value + 0.1 * torch.randn(value.shape, generator=generator)
        for name, value in fresh(SIZE, 3, range(2)).items()
    }


@pytest.fixture(scope="module")
def prompts():
    return GptWorld(World(3, 2, 2, 0.5, 0.1, 4), SIZE).prompts("test", np.ones(2), 4, 3)


def test_predictions_are_those_of_transformers_gpt2(weights, prompts):
    from transformers import GPT2Model

    from ggmi.training import gpt2_config

    tokens = torch.cat(
        [example_tokens(prompts.inputs, prompts.targets), thought_tokens(prompts.weights[:, :, None])], dim=2
    )
    found = read(SIZE, weights, tokens, 5).predictions
    names = {"attention": "attn.c_attn", "attended": "attn.c_proj", "up": "mlp.c_fc", "down": "mlp.c_proj"}
    for model in range(2):
        mine = {name: value[model] for name, value in weights.items()}
        other = GPT2Model(gpt2_config(8, 2, 2, 7, vocab_size=1)).eval()
        state = {"wpe.weight": mine["position"], "ln_f.weight": mine["last"][0], "ln_f.bias": mine["last.bias"][0]}
        for layer in range(2):
            for short, long in names.items():
                state[f"h.{layer}.{long}.weight"] = mine[f"{layer}.{short}"]
                state[f"h.{layer}.{long}.bias"] = mine[f"{layer}.{short}.bias"][0]
            for norm, place in (("ln_1", "first"), ("ln_2", "second")):
                state[f"h.{layer}.{norm}.weight"] = mine[f"{layer}.{place}"][0]
                state[f"h.{layer}.{norm}.bias"] = mine[f"{layer}.{place}.bias"][0]
        missing, unexpected = other.load_state_dict(state, strict=False)
        assert (missing, unexpected) == (["wte.weight"], [])
        with torch.no_grad():
            hidden = other(inputs_embeds=tokens[model] @ mine["read_in"] + mine["read_in.bias"]).last_hidden_state
        torch.testing.assert_close(
            found[model], hidden @ mine["read_out"] + mine["read_out.bias"], atol=2e-5, rtol=1e-4
        )


def test_a_chain_is_what_reading_everything_anew_gives(weights, prompts):
    examples = example_tokens(prompts.inputs, prompts.targets)
    path = [torch.zeros_like(prompts.weights)]
    for _ in range(3):
        tokens = torch.cat([examples, thought_tokens(torch.stack(path, dim=2))], dim=2)
        path.append(read(SIZE, weights, tokens, 1).predictions[:, :, 0])
    torch.testing.assert_close(think(SIZE, weights, prompts.inputs, prompts.targets, 3), path[-1], atol=1e-5, rtol=1e-4)


def test_the_supervised_loss_sees_no_later_thought(weights, prompts):
    eta, k = 0.3, 3
    shares = [1 - (1 - eta) ** i for i in range(k + 1)]
    examples, errors = example_tokens(prompts.inputs, prompts.targets), []
    for i in range(k):
        path = torch.stack([share * prompts.weights for share in shares[: i + 1]], dim=2)
        found = read(SIZE, weights, torch.cat([examples, thought_tokens(path)], dim=2), 1).predictions[:, :, 0]
        errors.append((found - shares[i + 1] * prompts.weights).square().mean(dim=(1, 2)))
    torch.testing.assert_close(supervised_loss(SIZE, weights, prompts, k, eta), torch.stack(errors).mean(0).sum())


def test_pretraining_learns_and_a_repetition_does_not_depend_on_the_others():
    plan = Pretraining([3], 2, 0.5, 60, 16, 0.01)
    size = GptSize(2, 1, 16, 2, 5)
    weights, curve = pretrain(GptWorld(World(3, 2, 2, 0.5, 0.1, 4), size), plan)
    assert curve["loss_over_d"].iloc[-10:].mean() < 0.6 * curve["loss_over_d"].iloc[0]
    alone, _ = pretrain(GptWorld(World(3, 1, 2, 0.5, 0.1, 4), size), plan)
    for name, value in alone.items():
        # A constant added to all keys changes no attention: its gradient is rounding, which Adam makes steps of.
        free = name.endswith("attention.bias")
        ours, theirs = ((v[..., : size.width] if free else v) for v in (weights[name][:1], value))
        torch.testing.assert_close(ours, theirs, atol=1e-4, rtol=1e-3)


def test_a_loss_that_is_no_number_is_told():
    gpts = GptWorld(World(3, 1, 2, 0.5, 0.1, 4), GptSize(2, 1, 8, 2, 5))
    with pytest.raises(UserError, match="use a smaller rate or pretraining_rate"):
        pretrain(gpts, Pretraining([3], 2, 0.5, 80, 4, 1e30))


def test_post_training_leaves_the_pretrained_weights_alone(weights):
    gpts = GptWorld(World(3, 2, 2, 0.5, 0.1, 4), SIZE)
    before = {name: value.clone() for name, value in weights.items()}
    plan = Plan([2, 4], [3, 4], [1, 2], 4, [3], 2, [0.5], 1, 4, [1e-2], one_pretraining=True)
    table = gpt_table(gpts, weights, plan, "SFT")
    assert all(torch.equal(weights[name], value) for name, value in before.items())
    assert table["n_pre"].isna().all()
    assert (table["err_over_d"] != table["pretrained_over_d"]).all()
    # The same test prompts before and after every training.
    assert (table.groupby(["n_test", "k_test", "seed"])["pretrained_over_d"].nunique() == 1).all()
