"""What an app's type checker accepts, and what it does not: mypy warns of an ignore that is not needed. Never run."""

from __future__ import annotations

from klatsch_client import Change, KlatschClient, Problem, State, unread
from klatsch_client.contract import Delta, Room


async def get_token() -> str | None:
    return "token"


client = KlatschClient("ws://127.0.0.1:8400/v1/connection", get_token)


async def accepted(room: str) -> str:
    state: State = await client.connect()
    message = (await client.rpc.messages.send(room=room, type="text", content={"text": "Hello"}))["message"]
    made = await client.rpc.rooms.create(type="private", name="Tea", settings={"posting": "admins"})
    await client.rpc.rooms.archive(room=made["room"]["id"])
    await client.rpc.members.set_role(room=room, user="x", role="admin")
    await client.rpc.presence.set(room=None)
    entry = state.rooms.get(room)
    count = 0 if entry is None else unread(entry)
    shown: Room = made["room"]
    return f"{message['id']} {count} {shown['type']}"


def narrowed(change: Change) -> str | int | None:
    delta: Delta | None = change.delta
    if delta is None:
        return None
    if delta["type"] == "message.posted":
        data = delta["data"]
        if data["type"] == "image":
            return data["content"].get("url")
        if data["type"] == "text":
            return data["content"]["url"]  # type: ignore
        return data["seq"]
    if delta["type"] == "member.role_changed":
        return delta["data"]["role"]
    if delta["type"] == "room.renamed":
        return delta["data"]["role"]  # type: ignore
    return None


async def refused(room: str) -> None:
    # A member is missing.
    await client.rpc.messages.send(room=room)  # type: ignore
    # What is said is no text.
    await client.rpc.messages.send(room=room, content="Hello")  # type: ignore
    # A text has a text, a picture an address.
    await client.rpc.messages.send(room=room, type="text", content={"txt": "Hello"})  # type: ignore
    await client.rpc.messages.send(room=room, type="image", content={"text": "Hello"})  # type: ignore
    # No such type of message, no such parameter, no such room, no such operation.
    await client.rpc.messages.send(room=room, type="poem", content={"text": "Hello"})  # type: ignore
    await client.rpc.messages.send(room=room, content={"text": "Hello"}, priority=1)  # type: ignore
    await client.rpc.rooms.create(type="secret", name="Tea")  # type: ignore
    await client.rpc.rooms.paint(room=room)  # type: ignore
    # It answers with a room.
    (await client.rpc.rooms.create(type="public", name="Tea"))["message"]  # type: ignore
    # None until the first snapshot has come.
    client.state.rooms  # type: ignore  # noqa: B018
    try:
        await client.rpc.rooms.get(room=room)
    except Problem as problem:
        # No such code.
        known = problem.code == "not_fond"  # type: ignore
        seconds: float | None = problem.retry_after
        print(known, seconds)
