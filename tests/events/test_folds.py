"""What each event makes true: given, when, then. Tests ``events/``."""

from __future__ import annotations

from typing import Any, cast

import pytest
from msgspec.structs import asdict, replace

from events.core.records import Event, EventType, Key
from events.core.revert_rules import RevertRule
from events.handles import HandleClaimed, HandleConfirmed, HandleReleased, handle_key, username_handle
from events.members import (
    Member,
    MemberCustomChanged,
    MemberJoined,
    MemberLeft,
    MemberNotificationsSet,
    MemberRead,
    MemberRoleChanged,
    member_key,
)
from events.messages import (
    MessageDeleted,
    MessageEdited,
    MessageEmotionDetected,
    MessagePosted,
    MessageRestored,
    message_key,
)
from events.relationships import RelationshipSet, relationship_key
from events.rooms import (
    SETTERS,
    UNSAID,
    Room,
    RoomArchived,
    RoomCreated,
    RoomCustomChanged,
    RoomDataChanged,
    RoomDeleted,
    RoomDescribed,
    RoomRenamed,
    RoomRestored,
    RoomSettingsChanged,
    RoomTopicLineSet,
    RoomUnarchived,
    direct_room,
    room_key,
)
from events.sessions import SessionClosed, SessionOpened, SessionRenewed, session_key
from events.users import (
    UserEmailAbandoned,
    UserEmailChanged,
    UserPasswordChanged,
    UserProfileChanged,
    UserRegistered,
    UserRegistrationAbandoned,
    UserSeen,
    UserVisualChosen,
    user_key,
)
from events.visuals import Visual, VisualChanged, VisualCreated, visual_key
from tests.events.given import TIME, Given

REGISTERED = UserRegistered(username="ada", name="Ada", role="person", credential=None, data={"a": "b"})
USER = user_key("s")
CREATED = RoomCreated(type="group", visibility="public", name="Room", data={})
ROOM = room_key("s")
SETTINGS: dict[str, Any] = {
    "notifications": True, "announcements": True, "posting": "members", "inviting": "members",
}  # fmt: skip


def joined(user: str, role: str = "member") -> MemberJoined:
    return MemberJoined(user=user, role="owner" if role == "owner" else "member")


def revision(number: int, message: str = "m1") -> Key:
    return ("revision", message, str(number))


def posted(seq: int, message: str | None = None) -> MessagePosted:
    return MessagePosted(message=message or f"m{seq}", seq=seq, token=f"t{seq}", type="text", content={}, data={})


def test_a_user_is_registered_and_changes() -> None:
    given = Given().when(REGISTERED)
    given.then({USER: {"id": "s", "username": "ada", "state": "registered", "visual": None, "created": TIME.format(0)}})
    given.when(UserProfileChanged(name="Countess", data=None)).then(
        {USER: {"name": "Countess", "data": {"a": "b"}, "created": TIME.format(0), "updated": TIME.format(1)}}
    )
    given.when(UserProfileChanged(name=None, data={})).then({USER: {"name": "Countess", "data": {}}})
    given.when(UserVisualChosen(visual="v")).then({USER: {"visual": "v"}})
    given.when(UserVisualChosen(visual=None)).then({USER: {"visual": None}})


def test_an_address_is_settled_by_each_event_about_it() -> None:
    first = UserRegistered(username="ada", name="Ada", role="person", credential=None, data={}, email="a@x.de")
    given = Given().when(UserRegistrationAbandoned()).when(first)
    given.then({USER: {"email": "a@x.de", "email_settled": 1, "seen": None}})
    given.when(UserProfileChanged(name="x")).then({USER: {"email_settled": 1, "version": 2}})
    given.when(UserEmailChanged(email="b@x.de")).then({USER: {"email": "b@x.de", "email_settled": 3}})
    given.when(UserEmailAbandoned(email="c@x.de")).then({USER: {"email": "b@x.de", "email_settled": 4}})
    given.when(UserEmailChanged(email=None)).then({USER: {"email": None, "email_settled": 5}})


