"""How much of everything a relay takes. Pure."""

from __future__ import annotations

import msgspec

#: Members of a channel at most (S1).
MOST_MEMBERS = 25
#: Bytes by which a frame is longer than its data at most: three tags, user_id, timestamp and the length of data.
HEAD_BYTES = 3 + 5 + 10 + 4


class RelayLimits(msgspec.Struct, frozen=True, kw_only=True):
    """The limits of one relay. Raises ValueError when two of them cannot hold together."""

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
        frame = self.frame_bytes + HEAD_BYTES
        if self.queue_bytes < frame:
            raise ValueError(f"queue_bytes: expected {frame} or more, the largest frame, got {self.queue_bytes}")
        if self.bytes_second < frame:
            raise ValueError(f"bytes_second: expected {frame} or more, the largest frame, got {self.bytes_second}")
        if min(self.channels, self.members, self.queue_frames, self.frames_second, self.tickets) < 1:
            raise ValueError("expected every number to be 1 or more")
