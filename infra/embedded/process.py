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

from events.core.errors import KlatschError
from infra.embedded import lifeline
from infra.embedded.patience import SILENT_SECONDS, Patience, Sign, cpu_seconds, sizes


class ProcessError(KlatschError):
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
        own_log: Path | None = None,
    ) -> None:
        """``log`` gets its output. ``own_log``: where it writes itself what it does, if it does."""
        self.name = name
        self.argv = [str(part) for part in argv]
        #: What its output goes to.
        self.output = log
        #: Where to read what it does.
        self.log = own_log or log
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
        with self.output.open("ab") as log:
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
            raise ProcessError(f"{self.name} {how_ended(self.exit_code)}.\n{self.last_words()}")

    def patience(self, silent_seconds: float = SILENT_SECONDS) -> Patience:
        """With its start: signs of life are lines in its logs, and CPU that it uses."""
        logs = dict.fromkeys((self.log, self.output))
        return Patience(lambda: Sign(sizes(logs), cpu_seconds(self.pid) if self.pid else 0.0), silent_seconds)

    def wait_until(self, ready: Callable[[], bool], silent_seconds: float = SILENT_SECONDS) -> None:
        """Returns when ``ready()``, however long it takes.

        Raises ProcessError when the process ends before, or gives no sign of life for ``silent_seconds``.
        """
        patience = self.patience(silent_seconds)
        while not ready():
            self.check()
            if patience.spent():
                raise self.silence(patience, "an answer")
            time.sleep(0.05)

    def silence(self, patience: Patience, awaited: str) -> ProcessError:
        """The error of a start that has fallen silent; ``awaited``: what would have ended it well."""
        return ProcessError(
            f"{self.name} is not ready after {patience.waited:.0f} s, and for the last {patience.silent:.0f} s it "
            f"wrote nothing and hardly used the processor; expected {awaited}. A slow start is waited for, a silent "
            f"one is not: see its log for what it waits for (a disk, a lock, an address), then start it again.\n"
            f"{self.last_words()}"
        )

    def last_words(self) -> str:
        """The last lines of its log, and of its output where that is another file and not empty."""
        both = [self.log, *([self.output] if self.output != self.log and sizes([self.output])[0] > 0 else [])]
        return "\n".join(tail(log) for log in both)


def how_ended(code: int | None) -> str:
    """``ended with exit code 1``, ``was killed (signal 9)``."""
    return f"was killed (signal {-code})" if code is not None and code < 0 else f"ended with exit code {code}"


def tail(log: Path, lines: int = 15) -> str:
    """The last lines of a log, under its path, for error messages."""
    if not log.exists():
        return f"(no log at {log})"
    return "\n".join([f"Last lines of {log}:", *(f"  {line}" for line in _end_of(log)[-lines:])])


def last_line(log: Path, length: int = 100) -> str:
    """The last line of a log that holds something, cut; empty where there is none."""
    lines = [line.strip() for line in _end_of(log) if line.strip()] if log.exists() else []
    return lines[-1][:length] if lines else ""


def _end_of(log: Path) -> list[str]:
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - 16_384))
        return file.read().decode(errors="replace").splitlines()


def accepts(host: str, port: int) -> bool:
    """Whether somebody listens on the TCP port."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((host, port)) == 0
