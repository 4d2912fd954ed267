import numpy as np
import pandas as pd
import pytest
from students.tiny import make_base

from ggmi.embedded.language import Language, Sizes
from ggmi.errors import UserError
from ggmi.pipeline.scores import base_losses, column_scores, scores_of, skill_losses
from ggmi.pipeline.training_sets import gathered
from ggmi.random import stream
from ggmi.students.matching import subset_of
from ggmi.text.jsonl import write_rows
from ggmi.text.records import Record

SIZES = Sizes(anchored=4, unsampled=1, irrelevant=4, letters=4, length=2)
FORM = {"form": "json", "plain": "", "too_long": "truncate", "longest": None}


def every_record(language, skill):
    rows = language.records(np.full(16, skill), language.contexts)
    return [Record(f"{skill}-{i}", row["instruction"], row["context"], row["response"]) for i, row in enumerate(rows)]


def test_a_skills_loss_is_the_mean_of_its_records_losses(tmp_path):
    language = Language.draw(0, SIZES)
    base = str(make_base(tmp_path / "base", window=32, tokenizer=language.tokenizer()))
    records = every_record(language, 0) + every_record(language, 7)
    losses = base_losses(records, base, None, FORM, "cpu", 1)
    exact = skill_losses([*records, Record("x", "none", "ab", "ab")], base, language)
    means = losses.groupby(losses["id"].str[0])["nats_per_token"].mean()
    assert len(exact) == 32
    assert exact.groupby(exact["id"].str[0])["nats_per_token"].first().tolist() == pytest.approx(means.tolist())
    assert base_losses([], base, None, FORM, "cpu", 1).empty


@pytest.mark.parametrize("end", ["easiest", "hardest"])
@pytest.mark.parametrize("amount", [{"share": 0.3, "size": None}, {"share": None, "size": 7}])
def test_a_subset_is_an_end_of_the_sorted_set(end, amount):
    ids = [f"r{i}" for i in range(40)]
    values = stream(0, "test").normal(size=40)
    places = subset_of(ids, end, **amount, scores=dict(zip(ids, values, strict=True)), seed=1)
    ordered = np.argsort(values)[:: 1 if end == "easiest" else -1]
    assert places == sorted(ordered[: amount["size"] or 12].tolist())


def test_equal_scores_are_drawn_and_random_subsets_hold_smaller_ones():
    ids = [str(i) for i in range(50)]
    same = dict.fromkeys(ids, 1.0)
    drawn = [subset_of(ids, "easiest", share=None, size=5, scores=same, seed=s) for s in range(20)]
    assert len({tuple(places) for places in drawn}) > 15
    sizes = [subset_of(ids, "random", share=None, size=n, scores=None, seed=3) for n in (5, 20, 99)]
    assert set(sizes[0]) < set(sizes[1]) < set(sizes[2])
    assert sizes[2] == list(range(50))


def test_a_record_without_a_score_is_in_no_subset():
    assert subset_of("abc", "hardest", share=0.5, size=None, scores={"a": 1.0, "c": 2.0}, seed=0) == [2]


def test_a_column_of_a_persons_own_set_is_read_from_where_it_stands(tmp_path):
    table = pd.DataFrame({"instruction": list("abcd"), "response": list("wxyz"), "hard": [3, 1.5, 2, 0]})
    table.to_csv(tmp_path / "t.csv", index=False)
    source = {"source": str(tmp_path / "t.csv"), "fields": {}, "encoding": None, "invalid": "drop"}
    found = column_scores("unused", "hard", source)
    assert found["hard"].tolist() == [3, 1.5, 2, 0]
    table.assign(hard=["1", "easy", "2", "3"]).to_csv(tmp_path / "t.csv", index=False)
    with pytest.raises(UserError, match=r"hard is 'easy'; students.subsets.by allows columns of numbers only"):
        column_scores("unused", "hard", source)


def test_a_column_of_a_set_made_here(tmp_path):
    rows = [{"id": f"r{i}", "instruction": "a", "context": "", "response": str(i), "tokens": 9 - i} for i in range(6)]
    write_rows(tmp_path / "s.jsonl", rows)
    path = str(tmp_path / "s.jsonl")
    scores = scores_of(column_scores(path, "tokens", None))
    made = {"kind": "subset", "end": "easiest", "share": None, "size": 2, "set": {"kind": "synthetic"}}
    records, _ = gathered(made, {"synthetic": path}, [], "refuse", 0, scores)
    assert [record.response for _, record in records] == ["4", "5"]
    with pytest.raises(UserError, match="'nothing' is no column of"):
        column_scores(path, "nothing", None)
