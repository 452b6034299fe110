"""Every command and every refusal: given events, when a command, then events."""

from __future__ import annotations

from typing import Any

import pytest

from events.handles import HandleClaimed, HandleConfirmed
from events.members import MemberJoined, MemberLeft, MemberRead, MemberRoleChanged
from events.messages import MessageEmotionDetected, MessagePosted
from events.records import Event
from events.relationships import RelationshipSet
from events.rooms import RoomCreated, RoomDataChanged, RoomRenamed
from events.sessions import SessionClosed, SessionOpened
from events.users import UserProfileChanged, UserRegistered, UserRegistrationAbandoned, UserVisualChosen
from events.visuals import VisualChanged, VisualCreated
from producers.handles import ClaimHandle, ConfirmHandle
from producers.members import AddMember, MarkRead, RemoveMember
from producers.messages import PostMessage, SetEmotion
from producers.relationships import SetRelationship
from producers.rooms import ChangeRoom, CreateRoom
from producers.sessions import CloseSession, OpenSession
from producers.users import AbandonRegistration, ChangeProfile, ChooseVisual, RegisterUser
from producers.visuals import ChangeVisual, CreateVisual
from tests.producers.given import Given

LATER = "2026-12-21T08:00:00.000Z"
REGISTERED = UserRegistered(username="ada", name="Ada", role="person", credential="c1", data={"a": "b"})
PUBLIC = RoomCreated(type="group", visibility="public", name="Room", data={"a": "b"})
PRIVATE = RoomCreated(type="group", visibility="private", name="Room", data={})
DIRECT = RoomCreated(type="direct", visibility="private", name="", data={})


def join(user: str, role: Any = "member") -> MemberJoined:
    return MemberJoined(user=user, role=role)


def user(*more: Event) -> Given:
    return Given(REGISTERED, *more)


def room(created: RoomCreated, *members: str, more: tuple[Event, ...] = ()) -> Given:
    """A room whose first member owns it, if it is a group."""
    roles = ["owner" if created.type == "group" and not n else "member" for n in range(len(members))]
    return Given(created, *(join(*one) for one in zip(members, roles, strict=True)), *more)


def test_register() -> None:
    command = RegisterUser(user="s", username="ada", name="Ada", credential="c1", data={"a": "b"}, expires=LATER)
    Given().when(command, id="i").then(REGISTERED, SessionOpened(session="i", expires=LATER))
    service = RegisterUser(user="s", username="bot", name="Bot", role="service")
    Given().when(service).then(UserRegistered(username="bot", name="Bot", role="service", credential=None, data={}))
    user().when(command).refused("taken")
    Given(UserRegistrationAbandoned()).when(command).refused("taken")


def test_abandon() -> None:
    Given().when(AbandonRegistration(user="s")).then(UserRegistrationAbandoned())
    Given(UserRegistrationAbandoned()).when(AbandonRegistration(user="s")).then()
    user().when(AbandonRegistration(user="s")).refused("registered")


def test_change_profile() -> None:
    changed = user().when(ChangeProfile(user="s", name="X", data={"a": None, "c": "d", "gone": None}))
    changed.then(UserProfileChanged(name="X", data={"c": "d"}))
    user().when(ChangeProfile(user="s", name="X")).then(UserProfileChanged(name="X", data=None))
    user().when(ChangeProfile(user="s", data={})).then()
    user().when(ChangeProfile(user="s", name="Ada", data={"a": "b"})).then()
    user().when(ChangeProfile(user="s", data={f"k{n}": "x" for n in range(64)})).refused("too_large")
    for nobody in (Given(), Given(UserRegistrationAbandoned())):
        nobody.when(ChangeProfile(user="s", name="X")).refused("not_found")


def test_choose_a_visual() -> None:
    user().when(ChooseVisual(user="s", visual="v")).then(UserVisualChosen(visual="v"))
    user(UserVisualChosen(visual="v")).when(ChooseVisual(user="s", visual="v")).then()
    user(UserVisualChosen(visual="v")).when(ChooseVisual(user="s", visual=None)).then(UserVisualChosen(visual=None))
    Given().when(ChooseVisual(user="s", visual="v")).refused("not_found")


