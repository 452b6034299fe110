"""Two applications with something in every table, and how their rows are told apart."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from events.apps import AppCreated, AppErased, AppErasureCompleted, outlives
from events.handles import HandleClaimed, HandleConfirmed, username_handle
from events.invitations import MemberInvited
from events.members import MemberJoined, MemberLeft, MemberRead
from events.messages import MessageEdited, MessagePosted
from events.pins import MessagePinned
from events.registry import REGISTRY
from events.relationships import RelationshipSet
from events.rooms import RoomCreated
from events.sessions import SessionOpened
from events.teams import TeamCreated
from events.users import UserRegistered
from events.visuals import VisualCreated
from infra.base.postgres import Connection
from tests.given import Fact
from tests.projectors.rebuilding import tables


def life(app: str, messages: int = 6) -> list[Fact]:
    """What happens in an application: two people, two rooms, something of each kind of thing that is theirs."""

    def fact(stream: str, event: Any, actor: str = f"{app}-ada", key: str = "") -> Fact:
        return Fact(stream, event, actor, key, app=app)

    ada, bob, cy, room, other = (f"{app}-{name}" for name in ("ada", "bob", "cy", "r", "s"))
    facts = [fact(app, AppCreated(name=app.title(), key=f"kk_{app}", secret=f"key-{app}"), "operator")]
    facts.append(fact(app, TeamCreated(team=f"{app}-t", external="crew", name="Crew", custom={}), "server"))
    for user in (ada, bob, cy):
        handle = username_handle(user, app)
        facts += [
            fact(handle, HandleClaimed(user=user), user), fact(handle, HandleConfirmed(user=user), user),
            fact(user, joining(user), user),
        ]  # fmt: skip
    facts += [
        fact(ada, SessionOpened(session=f"{ada}-1", expires="2030-01-01T00:00:00.000Z")),
        fact(ada, RelationshipSet(other=bob, type="friend", was=None)),
        fact(ada, VisualCreated(visual=f"{ada}-v", model_data={"a": 1}, emotion_data={})),
    ]
    for name in (room, other):
        facts += [
            fact(name, RoomCreated(type="group", visibility="private", name=name, data={}), ada),
            fact(name, MemberJoined(user=ada, role="owner")), fact(name, MemberJoined(user=bob, role="member"), bob),
        ]  # fmt: skip
    facts += [said(app, room, seq) for seq in range(1, messages + 1)]
    facts += [
        fact(room, MessageEdited(message=f"{room}-m1", content={"text": "other"}, data={}), key="k1"),
        fact(room, MessagePinned(message=f"{room}-m1")), fact(room, MemberRead(user=bob, seq=2), bob),
        fact(room, MemberLeft(user=bob), bob), fact(room, MemberInvited(user=cy)),
    ]  # fmt: skip
    return facts


def joining(user: str) -> UserRegistered:
    return UserRegistered(username=user, name=user, role="person", credential=f"cred-{user}", data={})


def said(app: str, room: str, seq: int, text: str = "hello") -> Fact:
    id = f"{room}-m{seq}" if seq == 1 else f"019aa000-0000-7000-8000-{sum(room.encode()) * 1_000_000 + seq:012}"
    event = MessagePosted(message=id, seq=seq, token=f"t{seq}", type="text", content={"text": text}, data={})
    return Fact(room, event, f"{app}-ada", app=app)


def erased(app: str) -> Fact:
    return Fact(app, AppErased(reason="Done."), "operator", app=app)


def completed(app: str, rows: dict[str, int]) -> Fact:
    return Fact(app, AppErasureCompleted(rows=rows), "system", app=app)


def names(app: str, row: dict[str, Any]) -> bool:
    """Whether a row says anything of an application: its id stands in whatever it has."""
    return any(app in str(value) for value in row.values())


async def of(connection: Connection, schema: str, app: str) -> dict[str, list[dict[str, Any]]]:
    """The rows that name an application, by table, with those of what is never rebuilt."""
    found = {**await tables(connection, schema), **await tables(connection, f"{schema}_ops")}
    return {table: rows for table, all_ in found.items() if (rows := [row for row in all_ if names(app, row)])}


async def counted(connection: Connection, app: str) -> dict[str, int]:
    """Events of an application that no row tells of, by topic."""
    rows = await connection.fetch("select topic, events from erased_events where app = $1", app)
    return {row["topic"]: row["events"] for row in rows}


def by_topic(facts: Sequence[Fact]) -> dict[str, int]:
    """How many of the facts stand in each topic, without those that outlive the application."""
    found: dict[str, int] = {}
    for fact in facts:
        row = REGISTRY.of(fact.event)
        topic = row.topics[0]
        if not outlives(topic, row.name):
            found[topic] = found.get(topic, 0) + 1
    return found
