"""What both clients do against a real server: connect, call, fold, come back, renew, and say what was refused.
Tests ``clients/python/`` and ``clients/typescript/``."""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import Callable
from types import NoneType
from typing import Any

import pytest

from api.core import tokens
from events.core.clock import after, now
from infra.base.settings import Settings
from infra.ops.generate import ROOT, clients
from infra.ops.generate.clients.types import Array, Literals, Map, Object, Ref, Type, Union
from klatsch_client import KlatschClient
from klatsch_client.contract import Rpc
from klatsch_client.fold import RULES, from_snapshot
from projectors.audience import AUDIENCES, NOBODY
from tests.api.conftest import minted
from tests.client import Person, World
from tests.clients.apps import App, folded, of, online
from tests.clients.conftest import Start
from tests.running import until
from tests.servers import Process
from tests.system.acting import cast, script
from tests.system.clients import compared, differences


async def agree(app: App, person: Person, quarrels: set[frozenset[str]] | None = None) -> None:
    """Until what the app holds equals a fresh snapshot."""
    have: Any = None
    want: Any = None

    async def equal() -> bool:
        nonlocal have, want
        if await app.saved() is None:
            return False
        state = await folded(app)
        have, want = compared(state, await person.snapshot(), quarrels or set())
        return state.next is None and have == want

    try:
        await until(equal, "the app's state equals a fresh snapshot")
    except AssertionError as error:
        raise AssertionError("\n".join(differences(have, want))) from error


async def agree_on_members(app: App, person: Person) -> int:
    """Until the members that the app holds are those that the server lists. Returns how many that are."""
    have: Any = None
    want: Any = None

    async def equal() -> bool:
        nonlocal have, want
        entries = (await app.saved())["rooms"]
        have = {id: entry["members"] for id, entry in entries.items() if entry["members"] is not None}
        pages = {id: (await person.do("members.list", room=id))["members"] for id in have}
        want = {id: {one["member"]["user"]: one["member"] for one in page} for id, page in pages.items()}
        for id, user in ((id, user) for id, members in want.items() for user in members if user != person.id):
            # What others set for themselves alone raises the version of a view that does not show it.
            if 0 < have.get(id, {}).get(user, want[id][user])["version"] < want[id][user]["version"]:
                have[id][user] = {**have[id][user], "version": want[id][user]["version"]}
        return bool(have == want)

    try:
        await until(equal, "the members that are held are those that are listed")
    except AssertionError as error:
        raise AssertionError("\n".join(differences(have, want))) from error
    return sum(map(len, have.values()))


async def comes(true: Callable[[], Any], what: str) -> None:
    async def found() -> Any:
        return true()

    await until(found, what)


def test_the_fold_has_a_rule_for_each_type_that_somebody_hears_of() -> None:
    assert RULES.keys() == {name for name, audience in AUDIENCES.items() if audience is not NOBODY}


async def test_a_room_a_message_and_the_delta_of_another(world: World, start: Start) -> None:
    ada, bob = await world.person("ada"), await world.person("bob")
    mine, other = await start(ada.token), await start(bob.token)
    made = await mine.rpc("rooms.create", type="private", name="Tea", members=[bob.id])
    room = made["data"]["room"]["id"]
    sent = await mine.rpc("messages.send", room=room, type="text", content={"text": "Hello"}, client_id="first")
    assert sent["data"]["message"]["token"] == "first"
    again = await mine.rpc("messages.send", room=room, type="text", content={"text": "Hello"}, client_id="first")
    assert again["data"]["message"]["id"] == sent["data"]["message"]["id"]
    await comes(lambda: [one for one in of(other, "delta") if one["delta"]["type"] == "message.posted"], "a message")
    held = (await other.saved())["rooms"][room]["messages"]
    assert held[-1]["content"] == {"text": "Hello"} and held[-1]["author"] == ada.id
    await agree(mine, ada)
    await agree(other, bob)


