import numpy as np
import pytest
from students.tiny import END, byte_tokenizer, make_base, records
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast

from ggmi.embedded.language import Language
from ggmi.errors import UserError
from ggmi.models.backend import backend
from ggmi.models.requests import Request, Sampling
from ggmi.students.base import Base
from ggmi.students.tokenise import END_TEXT, Writer, read_plain, tokenise
from ggmi.text.records import Record

ONE = Record("r1", "Add.", "1 and 2", "three")
ALONE = Record("r2", "Sing.", "", "la")


def test_the_plain_form_leaves_out_an_empty_context():
    writer = Writer(byte_tokenizer(), "plain")
    assert writer.prompt(ONE) == "Task: Add.\n\nInput: 1 and 2\n\nAnswer:\n"
    assert writer.prompt(ALONE) == "Task: Sing.\n\nAnswer:\n"
    assert (writer.response(ONE), writer.end, writer.stop) == ("three", END, ())


def test_what_a_record_holds_is_filled_in_once():
    hostile = Record("r", "{{ context }} {% raw %}", "{{ 7 * 7 }}", "{{ instruction }}")
    writer = Writer(byte_tokenizer(), "plain")
    assert "Task: {{ context }} {% raw %}\n" in writer.prompt(hostile)
    assert writer.response(hostile) == "{{ instruction }}"


def test_a_person_may_bring_a_template(tmp_path):
    path = tmp_path / "own.txt"
    path.write_text("Q {{ instruction }}\nA ")
    assert Writer(byte_tokenizer(), "plain", read_plain(path)).prompt(ONE) == "Q Add.\nA "


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{{ instruction }} {{ contxt }}", "line 1: there is no placeholder 'contxt'; did you mean 'context'?"),
        ("{{ context }}", "none of its lines (1 to 1) holds {{ instruction }}"),
        ("a\n{% if %}", "line 2: is no template"),
    ],
)
def test_a_bad_template_is_told(tmp_path, text, message):
    path = tmp_path / "own.txt"
    path.write_text(text)
    with pytest.raises(UserError) as told:
        read_plain(path)
    assert str(told.value).startswith(f"{path}: ")
    assert message in str(told.value)


def test_the_json_form_is_the_embedded_worlds(tmp_path):
    language = Language.draw(0)
    base = Base(str(make_base(tmp_path / "world", tokenizer=language.tokenizer())))
    skills, contexts = np.array([0, 3, 7]), language.contexts[[5, 17, 900]]
    rows = language.records(skills, contexts)
    taken = [Record(f"r{i}", r["instruction"], r["context"], r["response"]) for i, r in enumerate(rows)]
    examples = tokenise(taken, base, "json")
    np.testing.assert_array_equal([examples.sequence(i) for i in range(3)], language.record_ids(skills, contexts))
    assert examples.responses.tolist() == [4, 4, 4]
    writer = Writer(base.tokenizer, "json")
    for row, record in zip(rows, taken, strict=True):
        assert writer.prompt(record) == language.question(row)
        assert writer.response(record) == language.answer(row)


def test_json_answers_are_read_back():
    writer = Writer(byte_tokenizer(), "json")
    hard = Record("r", 'say "hi"', "a\\b\nc", 'he said "}\n", twice ü')
    written = writer.response(hard)
    assert "\n" not in written[:-1]
    # A backend cuts at the stop text.
    assert writer.read(written.partition(writer.stop[0])[0]) == hard.response
    for broken in ("abc", 'ab"c"}', 'abc"', '", "more": 1}', ""):
        assert writer.read(broken) is None


@pytest.mark.parametrize("form", ["plain", "json", "chat"])
def test_prompts_are_those_that_the_local_backend_makes(gpt2, chatty, form):
    directory = chatty if form == "chat" else gpt2
    base, asked = Base(str(directory)), backend({"kind": "local", "model": str(directory)})
    writer = Writer(base.tokenizer, form)
    for record, ids in zip(records(), writer.prompt_ids(records()), strict=True):
        request = Request(asked.identity, writer.prompt(record), Sampling())
        assert asked.count_tokens(request) == len(ids)
        assert writer.prompt(record) in base.tokenizer.decode(ids)


