"""Sets are named for what their records are, with examples; sets of T's own law are not."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from ggmi.information.local_encoder import default_encoder
from ggmi.pipeline.embedded_sets import Embedded, embedded
from ggmi.pipeline.naming import KINDS, LEAST, named_sets
from ggmi.pipeline.wording import repeats_by_words
from ggmi.text.records import FIELDS
from ggmi.text.samples import read_rows

WORDS = """
teacher farmer sailor doctor pilot baker judge painter nurse clerk singer guard miner tailor author
opened carried watched painted repaired counted bought sold hid washed praised feared lifted found
window basket letter engine ladder violin bottle lantern carpet mirror barrel saddle kettle hammer
harbour kitchen garden station library market valley church tunnel theatre cellar meadow castle
yesterday tonight early later twice again quickly slowly rarely often gladly secretly
"""
WHO, DID, WHAT, WHERE, WHEN = map(str.split, WORDS.strip().splitlines())
GERMAN = "Der Lehrer hat heute früh das Fenster geöffnet, weil es im Zimmer zu warm geworden war. Danach las er."
DIMENSIONS = 8


def sentence(draw):
    who, did, what, where, when = (words[draw.integers(len(words))] for words in (WHO, DID, WHAT, WHERE, WHEN))
    return (
        f"{when.capitalize()} a {who} {did} this {what} near the {where}.",
        f"The {what} was {did} by our {who}, {when}, in a {where}.",
        f"In that {where} {when} stood some {who} who {did} one {what}.",
        f"It is the {who}’s {what} that they {did} {when} at the {where}.",
    )[draw.integers(4)]


def fresh(draw, count):
    """Records of one law: a question and an answer of three sentences."""
    return [
        {"instruction": f"What happened? {sentence(draw)}", "response": " ".join(sentence(draw) for _ in range(3))}
        for _ in range(count)
    ]


def read(rows, draw, middle=(1.0, 0.0), name="set"):
    """A set, its embeddings about some direction."""
    centre = np.resize([*middle, *[0.0] * DIMENSIONS], DIMENSIONS)
    vectors = centre + 0.3 * draw.normal(size=(len(rows), DIMENSIONS))
    return Embedded(read_rows([{**row} for row in rows], name), vectors)


def named(train, *sets):
    repeats = repeats_by_words([train.sample, *(one.sample for one in sets)], FIELDS)
    return named_sets(sets, train, repeats, seed=3)


def cut(text):
    return text[: len(text) * 3 // 5].rstrip(" .,’")


SPOILT = {
    "cut_off": lambda row, _: {**row, "response": cut(row["response"])},
    "language": lambda row, i: {**row, "response": f"{GERMAN} {i * 7919}."},
    "one_word": lambda row, i: {**row, "response": f"w{i}"},
    "refusals": lambda row, _: {**row, "response": f"I'm sorry, but I cannot say. {row['response']}"},
    "one_answer": lambda row, _: {**row, "response": "The sailor went home for ever."},
    "echoes": lambda row, _: {**row, "response": row["instruction"].upper() + " " + row["response"]},
    "garbled": lambda row, _: {**row, "response": row["response"].replace(".", " – Ã©tÃ©.")},
    "markup": lambda row, _: {**row, "response": f"<p>{row['response']}</p>"},
    "labels": lambda row, _: {**row, "response": f"### Response: {row['response']}"},
}


@pytest.mark.parametrize("kind", SPOILT)
def test_a_set_is_named_for_its_records_and_shows_three_of_them(kind):
    draw = np.random.default_rng(7)
    train, rows = read(fresh(draw, 150), draw, name="T"), fresh(draw, 120)
    spoilt = [SPOILT[kind](row, i) if i % 3 == 0 else row for i, row in enumerate(rows)]
    ((found,),) = named(train, read(spoilt, draw))
    assert (found["kind"], found["name"], found["n"]) == (kind, KINDS[kind][0], 120)
    assert found["share"] == pytest.approx(1 / 3)
    assert found["ci_low"] < 1 / 3 < found["ci_high"]
    assert found["train_share"] == 0
    assert found["p_holm"] < 1e-9
    assert [example["place"] for example in found["examples"]] == ["row 1", "row 4", "row 7"]
    assert found["examples"][1]["response"] == spoilt[3]["response"]
    assert ("German" in found["records"]) == (kind == "language")


@pytest.mark.parametrize("near", [False, True])
def test_a_copy_of_t_is_shown_beside_the_record_that_it_copies(near):
    draw = np.random.default_rng(8)
    rows = fresh(draw, 100)
    train = read(rows, draw, name="T")
    copies = [{**row, "response": row["response"].replace("the", "that", near)} for row in rows[:40]]
    ((found,),) = named(train, read([*copies, *fresh(draw, 60)], draw))
    assert (found["kind"], found["share"], found["train_share"]) == ("copies", 0.4, 0)
    for i, example in enumerate(found["examples"]):
        assert (example["place"], example["train_place"]) == (f"row {i + 1}", f"row {i + 1}")
        assert example["train_response"] == rows[i]["response"]


def test_other_answers_to_ts_own_prompts_are_no_copies():
    draw = np.random.default_rng(9)
    rows = [{**row, "instruction": " ".join(sentence(draw) for _ in range(12))} for row in fresh(draw, 60)]
    others = [{**row, "response": other["response"]} for row, other in zip(rows, fresh(draw, 60), strict=True)]
    train, made = read(rows, draw, name="T"), read(others, draw)
    assert len(repeats_by_words([train.sample, made.sample], FIELDS)[0].partners) == 60
    assert named(train, made) == [[]]
    ((found,),) = named(train, read(rows, draw))
    assert (found["kind"], found["share"]) == ("copies", 1.0)


def test_what_lies_elsewhere_is_off_task_and_the_farthest_are_shown():
    draw = np.random.default_rng(10)
    train = read(fresh(draw, 150), draw, name="T")
    mixed, elsewhere = read(fresh(draw, 120), draw), read(fresh(draw, 120), draw, middle=(-1.0, 1.0))
    vectors = np.where(np.arange(120)[:, None] < 80, mixed.vectors, elsewhere.vectors)
    ((found,),) = named(train, replace(mixed, vectors=vectors))
    assert found["kind"] == "off_task"
    assert 0.2 < found["share"] < 0.5
    assert found["train_share"] < 0.1
    assert all(int(example["place"].split()[1]) > 80 for example in found["examples"])
    assert all(example["train_response"] for example in found["examples"])


FAR = {
    "zh": (
        "老师 农民 医生 画家",
        "今天早上 昨天晚上 上个星期",
        "修好了窗户 买了苹果 写了长信",
        "{1}，{0}{2}，然后回家。",
        "很抱歉，我无法提供这些信息。{}",
    ),
    "hi": (
        "अध्यापक किसान डॉक्टर",
        "आज कल परसों",
        "आए गए सोए",
        "{1} {0} बहुत देर से {2} और सब खुश थे। ",
        "क्षमा करें, मैं आपकी मदद नहीं कर सकता। {}",
    ),
    "ru": (
        "учитель фермер врач",
        "утром вечером днём",
        "пришёл уехал заснул",
        "Сегодня {1} {0} {2} очень поздно. ",
        "К сожалению, я не могу помочь. {}",
    ),
}


@pytest.mark.parametrize("language", FAR)
def test_sets_in_other_languages_are_named_as_english_ones_are(language):
    draw = np.random.default_rng(14)
    *words, form, refusal = FAR[language]

    def rows():
        texts = ["".join(form.format(*(draw.choice(w.split()) for w in words)) for _ in range(5)) for _ in range(240)]
        return [{"instruction": q, "response": a.strip()} for q, a in zip(texts[::2], texts[1::2], strict=True)]

    train, whole = read(rows(), draw, name="T"), rows()
    cut_short = [
        {**row, "response": row["response"][: len(row["response"]) * 3 // 5 - i % 5]} for i, row in enumerate(whole)
    ]
    declined = [{**row, "response": refusal.format(i)} for i, row in enumerate(whole)]
    assert named(train, read(whole, draw)) == [[]]
    spoilt = [(cut_short if i % 3 == 1 else declined if i % 3 == 2 else whole)[i] for i in range(120)]
    (found,) = named(train, read(spoilt, draw))
    shares = {row["kind"]: row["share"] for row in found}
    assert shares["refusals"] == pytest.approx(1 / 3)
    assert 0.25 < shares["cut_off"] <= 1 / 3
    assert set(shares) == {"refusals", "cut_off"}
    ((foreign,),) = named(read(fresh(draw, 150), draw, name="T"), read(whole, draw))
    assert (foreign["kind"], foreign["share"]) == ("language", 1.0)


@pytest.mark.parametrize("size", [8, 40, 120])
def test_sets_of_ts_own_law_are_not_named(size):
    draw = np.random.default_rng(size)
    flawed = [SPOILT[kind] for kind in SPOILT if kind != "one_answer"]
    for _ in range(3):
        # A law that has every flaw, each in one record of thirty.
        rows = [
            flawed[j](row, i) if (j := draw.integers(30)) < len(flawed) else row
            for i, row in enumerate(fresh(draw, 3 * size))
        ]
        train, *sets = (read(rows[i::3], draw, name=f"part {i}") for i in range(3))
        assert named(train, *sets) == [[], []]


def test_a_few_records_in_a_hundred_are_no_alarm():
    draw = np.random.default_rng(11)
    train, rows = read(fresh(draw, 400), draw, name="T"), fresh(draw, 400)
    few = [SPOILT["markup"](row, i) if i < 400 * (LEAST - 0.02) else row for i, row in enumerate(rows)]
    assert named(train, read(few, draw)) == [[]]
    more = [SPOILT["markup"](row, i) if i < 400 * (LEAST + 0.02) else row for i, row in enumerate(rows)]
    assert [row["kind"] for row in named(train, read(more, draw))[0]] == ["markup"]


def test_records_of_one_prompt_count_once_in_the_test():
    draw = np.random.default_rng(12)
    train, rows = read(fresh(draw, 150), draw, name="T"), fresh(draw, 120)
    spoilt = [SPOILT["refusals"](row, i) if i < 24 else row for i, row in enumerate(rows)]
    assert [row["kind"] for row in named(train, read(spoilt, draw))[0]] == ["refusals"]
    # A single prompt of five is declined, with all of its records.
    together = [{**row, "prompt_id": f"p{i // 24}"} for i, row in enumerate(spoilt)]
    assert named(train, read(together, draw)) == [[]]


def test_a_t_without_prose_has_no_language_and_its_own_flaws_name_nobody():
    draw = np.random.default_rng(13)
    code = [
        {"instruction": f"f({i}) = {i * i} + x", "response": f"x = {i}\nprint(x ** 2 + {i * 31})"} for i in range(99)
    ]
    assert named(read(code[::3], draw, name="T"), read(code[1::3], draw)) == [[]]
    train = read([SPOILT["labels"](row, 0) for row in fresh(draw, 90)], draw, name="T")
    assert named(train, read([SPOILT["labels"](row, 0) for row in fresh(draw, 90)], draw)) == [[]]


@pytest.fixture(scope="module")
def real(shared_data):
    """Real tasks, real solutions, real answers of a model to other tasks, all embedded."""
    encoder = default_encoder()
    seeds = [json.loads(line) for line in (shared_data / "seed_tasks.jsonl").read_text().splitlines()[:60]]
    maths = [json.loads(line) for line in (shared_data / "gsm8k/train.jsonl").read_text().splitlines()[:40]]
    answers = pd.read_parquet(shared_data / "answers150.parquet", filters=[("model", "==", "Ein-70B-v0.1")])
    sets = {"tasks": seeds[::2], "further": seeds[1::2], "maths": maths[::2], "sums": maths[1::2]}
    sets["answers"] = answers[:20].to_dict("records")
    return {name: embedded(read_rows(rows, name), encoder) for name, rows in sets.items()}


@pytest.mark.parametrize(
    ("train", "made", "kinds"),
    [
        ("tasks", "further", set()),
        ("tasks", "answers", set()),
        ("maths", "sums", set()),
        ("maths", "tasks", {"off_task"}),
        ("maths", "answers", {"off_task"}),
    ],
)
def test_real_sets_are_named_as_a_person_would(real, train, made, kinds):
    assert {row["kind"] for row in named(real[train], real[made])[0]} == kinds
