import pytest

from ggmi.errors import UserError
from ggmi.models.protocol import Failure, Outcome
from ggmi.models.store import Store
from ggmi.pipeline.responses import (
    ENOUGH,
    RecordWatch,
    check_outcome,
    collected,
    cut_prompts,
    prompts_of,
    requests_of,
    response_of,
    store_file,
)
from ggmi.text.format import Format
from ggmi.text.jsonl import read_rows, write_rows
from ggmi.text.records import Record
from ggmi.text.templates import Template, TextTemplate

TEMPLATE = Template(TextTemplate("Like\n{{ anchors }}", "test", ["anchors"], []))
POOL = [Record(f"a{i}", f"Say {i}.", "", str(i)) for i in range(6)]
HOW = {"prompts": 4, "count": 5, "draw": "nested"}
SAMPLING = {"temperature": 0.5, "top_p": 1.0, "max_tokens": 10, "stop": ["x"]}
IDENTITY = {"kind": "local", "model": "m"}


def test_prompts_show_as_many_anchors_as_are_asked_and_do_not_depend_on_other_conditions():
    few, many = (prompts_of(POOL, TEMPLATE, x, HOW, 1, "tasks.t") for x in (2, 5))
    assert [len(p.anchor_ids) for p in (*few, *many)] == [2] * 4 + [5] * 4
    assert [p.anchor_ids for p in few] == [p.anchor_ids[:2] for p in many]
    more = prompts_of(POOL, TEMPLATE, 2, {**HOW, "prompts": 6}, 1, "tasks.t")
    assert more[:4] == few


def test_fewer_anchors_than_instances_are_told_with_the_key_and_what_is_allowed():
    with pytest.raises(UserError) as caught:
        prompts_of(POOL, TEMPLATE, 7, HOW, 1, "tasks.t")
    assert str(caught.value) == (
        "tasks.t.instances: 7 anchors are wanted in a prompt, and tasks.t.anchors.source gives 6 to choose from; "
        "allowed: up to 6"
    )


def test_every_draw_of_every_prompt_is_asked_once():
    prompts = prompts_of(POOL, TEMPLATE, 3, HOW, 1, "tasks.t")
    requests = requests_of(prompts, IDENTITY, SAMPLING, system="Be brief.", draws=3)
    assert [(r.prompt_id, r.draw) for r in requests] == [(p.id, d) for p in prompts for d in range(3)]
    assert len({r.key() for r in requests}) == 12
    assert {(r.sampling.temperature, r.sampling.stop, r.system) for r in requests} == {(0.5, ("x",), "Be brief.")}


def test_a_prompt_that_comes_twice_is_asked_for_responses_of_its_own():
    # Two anchors can be put in order in two ways only.
    prompts = prompts_of(POOL[:2], TEMPLATE, 2, {**HOW, "prompts": 8}, 1, "tasks.t")
    assert len({p.id for p in prompts}) == 2
    requests = requests_of(prompts, IDENTITY, SAMPLING, system="", draws=2)
    assert len({r.key() for r in requests}) == 16
    # The first of each are those of a run without repetitions.
    alone = requests_of(prompts[:1], IDENTITY, SAMPLING, system="", draws=2)
    assert [r.key() for r in requests[:2]] == [r.key() for r in alone]


def test_what_is_collected_comes_in_the_order_of_the_requests_without_times(tmp_path, answered):
    requests = requests_of(prompts_of(POOL, TEMPLATE, 3, HOW, 1, "t"), IDENTITY, SAMPLING, system="", draws=1)
    store = Store(tmp_path / "store.jsonl")
    with store.writing():
        for request in reversed(requests[1:]):
            store.append(answered(request, request.prompt_id, seconds=9.0, attempts=3))
    rows = list(collected(store, requests))
    assert [row["text"] for row in rows] == [r.prompt_id for r in requests[1:]]
    assert not {"seconds", "attempts"} & set(rows[0])
    spans = ((0, 3, -1.0), (3, 4, -0.5))
    response = answered(requests[0], "text", token_log_probs=spans, seconds=0.0)
    assert response_of({"prompt_id": "p", "draw": 0, **response.content()}) == response


