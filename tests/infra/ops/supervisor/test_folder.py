"""The data folder: made, held, recognised, refused."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from infra.ops.supervisor.folder import AlreadyRunning, DataFolder, FolderError

HOLD = """
import sys, time
from pathlib import Path
from infra.ops.supervisor.folder import DataFolder
with DataFolder(Path(sys.argv[1])).locked():
    print("held", flush=True)
    time.sleep(600)
"""


def hold(path: Path) -> subprocess.Popen[str]:
    """A process that holds the folder until it is killed."""
    process = subprocess.Popen([sys.executable, "-c", HOLD, str(path)], stdout=subprocess.PIPE, text=True)
    assert process.stdout
    assert process.stdout.readline() == "held\n"
    return process


def end(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.communicate()


def test_a_new_folder_is_marked_and_taken_again(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path / "deep" / "data")
    with folder.locked():
        assert folder.owner() == os.getpid()
    assert folder.owner() is None
    with folder.locked():
        assert (folder.path / "format").exists()


def test_the_secret_is_made_once_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path)
    with folder.locked():
        secret = folder.secret()
    assert len(bytes.fromhex(secret)) == 32
    assert folder.secret() == secret
    assert (tmp_path / "secret").stat().st_mode & 0o777 == 0o600
    (tmp_path / "secret").write_text("short\n")
    with pytest.raises(FolderError, match="expected 64 hex digits, found 5 characters"):
        folder.secret()


def test_a_folder_in_use_is_refused_and_its_process_named(tmp_path: Path) -> None:
    process = hold(tmp_path)
    try:
        assert DataFolder(tmp_path).owner() == process.pid
        with pytest.raises(AlreadyRunning, match=f"process {process.pid}"), DataFolder(tmp_path).locked():
            pass
    finally:
        end(process)


def test_a_killed_holder_leaves_no_lock(tmp_path: Path) -> None:
    process = hold(tmp_path)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    assert DataFolder(tmp_path).owner() is None
    with DataFolder(tmp_path).locked():
        assert DataFolder(tmp_path).owner() == os.getpid()


def test_a_folder_of_something_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "letters.txt").write_text("dear")
    with (
        pytest.raises(FolderError, match=r"is not empty and not a Klatsch data folder.*letters.txt"),
        DataFolder(tmp_path).locked(),
    ):
        pass
    assert sorted(path.name for path in tmp_path.iterdir()) == ["letters.txt"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"format": 2}', "has format 2, this Klatsch knows 1: update Klatsch"),
        ('{"format": 0}', "has format 0, this Klatsch knows 1: migrate"),
        ("{}", "damaged: expected"),
        ("", "damaged: expected"),
    ],
)
def test_another_format_is_refused(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "format").write_text(text)
    with pytest.raises(FolderError, match=message), DataFolder(tmp_path).locked():
        pass


def test_a_half_written_format_file_is_no_obstacle(tmp_path: Path) -> None:
    (tmp_path / "format.new").write_text('{"form')
    with DataFolder(tmp_path).locked():
        pass
    assert not (tmp_path / "format.new").exists()


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(FolderError, match="cannot be written"), DataFolder(tmp_path / "file" / "data").locked():
        pass


def test_logs_of_earlier_starts_are_kept(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path)
    with folder.locked():
        for text in ("first", "second", "third", "fourth", "fifth"):
            folder.log("api").write_text(text)
        assert folder.log("api").exists() is False
    kept = {path.name: path.read_text() for path in folder.logs.iterdir()}
    assert kept == {"api.log.1": "fifth", "api.log.2": "fourth", "api.log.3": "third"}
