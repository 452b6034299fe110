"""Decisions about invitations: who is asked, who accepts, declines and withdraws, and what goes with a room."""

from __future__ import annotations

import pytest

from events.core.records import Event
from events.invitations import Invitation, InvitationDeclined, InvitationWithdrawn, MemberInvited, invitation_key
from events.members import Member, MemberJoined, member_key
from events.messages import MessagePosted
from events.rooms import RoomArchived, RoomCreated, RoomDeleted
from events.users import UserAddedByChosen, UserRegistered
from producers.commands import Outcome
from producers.invitations import DeclineInvitation, WithdrawInvitation
from producers.members import AddMember, MarkRead, RemoveMember
from producers.revertible import RevertInRoom, RevertOfUser
from producers.rooms import CreateRoom, DeleteRoom
from producers.users import ChangeProfile, RegisterUser
from tests.producers.given import Given
from tests.producers.scenes import DIRECT, PRIVATE, PUBLIC, join, left, posted, room

INVITED = (MemberInvited(user="bob"),)
DECLINED = (*INVITED, InvitationDeclined(user="bob", by="ada"))
WITHDRAWN = (*INVITED, InvitationWithdrawn(user="bob", by="ada"))
ACCEPT = AddMember(room="s", user="bob")
INVITE = AddMember(room="s", user="bob", invite=True)


def invitation(given: Given, user: str = "bob") -> Invitation | None:
    found = given.log.state.get(invitation_key("s", user))
    assert isinstance(found, Invitation | None)
    return found


def member(given: Given, user: str = "bob") -> Member:
    found = given.log.state[member_key("s", user)]
    assert isinstance(found, Member)
    return found


@pytest.mark.parametrize("created", [PUBLIC, PRIVATE])
def test_inviting(created: RoomCreated) -> None:
    given = room(created, "ada").when(INVITE).then(*INVITED)
    found = invitation(given)
    assert found is not None and (found.by, found.state, found.type) == ("ada", "pending", created.visibility)
    assert found.name == created.name and given.log.state.get(member_key("s", "bob")) is None
    # Once is enough, whoever asks; who is in the room needs no invitation.
    given.when(INVITE, id="2").then()
    room(created, "ada", "bob").when(INVITE).then()
    # After an answer, or none, it is a new one.
    for more in (DECLINED, WITHDRAWN):
        room(created, "ada", more=more).when(INVITE).then(*INVITED)


def test_who_may_invite_is_who_may_add() -> None:
    room(PRIVATE, "ada").when(INVITE, actor="eve").refused("not_found")
    room(DIRECT, "ada").when(INVITE).refused("forbidden")
    room(PUBLIC, "ada", more=(RoomArchived(),)).when(INVITE).refused("archived")
    room(PUBLIC, "ada", more=(RoomDeleted(),)).when(INVITE).refused("not_found")
    # Nobody invites themselves.
    room(PRIVATE, "ada").when(INVITE, actor="bob").refused("not_found")


@pytest.mark.parametrize("created", [PUBLIC, PRIVATE])
def test_accepting_is_joining(created: RoomCreated) -> None:
    given = room(created, "ada", more=INVITED).when(ACCEPT, actor="bob").then(join("bob", seq=1))
    found = invitation(given)
    assert found is not None and found.state == "accepted" and member(given).willing
    # An invitation is good for one coming.
    given.log.append(left("bob"), stream="s")
    if created is PRIVATE:
        given.when(ACCEPT, actor="bob", id="2").refused("not_found")


@pytest.mark.parametrize("more", [DECLINED, WITHDRAWN, ()])
def test_without_an_invitation_nobody_comes_into_a_private_room(more: tuple[Event, ...]) -> None:
    room(PRIVATE, "ada", more=more).when(ACCEPT, actor="bob").refused("not_found")


def test_an_invitation_lets_in_only_who_is_invited_while_the_room_is_in_use() -> None:
    room(PRIVATE, "ada", more=INVITED).when(AddMember(room="s", user="eve"), actor="eve").refused("not_found")
    room(PRIVATE, "ada", more=INVITED).when(AddMember(room="s", user="eve"), actor="bob").refused("not_found")
    room(PRIVATE, "ada", more=(*INVITED, RoomArchived())).when(ACCEPT, actor="bob").refused("archived")
    room(PRIVATE, "ada", more=(*INVITED, RoomDeleted())).when(ACCEPT, actor="bob").refused("not_found")


