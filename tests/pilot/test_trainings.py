from pathlib import Path

import numpy as np
import pytest

from ggmi.errors import UserError
from ggmi.pilot.arms import Arm
from ggmi.pilot.proxy import make_proxies
from ggmi.pilot.settings import PilotSettings
from ggmi.pilot.study import Pilot
from ggmi.pilot.trainings import train_and_test
from ggmi.students import finetune
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
    assert not list(Path(training.model).parent.glob("*.npz"))
