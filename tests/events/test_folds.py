"""What each event makes true: given, when, then."""

from __future__ import annotations

from events.handles import HandleClaimed, HandleConfirmed, handle_key, username_handle
from events.members import MemberJoined, MemberLeft, MemberRead, MemberRoleChanged, member_key
from events.messages import MessageEmotionDetected, MessagePosted, message_key
from events.records import Key
from events.relationships import RelationshipSet, relationship_key
from events.rooms import RoomCreated, RoomDataChanged, RoomRenamed, direct_room, room_key
from events.sessions import SessionClosed, SessionOpened, session_key
from events.users import UserProfileChanged, UserRegistered, UserRegistrationAbandoned, UserVisualChosen, user_key
from events.visuals import Visual, VisualChanged, VisualCreated, visual_key
from tests.events.given import TIME, Given

REGISTERED = UserRegistered(username="ada", name="Ada", role="person", credential=None, data={"a": "b"})
USER = user_key("s")
CREATED = RoomCreated(type="group", visibility="public", name="Room", data={})
ROOM = room_key("s")


def joined(user: str, role: str = "member") -> MemberJoined:
    return MemberJoined(user=user, role="owner" if role == "owner" else "member")


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


def test_changes_of_a_user_who_does_not_exist_change_nothing() -> None:
    for event in (UserProfileChanged(name="x"), UserVisualChosen(visual="v")):
        Given().when(event).then({})


def test_an_abandoned_registration_is_nobody() -> None:
    Given().when(UserRegistrationAbandoned()).then({USER: {"state": "abandoned", "username": "", "credential": None}})


def test_a_session_notes_the_log_in_and_closes_once() -> None:
    key = session_key("s", "1")
    opened = SessionOpened(session="1", expires="2026-12-21T08:00:00.000Z")
    given = Given(REGISTERED).when(opened)
    given.then({key: {"user": "s", "closed": None}, USER: {"data": {"a": "b", "last_login": TIME.format(1)}}})
    given.when(SessionClosed(session="1")).then({key: {"closed": TIME.format(2)}})
    given.when(SessionClosed(session="1")).then({})
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
    Given().when(HandleConfirmed(user="ada")).then({})
    assert username_handle("AdA") == username_handle("ada")


def test_a_room_is_created_and_changed() -> None:
    given = Given().when(CREATED)
    given.then({ROOM: {"id": "s", "seq": 0, "last": None, "members": 0, "owner": None, "type": "group"}})
    given.when(RoomRenamed(name="x")).then({ROOM: {"name": "x", "updated": TIME.format(1)}})
    given.when(RoomDataChanged(data={"a": "b"})).then({ROOM: {"data": {"a": "b"}, "name": "x"}})
    for event in (RoomRenamed(name="x"), RoomDataChanged(data={})):
        Given().when(event).then({})


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
            Key(("stay", "s", "ada", "1")): {"since": 1, "until": 4},
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
    given.then({key: {"read": 1}})
    given.when(MemberLeft(user="ada")).when(MemberRead(user="ada", seq=2)).then({})
    given.when(MemberRead(user="nobody", seq=2)).then({})


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
