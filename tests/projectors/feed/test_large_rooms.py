"""Rooms whose roster is named in the feed and not written out: what it costs, and that nothing is fed twice.
Tests ``projectors/audience/recipients.py`` and ``projectors/feed/projector.py``."""

from __future__ import annotations

import pytest

from events.core.feed import NAMED_ROOM, room_mark
from infra.base.settings import Settings
from projectors.audience import recipients
from projectors.audience.recipients import Recipients
from projectors.read_models.projector import ReadModels
from tests.given import given
from tests.projectors.hearing import feed, hear, producing, texts, types, until_heard
from tests.projectors.scenes import created, joined, left, posted, registered
from tests.running import running

PEOPLE = ["ada", "bob", "cyd"]


def test_a_large_roster_is_its_room_in_each_partition_with_a_member() -> None:
    users = [f"u{n}" for n in range(NAMED_ROOM + 1)]
    large, small = Recipients(users, 4, "r"), Recipients(users[1:], 4, "r")
    assert large.encoded(0) == [b'["room:r"]']
    assert b"u1" in small.encoded(0)[0] + small.encoded(1)[0] + small.encoded(2)[0] + small.encoded(3)[0]
    assert Recipients(users, 4).encoded(0) != [b'["room:r"]'], "contacts are no room"
    large.discard("u0")
    assert large.encoded(0) == small.encoded(0)


async def test_a_named_room_is_fed_once_across_a_restart(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recipients, "NAMED_ROOM", 2)
    facts = [*(registered(user) for user in PEOPLE), created("r", "ada"), *(joined("r", user) for user in PEOPLE)]
    facts += [posted("r", "ada", 1, "one"), left("r", "cyd"), posted("r", "ada", 2, "two")]
    room = room_mark("r")
    async with given(settings, *facts) as writer, producing(settings) as producer, running(ReadModels(settings)):
        await writer.level()
        for _ in range(2):
            async with running(feed(settings, producer)):
                heard = await until_heard(settings, "ada", "two")
        partitions = {
            partition for partition in range(settings.feed_partitions) if Recipients(PEOPLE, 2).count(partition)
        }
        assert texts(heard, room) == ["one"] * len(partitions)
        assert texts(heard, "ada") == ["two"], "with two members it is small again"
        assert types(heard, room).count("member.left") == len(partitions)
        named = [type for type in types(await hear(settings), "cyd") if type.startswith("m")]
        assert named == ["member.joined"], "its own join names it, all else the room"
