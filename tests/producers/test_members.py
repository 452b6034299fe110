"""Decisions about who is in a room: every command and every refusal, and the notices that come of them."""

from __future__ import annotations

from typing import Any

import pytest

from events.members import Member, MemberCustomChanged, MemberNotificationsSet, MemberRead, member_key
from events.rooms import Room, RoomArchived, RoomDeleted, room_key
from producers.commands import Outcome
from producers.members import (
    AddMember,
    ChangeMember,
    ChangeRole,
    MarkRead,
    RemoveMember,
    SetNotifications,
    TransferOwnership,
)
from tests.producers.given import Given, order
from tests.producers.scenes import (
    DIRECT,
    PRIVATE,
    PUBLIC,
    became,
    join,
    left,
    posted,
    quiet,
    room,
    with_settings,
)

TWO = (posted("m1", 1), posted("m2", 2))


def roles(given: Given) -> dict[str, str]:
    """Of those who are in the room now; fails when the room's owner and count are not theirs."""
    members = [one for one in given.log.state.values() if isinstance(one, Member) and one.state == "joined"]
    found = given.log.state[room_key("s")]
    assert isinstance(found, Room) and found.members == len(members)
    assert [one.user for one in members if one.role == "owner"] == ([] if found.owner is None else [found.owner])
    return {one.user: one.role for one in members}


def test_join_and_add() -> None:
    room(PUBLIC, "ada").when(AddMember(room="s", user="bob"), actor="bob").then(join("bob", seq=1))
    room(PRIVATE, "ada").when(AddMember(room="s", user="bob")).then(join("bob", seq=1))
    room(PUBLIC, "ada", "bob").when(AddMember(room="s", user="bob")).then()
    room(PRIVATE, "ada", "bob").when(AddMember(room="s", user="bob"), actor="bob").then()
    room(PRIVATE, "ada").when(AddMember(room="s", user="bob"), actor="bob").refused("not_found")
    room(PUBLIC, "ada").when(AddMember(room="s", user="bob"), actor="eve").refused("not_found")
    room(DIRECT, "ada", "bob").when(AddMember(room="s", user="eve")).refused("forbidden")
    room(DIRECT, "ada", "bob").when(AddMember(room="s", user="eve"), actor="eve").refused("not_found")
    Given().when(AddMember(room="s", user="bob")).refused("not_found")


def test_only_admins_let_others_in_where_that_is_set() -> None:
    closed = with_settings(PUBLIC, inviting="admins")
    room(closed, "ada", "bob", admins=("bob",)).when(AddMember(room="s", user="eve"), actor="bob").then(
        join("eve", seq=1)
    )
    room(closed, "ada", "bob").when(AddMember(room="s", user="eve"), actor="bob").refused("forbidden")
    # A public room is open to who comes, whoever may bring others along.
    room(closed, "ada").when(AddMember(room="s", user="eve"), actor="eve").then(join("eve", seq=1))


def test_who_comes_back_first_to_an_empty_room_owns_it() -> None:
    empty = room(PUBLIC, "ada", more=(left("ada"),))
    empty.when(AddMember(room="s", user="bob"), actor="bob").then(join("bob", "owner", seq=1))
    empty.when(AddMember(room="s", user="ada"), id="2").then(join("ada", seq=2, notice="2"))
    room(PRIVATE, "ada", more=(left("ada"),)).when(AddMember(room="s", user="ada")).refused("not_found")


def test_leave_and_put_out() -> None:
    gone = (left("bob"),)
    room(PUBLIC, "ada", "bob").when(RemoveMember(room="s", user="bob"), actor="bob").then(left("bob", 1))
    room(PUBLIC, "ada", "bob").when(RemoveMember(room="s", user="bob")).then(left("bob", 1))
    room(DIRECT, "ada", "bob").when(RemoveMember(room="s", user="bob"), actor="bob").then(left("bob"))
    room(PUBLIC, "ada", "bob", more=gone).when(RemoveMember(room="s", user="bob"), actor="bob").then()
    room(PUBLIC, "ada").when(RemoveMember(room="s", user="bob")).then()
    room(DIRECT, "ada", "bob").when(RemoveMember(room="s", user="bob")).refused("forbidden")
    # To who was never in it the room does not exist.
    for created in (PUBLIC, PRIVATE, DIRECT):
        room(created, "ada", "bob").when(RemoveMember(room="s", user="eve"), actor="eve").refused("not_found")
        room(created, "ada", "bob").when(RemoveMember(room="s", user="bob"), actor="eve").refused("not_found")
    room(PUBLIC, "ada", "bob", more=gone).when(RemoveMember(room="s", user="ada"), actor="bob").refused("not_found")
    Given().when(RemoveMember(room="s", user="ada")).refused("not_found")


