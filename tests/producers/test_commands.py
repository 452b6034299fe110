"""What holds for every command: it names what its events change, it travels, and rooms keep their invariants."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from events.core.records import Entity, Key
from events.invitations import Invitation
from events.members import Member
from events.messages import Message
from events.pins import Pin
from events.registry import REGISTRY
from events.rooms import SETTERS, Room, room_key
from producers import registry
from producers.apps import ChangeApp
from producers.batch.command_batch import Internal
from producers.commands import Command, CommandEnvelope, Outcome
from producers.credentials import ChangePassword
from producers.deactivation import DeactivateUser, ReactivateUser, RevokeTokens
from producers.engine.router import decode_outcome, encode_outcome
from producers.invitations import DeclineInvitation, WithdrawInvitation
from producers.members import AddMember, ChangeMember, ChangeRole, MarkRead, RemoveMember, TransferOwnership
from producers.messages import DeleteMessage, EditMessage, PostMessage
from producers.pins import PINS, PinMessage, UnpinMessage
from producers.revertible import RevertInRoom, RevertOfUser
from producers.rooms import ArchiveRoom, ChangeRoom, CreateRoom, DeleteRoom, RestoreRoom, UnarchiveRoom
from producers.sessions import RenewSession, UseSession
from producers.teams import ChangeTeam, SetTeam
from producers.user_erasure import EraseUser
from producers.users import AbandonEmail, ChangeProfile, RegisterUser
from producers.visuals import ChangeVisual
from tests.events.given import TIME
from tests.producers.given import Log, group, order, say

PEOPLE = ["ada", "bob", "eve", "kim"]
LATER = "2026-12-21T08:00:00.000Z"
#: The time of an order that stands second.
SOON = TIME.format(1)

#: A value for each field of any command: of what is set of a room the one of its event's sample.
FIELDS: dict[str, Any] = {
    **{field: getattr(row.sample, field) for row in SETTERS for field in row.sets},
    "user": "u", "handle": "username:u", "visual": "v", "room": "r", "other": "o", "message": "m", "username": "ada",
    "name": "N", "session": "x", "credential": "c", "token": "t", "seq": 0, "expires": LATER, "content": {"text": "x"},
    "model_data": {}, "data": {},
    "avatar": "https://a.example/a.png", "bio": "B",
    "custom": {"a": 1}, "whole": True, "external": "u-17",
    "members": ["u", "w"], "emotion": "joy", "shown": True, "successor": "w",
    "instead_of": "o", "choose": True, "emotion_data": {},
    "settings": {"inviting": "admins"},
    "id": "i", "was": {"data": {}}, "became": {"data": {"a": "b"}},
    "since": -1, "reason": "R", "close": ["x"],
    "notifications": False, "email": "ada@example.org", "seen": SOON, "version": 0, "anew": False,
    "invite": True, "willing": False, "invited": ["x"], "unwilling": ["w"], "added_by": "nobody",
    "scopes": [], "forward": True, "back": "willing",
    "app": "p", "confirm": "p", "rows": {"users": 1},
    "key": "kk_" + "a" * 26, "secret": "v", "grace_seconds": 60, "before": TIME.format(0),
    "messages": "hide", "rooms": 1, "hidden": 2, "done": False, "author": "u",
    "sliding": True, "device": "D",
    "team": "g", "channel": 1, "limit": 5, "owner": "u", "server": "s", "number": 1, "slug": "tea-room",
    "metric": "peak_connections", "until": LATER, "value": 3, "node": "n",
    "plan": "p", "again": False, "tier": "pro", "monthly": 4900, "yearly": None, "currency": "EUR",
    "features": {"webhooks": True}, "limits": {"users": 10},
    "full": None, "most": 100,
}  # fmt: skip
#: What differs in some commands.
SPECIAL: dict[str, dict[str, Any]] = {
    "RegisterUser": {"role": "person", "kind": "guest"},
    "SetRelationship": {"type": "friend"}, "PostMessage": {"type": "text"},
    # Of a team that the others of the examples are in: of none.
    "CreateRoom": {"type": "public", "team": None}, "ChangeRole": {"role": "admin"},
    "RevertInRoom": {"kind": "message"}, "RevertOfUser": {"kind": "relationship"}, "CountUsage": {"since": SOON},
    "ChangePassword": {"was": "c", "credential": "d"}, "ChangeApp": {"settings": {"registration": True}},
    "ChangeProfile": {"email": {"address": "countess@example.org", "since": 0, "credential": "c"}},
}  # fmt: skip


def example(struct: type[Command]) -> Command:
    """A command with a value in every field."""
    values = FIELDS | SPECIAL.get(struct.__name__, {})
    return msgspec.convert({field.name: values[field.name] for field in msgspec.structs.fields(struct)}, struct)


EXAMPLES = {row.name: example(row.struct) for row in registry.COMMAND_TYPES}


@pytest.mark.parametrize("name", EXAMPLES)
def test_orders_come_to_another_process_as_they_were(name: str) -> None:
    for key, trace in ((None, None), ("k", "00-" + "a" * 32 + "-" + "b" * 16 + "-01")):
        given = msgspec.structs.replace(order(EXAMPLES[name], key=key), traceparent=trace)
        assert registry.decode_envelope(registry.encode_envelope(given)) == given


def test_orders_that_are_none_are_errors() -> None:
    for value in (b"", b"[]", b'["Nothing",{}]', b'["MarkRead",{"command":{"room":"r"}}]'):
        with pytest.raises((msgspec.DecodeError, KeyError)):
            registry.decode_envelope(value)


STATES: list[Command] = [ArchiveRoom(room="r"), UnarchiveRoom(room="r"), DeleteRoom(room="r"), RestoreRoom(room="r")]

#: Actor, command, key.
Deed = tuple[str, Command, str | None]


@st.composite
def deeds(draw: st.DrawFn) -> list[Deed]:
    """What people might ask of one room, with few names so that things meet."""
    person, token = st.sampled_from(PEOPLE), st.sampled_from(["1", "2", "3"])
    role, message = st.sampled_from(["admin", "member"]), st.integers(0, 40).map(lambda n: f"m{n}")
    commands = st.one_of(
        st.builds(lambda members: group(*dict.fromkeys(members)), st.lists(person, min_size=1)),
        st.builds(lambda user, one: AddMember(room="r", user=user, invite=one), person, st.booleans()),
        st.just(DeclineInvitation(room="r")),
        st.builds(lambda user: WithdrawInvitation(room="r", user=user), person),
        st.builds(lambda user, by: RemoveMember(room="r", user=user, successor=by), person, st.none() | person),
        st.builds(say, token),
        st.builds(lambda n, on: MarkRead(room="r", seq=n, forward=on), st.integers(0, 4), st.booleans()),
        st.builds(lambda name: ChangeRoom(room="r", name=name), token),
        st.builds(lambda line: ChangeRoom(room="r", topic_line=line), st.none() | token),
        st.builds(lambda n: ChangeRoom(room="r", custom={"a": {"b": n}}), st.none() | st.integers(0, 2)),
        st.builds(
            lambda user, n: ChangeMember(room="r", user=user, custom={"a": {"b": n}}),
            person, st.none() | st.integers(0, 2),
        ),
        st.builds(lambda user, role: ChangeRole(room="r", user=user, role=role), person, role),
        st.builds(lambda user: TransferOwnership(room="r", user=user), person),
        st.builds(lambda n, text: EditMessage(room="r", message=n, content={"text": text}), message, token),
        st.builds(lambda n: DeleteMessage(room="r", message=n), message), st.sampled_from(STATES),
        st.builds(lambda n: PinMessage(room="r", message=n), message),
        st.builds(lambda n: UnpinMessage(room="r", message=n), message),
    )  # fmt: skip
    return draw(st.lists(st.tuples(person, commands, st.none() | token), max_size=40))


def orders(found: list[Deed]) -> list[CommandEnvelope]:
    made = []
    for n, (actor, command, key) in enumerate(found):
        if isinstance(command, PostMessage):
            key = command.token
        if isinstance(command, CreateRoom):
            command = group(*dict.fromkeys([actor, *command.members]))
        made.append(order(command, actor=actor, id=f"m{n}", key=key, second=n))
    return made


def check(state: dict[Key, Entity | None]) -> None:
    """What is true of a room at every position of the log."""
    room = state.get(room_key("r"))
    members = [entity for entity in state.values() if isinstance(entity, Member) and entity.state == "joined"]
    messages = [entity for entity in state.values() if isinstance(entity, Message)]
    if not isinstance(room, Room):
        assert not members and not messages
        return
    owners = [member.user for member in members if member.role == "owner"]
    assert room.members == len(members) and owners == ([] if room.owner is None else [room.owner])
    assert sorted(message.seq for message in messages) == list(range(1, room.seq + 1))
    written = [message for message in messages if message.token]
    assert len({(message.author, message.token) for message in written}) == len(written)
    assert all(member.read <= room.seq for member in members)
    pinned = {entity.message for entity in state.values() if isinstance(entity, Pin) and entity.state == "pinned"}
    assert room.pins == len(pinned) <= PINS
    assert pinned <= {message.id for message in messages if not message.deleted}, "what is pinned is shown"
    waiting = {entity.user for entity in state.values() if isinstance(entity, Invitation) and entity.state == "pending"}
    assert waiting.isdisjoint(member.user for member in members), "who is in the room is not asked into it"


@pytest.mark.long
@settings(max_examples=150)
@given(deeds(), st.integers(1, 8))
def test_random_commands_keep_the_rooms_invariants_at_every_position(found: list[Deed], size: int) -> None:
    log, given_orders = Log(), orders(found)
    for start in range(0, len(given_orders), size):
        log.turn(*given_orders[start : start + size])
    state: dict[Key, Entity | None] = {}
    for n, read in enumerate(log.records):
        for key in REGISTRY.keys(read):
            state.setdefault(key, None)
        state.update(REGISTRY.fold(read, state))
        command_ends = n + 1 == len(log.records) or log.records[n + 1].command != read.command
        if command_ends:
            check(state)
    # The writer's state is the readers' fold of what it wrote.
    assert {k: v for k, v in log.state.items() if v is not None} == {k: v for k, v in state.items() if v is not None}


@pytest.mark.long
@settings(max_examples=100)
@given(deeds())
def test_every_command_names_what_the_folds_of_its_events_name(found: list[Deed]) -> None:
    log = Log()
    for one in orders(found):
        (answer,) = log.turn(one)
        assert not isinstance(answer, Internal)
        if isinstance(answer, Outcome) and not answer.repeated:
            named = set(registry.of(one.command).keys(one))
            assert {key for read in answer.records for key in REGISTRY.keys(read)} <= named
            assert decode_outcome(encode_outcome(answer)) == answer._replace(records=list(answer.records))


REGISTER = RegisterUser(user="u", username="ada", name="Ada", credential="c", expires=LATER)
MADE = ("u", "x", REGISTER), ("u", "r", EXAMPLES["CreateRoom"])
APP = (("u", "p", EXAMPLES["CreateApp"]),)
TEAM = (*APP, ("u", "t", EXAMPLES["CreateTeam"]))
SAID = (*MADE, ("u", "m", EXAMPLES["PostMessage"]))

#: What stands before the command (actor, id, command), and the command where its example would change nothing.
BEFORE: dict[str, tuple[tuple[tuple[str, str, Command], ...], Command | None]] = {
    "RegisterUser": ((), None),
    "AbandonRegistration": ((), None),
    "ChangeProfile": (MADE, ChangeProfile(user="u", name="Z")),
    "AbandonEmail": (MADE, AbandonEmail(user="u", handle="email:old@example.org")),
    "NoteSeen": ((("u", "x", RegisterUser(user="u", username="bot", name="Bot", role="service")),), None),
    "ChooseVisual": (MADE, None),
    "OpenSession": (MADE, None),
    "IssueSession": (MADE, None),
    "RenewSession": (MADE, RenewSession(user="u", session="x", expires="2026-12-22T08:00:00.000Z")),
    "UseSession": (MADE, UseSession(user="u", session="x", expires="2026-12-22T08:00:00.000Z")),
    "CloseSession": (MADE, None),
    # The room of MADE is another stream's; the user's version is that of their registration.
    "ChangePassword": (
        (("u", "x", REGISTER),), ChangePassword(user="u", was="c", credential="d", since=1, close=["x"]),
    ),
    "DeactivateUser": ((("u", "x", REGISTER),), DeactivateUser(user="u", since=1, close=["x"])),
    "ReactivateUser": (
        (("u", "x", REGISTER), ("o", "y", DeactivateUser(user="u", since=1, close=[]))), ReactivateUser(user="u"),
    ),
    "RevokeTokens": ((("u", "x", REGISTER),), RevokeTokens(user="u", since=1, close=["x"])),
    "EraseUser": ((("u", "x", REGISTER),), EraseUser(user="u", since=1, close=["x"], messages="hide")),
    "NoteErasure": (
        (("u", "x", REGISTER), ("o", "y", EraseUser(user="u", since=1, close=[], messages="hide"))), None
    ),
    "SetRelationship": (MADE, None),
    "CreateVisual": (MADE, None),
    "ChangeVisual": (
        (*MADE, ("u", "v", EXAMPLES["CreateVisual"])), ChangeVisual(user="u", visual="v", model_data={"a": 1}),
    ),
    "ClaimHandle": ((), None),
    "ConfirmHandle": ((("u", "h", EXAMPLES["ClaimHandle"]),), None),
    "ReleaseHandle": ((("u", "h", EXAMPLES["ClaimHandle"]),), None),
    "CreateRoom": ((), None),
    "ChangeRoom": (MADE, ChangeRoom(room="r", name="Z", description="Z", topic_line="Z")),
    "ArchiveRoom": (MADE, None),
    "UnarchiveRoom": ((*MADE, ("u", "a", EXAMPLES["ArchiveRoom"])), None),
    "DeleteRoom": (MADE, None),
    "RestoreRoom": ((*MADE, ("u", "d", EXAMPLES["DeleteRoom"])), None),
    "AddMember": (MADE, AddMember(room="r", user="z")),
    "RemoveMember": (MADE, None),
    "DeclineInvitation": ((("w", "r", replace(EXAMPLES["CreateRoom"], members=["w"], invited=["u"])),), None),
    "WithdrawInvitation": (
        (("u", "r", replace(EXAMPLES["CreateRoom"], members=["u"], invited=["w"])),),
        WithdrawInvitation(room="r", user="w"),
    ),
    "ChangeRole": (MADE, ChangeRole(room="r", user="w", role="admin")),
    "TransferOwnership": (MADE, TransferOwnership(room="r", user="w")),
    "MarkRead": ((*MADE, ("w", "m", EXAMPLES["PostMessage"])), MarkRead(room="r", seq=1)),
    "SetNotifications": (MADE, None),
    "ChangeMember": (MADE, ChangeMember(room="r", user="w", custom={"a": {"b": [1]}})),
    "PostMessage": (MADE, None),
    "EditMessage": (SAID, EditMessage(room="r", message="m", content={"text": "y"})),
    "DeleteMessage": (SAID, None),
    "HideMessage": (SAID, None),
    "SetEmotion": (SAID, None),
    "PinMessage": (SAID, None),
    "UnpinMessage": ((*SAID, ("u", "p", EXAMPLES["PinMessage"])), None),
    "CreateChannel": ((), None),
    "DeleteChannel": ((("u", "c", EXAMPLES["CreateChannel"]),), None),
    "NumberUser": ((), None),
    "ListenChannel": (MADE, None),
    "CreateApp": ((), None),
    "ChangeApp": (APP, ChangeApp(app="p", name="Z")),
    "RollKey": (APP, None),
    "SuspendApp": (APP, None),
    "ResumeApp": ((*APP, ("u", "s", EXAMPLES["SuspendApp"])), None),
    "RevokeAppTokens": (APP, None),
    "EraseApp": (APP, None),
    "CompleteErasure": ((*APP, ("u", "s", EXAMPLES["EraseApp"])), None),
    "CountUsage": (APP, None),
    "ChoosePlan": (APP, None),
    "DefinePlan": ((), None),
    "WithdrawPlan": ((("u", "p", EXAMPLES["DefinePlan"]),), None),
    "CreateTeam": (APP, None),
    "ChangeTeam": (TEAM, ChangeTeam(app="p", team="g", name="Z", custom={"b": 1})),
    "RemoveTeam": (TEAM, None),
    "RestoreTeam": ((*TEAM, ("u", "s", EXAMPLES["RemoveTeam"])), None),
    "SetTeam": ((("u", "x", replace(REGISTER, team="g")),), SetTeam(user="u", team=None)),
    "RevertInRoom": (
        SAID, RevertInRoom(room="r", kind="message", id="m", was={"data": {"a": 1}}, became={"data": {}}),
    ),
    "RevertOfUser": (
        (*MADE, ("u", "f", EXAMPLES["SetRelationship"])),
        RevertOfUser(user="u", kind="relationship", id="o", was={"type": None}, became={"type": "friend"}),
    ),
}  # fmt: skip


def test_every_command_has_its_example() -> None:
    assert BEFORE.keys() == registry.COMMANDS_BY_NAME.keys()


@pytest.mark.parametrize("name", BEFORE)
def test_a_command_names_what_the_folds_of_its_events_name(name: str) -> None:
    before, command = BEFORE[name]
    log = Log()
    for actor, id, earlier in before:
        (made,) = log.turn(order(earlier, actor=actor, id=id))
        assert isinstance(made, Outcome), repr(made)
    one = order(command or EXAMPLES[name], actor="u", id="y", second=1)
    (answer,) = log.turn(one)
    assert isinstance(answer, Outcome) and answer.records, repr(answer)
    named = set(registry.of(one.command).keys(one))
    assert {key for read in answer.records for key in REGISTRY.keys(read)} <= named
    assert decode_outcome(encode_outcome(answer)) == answer._replace(records=list(answer.records))
