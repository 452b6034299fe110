"""How long a start may take: as long as something happens. What is limited is silence, not time."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable, Iterable
from pathlib import Path
from typing import NamedTuple

import psutil

#: Seconds without a sign of life after which a start has failed. A broker on two cores writes a line each second, and
#: under a load of 30 was seen to need 109 s in all.
SILENT_SECONDS = 60.0
#: Share of a core that counts as work over such a time; an idle broker and the answers to our own questions stay below.
_WORKING = 0.05
#: Seconds between two looks, as each one walks through the process's family.
_LOOK = 1.0


class Sign(NamedTuple):
    """What one look at a start finds."""

    #: Changes with each line that is written: sizes of logs, or whatever else grows.
    written: Hashable
    #: Seconds of CPU used up to this moment, with what was started and has ended.
    cpu: float = 0.0


class Patience:
    """The silence of something that starts: a line in its log ends it, and so does work, of ``_WORKING`` of a core."""

    def __init__(
        self, look: Callable[[], Sign], seconds: float = SILENT_SECONDS, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """``seconds``: of silence that are allowed."""
        self.seconds = seconds
        self._look = look
        self._clock = clock
        self._began = self._heard = self._looked = clock()
        self._last = look()

    @property
    def waited(self) -> float:
        """Seconds since the start began."""
        return self._clock() - self._began

    @property
    def silent(self) -> float:
        """Seconds since the last sign of life that was seen."""
        return self._clock() - self._heard

    def spent(self) -> bool:
        """Whether it was silent for too long. To be asked often: a look is taken once a second at most."""
        now = self._clock()
        if now - self._looked >= min(_LOOK, self.seconds / 10):
            self._looked, sign = now, self._look()
            worked = abs(sign.cpu - self._last.cpu) >= _WORKING * self.seconds
            if worked or sign.written != self._last.written:
                self._heard, self._last = now, sign
        return self.silent > self.seconds


def sizes(logs: Iterable[Path]) -> tuple[int, ...]:
    """Bytes in each log; -1 where there is none."""
    return tuple(log.stat().st_size if log.exists() else -1 for log in logs)


def cpu_seconds(pid: int) -> float:
    """CPU that a process and its family have used; 0 where this user is not told, or where it has ended."""
    try:
        process = psutil.Process(pid)
        used = sum(process.cpu_times()[:4])
        return float(used) + sum(sum(child.cpu_times()[:4]) for child in process.children(recursive=True))
    except psutil.Error:
        return 0.0
