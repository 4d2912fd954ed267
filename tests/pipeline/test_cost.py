from pathlib import Path

import pytest

from ggmi.config import load
from ggmi.errors import UserError
from ggmi.io import write_json
from ggmi.models.backend import backend
from ggmi.models.store import Store
from ggmi.pipeline.anchors import source_sets
from ggmi.pipeline.cost import generation_cost
from ggmi.pipeline.judge_cost import judge_cost
from ggmi.pipeline.responses import prompts_of, requests_of
from ggmi.text.records import write_records
from ggmi.text.templates import read_template

TEMPLATES = Path(__file__).parents[2] / "workflow/templates"
ENDPOINT = {"kind": "openai", "model": "m", "prices": {"input": 1.0, "output": 2.0}}


@pytest.fixture
def configured(tmp_path, lines):
    """A configuration with one task, whose anchors are a file of twenty records or something else."""
    rows = [{"instruction": f"Say the number {i}.", "context": "", "response": str(i)} for i in range(20)]

    def make(source=None, **task):
        values = {
            "title": "T",
            "anchors": {"source": source or str(lines(rows))},
            "instances": [2, 4],
            "prompts": {"prompts": 3, "draws": 2, "count": 5},
            "sampling": {"max_tokens": 100},
            "generators": {"far": ENDPOINT},
        }
        folders = {name: str(tmp_path / name) for name in ("results", "stores")}
        return load({**folders, "tasks": {"embedded": None, "t": {**values, **task}}})

    return make


def wanted(config):
    task = config.tasks["t"]
    pool = source_sets(task.anchors.read_settings(), config.seed)[0].pool
    template, how = read_template(TEMPLATES / "prompt.txt"), task.prompts.model_dump()
    identity = backend(task.generators["far"]).identity
    prompts = [p for x in task.instances for p in prompts_of(pool, template, x, how, config.seed, "t")]
    return requests_of(prompts, identity, task.sampling.model_dump(), system="", draws=2)


def test_everything_of_a_file_of_anchors_is_counted_and_priced(configured):
    config = configured()
    estimates, notes = generation_cost(config, TEMPLATES)
    found = estimates["t far"]
    assert notes == []
    assert (found.requests, found.kept) == (2 * 3 * 2, 0)
    characters = sum(len(request.prompt) for request in wanted(config))
    assert found.input_tokens == pytest.approx(characters / 4 + 12 * 10, abs=12)
    assert found.worst_output_tokens == 12 * 100
    assert found.expected_output_tokens == 12 * 100  # five records of 120 tokens are more than max_tokens allows
    assert found.worst_price == pytest.approx((found.input_tokens + 2 * 1200) / 1e6)
    assert found.spent == 0


def test_what_is_kept_is_paid_for_and_not_counted_again(configured, answered):
    config = configured()
    requests = wanted(config)
    store = Store(f"{config.stores}/t/far.jsonl")
    with store.writing():
        for request in requests[:5]:
            store.append(answered(request))
    found = generation_cost(config, TEMPLATES)[0]["t far"]
    assert (found.requests, found.kept) == (7, 5)
    assert found.spent == pytest.approx(5 * (30 + 2 * 20) / 1e6)
    assert found.expected_output_tokens == 7 * 20  # as long as those at hand
    # A setting that decides responses asks for all of them anew.
    hotter = configured(sampling={"max_tokens": 100, "temperature": 0.5})
    assert generation_cost(hotter, TEMPLATES)[0]["t far"].requests == 12
    # One that decides none asks for no more.
    faster = configured(generators={"far": {**ENDPOINT, "concurrency": 3, "budget": {"max_cost": 1}}})
    assert generation_cost(faster, TEMPLATES)[0]["t far"].requests == 7


def test_anchors_that_are_not_at_hand_are_stood_in_for_and_that_is_said(configured):
    config = configured("somebody/somewhere")
    estimates, notes = generation_cost(config, TEMPLATES)
    assert notes == [
        "t: the anchors of somebody/somewhere are not at hand, so each is taken for 120 tokens "
        "(tasks.t.anchors.assumed_tokens)"
    ]
    found = estimates["t far"]
    assert found.requests == 12
    per_anchor = 120 * (2 + 4) * 3 * 2
    assert per_anchor < found.input_tokens < 1.3 * per_anchor + 12 * 600


