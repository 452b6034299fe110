"""Which processes a data folder has running, and the end of those whose supervisor is gone."""

from __future__ import annotations

import signal
from pathlib import Path

import orjson
import psutil

from infra.embedded import lifeline
from infra.ops.supervisor.folder import write_atomically

#: Seconds that a left-over process gets to end by itself.
_GRACE = 10.0


def remember(run: Path, name: str, pid: int, stop_signal: signal.Signals) -> None:
    """Writes ``run/<name>.pid``: the process id, and when it began, since ids are given again."""
    try:
        created = psutil.Process(pid).create_time()
    except psutil.NoSuchProcess:
        return
    write_atomically(
        run / f"{name}.pid", orjson.dumps({"pid": pid, "created": created, "signal": int(stop_signal)}).decode() + "\n"
    )


def forget(run: Path, name: str) -> None:
    """Removes the entry of a process that has ended."""
    (run / f"{name}.pid").unlink(missing_ok=True)


def end_leftovers(run: Path, last: tuple[str, ...]) -> list[str]:
    """Ends what earlier supervisors of this folder have left running, those named in ``last`` at the end, in order.

    Returns their names. A process that only got the same id is not touched.
    """
    ended = []
    names = sorted(file.stem for file in run.glob("*.pid"))
    for name in [*(name for name in names if name not in last), *(name for name in last if name in names)]:
        if _end(run / f"{name}.pid"):
            ended.append(name)
        forget(run, name)
    return ended


def _end(file: Path) -> bool:
    try:
        entry = orjson.loads(file.read_text())
        return lifeline.end(entry["pid"], entry["created"], entry["signal"], _GRACE)
    except (ValueError, KeyError):
        # Half an entry can only be one that was never renamed into place by us.
        return False
