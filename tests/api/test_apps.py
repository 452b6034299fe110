"""Applications: an operator makes, changes and suspends them; keys, and the secrets that are shown once."""

from __future__ import annotations

import base64
import logging
import secrets
from contextlib import suppress
from typing import Any

import pytest
from aiokafka import TopicPartition

from api.apps import SECRET_BYTES
from api.support.sealing import SealBroken, Sealer
from events.core.clock import after, now, to_datetime
from infra.base import kafka, postgres
from infra.base.settings import Settings
from tests.client import Refusal, World


@pytest.fixture
async def made(world: World, operator: str) -> dict[str, Any]:
    """An application of the test's own, with its key and secret."""
    answer: dict[str, Any] = await world.call("apps.create", {"name": "Harbour"}, token=operator)
    return answer


def raw(shown: str) -> bytes:
    """The bytes of a secret as it is shown."""
    assert shown.startswith("ks_")
    return base64.urlsafe_b64decode(shown[3:] + "=")


async def code(world: World, operator: str, operation: str, /, **fields: Any) -> str:
    with pytest.raises(Refusal) as refusal:
        await world.call(operation, fields, token=operator)
    return refusal.value.code


async def test_one_is_made_with_a_key_and_a_secret(world: World, operator: str, made: dict[str, Any]) -> None:
    app, key = made["app"], made["key"]
    assert app["name"] == "Harbour" and app["state"] == "active"
    assert app["settings"] == {"registration": False, "session_hours": 0}
    assert app["keys"] == [{"key": key, "since": app["created"], "until": None}]
    assert key.startswith("kk_") and len(raw(made["secret"])) == SECRET_BYTES
    got = await world.call("apps.get", {"app": app["id"]}, token=operator)
    assert got == {"app": app}, "and never again the secret"


async def test_a_repeated_call_shows_the_same_secret(world: World, operator: str) -> None:
    key = secrets.token_hex(8)
    first = await world.call("apps.create", {"name": "Once"}, token=operator, key=key)
    again = await world.call("apps.create", {"name": "Once"}, token=operator, key=key)
    assert again == first
    roll = {"app": first["app"]["id"], "grace_seconds": 60}
    rolled = await world.call("apps.roll_key", roll, token=operator, key=key)
    assert await world.call("apps.roll_key", roll, token=operator, key=key) == rolled
    assert rolled["secret"] != first["secret"] and rolled["key"] != first["key"]
    # The first key is still valid, and its secret can be shown to whoever lost the answer.
    assert (await world.call("apps.create", {"name": "Once"}, token=operator, key=key)) == first
    await world.call("apps.roll_key", {**roll, "grace_seconds": 0}, token=operator)
    with pytest.raises(Refusal) as refusal:
        await world.call("apps.create", {"name": "Once"}, token=operator, key=key)
    assert refusal.value.code == "not_found" and first["key"] in refusal.value.problem["detail"]


async def test_keys_end_one_after_the_other(
    installed: Settings, world: World, operator: str, made: dict[str, Any]
) -> None:
    id = made["app"]["id"]
    kept = [await _secrets(installed, id)]
    rolled = await world.call("apps.roll_key", {"app": id}, token=operator)
    old, new = rolled["app"]["keys"]
    assert (old["key"], new["key"], new["until"]) == (made["key"], rolled["key"], None)
    assert to_datetime(old["until"]) > to_datetime(after(now(), 86_000)), "a day, unless it is said"
    kept.append(await _secrets(installed, id))
    third = await world.call("apps.roll_key", {"app": id, "grace_seconds": 3600}, token=operator)
    assert [one["key"] for one in third["app"]["keys"]] == [rolled["key"], third["key"]]
    kept.append(await _secrets(installed, id))
    last = await world.call("apps.roll_key", {"app": id, "grace_seconds": 0}, token=operator)
    assert [one["key"] for one in last["app"]["keys"]] == [last["key"]]
    kept.append(await _secrets(installed, id))
    # The vault has the secrets of the keys that are named, and no others.
    assert [len(found) for found in kept] == [1, 2, 2, 1] and kept[3] == {raw(last["secret"])}
    assert kept[2] == {raw(rolled["secret"]), raw(third["secret"])}


async def _secrets(settings: Settings, app: str) -> set[bytes]:
    """What the vault has of an application, opened."""
    sealer, found = Sealer(settings), set()
    async with postgres.connected(settings) as connection:
        for row in await connection.fetch("select id, sealed from credentials where sealed is not null"):
            # What is another application's does not open.
            with suppress(SealBroken):
                found.add(sealer.open(row["sealed"], id=row["id"], app=app))
    return found


