import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import AutoTokenizer

from ggmi.embedded.language import END_ID, FIXED_TOKENS, PAD_ID, UNKNOWN_ID, Language, Sizes
from ggmi.errors import UserError

LANGUAGE = Language.draw(3)
TOKENIZER = LANGUAGE.tokenizer()
SPELLED = st.integers(UNKNOWN_ID + 1, len(LANGUAGE.vocabulary) - 1)


def test_every_record_is_a_line_of_json_and_eleven_tokens():
    skills = np.repeat(np.arange(22), 5)
    contexts = LANGUAGE.random_contexts((len(skills),), np.random.default_rng(0))
    ids = LANGUAGE.record_ids(skills, contexts)
    assert ids.shape == (110, 11)
    for record, row in zip(LANGUAGE.records(skills, contexts), ids, strict=True):
        line = LANGUAGE.text(record)
        assert line == json.dumps(record) + "\n" == LANGUAGE.question(record) + LANGUAGE.answer(record)
        assert json.loads(line) == record
        assert TOKENIZER(line)["input_ids"] == row.tolist()
        assert TOKENIZER.decode(row) == line


@given(st.lists(SPELLED, max_size=60))
@settings(max_examples=300, deadline=None)
def test_any_order_of_tokens_is_read_back_as_itself(ids):
    text = TOKENIZER.decode(ids)
    assert text == "".join(LANGUAGE.vocabulary[i] for i in ids)
    assert TOKENIZER(text)["input_ids"] == ids


def test_text_outside_the_language_becomes_unknown():
    assert TOKENIZER("xy")["input_ids"] == [UNKNOWN_ID]
    assert TOKENIZER("axyb")["input_ids"] == [len(FIXED_TOKENS), UNKNOWN_ID, len(FIXED_TOKENS) + 1]
    assert TOKENIZER("<|end|>")["input_ids"] == [END_ID]


def test_special_tokens_can_be_left_out_of_the_text():
    ids = TOKENIZER("abc")["input_ids"]
    assert TOKENIZER.decode([PAD_ID, PAD_ID, *ids, END_ID], skip_special_tokens=True) == "abc"


def test_the_saved_tokenizer_is_loaded_by_auto_tokenizer(tmp_path):
    TOKENIZER.save_pretrained(tmp_path)
    loaded = AutoTokenizer.from_pretrained(tmp_path)
    prompt = LANGUAGE.prompt(LANGUAGE.records([0, 5], [[0, 1, 2], [9, 9, 9]]))
    assert loaded(prompt)["input_ids"] == TOKENIZER(prompt)["input_ids"]
    assert loaded.decode(loaded(prompt)["input_ids"]) == prompt
    assert (loaded.eos_token_id, loaded.pad_token_id, loaded.padding_side) == (END_ID, PAD_ID, "left")


@pytest.mark.parametrize("seed", range(5))
def test_skills_are_bijective_and_differ(seed):
    language = Language.draw(seed)
    contexts = language.contexts
    assert contexts.shape == (1000, 3)
    maps = [language.apply(np.full(1000, s), contexts) @ [100, 10, 1] for s in range(22)]
    assert all(len(np.unique(m)) == 1000 for m in maps)
    assert len({m.tobytes() for m in maps}) == 22
    assert len(set(language.words)) == 22


def test_a_skill_moves_letters_and_then_replaces_them():
    language = Language(
        Sizes(letters=4),
        LANGUAGE.words,
        np.tile([3, 2, 1, 0], (22, 1)),
        np.tile([2, 0, 1], (22, 1)),
    )
    assert language.records([0], [[0, 1, 2]])[0] == {
        "instruction": LANGUAGE.words[0],
        "context": "abc",
        "response": "bdc",
    }


def test_a_world_is_its_seed():
    again, other = Language.draw(3), Language.draw(4)
    assert again.words == LANGUAGE.words
    assert np.array_equal(again.substitutions, LANGUAGE.substitutions)
    assert other.words != LANGUAGE.words


def test_roles_and_words():
    roles = [LANGUAGE.role(s) for s in range(22)]
    assert roles == ["anchored"] * 6 + ["unsampled"] * 6 + ["irrelevant"] * 10
    assert [LANGUAGE.skill_of(w) for w in LANGUAGE.words] == list(range(22))
    assert LANGUAGE.skill_of("nothing") is None


@pytest.mark.parametrize(
    ("sizes", "message"),
    [
        ({"anchored": 3}, "world.anchored = 3 is outside 4 to 20"),
        ({"irrelevant": 8}, "world.irrelevant = 8 is outside 9 to 40"),
        ({"letters": 11}, "world.letters = 11 is outside 2 to 10"),
        ({"letters": 2, "length": 1}, "give only 2 different ones"),
    ],
)
def test_impossible_sizes_are_refused(sizes, message):
    with pytest.raises(UserError, match=message):
        Sizes(**sizes)