def test_sessions() -> None:
    opened = SessionOpened(session="i", expires=LATER)
    user().when(OpenSession(user="s", credential="c1", expires=LATER), id="i").then(opened)
    # The password was changed between its verification and now.
    user().when(OpenSession(user="s", credential="c0", expires=LATER)).refused("unauthenticated")
    Given().when(OpenSession(user="s", credential=None, expires=LATER)).refused("not_found")
    user(opened).when(CloseSession(user="s", session="i")).then(SessionClosed(session="i"))
    user(opened, SessionClosed(session="i")).when(CloseSession(user="s", session="i")).then()
    user(opened).when(CloseSession(user="s", session="j")).refused("not_found")


@pytest.mark.parametrize("was", ["friend", "block", None])
@pytest.mark.parametrize("to", ["friend", "block", None])
def test_relationships(was: Any, to: Any) -> None:
    before = [] if was is None else [RelationshipSet(other="bob", type=was, was=None)]
    set_ = user(*before).when(SetRelationship(user="s", other="bob", type=to))
    set_.then(*([] if to == was else [RelationshipSet(other="bob", type=to, was=was)]))


def test_relationships_that_are_refused() -> None:
    user().when(SetRelationship(user="s", other="s", type="friend")).refused("invalid")
    Given().when(SetRelationship(user="s", other="bob", type="friend")).refused("not_found")


def test_visuals() -> None:
    made = VisualCreated(visual="i", model_data={"a": 1}, emotion_data={"joy": {}})
    create = CreateVisual(user="s", model_data={"a": 1}, emotion_data={"joy": {}})
    user().when(create, id="i").then(made)
    chosen = CreateVisual(user="s", model_data={"a": 1}, emotion_data={"joy": {}}, choose=True)
    user().when(chosen, id="i").then(made, UserVisualChosen(visual="i"))
    change = ChangeVisual(user="s", visual="i", model_data={"a": 1}, emotion_data={})
    user(made).when(change).then(VisualChanged(visual="i", model_data=None, emotion_data={}))
    user(made).when(ChangeVisual(user="s", visual="i", model_data={"a": 1})).then()
    user(made).when(ChangeVisual(user="bob", visual="i", model_data={})).refused("not_found")
    user().when(ChangeVisual(user="s", visual="i", model_data={})).refused("not_found")
    Given().when(create).refused("not_found")


@pytest.mark.parametrize(
    ("model", "emotion", "code"),
    [({"x": "y" * 32 * 1024}, {}, "too_large"), ({}, {"x": {"y": "z" * 16 * 1024}}, "too_large"),
     ({}, {"joy": 1}, "invalid"), ({}, {"joy": None}, "invalid"), ({}, {"joy": "yes"}, "invalid")],
)  # fmt: skip
def test_what_is_no_visual(model: dict[str, Any], emotion: dict[str, Any], code: str) -> None:
    user().when(CreateVisual(user="s", model_data=model, emotion_data=emotion)).refused(code)
    made = VisualCreated(visual="v", model_data={}, emotion_data={})
    user(made).when(ChangeVisual(user="s", visual="v", model_data=model, emotion_data=emotion)).refused(code)


def test_handles() -> None:
    claimed, confirmed = HandleClaimed(user="ada"), HandleConfirmed(user="ada")
    claim = ClaimHandle(handle="s", user="ada")
    Given().when(claim).then(claimed)
    Given(claimed).when(claim).then()
    Given(claimed, confirmed).when(claim).then()
    Given(claimed).when(ClaimHandle(handle="s", user="bob")).refused("taken")
    # Only an unconfirmed claim is taken over, and only from whom it is said to be.
    takeover = ClaimHandle(handle="s", user="bob", instead_of="ada")
    Given(claimed).when(takeover).then(HandleClaimed(user="bob"))
    Given(claimed, confirmed).when(takeover).refused("taken")
    Given(HandleClaimed(user="eve")).when(takeover).refused("taken")
    Given(claimed).when(ConfirmHandle(handle="s", user="ada")).then(confirmed)
    Given(claimed, confirmed).when(ConfirmHandle(handle="s", user="ada")).then()
    Given(claimed).when(ConfirmHandle(handle="s", user="bob")).refused("taken")
    Given().when(ConfirmHandle(handle="s", user="ada")).refused("taken")


