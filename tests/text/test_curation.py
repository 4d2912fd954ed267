from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ggmi.text.curation import PLACEHOLDERS, Curation, Drop, Lengths, curate
from ggmi.text.records import Record
from ggmi.text.rouge import near_pairs
from ggmi.text.samples import read_sample

OFF = Curation(lengths=None, placeholders=False, exact=False, near=None)


def record(name, instruction="Add the numbers.", context="1 2", response="3"):
    return Record(name, instruction, context, response)


def test_with_all_filters_off_nothing_is_dropped(numbered):
    records = [*numbered(3), *numbered(3)]
    done = curate(records, OFF)
    assert (done.kept, done.drops, done.characters_kept) == (tuple(records), (), done.characters)


@pytest.mark.parametrize(
    ("field", "text", "reason"),
    [
        ("instruction", "One", "instruction too short"),
        ("instruction", "a b c d", None),
        ("instruction", "a b c d e", "instruction too long"),
        ("context", "", "context too short"),
        ("context", "東京に", None),
        ("context", "東京に行", "context too long"),
        ("response", "a\n b\u3000c  d", "response too long"),
    ],
)
def test_lengths_are_counted_in_words(field, text, reason):
    bounds = Lengths(instruction=(2, 4), context=(1, 3), response=(1, 3))
    done = curate([record("a", **{field: text})], Curation(lengths=bounds))
    assert done.drops == ((Drop("a", "lengths", reason),) if reason else ())


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("Dear [insert name here],", "bracketed order"),
        ("<Enter text>", "bracketed order"),
        ("Best regards,\n[Your Name]", "bracketed own"),
        ("on [date] at", "bracketed blank"),
        ("{{ anchors }}", "template leftover"),
        ("<noinput>", "template leftover"),
        (" ... ", "only dots"),
        ("…", "only dots"),
        ("Lorem ipsum dolor", "lorem ipsum"),
        ("TODO: write", "to do"),
        ("[Response]", "field name only"),
        ("And so on...", None),
        ("The list is [1, 2]; insert 3 [see above].", None),
        ("He has much todo about {name} and <b>.", None),
        ("an inserted [text]", None),
    ],
)
@pytest.mark.parametrize("field", ["instruction", "context", "response"])
def test_text_left_to_be_filled_in_is_found(text, reason, field):
    done = curate([record("a", **{field: text})], Curation())
    assert done.drops == ((Drop("a", "placeholders", reason),) if reason else ())


FRAGMENTS = (
    "[",
    "<",
    "insert name",
    "your own ",
    "]",
    ">",
    "{{x}}",
    "{%",
    "%}",
    "..",
    "…",
    " ",
    "\u2003",
    "TODO",
    "tbd",
    "TBD",
)
WORDS = ("LOREM IPSUM", "lorem ıpſum", "Instruction", "ınput", "reſponse", "context", "*", "word")


@given(st.lists(st.sampled_from(FRAGMENTS + WORDS), max_size=5).map("".join))
def test_no_pattern_finds_a_placeholder_where_none_is_looked_for(text):
    found = any(pattern.search(text) for pattern in PLACEHOLDERS.values())
    assert bool(curate([record("a", response=text)], replace(OFF, placeholders=True)).drops) == found


def test_exact_duplicates_differ_in_case_and_spaces_at_most():
    records = [
        record("a"),
        record("b", instruction=" add  the\nnumbers. "),
        record("c", response="3."),
        record("d", response="3."),
        record("e", instruction="Add the", context="numbers. 1 2"),
        record("f", response="é"),
        record("g", response="e\u0301"),
    ]
    done = curate(records, Curation(near=None))
    assert [(drop.id, drop.twin, drop.similarity) for drop in done.drops] == [
        ("b", "a", 1),
        ("d", "c", 1),
        ("g", "f", 1),
    ]
    assert {(drop.filter, drop.reason) for drop in done.drops} == {("exact", "exact duplicate")}


def test_of_two_near_duplicates_the_earlier_stays():
    texts = ["a b c d e f g h i j", "a b c d e f g h x y", "q b c d e f g h x y", "1 2 3"]
    records = [Record(str(i), text, "", "ok") for i, text in enumerate(texts)]
    done = curate(records, Curation())
    # The third is near the second, which is dropped, and not near enough to the first: 8 of 11.
    assert near_pairs([records[2].text], [records[1].text])[0].similarity == 10 / 11
    assert [(d.id, d.twin, d.similarity) for d in done.drops] == [("1", "0", 9 / 11), ("2", "0", 8 / 11)]
    strict = curate(records, Curation(near=0.75))
    assert [(d.id, d.twin) for d in strict.drops] == [("1", "0")]
    assert [d.id for d in curate(records[::-1], Curation(near=0.75)).drops] == ["1"]


def test_the_threshold_itself_is_allowed():
    left, right = "a b c d e f g x y z", "a b c d e f g u v w"
    records = [Record("0", left, "", "...!"), Record("1", right, "", "..!")]
    assert near_pairs([left], [right], 0.69)[0].similarity == 0.7
    assert not curate(records, Curation()).drops


def test_contamination_names_the_reference_and_the_most_similar_record(numbered):
    anchors, test = numbered(5), numbered(5, first=5)
    copies = [Record("x", *anchors[3].values), Record("y", *test[1].values), *numbered(2, first=20)]
    done = curate(copies, Curation(contamination=0.7), {"anchors": anchors, "test": test})
    assert done.drops == (
        Drop("x", "contamination", "near anchors", "r3", 1.0),
        Drop("y", "contamination", "near test", "r6", 1.0),
    )
    with pytest.raises(ValueError, match="no"):
        curate(copies, Curation(contamination=0.7))


def test_a_record_dropped_by_one_filter_is_not_seen_by_the_next():
    records = [record("a", response="[Your Name]"), record("b", response="[your name]"), record("c"), record("d")]
    done = curate(records, Curation())
    assert [(d.id, d.filter) for d in done.drops] == [("a", "placeholders"), ("b", "placeholders"), ("d", "exact")]


def test_how_much_text_was_removed_is_counted():
    records = [
        record("a", "x" * 10, "", "y" * 10),
        record("b", "z" * 5, "", "TODO "),
        record("c", "x" * 10, "", "y" * 10),
    ]
    done = curate(records, Curation())
    assert (len(done.drops), done.characters, done.characters_kept) == (2, 50, 20)


def test_real_answers_of_two_models_are_curated_like_by_hand(shared_data):
    records = []
    for name in ("gpt4", "text_davinci_001"):
        answers = read_sample(shared_data / "answers" / f"{name}.jsonl", {"id": "prompt_id"})
        records += [Record(f"{name} {r.id}", *r.values) for r in answers.records]
    done = curate(records, Curation(lengths=None, placeholders=False))
    by_id = {r.id: r for r in records}
    assert {d.id for d in done.drops} | {r.id for r in done.kept} == set(by_id)
    order = {r.id: i for i, r in enumerate(records)}
    for drop in done.drops:
        assert order[drop.twin] < order[drop.id]
        if drop.filter == "near":
            pair = near_pairs([by_id[drop.id].text], [by_id[drop.twin].text])[0]
            assert drop.similarity == pair.similarity > 0.7
    assert 0.02 < len(done.drops) / len(records) < 0.5
