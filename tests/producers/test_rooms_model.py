"""Random people ask for random things of S2's model and of the real decisions and folds: they never differ.
Tests ``producers/rooms.py``, ``producers/members.py`` and ``events/rooms.py``."""

from __future__ import annotations

import copy
from collections import Counter
from random import Random
from typing import Any

import pytest

from events.core.records import Entity, Key, Record
from events.members import Member
from events.messages import Message, Revision
from events.registry import REGISTRY
from events.rooms import UNSAID, Room, room_key
from producers.commands import Command, Refused
from producers.members import AddMember, ChangeRole, MarkRead, RemoveMember, SetNotifications, TransferOwnership
from producers.messages import DeleteMessage, EditMessage, PostMessage
from producers.rooms import (
    ArchiveRoom,
    ChangeRoom,
    CreateRoom,
    DeleteRoom,
    RestoreRoom,
    SettingsPatch,
    UnarchiveRoom,
)
from tests.producers.given import Log, order
from tests.producers.seed import Deed, Seed

PEOPLE = ["ada", "bob", "eve", "kim", "zoe"]
#: Type, and who is in it beside ada: two that all may find, one that nobody finds, and that of ada and bob alone.
ROOMS = {
    "tea": ("public", ["bob", "eve"]),
    "nook": ("public", []),
    "den": ("private", ["bob"]),
    "duo": ("direct", ["bob"]),
}

State = dict[Key, Entity | None]


#: Who asks, where it is not one of PEOPLE: whoever owns the room then.
OWNER = "the owner"

#: Kinds of deeds, those more often that make more of a difference.
KINDS = (
    "say", "say", "say", "say", "add", "add", "add", "remove", "remove", "set_role", "set_role", "edit", "edit", "edit",
    "erase", "read", "notify", "change", "change", "archive", "unarchive", "unarchive", "delete", "restore", "restore",
)  # fmt: skip


def script(seed: int, length: int) -> list[Deed]:
    """The rooms, then what people do there, with few names so that things meet; a longer one goes on from a shorter."""
    random = Random(seed)
    made = [Deed("ada", "create", room, {"type": type, "others": them}) for room, (type, them) in ROOMS.items()]
    return made + [planned(random) for _ in range(length)]


def planned(random: Random) -> Deed:
    what, who, room = random.choice(KINDS), random.choice([OWNER, OWNER, *PEOPLE]), random.choice(["tea", *ROOMS])
    person, text, flag = random.choice(PEOPLE), random.choice("xyz"), random.random() < 0.5
    # Which message of the room, counted from its last.
    message = random.choice([0, 0, 0, 1, 2, 5])
    fields: dict[str, dict[str, Any]] = {
        "say": {"text": text}, "add": {"user": person}, "read": {"seq": random.randrange(8)},
        "set_role": {"user": person, "role": random.choice(["owner", "admin", "admin", "member"])},
        "remove": {"user": person, "successor": random.choice([None, *PEOPLE])}, "notify": {"notifications": flag},
        "edit": {"message": message, "text": text}, "erase": {"message": message}, "change": change(random),
    }  # fmt: skip
    return Deed(who, what, room, fields.get(what, {}))


def change(random: Random) -> dict[str, Any]:
    """What of a room is to change: none, some or all of it."""
    optional = [name for name, unsaid in UNSAID.items() if unsaid is None]
    some: dict[str, Any] = {"name": random.choice("xy"), **{name: random.choice([None, "x", "y"]) for name in optional}}
    who, flag = random.choice(["members", "members", "admins"]), random.random() < 0.7
    setting = random.choice([{"posting": who}, {"inviting": who}, {"announcements": flag}, {"notifications": flag}])
    some |= {"settings": setting, "data": {random.choice("ab"): random.choice("xy")}}
    return {name: value for name, value in some.items() if random.random() < 0.4}


def told(deed: Deed, seed: Seed) -> Deed:
    """The deed with the names of whom and what it means as things are; what the owner is to do mostly may be done."""
    room = seed.rooms.get(deed.room, {"members": {}, "messages": []})
    owners = [user for user, role in room["members"].items() if role == "owner"]
    who = next(iter(owners), "ada") if deed.who == OWNER else deed.who
    fields = dict(deed.fields)
    if "message" in fields:
        found = room["messages"][-1 - fields["message"] :][:1] or [{"id": "nothing", "author": who}]
        fields["message"] = found[0]["id"]
        who = found[0]["author"] if deed.who == OWNER else who
    if deed.what == "remove" and deed.who == OWNER:
        fields["user"] = who
    return deed._replace(who=who, fields=fields)


