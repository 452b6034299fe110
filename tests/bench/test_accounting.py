"""CPU of processes that end is not lost, none is counted twice, and files count by what they take on disk."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import psutil

from infra.embedded.ports import free_port
from tests.bench.accounting import GENERATOR, Cost, allocated, cpu, listening
from tests.bench.system import System

#: A process whose child uses so much CPU, and ends; then it says so and waits.
_SECONDS = 0.3
_CHILD = f"import time\nwhile time.process_time() < {_SECONDS}: pass"
_PARENT = (
    f"import subprocess, sys\nsubprocess.run([sys.executable, '-c', {_CHILD!r}], check=True)\nprint('done', flush=True)"
    "\nsys.stdin.read()"
)


class _OneRole:
    """Of a system only what accounting asks."""

    def __init__(self, process: psutil.Process, folder: Path) -> None:
        self._process = process
        self._folder = folder

    def processes(self) -> dict[str, list[psutil.Process]]:
        return {"server": [self._process], "helper": [psutil.Process()]}

    def bytes_on_disk(self) -> int:
        return allocated(self._folder)


def test_children_that_have_ended_count(tmp_path: Path) -> None:
    parent = subprocess.Popen([sys.executable, "-c", _PARENT], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        assert parent.stdin and parent.stdout
        system: System = _OneRole(psutil.Process(parent.pid), tmp_path)  # type: ignore[assignment]
        with Cost(system) as cost:
            assert parent.stdout.readline() == b"done\n"
            (tmp_path / "file").write_bytes(b"x" * 100_000)
            # Blocks are given when they are written back.
            with (tmp_path / "file").open("rb") as file:
                os.fsync(file.fileno())
        assert cost.cpu["server"] >= _SECONDS
        # The server is a child of this process, which is counted by itself.
        assert cost.cpu["helper"] < cost.cpu["server"] + cost.cpu[GENERATOR]
        assert cost.server_cpu == cost.cpu["server"] + cost.cpu["helper"]
        assert cost.memory["server"] > 1_000_000
        assert cost.disk is not None and cost.disk >= 100_000
    finally:
        parent.communicate()


def test_what_is_counted_by_itself_is_left_out() -> None:
    with subprocess.Popen([sys.executable, "-c", _PARENT], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as parent:
        assert parent.stdin and parent.stdout
        parent.stdout.readline()
        this = psutil.Process()
        # What this process uses between the two looks makes the difference larger, not smaller.
        without = cpu(this, {parent.pid})
        assert cpu(this) - without > _SECONDS / 2
        parent.stdin.close()


def test_holes_in_files_do_not_count(tmp_path: Path) -> None:
    with (tmp_path / "sparse").open("wb") as file:
        file.truncate(1 << 30)
    assert allocated(tmp_path) < 1 << 20


def test_who_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        found = listening({
            "number": port, "url": f"postgresql://somebody@127.0.0.1:{port}/base", "brokers": f"127.0.0.1:{port}",
            "nobody": free_port(), "elsewhere": f"192.0.2.1:{port}",
        })  # fmt: skip
    assert {role: [one.pid for one in processes] for role, processes in found.items()} == {
        role: [os.getpid()] for role in ("number", "url", "brokers")
    }
