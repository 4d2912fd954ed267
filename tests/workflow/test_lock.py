import os
import signal
import subprocess
import sys

import pytest

from ggmi.errors import UserError
from ggmi.workflow.lock import hold

OWNER = """
import sys
from pathlib import Path
from ggmi.errors import UserError
from ggmi.workflow.lock import hold
try:
    hold(Path(sys.argv[1]))
except UserError as error:
    print(error, flush=True)
else:
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def owner(tmp_path):
    """Start a process that takes a folder; it keeps it until its input ends."""
    started = []

    def start(folder=tmp_path / "results"):
        process = subprocess.Popen(
            [sys.executable, "-c", OWNER, folder],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            encoding="utf-8",
        )
        started.append(process)
        return process, process.stdout.readline().strip()

    yield start
    for process in started:
        process.kill()
        process.communicate()


def test_a_folder_is_made_and_taken(owner, tmp_path):
    process, said = owner(tmp_path / "far" / "results")
    assert said == "held"
    assert (tmp_path / "far/results/.lock").read_text() == f"{process.pid}\n"


def test_a_second_run_is_refused_with_the_owners_number(owner, tmp_path):
    first, _ = owner()
    for _ in range(2):  # being refused takes nothing from the owner
        _, said = owner()
        assert said == (
            f"{tmp_path / 'results'} is in use by another run (process {first.pid}); wait for it or stop it"
        )
    first.communicate("")
    assert owner()[1] == "held"


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_a_folder_is_free_again_however_its_owner_ends(owner, how):
    first, _ = owner()
    first.send_signal(how)
    first.wait(timeout=60)
    second, said = owner()
    assert said == "held"
    assert owner()[1].endswith(f"(process {second.pid}); wait for it or stop it")


def test_a_lock_file_left_behind_locks_nothing(owner, tmp_path):
    folder = tmp_path / "results"
    folder.mkdir()
    (folder / ".lock").write_text("12345678901\n")
    process, said = owner()
    assert said == "held"
    assert (folder / ".lock").read_text() == f"{process.pid}\n"


def test_two_folders_are_held_side_by_side(owner, tmp_path):
    assert owner(tmp_path / "one")[1] == "held"
    assert owner(tmp_path / "two")[1] == "held"


def test_children_of_the_owner_do_not_keep_the_folder(owner, tmp_path):
    script = OWNER.replace(
        'print("held", flush=True)',
        "from subprocess import DEVNULL, Popen;"
        'print(Popen(["sleep", "600"], stdin=DEVNULL, stdout=DEVNULL).pid, flush=True)',
    )
    process = subprocess.Popen(
        [sys.executable, "-c", script, tmp_path / "results"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        encoding="utf-8",
    )
    child = int(process.stdout.readline())
    try:
        process.kill()
        process.communicate()
        assert owner()[1] == "held"
    finally:
        os.kill(child, signal.SIGKILL)


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(UserError) as caught:
        hold(tmp_path / "file" / "results")
    expected = f"config: results: '{tmp_path / 'file' / 'results'}' cannot be written (Not a directory)"
    assert str(caught.value) == expected


def test_a_folder_whose_lock_cannot_be_opened_is_named(tmp_path):
    (tmp_path / ".lock").mkdir()
    with pytest.raises(UserError) as caught:
        hold(tmp_path)
    assert str(caught.value) == f"config: results: '{tmp_path}' cannot be written (Is a directory)"
