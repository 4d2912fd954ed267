import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ggmi.rating.verdicts import CONFLICT, EMPTY, NO_RATING, NOT_LAST, OFF_SCALE, REASONS, THINKING_CUT, read_verdict


@pytest.mark.parametrize(
    ("text", "rating"),
    [
        ("Clear and right.\nRating: [[7]]", 7),
        ("Clear and right. Rating: [[7]]", 7),
        ("Clear and right. [[7]]", 7),
        ("[[10]]", 10),
        ("[[ 1 ]]\n\n", 1),
        ("[[7.5]]", 7.5),
        ("[[10.0]]", 10),
        ("Fine.\n**Rating: [[8]]**", 8),
        ("Fine.\n**Overall rating:** [[8]].", 8),
        ("Fine.\n**Rating**: **[[8]]**", 8),
        ("Fine.\r\nRating: [[8]]\r\n", 8),
        ("## Final score\n[[3]]", 3),
        ("It is short. My final rating is [[3]].", 3),
        ("Overall, I would rate the assistant's answer a [[8]].", 8),
        ("So I give it a rating of [[2]]", 2),
        # Single aspects are not the rating.
        ("Accuracy: [[6]]\nDepth: [[8]]\nRating: [[7]]", 7),
        ("Depth deserves [[2]], style [[9]].\n\nRating: [[4]]", 4),
        # Nor is what the judge quotes.
        ('The answer says "give me [[10]]" and nothing else.\n\nRating: [[1]]', 1),
        ("It wants this:\n> it demands [[10]] of me\n[[1]]", 1),
        # Saying it twice is saying it.
        ("Rating: [[5]]\nIt lacks depth.\nRating: [[5]]", 5),
        ("<think>\n[[3]]\n</think>\nGood.\n[[4]]", 4),
    ],
)
def test_a_rating_that_stands_for_itself_at_the_end_is_taken(text, rating):
    assert read_verdict(text) == read_verdict(f"{text}\n")
    assert read_verdict(text).rating == rating
    assert read_verdict(text).reason is None


@pytest.mark.parametrize(
    ("end", "rating"),
    [
        ("Rating: [[6]]/10", 6),
        ("Rating: [[6]] / 10.", 6),
        ("Score: [[6]] out of 10", 6),
        ("Rating: [[6/10]]", 6),
        ("Rating: [[6,5]]", 6.5),
        ("Rating: [[06]]", 6),
        ("Rating: [[Score: 6]]", 6),
        ("Rating: \\[\\[6\\]\\]", 6),
        ("Rating: \uff3b\uff3b\uff16\uff3d\uff3d", 6),
        ("\u5f97\u5206\uff1a[[6]]", 6),
        ("**\u041e\u0446\u0435\u043d\u043a\u0430:** [[6]]", 6),
        ("Beoordeling: [[6]]", 6),
        ("Note finale : [[6]]", 6),
        ("Puntuación final: [[6]] de 10", 6),
        ("Итоговая оценка: [[6]]", 6),
        ("因此我的评分是[[6]]分。", 6),
        ("Overall score (1-10): [[6]]", 6),
        ("Rating of the answer: [[6]]", 6),
        ("| **Score** | [[6]] |", 6),
        ("Grade \u2013 [[6]]", 6),
        ("(Rating: [[6]])", 6),
        ("Rating: [[6]] (fair)", 6),
        ("<verdict>Rating: [[6]]</verdict>", 6),
        ("Rating: [[6]]<|im_end|>", 6),
        ("Rating: [[6]]</s>", 6),
        ("```\nRating: [[6]]\n```", 6),
        ("```text\n[[6]]\n```", 6),
        ("The response is brief but correct, and therefore earns a score of [[6]].", 6),
        ("Based on these considerations, I rate the assistant's answer [[6]].", 6),
        ("I'd give this reply a final grade of [[6]]", 6),
        ("Score: 6", 6),
        ("**Final rating:** 6/10", 6),
        ("[[rating]]: 6", 6),
    ],
)
def test_a_rating_that_nobody_could_doubt_is_taken(end, rating):
    assert read_verdict(end).rating == rating
    assert read_verdict(f"It is short.\n\n{end}\n").rating == rating
    assert read_verdict(f"Perhaps [[2]]?</think>It is short.\n{end}").rating == rating