#: Who puts out whom: roles of both, and whether it is done.
PUTTING_OUT = [
    ("ada", "ann", True), ("ada", "mia", True), ("ann", "ada", False), ("ann", "art", False), ("ann", "mia", True),
    ("mia", "ada", False), ("mia", "ann", False), ("mia", "mo", False), ("ann", "ann", True), ("mia", "mia", True),
]  # fmt: skip


@pytest.mark.parametrize(("actor", "user", "done"), PUTTING_OUT)
def test_who_puts_out_whom(actor: str, user: str, done: bool) -> None:
    given = room(PRIVATE, "ada", "ann", "art", "mia", "mo", admins=("ann", "art"))
    before = roles(given)
    given.when(RemoveMember(room="s", user=user), actor=actor)
    if done:
        given.then(left(user, 1))
        assert roles(given) == {one: role for one, role in before.items() if one != user}
    else:
        given.refused("forbidden")
        assert roles(given) == before


def test_an_owner_who_leaves_passes_the_room_on() -> None:
    leaving = room(PUBLIC, "ada", "bob").when(RemoveMember(room="s", user="ada", successor="bob"))
    # One notice: the leaving. That bob owns the room now is told by the event.
    leaving.then(left("ada", 1), became("bob", "owner"))
    assert roles(leaving) == {"bob": "owner"}
    for successor in (None, "ada", "eve"):
        leaving = room(PUBLIC, "ada", "bob").when(RemoveMember(room="s", user="ada", successor=successor))
        leaving.refused("no_successor")
    former = room(PUBLIC, "ada", "bob", "eve", more=(left("eve"),))
    former.when(RemoveMember(room="s", user="ada", successor="eve")).refused("no_successor")
    # A successor that is named without need changes nothing.
    room(PUBLIC, "ada", "bob", "eve").when(RemoveMember(room="s", user="bob", successor="eve")).then(left("bob", 1))


def test_the_last_member_leaves_and_nobody_owns_the_room() -> None:
    leaving = room(PUBLIC, "ada").when(RemoveMember(room="s", user="ada")).then(left("ada", 1))
    assert roles(leaving) == {}


@pytest.mark.parametrize("more", [(RoomArchived(),), (RoomDeleted(),)])
def test_a_room_that_is_not_in_use_is_left_without_a_word(more: Any) -> None:
    room(PUBLIC, "ada", "bob", more=more).when(RemoveMember(room="s", user="bob"), actor="bob").then(left("bob"))
    passing = room(PUBLIC, "ada", "bob", more=more).when(RemoveMember(room="s", user="ada", successor="bob"))
    passing.then(left("ada"), became("bob", "owner"))


def test_of_a_deleted_room_nobody_learns_who_may_do_what() -> None:
    for actor in ("ada", "bob"):
        given = room(PUBLIC, "ada", "bob", "eve", more=(RoomDeleted(),))
        given.when(RemoveMember(room="s", user="eve"), actor=actor).refused("not_found")
    room(PUBLIC, "ada", "bob", more=(RoomDeleted(),)).when(AddMember(room="s", user="bob")).refused("not_found")


