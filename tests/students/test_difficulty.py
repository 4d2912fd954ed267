import numpy as np
import pytest
import torch
from students.tiny import records

from ggmi.random import stream
from ggmi.students.difficulty import EASY_NATS, per_token, record_losses, spread
from ggmi.students.tokenise import Writer


def test_a_record_loses_what_transformers_own_loss_says(base):
    model, writer = base.load(), Writer(base.tokenizer, "plain")
    texts = records(12)
    found = per_token(record_losses(texts, base, "plain", device="cpu"))
    for record, value in zip(texts, found, strict=True):
        (prompt,), (response,) = writer.prompt_ids([record]), writer.response_ids([record])
        ids, labels = torch.tensor([prompt + response]), torch.tensor([[-100] * len(prompt) + response])
        with torch.inference_mode():
            assert float(model(input_ids=ids, labels=labels).loss) == pytest.approx(value, rel=1e-5)


def test_progress_ends_with_all_records(base):
    done = []
    record_losses(records(30), base, "plain", device="cpu", at_once=200, on_records=done.append)
    assert len(done) > 2
    assert done == sorted(done)
    assert done[-1] == 30


def test_the_interval_covers_the_median_of_exponential_losses():
    # Its median is ln 2 whatever the sample; of 300 intervals of 95 % about 15 miss it.
    missed = 0
    for trial in range(300):
        values = stream(trial, "test").exponential(size=60)
        ends = spread(values, [str(i) for i in range(60)], trial).interval
        missed += not ends.low <= np.log(2) <= ends.high
    assert missed <= 30


def test_records_of_one_prompt_are_resampled_together():
    values = np.repeat(stream(0, "test").exponential(size=20), 10)
    alone = spread(values, [str(i) for i in range(200)], 1).interval
    together = spread(values, [str(i // 10) for i in range(200)], 1).interval
    assert together.high - together.low > 2 * (alone.high - alone.low)
    assert np.isnan(spread(values, ["one"] * 200, 1).interval.low)


def test_a_token_of_probability_nine_tenths_is_too_easy():
    assert np.exp(-EASY_NATS) == pytest.approx(0.9)
