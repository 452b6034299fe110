"""How fast a member may send. Pure: times are seconds of a clock that never jumps, given by the caller."""

from __future__ import annotations


class FrameRate:
    """Two buckets that fill at their rates and hold one second of it: frames, and bytes."""

    __slots__ = ("_at", "_bytes", "_bytes_second", "_frames", "_frames_second")

    def __init__(self, frames_second: int, bytes_second: int, now: float) -> None:
        self._frames_second = frames_second
        self._bytes_second = bytes_second
        self._frames = float(frames_second)
        self._bytes = float(bytes_second)
        self._at = now

    def take(self, size: int, now: float) -> str | None:
        """Counts one frame of so many bytes. Returns what it is too many of, ``frames`` or ``bytes``; else None."""
        passed = now - self._at
        self._at = now
        self._frames = min(self._frames_second, self._frames + passed * self._frames_second)
        self._bytes = min(self._bytes_second, self._bytes + passed * self._bytes_second)
        if self._frames < 1:
            return "frames"
        if self._bytes < size:
            return "bytes"
        self._frames -= 1
        self._bytes -= size
        return None