def test_promote_and_demote() -> None:
    given = room(PUBLIC, "ada", "bob").when(ChangeRole(room="s", user="bob", role="admin"))
    given.then(became("bob", "admin", 1))
    given.when(ChangeRole(room="s", user="bob", role="admin"), id="2").then()
    given.when(ChangeRole(room="s", user="bob", role="member"), id="3")
    assert roles(given) == {"ada": "owner", "bob": "member"}
    for actor, code in (("bob", "forbidden"), ("eve", "not_found")):
        room(PUBLIC, "ada", "bob", admins=("bob",)).when(
            ChangeRole(room="s", user="bob", role="member"), actor=actor
        ).refused(code)
    room(PUBLIC, "ada").when(ChangeRole(room="s", user="eve", role="admin")).refused("not_found")
    room(PUBLIC, "ada", "eve", more=(left("eve"),)).when(ChangeRole(room="s", user="eve", role="admin")).refused(
        "not_found"
    )
    room(DIRECT, "ada", "bob").when(ChangeRole(room="s", user="bob", role="admin")).refused("forbidden")
    Given().when(ChangeRole(room="s", user="bob", role="admin")).refused("not_found")


@pytest.mark.parametrize("role", ["admin", "member"])
def test_an_owner_does_not_step_down_without_a_new_one(role: Any) -> None:
    room(PUBLIC, "ada", "bob").when(ChangeRole(room="s", user="ada", role=role)).refused("invalid")


@pytest.mark.parametrize("admins", [(), ("bob",)])
def test_transfer(admins: tuple[str, ...]) -> None:
    given = room(PUBLIC, "ada", "bob", "eve", admins=admins).when(TransferOwnership(room="s", user="bob"))
    # First the old one, so that no position of the log has two owners.
    given.then(became("ada", "admin"), became("bob", "owner", 1))
    assert roles(given) == {"ada": "admin", "bob": "owner", "eve": "member"}
    given.when(TransferOwnership(room="s", user="eve"), id="2").refused("forbidden")
    given.when(TransferOwnership(room="s", user="ada"), id="3", actor="bob")
    assert roles(given) == {"ada": "owner", "bob": "admin", "eve": "member"}


def test_transfers_that_are_refused() -> None:
    room(PUBLIC, "ada", "bob").when(TransferOwnership(room="s", user="ada")).then()
    room(PUBLIC, "ada").when(TransferOwnership(room="s", user="eve")).refused("not_found")
    room(PUBLIC, "ada", "bob", admins=("bob",)).when(TransferOwnership(room="s", user="bob"), actor="bob").refused(
        "forbidden"
    )
    room(PUBLIC, "ada").when(TransferOwnership(room="s", user="eve"), actor="eve").refused("not_found")
    room(DIRECT, "ada", "bob").when(TransferOwnership(room="s", user="bob")).refused("forbidden")


def test_nothing_is_announced_where_that_is_set() -> None:
    silent = quiet(PUBLIC)
    room(silent, "ada").when(AddMember(room="s", user="bob"), actor="bob").then(join("bob"))
    room(silent, "ada", "bob").when(RemoveMember(room="s", user="bob")).then(left("bob"))
    room(silent, "ada", "bob").when(ChangeRole(room="s", user="bob", role="admin")).then(became("bob", "admin"))
    room(silent, "ada", "bob").when(TransferOwnership(room="s", user="bob")).then(
        became("ada", "admin"), became("bob", "owner")
    )


def test_notices_and_messages_are_counted_together() -> None:
    given = room(PUBLIC, "ada", more=(posted("m1", 1),))
    deeds: list[tuple[str, Any]] = [
        ("bob", AddMember(room="s", user="bob")), ("ada", ChangeRole(room="s", user="bob", role="admin")),
        ("bob", AddMember(room="s", user="eve")), ("ada", TransferOwnership(room="s", user="bob")),
        ("eve", RemoveMember(room="s", user="eve")), ("ada", RemoveMember(room="s", user="ada")),
    ]  # fmt: skip
    for n, (actor, command) in enumerate(deeds):
        given.when(command, actor=actor, id=f"n{n}")
        assert isinstance(given.answer, Outcome), given.answer
    found = [one.data.seq for one in given.log.records if getattr(one.data, "seq", None) is not None]  # type: ignore[attr-defined]
    assert found == [1, 2, 3, 4, 5, 6, 7]