def test_a_refused_claim_says_who_holds_the_name() -> None:
    given = Given(HandleClaimed(user="ada"), stream="username:ada").when(ClaimHandle(handle="username:ada", user="bob"))
    given.refused("taken")
    more = getattr(given.answer, "more", {})
    assert (more["holder"], more["state"], more["claimed"]) == ("ada", "claimed", "2026-11-21T08:00:00.000Z")


def test_create_rooms() -> None:
    group = CreateRoom(room="s", type="group", visibility="public", name="R", data={}, members=["ada", "bob"])
    created = RoomCreated(type="group", visibility="public", name="R", data={})
    Given().when(group).then(created, join("ada", "owner"), join("bob"))
    room(PUBLIC, "ada").when(group).refused("taken")
    direct = CreateRoom(room="s", type="direct", visibility="private", name="", data={}, members=["ada", "bob"])
    Given().when(direct).then(DIRECT, join("ada"), join("bob"))
    room(DIRECT, "ada", "bob").when(direct).then()
    room(DIRECT, "ada", "bob", more=(MemberLeft(user="bob"),)).when(direct).then(join("bob"))


def test_change_rooms() -> None:
    both = room(PUBLIC, "ada").when(ChangeRoom(room="s", name="X", data={"a": None, "c": "d"}))
    both.then(RoomRenamed(name="X"), RoomDataChanged(data={"c": "d"}))
    room(PUBLIC, "ada").when(ChangeRoom(room="s", name="Room", data={"a": "b"})).then()
    room(PUBLIC, "ada", "bob").when(ChangeRoom(room="s", name="X"), actor="bob").refused("forbidden")
    room(PUBLIC, "ada").when(ChangeRoom(room="s", name="X"), actor="bob").refused("not_found")
    room(DIRECT, "ada", "bob").when(ChangeRoom(room="s", name="X")).refused("invalid")
    room(DIRECT, "ada", "bob").when(ChangeRoom(room="s", data={"a": "b"})).then(RoomDataChanged(data={"a": "b"}))
    many: dict[str, str | None] = {f"k{n}": "x" for n in range(64)}
    room(PUBLIC, "ada").when(ChangeRoom(room="s", data=many)).refused("too_large")
    Given().when(ChangeRoom(room="s", name="X")).refused("not_found")


def test_add_members() -> None:
    room(PUBLIC, "ada").when(AddMember(room="s", user="bob"), actor="bob").then(join("bob"))
    room(PRIVATE, "ada").when(AddMember(room="s", user="bob")).then(join("bob"))
    room(PUBLIC, "ada", "bob").when(AddMember(room="s", user="bob")).then()
    room(PRIVATE, "ada").when(AddMember(room="s", user="bob"), actor="bob").refused("not_found")
    room(PUBLIC, "ada").when(AddMember(room="s", user="bob"), actor="eve").refused("forbidden")
    room(DIRECT, "ada", "bob").when(AddMember(room="s", user="eve")).refused("forbidden")
    room(DIRECT, "ada", "bob").when(AddMember(room="s", user="eve"), actor="eve").refused("not_found")
    room(PRIVATE, "ada", "bob").when(AddMember(room="s", user="bob"), actor="bob").then()
    empty = room(PUBLIC, "ada", more=(MemberLeft(user="ada"),))
    empty.when(AddMember(room="s", user="bob"), actor="bob").then(join("bob", "owner"))
    Given().when(AddMember(room="s", user="bob")).refused("not_found")


def test_remove_members() -> None:
    left = MemberLeft(user="bob")
    room(PUBLIC, "ada", "bob").when(RemoveMember(room="s", user="bob"), actor="bob").then(left)
    room(PUBLIC, "ada", "bob").when(RemoveMember(room="s", user="bob")).then(left)
    room(DIRECT, "ada", "bob").when(RemoveMember(room="s", user="bob"), actor="bob").then(left)
    room(PUBLIC, "ada").when(RemoveMember(room="s", user="ada")).then(MemberLeft(user="ada"))
    room(PUBLIC, "ada", "bob", more=(left,)).when(RemoveMember(room="s", user="bob"), actor="bob").then()
    room(PUBLIC, "ada").when(RemoveMember(room="s", user="bob")).then()
    room(PUBLIC, "ada", "bob", "eve").when(RemoveMember(room="s", user="eve"), actor="bob").refused("forbidden")
    room(DIRECT, "ada", "bob").when(RemoveMember(room="s", user="bob")).refused("forbidden")
    # To who was never in it the room does not exist.
    for created in (PUBLIC, PRIVATE, DIRECT):
        room(created, "ada", "bob").when(RemoveMember(room="s", user="eve"), actor="eve").refused("not_found")
        room(created, "ada", "bob").when(RemoveMember(room="s", user="bob"), actor="eve").refused("not_found")
    Given().when(RemoveMember(room="s", user="ada")).refused("not_found")