def test_the_end_of_a_visit_only_moves_forward() -> None:
    given = Given(REGISTERED).when(UserSeen(seen=TIME.format(30)))
    given.then({USER: {"seen": TIME.format(30), "updated": TIME.format(0), "version": 1}})
    given.when(UserSeen(seen=TIME.format(20))).then({})


def test_another_password_is_no_change_of_the_profile() -> None:
    given = Given(REGISTERED).when(UserPasswordChanged(credential="c2", was="c1"))
    given.then({USER: {"credential": "c2", "updated": TIME.format(0), "version": 1}})


def test_changes_of_a_user_who_does_not_exist_change_nothing() -> None:
    gone: tuple[Event, ...] = (
        UserProfileChanged(name="x"), UserVisualChosen(visual="v"), UserSeen(seen=TIME.format(1)),
        UserEmailChanged(email="a@x.de"), UserEmailAbandoned(email="a@x.de"),
        UserPasswordChanged(credential="c2", was="c1"),
    )  # fmt: skip
    for event in gone:
        Given().when(event).then({})


def test_an_abandoned_registration_is_nobody() -> None:
    Given().when(UserRegistrationAbandoned()).then({USER: {"state": "abandoned", "username": "", "credential": None}})


def test_a_session_notes_the_log_in_and_closes_once() -> None:
    key = session_key("s", "1")
    opened = SessionOpened(session="1", expires="2026-12-21T08:00:00.000Z")
    given = Given(REGISTERED).when(opened)
    given.then({key: {"user": "s", "closed": None}, USER: {"data": {"a": "b", "last_login": TIME.format(1)}}})
    given.then({key: {"expires": opened.expires}, USER: {"seen": TIME.format(1)}})
    later = SessionRenewed(session="1", expires="2026-12-21T09:00:00.000Z")
    given.when(later).then({key: {"expires": later.expires, "closed": None, "opened": TIME.format(1)}})
    given.when(SessionRenewed(session="1", expires=opened.expires)).then({key: {"expires": later.expires}})
    given.when(SessionClosed(session="1")).then({key: {"closed": TIME.format(4)}})
    given.when(SessionClosed(session="1")).then({})
    # Nothing brings it back.
    given.when(SessionRenewed(session="1", expires="2026-12-21T10:00:00.000Z")).then({})
    given.when(SessionRenewed(session="2", expires=later.expires)).then({})
    given.when(SessionClosed(session="2")).then({})
    Given().when(opened).then({key: {"id": "1"}})


def test_a_relationship_keeps_the_time_of_its_first_setting() -> None:
    key = relationship_key("s", "bob")
    given = Given().when(RelationshipSet(other="bob", type="friend", was=None))
    given.then({key: {"type": "friend", "created": TIME.format(0), "updated": TIME.format(0)}})
    given.when(RelationshipSet(other="bob", type=None, was="friend")).then({key: {"type": None}})
    given.when(RelationshipSet(other="bob", type="block", was=None)).then(
        {key: {"type": "block", "created": TIME.format(0), "updated": TIME.format(2)}}
    )


def test_a_visual_changes_in_the_part_that_is_named() -> None:
    key = visual_key("v")
    given = Given().when(VisualCreated(visual="v", model_data={"a": 1}, emotion_data={"joy": True}))
    given.then({key: {"owner": "s", "model_data": {"a": 1}, "emotion_data": {"joy": True}}})
    given.when(VisualChanged(visual="v", emotion_data={})).then({key: {"model_data": {"a": 1}, "emotion_data": {}}})
    given.when(VisualChanged(visual="v", model_data={})).then({key: {"model_data": {}, "emotion_data": {}}})
    Given().when(VisualChanged(visual="v", model_data={})).then({})


def test_what_a_visual_supports() -> None:
    data = {"joy": True, "anger": False, "fear": {"eyes": "wide"}, "trust": {}, "none": None}
    assert {name: Visual.supports(data, name) for name in (*data, "unknown")} == {
        "joy": True, "anger": False, "fear": True, "trust": True, "none": False, "unknown": False,
    }  # fmt: skip


