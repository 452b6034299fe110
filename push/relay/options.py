"""How a gRPC server has to be set that a relay stands in, measured with grpcio 1.85."""

from __future__ import annotations

from push.relay.core.limits import RelayLimits

#: Bytes by which a message may be larger than the largest frame: it is refused with a sentence of ours up to there, and
#: with one of gRPC's, which ends the stream too, beyond.
_MORE_BYTES = 192 * 1024


def connections(limits: RelayLimits) -> int:
    """Connections at once: of members, and of as many times more who are about to show a token or call otherwise."""
    return 4 * limits.members


def options(
    limits: RelayLimits, *, keepalive_seconds: float = 15.0, dead_seconds: float = 5.0, silent_seconds: float = 10.0
) -> dict[str, int]:
    """Arguments of the server's channel.

    A client that is gone without a word is noticed within the sum of the first two: after ``keepalive_seconds`` of
    silence it is asked, and has ``dead_seconds`` to answer. ``silent_seconds``: how long a new connection may take to
    say that it speaks HTTP/2.
    """
    return {
        "grpc.keepalive_time_ms": int(keepalive_seconds * 1000),
        "grpc.keepalive_timeout_ms": int(dead_seconds * 1000),
        # Without it a ping has a minute of its own, whatever the time-out above says.
        "grpc.http2.ping_timeout_ms": int(dead_seconds * 1000),
        "grpc.keepalive_permit_without_calls": 1,
        # Clients may ask, too, every ten seconds.
        "grpc.http2.min_ping_interval_without_data_ms": 10_000,
        # Senders are bounded: a window of 64 KiB is enough for each, and does not grow. (That of a receiver is theirs.)
        "grpc.http2.bdp_probe": 0,
        "grpc.max_receive_message_length": limits.frame_bytes + _MORE_BYTES,
        # Soft and hard limit are one: between two of them gRPC refuses at random.
        "grpc.max_metadata_size": 16 * 1024,
        "grpc.absolute_max_metadata_size": 16 * 1024,
        # Streams of one connection.
        "grpc.max_concurrent_streams": 100,
        # With and without a stream; further ones are closed at once.
        "grpc.max_allowed_incoming_connections": connections(limits),
        "grpc.server_handshake_timeout_ms": int(silent_seconds * 1000),
        # One without a call is closed.
        "grpc.max_connection_idle_ms": 60_000,
        # Two processes never share a port: the second one fails at its start.
        "grpc.so_reuseport": 0,
    }
