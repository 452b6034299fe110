"""Ends our children when we end without doing so ourselves (SIGKILL, a crash): one small process that waits for it.

The process holds the reading end of a pipe whose only writer is the parent. Each line names a child; at end of file
the children that are still there are ended, the last adopted first. It works from any thread and on any Unix, which
Linux's parent-death signal does not.
"""

from __future__ import annotations

import atexit
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import suppress

import psutil

#: SIGKILL works at once, unless the process waits for a disk.
_KILL_SECONDS = 10.0

_lock = threading.Lock()
_keeper: subprocess.Popen[bytes] | None = None


def adopt(pid: int, stop_signal: signal.Signals, grace: float) -> None:
    """Has ``pid`` ended when this process ends: by ``stop_signal``, and by SIGKILL ``grace`` seconds later."""
    try:
        created = psutil.Process(pid).create_time()
    except psutil.NoSuchProcess:
        return
    line = json.dumps({"pid": pid, "created": created, "signal": int(stop_signal), "grace": grace}) + "\n"
    with _lock:
        pipe = _start().stdin
        assert pipe is not None
        pipe.write(line.encode())
        pipe.flush()


def _start() -> subprocess.Popen[bytes]:
    global _keeper
    if _keeper is None or _keeper.poll() is not None:
        _keeper = subprocess.Popen(
            [sys.executable, "-I", os.path.abspath(__file__)], stdin=subprocess.PIPE, start_new_session=True
        )
        atexit.register(_end, _keeper)
    return _keeper


def _end(keeper: subprocess.Popen[bytes]) -> None:
    assert keeper.stdin is not None
    keeper.stdin.close()
    keeper.wait()


def end(pid: int, created: float, stop_signal: int, grace: float) -> bool:
    """Ends a process and what it has started; SIGKILL after ``grace`` seconds. Returns when all are gone.

    False, and nothing is done, when the process is gone or began at another time than ``created`` (seconds since
    1970, as psutil says it): its id may have been given to somebody else since.
    """
    try:
        process = psutil.Process(pid)
        if process.create_time() != created or process.status() == psutil.STATUS_ZOMBIE:
            return False
        family = [process, *process.children(recursive=True)]
        process.send_signal(stop_signal)
    except psutil.NoSuchProcess:
        return False
    kill(still_there(family, grace))
    return True


def kill(family: Sequence[psutil.Process]) -> None:
    """SIGKILL to each; returns when they are gone."""
    for member in family:
        with suppress(psutil.NoSuchProcess):
            member.kill()
    still_there(family, _KILL_SECONDS)


def still_there(family: Sequence[psutil.Process], seconds: float) -> list[psutil.Process]:
    """Those that have not ended after this many seconds.

    A zombie has ended: where process 1 does not collect orphans (many containers) it stays in the table for ever.
    """
    deadline = time.monotonic() + seconds
    left = list(family)
    while left := [member for member in left if not _has_ended(member)]:
        if time.monotonic() > deadline:
            return left
        time.sleep(0.02)
    return []


def _has_ended(process: psutil.Process) -> bool:
    try:
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def main() -> None:
    """Reads children until the pipe ends, then ends them."""
    for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(name, signal.SIG_IGN)
    os.chdir("/")
    children = [json.loads(line) for line in sys.stdin]
    for child in reversed(children):
        end(child["pid"], child["created"], child["signal"], child["grace"])


if __name__ == "__main__":
    main()
