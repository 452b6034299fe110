"""Bad input, whatever it is: a typed problem, and nothing changed.
Tests ``api/core/http.py`` and ``api/support/problems.py``."""

from __future__ import annotations

import secrets
from base64 import urlsafe_b64encode
from typing import Any
from urllib.parse import quote

import msgspec
import pytest

from tests.api.applications import made
from tests.client import OPERATIONS, Person, Refusal, World


@pytest.fixture
async def person(world: World) -> Person:
    return await world.person("target")


def nested(levels: int) -> bytes:
    return b'{"data":' + b'{"a":' * levels + b'"b"' + b"}" * levels + b"}"


BODIES: dict[str, tuple[bytes, str]] = {
    "no JSON": (b"name=Ada", "malformed"),
    "cut JSON": (b'{"name":"Ada"', "malformed"),
    "two values": (b'{"name":"a"}{"name":"b"}', "malformed"),
    "an array": (b'[{"name":"Ada"}]', "malformed"),
    "a string": (b'"Ada"', "malformed"),
    "null": (b"null", "malformed"),
    "bad UTF-8": (b'{"name":"\xff\xfe"}', "malformed"),
    "an overlong NUL": (b'{"name":"\xc0\x80"}', "malformed"),
    "an encoded surrogate": (b'{"name":"\xed\xa0\x80"}', "malformed"),
    "a lone surrogate": (b'{"name":"\\ud800"}', "malformed"),
    "a reversed pair": (b'{"name":"\\udc00\\ud800"}', "malformed"),
    "UTF-16": ('{"name":"Ada"}'.encode("utf-16"), "malformed"),
    "a raw control character": (b'{"name":"a\x01b"}', "malformed"),
    "NUL in a value": (b'{"data":{"a":"b\\u0000"}}', "invalid"),
    "NUL in a name": (b'{"data":{"a\\u0000":"b"}}', "invalid"),
    "NaN": (b'{"name":NaN}', "malformed"),
    "a huge number": (b'{"name":' + b"9" * 50_000 + b"}", "malformed"),
    "an infinite number": (b'{"name":1e999}', "malformed"),
    "wrong types": (b'{"name":{"a":1}}', "invalid"),
    "an unknown field": (b'{"name":"Eve","admin":true}', "invalid"),
    "a field of the path": (b'{"user":"me"}', "invalid"),
    "nested 60": (nested(60), "invalid"),
    "nested 70": (nested(70), "invalid"),
    "nested 300": (nested(300), "invalid"),
    "nested 450": (nested(450), "invalid"),
    "nested 900": (nested(900), "invalid"),
    "nested 20000": (nested(20_000), "malformed"),
    "too much": (b'{"name":"' + b"x" * 200_000 + b'"}', "too_large"),
    "too much space": (b" " * 200_000, "too_large"),
}


@pytest.mark.parametrize("what", BODIES)
async def test_bodies(world: World, person: Person, what: str) -> None:
    body, code = BODIES[what]
    before = (await person.do("users.me"))["user"]
    answer = await world.request("PATCH", "/v1/users/me", token=person.token, body=body)
    assert answer.refusal().code == code and answer.headers["Cache-Control"] == "no-store"
    assert (await person.do("users.me"))["user"] == before


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b'{"name":"hello \\ud83d"}', "half of a surrogate pair"),
        (b'{"name":"hello', "an end in the midst"),
        (b'{"data":' + b"[" * 5000, "nested too deeply"),
        (b"null", "got null"),
        (b"[1]", "got an array"),
    ],
)
async def test_what_is_wrong_with_a_body_is_said(world: World, person: Person, body: bytes, words: str) -> None:
    answer = await world.request("PATCH", "/v1/users/me", token=person.token, body=body)
    assert answer.refusal().code == "malformed" and words in answer.json()["detail"]


async def test_repeated_names_count_once(world: World, person: Person) -> None:
    answer = await world.request("PATCH", "/v1/users/me", token=person.token, body=b'{"name":"a","name":"b"}')
    assert answer.status == 200 and answer.json()["user"]["name"] == "b"


@pytest.mark.parametrize("levels", [50, 63, 64, 65, 200, 450, 900])
async def test_deep_content_is_kept_whole_or_refused(world: World, person: Person, levels: int) -> None:
    room = await person.group()
    content = b'{"a":' * levels + b"1" + b"}" * levels
    body = b'{"token":"deep","type":"custom","content":' + content + b"}"
    answer = await world.request("POST", f"/v1/rooms/{room}/messages", token=person.token, body=body)
    if levels < 64:
        assert answer.status == 201
        world.seen(answer.headers["Klatsch-Position"])
        assert (await person.do("messages.read", room=room))["messages"][0]["content"] == msgspec.json.decode(content)
    else:
        assert answer.refusal().code == "invalid"
        assert (await person.do("messages.read", room=room))["messages"] == []