def test_mark_read_and_unread() -> None:
    given = room(PUBLIC, "ada", "bob", more=TWO)
    given.when(MarkRead(room="s", seq=2), actor="bob", id="1").then(MemberRead(user="bob", seq=2))
    given.when(MarkRead(room="s", seq=2), actor="bob", id="2").then()
    given.when(MarkRead(room="s", seq=0), actor="bob", id="3").then(MemberRead(user="bob", seq=0))
    given.when(MarkRead(room="s", seq=0), actor="bob", id="4").then()
    room(PUBLIC, "ada", "bob", more=TWO).when(MarkRead(room="s", seq=2)).then()
    room(PUBLIC, "ada", more=TWO).when(MarkRead(room="s", seq=3)).refused("invalid")
    room(PUBLIC, "ada", more=TWO).when(MarkRead(room="s", seq=1), actor="eve").refused("not_found")
    room(PUBLIC, "ada", "bob", more=(*TWO, RoomArchived())).when(MarkRead(room="s", seq=1), actor="bob").then(
        MemberRead(user="bob", seq=1)
    )
    Given().when(MarkRead(room="s", seq=1)).refused("not_found")


def test_a_late_marker_takes_nothing_back_that_goes_only_forward() -> None:
    given = room(PUBLIC, "ada", "bob", more=TWO)
    given.when(MarkRead(room="s", seq=2), actor="bob", id="1").then(MemberRead(user="bob", seq=2))
    late = MarkRead(room="s", seq=1, forward=True)
    given.when(late, actor="bob", id="2").then()
    given.when(MarkRead(room="s", seq=3, forward=True), actor="bob", id="3").refused("invalid")
    # With a key it is remembered: what was nothing then does nothing later, when it would go forward.
    given.when(late, actor="bob", id="4", key="k", keep=True)
    given.when(MarkRead(room="s", seq=0), actor="bob", id="5").then(MemberRead(user="bob", seq=0))
    given.when(late, actor="bob", id="6", key="k", keep=True)
    assert isinstance(given.answer, Outcome) and given.answer.repeated and not given.answer.changed
    given.when(late, actor="bob", id="7").then(MemberRead(user="bob", seq=1))


def test_of_two_devices_markers_the_newer_one_stays() -> None:
    """Decided in one turn, whichever comes first."""
    log = room(PUBLIC, "ada", "bob", more=TWO).log
    markers = [
        order(MarkRead(room="s", seq=seq, forward=True), actor="bob", id=f"m{n}") for n, seq in enumerate((1, 2, 1))
    ]
    log.turn(*markers)
    member = log.state[member_key("s", "bob")]
    assert isinstance(member, Member) and member.read == 2


def test_notifications_are_set_and_kept_by_who_comes_back() -> None:
    off = MemberNotificationsSet(user="bob", notifications=False)
    given = room(PUBLIC, "ada", "bob")
    given.when(SetNotifications(room="s", notifications=False), actor="bob", id="1").then(off)
    given.when(SetNotifications(room="s", notifications=False), actor="bob", id="2").then()
    given.when(RemoveMember(room="s", user="bob"), actor="bob", id="3")
    given.when(AddMember(room="s", user="bob"), actor="bob", id="4")
    member = given.log.state[member_key("s", "bob")]
    assert isinstance(member, Member) and member.state == "joined" and not member.notifications
    room(PUBLIC, "ada").when(SetNotifications(room="s", notifications=False), actor="eve").refused("not_found")
    Given().when(SetNotifications(room="s", notifications=False)).refused("not_found")


def test_what_is_kept_of_a_member_is_merged() -> None:
    def changes(user: str, patch: dict[str, Any], id: str, actor: str = "bob") -> Given:
        return given.when(ChangeMember(room="s", user=user, custom=patch), actor=actor, id=id)

    given = room(PUBLIC, "ada", "bob")
    changes("bob", {"a": {"b": 1, "c": None}}, "1").then(MemberCustomChanged(user="bob", custom={"a": {"b": 1}}))
    changes("bob", {"a": {"b": 1}}, "2").then()
    changes("bob", {}, "3").then()
    changes("bob", {"a": {"b": True}}, "4", "ada").then(MemberCustomChanged(user="bob", custom={"a": {"b": True}}))
    changes("bob", {"a": None}, "5").then(MemberCustomChanged(user="bob", custom={}))
    changes("ada", {"a": 1}, "6").refused("forbidden")
    changes("eve", {"a": 1}, "7", "ada").refused("not_found")
    changes("eve", {"a": 1}, "8", "eve").refused("not_found")
    changes("bob", {"a": "x" * 5113}, "9").refused("too_large")
