"""How much of everything a relay takes. Pure."""

from __future__ import annotations

import msgspec

#: Members of a channel at most (S1).
MOST_MEMBERS = 25
#: Bytes by which a frame is longer than its data at most: three tags, user_id, timestamp and the length of data.
HEAD_BYTES = 3 + 5 + 10 + 4
#: Bytes of data in one frame at most, whatever is set: a message of 4 MiB is the largest that clients of gRPC take
#: unless they are told otherwise.
MOST_FRAME_BYTES = 4 * 1024 * 1024 - HEAD_BYTES


class RelayLimits(msgspec.Struct, frozen=True, kw_only=True):
    """The limits of one relay. Raises ValueError, with the field first, for one that is too low or cannot hold beside
    another."""

    #: Channels that it serves at once.
    channels: int = 1_000
    #: Members of all its channels together.
    members: int = 2_500
    #: Bytes of data in one frame (S1's contract says so to clients).
    frame_bytes: int = 64 * 1024
    #: Frames that may wait for one receiver: half a second of a channel in which five people speak at 40 frames/s.
    queue_frames: int = 100
    #: Bytes that may wait for one receiver.
    queue_bytes: int = 256 * 1024
    #: Frames a second of one member; as many at once. Speech in frames of 20 ms takes 50.
    frames_second: int = 200
    #: Bytes a second of one member; as many at once.
    bytes_second: int = 512 * 1024
    #: Seconds before and after its timestamp in which a channel token holds.
    ticket_seconds: float = 10.0
    #: Used channel tokens that are remembered, each for twice those seconds.
    tickets: int = 50_000
    #: Bytes of a channel token.
    ticket_bytes: int = 4_096
    #: Seconds in which a WebSocket shows its channel token.
    token_seconds: float = 10.0
    #: Seconds in which a member whose stream ends may still take what waits for them.
    linger_seconds: float = 1.0

    def __post_init__(self) -> None:
        for name in self.__struct_fields__:
            if not (name.endswith("_seconds") or getattr(self, name) >= 1):
                raise ValueError(f"{name}: expected 1 or more, got {getattr(self, name)}")
        if self.frame_bytes > MOST_FRAME_BYTES:
            raise ValueError(f"frame_bytes: expected at most {MOST_FRAME_BYTES}, got {self.frame_bytes}")
        frame = self.frame_bytes + HEAD_BYTES
        if self.queue_bytes < frame:
            raise ValueError(f"queue_bytes: expected {frame} or more, the largest frame, got {self.queue_bytes}")
        if self.bytes_second < frame:
            raise ValueError(f"bytes_second: expected {frame} or more, the largest frame, got {self.bytes_second}")
        if self.ticket_seconds <= 0 or self.linger_seconds < 0:
            name = "ticket_seconds" if self.ticket_seconds <= 0 else "linger_seconds"
            raise ValueError(f"{name}: expected more than 0, got {getattr(self, name)}")