def test_who_is_added_after_all_has_no_invitation_left() -> None:
    given = room(PRIVATE, "ada", more=INVITED).when(ACCEPT).then(join("bob", seq=1))
    found = invitation(given)
    assert found is not None and found.state == "accepted"


def test_an_empty_room_belongs_to_who_accepts_but_a_direct_room_to_nobody() -> None:
    gone = (*INVITED, left("ada"))
    room(PRIVATE, "ada", more=gone).when(ACCEPT, actor="bob").then(join("bob", "owner", seq=1))
    room(DIRECT, "ada", more=INVITED).when(ACCEPT, actor="bob").then(join("bob"))


def test_declining() -> None:
    given = room(PRIVATE, "ada", more=INVITED).when(DeclineInvitation(room="s"), actor="bob")
    given.then(InvitationDeclined(user="bob", by="ada"))
    given.when(DeclineInvitation(room="s"), actor="bob", id="2").then()
    room(PRIVATE, "ada", more=WITHDRAWN).when(DeclineInvitation(room="s"), actor="bob").then()
    # Whatever the room has become.
    for more in (RoomArchived(), RoomDeleted()):
        given = room(PRIVATE, "ada", more=(*INVITED, more)).when(DeclineInvitation(room="s"), actor="bob")
        given.then(InvitationDeclined(user="bob", by="ada"))
    room(PRIVATE, "ada", more=INVITED).when(DeclineInvitation(room="s"), actor="eve").refused("not_found")
    Given().when(DeclineInvitation(room="s"), actor="bob").refused("not_found")


@pytest.mark.parametrize(("actor", "withdrawn"), [("mia", True), ("ada", False), ("bob", False), ("eve", False)])
@pytest.mark.parametrize("more", [(), (left("mia"),), (RoomDeleted(),)])
def test_who_asked_takes_it_back_wherever_they_are(actor: str, withdrawn: bool, more: tuple[Event, ...]) -> None:
    given = room(PRIVATE, "ada", "mia", more=(*INVITED, *more), actor="mia")
    given.when(WithdrawInvitation(room="s", user="bob"), actor=actor)
    given.then(*([InvitationWithdrawn(user="bob", by="mia")] if withdrawn else []))


#: Who takes back what mia asked: herself, whoever owns or runs the room, and nobody else.
WITHDRAWING = [("mia", "done"), ("ann", "done"), ("ada", "done"), ("mo", "forbidden"), ("eve", "not_found")]


@pytest.mark.parametrize(("actor", "result"), WITHDRAWING)
def test_withdrawing(actor: str, result: str) -> None:
    given = room(PRIVATE, "ada", "ann", "mia", "mo", admins=("ann",), more=INVITED, actor="mia")
    given.when(RemoveMember(room="s", user="bob"), actor=actor)
    if result == "done":
        given.then(InvitationWithdrawn(user="bob", by="mia"))
        given.when(RemoveMember(room="s", user="bob"), actor="ada", id="2").then()
    else:
        given.refused(result)


def test_who_asked_and_left_withdraws_nothing_but_who_started_a_direct_room_does() -> None:
    gone = room(PRIVATE, "ada", "mia", more=(*INVITED, left("mia")), actor="mia")
    gone.when(RemoveMember(room="s", user="bob"), actor="mia").refused("not_found")
    room(DIRECT, "ada", more=INVITED).when(RemoveMember(room="s", user="bob")).then(
        InvitationWithdrawn(user="bob", by="ada")
    )


def test_invitations_go_with_their_room() -> None:
    given = room(PRIVATE, "ada", more=INVITED).when(DeleteRoom(room="s", invited=["bob", "eve"]))
    given.then(InvitationWithdrawn(user="bob", by="ada"), RoomDeleted())
    room(PRIVATE, "ada").when(DeleteRoom(room="s", invited=["bob"])).then(RoomDeleted())


def made(type: str, members: list[str], invited: list[str], unwilling: list[str] | None = None) -> CreateRoom:
    return CreateRoom(
        room="s", type=type, name="" if type == "direct" else "Room", data={}, members=members, invited=invited,  # type: ignore[arg-type]  # a type
        unwilling=unwilling or [],
    )  # fmt: skip