def test_an_owner_who_leaves_passes_the_room_on() -> None:
    leaving = room(PUBLIC, "ada", "bob").when(RemoveMember(room="s", user="ada", successor="bob"))
    leaving.then(MemberLeft(user="ada"), MemberRoleChanged(user="bob", role="owner"))
    for successor in (None, "ada", "eve"):
        leaving = room(PUBLIC, "ada", "bob").when(RemoveMember(room="s", user="ada", successor=successor))
        leaving.refused("no_successor")
    # A successor that is named without need changes nothing.
    room(PUBLIC, "ada", "bob", "eve").when(RemoveMember(room="s", user="bob", successor="eve")).then(
        MemberLeft(user="bob")
    )


def posted(message: str, seq: int, token: str = "t") -> MessagePosted:
    return MessagePosted(message=message, seq=seq, token=token, type="text", content={"text": "x"}, data={})


def test_post_messages() -> None:
    say = PostMessage(room="s", token="t", content={"text": "x"})
    given = room(PUBLIC, "ada", more=(posted("m1", 1),)).when(say, id="m2", key="t").then(posted("m2", 2))
    # The token gives the first message, whatever else is asked.
    given.when(PostMessage(room="s", token="t", content={"text": "y"}), id="m3", key="t").then(posted("m2", 2))
    room(PUBLIC, "ada").when(say, actor="bob").refused("not_found")
    Given().when(say).refused("not_found")
    room(PUBLIC, "ada", more=(MemberLeft(user="ada"),)).when(say).refused("not_found")
    emotion = PostMessage(room="s", token="t", content={"text": "x"}, data={"emotion": "joy"})
    room(PUBLIC, "ada").when(emotion).refused("invalid")


@pytest.mark.parametrize(
    ("type_", "content", "code"),
    [("text", {}, "invalid"), ("text", {"text": ""}, "invalid"), ("action", {"text": "x", "y": 1}, "invalid"),
     ("image", {"url": "ftp://x"}, "invalid"), ("image", {"url": "http://x\n"}, "invalid"),
     ("file", {"url": "http://x", "name": ""}, "invalid"), ("custom", {"x": "y" * 16 * 1024}, "too_large"),
     ("text", {"text": "x" * 2001}, "invalid")],
)  # fmt: skip
def test_content_that_does_not_fit(type_: Any, content: dict[str, Any], code: str) -> None:
    room(PUBLIC, "ada").when(PostMessage(room="s", token="t", type=type_, content=content)).refused(code)


def test_emotions() -> None:
    given = room(PUBLIC, "ada", more=(posted("m", 1),))
    joy = SetEmotion(room="s", message="m", emotion="joy", shown=True)
    given.when(joy, actor="svc").then(MessageEmotionDetected(message="m", emotion="joy", shown=True))
    given.when(joy, actor="svc", id="another").then()
    hidden = SetEmotion(room="s", message="m", emotion="joy", shown=False)
    given.when(hidden, actor="svc", id="third").then(MessageEmotionDetected(message="m", emotion="joy", shown=False))
    given.when(SetEmotion(room="other", message="m", emotion="joy", shown=True)).refused("not_found")
    given.when(SetEmotion(room="s", message="n", emotion="joy", shown=True)).refused("not_found")


def test_mark_read() -> None:
    two = (posted("m1", 1), posted("m2", 2))
    read = MarkRead(room="s", seq=1)
    room(PUBLIC, "ada", "bob", more=two).when(read, actor="bob").then(MemberRead(user="bob", seq=1))
    room(PUBLIC, "ada", "bob", more=two).when(MarkRead(room="s", seq=2)).then()
    room(PUBLIC, "ada", more=two).when(MarkRead(room="s", seq=3)).refused("invalid")
    room(PUBLIC, "ada", more=two).when(read, actor="eve").refused("not_found")
    Given().when(read).refused("not_found")