def test_a_handle_is_claimed_taken_over_and_confirmed_by_its_holder_only() -> None:
    key = handle_key("s")
    given = Given().when(HandleClaimed(user="ada"))
    given.then({key: {"id": "s", "user": "ada", "state": "claimed", "claimed": TIME.format(0)}})
    given.when(HandleConfirmed(user="bob")).then({})
    given.when(HandleClaimed(user="bob")).then({key: {"user": "bob", "state": "claimed", "claimed": TIME.format(2)}})
    given.when(HandleConfirmed(user="ada")).then({})
    given.when(HandleConfirmed(user="bob")).then({key: {"user": "bob", "state": "confirmed"}})
    given.when(HandleReleased(user="ada")).then({})
    given.when(HandleReleased(user="bob"))
    assert given.changes == {key: None}
    given.when(HandleClaimed(user="ada")).then({key: {"user": "ada", "state": "claimed"}})
    Given().when(HandleConfirmed(user="ada")).then({})
    Given().when(HandleReleased(user="ada")).then({})
    assert username_handle("AdA") == username_handle("ada")


def test_a_room_is_created_and_changed() -> None:
    given = Given().when(CREATED)
    made = {"id": "s", "seq": 0, "last": None, "members": 0, "pins": 0, "owner": None, "type": "public"}
    given.then({ROOM: {**made, "description": None, "topic_line": None, "settings": SETTINGS, "custom": {}}})
    Given().when(replace(CREATED, custom={"a": 1})).then({ROOM: {"custom": {"a": 1}, "data": CREATED.data}})
    given.when(RoomRenamed(name="x")).then({ROOM: {"name": "x", "updated": TIME.format(1)}})
    given.when(RoomDescribed(description="y")).then({ROOM: {"description": "y", "updated": TIME.format(2)}})
    given.when(RoomSettingsChanged(settings={"posting": "admins"})).then(
        {ROOM: {"settings": SETTINGS | {"posting": "admins"}}}
    )
    given.when(RoomDataChanged(data={"a": "b"})).then({ROOM: {"data": {"a": "b"}, "name": "x", "description": "y"}})
    given.when(RoomCustomChanged(custom={"a": [1]})).then({ROOM: {"custom": {"a": [1]}, "data": {"a": "b"}}})
    given.when(RoomDescribed(description=None)).then({ROOM: {"description": None}})
    given.when(RoomTopicLineSet(topic_line="z")).then({ROOM: {"topic_line": "z", "description": None}})
    given.when(RoomTopicLineSet(topic_line=None)).then({ROOM: {"topic_line": None, "name": "x"}})


@pytest.mark.parametrize("row", SETTERS, ids=lambda row: row.name)
def test_an_event_changes_of_its_room_what_it_sets_and_no_more(row: EventType) -> None:
    given = Given(CREATED)
    before = asdict(cast(Room, given.state[ROOM]))
    given.when(row.sample).then({ROOM: {name: getattr(row.sample, name) for name in row.sets}})
    after = asdict(cast(Room, given.state[ROOM]))
    assert {name for name in after if after[name] != before[name]} <= {*row.sets, "updated", "version"}
    assert row.revert == RevertRule("room", row.sets)
    # Of a room that is not there nothing becomes.
    Given().when(row.sample).then({})


def test_what_a_room_is_of_which_nobody_has_said_anything() -> None:
    assert {field: UNSAID[field] for row in SETTERS for field in row.sets} == UNSAID
    assert (UNSAID["name"], UNSAID["description"], UNSAID["settings"], UNSAID["custom"]) == ("", None, {}, {})


