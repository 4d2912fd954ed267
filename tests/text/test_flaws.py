"""Traits of single texts: what is cut off, is garbled or has marks of its making."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ggmi.text.flaws import at_one_length, cut_off, garbled, labelled, marked_up
from ggmi.text.refusals import declines

FINISHED = [
    "It rained. The match was put off.",
    "red, green and blue",
    "Yes",
    "#### 72",
    "Roses are red\nSugar is sweet and it always will be to me\nAnd so are you and all of your good friends too",
    "- Eat more vegetables and whole grains every single day\n- Sleep for eight hours in a dark and quiet room",
    "def add(a, b):\n    return a + b",
    "SELECT name FROM users WHERE age > 30 ORDER BY name",
    "He said: “Come in.”",
    "x = 3\ny = 4\nprint(x + y)",
    "天气很好。我们去公园。",
    "See https://example.org/a.b",
    "The book was written by Dr. Maria Lopez",
    "अध्यापक आज सुबह आए। फिर उन्होंने खिड़की ठीक की।",
    "وصل المعلم اليوم. هل رأيته؟",
    "استاد آج صبح آئے۔ پھر وہ گھر گئے۔",
]
CUT = [
    "It rained. The match was put off, and then the whole of the crowd went",
    "The capital of France is a city on the Seine which has been the seat of",
    "1. Eat more vegetables, whole grains and fruit every day.\n2. Sleep for eight hours in a room that is dark and",
    "天气很好。我们去公园，然后",
    "Sure! Here is what I would do in",
    "先生は窓を直しました。それから家に帰って夕",
    "अध्यापक आज सुबह आए। फिर उन्होंने खिड़की",
    "هل رأيته؟ لقد وصل المعلم اليوم إلى",
    "استاد آج صبح آئے۔ پھر وہ",
    "Учитель пришёл утром. Потом он починил",
]


@pytest.mark.parametrize("text", FINISHED)
def test_what_is_finished_is_not_cut_off(text):
    assert not cut_off(text)
    assert not any(check(text) for check in (garbled, marked_up, labelled, declines))


@pytest.mark.parametrize("text", CUT)
def test_what_stops_in_the_middle_of_a_sentence_is_cut_off(text):
    assert cut_off(text)


SHORTENED = {"dr", "mr", "ms", "st", "vs", "jr", "sr", "mrs", "etc", "inc", "ltd", "bzw", "ggf", "prof"}
WORD = st.text("abcdefghijklmnopqrstuvwxyz", min_size=2, max_size=9).filter(lambda word: word not in SHORTENED)
SENTENCE = st.lists(WORD, min_size=3, max_size=15).map(lambda words: " ".join(words).capitalize() + ".")


@given(st.lists(SENTENCE, min_size=2, max_size=5), st.data())
def test_prose_is_cut_off_wherever_a_later_sentence_is_stopped_within(sentences, data):
    whole, last = " ".join(sentences), sentences[-1]
    at = data.draw(st.integers(1, len(last) - 1))
    assert not cut_off(whole)
    assert cut_off(whole[: len(whole) - len(last) + at])


def test_a_cap_is_where_a_tenth_or_more_stop_unfinished():
    capped = ["as so " * 17] * 3 + ["so on " * 10] * 17
    assert at_one_length(capped, [None] * 20).tolist() == [True] * 3 + [False] * 17
    assert not at_one_length([one[:-1] + "." for one in capped], [None] * 20).any()
    assert not at_one_length(["x " * 50, *["y " * 30] * 19], [None] * 20).any()
    # Labels of one length are no cap, and tokens are told by their column alone.
    assert not at_one_length(["yes"] * 20, [1] * 20).any()
    # In scripts without spaces all answers are one word, and a number may end an answer.
    assert not at_one_length(["ครูซ่อมหน้าต่าง" * (4 + i) for i in range(20)], [None] * 20).any()
    assert not at_one_length([f"{'so ' * 20}{i}" for i in range(20)], [None] * 20).any()
    words = ["no " * (20 + i) for i in range(20)]
    assert at_one_length(words, [64] * 10 + [32] * 10).tolist() == [True] * 10 + [False] * 10
    assert not at_one_length(words, [None] + [64] * 19).any()


@pytest.mark.parametrize(
    "text", ["Ünïcödé, naïve Ærø — “Zürich” costs £5 (½ price), São Paulo: 30 °C", "Â propos", "Ñandú"]
)
def test_utf8_read_as_another_encoding_is_garbled_and_accents_are_not(text):
    assert not garbled(text)
    for encoding in ("cp1252", "latin-1"):
        wrong = text.encode().decode(encoding, errors="replace")
        assert garbled(wrong) == (wrong != text)


def test_marks_of_markup_and_of_turns():
    assert marked_up("<p>One.</p>")
    assert marked_up("Tom &amp; Jerry")
    assert marked_up("Done.</s>")
    assert marked_up("[INST] Name one. [/INST]")
    assert not marked_up("```html\n<p>One.</p>\n```")
    assert not marked_up("vector<int> and x < 3 > 2, R&D; AT&T;")
    assert labelled("Answer: four")
    assert labelled("Four.\n### Instruction:\nAdd two and three.")
    assert not labelled("He gave his answer: four.")
