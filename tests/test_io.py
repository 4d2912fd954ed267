import csv
import gc
import json
import os
import signal
import subprocess
import sys
import textwrap
import zipfile

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from ggmi.errors import UserError
from ggmi.io import (
    atomic,
    block_writer,
    read_blocks,
    read_csv,
    read_json,
    read_rounds,
    write_csv,
    write_json,
    write_text,
)


@pytest.fixture
def blocks():
    """Two conditions of three blocks each, as (condition, first round, arrays)."""
    numbers = np.random.default_rng(0)
    return [
        (condition, first, {"means": numbers.normal(size=(rounds, 3, 2)), "labels": numbers.integers(9, size=rounds)})
        for condition in ("K2_J2_L2", "K2_J2_L20")
        for first, rounds in ((0, 15), (15, 7), (22, 2))
    ]


def write_blocks(path, blocks):
    with block_writer(path) as writer:
        for condition, first, arrays in blocks:
            writer.write(condition, first, arrays)


def one_sentence(caught, path):
    message = str(caught.value)
    assert message.startswith(f"{path}: ")
    assert "\n" not in message
    return message


def test_a_file_appears_with_what_was_written(tmp_path):
    path = tmp_path / "made" / "on the way" / "table.txt"
    write_text(path, "Σ\nsecond\n")
    assert path.read_bytes() == "Σ\nsecond\n".encode()
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("failure", [RuntimeError("boom"), KeyboardInterrupt(), SystemExit(1)])
def test_the_old_file_stays_when_the_block_raises(tmp_path, failure):
    path = tmp_path / "table.txt"
    write_text(path, "old")

    def write_half():
        with atomic(path) as beside:
            beside.write_text("half")
            raise failure

    with pytest.raises(type(failure)):
        write_half()
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_the_old_file_can_be_read_until_the_new_one_is_whole(tmp_path):
    path = tmp_path / "table.txt"
    write_text(path, "old")
    with atomic(path) as beside:
        beside.write_text("new")
        assert path.read_text() == "old"
    assert path.read_text() == "new"


def test_temporaries_that_killed_writers_left_are_removed(tmp_path):
    path = tmp_path / "a[1].csv"
    for pid in (11, 999_999):
        (tmp_path / f".a[1].csv.{pid}.tmp").write_text("half")
    write_text(path, "whole")
    assert list(tmp_path.iterdir()) == [path]


def test_temporaries_of_other_files_are_left_alone(tmp_path):
    others = [tmp_path / name for name in (".gap.csv.11.tmp", ".gaps.11.tmp", ".gap.tmp", "gap.11.tmp", ".11.tmp")]
    for other in others:
        other.write_text("in the making")
    write_text(tmp_path / "gap", "whole")
    assert sorted(tmp_path.iterdir()) == sorted([*others, tmp_path / "gap"])


def test_a_block_that_writes_nothing_is_an_error(tmp_path):
    path = tmp_path / "table.txt"
    with pytest.raises(UserError) as caught, atomic(path):
        pass
    one_sentence(caught, path)
    assert not path.exists()


def test_a_folder_that_cannot_be_made_is_a_user_error(tmp_path):
    (tmp_path / "file").write_text("not a folder")
    path = tmp_path / "file" / "below" / "table.txt"
    with pytest.raises(UserError) as caught:
        write_text(path, "text")
    assert "cannot be written" in one_sentence(caught, path)
    assert (tmp_path / "file").read_text() == "not a folder"


def test_a_folder_in_the_place_of_the_file_is_a_user_error(tmp_path):
    path = tmp_path / "table.txt"
    path.mkdir()
    with pytest.raises(UserError) as caught:
        write_text(path, "text")
    assert "cannot be written" in one_sentence(caught, path)
    assert list(tmp_path.iterdir()) == [path]


