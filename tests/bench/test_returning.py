"""Who comes back: frames of any size arrive, and whatever is missing, doubled or out of order is found."""

from __future__ import annotations

import asyncio

import pytest

from tests.bench.load import Member, text
from tests.bench.returning import Bare, CaughtUpWrong, Missed, Place, check, come_back
from tests.bench.system import Person

PERSON = Person("ada", "")


def frame(*messages: tuple[int, int, int], more: str = "") -> bytes:
    """One frame with messages: offset, sender and number."""
    return b"\n".join(
        b'{"push":{"channel":"user:ada","pub":{"data":{"type":"message.posted","text":"%s"},"offset":%d}}}'
        % ((text(sender, number) + more).encode(), offset)
        for offset, sender, number in messages
    )


def senders(*sent: int) -> list[Member]:
    found = [Member(number, PERSON, "room") for number in range(len(sent))]
    for member, count in zip(found, sent, strict=True):
        member.sent = count
    return found


async def from_server(frames: list[bytes], wanted: int) -> Missed:
    server = await asyncio.get_running_loop().create_server(lambda: Bare(frames), "127.0.0.1")
    try:
        return await come_back("127.0.0.1", server.sockets[0].getsockname()[1], PERSON, Place(0, ""), wanted)
    finally:
        server.close()
        await server.wait_closed()


@pytest.mark.parametrize("more", ["", "x" * 200, "x" * 100_000])
async def test_frames_of_any_size_arrive(more: str) -> None:
    frames = [frame((1, 0, 1), (2, 1, 1), more=more), frame((3, 0, 2), more=more)]
    missed = await from_server(frames, 3)
    assert missed.frames == frames
    assert missed.seconds > 0
    check(missed, Place(0, ""), senders(2, 1))


@pytest.mark.parametrize(
    ("frames", "reason"),
    [
        ([frame((1, 0, 1), (2, 1, 1))], "1 to 2 of sender 0"),
        ([frame((1, 0, 1), (2, 0, 1), (3, 0, 2), (4, 1, 1))], "1 to 2 of sender 0"),
        ([frame((1, 0, 2), (2, 0, 1), (3, 1, 1))], "1 to 2 of sender 0"),
        ([frame((1, 0, 1), (1, 0, 2), (2, 1, 1))], "offsets that grow"),
        ([frame((0, 0, 1), (1, 0, 2), (2, 1, 1))], "offsets that grow"),
    ],
)
def test_what_is_not_what_was_missed_is_found(frames: list[bytes], reason: str) -> None:
    with pytest.raises(CaughtUpWrong, match=reason):
        check(Missed(1.0, frames), Place(0, ""), senders(2, 1))
