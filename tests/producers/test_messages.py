"""Decisions about messages: every command and every refusal, content at its bounds."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from events.core.faults import wrong
from events.invitations import MemberInvited
from events.members import Member, MemberJoined, MemberRoleChanged, member_key
from events.messages import MessageDeleted, MessageEdited, MessageEmotionDetected, MessagePosted
from events.rooms import Room, RoomArchived, RoomDeleted, room_key
from producers.commands import Refused
from producers.members import AddMember
from producers.messages import CONTENT, DeleteMessage, EditMessage, PostMessage, SetEmotion
from tests.producers.given import Given
from tests.producers.scenes import DIRECT, PRIVATE, PUBLIC, join, left, posted, room, with_settings

SAY = PostMessage(room="s", token="t", content={"text": "x"})


def edit(message: str = "m", **fields: Any) -> EditMessage:
    return EditMessage(**{"room": "s", "message": message, "content": {"text": "y"}, **fields})


def delete(message: str = "m") -> DeleteMessage:
    return DeleteMessage(room="s", message=message)


def edited(data: dict[str, Any] | None = None, message: str = "m", text: str = "y") -> MessageEdited:
    return MessageEdited(message=message, content={"text": text}, data=data or {})


def test_post_messages() -> None:
    given = room(PUBLIC, "ada", more=(posted("m1", 1),)).when(SAY, id="m2", key="t").then(posted("m2", 2))
    # The token gives the first message, whatever else is asked.
    given.when(PostMessage(room="s", token="t", content={"text": "y"}), id="m3", key="t").then(posted("m2", 2))
    room(PUBLIC, "ada").when(SAY, actor="bob").refused("not_found")
    Given().when(SAY).refused("not_found")
    room(PUBLIC, "ada", more=(left("ada"),)).when(SAY).refused("not_found")
    room(PUBLIC, "ada", more=(RoomArchived(),)).when(SAY).refused("archived")
    room(PUBLIC, "ada", more=(RoomDeleted(),)).when(SAY).refused("not_found")


def to_bob(back: Any = None, other: str = "bob") -> PostMessage:
    return PostMessage(room="s", token="t", content={"text": "x"}, other=other, back=back)


def test_who_left_a_direct_room_is_brought_back_by_what_is_said_to_them() -> None:
    given = room(DIRECT, "ada", "bob", more=(posted("m1", 1), left("bob"), posted("m2", 2)))
    given.when(to_bob("unwilling"), id="m3").then(
        MemberJoined(user="bob", role="member", willing=False), posted("m3", 3)
    )
    member = given.log.state[member_key("s", "bob")]
    assert isinstance(member, Member) and (member.state, member.read, member.willing) == ("joined", 0, False)
    direct = given.log.state[room_key("s")]
    assert isinstance(direct, Room) and (direct.members, direct.seq) == (2, 3), "all three are unread to bob"
    given.when(to_bob("unwilling"), id="m4").then(posted("m4", 4))


def test_who_does_not_let_one_add_them_is_asked_back_once() -> None:
    given = room(DIRECT, "ada", "bob", more=(left("bob"),))
    given.when(to_bob("invited"), id="m1").then(MemberInvited(user="bob"), posted("m1", 1))
    given.when(to_bob("invited"), id="m2").then(posted("m2", 2))
    given.when(to_bob(), id="m3").then(posted("m3", 3))


def test_nobody_else_is_brought_into_a_room_by_a_message() -> None:
    """Whatever an order says: only who was in the direct room, or asked into it, and is neither."""
    for other in ("eve", "ada"):
        room(DIRECT, "ada", "bob", more=(left("bob"),)).when(to_bob("willing", other), id="m").then(posted("m", 1))
    room(DIRECT, "ada", "bob").when(to_bob("willing"), id="m").then(posted("m", 1))
    room(PUBLIC, "ada", "bob", more=(left("bob"),)).when(to_bob("willing"), id="m").then(posted("m", 1))
    # An import says nothing of the other.
    room(DIRECT, "ada", "bob", more=(left("bob"),)).when(SAY, id="m").then(posted("m", 1))


def test_a_read_model_that_does_not_know_of_the_leaving_is_waited_for() -> None:
    room(DIRECT, "ada", "bob", more=(left("bob"),)).when(to_bob(), id="m").refused("outrun")
    room(DIRECT, "ada", "bob", more=(left("ada"), left("bob"))).when(to_bob("willing"), id="m").refused("not_found")


def test_only_admins_post_where_that_is_set() -> None:
    news = with_settings(PUBLIC, posting="admins")
    for actor in ("ada", "bob"):
        room(news, "ada", "bob", admins=("bob",)).when(SAY, actor=actor, id="m").then(posted("m", 1))
    room(news, "ada", "bob").when(SAY, actor="bob").refused("forbidden")


#: Code points are counted, not bytes and not what looks like one character.
TEXTS = ["x", "x" * 2000, "🍵" * 2000, "e\u0301" * 1000, " x ", "a\u200b", "a\nb", "茶"]
NO_TEXTS = [
    "",
    "x" * 2001,
    "🍵" * 2001,
    "e\u0301" * 1000 + "x",
    " ",
    "\t\n ",
    "\u200b",
    "\u00a0\u2003\u3000",
    " " * 2000,
    " " * 2001,
]


@pytest.mark.parametrize("type_", ["text", "action"])
@pytest.mark.parametrize("text", TEXTS)
def test_what_is_a_text(type_: Any, text: str) -> None:
    said = room(PUBLIC, "ada").when(PostMessage(room="s", token="t", type=type_, content={"text": text}), id="m")
    said.then(MessagePosted(message="m", seq=1, token="t", type=type_, content={"text": text}, data={}))


@pytest.mark.parametrize("text", NO_TEXTS)
def test_what_is_no_text(text: str) -> None:
    room(PUBLIC, "ada").when(PostMessage(room="s", token="t", content={"text": text})).refused("invalid")
    room(PUBLIC, "ada", more=(posted("m", 1),)).when(edit(content={"text": text})).refused("invalid")


@pytest.mark.parametrize(
    ("type_", "content", "code"),
    [("text", {}, "invalid"), ("action", {"text": "x", "y": 1}, "invalid"), ("text", {"text": None}, "invalid"),
     ("image", {"url": "ftp://x"}, "invalid"), ("image", {"url": "http://x\n"}, "invalid"),
     ("file", {"url": "http://x", "name": ""}, "invalid"), ("custom", {"x": "y" * 16 * 1024}, "too_large")],
)  # fmt: skip
def test_content_that_does_not_fit(type_: Any, content: dict[str, Any], code: str) -> None:
    room(PUBLIC, "ada").when(PostMessage(room="s", token="t", type=type_, content=content)).refused(code)
    before = MessagePosted(message="m", seq=1, token="t", type=type_, content={}, data={})
    room(PUBLIC, "ada", more=(before,)).when(edit(content=content)).refused(code)


@pytest.mark.parametrize("type_", ["join", "leave", "system", "video", ""])
def test_nobody_writes_what_only_events_make(type_: str) -> None:
    assert type_ not in CONTENT
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"room": "s", "token": "t", "type": type_, "content": {}}, PostMessage)


def test_what_nobody_wrote_is_not_edited() -> None:
    joined = MessagePosted(message="m", seq=1, token="t", type="join", content={}, data={})
    refused = room(PUBLIC, "ada", more=(joined,)).when(edit()).refused("invalid").answer
    assert isinstance(refused, Refused)
    assert refused.errors == [wrong("/message", "a message that somebody wrote", "one of type join")]


def test_data_of_up_to_8_kib() -> None:
    """Any JSON object, counted as it is encoded."""
    largest: dict[str, Any] = {"a": [1, 2.5, None, True, {"deep": {"er": []}}], "x": ""}
    largest["x"] = "y" * (8 * 1024 - len(msgspec.json.encode(largest)))
    too_large = {**largest, "x": f"{largest['x']}y"}
    say = PostMessage(room="s", token="t", content={"text": "x"}, data=largest)
    given = room(PUBLIC, "ada").when(say, id="m").then(posted("m", 1, data=largest))
    given.when(edit(data=too_large), id="2").refused("too_large")
    room(PUBLIC, "ada").when(msgspec.structs.replace(say, data=too_large)).refused("too_large")
    umlauts = {"x": "ü" * 4092}
    assert len(msgspec.json.encode(umlauts)) == 8 * 1024
    room(PUBLIC, "ada").when(msgspec.structs.replace(say, data=umlauts), id="m").then(posted("m", 1, data=umlauts))


def test_the_emotion_is_not_the_authors_to_say() -> None:
    emotional = {"emotion": "joy"}
    room(PUBLIC, "ada").when(msgspec.structs.replace(SAY, data=emotional)).refused("invalid")
    room(PUBLIC, "ada", more=(posted("m", 1),)).when(edit(data=emotional)).refused("invalid")


def test_edit_messages() -> None:
    given = room(PUBLIC, "ada", more=(posted("m", 1, data={"a": 1}),))
    given.when(edit(), id="1").then(edited({"a": 1}))
    given.when(edit(), id="2").then()
    given.when(edit(data={"b": 2}), id="3").then(edited({"b": 2}))
    given.when(edit(content={"text": "z"}, data={}), id="4").then(edited({}, text="z"))
    given.when(edit("n"), id="5").refused("not_found")
    given.when(EditMessage(room="other", message="m", content={"text": "z"}), id="6").refused("not_found")
    Given().when(edit()).refused("not_found")
    room(PUBLIC, "ada", more=(posted("m", 1), RoomArchived())).when(edit()).refused("archived")
    room(PUBLIC, "ada", more=(posted("m", 1), RoomDeleted())).when(edit()).refused("not_found")
    room(PUBLIC, "ada", "bob", more=(posted("m", 1), left("ada"))).when(edit()).refused("not_found")


def test_an_edit_keeps_the_emotion_that_was_found() -> None:
    more = (posted("m", 1, data={"a": 1}), MessageEmotionDetected(message="m", emotion="joy", shown=True))
    room(PUBLIC, "ada", more=more).when(edit()).then(edited({"a": 1, "emotion": "joy"}))
    room(PUBLIC, "ada", more=more).when(edit(data={"b": 2})).then(edited({"b": 2, "emotion": "joy"}))


def test_a_message_of_another_room_is_none_of_this() -> None:
    given = Given(PUBLIC, join("ada", "owner"), posted("m", 1), stream="other")
    given.log.append(PUBLIC, join("ada", "owner"), stream="s")
    given.when(edit(), id="1").refused("not_found")
    given.when(delete(), id="2").refused("not_found")
    given.when(SetEmotion(room="s", message="m", emotion="joy", shown=True), id="3").refused("not_found")


#: Author, who edits or deletes it, and what each comes to.
OTHERS = [
    ("mia", "mia", None, None), ("ann", "ann", None, None), ("ada", "ada", None, None),
    ("mia", "mo", "forbidden", "forbidden"), ("mia", "ann", "forbidden", None), ("mia", "ada", "forbidden", None),
    ("ann", "mia", "forbidden", "forbidden"), ("ann", "art", "forbidden", None), ("ann", "ada", "forbidden", None),
    ("ada", "mia", "forbidden", "forbidden"), ("ada", "ann", "forbidden", None),
    ("mia", "eve", "not_found", "not_found"),
]  # fmt: skip


@pytest.mark.parametrize(("author", "actor", "editing", "deleting"), OTHERS)
def test_who_edits_and_deletes_whose_messages(
    author: str, actor: str, editing: str | None, deleting: str | None
) -> None:
    for command, code, event in ((edit(), editing, edited()), (delete(), deleting, MessageDeleted(message="m"))):
        given = room(PRIVATE, "ada", "ann", "art", "mia", "mo", admins=("ann", "art"))
        given.log.append(posted("m", 1), stream="s", actor=author)
        given.when(command, actor=actor)
        if code is None:
            given.then(event)
        else:
            given.refused(code)


def test_in_a_direct_room_each_deletes_their_own() -> None:
    room(DIRECT, "ada", "bob", more=(posted("m", 1),)).when(delete()).then(MessageDeleted(message="m"))
    room(DIRECT, "ada", "bob", more=(posted("m", 1),)).when(delete(), actor="bob").refused("forbidden")
    room(DIRECT, "ada", "bob", more=(posted("m", 1),)).when(edit(), actor="bob").refused("forbidden")


def test_delete_messages() -> None:
    given = room(PUBLIC, "ada", "bob", more=(posted("m", 1),))
    given.when(delete(), id="1").then(MessageDeleted(message="m"))
    given.when(delete(), id="2").then()
    given.when(edit(), id="3").refused("not_found")
    given.when(SetEmotion(room="s", message="m", emotion="joy", shown=True), id="4").refused("not_found")
    given.when(delete("n"), id="5").refused("not_found")
    # Its number stays taken.
    given.when(PostMessage(room="s", token="u", content={"text": "x"}), id="6").then(posted("6", 2, "u"))
    Given().when(delete()).refused("not_found")
    room(PUBLIC, "ada", more=(posted("m", 1), RoomArchived())).when(delete()).refused("archived")
    room(PUBLIC, "ada", more=(posted("m", 1), RoomDeleted())).when(delete()).refused("not_found")


def test_notices_are_deleted_but_not_edited() -> None:
    notices = (join("bob", seq=1, notice="j"), MemberRoleChanged(user="bob", role="admin", message="r", seq=2),
               left("bob", 3))  # fmt: skip
    for message in ("j", "r", "id"):
        room(PUBLIC, "ada", more=notices).when(edit(message), id="e").refused("invalid")
        room(PUBLIC, "ada", more=notices).when(delete(message), id="d").then(MessageDeleted(message=message))
    joined = room(PUBLIC, "ada").when(AddMember(room="s", user="bob"), actor="bob", id="j")
    joined.when(edit("j", content={"user": "ada"}), actor="bob", id="e").refused("invalid")


def test_emotions() -> None:
    given = room(PUBLIC, "ada", more=(posted("m", 1),))
    joy = SetEmotion(room="s", message="m", emotion="joy", shown=True)
    given.when(joy, actor="svc").then(MessageEmotionDetected(message="m", emotion="joy", shown=True))
    given.when(joy, actor="svc", id="another").then()
    hidden = SetEmotion(room="s", message="m", emotion="joy", shown=False)
    given.when(hidden, actor="svc", id="third").then(MessageEmotionDetected(message="m", emotion="joy", shown=False))
    given.when(SetEmotion(room="other", message="m", emotion="joy", shown=True)).refused("not_found")
    given.when(SetEmotion(room="s", message="n", emotion="joy", shown=True)).refused("not_found")
    # In a deleted room nobody is told of anything.
    room(PUBLIC, "ada", more=(posted("m", 1), RoomDeleted())).when(joy, actor="svc").refused("not_found")
