"""What the feed reads from the read models: rosters as of a position, contacts, and how long it waits."""

from __future__ import annotations

import pytest

from events.members import MemberRoleChanged
from events.relationships import RelationshipSet
from events.users import UserProfileChanged
from infra.base.progress import Progress, ReadModelsBehind
from infra.base.settings import Settings
from projectors.feed.rosters import Rosters
from projectors.read_models.projector import ReadModels
from tests.given import Fact, given
from tests.projectors.hearing import feed, producing, types, until_type
from tests.projectors.scenes import created, joined, left, posted, registered
from tests.running import running


async def test_rosters_as_of_every_position(settings: Settings) -> None:
    facts = [
        created("r", "ada"), joined("r", "ada"), joined("r", "bob"), left("r", "ada"), joined("r", "cyd"),
        joined("r", "ada"), left("r", "bob"), joined("r", "bob"), left("r", "bob"),
        Fact("r", MemberRoleChanged(user="cyd", role="owner"), "cyd"),
    ]  # fmt: skip
    before = [
        "", "", "ada", "ada bob", "bob", "bob cyd", "ada bob cyd", "ada cyd", "ada bob cyd", "ada cyd", "ada cyd",
    ]  # fmt: skip
    async with given(settings, *facts) as writer:
        await writer.then({})
        for place, expected in enumerate(before, start=1):
            rosters = Rosters(partitions=2)
            # The log's first record is log.opened; the read model is at the end all the time.
            await rosters.load(writer.connection, {"r": place, "unknown": place})
            assert " ".join(sorted(rosters.members("r"))) == expected, place
            assert list(rosters.members("unknown")) == []


async def test_rosters_are_dropped_beyond_the_limit(settings: Settings) -> None:
    rooms = [f"r{n}" for n in range(5)]
    facts = [fact for room in rooms for fact in (created(room, "ada"), *(joined(room, f"u{n}") for n in range(9)))]
    async with given(settings, *facts) as writer:
        await writer.then({})
        rosters = Rosters(partitions=2, limit=20)
        await rosters.load(writer.connection, dict.fromkeys(rooms, 1000))
        rosters.members("r0")
        rosters.trim()
        assert [room for room in rooms if room in rosters] == ["r0", "r4"]


async def test_a_profile_change_reaches_contacts(settings: Settings) -> None:
    facts = [
        registered("ada"), registered("bob"), registered("cyd"),
        Fact("bob", RelationshipSet(other="ada", type="friend", was=None), "bob"),
        Fact("ada", UserProfileChanged(name="Countess"), "ada"),
    ]  # fmt: skip
    async with (
        given(settings, *facts),
        producing(settings) as producer,
        running(ReadModels(settings), feed(settings, producer)),
    ):
        heard = await until_type(settings, "bob", "user.profile_changed")
    assert "user.profile_changed" in types(heard, "ada")
    assert "user.profile_changed" not in types(heard, "cyd")


async def test_waiting_for_the_read_models(settings: Settings) -> None:
    progress = Progress(settings)
    await progress.start()
    async with given(settings, created("r", "ada"), joined("r", "ada")) as writer:
        with pytest.raises(ReadModelsBehind, match=r"expected the read models at rooms/\d/3 .* got rooms/\d/0"):
            await progress.reach(writer.ends, 0.2)
        async with running(ReadModels(settings)):
            await progress.reach(writer.ends, 20)
            await writer.events(posted("r", "ada", 1))
            await progress.reach(writer.ends, 20)
    assert progress.vector.items() >= writer.ends.items()
    await progress.stop()
