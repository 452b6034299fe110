"""A frame as a member sends it, and as the others receive it. Pure."""

from __future__ import annotations

from google.protobuf.message import DecodeError

from push.relay.core.endings import RelayRefused
from push.relay.core_service_pb2 import Message


def relayed(raw: bytes, number: int, most: int) -> bytes:
    """The frame of the member with this number as all others receive it: with their number, and nothing unknown in it.

    ``most``: bytes of its data. Raises RelayRefused: it is no Message, too large, or says to be of somebody else.
    """
    try:
        message = Message.FromString(raw)
    except DecodeError:
        # The error's own text may quote what was sent.
        raise _invalid("malformed", f"expected a Message, got {len(raw)} bytes that are none") from None
    if len(message.data) > most:
        raise _invalid("frame_too_large", f"data: expected at most {most} bytes, got {len(message.data)}")
    if message.user_id not in (0, number):
        raise _invalid(
            "user_id_forged", f"user_id: expected 0, or the member's own number {number}, got {message.user_id}"
        )
    message.user_id = number
    message.DiscardUnknownFields()
    return message.SerializeToString()


def _invalid(type: str, detail: str) -> RelayRefused:
    return RelayRefused("INVALID_ARGUMENT", type, detail)
