from dataclasses import replace

import numpy as np
import pytest

from ggmi.information.embedding import Seen
from ggmi.io import block_writer
from ggmi.pipeline.drawn_sets import drawn_of, embedded_draws, embedded_rows, read_embedded
from ggmi.pipeline.embedded_sets import STEP, embedded, embedded_together
from ggmi.pipeline.set_pairs import check_pairs, pairs_of
from ggmi.pipeline.shared_prefix import without_prefixes
from ggmi.pipeline.subsets import part_of
from ggmi.text.records import Record
from ggmi.text.samples import Sample


class Counting:
    """An encoder that says what it was asked."""

    identity = "counting"

    def __init__(self):
        self.asked = []

    def encode(self, texts):
        self.asked += texts
        return np.array([[len(text), sum(map(ord, text))] for text in texts], dtype=np.float32)

    def seen(self, texts):
        return [Seen(len(text), 0, text.count("?"), text.count("?") / max(len(text), 1)) for text in texts]


def sample(source, texts, keys=None):
    """A set of responses."""
    n = len(texts)
    records = tuple(Record(str(i), "Say.", "", text) for i, text in enumerate(texts))
    nothing = (None,) * n
    return Sample(source, records, ("line",) * n, tuple(keys or nothing), ((),) * n, nothing, nothing)


def test_texts_that_sets_share_are_embedded_once_and_every_set_gets_its_own_vectors_back():
    encoder, moves = Counting(), []
    texts = [["a", "bb", "a"], ["bb", "ccc"], [f"{i:05}" for i in range(STEP)]]
    found = embedded_together(
        [sample(str(i), each) for i, each in enumerate(texts)],
        encoder,
        ["response"],
        on_texts=lambda *move: moves.append(move),
    )
    distinct = {text for each in texts for text in each}
    assert sorted(encoder.asked) == sorted(distinct)
    assert moves == [(0, STEP + 3), (STEP, STEP + 3), (STEP + 3, STEP + 3)]
    for one, each in zip(found, texts, strict=True):
        expected = np.array([[len(text), sum(map(ord, text))] for text in each], dtype=float)
        expected /= np.linalg.norm(expected, axis=1, keepdims=True)
        assert one.vectors.tolist() == expected.tolist()
        assert one.vectors.dtype == float


def test_pairs_of_a_column_are_told_from_pairs_by_number_which_only_chance_connects():
    sets = [sample(name, ["a", "b", "c", "d"], ["q1", "q2", "q3", "q4"]) for name in "TS"]
    by_key = check_pairs(sets[1], sets[0], "prompt", "question")
    assert "question" in by_key
    by_number = check_pairs(sets[1], sets[0], "auto", seed=7)
    assert "seed 7, which nothing connects" in by_number
    assert "nothing connects" not in by_key


def test_every_field_has_the_same_share_of_a_records_vector_whatever_its_length():
    record = Record("1", "x" * 5000, "", "ab")
    long = replace(sample("S", ["a"]), records=(record,))
    unit = [v / np.linalg.norm(v) for v in Counting().encode([record.instruction, record.response]).astype(float)]
    mean = sum(unit) / np.linalg.norm(sum(unit))
    np.testing.assert_allclose(embedded(long, Counting()).vectors, [mean])


def test_what_the_encoder_saw_is_counted_over_fields_and_lost_by_the_worst_of_them():
    # In the whole record a mark of five is little; in its field it is a fifth.
    found = embedded(sample("S", ["abcd?", "abcde", "abcdefghi?"]), Counting(), ["instruction", "response"])
    assert found.sight() == {"tokens": 4 * 3 + 20, "cut_tokens": 0, "unknown_tokens": 2, "unread_records": 1}
    untold = type("Endpoint", (Counting,), {"seen": lambda *_: None})
    assert embedded(sample("S", ["a"]), untold()).sight() is None


SYSTEM = "You are a careful assistant. Answer briefly.\n"


def asked(source, instructions):
    """A set of instructions."""
    whole = sample(source, [f"{i}" for i in range(len(instructions))])
    records = tuple(replace(r, instruction=text) for r, text in zip(whole.records, instructions, strict=True))
    return replace(whole, records=records)


def test_a_system_prompt_is_taken_off_where_all_records_of_a_set_have_it():
    train = asked("T", [f"{SYSTEM}{verb} three rivers." for verb in ("Name", "Compare", "Sort")])
    one_task = asked("one", [f"{SYSTEM}Name three rivers."] * 3)
    plain = asked("plain", ["Name three rivers.", "Sort them."])
    mostly = asked("mostly", [f"{SYSTEM}Name one.", f"{SYSTEM}Name two.", "Name three."])
    found, prefixes = without_prefixes([train, one_task, plain, mostly])
    assert prefixes == [{"instruction": SYSTEM}, {"instruction": SYSTEM}, {}, {}]
    assert [record.instruction for record in found[0].records] == [
        "Name three rivers.",
        "Compare three rivers.",
        "Sort three rivers.",
    ]
    assert {record.instruction for record in found[1].records} == {"Name three rivers."}
    assert found[2:] == [plain, mostly]


@pytest.mark.parametrize(
    "instructions",
    [
        ["Summarise the following text for a child of ten years"] * 4,  # a task, and nothing behind it
        ["Name a river. One.", "Name a river. Two."],  # too short to hide anything
        ["Describe the long and winding river Rhine", "Describe the long and winding river Rhone"],  # no end of a line
    ],
)
def test_what_is_no_prefix_stays(instructions):
    sets = [asked("S", instructions)]
    assert without_prefixes(sets) == (sets, [{}])


