"""The permission table, cell by cell: what it says, and what deciding comes to in each kind of room."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Literal, NamedTuple

import pytest

from events.invitations import MemberInvited
from events.messages import MessagePosted
from events.pins import MessagePinned
from events.rooms import RoomArchived, RoomDeleted
from producers import registry
from producers.commands import Command, Outcome, Refused
from producers.members import (
    AddMember,
    ChangeMember,
    ChangeRole,
    MarkRead,
    RemoveMember,
    SetNotifications,
    TransferOwnership,
)
from producers.messages import DeleteMessage, EditMessage, PostMessage
from producers.pins import PinMessage, UnpinMessage
from producers.roles import PERMISSIONS, PermissionRow, Rule
from producers.rooms import ArchiveRoom, ChangeRoom, DeleteRoom, SettingsPatch, UnarchiveRoom
from tests.producers.given import Given, order
from tests.producers.scenes import DIRECT, PRIVATE, PUBLIC, join, posted, with_settings

Setting = Literal["members", "admins"]

YES, NO, OWN, BELOW, SELF = "yes", "no", "own messages", "lower roles", "oneself"
OWN_POSTING = "own messages, if `posting` is `members`"
POSTING, INVITING, JOIN = "if `posting` is `members`", "if `inviting` is `members`", "oneself, if public or invited"

#: The table once more, by hand: a cell that changes by accident differs from it.
COPY = {
    #                     owner  admin  member    direct outsider archived deleted
    "PostMessage":       (YES,   YES,   POSTING,  YES,   NO,      False,   False),
    "EditMessage":       (OWN,   OWN,   OWN_POSTING, OWN, NO,      False,   False),
    "DeleteMessage":     (YES,   YES,   OWN,      OWN,   NO,      False,   False),
    "PinMessage":        (YES,   YES,   NO,       YES,   NO,      False,   False),
    "UnpinMessage":      (YES,   YES,   NO,       YES,   NO,      False,   False),
    "MarkRead":          (YES,   YES,   YES,      YES,   NO,      True,    False),
    "SetNotifications":  (YES,   YES,   YES,      YES,   NO,      True,    False),
    "ChangeMember":      (YES,   YES,   SELF,     SELF,  NO,      False,   False),
    "AddMember":         (YES,   YES,   INVITING, NO,    JOIN,    False,   False),
    "RemoveMember":      (BELOW, BELOW, SELF,     SELF,  NO,      True,    True),
    "ChangeRole":        (YES,   NO,    NO,       NO,    NO,      False,   False),
    "TransferOwnership": (YES,   NO,    NO,       NO,    NO,      False,   False),
    "ChangeRoom":        (YES,   YES,   NO,       YES,   NO,      False,   False),
    "ArchiveRoom":       (YES,   NO,    NO,       NO,    NO,      True,    False),
    "UnarchiveRoom":     (YES,   NO,    NO,       NO,    NO,      True,    False),
    "DeleteRoom":        (YES,   NO,    NO,       NO,    NO,      True,    False),
}  # fmt: skip

#: What an application's own server does only as the user may.
AS_THE_USER = {"MarkRead", "SetNotifications", "TransferOwnership"}

#: Commands of rooms that no role is asked for: who makes a room has none yet, operators and services have none at all.
WITHOUT_ROLE = {
    "CreateRoom", "DeclineInvitation", "WithdrawInvitation", "RestoreRoom", "RevertInRoom", "SetEmotion", "HideMessage",
    # Of no room.
    "CreateChannel", "DeleteChannel", "NumberUser",
}  # fmt: skip


def test_the_table_is_as_it_was_decided() -> None:
    found = {name: (*(rule.value for rule in row[:5]), row.archived, row.deleted) for name, row in PERMISSIONS.items()}
    assert found == COPY
    assert {name for name, row in PERMISSIONS.items() if not row.server} == AS_THE_USER
    assert {rule.value for rule in Rule} == {YES, NO, OWN, OWN_POSTING, BELOW, SELF, POSTING, INVITING, JOIN}


def test_every_command_of_rooms_has_its_row() -> None:
    assert {row.name for row in registry.COMMAND_TYPES if row.topic == "rooms"} - WITHOUT_ROLE == PERMISSIONS.keys()


class Case(NamedTuple):
    """A command, and what it is done to: a message of one's own or another's, oneself or a member of some role."""

    command: Command
    own: bool = True
    #: Whether who acts was invited before.
    invited: bool = False
    to: Literal["self", "outsider", "member", "admin", "owner"] = "outsider"


#: Who acts in each column; eve is in no room. Each of the others has a second one of the same role beside them.
ACTORS = {"owner": "ada", "admin": "ann", "member": "mia", "direct": "ada", "outsider": "eve"}
COLUMNS = tuple(ACTORS)
RANKS = {"member": 0, "admin": 1, "owner": 2}


def scene(column: str, public: bool, state: str, posting: Setting, inviting: Setting) -> Given:
    """The room, with a message ``m-<user>`` of each, mo's pinned; a direct one has no settings of its own."""
    settings = with_settings(PUBLIC if public else PRIVATE, posting=posting, inviting=inviting)
    given = Given(DIRECT if column == "direct" else settings)
    people = {"ada": "owner", "ann": "admin", "art": "admin", "mia": "member", "mo": "member"}
    if column == "direct":
        people = {"ada": "member", "mo": "member"}
    for seq, (user, role) in enumerate(people.items(), 1):
        given.log.append(join(user, role), stream="s")  # type: ignore[arg-type]  # a role
        given.log.append(message(user, seq), stream="s", actor=user)
    given.log.append(MessagePinned(message="m-mo"), stream="s")
    given.log.append(*{"active": (), "archived": (RoomArchived(),), "deleted": (RoomDeleted(),)}[state], stream="s")
    return given