def test_a_killed_writer_leaves_the_old_file_and_its_temporary_goes_with_the_next_writer(tmp_path, blocks):
    path = tmp_path / "worlds.npz"
    write_blocks(path, blocks)
    whole = path.read_bytes()
    code = f"""
        import time
        import numpy as np
        from ggmi.io import block_writer
        with block_writer({str(path)!r}) as writer:
            writer.write("K2_J2_L2", 0, {{"means": np.zeros((1000, 100))}})
            print("half", flush=True)
            time.sleep(600)
    """
    with subprocess.Popen([sys.executable, "-c", textwrap.dedent(code)], stdout=subprocess.PIPE) as writer:
        assert writer.stdout.readline() == b"half\n"
        writer.send_signal(signal.SIGKILL)
        writer.wait()
    left = set(tmp_path.iterdir()) - {path}
    assert [half.name for half in left] == [f".worlds.npz.{writer.pid}.tmp"]
    assert path.read_bytes() == whole
    with pytest.raises(UserError):
        read_rounds(left.pop(), "K2_J2_L2", ("means",))
    write_blocks(path, blocks)
    assert list(tmp_path.iterdir()) == [path]


def test_a_writer_killed_before_the_first_file_leaves_no_file(tmp_path):
    path = tmp_path / "table.txt"
    code = f"""
        import os, signal
        from ggmi.io import atomic
        with atomic({str(path)!r}) as beside:
            beside.write_text("half")
            os.kill(os.getpid(), signal.SIGKILL)
    """
    assert subprocess.run([sys.executable, "-c", textwrap.dedent(code)], check=False).returncode == -signal.SIGKILL
    assert not path.exists()
    assert [half.read_text() for half in tmp_path.iterdir()] == ["half"]


def test_blocks_come_back_in_order_with_their_first_round(tmp_path, blocks):
    path = tmp_path / "worlds.npz"
    write_blocks(path, [blocks[i] for i in (3, 1, 5, 0, 2, 4)])
    for condition in ("K2_J2_L2", "K2_J2_L20"):
        expected = [(first, arrays) for c, first, arrays in blocks if c == condition]
        found = list(read_blocks(path, condition, ("means", "labels")))
        assert [first for first, _ in found] == [first for first, _ in expected]
        for (_, one), (_, other) in zip(found, expected, strict=True):
            assert set(one) == set(other)
            for name in one:
                np.testing.assert_array_equal(one[name], other[name], strict=True)


def test_rounds_of_a_condition_are_its_blocks_joined(tmp_path, blocks):
    path = tmp_path / "worlds.npz"
    write_blocks(path, blocks)
    rounds = read_rounds(path, "K2_J2_L20", ("labels",))
    assert set(rounds) == {"labels"}
    np.testing.assert_array_equal(rounds["labels"], np.concatenate([b[2]["labels"] for b in blocks[3:]]), strict=True)


@given(
    st.lists(
        hnp.arrays(
            st.sampled_from([np.float64, np.float32, np.int64, np.bool_, "<U5"]),
            hnp.array_shapes(min_dims=1, max_dims=4, min_side=0, max_side=4),
        ),
        min_size=1,
        max_size=3,
    )
)
def test_any_plain_array_comes_back_as_it_was(tmp_path_factory, arrays):
    path = tmp_path_factory.mktemp("round trip") / "a.npz"
    write_blocks(path, [("c", i, {"a": array}) for i, array in enumerate(arrays)])
    for (_, found), array in zip(read_blocks(path, "c", ("a",)), arrays, strict=True):
        np.testing.assert_array_equal(found["a"], array, strict=True)


def test_equal_arrays_make_identical_archives_whatever_their_memory_layout(tmp_path, blocks):
    write_blocks(tmp_path / "one.npz", blocks)
    turned = [(c, first, {n: np.asfortranarray(a) for n, a in arrays.items()}) for c, first, arrays in blocks]
    os.utime(tmp_path / "one.npz", (0, 0))
    write_blocks(tmp_path / "other.npz", turned)
    assert (tmp_path / "one.npz").read_bytes() == (tmp_path / "other.npz").read_bytes()


