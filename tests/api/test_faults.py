"""What an error says of a request: each place that is wrong, in the words of JSON, over both ways.
Tests ``events/core/faults.py`` and ``events/core/type_faults.py``."""

from __future__ import annotations

import re
from typing import Any

import msgspec
import pytest

from api.core.operation import convert
from api.support.problems import Problem
from tests.api.wrong import bodies, numbers
from tests.client import OPERATIONS, Person, Refusal, Via, World

#: How Python, msgspec and regular expressions speak.
FOREIGN = re.compile(
    r"\b(str|int|float|bool|list|dict|NoneType|None|bytes|True|False|regex|Expected|missing required field)\b|\$\.|\(\?"
)
#: What usage may be asked for.
_METRICS = "active_users, bytes, events"


def errors_of(problem: dict[str, Any]) -> list[dict[str, str]]:
    """The document's errors, if they are well made and its words ours."""
    text = msgspec.json.encode({"detail": problem["detail"], "errors": problem["errors"]}).decode()
    # A metric is called as the type is.
    assert FOREIGN.search(text.replace(_METRICS, "")) is None, text
    for one in problem["errors"]:
        assert len(one.keys() & {"pointer", "parameter", "header"}) == 1 and one["expected"] and one["actual"], one
    errors: list[dict[str, str]] = problem["errors"]
    return errors


def refusal(operation: str, values: dict[str, Any], *, text: bool = False) -> list[dict[str, str]]:
    """What is said of values that are converted, in process."""
    with pytest.raises(Problem) as caught:
        convert(OPERATIONS[operation], values, text=text)
    assert caught.value.code == "invalid", values
    return errors_of({"detail": caught.value.detail, "errors": caught.value.errors})


def test_each_member_of_each_body() -> None:
    tried = list(bodies())
    assert len(tried) > 300 and len({one.operation for one in tried}) > 20
    for one in tried:
        assert [fault["pointer"] for fault in refusal(one.operation, one.values)] == [one.pointer], one


def test_each_parameter() -> None:
    tried = list(numbers())
    assert len(tried) > 60
    for one in tried:
        if OPERATIONS[one.operation].method in ("GET", "DELETE"):
            assert [fault["pointer"] for fault in refusal(one.operation, one.values, text=True)] == [one.pointer], one


async def said(who: Person, operation: str, **values: Any) -> list[dict[str, str]]:
    with pytest.raises(Refusal) as caught:
        await who.do(operation, **values)
    return errors_of(caught.value.problem)


def at(via: Via, place: str, expected: str, actual: str, *, parameter: bool = False) -> dict[str, str]:
    """An entry of ``errors``: over RPC all are members."""
    if parameter and via == "http":
        return {"parameter": place.removeprefix("/"), "expected": expected, "actual": actual}
    return {"pointer": place, "expected": expected, "actual": actual}


async def test_over_both_ways(ada: Person, via: Via) -> None:
    """Some of each operation of people's: the way says where a place is."""
    seen: set[str] = set()
    for one in [*bodies(), *numbers()]:
        row = OPERATIONS[one.operation]
        if (row.permission, row.limit) != ("user", None) or one.operation in seen:
            continue
        seen.add(one.operation)
        errors = await said(ada, one.operation, **one.values)
        place = "parameter" if one.parameter and via == "http" else "pointer"
        assert [fault[place] for fault in errors] == [one.pointer.removeprefix("/" if place == "parameter" else "")], (
            one
        )
    assert len(seen) > 25


@pytest.mark.parametrize(
    ("content", "type", "pointer", "expected", "actual"),
    [
        ({"text": ""}, "text", "/content/text", "a string of 1 to 2000 characters", "a string of 0 characters"),
        ({"text": 5}, "text", "/content/text", "a string of 1 to 2000 characters", "5"),
        ({"text": " "}, "text", "/content/text", "a text that shows something", "1 character that do not"),
        ({}, "text", "/content/text", "a string of 1 to 2000 characters", "nothing"),
        ({"url": "cat.png"}, "image", "/content/url",
         "an address such as https://example.org/cat.png, of at most 2000 characters", "a string of 7 characters"),
        ({"url": "https://a.b/c", "width": 0}, "image", "/content/width", "an integer of 1 to 100000 or null", "0"),
        ({"url": "https://a.b/c", "name": "c", "siz": 3}, "file", "/content/siz",
         "no member of this name (did you mean size?)", "a number"),
        (None, "text", "/content", "an object", "null"),
        ("Hello", "text", "/content", "an object", "a string of 5 characters"),
    ],
)  # fmt: skip
async def test_content(
    ada: Person, via: Via, content: Any, type: str, pointer: str, expected: str, actual: str
) -> None:
    room = await ada.group()
    errors = await said(ada, "messages.send", room=room, type=type, content=content, client_id="a1")
    assert errors == [at(via, pointer, expected, actual)]