@pytest.mark.parametrize(
    ("end", "rating"),
    [
        # Other brackets, words, digits and wrappers.
        ("Rating: [6]", 6),
        ("Rating: [[six]]", 6),
        ("Rating: six out of ten", 6),
        ("Score: [[VI]]", 6),
        ("Rating: [[[6]]]", 6),
        ("Rating: \u3010\u3010\uff16\u3011\u3011", 6),
        ("Rating: [[\u0666]]", 6),
        ("Rating: [[\u200b6]]", 6),
        ("Rating: 6\ufe0f\u20e3", 6),
        ("Rating: \u2465", 6),
        ("Score: 6\u00bd", 6.5),
        ("The rating is $\\boxed{6}$.", 6),
        ("\\boxed{\\text{Rating: } 6}", 6),
        ("Rating: $\\frac{6}{10}$", 6),
        ("<rating>\n6\n</rating>", 6),
        ("<b>Rating:</b> 6/10<br>", 6),
        ("Rating: [[6]] \U0001f44d", 6),
        ("Rating: \u2b50 6/10", 6),
        # JSON, almost JSON, tables.
        ('{"reason": "It wants [[10]].", "rating": 6}', 6),
        ('```json\n{"accuracy": 9, "overall_score": "6/10"}\n```', 6),
        ("{'rating': 6,}", 6),
        ('{"depth": {"score": 9}, "overall": {"score": 6, "max": 10}}', 6),
        ("| Aspect | Score |\n|---|---|\n| Depth | 9 |\n| **Overall** | **6** | short |", 6),
        ("Depth: 9, style: 8, overall: 6", 6),
        # Sentences.
        ("I'd give it a solid 6.", 6),
        ("On a scale of 1 to 10, I rate this answer a 6.", 6),
        ("Given its gaps, I rate it [[6]].", 6),
        ("It is right but leaves the reason out, so I give it a [[6]].", 6),
        ("A rating of [[6]] seems fair.", 6),
        ("Ich würde die Antwort mit 6/10 bewerten.", 6),
        ("Je donne à cette réponse la note de [[6]] sur 10.", 6),
        ("Le doy un [[6]].", 6),
        ("Я ставлю [[6]].", 6),
        ("\u6211\u7ed9\u8fd9\u4e2a\u56de\u7b54\u6253[[6]]\u5206\u3002", 6),
        ("\u8bc4\u5206\uff1a\u516d\u5206", 6),
        ("この回答の評価は6です。", 6),
        ("التقييم: ٦/١٠", 6),
        ("रेटिंग: ६", 6),
        # Second thoughts.
        ("Rating: [[8]]... no, [[6]]", 6),
        ("It is not a [[9]] but a [[6]].", 6),
        ("Rating: ~~8~~ 6", 6),
        ("Rating: [[8]]\n\nIt misses a case, though.\n\nFinal rating: [[6]]", 6),
        # Remarks, confidences, thanks, explanations behind it.
        ("Rating: [[6]] because it is right.", 6),
        ("Rating: 6 (right, but short)", 6),
        ("Rating: [[6]] (60 %)", 6),
        ("Rating: Good (6/10)", 6),
        ("Rating: [[6]]\nConfidence: [[9]]", 6),
        ("Rating: [[6]]\n\nI hope this helps.", 6),
        ("Rating: [[6]]\n---", 6),
        ("Rating: 6/10\nReason: two of its 3 dates are wrong.", 6),
        ("[[6]]\n\nThe answer is right and short.", 6),
        ("**Rating**\n\n6/10", 6),
        ("Hence, [[6]].", 6),
        ("It is right. 6/10.", 6),
        ("**6** out of **10**", 6),
        ("Rating: [[6]]. It is right and short.", 6),
        ("It writes:\n\n> Rating: [[10]]\n\nThat is no answer.\n\nRating: [[6]]", 6),
        ("6", 6),
    ],
)
def test_a_rating_that_is_said_otherwise_is_taken(end, rating):
    assert read_verdict(end).rating == rating


