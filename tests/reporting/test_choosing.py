"""The sentences that recommend a set, leave it undecided, or say why none is recommended."""

import pytest

from ggmi.reporting.choosing import recommendation, wrongs

NOTHING = dict.fromkeys(("estimator", "outcome", "direction", "odds", "odds_ci_low", "odds_ci_high", "odds_n"))
BY_MMD = {
    "estimator": "mmd",
    "outcome": "length-controlled win rate",
    "direction": -1,
    "odds": 0.78,
    "odds_ci_low": 0.741,
    "odds_ci_high": 0.82,
    "odds_n": 150,
}


def kind(name="labels left in", kind="labels", share=0.3, **more):
    row = {"kind": kind, "name": name, "records": "begin with a label", "share": share, "ci_low": 0.2, "ci_high": 0.4}
    return row | {"n": 2000, "train_share": 0.01, "examples": []} | more


def said(verdict, contenders, chosen=NOTHING, reason="", **named):
    out = [name for name in named if name not in contenders]
    choice = {
        "reason": reason,
        "verdict": verdict,
        "set": contenders[0] if verdict == "take" else None,
        "contenders": contenders,
    }
    sets = [{"name": name, "named": named.get(name, [])} for name in (*contenders, *out)]
    return recommendation({"recommendation": {**choice, **chosen, "not_recommended": out}, "sets": sets})


@pytest.mark.parametrize(
    ("contenders", "than", "beyond"),
    [(["a", "b"], "b", "the interval of b"), (["a", "b", "c"], "another one", "the intervals of b and c")],
)
def test_a_set_is_taken_with_its_odds_and_where_they_come_from(contenders, than, beyond):
    (first, text), (why, reason) = said("take", contenders, BY_MMD)
    assert (first, text) == ("Recommendation", f"Take a. The odds that it is better than {than} are 78 in 100.")
    assert why == "Why"
    assert reason == (
        f"Its MMD² is the lowest, beyond {beyond}. No other estimate that they have tells more: of two real models the "
        "one with the lower MMD² had the higher length-controlled win rate in 78 % [74, 82] of all pairs of 150."
    )


def test_what_is_undecided_says_why():
    (_, text), (_, reason) = said("undecided", ["a", "b"], BY_MMD, "interval")
    assert text == "Undecided among a and b."
    assert reason.startswith("The intervals of MMD² overlap, and no other estimate that they have tells more: of two")
    (_, _), (_, reason) = said("undecided", ["a", "b"], BY_MMD, "repeats")
    assert reason.startswith("The MMD² of a is the lowest, and no other estimate that they have tells more: of two")
    assert reason.endswith("; but it repeats itself more than another set does, and those did not.")
    (_, _), (_, reason) = said("undecided", ["a", "b"], reason="prompts")
    assert reason == "They do not answer the same instructions, as all sets did of which outcomes are known."
    (_, _), (_, reason) = said("undecided", ["a", "b"], reason="estimator")
    assert reason == "No estimate that is of worth for choosing has a value with an interval for each of them."


def test_one_set_and_the_last_set_have_no_odds():
    (_, text), (odds, unknown) = said("take", ["a"])
    assert text == "a may be used: nothing was found in its records that forbids it."
    assert (odds, unknown.split(" ")[0]) == ("Odds", "Unknown")
    cut = kind("truncated", "cut_off", 0.45)
    lines = said("take", ["a"], b=[cut, kind(share=0.3)], c=[kind("a copy of T", "copies", 0.97)], a=[kind()])
    assert lines[0][1] == "Take a, the only one of 3 sets in whose records nothing was found that forbids it."
    assert lines[2:] == [
        ("Mind", "a (labels left in, 30 % of its records)."),
        ("Not recommended", "b (partly truncated, 45 % of its records; labels left in, 30 % of its records)."),
        ("Not recommended", "c (a copy of T, 97 % of its records)."),
    ]


def test_no_set_is_recommended_where_each_is_something_else():
    assert said("none", [], a=[kind("refusals", "refusals")])[0][1] == "Do not use it as it is."
    both = said("none", [], a=[kind("refusals", "refusals")], b=[kind("a copy of T", "copies", 1.0)])
    assert both[0][1] == "Use none of them as they are."


def test_examples_are_short_and_untrusted_texts_are_one_visible_line():
    long = "word " * 60
    example = {"place": "line 3", "id": "x", "instruction": "<b>a\u202eb", "response": f"{long}end"}
    beside = {"train_place": "line 9", "train_instruction": "i", "train_response": "of T\n\nhere"}
    rows = [kind("truncated", "cut_off", examples=[example]), kind(examples=[example | beside])]
    (name, sentence, cut), (_, _, whole) = wrongs({"sets": [{"name": "a\nb", "named": rows}]})
    assert name == "a b"
    assert sentence == "Partly truncated: 30 % [20, 40] of 2,000 records begin with a label; of T 1 %."
    assert cut[0][:2] == ["line 3", "<b>a⟨U+202E⟩b"]
    assert (cut[0][2][0], cut[0][2][-8:], cut[0][3]) == ("…", "word end", "")
    assert (whole[0][2][:9], whole[0][2][-1], whole[0][3]) == ("word word", "…", "line 9: of T here")
