"""What the verdicts still missing will cost, before any answer is there to be judged."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ggmi.config.students import JUDGE_TEMPLATES
from ggmi.config.tasks import EMBEDDED
from ggmi.io import read_json
from ggmi.models.cost import CHARACTERS_PER_TOKEN, CHAT_TOKENS, Estimate
from ggmi.models.settings import EndpointSettings
from ggmi.models.store import Store
from ggmi.pilot.halving import MOST_SEEDS, SEEDS
from ggmi.pilot.settings import MOST_RATED
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
        known = _test_records(config, name, task)
        answers, probed = _pilot_answers(config, name, task, known, notes), 0
        if task.students is not None:
            bounds = [number for number in (known, task.students.test_records) if number is not None]
            if bounds:
                questions = min(bounds)
                answers += _student_answers(task, questions)
                probed = min(judge.calibration, questions)
            else:
                notes.append(
                    f"{name}: how many verdicts on students' answers the judge is asked for is known when the test set "
                    f"is; set tasks.{name}.students.test_records to price them now"
                )
        if not answers:
            continue
        named = judge.template in JUDGE_TEMPLATES
        template = read_judge_template(templates / f"{judge.template}.txt" if named else judge.template)
        # Question with its reference, and the answer.
        length = sum(map(len, template.text.pieces()[::2])) // CHARACTERS_PER_TOKEN + 2 * task.anchors.assumed_tokens
        wanted = judge.verdicts * (answers + len(PROBES) * probed)
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


def _student_answers(task: Task, questions: int) -> int:
    """Answers of students that are rated, and those that rewards are drawn for."""
    assert task.students is not None
    trained, rl = len(task.student_conditions()) - 1, task.students.rl
    answers = questions * (1 + trained * task.students.seeds)
    if rl is not None and rl.reward == "judge":
        answers += len(rl.of) * task.students.seeds * rl.steps * rl.prompts * rl.answers
    return answers


def _pilot_answers(config: Config, name: str, task: Task, known: int | None, notes: list[str]) -> int:
    """Answers of a pilot's last students: those of one that is done, else as if nothing were left out on the way."""
    if task.pilot is None or not task.pilot.judge:
        return 0
    done = Path(config.results) / name / "pilot" / "pilot.json"
    found = read_json(done) if done.is_file() else {"rating": None}
    if found["rating"]:
        return int(found["rating"]["records"] * len(found["rating"]["arms"]) * found["seeds"])
    asked = MOST_RATED if known is None else min(MOST_RATED, known)
    sets = len(task.conditions()) * len(task.curations)
    arms = 1 + sets * (2 if task.pilot.mixtures else 1)
    notes.append(
        f"{name}: of the pilot the most is priced, {asked} answers of each of {MOST_SEEDS} students of all {arms} sets "
        f"compared; where its tokens do not pay for all of their records, mostly two sets with {SEEDS} students each "
        "are left to be rated"
    )
    return asked * MOST_SEEDS * arms


def _test_records(config: Config, name: str, task: Task) -> int | None:
    """Records of a task's test set; None where that is not known yet."""
    made = Path(config.results) / name / "anchors" / "test.jsonl"
    if made.is_file():
        return sum(1 for _ in read_rows(made))
    if task.anchors.source == EMBEDDED:
        return int(config.world.test_records)
    if task.anchors.is_here:
        return len(source_split(task.anchors.read_settings(), config.seed).test)
    return None