async def test_what_is_sent_without_a_client_id_has_one(world: World, start: Start) -> None:
    ada = await world.person("ada")
    app, room = await start(ada.token), await ada.group()
    sent = await app.rpc("messages.send", room=room, type="text", content={"text": "Hello"})
    assert len(sent["data"]["message"]["token"]) == 32


async def test_a_killed_server_costs_nothing(world: World, push: Process, start: Start) -> None:
    """No delta is missing and none is folded twice, and a message that was sent meanwhile is sent once."""
    ada, bob = await world.person("ada"), await world.person("bob")
    room = await ada.group(bob)
    app = await start(bob.token)
    await agree(app, bob)
    await push.end()
    sending = asyncio.create_task(
        app.rpc("messages.send", room=room, type="text", content={"text": "from the dark"}, client_id="dark")
    )
    said = [await ada.say(room, f"while you were away {n}") for n in range(20)]
    await push.start()
    await push.ready()
    outcome = await sending
    if "unanswered" in outcome:
        # A slow start outlasts the client's own attempts: the app repeats it with the key that it was told.
        assert outcome["unanswered"]["key"] == "dark"
        await comes(lambda: online(app) > 1, "online again")
        outcome = await app.rpc(
            "messages.send", room=room, type="text", content={"text": "from the dark"}, client_id="dark"
        )
    said.append(outcome["data"]["message"])
    await agree(app, bob)
    held = (await app.saved())["rooms"][room]["messages"]
    texts = [message["content"]["text"] for message in held if message["type"] == "text"]
    assert sorted(texts) == sorted(message["content"]["text"] for message in said)
    came = [event["delta"]["position"] for event in of(app, "delta")]
    assert len(came) == len(set(came)) and len(of(app, "snapshot")) == 1


async def test_a_place_that_is_lost_is_answered_by_a_snapshot(world: World, start: Start) -> None:
    ada = await world.person("ada")
    room = await ada.group(name="Before")
    first = await start(ada.token)
    await agree(first, ada)
    saved = await first.saved()
    await ada.do("rooms.change", room=room, name="After")
    kept = await start(ada.token, state=saved)
    await agree(kept, ada)
    assert not of(kept, "snapshot") and of(kept, "delta"), "the place was known"
    lost = await start(ada.token, state={**saved, "epoch": "another.2", "rooms": {}})
    await agree(lost, ada)
    assert of(lost, "snapshot") and not of(lost, "delta")


async def test_who_leaves_is_no_longer_among_the_members_that_are_held(world: World, start: Start) -> None:
    ada, bob, eve = [await world.person(name) for name in ("ada", "bob", "eve")]
    room = await ada.group(bob, eve)
    app = await start(ada.token)
    await app.members(room)
    # By themselves, which they say; and put out, which ada says.
    await bob.do("members.remove", room=room, user="me")
    await ada.do("members.remove", room=room, user=eve.id)
    await agree(app, ada)
    assert await agree_on_members(app, ada) == 1


@pytest.mark.parametrize("seed", [6, 7])
async def test_whatever_people_do_the_state_equals_a_fresh_snapshot(
    world: World, operator: str, start: Start, seed: int
) -> None:
    openapi, asyncapi = (
        json.loads((ROOT / "schemas" / f"{name}.json").read_text()) for name in ("openapi", "asyncapi")
    )
    contract = clients.contract.read(openapi, asyncapi, [])
    deeds = script(seed, 160)
    actors = await cast(world, operator)
    await actors.act(deeds[:60])
    apps = [await start(person.token) for person in actors.people[:3]]
    for more in (deeds[60:90], deeds[90:]):
        for app, person in zip(apps, actors.people, strict=False):
            await agree(app, person, actors.quarrels)
            for id, entry in (await app.saved())["rooms"].items():
                if entry["room"]["state"] != "deleted" and entry["members"] is None:
                    await app.members(id)
        await actors.act(more)
    seen = 0
    for app, person in zip(apps, actors.people, strict=False):
        await agree(app, person, actors.quarrels)
        seen += await agree_on_members(app, person)
        assert not of(app, "error"), of(app, "error")
        for event in of(app, "delta"):
            assert fits(event["delta"], contract.deltas[event["delta"]["type"]], contract.types), event["delta"]
    assert seen > 1


