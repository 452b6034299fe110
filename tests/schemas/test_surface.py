"""The OpenAPI and AsyncAPI documents are valid and complete, and the reference has a line for everything.
Tests ``infra/ops/generate/openapi.py``, ``infra/ops/generate/asyncapi.py`` and ``infra/ops/generate/reference/``."""

from __future__ import annotations

import json
import re
from typing import Any

import jsonschema
import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator
from starlette.applications import Starlette
from starlette.types import Message

from api.core.operation import Operation
from api.docs import routes
from api.registry import all_operations
from api.support.problems import PROBLEMS
from events.core.positions import parse_vector
from events.registry import REGISTRY
from infra.base.kafka import topic_specs
from infra.base.settings import Settings
from infra.ops.generate import comments, outcomes
from infra.ops.generate.files import ROOT
from producers.registry import COMMANDS_BY_NAME

OPERATIONS = {operation.name: operation for operation in all_operations()}
#: Those that HTTP has.
OVER_HTTP = {name: operation for name, operation in OPERATIONS.items() if not operation.only_rpc}
#: Characters of a text below which it says nothing.
_SAYS = 10


def document(name: str) -> Any:
    return json.loads((ROOT / "schemas" / f"{name}.json").read_text())


async def get(path: str) -> tuple[dict[str, str], str]:
    """Headers and text of a page of the API's documentation."""
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "GET", "path": path, "headers": [], "query_string": b""}
    await Starlette(routes=routes())(scope, receive, send)
    assert sent[0]["status"] == 200
    return {name.decode(): value.decode() for name, value in sent[0]["headers"]}, sent[1]["body"].decode()


def reference(name: str) -> str:
    return (ROOT / "docs" / "reference" / f"{name}.md").read_text()


@pytest.mark.long
def test_openapi_is_valid() -> None:
    errors = [
        f"{list(error.absolute_path)}: {error.message}"
        for error in OpenAPIV31SpecValidator(document("openapi")).iter_errors()
    ]
    assert errors == []


@pytest.mark.parametrize("name", OVER_HTTP)
def test_openapi_has_every_operation(name: str) -> None:
    operation = OPERATIONS[name]
    found = document("openapi")["paths"][operation.path][operation.method.lower()]
    assert found["operationId"] == name
    assert found["x-klatsch-permission"] == operation.permission
    assert (found["security"] == []) == (operation.permission == "anyone")
    assert str(operation.status) in found["responses"]
    inside = {row["name"] for row in found["parameters"] if row.get("in") == "path"}
    assert inside == set(operation.path_parameters)


def test_openapi_has_nothing_else() -> None:
    names = {one["operationId"] for path in document("openapi")["paths"].values() for one in path.values()}
    assert names == {*OVER_HTTP, "stream"}


@pytest.mark.parametrize("name", OPERATIONS)
def test_every_operation_stands_in_the_reference(name: str) -> None:
    text = reference("commands")
    assert f"\n## {name}\n" in text
    assert f"| [`{name}`]" in text


#: Commands that the system gives by itself, or an operator's command line by an import, and no client.
OURS = {
    "NoteSeen", "UseSession", "RevertInRoom", "RevertOfUser", "NoteErasure", "HideMessage", "CompleteErasure",
    "CountUsage",
}  # fmt: skip


def test_every_command_is_given_by_an_operation() -> None:
    given = {command for operation in OPERATIONS.values() for command in outcomes.of(operation).commands}
    assert given == set(COMMANDS_BY_NAME) - OURS


#: What they set is a signal: told to others, and written nowhere.
SIGNALS = {"presence.set", "signals.type", "channels.watch"}
#: What they change is not the log: a token is made, rows are brought up to it, a server says that it lives.
BESIDE = {"console.renew", "console.retry", "channels.report"}


def test_what_changes_something_says_where_it_stands() -> None:
    for name, operation in OVER_HTTP.items():
        found = document("openapi")["paths"][operation.path][operation.method.lower()]
        changes = operation.method != "GET" and name not in SIGNALS | BESIDE
        assert outcomes.of(operation).changes == changes
        headers = found["responses"][str(operation.status)].get("headers", {})
        assert ("Klatsch-Position" in headers) == changes
        assert ("RateLimit" in headers) == (operation.permission != "operator")
        waits = operation.heavy or operation.has_past or "quota_used" in outcomes.of(operation).own
        assert ("429" in found["responses"]) == ("RateLimit" in headers or waits)
        assert ("503" in found["responses"]) and ("504" in found["responses"]) == changes


