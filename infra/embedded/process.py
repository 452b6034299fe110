"""One child process: its log file, its end. Knows nothing of what runs in it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import psutil

from infra.embedded import lifeline


class ProcessError(RuntimeError):
    """A child did not start, or ended when it should not; the text holds its exit code and last log lines."""


class Account(NamedTuple):
    """The user that a child is to run as."""

    uid: int
    gid: int


class Process:
    """A child in a session of its own, so that the terminal's Ctrl-C reaches only its parent.

    It ends when its parent ends, however that happens: see ``lifeline``.
    """

    def __init__(
        self,
        name: str,
        argv: Sequence[str | Path],
        log: Path,
        *,
        env: Mapping[str, str] | None = None,
        account: Account | None = None,
        cwd: Path | None = None,
        stop_signal: signal.Signals = signal.SIGTERM,
        grace: float = 10.0,
    ) -> None:
        self.name = name
        self.argv = [str(part) for part in argv]
        self.log = log
        self._env = dict(os.environ if env is None else env)
        self._account = account
        self._cwd = cwd
        self.stop_signal = stop_signal
        self._grace = grace
        self._popen: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """Process id while it runs."""
        return self._popen.pid if self._popen and self._popen.poll() is None else None

    @property
    def exit_code(self) -> int | None:
        """Of the last run, once it has ended; negative: the signal that ended it."""
        return self._popen.poll() if self._popen else None

    def spawn(self) -> None:
        """Starts it; returns at once. Output is appended to the log file."""
        if self.pid is not None:
            raise ProcessError(f"{self.name} runs already, as process {self.pid}")
        account = self._account
        with self.log.open("ab") as log:
            self._popen = subprocess.Popen(
                self.argv,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=self._env,
                cwd=self._cwd,
                start_new_session=True,
                user=account.uid if account else None,
                group=account.gid if account else None,
                extra_groups=[] if account else None,
            )
        lifeline.adopt(self._popen.pid, self.stop_signal, self._grace)

    def request_stop(self) -> None:
        """Asks it to end; does not wait."""
        if self._popen and self._popen.poll() is None:
            self._popen.send_signal(self.stop_signal)

    def stop(self, grace: float | None = None) -> None:
        """Asks it to end, waits ``grace`` seconds, then kills it. Returns when it is gone."""
        if self._popen is None:
            return
        self.request_stop()
        try:
            self._popen.wait(self._grace if grace is None else grace)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        """Ends it with SIGKILL, with what it has started. Returns when it is gone."""
        if self._popen is None or self._popen.poll() is not None:
            return
        process = psutil.Process(self._popen.pid)
        family = process.children(recursive=True)
        self._popen.kill()
        self._popen.wait()
        lifeline.kill(family)

    def check(self) -> None:
        """Raises ProcessError when it does not run."""
        if self.pid is None:
            raise ProcessError(f"{self.name} ended with exit code {self.exit_code}.\n{tail(self.log)}")

    def wait_until(self, ready: Callable[[], bool], seconds: float) -> None:
        """Returns when ``ready()``; raises ProcessError when the process ends before, or time runs out."""
        deadline = time.monotonic() + seconds
        while not ready():
            self.check()
            if time.monotonic() > deadline:
                raise ProcessError(f"{self.name} was not ready after {seconds:.0f} s.\n{tail(self.log)}")
            time.sleep(0.05)


def tail(log: Path, lines: int = 15) -> str:
    """The last lines of a log, under its path, for error messages."""
    if not log.exists():
        return f"(no log at {log})"
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - 16_384))
        text = file.read().decode(errors="replace")
    return "\n".join([f"Last lines of {log}:", *(f"  {line}" for line in text.splitlines()[-lines:])])


def accepts(host: str, port: int) -> bool:
    """Whether somebody listens on the TCP port."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((host, port)) == 0
