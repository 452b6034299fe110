"""What a turn tells of pages of history: what has changed in them, before the positions, in notifications that fit."""

from __future__ import annotations

from functools import partial
from typing import Any

import msgspec
from hypothesis import given as drawn
from hypothesis import strategies as st
from msgspec.structs import replace

from events.core.records import Entity, Key
from events.members import MemberRead, member_key
from events.messages import MessageDeleted, MessageEdited
from events.relationships import RelationshipSet
from events.rooms import RoomDeleted, RoomRenamed
from events.users import UserProfileChanged
from infra.base import postgres, rows
from infra.base.progress import Invalidation, listen_to, pages_channel, positions_channel
from infra.base.settings import Settings
from projectors.read_models.applying import NOTIFY_BYTES
from projectors.read_models.invalidations import Invalidations
from projectors.read_models.projector import ReadModels
from tests.given import Fact, given
from tests.projectors.scenes import created, joined, left, posted, registered
from tests.running import running, until

IDS = st.lists(st.text(max_size=30) | st.text('"\\\n', max_size=30), max_size=50, unique=True)


@drawn(IDS, IDS, st.integers(60, 400))
def test_notifications_hold_all_and_fit(appended: list[str], users: list[str], limit: int) -> None:
    noted = Invalidations()
    noted._appended.update(appended)
    noted._users.update(users)
    payloads = noted.payloads(limit)
    assert all(len(payload.encode()) <= limit for payload in payloads)
    told = [msgspec.json.decode(payload, type=Invalidation) for payload in payloads]
    if not any(one.all for one in told):
        assert sorted(id for one in told for id in one.appended) == sorted(appended)
        assert sorted(id for one in told for id in one.users) == sorted(users)
    assert bool(told) == bool(appended or users)


def test_an_id_that_is_too_long_stands_for_everything() -> None:
    noted = Invalidations()
    noted._changed.add("x" * NOTIFY_BYTES)
    assert noted.payloads(NOTIFY_BYTES) == ['{"all":true}']


def _note(heard: list[tuple[str, str]], channel: str, payload: str) -> None:
    heard.append((channel, payload))


async def test_each_kind_of_change_is_told_before_its_position(settings: Settings) -> None:
    heard: list[tuple[str, str]] = []
    listener = await postgres.connect(settings)
    for channel in (pages_channel(settings), positions_channel(settings)):
        await listen_to(listener, channel, partial(_note, heard, channel))
    facts = [registered("ada"), created("r", "ada"), joined("r", "ada")]
    async with given(settings, *facts) as writer, running(ReadModels(settings)):
        await writer.level()
        await writer.events(posted("r", "ada", 1))
        await writer.level()
        profile = UserProfileChanged(name="Augusta", data=None)
        for fact, expected in (
            (posted("r", "ada", 2), Invalidation(appended=["r"])),
            (
                Fact("r", MessageEdited(message="r-m1", content={"text": "x"}, data={}), "ada"),
                Invalidation(changed=["r"]),
            ),
            (Fact("r", MessageDeleted(message="r-m1"), "ada"), Invalidation(changed=["r"])),
            (joined("r", "bob"), Invalidation(changed=["r"])),
            (Fact("r", MemberRead(user="bob", seq=2), "bob"), None),
            (Fact("r", RoomRenamed(name="R"), "ada"), None),
            (left("r", "bob"), Invalidation(changed=["r"])),
            (Fact("ada", profile, "ada"), Invalidation(users=["ada"])),
            (Fact("ada", RelationshipSet(other="bob", type="friend", was=None), "ada"), None),
            (
                Fact("ada", RelationshipSet(other="bob", type="block", was="friend"), "ada"),
                Invalidation(users=["ada", "bob"]),
            ),
            (
                Fact("ada", RelationshipSet(other="bob", type=None, was="block"), "ada"),
                Invalidation(users=["ada", "bob"]),
            ),
            (Fact("r", RoomDeleted(), "ada"), Invalidation(changed=["r"])),
        ):
            heard.clear()
            (position,) = await writer.events(fact)
            after = f"{position.shard}/{position.offset + 1}"

            async def told(after: str = after) -> bool:
                return (positions_channel(settings), after) in heard

            await until(told, f"{fact} is told")
            before = heard[: heard.index((positions_channel(settings), after))]
            found = [msgspec.json.decode(text, type=Invalidation) for _, text in before]
            assert found == ([] if expected is None else [expected]), fact
    await listener.close()


async def test_a_member_who_only_reads_changes_no_page(settings: Settings) -> None:
    async with given(settings, created("r", "ada"), joined("r", "ada")) as writer:
        await writer.then({})
        loaded: dict[Key, Entity | None] = await rows.load(writer.connection, [member_key("r", "ada")])
        member: Any = loaded[member_key("r", "ada")]
        noted = Invalidations()
        noted.note(loaded, {member.key: replace(member, read=7, role="admin")})
        assert noted.payloads(NOTIFY_BYTES) == []
        noted.note(loaded, {member.key: replace(member, state="left")})
        assert noted.payloads(NOTIFY_BYTES) == ['{"changed":["r"]}']