QUERIES = [
    "name=x&name=y", "nam=x", "name=x&limit=1e3", "name=x&limit=99999999999999999999", "name=x&limit=-1", "name=%00",
    "name=x&cursor=%00", "name=x&cursor=*", "name=x&cursor=" + "A" * 1001, "name=", "limit=5", "name=x&limit=",
]  # fmt: skip


@pytest.mark.parametrize("query", QUERIES)
async def test_queries(world: World, person: Person, query: str) -> None:
    assert (await world.request("GET", f"/v1/users?{query}", token=person.token)).refusal().code == "invalid"


@pytest.mark.parametrize("query", ["name=%ff%fe", "name=%ED%A0%80", "name=" + quote("'; drop table users; --"),
                                   "name=" + quote("%_\\"), "name=" + quote('{"a"}')])  # fmt: skip
async def test_odd_searches_find_nothing(world: World, person: Person, query: str) -> None:
    answer = await world.request("GET", f"/v1/users?{query}", token=person.token)
    assert answer.status == 200 and answer.json()["users"] == []


PLACES: list[Any] = [
    [], {}, "x", None, [1, 2], ["x", 1], [2**31, "", ""], [2**70, "", ""], [-4, "", ""], [0, "\x00", ""],
    [0, "", "\x00"],
    ["2026-99-99T00:00:00.000Z", "x"], ["2026-02-30T00:00:00.000Z", "x"], ["0000-01-01T00:00:00.000Z", "x"],
    ["tomorrow", "x"], ["2026-01-01T00:00:00.000Z", "\x00"], [2**63, "x"], [-(2**63) - 1, "x"], [1.5, "x"], [True, "x"],
]  # fmt: skip


@pytest.mark.parametrize("path", ["/v1/users?name=x&", "/v1/rooms?name=x&", "/v1/rooms?", "/v1/users/me/relationships?",
                                  "/v1/visuals?", "/v1/rooms/{room}/members?"])  # fmt: skip
async def test_made_up_cursors(world: World, person: Person, path: str) -> None:
    path = path.format(room=(room := await person.group()))
    await person.do("rooms.get", room=room)
    for place in PLACES:
        cursor = urlsafe_b64encode(msgspec.json.encode(place)).decode().rstrip("=")
        answer = await world.request("GET", f"{path}cursor={cursor}", token=person.token)
        assert answer.refusal().code == "invalid", place


async def test_each_list_refuses_what_is_no_cursor(world: World, person: Person, operator: str) -> None:
    known = {"room": await person.group(), "text": "hello", "name": "hello", "custom": "{}"}
    tokens = {"operator": operator, "app": operator, "server": (await made(world, operator)).server}
    lists = [
        row for row in OPERATIONS.values() if "cursor" in (one.name for one in msgspec.structs.fields(row.request))
    ]
    assert len(lists) > 7
    for row in lists:
        needed = {one.name for one in msgspec.structs.fields(row.request) if one.required}
        # Of a search by name and a list of ids it wants one.
        needed |= {"users.find": {"name"}, "users.query": {"custom"}}.get(row.name, set())
        token = tokens.get(row.permission, person.token)
        fields = {name: value for name, value in known.items() if name in needed}
        for cursor in ("x", "eA", person.id):
            with pytest.raises(Refusal) as refused:
                await world.call(row.name, {**fields, "cursor": cursor}, token=token)
            assert refused.value.code == "invalid", row.name
            assert refused.value.problem["detail"].startswith("cursor: expected"), (row.name, refused.value.problem)


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("/v1/users/%00", "invalid"), ("/v1/users/a%20b", "invalid"), ("/v1/users/%ff", "invalid"),
        ("/v1/users/" + "a" * 101, "invalid"), ("/v1/users/abc%0A", "invalid"),
        ("/v1/rooms/x/messages?before=170141183460469231731687303715884105728", "invalid"),
        ("/v1/rooms/x/changes?before=170141183460469231731687303715884105728", "invalid"),
        ("/v1/rooms/x/messages?before=1&before=2", "invalid"), ("/v1/nothing", "not_found"),
        ("/v1/changes?since=x", "invalid"), ("/v1/changes?since=%00:1", "invalid"),
        ("/v1/changes?since=x:99999999999999999999", "invalid"), ("/v1/sync?cursor=x", "invalid"),
    ],
)  # fmt: skip
async def test_paths(world: World, person: Person, path: str, code: str) -> None:
    assert (await world.request("GET", path, token=person.token)).refusal().code == code


@pytest.mark.parametrize(
    "position",
    ["x", "users/0", "users/0/-1", "users/0/1.5", "users/0/" + "9" * 19, "secrets/0/1", "users/2/1", "users/x/1", "//",
     "users/0/\u0661", "a" * 9000],
)  # fmt: skip
async def test_positions(world: World, person: Person, position: str) -> None:
    headers = {"Klatsch-Position": position}
    answer = await world.request("GET", "/v1/users/me", token=person.token, headers=headers)
    assert answer.refusal().code == "invalid"
    assert len(answer.body) < 1000