def prompted(count, anchors):
    """A set of prompts with five records and three anchors each."""
    texts = [f"r{i:05}" for i in range(count)]
    made = sample("S", texts, [f"p{i // 5}" for i in range(count)])
    return replace(made, anchor_ids=tuple(tuple(str((i // 5 + j) % anchors) for j in range(3)) for i in range(count)))


def test_only_what_is_drawn_is_embedded_and_whole_prompts_with_their_anchors():
    encoder = Counting()
    train = sample("T", [f"t{i:05}" for i in range(400)])
    by_number, by_prompt = sample("N", [f"n{i:05}" for i in range(300)]), prompted(500, 400)
    real, (first, second) = embedded_draws(
        [train, by_number, by_prompt], encoder, ["response"], pairing="auto", most=50, seed=3
    )
    assert len(real) == len(first.synthetic) == len(second.synthetic) == 50
    assert first.prompted.sample == first.synthetic.sample
    assert first.anchors.sample == real.sample
    prompts = [record.id for record in second.prompted.sample.records]
    assert len(prompts) == 50
    assert {int(i) // 5 for i in prompts} == {int(i) // 5 for i in prompts[::5]}
    shown = {i for ids in second.prompted.sample.anchor_ids for i in ids}
    assert {record.id for record in second.anchors.sample.records} == shown
    # Each record's own vector, whatever else was embedded.
    for one in (real, first.synthetic, second.synthetic, second.prompted, second.anchors):
        wanted = np.array([[len(text), sum(map(ord, text))] for text in one.texts], dtype=float)
        assert one.vectors == pytest.approx(wanted / np.linalg.norm(wanted, axis=1, keepdims=True))
        assert len(one.whole) > len(one)
    assert len(encoder.asked) <= 50 + 50 + 100 + len(shown)
    again, _ = embedded_draws([train, by_number], Counting(), ["response"], pairing="auto", most=50, seed=3)
    assert again.sample == real.sample


def archived(path, sets, most):
    """What is embedded of some sets, in a file."""
    with block_writer(path) as writer:
        for name, rows in embedded_rows(sets, "auto", most, 3).items():
            found = embedded(part_of(sets[name], rows), Counting())
            writer.write(name, 0, {"rows": rows, "vectors": found.vectors, "seen": found.seen})
    return path


@pytest.mark.parametrize("most", [50, 500])
def test_archives_hold_what_is_drawn_of_a_set_and_the_anchors_of_its_prompts(tmp_path, most):
    train, made = sample("T", [f"t{i:05}" for i in range(400)]), prompted(500, 400)
    real = archived(tmp_path / "real.npz", {"train": train, "pool": train}, most)
    own = archived(tmp_path / "own.npz", {"synthetic": made, "pool": train}, most)
    known, (wanted,) = embedded_draws([train, made], Counting(), pairing="auto", most=most, seed=3)
    synthetic, whole_prompts = drawn_of(read_embedded(made, "synthetic", own), most, 3)
    pool, kept = read_embedded(train, "pool", real, own), read_embedded(train, "train", real)
    for one, other in ((synthetic, wanted.synthetic), (whole_prompts, wanted.prompted), (kept, known)):
        assert one.sample == other.sample
        assert one.vectors == pytest.approx(other.vectors)
        assert one.whole == other.whole
    ids = [record.id for record in pool.sample.records]
    assert ids == sorted({*ids}, key=int)
    assert {record.id for record in wanted.anchors.sample.records} <= {*ids}
    assert len(ids) <= max(min(most, 400) + 3 * 10, 400 * (most > 400))
    pairs = pairs_of(synthetic, pool, "auto", seed=3, most=most, prompted=whole_prompts)
    assert pairs.how == pairs_of(synthetic, wanted.anchors, "auto", seed=3, most=most, prompted=whole_prompts).how


def test_pairs_that_cannot_be_made_are_no_reason_to_embed_nothing():
    train, made = sample("T", [f"t{i}" for i in range(90)]), prompted(50, 90)
    strange = replace(made, anchor_ids=(("nobody",),) * 5 + made.anchor_ids[5:])
    found = embedded_rows({"synthetic": strange, "pool": train}, "prompt", 50, 3)
    assert len(found["synthetic"]) == 50
    torn = replace(made, anchor_ids=(("1",), *made.anchor_ids[1:]))
    assert not len(embedded_rows({"synthetic": torn, "pool": train}, "auto", 50, 3)["pool"])


def test_a_set_without_records_is_read_as_it_was_embedded(tmp_path):
    train, nothing = sample("T", [f"t{i}" for i in range(9)]), sample("S", [])
    own = archived(tmp_path / "own.npz", {"synthetic": nothing, "pool": train}, 5)
    assert [len(one) for one in drawn_of(read_embedded(nothing, "synthetic", own), 5, 3)] == [0, 0]


def test_a_set_that_is_small_enough_is_embedded_whole_and_in_its_order():
    train, made = sample("T", ["a", "bb", "a"]), prompted(20, 3)
    real, (found,) = embedded_draws([train, made], Counting(), pairing="auto", most=20, seed=0)
    assert (real.sample, found.synthetic.sample, found.prompted.sample) == (train, made, made)
    assert found.anchors.sample == train