def test_a_room_is_archived_deleted_and_brought_back() -> None:
    given = Given(CREATED)
    for event, state in (
        (RoomArchived(), "archived"), (RoomUnarchived(), "active"), (RoomDeleted(), "deleted"),
        (RoomRestored(), "active"), (RoomArchived(), "archived"), (RoomDeleted(), "deleted"),
        (RoomRestored(), "active"),
    ):  # fmt: skip
        given.when(event).then({ROOM: {"state": state, "name": "Room", "updated": TIME.format(given.offset - 1)}})


def test_changes_of_a_room_that_does_not_exist_change_nothing() -> None:
    events: list[Event] = [
        RoomRenamed(name="x"), RoomDataChanged(data={}), RoomDescribed(description="x"), RoomArchived(),
        RoomSettingsChanged(settings=SETTINGS), RoomUnarchived(), RoomDeleted(), RoomRestored(),
    ]  # fmt: skip
    for event in events:
        Given().when(event).then({})


@pytest.mark.parametrize("visibility", ["public", "private"])
def test_the_type_of_a_room_and_what_it_begins_with(visibility: Any) -> None:
    created = RoomCreated(
        type="group", visibility=visibility, name="Room", data={}, description="d", settings={"inviting": "admins"}
    )
    Given().when(created).then(
        {ROOM: {"type": visibility, "description": "d", "settings": SETTINGS | {"inviting": "admins"}}}
    )
    direct = RoomCreated(type="direct", visibility=visibility, name="", data={})
    Given().when(direct).then({ROOM: {"type": "direct", "settings": SETTINGS | {"announcements": False}}})


def test_a_direct_room_is_the_same_whoever_asks() -> None:
    assert direct_room("default", "a", "b") == direct_room("default", "b", "a") != direct_room("other", "a", "b")
    assert direct_room("default", "a", "b") != direct_room("default", "a", "c")


def test_members_join_and_leave() -> None:
    ada = member_key("s", "ada")
    given = Given(CREATED).when(joined("ada", "owner"))
    given.then({ada: {"state": "joined", "since": 1, "role": "owner", "read": 0}, ROOM: {"members": 1, "owner": "ada"}})
    given.when(joined("ada")).then({})
    given.when(joined("bob")).then({member_key("s", "bob"): {"role": "member"}, ROOM: {"members": 2, "owner": "ada"}})
    given.when(MemberLeft(user="ada")).then(
        {
            ada: {"state": "left", "role": "member"},
            ROOM: {"members": 1, "owner": None},
            ("stay", "s", "ada", "1"): {"since": 1, "until": 4},
        }
    )
    given.when(MemberLeft(user="ada")).then({})
    given.when(MemberRoleChanged(user="bob", role="owner")).then(
        {member_key("s", "bob"): {"role": "owner"}, ROOM: {"owner": "bob"}}
    )
    given.when(MemberRoleChanged(user="ada", role="owner")).then({})
    given.when(MemberRoleChanged(user="bob", role="member")).then(
        {member_key("s", "bob"): {"role": "member"}, ROOM: {"owner": None}}
    )


def test_joining_leaving_and_new_roles_become_messages() -> None:
    ada, bob = member_key("s", "ada"), member_key("s", "bob")
    given = Given(CREATED, joined("ada", "owner"))
    given.when(MemberJoined(user="bob", role="member", message="m1", seq=1))
    notice = {"room": "s", "token": "", "author": "ada", "data": {}, "revision": 0, "edited": None, "deleted": None}
    given.then(
        {
            message_key("m1"): {**notice, "seq": 1, "type": "join", "content": {"user": "bob"}},
            # Ada let him in, and he has nothing unread; not even that.
            ada: {"read": 1, "read_at": TIME.format(2)}, bob: {"read": 1, "read_at": TIME.format(2)},
            ROOM: {"seq": 1, "last": "m1", "members": 2, "updated": TIME.format(2)},
        }
    )  # fmt: skip
    given.when(MemberRoleChanged(user="bob", role="admin", message="m2", seq=2))
    content = {"event": "role_changed", "user": "bob", "role": "admin"}
    given.then(
        {
            message_key("m2"): {**notice, "seq": 2, "type": "system", "content": content}, ada: {"read": 2},
            bob: {"role": "admin", "read": 1}, ROOM: {"seq": 2, "last": "m2", "owner": "ada"},
        }
    )  # fmt: skip
    given.when(MemberRoleChanged(user="bob", role="member", message="m3", seq=3), actor="bob")
    given.then({message_key("m3"): {"author": "bob"}, bob: {"role": "member", "read": 3}, ROOM: {"seq": 3}})
    given.when(MemberLeft(user="bob", message="m4", seq=4))
    given.then(
        {
            message_key("m4"): {**notice, "seq": 4, "type": "leave", "content": {"user": "bob"}}, ada: {"read": 4},
            bob: {"state": "left", "read": 3}, ROOM: {"seq": 4, "last": "m4", "members": 1},
            ("stay", "s", "bob", "2"): {"since": 2, "until": 5},
        }
    )  # fmt: skip