def command(deed: Deed) -> Command:
    """The deed as it reaches a room's stream."""
    room, fields = deed.room, deed.fields
    match deed.what:
        case "create":
            name = "" if fields["type"] == "direct" else "R"
            members = [deed.who, *fields["others"]]
            return CreateRoom(room=room, type=fields["type"], name=name, data={}, members=members)
        case "change":
            patch = {"settings": SettingsPatch(**fields["settings"])} if "settings" in fields else {}
            return ChangeRoom(room=room, **{**fields, **patch})
        case "set_role" if fields["role"] == "owner":
            return TransferOwnership(room=room, user=fields["user"])
        case "say":
            return PostMessage(room=room, token="t", content={"text": fields["text"]})
        case "edit":
            return EditMessage(room=room, message=fields["message"], content={"text": fields["text"]})
    kinds: dict[str, Any] = {
        "archive": ArchiveRoom, "unarchive": UnarchiveRoom, "delete": DeleteRoom, "restore": RestoreRoom,
        "add": AddMember, "remove": RemoveMember, "set_role": ChangeRole, "read": MarkRead,
        "notify": SetNotifications, "erase": DeleteMessage,
    }  # fmt: skip
    made: Command = kinds[deed.what](room=room, **fields)
    return made


def of(state: State, kind: type[Any], room: str) -> list[Any]:
    return [one for one in state.values() if isinstance(one, kind) and one.room == room]


def check(state: State, id: str) -> None:
    """What is true of a room at every position of the log."""
    room = state[room_key(id)]
    assert isinstance(room, Room)
    everybody, messages = of(state, Member, id), of(state, Message, id)
    members = [one for one in everybody if one.state == "joined"]
    assert len({one.user for one in everybody}) == len(everybody), "a user is a member once"
    owners = [one.user for one in members if one.role == "owner"]
    assert len(owners) <= 1 and owners == ([] if room.owner is None else [room.owner])
    assert all(one.role in ("owner", "admin", "member") for one in everybody)
    assert room.type != "direct" or not owners
    assert room.members == len(members)
    assert sorted(one.seq for one in messages) == list(range(1, room.seq + 1)), "1, 2, 3 ... without gaps"
    assert [one.id for one in messages if one.seq == room.seq] == ([] if room.last is None else [room.last])
    assert all(0 <= one.read <= room.seq for one in everybody), "unread is never negative"


def folded(state: State, id: str, who: list[str]) -> dict[str, Any]:
    """The room that the entities are, in the seed's words."""
    room = state[room_key(id)]
    assert isinstance(room, Room)
    everybody = {one.user: one for one in of(state, Member, id)}
    messages = sorted(of(state, Message, id), key=lambda one: one.seq)
    revisions = sorted((one for one in state.values() if isinstance(one, Revision)), key=lambda one: one.number)
    ids = {one.id for one in messages}
    edits: dict[str, list[Any]] = {}
    for revision in revisions:
        if revision.message in ids:
            edits.setdefault(revision.message, []).append(revision.content)
    return {
        **{name: getattr(room, name) for name in UNSAID}, "type": room.type, "state": room.state,
        "members": {u: one.role for u, one in everybody.items() if one.state == "joined"},
        "read": {user: everybody[user].read for user in who if user in everybody},
        "notifications": {user: one.notifications for user, one in everybody.items()},
        "messages": [
            {"id": one.id, "author": one.author, "type": one.type, "content": one.content,
             "deleted": one.deleted is not None} for one in messages
        ],
        "edits": edits,
    }  # fmt: skip


def replay(records: list[Record], state: State) -> None:
    """Folds records as a reader does, and looks after each one."""
    for record in records:
        for key in REGISTRY.keys(record):
            state.setdefault(key, None)
        state.update(REGISTRY.fold(record, state))
        check(state, record.stream)


@pytest.mark.long
@pytest.mark.parametrize("number", range(40))
def test_the_model_of_the_seed_and_the_real_thing_agree(number: int) -> None:
    log, seed, state = Log(), Seed(), State()
    for n, plan in enumerate(script(number, 300)):
        deed = told(plan, seed)
        before, records, rooms = dict(log.state), len(log.records), copy.deepcopy(seed.rooms)
        (answer,) = log.turn(order(command(deed), actor=deed.who, id=f"m{n}", second=n))
        code = seed.do(deed, f"m{n}")
        assert (answer.code if isinstance(answer, Refused) else None) == code, (n, deed, answer)
        assert (len(log.records) == records) == (seed.rooms == rooms), (
            n,
            deed,
            "an event for each change, and no other",
        )
        if code is not None:
            assert {k: v for k, v in log.state.items() if v} == {k: v for k, v in before.items() if v}
        replay(log.records[records:], state)
        expected = seed.rooms[deed.room]
        assert folded(state, deed.room, list(expected["read"])) == expected, (n, deed)
    # The writer's state is the readers' fold of what it wrote.
    assert {k: v for k, v in log.state.items() if v} == {k: v for k, v in state.items() if v}


def test_the_scripts_do_each_thing_and_are_refused_for_each_reason() -> None:
    """Else the test above would say little."""
    done: Counter[tuple[str, str | None]] = Counter()
    for number in range(10):
        seed = Seed()
        for n, plan in enumerate(script(number, 300)):
            deed = told(plan, seed)
            done[deed.what, seed.do(deed, f"m{n}")] += 1
    assert {what for what, code in done if code is None} == {"create", *KINDS}
    assert {code for _, code in done} == {None, "not_found", "forbidden", "archived", "invalid", "no_successor"}
    assert min(count for (_, code), count in done.items() if code is None) >= 4
