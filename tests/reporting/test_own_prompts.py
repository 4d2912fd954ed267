import numpy as np
import pytest

from ggmi.information.duplicates import near_duplicates
from ggmi.pipeline.comparing import with_holm
from ggmi.pipeline.estimators import ESTIMATORS
from ggmi.reporting.estimation import findings

NOTHING = {"value": None, "p_value": None, "method": "", "note": "", "ci_low": None, "ci_high": None, "n": 0}


@pytest.mark.parametrize("extra", [0, 1])
def test_a_copy_of_t_is_not_said_to_repeat_t_no_more_than_t_does(extra):
    """Each record is near T's of its prompt; with one of T's twice the test has others, and finds nothing."""
    train, prompts = np.eye(30), [f"p{i}" for i in range(30)]
    real = np.vstack([train, train[:extra]])
    groups = (prompts, [*prompts, *["another"] * extra])
    copied = near_duplicates(train, real, groups=groups, n_permutations=99).row()
    moved = near_duplicates(np.roll(train, 1, axis=0), real, groups=groups, n_permutations=99).row()
    tables = {
        name: [{"estimator": one, **NOTHING} for one in ESTIMATORS if one != "near_duplicates"]
        + [{"estimator": "near_duplicates", **row, "note": "", "smallest_p": None}]
        for name, row in {"copied": copied, "moved": moved}.items()
    }
    told = dict(findings(with_holm(tables), []))["Repeats T more than T repeats itself"]
    assert told.startswith("moved (near_duplicates); not told of copied")
    assert "inside noise" not in told