def test_the_chat_form_asks_through_the_chat_template(chatty):
    base = Base(str(chatty))
    writer = Writer(base.tokenizer, "chat")
    assert base.tokenizer.decode(writer.prompt_ids([ONE])[0]) == "<user>Add.\n\n1 and 2\n<assistant>"
    assert writer.response_ids([ONE])[0][-1] == base.tokenizer.eos_token_id


def test_a_response_that_spells_the_end_token_does_not_end(base):
    examples = tokenise([Record("r", "x", "", f"a{END}b")], base, "plain")
    learned = examples.sequence(0)[examples.prompts[0] :]
    assert (learned == base.tokenizer.eos_token_id).nonzero()[0].tolist() == [len(learned) - 1]
    assert base.tokenizer.decode(learned[:-1]) == f"a{END}b"


def test_without_an_end_token_a_text_ends_a_response(tmp_path):
    base = Base(str(make_base(tmp_path / "endless", end=False)))
    writer = Writer(base.tokenizer, "plain")
    assert (writer.end, writer.stop) == (END_TEXT, (END_TEXT,))
    examples = tokenise([ONE], base, "plain")
    assert examples.end == END_TEXT
    assert base.tokenizer.decode(examples.sequence(0)).endswith("three" + END_TEXT)
    assert len(base.tokenizer) == base.load().get_input_embeddings().weight.shape[0]


def test_a_tokenizer_that_cannot_write_any_end_is_refused():
    core = Tokenizer(models.WordLevel({"[UNK]": 0, "a": 1}, unk_token="[UNK]"))
    core.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    with pytest.raises(UserError, match=r"no end token and cannot write .*name an eos_token"):
        Writer(PreTrainedTokenizerFast(tokenizer_object=core, unk_token="[UNK]"), "plain")


def test_unknown_forms_and_missing_templates_are_told():
    with pytest.raises(UserError, match="form: 'jsn' is unknown; did you mean 'json'"):
        Writer(byte_tokenizer(), "jsn")
    with pytest.raises(UserError, match="no chat template; allowed here: plain, json"):
        Writer(byte_tokenizer(), "chat")


def test_what_does_not_fit_is_cut_or_dropped_and_counted(base):
    prompt = len(Writer(base.tokenizer, "plain").prompt(Record("r", "x", "", "y")))
    fits = Record("fits", "x", "", "y" * (127 - prompt))  # and the end token
    over = Record("over", "x", "", "y" * (128 - prompt))
    hopeless = Record("hopeless", "x" * 128, "", "y")
    cut = tokenise([fits, over, hopeless], base, "plain")
    assert (cut.ids, cut.truncated, cut.dropped) == (("fits", "over"), 1, 1)
    assert cut.lengths.tolist() == [128, 128]
    assert cut.sequence(0)[-1] == base.tokenizer.eos_token_id
    assert cut.sequence(1)[-1] != base.tokenizer.eos_token_id
    dropped = tokenise([fits, over, hopeless], base, "plain", too_long="drop")
    assert (dropped.ids, dropped.truncated, dropped.dropped) == (("fits",), 0, 2)
    assert tokenise([fits], base, "plain", longest=50).lengths.tolist() == [50]
    with pytest.raises(UserError, match="S_gen: none of its 1 records fits into 128 tokens"):
        tokenise([hopeless], base, "plain", source="S_gen")


def test_an_empty_set_is_refused(base):
    with pytest.raises(UserError, match="S_gen: holds no records"):
        tokenise([], base, "plain", source="S_gen")


def test_taking_keeps_prompts_and_responses_together(base):
    examples = tokenise(records(), base, "plain")
    taken = examples.take([5, 2, 5])
    assert taken.ids == ("r5", "r2", "r5")
    np.testing.assert_array_equal(taken.sequence(0), examples.sequence(5))
    np.testing.assert_array_equal(taken.prompts, examples.prompts[[5, 2, 5]])
    assert taken.digest() != examples.digest()
    assert examples.take(range(len(examples))).digest() == examples.digest()
