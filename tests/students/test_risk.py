import numpy as np
import pytest
import torch
from students.tiny import records

from ggmi.students.risk import losses, risk
from ggmi.students.tokenise import tokenise


def test_losses_are_those_of_one_record_at_a_time(base):
    model = base.load()
    examples = tokenise(records(20), base, "plain")
    measured = losses(model, examples)
    with torch.inference_mode():
        for i in range(20):
            ids = torch.tensor(examples.sequence(i))[None]
            table = model(ids).logits[0].double().log_softmax(-1)
            start = int(examples.prompts[i])
            wanted = -sum(table[t - 1, ids[0, t]] for t in range(start, ids.shape[1]))
            assert measured.nats[i] == pytest.approx(float(wanted), abs=1e-4)
            assert measured.tokens[i] == ids.shape[1] - start
    np.testing.assert_allclose(losses(model, examples, at_once=1).nats, measured.nats, rtol=1e-5)


def test_an_untrained_student_loses_about_the_logarithm_of_its_vocabulary(base):
    # GPT-2's initial logits have a small variance.
    found = risk(losses(base.load(), tokenise(records(50), base, "plain")))
    assert found.nats_per_token == pytest.approx(np.log(257), abs=0.1)