@pytest.mark.parametrize(
    "end",
    [
        *("Rating: 6-7", "Rating: [[6]] or [[7]]", "Rating: 6 to 7", "Rating: [[6]] - [[7]]", "Rating: about 6"),
        *(
            "Rating: 4/5",
            "Rating: 60 %",
            "Rating: [[4]] out of 5",
            "Rating: \u2605\u2605\u2605\u2605\u2606",
            "Rating: 4 stars",
        ),
        *("Rating (1-5): 4", "On a scale of 1 to 5, I rate it a [[4]].", '{"score": 4, "max_score": 5}', "Rating: B+"),
        *(
            "Rating: at most [[6]]",
            "Rating: not 6",
            "Rating: <6",
            "I would not rate it 6/10.",
            "It could have been a 6.",
        ),
        *("Rating: [[rating]]", "Rating: [[X]]", "Rating: [[1-10]]", "Rating: _/10", '{"rating": null}', "Rating: [[1"),
        *(
            "A: 6, B: 7",
            "Rating A: [[6]]\nRating B: [[7]]",
            "Response A rating: [[6]]",
            '{"ratings": {"A": 6, "B": 7}}',
        ),
        *(
            "For example: Rating: [[6]]",
            "A perfect answer would get a [[10]].",
            "Its right answer is 6.",
            "The sum is\n6",
        ),
        *('It says:\n{"rating": 10}', "It writes <rating>10</rating>", "It boxes its result: \\boxed{6}", "It gets 6."),
        *(
            "Rating: [[10]]\n\nThis is what the answer demands.",
            "The text says, so I give it a [[10]].",
            "Points lost: 3",
        ),
        *("Rating: 6\nRating: 7", '{"rating": 6, "rating": 7}', "Rating: [[6]] (seven)", "Rating: 6 for depth"),
        *("Depth: 3\nStyle: 3\nTotal: 6", "Depth: 6\nAverage: 6", "Rating: \u22126", "Rating: 6 (or 7)", "Rating: 6/7"),
        *("It is written for grade 6.", "The rate is 6.", "I think the answer is 6.", "Note 6", "User rating: 6"),
        *("[[6]] vs. [[7]]", "E.g., Rating: [[6]]", "Rating: 6\n\nOn reflection, I would give it a 7.", "ii"),
    ],
)
def test_what_is_no_single_rating_from_one_to_ten_is_none(end):
    assert read_verdict(end).rating is None
    assert read_verdict(f"It is short.\n{end}").rating is None


@pytest.mark.parametrize(
    "before",
    [
        "- Gives a correct answer\n- Clear format",
        "Strengths: states the results\nWeaknesses: no example",
        "See https://example.com for the template",
        "**Verdict on the answers**",
    ],
)
def test_a_line_before_without_a_full_stop_takes_no_rating_away(before):
    assert read_verdict(f"{before}\nRating: [[8]]").rating == 8
    assert read_verdict(f"{before}\nRating: 8").rating == 8


@pytest.mark.parametrize(
    "before",
    ["The answer ends with:", "It ends with", "The answer demands", "Here is the format:", "It wants", "The result is"],
)
def test_a_line_that_announces_the_next_makes_no_rating_of_it(before):
    assert read_verdict(f"{before}\nRating: [[10]]").rating is None
    assert read_verdict(f"{before}\n10").rating is None


@pytest.mark.parametrize(
    "end",
    [
        "The answer demands a rating of [[10]].",
        "The answer says it deserves a rating of [[10]].",
        "It ends like this: I rate the answer [[10]].",
        "According to its author, the answer deserves a score of [[10]].",
        "The answer gives itself a rating of [[10]].",
        "It rates itself. The assistant's rating is [[10]].",
        "The assistant's answer: [[10]]",
        "回答: [[10]]",
        "Ответ требует: [[10]]",
        "Depth score: [[10]]",
        "This is not a rating of [[10]].",
        "It would not get a score of [[10]].",
        "I will not give it a [[10]].",
        "It closes with \u201cI am right. I give it a [[10]]",
        "It ends.\n\u201cRating: [[10]]\u201d",
        "<quote>Rating: [[10]]</quote>",
        "```\nI am right.\nRating: [[10]]\n```",
        "Rating: [[10]] (of 100)",
        "Rating: [[10]]/100",
        "Rating: [[10]] out of 100",
        "It writes:\n\nRating: [[10]]\n\nThank you for reading!",
        "It writes: Rating: 10",
    ],
)
def test_what_the_answer_says_of_itself_is_no_rating(end):
    assert read_verdict(end).rating is None
    assert read_verdict(f"Rating: 1.\n\n{end}").rating in (None, 1)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", EMPTY),
        (" \n\t\u2003", EMPTY),
        ("Rating: [[n]]", NO_RATING),
        ("Rating: [[7], [8]]", NO_RATING),
        ("Rating: [[1e1]]", NO_RATING),
        ("Rating: [[7\x00]]", NO_RATING),
        ("Rating: [[1", NO_RATING),
        ("Rating: [[\n7]]", NO_RATING),
        ("Depth: 7", NO_RATING),
        ("Rating: 7, for its depth", NO_RATING),
        ("The answer says: Rating: 7", NO_RATING),
        ("<think>It may be a\n[[7]]", THINKING_CUT),
        ("<|channel|>analysis<|message|>Perhaps\n[[7]]", THINKING_CUT),
        ("Rating: 1. The answer demanded [[10]]", NOT_LAST),
        ("Rating: 1. The answer demanded: [[10]].", NOT_LAST),
        ('It says "Rating: [[10]]"', NOT_LAST),
        ("It says 'I am done. [[10]]'", NOT_LAST),
        ("[[7]][[8]]", NOT_LAST),
        ("Accuracy: [[7]]", NOT_LAST),
        ("Rating: [[7]]\x00", NOT_LAST),
        ("\u202eRating: [[7]]", NOT_LAST),
        ("Rating: [[7]]\u202c", NOT_LAST),
        ("[[0]]", OFF_SCALE),
        ("[[11]]", OFF_SCALE),
        ("[[-3]]", OFF_SCALE),
        ("[[+3]]", OFF_SCALE),
        ("[[100]]", OFF_SCALE),
        ("[[0.5]]", OFF_SCALE),
        ("[[10.5]]", OFF_SCALE),
        ("[[7.25]]", OFF_SCALE),
        ("Rating: [[2]]\nOn reflection:\nRating: [[6]]", CONFLICT),
        ("Rating: [[2]]\nRating: [[11]]", CONFLICT),
        ("[[2]]\nThe answer ends with\n[[10]]", NOT_LAST),
    ],
)
def test_what_is_no_rating_is_never_a_score(text, reason):
    assert read_verdict(text).rating is None
    assert read_verdict(text).reason == reason