def test_a_room_is_made_with_those_who_come_and_those_who_are_asked() -> None:
    given = Given().when(made("private", ["ada", "cyd", "dan"], ["bob"], ["dan"]))
    assert isinstance(given.answer, Outcome)
    assert [record.data for record in given.answer.records][1:] == [
        join("ada", "owner"), join("cyd"), MemberJoined(user="dan", role="member", willing=False), *INVITED,
    ]  # fmt: skip
    assert [member(given, user).willing for user in ("ada", "cyd", "dan")] == [True, True, False]
    found = invitation(given)
    assert found is not None and (found.type, found.name, found.state) == ("private", "Room", "pending")


def test_a_message_request() -> None:
    given = Given().when(made("direct", ["ada"], ["bob"])).then(DIRECT, join("ada"), *INVITED)
    given.when(made("direct", ["ada"], ["bob"]), id="2").then()
    given.log.append(posted("m1", 1), posted("m2", 2), stream="s")
    # Who starts the same room from the other side accepts, and has read nothing of what was said to them.
    given.when(made("direct", ["bob"], ["ada"]), actor="bob", id="3").then(join("bob"))
    found = invitation(given)
    assert member(given).read == 0 and found is not None and found.state == "accepted"
    # The next to leave is asked again, or let in where that is allowed.
    given.log.append(left("bob"), stream="s")
    given.when(made("direct", ["ada"], ["bob"]), id="4").then(*INVITED)
    given.when(made("direct", ["ada", "bob"], []), id="5").then(join("bob"))
    assert member(given).read == 0


def test_who_was_only_put_somewhere_is_there_by_their_own_will_once_they_read_or_speak() -> None:
    put = MemberJoined(user="bob", role="member", willing=False, message="id", seq=1)
    given = room(PRIVATE, "ada").when(AddMember(room="s", user="bob", willing=False)).then(put)
    assert not member(given).willing
    read = given.when(MarkRead(room="s", seq=0), actor="bob", id="2")
    assert member(read).willing
    spoke = room(PRIVATE, "ada", more=(MemberJoined(user="bob", role="member", willing=False),))
    said = MessagePosted(message="m", seq=1, token="t", type="text", content={}, data={})
    spoke.log.append(said, stream="s", actor="bob")
    assert member(spoke).willing
    # Who joins is, whatever the order says.
    own = room(PUBLIC, "ada").when(AddMember(room="s", user="bob", willing=False, invite=True), actor="bob")
    own.then(join("bob", seq=1))


def test_an_invitation_is_taken_back_by_operators_and_answers_are_not() -> None:
    back = RevertInRoom(room="s", kind="invitation", id="bob", was={"state": "withdrawn"}, became={"state": "pending"})
    room(PRIVATE, "ada", more=INVITED).when(back, actor="operator").then(InvitationWithdrawn(user="bob", by="ada"))
    room(PRIVATE, "ada", more=DECLINED).when(back, actor="operator").refused("conflict")
    room(PRIVATE, "ada").when(back, actor="operator").refused("not_found")
    again = RevertInRoom(room="s", kind="invitation", id="bob", was={"state": "pending"}, became={"state": "declined"})
    room(PRIVATE, "ada", more=DECLINED).when(again, actor="operator").refused("conflict")
    # Who left in accepting and is brought back has no invitation waiting.
    gone = RevertInRoom(room="s", kind="member", id="bob", was={"state": "joined"}, became={"state": "left"})
    given = room(PRIVATE, "ada", more=INVITED).when(gone, actor="operator").then(join("bob"))
    found = invitation(given)
    assert found is not None and found.state == "accepted"


USER = UserRegistered(username="s", name="S", role="person", credential=None, data={})
CHOSEN = UserAddedByChosen(added_by="nobody")


def test_choosing_who_may_add_oneself() -> None:
    Given().when(RegisterUser(user="s", username="sss", name="S", added_by="nobody")).then(
        UserRegistered(username="sss", name="S", role="person", credential=None, data={}), CHOSEN
    )
    Given(USER).when(ChangeProfile(user="s", added_by="nobody")).then(CHOSEN)
    Given(USER, CHOSEN).when(ChangeProfile(user="s", added_by="nobody")).then()
    Given(USER, CHOSEN).when(ChangeProfile(user="s")).then()
    Given(USER, CHOSEN).when(ChangeProfile(user="s", added_by=None)).then(UserAddedByChosen(added_by=None))
    back = RevertOfUser(user="s", kind="user", id="s", was={"added_by": None}, became={"added_by": "nobody"})
    Given(USER, CHOSEN).when(back, actor="operator").then(UserAddedByChosen(added_by=None))