async def test_what_cannot_be_folded_is_in_a_fresh_snapshot(world: World, start: Start) -> None:
    ada = await world.person("ada")
    room = await ada.group(name="Before")
    first = await start(ada.token)
    await agree(first, ada)
    saved = await first.saved()
    saved["rooms"][room]["room"] = None
    broken = await start(ada.token, state=saved)
    await ada.do("rooms.change", room=room, name="After")
    await comes(lambda: of(broken, "snapshot"), "a snapshot")
    await agree(broken, ada)


async def test_a_snapshot_of_several_pages_is_read_to_its_end(world: World, start: Start) -> None:
    ada, bob = await world.person("ada"), await world.person("bob")
    rooms = [await ada.group(bob, name=f"Room {n}") for n in range(12)]
    app = await start(bob.token)
    await ada.say(rooms[0], "meanwhile")
    await agree(app, bob)
    assert of(app, "page") and len((await app.saved())["rooms"]) == 12


async def test_a_room_left_before_the_snapshot_does_not_come_back_with_a_page(world: World) -> None:
    """The join is told again while a page is on its way, and only later that the room was left."""
    ada, bob = await world.person("ada"), await world.person("bob")
    for n in range(12):
        await ada.group(bob, name=f"Room {n}")
    room = await ada.group(bob, name="For a moment")
    (entry,) = [one for one in (await bob.snapshot())["rooms"] if one["room"]["id"] == room]
    await bob.do("members.remove", room=room, user="me")
    state = from_snapshot(await bob.do("sync.get"))
    assert state.next is not None, "there is more than a page"
    joined = {"user": bob.id, "role": "member", "willing": True, "message": None, "seq": None}
    left = {"user": bob.id, "message": None, "seq": None}
    topic = {"stream": room, "time": entry["room"]["created"], "actor": ada.id}
    shard = next(one for one in state.vector if one.startswith("rooms/"))
    old = [
        {**topic, "id": "1", "type": "member.joined", "position": f"{shard}/0", "data": joined, "include": entry},
        {**topic, "id": "2", "type": "member.left", "position": f"{shard}/1", "data": left},
    ]

    async def no_token() -> None:
        return None

    client = KlatschClient("ws://127.0.0.1:9", no_token, state=state)

    async def call(method: str, params: Any, repeat: str) -> Any:
        if old:
            client._publication(old.pop(0), 1)
        return await bob.do(method, **params)

    client.rpc = Rpc(call)
    client.status = "online"
    await client._read_pages()
    assert not old
    assert len(state.rooms) == 12


async def test_a_token_that_has_expired_is_asked_for_anew(world: World, installed: Settings, start: Start) -> None:
    ada = await world.person("ada")
    app = await start(expired(installed, ada), ada.token)
    await agree(app, ada)
    assert len(of(app, "asked")) == 2


async def test_a_session_that_was_closed_gives_way_to_another(world: World, start: Start) -> None:
    ada = await world.person("ada", password="correct horse")
    other = await world.log_in(ada, "correct horse")
    app = await start(other.token, ada.token)
    await agree(app, ada)
    session = next(one for one in (await other.do("sessions.list"))["sessions"] if one["current"])
    await ada.do("sessions.close", session=session["id"])
    await comes(lambda: online(app) > 1, "online with the other session")
    await ada.group(name="Afterwards")
    await agree(app, ada)
    assert len(of(app, "asked")) == 2


async def test_who_has_no_session_any_more_is_told(world: World, start: Start) -> None:
    ada = await world.person("ada")
    await ada.do("sessions.close", session="current")
    app = await start(ada.token)
    assert of(app, "refused") and of(app, "status")[-1]["status"] == "ended"
    assert of(await start(None), "refused")
    # What cannot be known is said, with what makes it safe to ask again.
    outcome = await app.rpc("messages.send", room="any", type="text", content={"text": "Hello"}, client_id="kept")
    assert outcome == {"unanswered": {"method": "messages.send", "key": "kept"}}


