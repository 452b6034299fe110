"""What waits for one receiver. Pure."""

from __future__ import annotations

from collections import deque


class MemberQueue:
    """Frames in the order in which they came, bounded in number and bytes: the oldest are dropped for a new one.

    Who does not keep up with speech has use for what is said now; what is late is lost to them, and counted.
    """

    __slots__ = ("_bytes", "_frames", "_most_bytes", "_most_frames", "dropped")

    def __init__(self, most_frames: int, most_bytes: int) -> None:
        """``most_bytes`` is at least the largest frame."""
        self._most_frames = most_frames
        self._most_bytes = most_bytes
        self._frames: deque[bytes] = deque()
        self._bytes = 0
        #: Frames that were dropped so far.
        self.dropped = 0

    def __len__(self) -> int:
        return len(self._frames)

    @property
    def size(self) -> int:
        """Bytes of the frames that wait."""
        return self._bytes

    def put(self, frame: bytes) -> int:
        """Adds a frame. Returns how many older ones were dropped for it. Raises ValueError: it never fits."""
        size = len(frame)
        if size > self._most_bytes:
            raise ValueError(f"expected a frame of at most {self._most_bytes} bytes, got {size}")
        frames = self._frames
        total = self._bytes + size
        dropped = 0
        while len(frames) >= self._most_frames or total > self._most_bytes:
            total -= len(frames.popleft())
            dropped += 1
        frames.append(frame)
        self._bytes = total
        self.dropped += dropped
        return dropped

    def take(self) -> bytes:
        """The oldest frame, which no longer waits. Raises IndexError when none does."""
        frame = self._frames.popleft()
        self._bytes -= len(frame)
        return frame

    def clear(self) -> int:
        """Drops all that waits, which counts as dropped. Returns how many frames that were."""
        dropped = len(self._frames)
        self._frames.clear()
        self._bytes = 0
        self.dropped += dropped
        return dropped