def test_numpy_reads_the_archive(tmp_path, blocks):
    path = tmp_path / "worlds.npz"
    write_blocks(path, blocks)
    with np.load(path) as archive:
        assert len(archive.files) == 12
        for condition, first, arrays in blocks:
            for name, array in arrays.items():
                np.testing.assert_array_equal(archive[f"{condition}/{first:06d}/{name}"], array, strict=True)


def test_an_object_array_is_not_written_and_no_file_appears(tmp_path):
    path = tmp_path / "worlds.npz"
    with pytest.raises(ValueError, match="allow_pickle=False"):
        write_blocks(path, [("c", 0, {"good": np.zeros(3), "bad": np.array([print, None])})])
    assert list(tmp_path.iterdir()) == []


def test_an_exception_between_blocks_leaves_nothing(tmp_path, blocks):
    def write_one_and_fail():
        with block_writer(tmp_path / "worlds.npz") as writer:
            writer.write(*blocks[0])
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        write_one_and_fail()
    gc.collect()
    assert list(tmp_path.iterdir()) == []


def test_a_pickled_array_is_refused_without_being_opened(tmp_path):
    class Trap:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "sprung"),)

    path = tmp_path / "worlds.npz"
    np.savez(path, **{"c/000000/a": np.array([Trap()], dtype=object)})
    with pytest.raises(UserError) as caught:
        read_rounds(path, "c", ("a",))
    assert "allow_pickle=False" in one_sentence(caught, path)
    assert not (tmp_path / "sprung").exists()


def test_a_missing_archive_is_a_user_error(tmp_path):
    path = tmp_path / "worlds.npz"
    with pytest.raises(UserError) as caught:
        read_rounds(path, "c", ("a",))
    assert "missing" in one_sentence(caught, path)


def test_a_missing_condition_is_named(tmp_path, blocks):
    path = tmp_path / "worlds.npz"
    write_blocks(path, blocks)
    with pytest.raises(UserError) as caught:
        read_rounds(path, "K2_J2", ("means",))
    assert "no condition K2_J2;" in one_sentence(caught, path)


def test_a_missing_array_is_named(tmp_path, blocks):
    path = tmp_path / "worlds.npz"
    write_blocks(path, blocks)
    with pytest.raises(UserError) as caught:
        read_rounds(path, "K2_J2_L2", ("covariances",))
    assert "covariances" in one_sentence(caught, path)


def test_an_archive_cut_anywhere_is_a_user_error(tmp_path):
    path = tmp_path / "worlds.npz"
    write_blocks(path, [("c", first, {"a": np.arange(4.0)}) for first in (0, 1)])
    whole = path.read_bytes()
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        with pytest.raises(UserError) as caught:
            read_rounds(path, "c", ("a",))
        one_sentence(caught, path)


@pytest.mark.parametrize("mask", [0x01, 0x08, 0x80, 0xFF])
def test_a_damaged_byte_of_data_or_header_is_a_user_error_or_harmless(tmp_path, mask):
    path = tmp_path / "worlds.npz"
    array = np.arange(4.0)
    write_blocks(path, [("c", 0, {"a": array})])
    whole = path.read_bytes()
    start = whole.index(array.tobytes())
    harmed = []
    for position in range(len(whole)):
        path.write_bytes(whole[:position] + bytes([whole[position] ^ mask]) + whole[position + 1 :])
        try:
            rounds = read_rounds(path, "c", ("a",))
        except UserError:
            harmed.append(position)
        else:
            np.testing.assert_array_equal(rounds["a"], array, strict=True)
    assert set(range(start, start + array.nbytes)) <= set(harmed)


def test_a_text_file_is_no_archive(tmp_path):
    path = tmp_path / "worlds.npz"
    path.write_text("K,J,L\n2,2,2\n")
    with pytest.raises(UserError) as caught:
        read_rounds(path, "c", ("a",))
    one_sentence(caught, path)


