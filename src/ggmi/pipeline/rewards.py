"""What rewards students that learn from their own answers."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ggmi.io import read_json
from ggmi.models.protocol import Progress
from ggmi.pipeline.judges import judge_of
from ggmi.students.settings import ReinforcementSettings
from ggmi.text.records import Record

if TYPE_CHECKING:
    from ggmi.students.reinforce import Reward


@dataclass(frozen=True)
class Rewarded:
    """How students learn from rewards.

    Parameters
    ----------
    settings
        Of the training.
    reward
        Judges answers.
    name
        Everything that rewards depend on.
    """

    settings: ReinforcementSettings
    reward: Reward
    name: str


def rewarded_by(
    task: str, condition: str, rl: Mapping[str, Any] | None, manner: str | None, template: str | None, log: Path
) -> Rewarded | None:
    """The reward that a task's settings ask for.

    Parameters
    ----------
    task, condition
        Whose students; the judge's verdicts are kept under these names.
    rl
        Fields of `ReinforcementSettings`, and ``judge``: a task's section `judge`, or None for exact matches.
        None for students that learn from no rewards.
    manner
        File that says how the judge is asked; exact matches have none.
    template
        File of the judging instruction, for a judge that is a model.
    log
        Where a server started for the job would write.
    """
    if rl is None:
        return None
    judge = rl["judge"]
    settings = ReinforcementSettings(**{key: value for key, value in rl.items() if key != "judge"})
    name = json.dumps(rl, sort_keys=True) + (Path(template).read_text(encoding="utf-8") if template else "")
    if judge is None:
        from ggmi.students.reinforce import exact_match

        return Rewarded(settings, exact_match, name)
    assert manner is not None
    rate = judge_of(task, condition, judge, read_json(manner), template, log, _untold)

    def rated(answers: Sequence[tuple[Record, str]]) -> list[float | None]:
        return [row["rating"] for row in rate(answers)]

    return Rewarded(settings, rated, name)


def _untold(_: Progress) -> None:
    """Verdicts are told by the updates they belong to."""