async def test_a_refusal_is_a_problem(world: World, start: Start) -> None:
    app = await start((await world.person("ada")).token)
    problem = (await app.rpc("rooms.get", room="nowhere"))["problem"]
    assert (problem["type"], problem["code"], problem["status"]) == ("urn:klatsch:problem:not_found", "not_found", 404)
    assert problem["title"] and problem["detail"] and problem["retry_after"] is None


async def test_who_asks_too_often_is_told_how_long_to_wait(world: World, start: Start) -> None:
    ada = await world.person("ada")
    app, room = await start(ada.token), await ada.group()
    await agree(app, ada)
    calls = [app.rpc("signals.type", room=room, typing=True) for _ in range(40)]
    refused = [one["problem"] for one in await asyncio.gather(*calls) if "problem" in one]
    assert refused and {(one["code"], one["status"], one["retry_after"]) for one in refused} == {
        ("rate_limited", 429, 1)
    }


async def test_presence_and_typing_are_in_the_state(world: World, start: Start) -> None:
    ada, bob = await world.person("ada"), await world.person("bob")
    room = await ada.group(bob)
    mine = await start(ada.token)
    await agree(mine, ada)
    await start(bob.token)

    async def there() -> bool:
        return bool((await mine.saved())["presence"].get(bob.id, {}).get("status") == "online")

    await until(there, "Bob is online")
    await bob.do("signals.type", room=room, typing=True)

    async def types() -> bool:
        return bool((await mine.saved())["typing"].get(room) == [bob.id])

    await until(types, "Bob types")
    await bob.say(room)

    async def done() -> bool:
        return not (await mine.saved())["typing"].get(room)

    await until(done, "Bob has said it")


async def test_who_is_in_live_channels_is_in_the_state(world: World, start: Start, operator: str) -> None:
    ada = await world.person("ada")
    channel = int((await ada.do("channels.create", name="Raid", limit=5))["channel"]["id"])
    app = await start(ada.token)
    assert "data" in await app.rpc("channels.watch", channels=[channel])
    fields = {"username": f"relay-{secrets.token_hex(5)}", "scopes": ["channels:serve"]}
    relay = Person(world, await world.call("services.register", fields, token=operator), "http")

    async def shown() -> Any:
        # JSON has no numbers as keys.
        return {str(id): users for id, users in (await app.saved())["channels"].items()}.get(str(channel))

    async def empty() -> bool:
        return bool(await shown() == [])

    await until(empty, "nobody is there")
    served = [{"id": channel, "users": [{"id": ada.username}]}]
    await relay.do("channels.report", metric={"addr": "127.0.0.1:1", "name": "Relay"}, channels=served)

    async def there() -> bool:
        return bool(await shown() == [{"id": ada.username, "user": ada.id, "number": None}])

    await until(there, "she is")


def fits(value: Any, type: Type, types: dict[str, Type]) -> bool:
    """Whether a value has the members that its type has, and no others, and what kind of values these are."""
    if isinstance(type, Ref):
        return fits(value, types[type.name], types)
    if isinstance(type, Union):
        return any(fits(value, option, types) for option in type.options)
    if isinstance(type, Object):
        if not isinstance(value, dict) or not type.required <= value.keys() <= type.fields.keys():
            return False
        return all(fits(one, type.fields[name].type, types) for name, one in value.items())
    if isinstance(type, Array):
        return isinstance(value, list) and all(fits(one, type.item, types) for one in value)
    if isinstance(type, Map):
        return isinstance(value, dict) and all(fits(one, type.value, types) for one in value.values())
    if isinstance(type, Literals):
        return value in type.values
    kinds: dict[str, Any] = {"string": str, "integer": int, "number": (int, float), "boolean": bool, "null": NoneType}
    return isinstance(value, kinds.get(type.name, object))


def expired(settings: Settings, person: Person) -> str:
    """A token of the person's session that ended an hour ago."""
    found = tokens.verify(settings, person.token)
    times = {"issued": after(now(), -7200), "expires": after(now(), -3600)}
    return minted(settings, user=found.user, session=found.session, role=found.role, **times)