def test_half_a_surrogate_pair_in_a_response_survives_the_way_through_the_files(tmp_path, answered):
    (request,) = requests_of(
        prompts_of(POOL, TEMPLATE, 3, {**HOW, "prompts": 1}, 1, "t"), IDENTITY, SAMPLING, system="", draws=1
    )
    text = 'half \ud83d, whole \U0001f600, NUL \x00, ü, "\u202e"'
    store = Store(tmp_path / "store.jsonl")
    with store.writing():
        store.append(answered(request, text))
    write_rows(tmp_path / "rows.jsonl", collected(store, [request]))
    ((_, row),) = read_rows(tmp_path / "rows.jsonl")
    assert response_of(row).text == text


def failures(count):
    return tuple(Failure("k", "p", "HTTP 500", f"HTTP 500: broken {i}", 8) for i in range(count))


def test_a_run_that_stopped_early_says_why_and_what_is_kept():
    with pytest.raises(UserError) as caught:
        check_outcome(Outcome(3, stopped="max_cost: 2 would be passed"), wanted=10, missing=7, allowed=0.9)
    assert str(caught.value) == "max_cost: 2 would be passed; 3 of 10 responses are kept"


def test_missing_responses_are_told_with_their_reasons_and_allowed_up_to_the_share():
    with pytest.raises(UserError) as caught:
        check_outcome(Outcome(8, failures(2)), wanted=10, missing=2, allowed=0.1)
    assert str(caught.value) == (
        "2 of 10 responses are missing (HTTP 500: 2); the last said: HTTP 500: broken 1; run again to ask for them, "
        "or allow more with missing_allowed (now 0.1)"
    )
    check_outcome(Outcome(8, failures(2)), wanted=10, missing=2, allowed=0.2)
    check_outcome(Outcome(10), wanted=10, missing=0, allowed=0.0)


def test_an_endpoints_conditions_share_a_store_and_other_generators_do_not():
    places = {kind: store_file("s", "t", "g", "3-ins", {"kind": kind}) for kind in ("openai", "vllm", "local", "world")}
    assert places.pop("openai") == "s/t/g.jsonl"
    assert set(places.values()) == {"s/t/g/3-ins.jsonl"}


GOOD = '{"instruction": "Add.", "response": "3"}'


def watched(texts, kept=(), **form):
    watch = RecordWatch(Format(**form), kept)
    return [watch(text) for text in texts]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            "<think>hm",
            "(thinking_cut: 36, the response ends while the model is still thinking); raise sampling.max_tokens",
        ),
        ('{"question": "a", "answer": "b"}', "the keys seen are 'answer', 'question'; name them in prompts.fields"),
        (
            GOOD.replace('"}', '",}'),
            "bad_json: 36, an object begins and is not correct JSON); set prompts.repair: true",
        ),
        ("I would rather not.", "look at them with `ggmi parse`"),
    ],
)
def test_dozens_of_answers_without_a_record_are_told_with_what_to_do(text, told):
    said = watched([text] * ENOUGH)
    assert said[:-1] == [None] * (ENOUGH - 1)
    assert told in said[-1]
    # So are those of an earlier run, before anything is asked.
    assert told in RecordWatch(Format(), [text] * 40).reason()


def test_one_record_among_them_is_enough_to_go_on():
    assert set(watched(["no"] * (ENOUGH - 1) + [GOOD] + ["no"] * 2 * ENOUGH)) == {None}
    assert set(watched(["no"] * 2 * ENOUGH, [GOOD])) == {None}
    mapped = GOOD.replace("response", "output")
    assert set(watched([mapped] * ENOUGH, names={"response": "output"})) == {None}


def test_prompts_that_an_endpoint_cuts_are_counted(tmp_path, answered):
    prompts = prompts_of([Record(f"a{i}", f"word{i} " * 60, "", "x") for i in range(6)], TEMPLATE, 3, HOW, 1, "tasks.t")
    requests = requests_of(prompts, IDENTITY, SAMPLING, system="", draws=1)
    store = Store(tmp_path / "s.jsonl")
    assert cut_prompts(store, requests, "m", None) == 0
    with store.writing():
        for request, tokens in zip(requests, (330, 240, 100, 0), strict=True):
            store.append(answered(request, prompt_tokens=tokens))
    assert cut_prompts(store, requests, "m", None) == 2
