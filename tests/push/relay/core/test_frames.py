"""A frame as the others receive it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from push.relay.core.endings import RelayRefused
from push.relay.core.frames import relayed
from push.relay.core.limits import HEAD_BYTES
from push.relay.core_service_pb2 import Message


def refusal(raw: bytes) -> tuple[str, str]:
    with pytest.raises(RelayRefused) as refused:
        relayed(raw, 7, 64)
    return refused.value.ending.status, refused.value.ending.detail


@given(st.sampled_from([0, 7]), st.integers(0, 2**64 - 1), st.binary(max_size=64))
def test_only_the_number_is_set(said: int, timestamp: int, data: bytes) -> None:
    frame = relayed(Message(user_id=said, timestamp=timestamp, data=data).SerializeToString(), 7, 64)
    assert Message.FromString(frame) == Message(user_id=7, timestamp=timestamp, data=data)
    assert len(frame) <= len(data) + HEAD_BYTES


def test_an_empty_frame_is_one() -> None:
    assert Message.FromString(relayed(b"", 7, 64)) == Message(user_id=7)


def test_what_is_no_field_of_it_is_not_passed_on() -> None:
    assert relayed(b"\x7a\x02hi\x1a\x01x", 7, 64) == Message(user_id=7, data=b"x").SerializeToString()


def test_refusals() -> None:
    large = Message(data=bytes(65)).SerializeToString()
    assert refusal(large) == ("INVALID_ARGUMENT", "data: expected at most 64 bytes, got 65")
    assert refusal(Message(user_id=8).SerializeToString()) == (
        "INVALID_ARGUMENT", "user_id: expected 0, or the member's own number 7, got 8",
    )  # fmt: skip
    assert refusal(b"\x1a\xff") == ("INVALID_ARGUMENT", "expected a Message, got 2 bytes that are none")


def test_of_two_numbers_the_later_counts_as_for_every_reader() -> None:
    assert refusal(b"\x08\x07\x08\x09")[1].endswith("got 9")
    assert Message.FromString(relayed(b"\x08\x09\x08\x07", 7, 64)).user_id == 7


@given(st.binary(max_size=100))
def test_whatever_comes_is_a_frame_or_refused(raw: bytes) -> None:
    try:
        frame = relayed(raw, 7, 64)
    except RelayRefused:
        return
    message = Message.FromString(frame)
    assert message.user_id == 7 and len(message.data) <= 64 and len(frame) <= 64 + HEAD_BYTES
