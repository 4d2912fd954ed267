import pytest
from students.tiny import make_base, records

from ggmi.embedded.language import Language
from ggmi.errors import UserError
from ggmi.models.backend import ask, backend
from ggmi.models.requests import Sampling
from ggmi.models.store import Store
from ggmi.students.answering import BROKEN, CUT, MISSING, NO_ROOM, Answer, answers, questions
from ggmi.students.base import Base
from ggmi.students.finetune import finetune
from ggmi.students.settings import TrainingSettings
from ggmi.students.tokenise import Writer, tokenise
from ggmi.text.records import Record

GREEDY = Sampling(temperature=0, max_tokens=16)


def test_a_student_answers_what_it_learned(tmp_path):
    language = Language.draw(0)
    base = Base(str(make_base(tmp_path / "base", tokenizer=language.tokenizer())))
    rows = language.records([0, 1, 2, 3, 4, 5], language.contexts[[12, 345, 678, 901, 234, 567]])
    taught = [Record(f"r{i}", r["instruction"], r["context"], r["response"]) for i, r in enumerate(rows)]
    settings = TrainingSettings(steps=80, batch_size=6, learning_rate=1e-2, log_every=40)
    finetune(base, tokenise(taught, base, "json"), tmp_path / "student", settings)
    asked = backend({"kind": "local", "model": str(tmp_path / "student")})
    writer = Writer(base.tokenizer, "json")
    requests = questions(asked, writer, taught, GREEDY, context=base.context, draws=2)
    store = Store(tmp_path / "answers.jsonl")
    ask(asked, requests, store)
    found = answers(writer, taught, requests, store.collect(requests))
    assert [(a.id, a.draw) for a in found] == [(r.id, d) for r in taught for d in (0, 1)]
    assert [a.text for a in found] == [r.response for r in taught for _ in (0, 1)]
    assert {a.problem for a in found} == {None}


def test_every_record_has_an_answer_or_a_reason(gpt2, tmp_path):
    base, asked = Base(str(gpt2)), backend({"kind": "local", "model": str(gpt2)})
    writer = Writer(base.tokenizer, "json")
    taken = [*records(3), Record("long", "x" * 70, "", "y"), Record("hopeless", "x" * 128, "", "y")]
    requests = questions(asked, writer, taken, Sampling(max_tokens=40), context=base.context)
    assert [r and r.sampling.max_tokens for r in requests] == [40, 40, 40, 10, None]
    store = Store(tmp_path / "answers.jsonl")
    ask(asked, [r for r in requests[1:] if r], store)
    found = answers(writer, taken, requests, store.collect(requests[1:4]))
    assert found[0] == Answer("r0", 0, None, None, MISSING)
    assert found[4] == Answer("hopeless", 0, None, None, NO_ROOM)
    # Random weights write random bytes.
    assert {a.problem for a in found[1:4]} <= {BROKEN, CUT}
    assert all(a.raw is not None for a in found[1:4])


def test_a_student_is_not_asked_in_another_form(chatty):
    asked = backend({"kind": "local", "model": str(chatty)})
    writer = Writer(Base(str(chatty)).tokenizer, "plain")
    with pytest.raises(UserError, match="form: is 'plain', but this model's tokenizer makes every prompt a chat one"):
        questions(asked, writer, records(), GREEDY)
