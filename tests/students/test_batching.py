import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from students.tiny import make_base, records

from ggmi.random import stream
from ggmi.students.base import Base
from ggmi.students.batching import Plan, collate, keeps_records_apart, rows, shares, updates
from ggmi.students.sets import Examples
from ggmi.students.tokenise import tokenise
from ggmi.students.trainer import response_nats


def dolly_like(count, seed=0):
    """Lengths with a median of about 100 tokens and a heavy tail, at most 1,500."""
    return np.clip(stream(seed, "lengths").lognormal(np.log(100), 0.9, count), 10, 1500).astype(int)


def test_every_pass_reads_every_record_once():
    order = updates(10, steps=7, batch_size=4, seed=1)
    assert order.shape == (7, 4)
    for start in (0, 10):
        assert sorted(order.ravel()[start : start + 10]) == list(range(10))
    assert (updates(10, steps=3, batch_size=4, seed=1) == order[:3]).all()
    assert (updates(10, steps=7, batch_size=4, seed=2) != order).any()


def test_parts_have_the_same_records_and_like_tokens():
    lengths = dolly_like(64)
    parts = shares(np.arange(64), lengths, 4)
    assert sorted(np.concatenate(parts)) == list(range(64))
    assert {len(p) for p in parts} == {16}
    tokens = [lengths[p].sum() for p in parts]
    assert max(tokens) - min(tokens) <= lengths.max()


@given(st.lists(st.integers(1, 300), min_size=1, max_size=24))
def test_rows_hold_every_sequence_once_and_cost_no_more_than_one_a_row(lengths):
    laid = rows(lengths, 64)
    assert sorted(i for row in laid for i in row) == list(range(len(lengths)))

    def cost(filled):
        return len(filled) * max(filled) * (6 * 64 + max(filled))

    assert cost([sum(lengths[i] for i in row) for row in laid]) <= cost(lengths)


def test_little_is_padding_with_real_lengths():
    lengths = dolly_like(2000)
    examples = Examples.of(list(map(str, lengths)), [[1]] * len(lengths), [[2] * (n - 1) for n in lengths])
    order = updates(2000, 250, 16, seed=1)
    assert Plan(examples, order, 1, 768).waste() < 0.05
    assert Plan(examples, order, 1, None).waste() > 0.5


@pytest.mark.parametrize("kind", ["gpt2", "llama"])
def test_packed_records_are_read_as_if_alone(gpt2, llama, kind):
    base = Base(str({"gpt2": gpt2, "llama": llama}[kind]))
    model = base.load()
    assert keeps_records_apart(model)
    model.config.use_cache = False
    examples = tokenise(records(6), base, "plain")
    batch = collate(examples, range(6), [[0, 1, 2], [3, 4], [5]])
    labels = batch.pop("labels")
    assert (labels != -100).sum() == examples.responses.sum()
    with torch.inference_mode():
        together = response_nats(model(**batch).logits, labels)
        alone = []
        for i in range(6):
            ids = torch.tensor(examples.sequence(i))[None]
            table = model(ids).logits[0].log_softmax(-1)
            start = int(examples.prompts[i])
            alone += [-table[t - 1, ids[0, t]] for t in range(start, ids.shape[1])]
    torch.testing.assert_close(together, torch.stack(alone), atol=2e-5, rtol=0)


def test_a_model_that_mixes_packed_records_is_found_out(tmp_path):
    assert not keeps_records_apart(Base(str(make_base(tmp_path / "bloom", "bloom"))).load())