def test_who_leaves_and_comes_back_has_read_the_messages_that_say_so() -> None:
    bob = member_key("s", "bob")
    given = Given(CREATED, joined("ada", "owner"))
    for n, event in enumerate([MemberJoined, MemberLeft, MemberJoined], start=1):
        role = {} if event is MemberLeft else {"role": "member"}
        given.when(event(user="bob", message=f"m{n}", seq=n, **role), actor="bob")
        member = given.changes[bob]
        assert isinstance(member, Member)
        assert (member.read, member.read_at) == (n, TIME.format(given.offset - 1))
    # Whoever acts has read up to it, as whoever posts has: also what others said meanwhile.
    given.when(MemberLeft(user="bob", message="m4", seq=4), actor="bob").when(posted(5))
    given.when(MemberJoined(user="bob", role="member", message="m6", seq=6), actor="bob")
    given.then({message_key("m6"): {"author": "bob"}, bob: {"read": 6, "state": "joined"}, ROOM: {"seq": 6}})


def test_who_is_put_out_and_let_in_by_others_has_not_read_the_messages_that_say_so() -> None:
    ada, bob = member_key("s", "ada"), member_key("s", "bob")
    given = Given(CREATED, joined("ada", "owner"), joined("bob"))
    given.when(MemberLeft(user="bob", message="m1", seq=1)).when(posted(2))
    given.when(MemberJoined(user="bob", role="member", message="m3", seq=3))
    given.then({message_key("m3"): {"author": "ada"}, ada: {"read": 3}, bob: {"read": 0}, ROOM: {"seq": 3}})


def test_nobody_joins_a_room_that_does_not_exist() -> None:
    for event in (joined("ada"), MemberLeft(user="ada"), MemberRoleChanged(user="ada", role="owner"), posted(1)):
        Given().when(event).then({})


def test_who_joins_has_nothing_unread_and_who_comes_back_what_came_meanwhile() -> None:
    given = Given(CREATED, joined("ada", "owner"), posted(1)).when(joined("bob"))
    given.then({member_key("s", "bob"): {"read": 1, "since": 3}, ROOM: {"members": 2}})
    given.when(MemberLeft(user="bob")).when(posted(2)).when(joined("bob"))
    given.then({member_key("s", "bob"): {"read": 1, "since": 6}, ROOM: {"members": 2}})


def test_a_member_has_read_up_to_a_message() -> None:
    key = member_key("s", "ada")
    given = Given(CREATED, joined("ada"), posted(1), posted(2)).when(MemberRead(user="ada", seq=1))
    given.then({key: {"read": 1, "read_at": TIME.format(4)}})
    given.when(MemberRead(user="ada", seq=0)).then({key: {"read": 0, "read_at": TIME.format(5)}})
    given.when(MemberLeft(user="ada")).when(MemberRead(user="ada", seq=2)).then({})
    given.when(MemberRead(user="nobody", seq=2)).then({})


