from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ggmi.errors import UserError
from ggmi.pilot.arms import Arm
from ggmi.pilot.proxy import make_proxies
from ggmi.pilot.settings import PilotSettings
from ggmi.pilot.study import Pilot
from ggmi.pilot.trainings import run_trainings, train_and_test
from ggmi.students import finetune
from ggmi.students.base import Base
from ggmi.students.trainer import TooLargeError
from ggmi.text.records import Record


@pytest.fixture(scope="module")
def training(tmp_path_factory):
    folder = tmp_path_factory.mktemp("trainings")
    records = [Record(str(i), f"Say {i}.", "", f"{i} it is, and {i + 1} is next.") for i in range(40)]
    make_proxies({"a": records[:20]}, [folder / "base"], 0)
    settings = PilotSettings(epochs=1).training()
    pilot = Pilot([Arm("a", tuple(records[:20]), 0)], records[20:], [str(folder / "base")], settings, folder, 0)
    return pilot.training("a", 20, 0)


def test_where_a_gpu_is_too_small_it_takes_fewer_records_at_a_time(training, monkeypatch):
    """No GPU is at hand in tests: its refusal is put in, the trainings are real."""
    whole = train_and_test(training)
    trained, most = finetune.finetune, 1

    def refusing(base, examples, target, settings, **more):
        if settings.per_device > most:
            raise TooLargeError("too many")
        return trained(base, examples, target, settings, **more)

    monkeypatch.setattr(finetune, "finetune", refusing)
    found = train_and_test(training)
    assert (whole.together, found.together) == (4, 1)
    # the same updates: only the last bits of sums can differ
    np.testing.assert_allclose(found.nats, whole.nats, rtol=1e-3)
    most = 0
    with pytest.raises(UserError, match="one record at a time does not fit into the memory of the GPU; name a smaller"):
        train_and_test(training)


def test_a_loss_that_is_no_number_is_not_kept(training, monkeypatch):
    """Weights that are finite can overflow on what they never saw."""
    from ggmi.students import risk

    measured = risk.losses

    def overflowing(*given):
        found = measured(*given)
        found.nats[3] = np.inf
        return found

    monkeypatch.setattr(risk, "losses", overflowing)
    with pytest.raises(UserError, match=r"loss on the test set is no number.*lower the learning rate \(now 0.004\)"):
        train_and_test(training)


def test_a_training_that_diverges_is_named_and_the_others_stay(training, tmp_path):
    hot = training.settings.model_copy(update={"learning_rate": 1e10, "epochs": 0.9})
    plans = [replace(training, settings=hot, name="b, 18 records, training 1 (seed 7)"), training]
    over = []
    with ThreadPoolExecutor(1) as pool, pytest.raises(UserError) as told:
        run_trainings(plans, lambda model: Base(model).identity, tmp_path, pool, over.append)
    assert str(told.value).startswith("b, 18 records, training 1 (seed 7): the ")
    assert "lower learning_rate (now 1e+10) or look at the base's weights; what is trained already is" in str(
        told.value
    )
    assert over == [training.cost]
    assert len(list(tmp_path.glob("*.npz"))) == 1
    found = run_trainings(plans[1:2], lambda model: Base(model).identity, tmp_path, None, over.append)
    assert np.isfinite(found[0].nats).all()


def pilot_of(training, records, test):
    """A pilot of one arm with the base of a training; a record of it has some twenty tokens."""
    return Pilot([Arm("a", tuple(records), 0)], test, [training.model], training.settings, Path(training.model), 0)


def test_a_set_that_mostly_does_not_fit_is_refused_and_what_is_cut_is_counted(training):
    short = [Record(f"s{i}", f"Say {i}.", "", f"It is {i}.") for i in range(40)]
    unread = [replace(one, id=f"l{one.id}", instruction="Say it again. " * 200) for one in short]
    cut = [replace(one, id=f"c{one.id}", response="It is so. " * 200) for one in short]
    with pytest.raises(
        UserError, match=r"^a: the prompts of 40 of 60 records looked at leave no room for a response in"
    ):
        pilot_of(training, unread + short[:20], short)
    with pytest.raises(UserError, match=r"^the test set: the prompts of 30 of 59 records looked at leave no room"):
        pilot_of(training, short, unread[:30] + short[:29])
    with pytest.raises(UserError, match=r"^the test set: 19 records fit into the 256 tokens that .* at least 20"):
        pilot_of(training, short, unread[:19] + short[:19])
    seen = pilot_of(training, unread[:10] + cut[:10] + short[:20], short)._seen["a"]
    assert (seen.dropped, seen.truncated, len(seen)) == (10, 10, 30)
