"""What `ggmi estimate` says of sets of every kind that misled it: what a reasonable person expects, a row each."""

import json
import shutil

import numpy as np
import pytest

from ggmi.estimating import estimated
from ggmi.information.local_encoder import default_encoder
from ggmi.random import stream
from ggmi.reporting.estimation import explanations, findings, summary_rows
from ggmi.text.samples import read_sample

NOUNS = ("glacier", "violin", "harvest", "satellite", "harbour", "orchard", "compiler", "beehive", "tram", "novel")
TRAITS = ("silent", "ancient", "fragile", "busy", "frozen", "remote", "golden", "noisy", "narrow", "humble")
PLACES = ("in Lima", "on the moon", "under snow", "by the sea", "at night", "in spring", "near the dam", "up north")
PICTURES = "🎻🚪🥖🧭🪵🚲🌧🧊🦔🐐🛶🏔"
THAI = ("แม่น้ำ", "ภูเขา", "ดาวเทียม", "ไวโอลิน", "สวนผลไม้", "รถราง", "นวนิยาย", "ท่าเรือ", "ผึ้ง", "ฤดูใบไม้ผลิ")
HAN = "书纸路花墨灯针山鱼草布牛糖雨窗桥"
SYSTEM = "You are a patient assistant of the city library. Answer in one sentence.\n"
PAGE = "The minutes of the council of the year {0} tell of {1} and {2}, and of nothing else that matters here. "


def sentences(name, n, answer=None, ask="Describe a {0} {1}.", context="", system=""):
    """Tasks with varied answers of one law, or with those of a function of the draw."""
    draw, rows = stream(3, "kinds", name), []
    for _ in range(n):
        trait, noun, place = (str(draw.choice(words)) for words in (TRAITS, NOUNS, PLACES))
        said = answer(draw) if answer else f"The {noun} {place} is {trait}, and few {noun}s are."
        around = "".join(context.format(draw.integers(900), noun, draw.choice(NOUNS)) for _ in range(14))
        rows.append({"instruction": system + ask.format(trait, noun), "context": around, "response": said})
    return rows


def drawn(words, count, joined=""):
    """Answers of so many words."""
    return lambda draw: joined.join(draw.choice(list(words), count))


def labels(share):
    """Answers yes and no."""
    return lambda draw: "yes" if draw.random() < share else "no"


T, FRESH = sentences("T", 30), sentences("fresh", 30)
# Kind: T, the sets, parts, and what must be said (a term with the words of its sentence).
KINDS = {
    "labels that are nearly all the same: the like set is the closest, and no set is without an estimate": (
        sentences("labels T", 60, labels(0.9)),
        {"alike": sentences("labels", 60, labels(0.9)), "essays": sentences("essays", 60)},
        ["response"],
        {"Closest to T": "alike (mmd", "Differs from T": "essays; inside noise: alike"},
    ),
    "one record again and again: the most redundant, and the other the closest": (
        T,
        {"same": FRESH[:1] * 30, "fresh": FRESH},
        None,
        {"Closest to T": "fresh (mmd", "Most redundant": "same (near", "Most diverse": "fresh (vendi"},
    ),
    "T is one record: nothing connects, and both sets differ from it": (
        T[:1] * 20,
        {"fresh": FRESH, "other": sentences("other", 20)},
        None,
        {"Differs from T": "every set", "Depends on what it is paired with": "not estimated"},
    ),
    "refusals after long contexts: they are no good answers": (
        sentences("long T", 12, context=PAGE),
        {
            "good": sentences("long good", 12, context=PAGE),
            "refusals": sentences("long no", 12, lambda _: "Sorry, no.", context=PAGE),
        },
        None,
        {"Closest to T": "good (mmd", "Differs from T": "refusals; inside noise: good"},
    ),
    "pictures that the encoder does not know: no set is called redundant, and the encoder is named": (
        sentences("pictures T", 20, drawn(PICTURES, 5)),
        {"a": sentences("pictures", 20, drawn(PICTURES, 5)), "words": FRESH[:20]},
        None,
        {"Closest to T": "not told", "Most redundant": "not told", "Differs from T": "not estimated"},
    ),
    "Thai that the encoder does not know: an English set is not the closest": (
        sentences("Thai T", 20, drawn(THAI, 6), ask="จงเล่าเรื่อง"),
        {"thai": sentences("Thai", 20, drawn(THAI, 6), ask="จงเล่าเรื่อง"), "english": FRESH[:20]},
        None,
        {"Closest to T": "not told", "Most diverse": "not told, for it takes two sets with an estimate (vendi)"},
    ),
    "one of three sets is unread: the others are compared, and it is named": (
        T,
        {"fresh": FRESH, "thai": sentences("Thai", 30, drawn(THAI, 6)), "no": sentences("no", 30, lambda _: "No.")},
        None,
        {"Closest to T": "fresh (mmd, Holm-corrected); left out, without an estimate: thai (the encoder does not see"},
    ),
    "a system prompt before everything: what follows is compared": (
        sentences("T", 30, system=SYSTEM),
        {"fresh": sentences("fresh", 30, system=SYSTEM), "no": sentences("no", 30, lambda _: "No.", system=SYSTEM)},
        None,
        {"Closest to T": "fresh (mmd", "Differs from T": "no; inside noise: fresh"},
    ),
    "sets of the law of T: nothing is said of any": (
        T,
        {"fresh": FRESH, "more": sentences("more", 30)},
        None,
        {
            "Closest to T": "No set stands out",
            "Most diverse": "No set stands out",
            "Most redundant": "No set stands out",
            "Most contaminated": "No set stands out",
            "Differs from T": "no set, all are inside noise",
            "Repeats T more than T repeats itself": "no set, all are inside noise",
            "Depends on what it is paired with": "not asked, for nothing connects records of fresh and more",
        },
    ),
    "two thirds of T copied: it is said to repeat T": (
        T,
        {"copies": [*T[:20], *FRESH[:10]], "fresh": FRESH},
        None,
        {"Repeats T more than T repeats itself": "copies; inside noise: fresh"},
    ),
}


