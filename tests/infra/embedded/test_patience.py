"""A start is limited by its silence: by a clock of the test's own, and with real processes."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import psutil
import pytest

from infra.embedded.kafka import EmbeddedKafka
from infra.embedded.patience import Patience, Sign, cpu_seconds
from infra.embedded.ports import free_port
from infra.embedded.process import Process, ProcessError, accepts, last_line


class Start:
    """What a look finds, and what the clock says."""

    def __init__(self) -> None:
        self.now, self.written, self.cpu = 0.0, 0, 0.0
        self.patience = Patience(lambda: Sign(self.written, self.cpu), 60, lambda: self.now)

    def after(self, seconds: int, *, lines: float = 0.0, cpu: float = 0.0) -> bool:
        """Whether patience ends within this many seconds, of which each brings so many lines and seconds of CPU."""
        for _ in range(seconds):
            self.now += 1
            self.written += int(self.now * lines) - int((self.now - 1) * lines)
            self.cpu += cpu
            if self.patience.spent():
                return True
        return False


def test_a_start_that_writes_is_waited_for_as_long_as_it_takes() -> None:
    start = Start()
    assert not start.after(3600, lines=1 / 50)
    assert start.patience.waited == 3600
    assert start.after(112)


def test_a_start_that_works_without_a_word_is_waited_for() -> None:
    assert not Start().after(3600, cpu=0.06)


def test_a_start_that_only_ticks_is_not() -> None:
    start = Start()
    assert start.after(61, cpu=0.02)
    assert start.patience.silent == 61


SLOW = """
import socket, sys, threading
for line in range(12):
    print("loading", line, flush=True)
    threading.Event().wait(0.25)
server = socket.create_server(("127.0.0.1", int(sys.argv[1])))
print("listening", flush=True)
while True:
    server.accept()[0].close()
"""


def test_a_slow_child_is_waited_for(tmp_path: Path) -> None:
    port = free_port()
    child = Process("child", [sys.executable, "-c", SLOW, str(port)], tmp_path / "log")
    child.spawn()
    try:
        # Three seconds of loading, of which no one is silent.
        child.wait_until(lambda: accepts("127.0.0.1", port), silent_seconds=2.0)
        assert last_line(child.log) == "listening"
    finally:
        child.kill()


def test_a_silent_child_is_an_error_that_says_what_to_do(tmp_path: Path) -> None:
    child = Process("child", ["/bin/sh", "-c", "echo waiting for the lock; exec sleep 600"], tmp_path / "log")
    child.spawn()
    try:
        with pytest.raises(ProcessError) as refused:
            child.wait_until(lambda: False, silent_seconds=0.5)
        text = str(refused.value)
        assert "expected an answer" in text
        assert "wrote nothing" in text
        assert "then start it again" in text
        assert text.endswith("  waiting for the lock")
    finally:
        child.kill()


def test_the_log_of_its_own_counts_and_is_shown(tmp_path: Path) -> None:
    own = tmp_path / "own.log"
    script = f"echo on its output; echo in its log > {own}; exit 3"
    child = Process("child", ["/bin/sh", "-c", script], tmp_path / "output", own_log=own)
    child.spawn()
    with pytest.raises(ProcessError, match=r"(?s)in its log.*on its output"):
        child.wait_until(lambda: False)


BUSY = """
import subprocess, sys, threading
subprocess.run([sys.executable, "-c", "import time\\nwhile time.process_time() < 0.3: pass"])
print("done", flush=True)
threading.Event().wait()
"""


def test_cpu_of_children_that_have_ended_counts(tmp_path: Path) -> None:
    child = Process("child", [sys.executable, "-c", BUSY], tmp_path / "log")
    child.spawn()
    try:
        child.wait_until(lambda: last_line(child.log) == "done")
        assert child.pid
        assert psutil.Process(child.pid).children() == []
        # The kernel counts in hundredths, of several processes each rounded down.
        assert cpu_seconds(child.pid) >= 0.25
    finally:
        child.kill()


def test_a_broker_that_was_stopped_for_longer_than_silence_may_last_says_so(tmp_path: Path) -> None:
    broker = EmbeddedKafka(tmp_path / "kafka", heap="256m", open_to_all=True)
    process = broker.prepare()
    process.spawn()
    try:
        assert process.pid
        os.kill(process.pid, signal.SIGSTOP)
        with pytest.raises(ProcessError, match=r"Kafka is not ready after .* wrote nothing"):
            process.wait_until(broker.ready, silent_seconds=0.5)
        os.kill(process.pid, signal.SIGCONT)
        process.wait_until(broker.ready)
    finally:
        broker.kill()