async def test_all_that_is_wrong_is_told_at_once(ada: Person, via: Via) -> None:
    room = await ada.group()
    errors = await said(ada, "messages.send", room=room, type="video", contents={}, client_id="a b", data=[])
    assert errors == [
        at(via, "/type", "one of action, custom, file, image, text", '"video"'),
        at(via, "/content", "an object", "nothing"),
        at(via, "/data", "an object", "an array of 0 items"),
        at(via, "/client_id", "a string of 1 to 128 printable ASCII characters without spaces, or null",
           "a string of 3 characters"),
        at(via, "/contents", "no member of this name (did you mean content?)", "an object of 0 members"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("operation", "values", "name", "expected", "actual"),
    [
        ("users.find", {"name": "a", "limit": "300"}, "limit", "an integer of 1 to 200", '"300"'),
        ("users.find", {"name": "a", "limt": "3"}, "limt", "no parameter of this name (did you mean limit?)",
         "a string of 1 character"),
        ("users.find", {"name": "a", "cursor": "x"}, "cursor", "`next` of an earlier page of this operation",
         "another string"),
        ("messages.search", {"text": "a", "since": "yesterday"}, "since", "a time such as 2026-11-28T09:00:00Z",
         '"yesterday"'),
        ("messages.search", {"text": "a", "since": "2026-02-30T09:00:00Z"}, "since",
         "a time such as 2026-11-28T09:00:00Z", '"2026-02-30T09:00:00Z"'),
        ("presence.get", {"users": "a", "users_": "1"}, "users_",
         "no parameter of this name (did you mean users?)", "a string of 1 character"),
    ],
)  # fmt: skip
async def test_parameters(
    ada: Person, via: Via, operation: str, values: dict[str, Any], name: str, expected: str, actual: str
) -> None:
    if via == "rpc":
        expected = expected.replace("parameter of", "member of")
    with pytest.raises(Refusal) as caught:
        await ada.do(operation, **values)
    assert errors_of(caught.value.problem) == [at(via, f"/{name}", expected, actual, parameter=True)]
    assert caught.value.problem["detail"] == f"{name}: expected {expected}, got {actual}"


@pytest.mark.parametrize(
    ("operation", "name", "more"),
    [
        ("users.find", "ids", {}), ("users.find", "ids", {"as_of": "2026-11-28T09:00:00Z"}),
        ("visuals.list", "ids", {}), ("visuals.list", "ids", {"as_of": "2026-11-28T09:00:00Z"}),
        ("presence.get", "users", {}),
    ],
)  # fmt: skip
async def test_lists_of_ids(ada: Person, via: Via, operation: str, name: str, more: dict[str, str]) -> None:
    """A hundred different ids, however often each is named."""
    ids = ["x"] * 101 + [f"id-{n}" for n in range(99)]
    assert await ada.do(operation, **{name: ",".join(ids)}, **more)
    fault = at(via, f"/{name}", "at most 100 different ids", "101", parameter=True)
    assert await said(ada, operation, **{name: ",".join([*ids, "id-99"])}, **more) == [fault]


@pytest.mark.parametrize(
    ("fields", "pointer"),
    [
        ({"username": "ad"}, "/username"), ({"username": "system"}, "/username"), ({"username": "___"}, "/username"),
        ({"name": "  "}, "/name"), ({"name": "a\u202eb"}, "/name"), ({"email": "ada"}, "/email"),
        ({"email": "ada@localhost"}, "/email"), ({"password": "hunter2"}, "/password"),
        ({"password": 12345678}, "/password"),
        ({"data": {"last_login": "x"}}, "/data/last_login"), ({"added_by": "whoever"}, "/added_by"),
    ],
)  # fmt: skip
async def test_a_form_knows_its_field(world: World, fields: dict[str, Any], pointer: str) -> None:
    with pytest.raises(Refusal) as caught:
        await world.call("users.register", {"username": "ada-of-forms", **fields})
    (error,) = errors_of(caught.value.problem)
    assert error["pointer"] == pointer, caught.value.problem
    assert "hunter2" not in str(caught.value.problem) and "12345678" not in str(caught.value.problem)


async def test_a_form_is_told_all_at_once(world: World) -> None:
    fields = {"username": "___", "name": " a", "email": "ada", "data": {"last_login": "never"}}
    with pytest.raises(Refusal) as caught:
        await world.call("users.register", fields)
    pointers = [one["pointer"] for one in errors_of(caught.value.problem)]
    assert pointers == ["/username", "/name", "/email", "/data/last_login"]
    assert caught.value.problem["detail"].endswith("; and 1 more")


async def test_who_was_first_is_said_of_the_field(world: World) -> None:
    ada = await world.person("ada", email="ada.first@example.org")
    for fields, pointer in (
        ({"username": ada.username.upper()}, "/username"),
        ({"email": "ada.first@example.org"}, "/email"),
    ):
        for more in ({}, {"password": "correct horse"}):
            with pytest.raises(Refusal) as caught:
                await world.call("users.register", {"username": "ada-the-second", **fields, **more})
            assert [one["pointer"] for one in errors_of(caught.value.problem)] == [pointer]
            assert caught.value.code == "taken" and caught.value.problem.keys() <= {
                "type", "title", "status", "detail", "errors", "request_id",
            }  # fmt: skip


@pytest.mark.parametrize(
    ("body", "actual"),
    [
        (b'{"name":\n "ada",}', "trailing comma in object at line 2, column 8"),
        (b'{"name" 1}', "something else than ':' at line 1, column 9"),
        (b'{"name":"\xc3\xa9", "a":\xff}', "a byte that is no UTF-8 at line 1, column 18"),
        (b'{"name":', "an end in the midst of a value at line 1, column 9"),
        (b"[1, 2]", "an array of 2 items"),
    ],
)
async def test_what_is_no_json(world: World, body: bytes, actual: str) -> None:
    answer = await world.request("POST", "/v1/users", body=body)
    assert answer.refusal().code == "malformed"
    (error,) = errors_of(answer.json())
    assert error["pointer"] == "" and error["actual"] == actual


def test_the_words_are_true() -> None:
    beyond = {"room": "r", "before": "9" * 26}
    (fault,) = refusal("rooms.history", beyond, text=True)
    assert fault["expected"] == f"an integer of 0 to {2**63 - 1}"
    # Null is not one of the characters.
    (fault,) = refusal("users.change", {"name": "a\n"})
    assert fault["expected"] == "a string of 1 to 100 characters, none of them a control character, or null"
    (fault,) = refusal("users.change", {"username": "ada"})
    assert fault["expected"] == "no member of this name"


async def test_of_two_names_neither_is_given(ada: Person, via: Via) -> None:
    room = await ada.group()
    if via == "rpc":
        errors = await said(ada, "messages.send", room=room, content={"text": "x"})
        assert errors == [at(via, "/client_id", "one, or the header Idempotency-Key", "nothing")]
    assert {one["actual"] for one in await said(ada, "users.find")} == {"nothing"}
    assert {one["actual"] for one in await said(ada, "sessions.open", password="correct horse")} == {"nothing"}


async def test_a_direct_room_says_what_is_not_done_in_it(ada: Person, bob: Person) -> None:
    room = await ada.direct(bob)
    with pytest.raises(Refusal) as caught:
        await ada.do("rooms.archive", room=room)
    assert caught.value.problem["detail"] == (
        "expected a room of several people; in a direct one neither of the two may do this"
    )
    with pytest.raises(Refusal) as caught:
        await ada.do("members.remove", room=room, user=bob.id)
    assert caught.value.problem["detail"] == (
        "expected oneself; in a direct room each of the two may do this to no other"
    )


async def test_headers(world: World) -> None:
    ada = await world.person("ada")
    answer = await world.request(
        "PATCH", "/v1/users/me", token=ada.token, body=b"{}", headers={"Idempotency-Key": "a b"}
    )
    assert [one["header"] for one in errors_of(answer.json())] == ["Idempotency-Key"]
    answer = await world.request("GET", "/v1/users/me", token=ada.token, headers={"Klatsch-Position": "here"})
    for text in ("here", "elsewhere/0/1", "it's/0/1"):
        answer = await world.request("GET", "/v1/users/me", token=ada.token, headers={"Klatsch-Position": text})
        (error,) = errors_of(answer.json())
        assert (error["header"], error["actual"]) == ("Klatsch-Position", f'"{text}"')
        assert answer.json()["detail"] == f"Klatsch-Position: expected {error['expected']}, got {error['actual']}"
    socket = await world.socket(ada.token)
    for member, value in (("idempotency_key", "a b"), ("idempotency_key", 1), ("position", "here"), ("position", [])):
        reply = await socket.command("rpc", {"method": "users.change", "data": {member: value}})
        assert [one["pointer"] for one in errors_of(reply["error"]["problem"])] == [f"/{member}"]
        assert reply["error"]["problem"]["detail"].startswith(f"{member}: expected ")
    reply = await socket.command("rpc", {"method": "it's"})
    assert 'got "it\'s"; see the reference' in reply["error"]["problem"]["detail"]


async def test_of_a_direct_room_the_member_is_named(ada: Person, bob: Person, via: Via) -> None:
    room = await ada.direct(bob)
    errors = await said(ada, "rooms.change", room=room, name="Tea", description="Of it", settings={"posting": "admins"})
    what = "none, as a direct room has data and custom only"
    assert errors == [at(via, f"/{name}", what, "one that differs") for name in ("name", "description", "settings")]


TIMES = [
    "2026-11-28T09:00:00Z", "2026-11-28T09:00:00.5Z", "2026-11-28T09:00:00.123456789Z", "2026-11-28t09:00:00z",
    "2026-11-28T10:00:00+01:00", "2026-11-28T09:00:00-00:00", "2026-11-28T09:00:00.000Z",
]  # fmt: skip


@pytest.mark.parametrize("time", TIMES)
async def test_times_are_taken_as_they_are_written(ada: Person, time: str) -> None:
    room = await ada.group()
    for operation, values in (
        ("messages.search", {"text": "a", "since": time, "until": time}),
        ("messages.read", {"room": room, "since": time}),
    ):
        assert await ada.do(operation, **values)