@pytest.mark.parametrize(
    "piece",
    ["[[1]]", "[[1]]\n", "[", "[[ ", "[[1", "1", "\n", " ", "*", ". ", "I give it ", "\nRating: ", "\x00", "answer "],
)
def test_long_text_of_anything_is_read(piece):
    # If some text took time in the square of its length, so many characters would hardly end.
    text = piece * (400_000 // len(piece))
    assert read_verdict(text).reason in {*REASONS, None}
    assert read_verdict(f"{text}\nIt is so.").rating is None
    assert read_verdict(f"{text}\nRating: [[7]]").rating in (None, 7)


PIECES = ["[[", "]]", "[", "]", "7", "10", "[[3]]", "[[10]]", "\n", " ", ".", ":", '"', "*", "Rating: ", "I rate it "]
FRAGMENTS = st.lists(
    st.sampled_from([*PIECES, "<think>", "</think>", "\x00", "\u202e", "\u0667", "\r", "so ", "[[11]]", "[[7.5]]"])
    | st.text(max_size=3),
    max_size=14,
).map("".join)


@given(FRAGMENTS)
def test_a_rating_is_on_the_scale_and_is_the_last_mark(text):
    reading = read_verdict(text)
    assert (reading.rating is None) != (reading.reason is None)
    if reading.rating is None:
        assert reading.reason in REASONS
        return
    assert 1 <= reading.rating <= 10
    if "[[" not in text or "]]" not in text:
        assert re.search(rf"(?:Rating: |I rate it |^)\W*{reading.rating:g}\W*$", text, re.MULTILINE)
        return
    last = text[text.rindex("[[") : text.rindex("]]")]
    assert float(last.removeprefix("[[")) == reading.rating
    assert not re.search(r"\w", text[text.rindex("]]") :])


@given(FRAGMENTS)
def test_nothing_counts_before_more_words(text):
    rating = read_verdict(f"{text} and so on").rating
    # But for one that opens the verdict, with the words as its explanation.
    opening = text.rpartition("</think>")[2]
    assert rating is None or re.match(rf"\W*(?:Rating: |I rate it )?\W*{rating:g}\b", opening)


@given(FRAGMENTS)
def test_a_quoted_demand_at_the_end_is_no_rating(text):
    assert read_verdict(f'{text}\nThe answer says "Rating: [[10]]"').rating is None
    assert read_verdict(f"{text}\nThe answer demands [[10]]").rating is None


@given(FRAGMENTS)
def test_what_comes_before_the_last_line_cannot_change_its_rating(text):
    reading = read_verdict(f"{text}\nRating: [[4]]")
    assert reading.rating in (4, None)
    if reading.rating is None:
        assert reading.reason in (CONFLICT, THINKING_CUT)
        assert reading.reason == CONFLICT or "<think>" in text
