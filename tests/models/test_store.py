import contextlib
import os
import resource
import shutil
import signal
import tracemalloc

import pytest
from models import asking

from ggmi.errors import UserError
from ggmi.models.requests import Request, Sampling, Usage
from ggmi.models.store import Store


def ask(draw):
    return Request({"model": "m"}, "prompt", Sampling(), draw=draw, prompt_id="p1")


@pytest.fixture
def path(tmp_path):
    return tmp_path / "made on the way" / "responses.jsonl"


@pytest.fixture
def fill(path, answer):
    """Write responses to draws into the store."""

    def write(*draws):
        store = Store(path)
        with store.writing():
            for draw in draws:
                store.append(answer(ask(draw), f"text {draw} \u2028\x00\ud800"))
        return store

    return write


def one_sentence(caught, path):
    assert str(caught.value).startswith(f"{path}: ")
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_responses_come_back_in_the_order_of_the_requests(path, fill):
    fill(2, 0, 1)
    store = Store(path)
    assert [r.text[:6] for r in store.collect([ask(0), ask(1), ask(2), ask(0)])] == [
        "text 0",
        "text 1",
        "text 2",
        "text 0",
    ]
    assert [r.draw for r in store.missing([ask(5), ask(1), ask(4), ask(5)])] == [5, 4]
    assert len(store) == 3
    assert store.usage == Usage(3, 9, 6)
    assert ask(1).key() in store
    assert ask(7).key() not in store


def test_a_response_is_in_the_file_as_soon_as_append_returns(path, answer):
    store = Store(path)
    with store.writing():
        for draw in range(3):
            store.append(answer(ask(draw)))
            assert len(Store(path)) == draw + 1


def test_a_store_that_does_not_exist_holds_nothing_and_makes_nothing(path):
    store = Store(path)
    assert len(store) == 0
    assert store.missing([ask(1)]) == [ask(1)]
    assert not path.parent.exists()


def test_a_response_that_is_not_there_is_told(path, fill):
    with pytest.raises(UserError) as caught:
        list(fill(1).collect([ask(1), ask(2)]))
    assert "no response to prompt 'p1'" in one_sentence(caught, path)


def test_a_duplicate_or_an_unheld_store_is_not_written(path, fill, answer):
    store = fill(1)
    before = path.read_bytes()
    with pytest.raises(ValueError, match="cannot be appended"):
        store.append(answer(ask(2)))
    with store.writing(), pytest.raises(ValueError, match="cannot be appended"):
        store.append(answer(ask(1)))
    assert path.read_bytes() == before


def test_a_line_torn_anywhere_is_moved_aside_and_no_other_is_touched(path, fill):
    fill(0, 1, 2)
    whole = path.read_bytes()
    last = whole.rindex(b"\n", 0, -1) + 1
    aside = path.with_name("responses.jsonl.torn")
    for cut in (*range(last, len(whole) - 1, 9), len(whole) - 1):
        path.write_bytes(whole[:cut])
        aside.unlink(missing_ok=True)
        reader = Store(path)  # a reader leaves the file alone
        assert len(reader) == 2
        assert path.stat().st_size == cut
        fill()
        if cut == len(whole) - 1:  # paid for and whole but for its line end
            assert path.read_bytes() == whole
        else:
            assert path.read_bytes() == whole[:last]
            assert (aside.read_bytes() if aside.exists() else b"\n") == whole[last:cut] + b"\n"
        store = fill(*(d for d in (2, 3) if ask(d).key() not in Store(path)))
        assert [r.text[:6] for r in store.collect(map(ask, range(4)))] == [f"text {d}" for d in range(4)]


@pytest.mark.parametrize("damage", [b"not JSON\n", b"{}\n", b"\x00\x00\n", b"\xff\n", b"[" * 5000 + b"\n", b"\n"])
def test_a_damaged_line_is_named(path, fill, damage):
    fill(0, 1, 2)
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(lines[0] + damage + lines[2])
    with pytest.raises(UserError) as caught:
        Store(path)
    assert "line 2: is damaged" in one_sentence(caught, path)
    path.write_bytes(lines[0] + lines[2])
    assert Store(path).missing(map(ask, range(3))) == [ask(1)]


def test_a_line_over_ten_megabytes_is_a_line_like_any_other(path, answer):
    store = Store(path)
    with store.writing():
        store.append(answer(ask(0), "x" * 10_000_000))
        store.append(answer(ask(1)))
    assert [len(r.text) for r in Store(path).collect([ask(1), ask(0)])] == [4, 10_000_000]


def test_of_two_answers_to_one_request_the_first_counts(path, fill, answer):
    fill(0)
    with path.open("a") as file:
        file.write(answer(ask(0), "second").to_json() + "\n")
    store = Store(path)
    assert len(store) == 1
    assert [r.text[:6] for r in store.collect([ask(0)])] == ["text 0"]
    assert store.usage.responses == 1


def test_one_writer_at_a_time_and_none_once_it_is_killed(path, fill, processes):
    ready = processes.Event()
    holder = processes.Process(target=asking.hold, args=(path, ready))
    holder.start()
    assert ready.wait(60)
    with pytest.raises(UserError) as caught:
        fill(0)
    assert "another process is writing" in one_sentence(caught, path)
    os.kill(holder.pid, signal.SIGKILL)
    holder.join()
    assert len(fill(0)) == 1


def test_what_another_process_wrote_meanwhile_is_seen(path, fill, answer):
    early = Store(path)
    fill(0, 1)
    with early.writing():
        assert early.missing(map(ask, range(3))) == [ask(2)]
        early.append(answer(ask(2)))
    assert len(Store(path)) == 3


@contextlib.contextmanager
def room_for(size):
    """Let files grow to so many bytes only."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, ignored)


def test_no_room_is_one_sentence_and_leaves_whole_lines(path, fill, answer):
    fill(0, 1)
    whole = path.read_bytes()
    store = Store(path)
    with pytest.raises(UserError) as caught, room_for(len(whole) + 100), store.writing():
        store.append(answer(ask(2)))
    assert "2 responses are kept" in one_sentence(caught, path)
    assert path.read_bytes() == whole
    assert len(fill(2)) == 3


def test_a_folder_deleted_meanwhile_is_one_sentence(path, fill, answer):
    store = fill(0)
    with store.writing():
        shutil.rmtree(path.parent)
        with pytest.raises(UserError) as caught:
            store.append(answer(ask(1)))
    assert "deleted meanwhile" in one_sentence(caught, path)


def test_a_place_that_cannot_be_written_is_one_sentence(tmp_path, fill, path):
    path.parent.write_text("a file, no folder")
    with pytest.raises(UserError) as caught:
        fill(0)
    assert "cannot be written" in one_sentence(caught, path)


def test_memory_grows_with_the_number_of_responses_not_with_their_size(path, answer):
    count = 2000
    store = Store(path)
    with store.writing():
        for draw in range(count):
            store.append(answer(ask(draw), "x" * 5000))
    assert path.stat().st_size > 5000 * count
    tracemalloc.start()
    for response in Store(path).collect(map(ask, range(count))):
        assert len(response.text) == 5000
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 500 * count