#: Of all that a plan bounds: the walk does not see which of them an operation asks for.
OF_PLANS = ("limit_reached", "quota_used")
#: Read by hand from the code once: what the walk through it must find.
EXPECTED = {
    "users.register": {"forbidden", "invalid", "taken", "too_large", "unauthenticated", *OF_PLANS},
    "sessions.open": {"forbidden", "unauthenticated", "rate_limited", "not_found", "invalid"},
    "messages.send": {"archived", "declined", "forbidden", "invalid", "not_found", "too_large", "too_many", *OF_PLANS},
    "messages.delete": {"archived", "forbidden", "not_found"},
    "messages.pin": {"archived", "forbidden", "not_found", "too_many"},
    "channels.listen": {"forbidden", "invalid", "not_found", "rate_limited", "too_many"},
    "channels.delete": {"forbidden", "not_found"},
    "rooms.create": {"declined", "forbidden", "invalid", "not_found", "taken", "too_large", "too_many", *OF_PLANS},
    "rooms.restore": {"not_found"},
    # What is archived can be left: that is decided where the other commands are refused for it.
    "members.remove": {"archived", "forbidden", "no_successor", "not_found"},
    "visuals.list": {"invalid"},
}


@pytest.mark.parametrize("name", EXPECTED)
def test_problems_are_found_in_the_code(name: str) -> None:
    assert set(outcomes.of(OPERATIONS[name]).own) == EXPECTED[name]


@pytest.mark.parametrize("name", REGISTRY.events)
def test_every_event_stands_in_the_reference(name: str) -> None:
    text = reference("events")
    assert f"\n## {name}\n" in text
    assert f"| [`{name}`]" in text


@pytest.mark.parametrize("code", PROBLEMS)
def test_every_problem_stands_in_the_reference(code: str) -> None:
    assert f'<a id="{code}"></a>`{code}` | {PROBLEMS[code].status} |' in reference("problems")


def test_every_topic_setting_and_metric_stands_in_the_reference() -> None:
    for spec in topic_specs(Settings()):
        assert f"| `{spec.topic}` |" in reference("topics")
    for name in Settings.__struct_fields__:
        line = next(line for line in reference("settings").splitlines() if f"| `KLATSCH_{name.upper()}` |" in line)
        assert line.split("|")[-2].strip(), f"{name} has no words: give it a #: comment"


async def test_openapi_is_served() -> None:
    _, text = await get("/openapi.json")
    assert json.loads(text) == document("openapi")


@pytest.mark.long
def test_asyncapi_is_whole() -> None:
    """Every reference leads somewhere; channels have messages; schemas are schemas; examples fit them."""
    found = document("asyncapi")
    assert found["asyncapi"].startswith("3.")
    for target in re.findall(r'"\$ref": "(#/[^"]+)"', json.dumps(found)):
        _at(found, target)
    for operation in found["operations"].values():
        assert operation["action"] in ("send", "receive")
        assert operation["channel"]["$ref"].removeprefix("#/channels/") in found["channels"]
    for message in found["components"]["messages"].values():
        schema = {**_inlined(found, message["payload"])}
        jsonschema.Draft202012Validator.check_schema(schema)
        for example in message.get("examples", ()):
            jsonschema.validate(example["payload"], schema, jsonschema.Draft202012Validator)


def test_asyncapi_has_every_event_on_its_topics() -> None:
    channels = document("asyncapi")["channels"]
    for row in REGISTRY.events.values():
        for topic in row.topics:
            assert row.name in channels[topic]["messages"]


def _at(found: Any, target: str) -> Any:
    for step in target.removeprefix("#/").split("/"):
        found = found[step]
    return found


def _inlined(found: Any, value: Any) -> Any:
    if isinstance(value, list):
        return [_inlined(found, item) for item in value]
    if not isinstance(value, dict):
        return value
    if "$ref" in value:
        return _inlined(found, _at(found, value["$ref"]))
    return {name: _inlined(found, item) for name, item in value.items()}


async def test_the_page_shows_every_operation_and_loads_nothing() -> None:
    headers, text = await get("/docs")
    assert headers["content-security-policy"].startswith("default-src 'none'")
    for name in OVER_HTTP:
        assert f'id="{name}"' in text
    assert re.findall(r'(?:src|href)="(?!#|/)[^"]*"', text) == []


def test_a_position_and_a_moment_have_patterns() -> None:
    parameters = document("openapi")["components"]["parameters"]
    position, moment = (parameters[name]["schema"]["pattern"] for name in ("Position", "AsOf"))
    for text in ("2026-11-21T08:15:30Z", "2026-11-21t08:15:30.123+01:00", "rooms/3/1235,users/1/88"):
        assert re.search(moment, text)
    for text in ("2026-11-21", "yesterday", "rooms/3", ""):
        assert not re.search(moment, text)
    for text in ("rooms/3/1235", "rooms/3/1235,users/1/88"):
        assert re.search(position, text) and parse_vector(text)
    assert not re.search(position, "0") and not re.search(position, "rooms/3")


@pytest.mark.parametrize("operation", OPERATIONS.values(), ids=lambda one: one.name)
def test_every_member_of_a_body_has_a_text(operation: Operation) -> None:
    """What a member of a path or the query means, the path and its name say."""
    if operation.method not in ("GET", "DELETE"):
        said = comments.fields(operation.request)
        own = [one for one in operation.request.__struct_fields__ if one not in operation.path_parameters]
        assert [name for name in own if len(said.get(name, "")) < _SAYS] == []