def message(user: str, seq: int) -> MessagePosted:
    return posted(f"m-{user}", seq, f"t-{user}")


def cases(name: str, column: str) -> list[Case]:
    """What somebody of the column may try with the command."""
    me, direct = ACTORS[column], column == "direct"
    others = {"member": "mo", "admin": "art", "owner": "ada"}
    here = {"member": "mo"} if direct else {role: user for role, user in others.items() if user != me}
    match name:
        case "PostMessage":
            return [Case(PostMessage(room="s", token="t", content={"text": "x"}))]
        case "EditMessage" | "DeleteMessage":
            return [Case(_to_message(name, f"m-{user}"), user == me) for user in (me, *here.values())]
        case "PinMessage" | "UnpinMessage":
            pinning = name == "PinMessage"
            return [Case(PinMessage(room="s", message="m-ada") if pinning else UnpinMessage(room="s", message="m-mo"))]
        case "MarkRead":
            return [Case(MarkRead(room="s", seq=0))]
        case "SetNotifications":
            return [Case(SetNotifications(room="s", notifications=False))]
        case "ChangeMember":
            mine = [Case(ChangeMember(room="s", user=me, custom={"a": 1}), to="self")]
            changes = {role: ChangeMember(room="s", user=user, custom={"a": 1}) for role, user in here.items()}
            return [*mine, *(Case(change, to=role) for role, change in changes.items())]  # type: ignore[arg-type]  # a role
        case "AddMember":
            mine = [Case(AddMember(room="s", user=me), to="self", invited=one) for one in (False, True)]
            mine = mine if column == "outsider" else []
            return [*mine, *(Case(AddMember(room="s", user="zoe", invite=one)) for one in (False, True))]
        case "RemoveMember":
            successor = "mo" if direct else "art"
            mine = [Case(RemoveMember(room="s", user=me, successor=successor), to="self")]
            return [*mine, *(Case(RemoveMember(room="s", user=user), to=role) for role, user in here.items())]  # type: ignore[arg-type]  # a role
        case "ChangeRole":
            return [Case(ChangeRole(room="s", user=here["member"], role="admin"), to="member")]
        case "TransferOwnership":
            return [Case(TransferOwnership(room="s", user=here["member"]), to="member")]
        case "ChangeRoom":
            more = ChangeRoom(room="s", settings=SettingsPatch(posting="admins"), data={"c": "d"})
            return [Case(ChangeRoom(room="s", data={"c": "d"}) if direct else more)]
    return [
        Case({"ArchiveRoom": ArchiveRoom, "UnarchiveRoom": UnarchiveRoom, "DeleteRoom": DeleteRoom}[name](room="s"))
    ]