def test_only_the_named_arrays_of_the_named_condition_are_read(tmp_path, blocks):
    path = tmp_path / "worlds.npz"
    write_blocks(path, blocks)
    with zipfile.ZipFile(path) as archive:
        spoilt = [e.header_offset for e in archive.infolist() if "labels" in e.filename or "L20" in e.filename]
    data = bytearray(path.read_bytes())
    for offset in spoilt:
        data[offset] ^= 0xFF
    path.write_bytes(data)
    found = read_rounds(path, "K2_J2_L2", ("means",))["means"]
    np.testing.assert_array_equal(found, np.concatenate([b[2]["means"] for b in blocks[:3]]), strict=True)
    with pytest.raises(UserError):
        read_rounds(path, "K2_J2_L2", ("labels",))


def test_json_comes_back_with_its_keys_in_order(tmp_path):
    path = tmp_path / "value.json"
    value = {"z": [1, 2.5, None], "a": {"ε": True}}
    write_json(path, value)
    text = path.read_text(encoding="utf-8")
    assert json.loads(text) == value
    assert list(json.loads(text)) == ["z", "a"]
    assert "ε" in text
    assert text.endswith("}\n")


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_json_refuses_numbers_it_cannot_hold_and_keeps_the_old_file(tmp_path, number):
    path = tmp_path / "value.json"
    write_json(path, 1)
    with pytest.raises(ValueError):
        write_json(path, [number])
    assert path.read_text() == "1\n"


def test_csv_has_ten_digits_empty_missing_values_and_no_index(tmp_path):
    path = tmp_path / "table.csv"
    table = pd.DataFrame(
        {
            "name": ["a,b", None, 'c"d'],
            "value_nats": [np.pi, np.nan, 1e-20],
            "n": pd.array([1, None, 10**12], dtype="Int64"),
        },
        index=[7, 8, 9],
    )
    write_csv(path, table)
    assert path.read_bytes() == b'name,value_nats,n\n"a,b",3.141592654,1\n,,\n"c""d",1e-20,1000000000000\n'


@given(st.lists(st.floats(-1e300, 1e300, allow_subnormal=False), min_size=1, max_size=5))
def test_csv_floats_come_back_to_ten_digits(tmp_path_factory, values):
    path = tmp_path_factory.mktemp("csv") / "table.csv"
    write_csv(path, pd.DataFrame({"value": values}))
    np.testing.assert_allclose(pd.read_csv(path)["value"], values, rtol=6e-10)


@pytest.mark.parametrize("share", [0.3, 0.6, 0.9])
def test_a_table_or_record_cut_short_is_told_by_name(tmp_path, share):
    table, record = tmp_path / "table.csv", tmp_path / "record.json"
    write_csv(table, pd.DataFrame({"a": range(50), "b": np.arange(50) / 7}))
    write_json(record, {"a": list(range(50))})
    assert len(read_csv(table)) == 50
    assert read_json(record)["a"][-1] == 49
    for path, read in ((table, read_csv), (record, read_json)):
        content = path.read_bytes().rstrip()
        path.write_bytes(content[: int(share * len(content))])
        with pytest.raises(UserError, match=rf"{path.name}: is damaged or missing .* delete the file and run again"):
            read(path)


def test_what_a_spreadsheet_would_compute_is_text_in_the_file_and_the_same_when_read(tmp_path):
    texts = ["=1+1", "+x", "-x", "@x", "\t=1", "\r=1", "a\rb", "'=1", "''@", "'fine", "fine", "-0.5x", "a=1", '=\n,"1']
    table = pd.DataFrame({"text": texts, "number": np.linspace(-1, 1, len(texts)), "count": range(len(texts))})
    write_csv(tmp_path / "t.csv", table)
    pd.testing.assert_frame_equal(read_csv(tmp_path / "t.csv"), table)
    with (tmp_path / "t.csv").open(newline="", encoding="utf-8") as file:
        cells = [row["text"] for row in csv.DictReader(file)]
    assert not [cell for cell in cells if cell[0] in "=+-@\t\r"]
    numbers = pd.DataFrame({"x": [-1.5, 2.0], "as text": ["-1.5", "+2"]})
    write_csv(tmp_path / "n.csv", numbers)
    assert (tmp_path / "n.csv").read_text() == "x,as text\n-1.5,-1.5\n2,+2\n"
