import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from students.tiny import make_base, records

from ggmi.random import stream
from ggmi.students.base import Base
from ggmi.students.batching import (
    dealt_out,
    keeps_records_apart,
    packed,
    padded,
    padding,
    sorted_by_length,
    updates,
)
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


def test_parts_hold_like_lengths_or_like_totals():
    lengths = dolly_like(256)
    order = updates(256, 4, 64, seed=1)
    by_length = sorted_by_length(order, lengths)
    for made in (by_length, dealt_out(by_length, 16)):
        assert (np.sort(made, axis=1) == np.sort(order, axis=1)).all()
    assert (np.diff(lengths[by_length]) <= 0).all()
    totals = lengths[dealt_out(by_length, 16)].reshape(4, 4, 16).sum(2)
    assert (np.ptp(totals, axis=1) <= lengths.max()).all()


@given(st.lists(st.integers(1, 300), min_size=8, max_size=8), st.sampled_from([1, 2, 4, 8]))
def test_padding_is_what_the_tensors_hold(lengths, each):
    examples = Examples.of(list("abcdefgh"), [[1]] * 8, [[2] * (n - 1) for n in lengths])
    order = updates(8, 3, 8, seed=0)
    parts = order.reshape(-1, each)
    computed = sum(padded(examples.features(part))["input_ids"].numel() for part in parts)
    assert padding(order, examples.lengths, each) == pytest.approx(1 - 3 * sum(lengths) / computed)


def test_little_is_padding_with_real_lengths():
    lengths = dolly_like(2000)
    order = updates(2000, 250, 16, seed=1)
    assert padding(order, lengths, 16) > 0.5
    assert padding(sorted_by_length(order, lengths), lengths, 2) < 0.25


@pytest.mark.parametrize("kind", ["gpt2", "llama"])
def test_packed_records_are_read_as_if_alone(gpt2, llama, kind):
    base = Base(str({"gpt2": gpt2, "llama": llama}[kind]))
    model = base.load()
    assert keeps_records_apart(model)
    model.config.use_cache = False
    examples = tokenise(records(6), base, "plain")
    batch = packed(examples.features())
    assert len(batch["input_ids"]) == 1
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
