"""``schemas/asyncapi.json``: the topics and the push connection, as AsyncAPI 3.0 describes them."""

from __future__ import annotations

import json
from typing import Any

from events.core.records import EventType
from events.registry import REGISTRY
from infra.base import kafka
from infra.base.settings import Settings
from infra.ops.generate import answers, contents, contracts
from infra.ops.generate.files import json_text
from infra.ops.generate.portable import portable
from infra.ops.generate.topics import ABOUT, EVENT_TOPICS, READERS_RULE
from infra.ops.generate.version import VERSION
from projectors.views.rooms import GONE as GONE_ROOM

#: Extension of an event: the fields of its room that become what its fields of the same names say.
SETS = "x-klatsch-sets"
#: Extension of the room: what a deleted one shows besides what is left of it.
GONE = "x-klatsch-gone"
_HEADERS = {
    "type": "object",
    "properties": {
        "term": {"type": "string", "pattern": "^[0-9]+$", "description": "Offset of the writer's `log.opened`."},
        "opened": {"const": "log.opened", "description": "Only on `log.opened`, instead of `term`."},
        "content-type": {"type": "string"},
    },
}


def text() -> str:
    """The document as it stands in its file."""
    return json_text(document())


def document() -> dict[str, Any]:
    """The AsyncAPI document of an installation with the prefix ``klatsch``."""
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Klatsch: topics and push",
            "version": VERSION,
            "description": "The log, for those who read it with their own tools, and what clients receive. "
            f"Names have the prefix of the installation (`klatsch`).\n\n{READERS_RULE}",
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": "application/cloudevents+json",
        "servers": {
            "kafka": {"host": "127.0.0.1:8410", "protocol": "kafka", "description": "`KLATSCH_KAFKA`"},
            "push": {"host": "127.0.0.1:8400", "protocol": "ws", "description": "The API's address."},
        },
        "channels": {**{topic: _topic(topic) for topic in EVENT_TOPICS}, "feed": _feed(), "connection": _connection()},
        "operations": _operations(),
        "components": {"messages": _messages(), "schemas": _schemas()},
    }


def _rows(topic: str) -> list[EventType]:
    return [row for row in REGISTRY.events.values() if topic in row.topics]


def _topic(topic: str) -> dict[str, Any]:
    return {
        "address": f"klatsch.{topic}",
        "title": topic,
        "description": f"{ABOUT[topic]} {READERS_RULE}",
        "servers": [{"$ref": "#/servers/kafka"}],
        "messages": {row.name: {"$ref": f"#/components/messages/{row.name}"} for row in _rows(topic)},
        "bindings": {"kafka": _kafka_binding(topic)},
    }


def _kafka_binding(topic: str) -> dict[str, Any]:
    spec = next(spec for spec in kafka.topic_specs(Settings()) if spec.topic == f"klatsch.{topic}")
    settings = spec.settings
    return {
        "topic": spec.topic,
        "partitions": spec.partitions,
        "replicas": Settings().replication,
        "topicConfiguration": {
            "cleanup.policy": settings["cleanup.policy"].split(","),
            "retention.ms": int(settings["retention.ms"]),
            "retention.bytes": int(settings["retention.bytes"]),
            "max.message.bytes": int(settings["max.message.bytes"]),
        },
        "bindingVersion": "0.5.0",
    }


def _feed() -> dict[str, Any]:
    return {
        "address": "klatsch.feed",
        "title": "feed",
        "description": ABOUT["feed"],
        "servers": [{"$ref": "#/servers/kafka"}],
        "messages": {"feed.record": {"$ref": "#/components/messages/feed.record"}},
        "bindings": {"kafka": _kafka_binding("feed")},
    }


def _connection() -> dict[str, Any]:
    return {
        "address": "/v1/connection",
        "title": "push connection",
        "description": "The Centrifuge client protocol, as JSON or protobuf. A client is subscribed by the server to "
        "`user:<own id>`; each publication's `data` is a delta. RPC methods are the operations of the API.",
        "servers": [{"$ref": "#/servers/push"}],
        "messages": {"delta": {"$ref": "#/components/messages/delta"}},
        "bindings": {"ws": {"method": "GET", "bindingVersion": "0.1.0"}},
    }


def _operations() -> dict[str, Any]:
    def of(channel: str, action: str, summary: str) -> dict[str, Any]:
        return {"action": action, "channel": {"$ref": f"#/channels/{channel}"}, "summary": summary}

    found = {
        f"{topic}.append": of(topic, "send", "The shard's owner appends a command's events.") for topic in EVENT_TOPICS
    }
    found["feed.append"] = of("feed", "send", "The feed projector says who is to receive what.")
    found["connection.deliver"] = of("connection", "send", "A client receives what concerns it.")
    return found


def _messages() -> dict[str, Any]:
    found = {
        row.name: {
            "name": row.name,
            "title": row.name,
            "summary": row.about,
            "contentType": "application/cloudevents+json",
            "headers": {"$ref": "#/components/schemas/Headers"},
            "payload": {
                "allOf": [
                    {"$ref": "#/components/schemas/Envelope"},
                    {
                        "properties": {
                            "type": {"const": row.name},
                            "data": {"$ref": f"#/components/schemas/{row.name}"},
                        }
                    },
                ]
            },
            "bindings": {"kafka": {"key": {"type": "string", "description": "The stream."}, "bindingVersion": "0.5.0"}},
            "examples": [{"name": "golden", "payload": contracts.golden(row)["value"]}],
        }
        for row in REGISTRY.events.values()
    }
    found["feed.record"] = {
        "name": "feed.record",
        "summary": "Deltas, each with those who are to receive it.",
        "contentType": "application/json",
        "headers": {"$ref": "#/components/schemas/Headers"},
        "payload": {"$ref": "#/components/schemas/FeedRecord"},
    }
    found["delta"] = {
        "name": "delta",
        "summary": "The event as its recipient may see it.",
        "contentType": "application/json",
        "payload": {"$ref": "#/components/schemas/Delta"},
    }
    return found


def _schemas() -> dict[str, Any]:
    item = {
        "type": "array",
        "description": "Recipients, then the delta as they receive it.",
        "prefixItems": [{"type": "array", "items": {"type": "string"}}, {"$ref": "#/components/schemas/Delta"}],
        "minItems": 2,
        "maxItems": 2,
    }
    record = {"type": "object", "properties": {"items": {"type": "array", "items": item}}, "required": ["items"]}
    events = {row.name: _event(row) for row in REGISTRY.events.values()}
    names = (
        "User", "Room", "RoomSettings", "Member", "RoomMember", "Invitation", "Relationship", "Delta", "CustomContent",
    )  # fmt: skip
    views = {name: answers.components()[name] for name in names}
    views |= {**contents.messages(answers.components()["Message"]), **contents.shown()}
    views = portable(views)
    # Values, which are not to be read as a schema.
    views["Room"][GONE] = GONE_ROOM
    return {"Headers": _HEADERS, "Envelope": _embedded(contracts.envelope()), **events, "FeedRecord": record, **views}


def _event(row: EventType) -> dict[str, Any]:
    schema = _embedded(contracts.event(row))
    return {**schema, SETS: list(row.sets)} if row.sets else schema


def _embedded(schema: dict[str, Any]) -> dict[str, Any]:
    """Without what only a document of its own has."""
    found: dict[str, Any] = json.loads(json.dumps(schema))
    for name in ("$schema", "$id"):
        found.pop(name, None)
    return found