@pytest.fixture(scope="module")
def encoder():
    """Loaded once."""
    return default_encoder()


def sample(path, rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return read_sample(path)


@pytest.fixture(scope="module")
def answer(encoder, tmp_path_factory):
    """What the command finds of rows."""

    def make(train, sets, parts=None):
        folder = tmp_path_factory.mktemp("kinds")
        samples = [sample(folder / f"{name}.jsonl", rows) for name, rows in {"train": train, **sets}.items()]
        return estimated(samples, list(sets), encoder=encoder, **({"parts": parts} if parts else {}))

    return make


def told(found):
    return dict(findings({one["name"]: one["estimates"] for one in found["sets"]}, found["comparisons"]))


@pytest.mark.parametrize("kind", KINDS)
def test_what_a_reasonable_person_expects_is_said(answer, kind):
    *given, expected = KINDS[kind]
    said = told(answer(*given))
    assert {term: said[term][: len(words)] for term, words in expected.items()} == expected


def test_what_the_encoder_does_not_see_stands_beside_the_columns_and_in_the_file(answer):
    few = sentences("mixed", 39) + sentences("Thai", 1, drawn(THAI, 6))
    found = answer(sentences("T", 40), {"few": few, "thai": sentences("Thai", 40, drawn(THAI, 6))})
    of_few, of_thai = (one["seen"] for one in found["sets"])
    assert found["train"]["seen"]["unknown_tokens"] == found["train"]["seen"]["cut_tokens"] == 0
    assert (of_few["unread_records"], of_thai["unread_records"]) == (1, 40)
    rows = [{row["estimator"]: row for row in one["estimates"]} for one in found["sets"]]
    # A record of forty is told beside the value; where all are unread there is none, and what reads words stays.
    assert rows[0]["vendi"]["value"] > 1
    assert rows[0]["vendi"]["note"].endswith("in 1 of the 40 records of the set")
    assert rows[1]["vendi"]["value"] is None
    assert "--encoder" in rows[1]["vendi"]["note"]
    assert rows[1]["distinct_2"]["value"] > 0
    assert rows[1]["exact_duplicates"]["value"] == 0
    _, cells = summary_rows({one["name"]: one["estimates"] for one in found["sets"]})
    assert sum(" ?" in value for value, _ in cells[0]) >= 6
    assert any(line.startswith("Of few the encoder does not know ") for line in explanations(found))


def test_a_shared_prefix_is_said_and_kept_in_the_file(answer):
    found = answer(sentences("T", 8, system=SYSTEM), {"fresh": sentences("fresh", 8, system=SYSTEM), "plain": T[:8]})
    assert [one["prefix"] for one in (found["train"], *found["sets"])] == [{"instruction": SYSTEM}] * 2 + [{}]
    said = [line for line in explanations(found) if line.startswith("Every instruction of T and fresh begins with")]
    assert len(said) == 1
    plain = answer(sentences("T", 8), {"fresh": sentences("fresh", 8), "plain": T[:8]})
    assert [one["estimates"] for one in found["sets"]] == [one["estimates"] for one in plain["sets"]]


def test_the_same_bytes_under_another_name_give_the_same_numbers(encoder, tmp_path):
    keyed = [{**row, "prompt_id": f"p{i // 2}"} for i, row in enumerate(FRESH[:16])]
    (tmp_path / "elsewhere").mkdir()
    train, made = sample(tmp_path / "t.jsonl", T[:16]), sample(tmp_path / "s.jsonl", keyed)
    for one in ("t", "s"):
        shutil.copy(tmp_path / f"{one}.jsonl", tmp_path / "elsewhere" / f"0 {one}.jsonl")
    copies = [read_sample(tmp_path / "elsewhere" / f"0 {one}.jsonl") for one in "ts"]
    first, second = (estimated(each, ["s"], encoder=encoder)["sets"][0] for each in ([train, made], copies))
    assert first["estimates"] == second["estimates"]
    # A file against itself is as one against its copy.
    itself, copied = (
        estimated(each, ["t"], encoder=encoder)["sets"][0] for each in ([train, train], [train, copies[0]])
    )
    assert itself["estimates"] == copied["estimates"]


def test_parts_hold_for_every_estimator(answer):
    """What is in other fields changes nothing."""
    other = [{**row, "instruction": f"{i} {row['instruction'][::-1]}"} for i, row in enumerate(FRESH[:16])]
    found = [answer(T[:16], {"s": rows}, ["response"])["sets"][0]["estimates"] for rows in (FRESH[:16], other)]
    assert found[0] == found[1]
    whole = answer(T[:16], {"s": other})["sets"][0]["estimates"]
    changed = {a["estimator"] for a, b in zip(found[0], whole, strict=True) if a["value"] != b["value"]}
    assert {"distinct_2", "vendi", "mmd"} <= changed
    assert np.isfinite([row["value"] for row in found[0] if row["estimator"] in changed]).all()