def test_a_data_set_that_an_earlier_run_has_read_needs_no_stand_ins(configured, lines):
    config = configured("somebody/somewhere")
    pool = source_sets(configured().tasks["t"].anchors.read_settings(), config.seed)[0].pool
    write_records(f"{config.results}/t/anchors/pool.jsonl", pool)
    estimates, notes = generation_cost(config, TEMPLATES)
    assert notes == []
    assert estimates["t far"] == generation_cost(configured(), TEMPLATES)[0]["t far"]


def test_the_worlds_anchors_are_always_at_hand(configured):
    config = configured("embedded", prompts={"template": "embedded", "prompts": 3, "count": 5})
    estimates, notes = generation_cost(config, TEMPLATES)
    assert notes == []
    assert estimates["t far"].requests == 6


def test_generators_that_cost_nothing_are_left_out(configured):
    assert generation_cost(configured(generators={"near": {"kind": "local", "model": "m"}}), TEMPLATES) == ({}, [])


def test_too_few_anchors_are_told_before_anything_is_priced(configured):
    with pytest.raises(UserError, match=r"^tasks\.t\.instances: 17 anchors are wanted in a prompt"):
        generation_cost(configured(instances=[17]), TEMPLATES)


def test_answers_that_a_judge_rewards_are_priced_with_those_that_it_rates(configured):
    students = {"base": "m", "seeds": 2, "test_records": 3, "rl": {"steps": 5, "prompts": 4, "answers": 6}}
    judge = {"by": ENDPOINT, "verdicts": 2, "calibration": 6}
    rewarded, notes = judge_cost(configured(students=students, judge=judge), TEMPLATES)
    rated, _ = judge_cost(configured(students={**students, "rl": None}, judge=judge), TEMPLATES)
    assert notes == []
    # One more condition of two students is rated on three records, and two students learn from 5 · 4 · 6 answers.
    assert rewarded["t judge"].requests - rated["t judge"].requests == 2 * (2 * 3 + 2 * 5 * 4 * 6)


def test_what_a_pilots_judge_is_asked_is_priced_before_and_after(configured):
    task = {"judge": {"by": ENDPOINT, "verdicts": 2, "sampling": {"max_tokens": 50}}, "curations": {"a": {}, "b": {}}}
    config = configured(**task, pilot={"judge": True, "mixtures": True})
    estimates, (note,) = judge_cost(config, TEMPLATES)
    tested = len(source_sets(config.tasks["t"].anchors.read_settings(), config.seed)[0].test)
    # T, the four sets of two conditions and two curations, and T with each of them; five students each.
    assert estimates["t judge"].requests == 2 * tested * 5 * (1 + 4 + 4)
    assert estimates["t judge"].worst_output_tokens == 50 * estimates["t judge"].requests
    assert note.startswith(f"t: of the pilot the most is priced, {tested} answers of each of 5 students of all 9 sets")
    # A test set that nobody has read is asked at most a hundred records of.
    away, _ = judge_cost(configured("somebody/somewhere", **task, pilot={"judge": True}), TEMPLATES)
    assert away["t judge"].requests == 2 * 100 * 5 * 5
    assert judge_cost(configured(pilot={}), TEMPLATES) == ({}, [])
    # Once it is done, it is known who was rated.
    rating = {"records": tested, "arms": [{"arm": "T"}, {"arm": "x"}]}
    write_json(f"{config.results}/t/pilot/pilot.json", {"rating": rating, "seeds": 3})
    estimates, notes = judge_cost(config, TEMPLATES)
    assert (estimates["t judge"].requests, notes) == (2 * tested * 2 * 3, [])


def test_a_pilots_judge_is_priced_with_that_of_students(configured):
    judge = {"by": ENDPOINT, "verdicts": 1, "calibration": 6}
    students = {"base": "m", "seeds": 2, "test_records": 3}
    alone = judge_cost(configured(judge=judge, pilot={"judge": True}), TEMPLATES)[0]["t judge"].requests
    both = judge_cost(configured(judge=judge, students=students, pilot={"judge": True}), TEMPLATES)[0]
    rated = judge_cost(configured(judge=judge, students=students), TEMPLATES)[0]
    assert list(both) == ["t judge"]
    assert both["t judge"].requests == alone + rated["t judge"].requests
    away, notes = judge_cost(
        configured("somebody/somewhere", judge=judge, students={"base": "m"}, pilot={"judge": True}), TEMPLATES
    )
    assert away["t judge"].requests == 100 * 5 * 3
    assert notes[1].startswith("t: how many verdicts on students' answers the judge is asked for is known when")