@pytest.mark.parametrize("key", ["", "a b", "x" * 129, "ü"])
async def test_idempotency_keys(world: World, person: Person, key: str) -> None:
    body = b'{"name":"other"}'
    answer = await world.request(
        "PATCH", "/v1/users/me", token=person.token, body=body, headers={"Idempotency-Key": key}
    )
    assert answer.refusal().code == "invalid"
    assert (await person.do("users.me"))["user"]["name"] != "other"


@pytest.mark.parametrize(
    "authorization", ["", "Bearer", "Bearer ", "Basic eDp5", "Bearer\tx", "bearer x.y.z", "x" * 5000]
)
async def test_authorizations(world: World, authorization: str) -> None:
    answer = await world.request("GET", "/v1/users/me", headers={"Authorization": authorization})
    assert answer.refusal().status == 401 and answer.headers["WWW-Authenticate"].startswith("Bearer")


async def test_other_methods_name_those_that_are_allowed(world: World, person: Person) -> None:
    answer = await world.request("DELETE", "/v1/users/me", token=person.token)
    assert answer.refusal().code == "method_not_allowed" and "PATCH" in answer.headers["Allow"]


async def test_rpcs_that_are_no_operation(world: World, person: Person) -> None:
    caller = Person(world, {"user": {"id": person.id, "username": ""}, "token": person.token}, "rpc")
    assert await caller.refused("users.nothing") == "not_found"
    assert await caller.refused("x" * 5000) == "not_found"
    socket = await world.socket(person.token)
    data: list[tuple[Any, str]] = [
        ([], "malformed"), ("x", "malformed"), (5, "malformed"), ({"position": 1}, "invalid"),
        ({"position": "x"}, "invalid"), ({"idempotency_key": ""}, "invalid"), ({"idempotency_key": "a b"}, "invalid"),
        ({"idempotency_key": "x" * 129}, "invalid"), ({"unknown": 1}, "invalid"), ({"name": "\x00"}, "invalid"),
    ]  # fmt: skip
    for value, code in data:
        reply = await socket.command("rpc", {"method": "users.change", "data": value})
        assert reply["error"]["problem"]["type"] == f"urn:klatsch:problem:{code}", value
        assert reply["error"]["message"].startswith(f"{code}: ")
    assert (
        "expected a JSON object, got an array"
        in ((await socket.command("rpc", {"method": "users.me", "data": []}))["error"]["message"])
    )
    # No data, as JSON has it.
    assert (await socket.command("rpc", {"method": "users.me", "data": None}))["rpc"]["data"]["user"]["id"] == person.id


async def test_an_order_of_another_process_needs_the_installations_secret(world: World) -> None:
    for headers in ({}, {"Klatsch-Internal": ""}, {"Klatsch-Internal": "00" * 32}):
        answer = await world.request("POST", "/internal/orders", body=b"[]", headers=headers)
        assert answer.refusal().code == "forbidden"


@pytest.mark.parametrize(
    ("item", "what"),
    [
        ({"command": "OpenSession"}, "a command that proves who somebody is"), ({"command": "Nothing"}, "no command"),
        ({"command": "IssueSession"}, "a command that proves who somebody is"),
        ({"fields": {"room": "x"}}, "a field too few"), ({"time": "2026-02-30T00:00:00.000Z"}, "no such day"),
        ({"time": "2026-01-01T25:00:00.000Z"}, "no such hour"), ({"time": "2026-01-01"}, "no time"),
        ({"time": "2026-01-01T00:00:00.000Z\n"}, "a line feed"), ({"key": ""}, "no key"),
        ({"actor": "a b"}, "no actor"), ({"extra": 1}, "a field too many"),
    ],
)  # fmt: skip
async def test_an_import_with_one_mistake_changes_nothing(
    world: World, operator: str, person: Person, item: dict[str, Any], what: str
) -> None:
    room = await person.group()
    good = {
        "command": "PostMessage", "fields": {"room": room, "token": "t", "content": {"text": "x"}}, "actor": person.id,
        "time": "2006-01-01T00:00:00.000Z", "key": secrets.token_hex(8),
    }  # fmt: skip
    # The good one alone goes in: what is refused below is refused for the mistake.
    done = await world.call("import.orders", {"orders": [good]}, token=operator)
    assert [one["result"] for one in done["results"]] == ["done"]
    bad = {**good, "key": secrets.token_hex(8), **item}
    body = msgspec.json.encode({"orders": [{**good, "key": "another"}, bad]})
    answer = await world.request("POST", "/v1/import", token=operator, body=body)
    assert answer.refusal().code == "invalid", what
    assert len((await person.do("messages.read", room=room))["messages"]) == 1


def test_every_operation_refuses_fields_that_it_does_not_know() -> None:
    for operation in OPERATIONS.values():
        assert operation.request.__struct_config__.forbid_unknown_fields, operation.name
