"""A repeated command shows its first result, whatever happened since, and adds nothing to the log: a walk.
Tests ``api/core/repeating.py``."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition

from api.core.operation import HTTP_ONLY
from infra.base import kafka
from infra.base.settings import Settings
from tests.api.repeats import COMMANDS, NO_COMMAND, Done, done, expected, scene, shown
from tests.client import OPERATIONS, Person, Refusal, Via, World

#: Operations over each way; operators have no connection.
CELLS = [
    (name, via)
    for name in COMMANDS
    for via in ("http", "rpc")
    if via == "http" or OPERATIONS[name].permission not in HTTP_ONLY
]


class Ends:
    """How many records the event topics hold."""

    def __init__(self, settings: Settings, consumer: AIOKafkaConsumer) -> None:
        self._consumer = consumer
        self._places = [
            TopicPartition(settings.topic(topic), partition)
            for topic in kafka.EVENT_TOPICS
            for partition in range(settings.partitions)
        ]

    async def sum(self) -> int:
        return sum((await self._consumer.end_offsets(self._places)).values())


@pytest.fixture
async def ends(installed: Settings) -> AsyncIterator[Ends]:
    consumer = kafka.consumer(installed)
    await consumer.start()
    try:
        yield Ends(installed, consumer)
    finally:
        await kafka.close(consumer)


def test_every_command_is_walked() -> None:
    writing = {name for name, operation in OPERATIONS.items() if operation.method != "GET"}
    assert COMMANDS.keys() | NO_COMMAND == writing


@pytest.mark.parametrize(("name", "via"), CELLS)
async def test_the_first_result_again(world: World, operator: str, ends: Ends, name: str, via: Via) -> None:
    found = await scene(world, via, operator, name)
    one = await done(found, name)
    messages: set[str] = set()
    rooms: set[str] = set()

    async def same(after: str) -> None:
        before = await ends.sum()
        assert shown(await one.again()) == shown(expected(one.first, messages, rooms)), after
        assert await ends.sum() == before, after

    await same("at once")
    await found.more()
    await same("more")
    await found.blocks()
    await same("blocks")
    await found.gone()
    await same("gone")
    await found.more()
    await same("more while gone")
    messages |= await found.erased(one.first)
    await same("messages deleted")
    rooms |= await found.deleted(one.first)
    await same("rooms deleted")


#: What makes the operation of COMMANDS find nothing to do, and what gives it something to do again: by whom, operation,
#: fields. Operations that always make an event are in ALWAYS.
Step = tuple[str, str, dict[str, Any]]
BACK: dict[str, list[Step]] = {
    "users.change": [("ada", "users.change", {"name": "Yet another"})],
    "relationships.set": [("ada", "relationships.remove", {"user": "OTHER"})],
    "relationships.remove": [("ada", "relationships.set", {"user": "FRIEND", "type": "friend"})],
    "visuals.change": [("ada", "visuals.change", {"visual": "VISUAL", "model_data": {"a": 3}})],
    "rooms.change": [("ada", "rooms.change", {"room": "ROOM", "name": "Renamed again"})],
    "rooms.archive": [("ada", "rooms.unarchive", {"room": "ROOM"})],
    "rooms.unarchive": [("ada", "rooms.archive", {"room": "ARCHIVED"})],
    "rooms.restore": [("ada", "rooms.delete", {"room": "ARCHIVED"})],
    "members.add": [("other", "members.remove", {"room": "ROOM", "user": "me"})],
    "members.remove": [("ada", "members.add", {"room": "ROOM", "user": "FRIEND"})],
    "members.set_role": [("ada", "members.set_role", {"room": "ROOM", "user": "FRIEND", "role": "member"})],
    "members.change": [("ada", "members.change", {"room": "ROOM", "user": "FRIEND", "custom": {"a": None}})],
    "members.set_notifications": [
        ("ada", "members.set_notifications", {"room": "ROOM", "notifications": True})
    ],
    "members.read": [("ada", "members.read", {"room": "ROOM", "seq": 0})],
    "invitations.decline": [("other", "members.add", {"room": "INVITED", "user": "ADA"})],
    "messages.edit": [("ada", "messages.edit", {"room": "ROOM", "message": "MESSAGE", "content": {"text": "z"}})],
    "messages.pin": [("ada", "messages.unpin", {"room": "ROOM", "message": "MESSAGE"})],
    "teams.change": [("chief", "teams.change", {"team": "TEAM", "name": "Renamed again"})],
    "users.set_team": [("chief", "users.set_team", {"user": "LEAVER", "team": None})],
    "users.deactivate": [("chief", "users.reactivate", {"user": "LEAVER"})],
    "messages.unpin": [("ada", "messages.pin", {"room": "ROOM", "message": "PINNED"})],
}  # fmt: skip
#: Those of which every use makes an event, and those of which nothing that people do can give it something to do again.
ALWAYS = {
    "users.register", "users.change_password", "users.reset_password", "services.register", "sessions.open",
    "sessions.issue", "sessions.renew", "visuals.create", "visuals.choose", "rooms.create", "messages.send",
    "messages.set_emotion", "messages.set_emotions", "channels.create", "channels.listen", "apps.create",
    "apps.roll_key", "apps.revoke_tokens", "users.reactivate", "users.revoke_tokens", "plans.define", "teams.create",
}  # fmt: skip
FOR_GOOD = {
    "sessions.close", "messages.delete", "rooms.delete", "channels.delete", "apps.change", "apps.suspend",
    "apps.resume", "users.erase", "apps.erase", "apps.choose_plan", "plans.withdraw", "teams.remove",
}  # fmt: skip


def test_every_command_is_walked_that_may_find_nothing_to_do() -> None:
    assert BACK.keys() | ALWAYS | FOR_GOOD == COMMANDS.keys()


@pytest.mark.parametrize(("name", "via"), [cell for cell in CELLS if cell[0] in BACK])
async def test_a_first_use_that_changed_nothing_is_remembered(
    world: World, operator: str, ends: Ends, name: str, via: Via
) -> None:
    found = await scene(world, via, operator, name)
    await done(found, name)
    before = await ends.sum()
    # With another key: there is nothing to do any more.
    nothing = await done(found, name)
    assert await ends.sum() == before + 1, "the key"
    for who, operation, fields in BACK[name]:
        person: Person = getattr(found, who)
        await person.do(operation, **found.filled(fields))
    before = await ends.sum()
    assert await nothing.again() == expected(nothing.first, set(), deleted_by(name, nothing))
    assert await ends.sum() == before


def deleted_by(name: str, one: Done) -> set[str]:
    """The rooms that BACK deletes."""
    return {one.fields["room"]} if name == "rooms.restore" else set()


#: Other content for a key that was used.
OTHER: dict[str, dict[str, Any]] = {
    "users.change": {"name": "Somebody else"},
    "relationships.set": {"type": "friend"},
    "users.change_password": {"password": "yet another horse"},
    "users.reset_password": {"password": "yet another horse"},
    "visuals.create": {"model_data": {"a": 9}},
    "visuals.change": {"model_data": {"a": 9}},
    "visuals.choose": {"model_data": {"b": 9}},
    "rooms.create": {"name": "Twice"},
    "rooms.change": {"name": "Renamed otherwise"},
    "members.set_role": {"role": "member"},
    "members.change": {"custom": {"a": 2}},
    "members.set_notifications": {"notifications": True},
    "members.read": {"seq": 0},
    "messages.send": {"content": {"text": "said otherwise"}},
    "messages.edit": {"content": {"text": "edited otherwise"}},
    "messages.set_emotion": {"emotion": "anger"},
}


@pytest.mark.parametrize(("name", "via"), [cell for cell in CELLS if cell[0] in OTHER])
async def test_another_request_with_a_used_key_is_refused(
    world: World, operator: str, ends: Ends, name: str, via: Via
) -> None:
    one = await done(await scene(world, via, operator, name), name)
    before = await ends.sum()
    with pytest.raises(Refusal) as caught:
        await one.scene.do(name, {**one.fields, **OTHER[name]}, one.key)
    assert (caught.value.code, caught.value.status) == ("key_reused", 409)
    assert await one.again() == one.first and await ends.sum() == before


async def test_a_key_is_the_same_request_on_both_ways(world: World, operator: str) -> None:
    """Whoever had no answer over the one repeats over the other."""
    for name in ("messages.send", "rooms.change", "members.read", "users.change"):
        one = await done(await scene(world, "http", operator, name), name)
        one.scene.ada.via = "rpc"
        assert await one.again() == one.first, name
        with pytest.raises(Refusal) as caught:
            await one.scene.do(name, {**one.fields, **OTHER[name]}, one.key)
        assert caught.value.code == "key_reused"


async def test_part_of_many_emotions_is_the_same_request_by_itself(world: World, operator: str) -> None:
    one = await done(await scene(world, "http", operator, ""), "messages.set_emotions")
    (part,) = one.fields["emotions"]
    alone = {name: value for name, value in part.items() if name != "key"}
    await one.scene.do("messages.set_emotion", alone, part["key"])
    assert world.repeated
    again = await one.scene.do("messages.set_emotions", {"emotions": [{**part, "emotion": "anger"}]}, "x")
    assert again["results"][0]["code"] == "key_reused"


async def test_the_order_of_members_makes_no_other_request(world: World, ada: Person) -> None:
    room, token = await ada.group(), secrets.token_hex(6)
    first = await ada.do(
        "messages.send", room=room, token=token, content={"text": "x"}, data={"a": 1, "b": {"c": 2, "d": 3}}
    )
    again = await ada.do(
        "messages.send", data={"b": {"d": 3, "c": 2}, "a": 1}, content={"text": "x"}, token=token, room=room
    )
    assert again == first and world.repeated


async def test_an_address_that_is_anothers_by_now(world: World, via: Via) -> None:
    """The change with a key is answered, without a claim of the address, and also once the password is another."""
    ada, bob = await world.person("ada", via=via, password="correct horse"), await world.person("bob", via=via)
    address = f"{secrets.token_hex(6)}@example.org"
    change = {"email": address, "password": "correct horse"}
    first = await ada.do("users.change", key="k", **change)
    await ada.do("users.change", email=None, password="correct horse")
    await bob.do("users.change", email=address)
    assert await ada.do("users.change", key="k", **change) == first and world.repeated
    assert (await bob.do("users.me"))["user"]["email"] == address
    assert await ada.refused("users.change", key="k", **{**change, "email": "x@example.org"}) == "key_reused"
    assert await ada.refused("users.change", key="k2", **{**change, "password": "wrong horse"}) == "forbidden"


async def test_a_registration_with_other_content_is_another(ada: Person) -> None:
    fields = {"username": f"keyed-{secrets.token_hex(4)}", "name": "First"}
    await ada.do("users.register", key="known", **fields)
    assert await ada.refused("users.register", key="known", **{**fields, "name": "Other"}) == "key_reused"
    assert await ada.refused("users.register", key="known", **fields, password="correct horse") == "taken"


async def test_the_first_change_holds_also_once_there_is_an_address(world: World, via: Via) -> None:
    ada = await world.person("ada", via=via, password="correct horse")
    change = {"email": None, "name": "First"}
    first = await ada.do("users.change", key="k", **change)
    await ada.do("users.change", email=f"{secrets.token_hex(6)}@example.org", password="correct horse")
    assert await ada.do("users.change", key="k", **change) == first and world.repeated
    assert await ada.refused("users.change", key="k2", **change) == "invalid"


async def test_a_visual_that_is_hidden_by_now_was_chosen(ada: Person, bob: Person) -> None:
    fox = (await bob.do("visuals.create", model_data={"shape": "fox"}))["visual"]["id"]
    first = await ada.do("visuals.choose", key="k", visual_id=fox)
    await ada.do("relationships.set", user=bob.id, type="block")
    assert await ada.do("visuals.choose", key="k", visual_id=fox) == first and ada.world.repeated
    assert await ada.refused("visuals.choose", key="k2", visual_id=fox) == "not_found"


async def test_a_registration_lets_nobody_in_with_the_password_of_then(world: World, via: Via) -> None:
    fields = {"username": f"keyed-{secrets.token_hex(4)}", "password": "correct horse", "added_by": "everyone"}
    first = await world.call("users.register", fields, key="k")
    ada = Person(world, first, via)
    assert (await world.call("users.register", fields, key="k"))["token"] == ada.token
    await ada.do("users.change_password", password="battery staple", current="correct horse")
    with pytest.raises(Refusal) as refusal:
        await world.call("users.register", fields, key="k")
    assert refusal.value.code == "unauthenticated"
    assert await world.enters(ada, "battery staple") and not await world.enters(ada, "correct horse")


def test_cells_are_counted() -> None:
    """What the walk is worth: stages of the first test, and one for each of the others."""
    walked = len(CELLS) * 7 + sum(name in BACK for name, _ in CELLS) + sum(name in OTHER for name, _ in CELLS)
    assert walked > 400, walked
