"""How long jobs of models take, by arithmetic."""

import pytest

from ggmi.workflow import demand


def test_bytes_are_those_of_files_and_of_all_in_folders(tmp_path):
    (tmp_path / "a").write_bytes(b"12345")
    (tmp_path / "folder/inner").mkdir(parents=True)
    (tmp_path / "folder/b").write_bytes(b"123")
    (tmp_path / "folder/inner/c").write_bytes(b"1234567")
    assert demand.bytes_of([tmp_path / "a", str(tmp_path / "folder")]) == 15
    assert demand.bytes_of([]) == 0
    with pytest.raises(FileNotFoundError):
        demand.bytes_of([tmp_path / "a", tmp_path / "none"])


def test_lines_are_counted_over_files(tmp_path):
    (tmp_path / "a").write_text("1\n2\n")
    (tmp_path / "b").write_text("x" * 2**21 + "\n")
    assert demand.lines_of([tmp_path / "a", tmp_path / "b"]) == 3


def test_minutes_grow_with_weights_and_tokens_and_fall_with_processors():
    one = demand.model_minutes(2e9, 1e6, demand.TRAINING)
    # 1e9 weights, 1e6 tokens, 6 operations: 6e15, at 2e10 a second.
    assert one == pytest.approx(6e15 / 2e10 / 60)
    assert demand.model_minutes(4e9, 2e6, demand.TRAINING, threads=2) == pytest.approx(2 * one)
    assert demand.model_minutes(2e9, 1e6, demand.READING) == pytest.approx(one / 3)
    assert demand.model_minutes(2e9, 1e6, demand.TRAINING, threads=64, gpus=2) == pytest.approx(6e15 / 2e13 / 60)
    # A model of the hub, whose size nobody knows.
    assert demand.model_minutes(0, 1e6, demand.TRAINING) == demand.model_minutes(
        demand.UNKNOWN_MODEL, 1e6, demand.TRAINING
    )
