"""Decisions about taking back: every field of every entity, and what somebody has changed since."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from events.core.records import Event
from events.core.revert_rules import RevertRule
from events.members import MemberCustomChanged, MemberJoined, MemberLeft, MemberNotificationsSet, MemberRoleChanged
from events.messages import MessageDeleted, MessageEdited, MessageEmotionDetected, MessageRestored
from events.registry import REGISTRY
from events.relationships import RelationshipSet
from events.rooms import (
    RoomArchived,
    RoomCustomChanged,
    RoomDataChanged,
    RoomDeleted,
    RoomDescribed,
    RoomRenamed,
    RoomRestored,
    RoomSettingsChanged,
    RoomTopicLineSet,
    RoomUnarchived,
)
from events.sessions import SessionOpened
from events.users import User, UserProfileChanged, UserRegistered, UserVisualChosen, user_key
from events.visuals import VisualChanged, VisualCreated
from producers.revert import REVERTIBLE, fields_of, key_of
from producers.revertible import RevertInRoom, RevertOfUser
from tests.producers.given import Given
from tests.producers.scenes import DIRECT, PUBLIC, join, left, posted, room

Json = dict[str, Any]
ROOM_EVENTS = [row for row in REGISTRY.events.values() if row.topics == ("rooms",)]


def back(kind: Any, id: str, was: Json, became: Json) -> RevertInRoom:
    return RevertInRoom(room="s", kind=kind, id=id, was=was, became=became)


def own(kind: Any, id: str, was: Json, became: Json) -> RevertOfUser:
    return RevertOfUser(user="s", kind=kind, id=id, was=was, became=became)


#: What was changed, from what, to what, and the events that set it back.
OF_ROOM: list[tuple[Event, Json, Json, Event]] = [
    (RoomRenamed(name="B"), {"name": "Room"}, {"name": "B"}, RoomRenamed(name="Room")),
    (RoomDescribed(description="x"), {"description": None}, {"description": "x"}, RoomDescribed(description=None)),
    (RoomTopicLineSet(topic_line="x"), {"topic_line": None}, {"topic_line": "x"}, RoomTopicLineSet(topic_line=None)),
    (RoomDataChanged(data={}), {"data": {"a": "b"}}, {"data": {}}, RoomDataChanged(data={"a": "b"})),
    (RoomCustomChanged(custom={"a": [1]}), {"custom": {}}, {"custom": {"a": [1]}}, RoomCustomChanged(custom={})),
    (RoomArchived(), {"state": "active"}, {"state": "archived"}, RoomUnarchived()),
    (RoomDeleted(), {"state": "active"}, {"state": "deleted"}, RoomRestored()),
]


@pytest.mark.parametrize("case", OF_ROOM, ids=lambda case: type(case[0]).__name__)
def test_a_room(case: tuple[Event, Json, Json, Event]) -> None:
    changed, was, became, event = case
    command = back("room", "s", was, became)
    room(PUBLIC, "ada", more=(changed,)).when(command, actor="operator").then(event)
    # As it is already; and changed by somebody since.
    room(PUBLIC, "ada").when(command, actor="operator").then()
    others = {"name": RoomRenamed(name="C"), "description": RoomDescribed(description="C"),
              "topic_line": RoomTopicLineSet(topic_line="C"), "data": RoomDataChanged(data={"c": "c"}),
              "custom": RoomCustomChanged(custom={"a": [True]})}  # fmt: skip
    (field,) = was
    if field in others:
        room(PUBLIC, "ada", more=(changed, others[field])).when(command, actor="operator").refused("conflict")
    Given().when(command, actor="operator").refused("not_found")


def test_settings_and_more_than_one_field() -> None:
    settings = {"notifications": True, "announcements": True, "posting": "admins", "inviting": "members"}
    before = {**settings, "posting": "members"}
    changes = (RoomSettingsChanged(settings=settings), RoomRenamed(name="B"))
    command = back("room", "s", {"settings": before, "name": "Room"}, {"settings": settings, "name": "B"})
    room(PUBLIC, "ada", more=changes).when(command).then(RoomRenamed(name="Room"), RoomSettingsChanged(settings=before))


def test_a_room_that_was_made_is_deleted() -> None:
    command = back("room", "s", {"state": "deleted"}, {"state": "active"})
    room(PUBLIC, "ada").when(command, actor="operator").then(RoomDeleted())
    room(DIRECT, "ada", "bob").when(command, actor="operator").refused("conflict")


@pytest.mark.parametrize("kind", REVERTIBLE)
def test_every_kind_has_a_command(kind: str) -> None:
    in_room = any(kind == row.revert.kind for row in ROOM_EVENTS if isinstance(row.revert, RevertRule))
    struct: Any = RevertInRoom if in_room else RevertOfUser
    stream = {"room": "s"} if in_room else {"user": "s"}
    command = msgspec.convert({**stream, "kind": kind, "id": "i", "was": {}, "became": {}}, struct)
    assert key_of(command)[0] == kind and fields_of(None, kind).keys() <= REVERTIBLE[kind].fields


def test_members() -> None:
    put_out = back("member", "bob", {"state": "left"}, {"state": "joined"})
    room(PUBLIC, "ada", "bob").when(put_out, actor="operator").then(MemberLeft(user="bob"))
    room(PUBLIC, "ada").when(put_out, actor="operator").then()
    owner = back("member", "ada", {"state": "left"}, {"state": "joined"})
    room(PUBLIC, "ada", "bob").when(owner, actor="operator").refused("conflict")
    room(PUBLIC, "ada").when(owner, actor="operator").then(MemberLeft(user="ada"))
    let_in = back("member", "bob", {"state": "joined", "role": "admin"}, {"state": "left", "role": "member"})
    given = room(PUBLIC, "ada", "bob", admins=("bob",), more=(left("bob"),))
    given.when(let_in, actor="operator").then(MemberJoined(user="bob", role="admin"))
    again = (left("bob"), join("bob"))
    room(PUBLIC, "ada", "bob", admins=("bob",), more=again).when(let_in, actor="operator").refused("conflict")


def test_roles_keep_at_most_one_owner() -> None:
    role = back("member", "bob", {"role": "member"}, {"role": "admin"})
    room(PUBLIC, "ada", "bob", admins=("bob",)).when(role).then(MemberRoleChanged(user="bob", role="member"))
    owner = back("member", "ada", {"role": "owner"}, {"role": "admin"})
    passed = (MemberRoleChanged(user="ada", role="admin"), MemberRoleChanged(user="bob", role="owner"))
    room(PUBLIC, "ada", "bob", more=passed).when(owner).refused("conflict")
    room(PUBLIC, "ada", "bob", more=passed[:1]).when(owner).then(MemberRoleChanged(user="ada", role="owner"))
    let_in = back("member", "ada", {"state": "joined", "role": "owner"}, {"state": "left", "role": "member"})
    gone = (left("ada"), MemberRoleChanged(user="bob", role="owner"))
    room(PUBLIC, "ada", "bob", more=gone).when(let_in).then(MemberJoined(user="ada", role="admin"))
    room(PUBLIC, "ada", more=gone[:1]).when(let_in).then(MemberJoined(user="ada", role="owner"))
    back_again = back("member", "bob", {"role": "admin"}, {"role": "member"})
    room(PUBLIC, "ada", "bob", more=(left("bob"),)).when(back_again).refused("conflict")


def test_notifications() -> None:
    command = back("member", "bob", {"notifications": True}, {"notifications": False})
    given = room(PUBLIC, "ada", "bob", more=(MemberNotificationsSet(user="bob", notifications=False),))
    given.when(command, actor="operator").then(MemberNotificationsSet(user="bob", notifications=True))


def test_what_is_kept_of_a_member() -> None:
    command = back("member", "bob", {"custom": {}}, {"custom": {"a": [1]}})
    changed = MemberCustomChanged(user="bob", custom={"a": [1]})
    room(PUBLIC, "ada", "bob", more=(changed,)).when(command, actor="operator").then(
        MemberCustomChanged(user="bob", custom={})
    )
    since = MemberCustomChanged(user="bob", custom={"a": [True]})
    room(PUBLIC, "ada", "bob", more=(changed, since)).when(command, actor="operator").refused("conflict")


def test_messages() -> None:
    delete = back("message", "m", {"deleted": True}, {"deleted": False})
    bring = back("message", "m", {"deleted": False}, {"deleted": True})
    given = room(PUBLIC, "ada", more=(posted("m", 1),)).when(bring).then()
    given.when(delete, id="1").then(MessageDeleted(message="m")).when(delete, id="2").then()
    given.when(bring, id="3").then(MessageRestored(message="m"))
    room(PUBLIC, "ada").when(delete).refused("not_found")


def test_edits_keep_what_a_service_found_out() -> None:
    found = MessageEmotionDetected(message="m", emotion="joy", shown=True)
    changed = MessageEdited(message="m", content={"text": "y"}, data={"a": 1})
    command = back("message", "m", {"content": {"text": "x"}, "data": {}}, {"content": {"text": "y"}, "data": {"a": 1}})
    given = room(PUBLIC, "ada", more=(posted("m", 1), changed, found))
    given.when(command).then(MessageEdited(message="m", content={"text": "x"}, data={"emotion": "joy"}))
    gone = (posted("m", 1), changed, MessageDeleted(message="m"))
    room(PUBLIC, "ada", more=gone).when(command).refused("conflict")
    newer = (posted("m", 1), changed, MessageEdited(message="m", content={"text": "z"}, data={"a": 1}))
    room(PUBLIC, "ada", more=newer).when(command).refused("conflict")


USER = UserRegistered(username="ada", name="Ada", role="person", credential=None, data={"a": "b"})


def test_profiles_keep_what_the_system_notes() -> None:
    opened = SessionOpened(session="x", expires="2027-01-01T00:00:00.000Z")
    changed = UserProfileChanged(name="King", data={"c": "d"})
    command = own("user", "s", {"name": "Ada", "data": {"a": "b"}}, {"name": "King", "data": {"c": "d"}})
    given = Given(USER, changed, opened).when(command, actor="operator")
    noted = {"a": "b", "last_login": "2026-11-21T08:00:02.000Z"}
    given.then(UserProfileChanged(name="Ada", data=noted))
    Given(USER, changed, UserProfileChanged(name="Queen")).when(command).refused("conflict")
    linked = own("user", "s", {"visual": None}, {"visual": "v"})
    Given(USER, UserVisualChosen(visual="v")).when(linked).then(UserVisualChosen(visual=None))


def test_a_picture_that_was_not_there_is_gone_again() -> None:
    changed = UserProfileChanged(avatar="https://a.example/a.png", bio="Hi", custom={"a": 1})
    was: Json = {"avatar": None, "bio": None, "custom": {}}
    command = own("user", "s", was, {"avatar": "https://a.example/a.png", "bio": "Hi", "custom": {"a": 1}})
    given = Given(USER, changed).when(command)
    given.then(UserProfileChanged(avatar="", bio="", custom={}))
    user = given.log.state[user_key("s")]
    assert isinstance(user, User) and (user.avatar, user.bio, user.custom) == (None, None, {})


def test_relationships_and_visuals() -> None:
    command = own("relationship", "bob", {"type": None}, {"type": "block"})
    blocked = RelationshipSet(other="bob", type="block", was=None)
    Given(USER, blocked).when(command).then(RelationshipSet(other="bob", type=None, was="block"))
    Given(USER).when(command).then()
    friend = RelationshipSet(other="bob", type="friend", was="block")
    Given(USER, blocked, friend).when(command).refused("conflict")
    made = VisualCreated(visual="v", model_data={"n": 1}, emotion_data={})
    visual = own("visual", "v", {"model_data": {"n": 1}}, {"model_data": {"n": 2}})
    changed = VisualChanged(visual="v", model_data={"n": 2})
    Given(USER, made, changed).when(visual).then(VisualChanged(visual="v", model_data={"n": 1}))


def test_only_fields_of_the_entity() -> None:
    for was, became in (
        ({"seq": 1}, {"seq": 2}),
        ({"name": "A"}, {"description": "B"}),
        ({"owner": "x"}, {"owner": "y"}),
    ):
        room(PUBLIC, "ada").when(back("room", "s", was, became)).refused("invalid")
