"""What the verdicts still missing will cost, before any answer is there to be judged."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ggmi.config.students import JUDGE_TEMPLATES
from ggmi.config.tasks import EMBEDDED
from ggmi.models.cost import CHARACTERS_PER_TOKEN, CHAT_TOKENS, Estimate
from ggmi.models.settings import EndpointSettings
from ggmi.models.store import Store
from ggmi.pipeline.anchors import source_split
from ggmi.pipeline.judges import JUDGE
from ggmi.pipeline.responses import store_file
from ggmi.rating.calibration import PROBES
from ggmi.rating.judging import read_judge_template
from ggmi.text.jsonl import read_rows

if TYPE_CHECKING:
    from ggmi.config import Config
    from ggmi.config.tasks import Task


def judge_cost(config: Config, templates: Path) -> tuple[dict[str, Estimate], list[str]]:
    """Price what is missing of every endpoint's verdicts.

    Answers are not written yet, so each is taken to be as long as an anchor, and no two to be alike.

    Parameters
    ----------
    config
        The configuration.
    templates
        Folder of the templates that are called by name.

    Returns
    -------
    estimates : dict
        By task, named ``<task> judge``.
    notes : list of str
        What had to be assumed.
    """
    estimates: dict[str, Estimate] = {}
    notes: list[str] = []
    for name, task in config.tasks.items():
        judge = task.judge
        if judge is None or not isinstance(judge.by, EndpointSettings):
            continue
        if task.pilot and task.pilot.judge:
            notes.append(f"{name}: what the judge is asked of the pilot's last students is not priced")
        if task.students is None:
            continue
        questions = _questions(config, name, task)
        if questions is None:
            notes.append(
                f"{name}: how many verdicts the judge is asked for is known when the test set is; "
                f"set tasks.{name}.students.test_records to price them now"
            )
            continue
        named = judge.template in JUDGE_TEMPLATES
        template = read_judge_template(templates / f"{judge.template}.txt" if named else judge.template)
        # Question with its reference, and the answer.
        length = sum(map(len, template.text.pieces()[::2])) // CHARACTERS_PER_TOKEN + 2 * task.anchors.assumed_tokens
        trained = len(task.student_conditions()) - 1
        answers = questions * (1 + trained * task.students.seeds)
        rl = task.students.rl
        if rl is not None and rl.reward == "judge":
            answers += len(rl.of) * task.students.seeds * rl.steps * rl.prompts * rl.answers
        wanted = judge.verdicts * (answers + len(PROBES) * min(judge.calibration, questions))
        store = Store(store_file(config.stores, name, JUDGE, "", judge.by.model_dump()))
        used, missing = store.usage, max(0, wanted - len(store))
        estimates[f"{name} {JUDGE}"] = Estimate.of(
            judge.by.prices,
            used,
            input_tokens=missing * (length + CHAT_TOKENS),
            expected=round(missing * used.completion_tokens / used.responses) if used.responses else None,
            worst=missing * judge.sampling.max_tokens,
            kept=len(store),
            requests=missing,
            rule=f"answers of {task.anchors.assumed_tokens} tokens",
        )
    return estimates, notes


def _questions(config: Config, name: str, task: Task) -> int | None:
    """Test records that are asked, as far as that is known; None where it is not."""
    assert task.students is not None
    made = Path(config.results) / name / "anchors" / "test.jsonl"
    if made.is_file():
        known: int | None = sum(1 for _ in read_rows(made))
    elif task.anchors.source == EMBEDDED:
        known = config.world.test_records
    elif task.anchors.is_here:
        known = len(source_split(task.anchors.read_settings(), config.seed).test)
    else:
        known = None
    bounds = [number for number in (known, task.students.test_records) if number is not None]
    return min(bounds) if bounds else None