async def test_one_is_changed_suspended_and_resumed(world: World, operator: str, made: dict[str, Any]) -> None:
    id = made["app"]["id"]

    async def do(operation: str, /, **fields: Any) -> Any:
        return (await world.call(operation, {"app": id, **fields}, token=operator))["app"]

    changed = await do("apps.change", name="Quay", settings={"registration": True})
    assert (changed["name"], changed["settings"]) == ("Quay", {"registration": True, "session_hours": 0})
    assert (await do("apps.change", name="Quay"))["version"] == changed["version"], "nothing had to happen"
    assert (await do("apps.suspend", reason="Unpaid."))["reason"] == "Unpaid."
    assert (await do("apps.get"))["state"] == "suspended"
    assert (await do("apps.resume"))["state"] == "active"
    revoked = await do("apps.revoke_tokens", before="2026-11-29T10:00:00+01:00")
    assert revoked["tokens_before"] == "2026-11-29T09:00:00.000Z"
    assert await code(world, operator, "apps.revoke_tokens", app=id, before="2999-01-01T00:00:00Z") == "invalid"
    assert (await do("apps.revoke_tokens"))["tokens_before"] > "2026-11-29T09:00:00.000Z"
    then = await do("apps.get", as_of=made["app"]["created"])
    assert then == made["app"]


async def test_what_is_refused(world: World, operator: str) -> None:
    assert await code(world, operator, "apps.suspend", app="default") == "forbidden"
    assert await code(world, operator, "apps.create", name="\u200b") == "invalid"
    assert await code(world, operator, "apps.roll_key", app="default", grace_seconds=-1) == "invalid"
    for name in ("apps.get", "apps.change", "apps.roll_key", "apps.suspend", "apps.resume", "apps.revoke_tokens"):
        assert await code(world, operator, name, app="nothing") == "not_found", name


async def test_the_default_one_is_there(world: World, operator: str) -> None:
    app = (await world.call("apps.get", {"app": "default"}, token=operator))["app"]
    assert (app["id"], app["state"]) == ("default", "active")
    assert app["settings"] == {"registration": True, "session_hours": 0}
    same = (await world.call("apps.resume", {"app": "default"}, token=operator))["app"]
    assert same == app, "nothing had to happen"


async def test_the_list_comes_in_pages_the_default_one_first(world: World, operator: str) -> None:
    made = {(await world.call("apps.create", {"name": f"n{n}"}, token=operator))["app"]["id"] for n in range(3)}
    for limit in (1, 2, 200):
        found, cursor = list[str](), None
        while True:
            page = await world.call(
                "apps.list", {"limit": limit, **({"cursor": cursor} if cursor else {})}, token=operator
            )
            assert 0 < len(page["apps"]) <= limit
            found += [one["id"] for one in page["apps"]]
            if (cursor := page["next"]) is None:
                break
        assert found[0] == "default" and found[1:] == sorted(set(found[1:])) and made < set(found)
    past = await world.call("apps.list", {"limit": 200, "as_of": "2026-01-01T00:00:00Z"}, token=operator)
    assert [one["id"] for one in past["apps"]] == ["default"]


async def test_a_secret_is_in_no_event_no_log_and_no_topic(
    installed: Settings, world: World, operator: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    made = await world.call("apps.create", {"name": "Careful"}, token=operator)
    rolled = await world.call("apps.roll_key", {"app": made["app"]["id"]}, token=operator)
    texts = [await _log(installed), caplog.text.encode()]
    async with postgres.connected(installed) as connection:
        rows = await connection.fetch("select data::text as text from changes where topic = 'apps'")
        texts += [row["text"].encode() for row in rows]
    assert rows and made["key"].encode() in texts[0], "the key is public"
    for shown in (made["secret"], rolled["secret"]):
        whole = raw(shown)
        for form in (shown.encode()[3:], whole, whole.hex().encode(), base64.b64encode(whole)):
            assert not any(form in text for text in texts)


async def _log(settings: Settings) -> bytes:
    """All that stands in the topics of the log and of the vault."""
    names = [settings.topic(name) for name in (*kafka.EVENT_TOPICS, "secrets", "feed")]
    client = kafka.consumer(settings)
    await kafka.start(client)
    try:
        partitions = [TopicPartition(name, number) for name in names for number in range(settings.partitions)]
        client.assign(partitions)
        found, ends = b"", await client.end_offsets(partitions)
        for partition, offset in (await client.beginning_offsets(partitions)).items():
            client.seek(partition, offset)
        while any([await client.position(one) < ends[one] for one in partitions]):
            for records in (await client.getmany(timeout_ms=200)).values():
                found += b"".join((record.key or b"") + (record.value or b"") for record in records)
        return found
    finally:
        await kafka.close(client)