def _to_message(name: str, id: str) -> Command:
    return DeleteMessage(room="s", message=id) if name == "DeleteMessage" else _edit(id)


def _edit(id: str) -> Command:
    return EditMessage(room="s", message=id, content={"text": "changed"})


def expected(
    row: PermissionRow, column: str, case: Case, public: bool, state: str, posting: Setting, inviting: Setting
) -> str:
    """What the table says: ``done``, or the code of the refusal."""
    if state == "deleted" and not (row.deleted and case.to == "self"):
        return "not_found"
    rule: Rule = getattr(row, column)
    holds = {
        Rule.YES: True, Rule.NO: False, Rule.OWN: case.own, Rule.SELF: case.to == "self",
        Rule.BELOW: case.to == "self" or RANKS.get(case.to, -1) < RANKS.get(column, -1),
        Rule.POSTING: posting == "members", Rule.OWN_POSTING: case.own and posting == "members",
        Rule.INVITING: inviting == "members", Rule.JOIN: (public or case.invited) and case.to == "self",
    }[rule]  # fmt: skip
    if not holds:
        return "not_found" if column == "outsider" else "forbidden"
    return "archived" if state == "archived" and not row.archived else "done"


def rooms() -> Iterator[tuple[bool, str, Setting, Setting]]:
    """Every kind of room: public, state, posting, inviting."""
    both: tuple[Setting, Setting] = ("members", "admins")
    yield from product((True, False), ("active", "archived", "deleted"), both, both)


@pytest.mark.parametrize("column", COLUMNS)
@pytest.mark.parametrize("name", PERMISSIONS)
def test_the_decision_is_what_the_cell_says(name: str, column: str) -> None:
    seen = set()
    for kind, case in product(rooms(), cases(name, column)):
        given = scene(column, *kind)
        given.log.append(*[MemberInvited(user=ACTORS[column])] * case.invited, stream="s")
        before, state = len(given.log.records), dict(given.log.state)
        (answer,) = given.log.turn(order(case.command, actor=ACTORS[column]))
        found = answer.code if isinstance(answer, Refused) else "done"
        assert found == expected(PERMISSIONS[name], column, case, *kind), (kind, case, answer)
        if found == "done":
            assert isinstance(answer, Outcome) and (answer.records or name in ("ArchiveRoom", "UnarchiveRoom"))
        else:
            assert len(given.log.records) == before
            assert {key: one for key, one in given.log.state.items() if one} == {k: v for k, v in state.items() if v}
        seen.add(found)
    rule: Rule = getattr(PERMISSIONS[name], column)
    assert ("done" in seen) == (rule is not Rule.NO), "each cell that allows something was tried where it does"


def expected_of_server(
    row: PermissionRow, column: str, case: Case, public: bool, state: str, posting: Setting, inviting: Setting
) -> str:
    """The same of an application's own server, for somebody of the column."""
    if not row.server or (state == "deleted" and not (row.deleted and case.to == "self")):
        return expected(row, column, case, public, state, posting, inviting)
    if row is PERMISSIONS["RemoveMember"]:
        if column == "outsider" and case.to == "self":
            return "not_found"
        # Of the owner it has to say who comes after.
        return "no_successor" if case.to == "owner" else "done"
    if column == "direct" and row.direct is Rule.NO:
        return "forbidden"
    if state == "archived" and not row.archived:
        return "archived"
    if row is PERMISSIONS["ChangeMember"] and column == "outsider" and case.to == "self":
        return "not_found"
    said_nothing = column == "outsider" and case.own and isinstance(case.command, EditMessage | DeleteMessage)
    return "not_found" if said_nothing else "done"


@pytest.mark.parametrize("column", COLUMNS)
@pytest.mark.parametrize("name", PERMISSIONS)
def test_a_server_does_for_anybody_what_its_column_says(name: str, column: str) -> None:
    for kind, case in product(rooms(), cases(name, column)):
        given = scene(column, *kind)
        given.log.append(*[MemberInvited(user=ACTORS[column])] * case.invited, stream="s")
        (answer,) = given.log.turn(order(case.command, actor=ACTORS[column], via="app"))
        found = answer.code if isinstance(answer, Refused) else "done"
        assert found == expected_of_server(PERMISSIONS[name], column, case, *kind), (kind, case, answer)