def test_who_joins_is_notified_as_the_room_says_until_they_choose() -> None:
    key = member_key("s", "ada")
    Given(CREATED).when(joined("ada")).then({key: {"notifications": True}, ROOM: {}})
    silent = Given(CREATED, RoomSettingsChanged(settings={"notifications": False})).when(joined("ada"))
    silent.then({key: {"notifications": False}, ROOM: {}})
    silent.when(MemberNotificationsSet(user="ada", notifications=True)).then({key: {"notifications": True}})
    silent.when(MemberLeft(user="ada")).when(joined("ada")).then({key: {"notifications": True}, ROOM: {}})
    silent.when(MemberNotificationsSet(user="bob", notifications=True)).then({})


def test_a_member_s_custom_object_is_kept_by_who_comes_back() -> None:
    key = member_key("s", "ada")
    given = Given(CREATED).when(joined("ada")).then({key: {"custom": {}}, ROOM: {}})
    given.when(MemberCustomChanged(user="ada", custom={"a": [1]})).then({key: {"custom": {"a": [1]}}})
    given.when(MemberLeft(user="ada")).when(MemberCustomChanged(user="ada", custom={})).then({})
    given.when(joined("ada")).then({key: {"custom": {"a": [1]}}, ROOM: {}})
    given.when(MemberCustomChanged(user="bob", custom={"a": 1})).then({})


def test_an_edit_keeps_what_the_message_held() -> None:
    key = message_key("m1")
    given = Given(CREATED, joined("ada"), posted(1))
    given.when(MessageEdited(message="m1", content={"text": "y"}, data={"a": 1}))
    given.then(
        {
            key: {"content": {"text": "y"}, "data": {"a": 1}, "edited": TIME.format(3), "revision": 1, "seq": 1},
            revision(0): {"content": {}, "data": {}, "created": TIME.format(2)},
        }
    )
    given.when(MessageEdited(message="m1", content={"text": "z"}, data={}))
    given.then(
        {
            key: {"content": {"text": "z"}, "edited": TIME.format(4), "revision": 2, "created": TIME.format(2)},
            revision(1): {"content": {"text": "y"}, "data": {"a": 1}, "created": TIME.format(3)},
        }
    )
    given.when(MessageEdited(message="m2", content={}, data={})).then({})


def test_a_deleted_message_keeps_its_place() -> None:
    key = message_key("m1")
    given = Given(CREATED, joined("ada"), posted(1)).when(MessageDeleted(message="m1"))
    given.then({key: {"deleted": TIME.format(3), "updated": TIME.format(3), "seq": 1, "revision": 0, "edited": None}})
    given.when(MessageDeleted(message="m2")).then({})
    given.when(MessageRestored(message="m1")).then({key: {"deleted": None, "seq": 1, "revision": 0}})
    given.when(MessageRestored(message="m2")).then({})


def test_a_message_is_the_rooms_last_and_read_by_its_author() -> None:
    given = Given(CREATED, joined("ada"), joined("bob")).when(posted(1), actor="ada")
    given.then(
        {
            message_key("m1"): {"room": "s", "seq": 1, "author": "ada", "token": "t1"},
            ROOM: {"seq": 1, "last": "m1", "updated": TIME.format(3)},
            member_key("s", "ada"): {"read": 1},
        }
    )
    # Imported from somebody who is no member any more: the message counts all the same.
    given.when(posted(2), actor="eve").then({message_key("m2"): {"author": "eve"}, ROOM: {"seq": 2, "last": "m2"}})


def test_an_emotion_is_noted_only_if_it_can_be_shown() -> None:
    key = message_key("m1")
    given = Given(CREATED, joined("ada"), posted(1)).when(
        MessageEmotionDetected(message="m1", emotion="joy", shown=True)
    )
    given.then({key: {"data": {"emotion": "joy"}, "updated": TIME.format(3)}})
    given.when(MessageEmotionDetected(message="m1", emotion="fear", shown=False)).then({key: {"data": {}}})
    given.when(MessageEmotionDetected(message="m2", emotion="joy", shown=True)).then({})
