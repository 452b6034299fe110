"""What operations answer: the schema of every view, from the view's own keys and the entity's types and comments."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from events.apps import App, AppKey, AppSettings
from events.core.clock import Time
from events.core.feed import Delta
from events.core.records import Entity
from events.plans import Plan, PlanLimits
from events.rooms import Room, RoomSettings
from events.visuals import Visual
from infra.ops.generate import comments, contents, shapes
from infra.ops.generate.shapes import Schema, nullable
from producers.apps import ApiKey, AppSettingsPatch
from producers.plans import GivenLimits
from producers.rooms import SettingsPatch
from producers.visuals import EmotionData
from projectors.views import VIEWS

VERSION_ABOUT = "Offset of the latest event; of two views of one thing keep the one with the higher version."

_PLAIN: dict[str, Schema] = {
    "string": {"type": "string"},
    "integer": {"type": "integer"},
    "boolean": {"type": "boolean"},
    "object": {"type": "object"},
    "time": shapes.of_type(Time),
    "cursor": nullable(
        {"type": "string", "description": "Send it as `cursor` for the next page; null: the last page."}
    ),
    "onward": nullable(
        {"type": "string", "description": "Send it as `cursor` for the page in this direction; null: the end."}
    ),
    "archived": {
        "type": "boolean",
        "description": "Whether the page goes on into, or across, months that an operator has archived.",
    },
    "socket": nullable(
        {
            "type": "string",
            "description": "Where browsers connect, by WebSocket: `wss://…/v1/channels/7/connect`. null: the "
            "server has none.",
        }
    ),
    "peer": nullable({"type": "string", "description": "The other person of a direct room."}),
    "vector": {
        "type": "object",
        "description": "Next offset of each shard (`rooms/3`): every event below it is in the snapshot.",
        "additionalProperties": {"type": "integer"},
    },
}

#: Members of answers that may be null or missing, by operation.
_NULL = {
    ("rooms.get", "message"),
    ("members.add", "invitation"),
    ("apps.limits", "plan"),
    ("relationships.set", "relationship"),
    ("relationships.remove", "relationship"),
    ("rooms.history", "before"),
    ("console.figures", "parked"),
    ("console.figures", "stores"),
    ("console.figures", "rebuild"),
}
_OPTIONAL = {
    ("changes.pull", "snapshot"),
    # Of the first page.
    *(("sync.get", name) for name in ("cursor", "epoch", "me")),
}


#: Fields of entities that views call otherwise, as an entity's ``kind`` is its class.
_FIELD = {"kind": "account"}


def reference(name: str) -> Schema:
    """A reference to a component."""
    return {"$ref": f"#/components/schemas/{name}"}


def components() -> dict[str, Schema]:
    """All components by name."""
    return {**{name: view(*row) for name, row in VIEWS.items()}, **_composed()}


def view(make: Callable[[Any], dict[str, Any]], entity: type[Entity]) -> Schema:
    """The schema of what a view function gives."""
    shown = make(shapes.sample_of(entity))
    whole = shapes.of_struct(entity)
    properties = {name: dict(whole["properties"][_FIELD.get(name, name)]) for name in shown}
    if "version" in properties:
        properties["version"]["description"] = VERSION_ABOUT
    if entity is Visual:
        properties["emotion_data"] |= shapes.of_type(EmotionData)
    if entity is Room:
        properties["settings"] = reference("RoomSettings")
    if entity is Plan:
        properties["limits"] = reference("PlanLimits")
    if entity is App:
        properties["settings"] = reference("AppSettings")
        properties["keys"] = {
            **_list(reference("AppKey")),
            "description": "The API keys, the oldest first: none, one, or two after a roll.",
        }
    return _object(
        properties, comments.docstring(make) if isinstance(make, type) else comments.plain(make.__doc__ or "")
    )


def _object(properties: dict[str, Schema], about: str, optional: tuple[str, ...] = ()) -> Schema:
    required = [name for name in properties if name not in optional]
    words = {"description": comments.sentence(about)} if about else {}
    return {"type": "object", **words, "properties": properties, "required": required}


def _composed() -> dict[str, Schema]:
    entry: dict[str, Schema] = {
        "room": reference("Room"),
        "member": nullable(reference("Member")),
        "unread": {
            "type": "integer",
            "description": "Messages that you have not read: `seq` of the room - your `read`; deleted ones count.",
        },
        "message": nullable(reference("Message")),
        "peer": _PLAIN["peer"],
    }
    snapshot: dict[str, Schema] = {
        "cursor": {"type": "integer", "description": "Where deltas continue, as offset of the push protocol."},
        "epoch": {"type": "string", "description": "Incarnation of the feed that the cursor belongs to."},
        "vector": _PLAIN["vector"],
        "me": reference("Self"),
        "relationships": _list(reference("Relationship")),
        "friend_of": _list(reference("Relationship")),
        "invitations": _list(reference("Invitation")),
        "rooms": _list(reference("Entry")),
        "users": _list(reference("User")),
        "next": _PLAIN["cursor"],
    }
    found: dict[str, Schema] = {
        "room": reference("Room"),
        "joined": {"type": "boolean", "description": "Whether you are in it."},
    }
    result: dict[str, Schema] = {
        "result": {"enum": ["done", "unchanged", "refused"]},
        "position": {"type": "string", "description": "Where the last event stands, when done."},
        "code": {"type": "string", "description": "Why it was refused."},
        "detail": {"type": "string"},
    }
    pinned: dict[str, Schema] = {
        "pin": reference("Pin"),
        "message": {**nullable(reference("Message")), "description": "null: of a month that an operator has archived."},
    }
    presence: dict[str, Schema] = {
        "user": {"type": "string"},
        "status": {"enum": ["online", "away", "offline"], "description": "`offline` also if you may not know."},
        "active": {
            **nullable(_PLAIN["time"]),
            "description": "Last activity, as of the latest change; for somebody offline, when they were last seen. "
            "null: never, or you may not know; in signals (push) for everybody offline.",
        },
        "room": {**nullable(_PLAIN["string"]), "description": "The room that they show, if you are in it too."},
    }
    emotion: dict[str, Schema] = {
        "message": {"type": "string"},
        "result": {"enum": ["set", "refused"]},
        "shown": {
            "type": "boolean",
            "description": "Whether the author's visual can show it: only then do people see it.",
        },
        "code": {"type": "string", "description": "Of a refusal, as in a problem document."},
        "detail": {"type": "string"},
    }
    inside: dict[str, Schema] = {
        "id": {"type": "string", "description": "The username."},
        "name": {"type": "string", "description": "The shown name."},
        "number": {
            **nullable(_PLAIN["integer"]),
            "description": "`user_id` of what they say in live channels, the same in all of them and for ever. null: "
            "they have never listened here.",
        },
    }
    channel: dict[str, Schema] = {
        **view(*VIEWS["Channel"])["properties"],
        "users": {
            **_list(reference("ChannelUser")),
            "description": "Who is in it, as its server has reported, without those with whom you have a block.",
        },
    }
    server: dict[str, Schema] = {
        "id": {"type": "string"},
        "address": {"type": "string", "description": "Where to connect: `host:port`."},
        "name": {"type": "string"},
    }
    upserted: dict[str, Schema] = {
        "external_id": {"type": "string"},
        "user": {**nullable(reference("Self")), "description": "null: there is a `problem`."},
        "problem": {**nullable(reference("Problem")), "description": "Why nothing of it was stored; null: it was."},
    }
    erasure: dict[str, Schema] = {
        "user": {"type": "string"},
        "since": _PLAIN["time"],
        "messages": {"enum": ["keep", "hide"], "description": "Whether what they have said stays, or is deleted."},
        "rooms": {"type": "integer", "description": "In how many rooms they were, which they leave."},
        "hidden": {"type": "integer", "description": "Messages that were deleted, as last noted."},
        "done": {**nullable(_PLAIN["time"]), "description": "null: something is left to do."},
    }
    app_limit: dict[str, Schema] = {
        "limit": {"enum": list(PlanLimits.__struct_fields__)},
        "most": {**nullable(_PLAIN["integer"]), "description": "What the plan allows; null: as much as it wants."},
        "used": {**nullable(_PLAIN["integer"]), "description": "How much there is; null: it is not counted."},
        "reset": {**nullable(_PLAIN["integer"]), "description": "Seconds until it begins anew; null: it does not."},
    }
    current: Schema = {"type": "boolean", "description": "The one in use."}
    session = {**view(*VIEWS["Session"])["properties"], "current": current}
    return {
        "OwnSession": _object(session, "A log-in of yours."),
        "Entry": _object(entry, "A room in a list, with your membership and the last message."),
        "FoundRoom": _object(found, "A room that a search found."),
        "FoundMessage": _object(
            {"message": reference("Message"), "highlights": _list(_range())}, "A message that a search found."
        ),
        "MemberWithUser": _object(
            {"member": reference("RoomMember"), "user": reference("User")}, "A member's profile."
        ),
        "AddedMember": _object(
            view(*VIEWS["Member"])["properties"],
            "Who came in: without `notifications`, unless it is you.",
            ("notifications",),
        ),
        "PinnedMessage": _object(pinned, "A pinned message of a room."),
        "ChannelNow": _object(channel, "A live channel with who is in it."),
        "ChannelUser": _object(inside, "Somebody who is in a live channel."),
        "ChannelServer": _object(server, "A server of live channels."),
        "Presence": _object(presence, "Whether the user is there."),
        "Delta": delta(),
        "Change": change(),
        "Snapshot": _object(snapshot, "Everything that concerns you, as of `vector`, or the first page of it."),
        "ImportResult": _object(result, "The result of one order.", ("position", "code", "detail")),
        "Erasure": _object(erasure, "What has become of an erased account."),
        "UpsertedUser": _object(upserted, "What came of one user of a request."),
        "EmotionResult": _object(emotion, "The result of one emotion.", ("shown", "code", "detail")),
        "RoomSettings": {**shapes.of_struct(RoomSettings), "required": list(RoomSettings.__struct_fields__)},
        "RoomSettingsChange": shapes.of_struct(SettingsPatch),
        "AppLimit": _object(app_limit, "A limit of an application's plan."),
        "AppKey": _object(_app_key(), "An API key of an application."),
        "Receipt": _object(_receipt(), "What was removed of an erased application, and what is left."),
        "AppSettings": {**shapes.of_struct(AppSettings), "required": list(AppSettings.__struct_fields__)},
        "AppSettingsChange": shapes.of_struct(AppSettingsPatch),
        "PlanLimits": {**shapes.of_struct(PlanLimits), "required": list(PlanLimits.__struct_fields__)},
        "GivenPlanLimits": shapes.of_struct(GivenLimits),
        **contents.contents(),
        "Problem": problem(),
    }


def _app_key() -> dict[str, Schema]:
    """What is shown of a key: without what names its secret."""
    shown = shapes.of_struct(AppKey)["properties"]
    return {"key": shapes.of_type(ApiKey), "since": shown["since"], "until": shown["until"]}


def _receipt() -> dict[str, Schema]:
    count: Schema = {"type": "integer"}
    left: dict[str, Schema] = {
        "topic": {"type": "string", "description": "Its name, without the installation's prefix."},
        "events": {**nullable(count), "description": "How many events of the application it has. null: not counted."},
        "until": {
            **nullable(_PLAIN["time"]),
            "description": "When the last of them is deleted, at the latest. null: never while the topic is there; of "
            "the feed, as long as rows are being removed.",
        },
    }
    return {
        "app": {"type": "string"},
        "name": {"type": "string"},
        "reason": {**nullable(_PLAIN["string"]), "description": "Why, as the operator said it."},
        "by": {**nullable(_PLAIN["string"]), "description": "Who erased it. null: the read models do not have it yet."},
        "erased": {**nullable(_PLAIN["time"]), "description": "When. null: the read models do not have it yet."},
        "cleared": {
            **nullable(_PLAIN["time"]),
            "description": "When the last row was gone. null: they are being removed.",
        },
        "rows": {
            "type": "object", "additionalProperties": count,
            "description": "How many rows went, by table; `credentials` are passwords and secrets. So far, while they "
            "are being removed.",
        },
        "log": {**_list(_object(left, "What one topic has.")), "description": "What is left in Kafka."},
    }  # fmt: skip


def delta() -> Schema:
    """What a client receives."""
    schema = shapes.of_struct(Delta)
    schema["properties"]["data"] = {
        "type": "object", "description": "The event's payload as you may see it; its fields: the reference of events.",
    }  # fmt: skip
    schema["properties"]["include"] = {
        "type": "object",
        "description": schema["properties"]["include"].get("description", ""),
        "properties": {
            "user": reference("User"), "users": _list(reference("User")), "room": reference("Room"),
            "member": reference("Member"), "message": nullable(reference("Message")),
            "invitation": reference("Invitation"), "joined": reference("RoomMember"), "restored": reference("Message"),
            "friend_of": reference("Relationship"), "peer": nullable({"type": "string"}),
        },
    }  # fmt: skip
    schema["properties"]["position"]["description"] = "Where the event stands: `rooms/3/1234`."
    return schema


def change() -> Schema:
    """An event of a room's history: a delta without what comes along."""
    whole = delta()
    properties = {name: schema for name, schema in whole["properties"].items() if name not in ("include", "deleted")}
    return _object(properties, "An event of a room's history.")


def problem() -> Schema:
    """A problem document (RFC 9457)."""
    properties: dict[str, Schema] = {
        "type": {"type": "string", "description": "`urn:klatsch:problem:` and the code; stable."},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "What was expected, and what was found."},
        "errors": {
            **_list(_fault()),
            "description": "Each wrong place of the request, at most twenty; if known.",
        },
        "retry_after": {"type": "number", "description": "Seconds to wait before trying again."},
        "limit": {"type": "string", "description": "The limit that was met: of calls, or of the application's plan."},
        "most": {"type": "integer", "description": "How much it allows."},
        "used": {"type": "integer", "description": "How much there is."},
        "reset": {"type": "integer", "description": "Seconds until it is whole again, where time alone does it."},
        "request_id": {
            "type": "string",
            "description": "As in the header `X-Request-Id`: the operator finds it in the log.",
        },
    }
    return _object(
        properties, "What went wrong (RFC 9457).", ("errors", "retry_after", "limit", "most", "used", "reset")
    )


def _fault() -> Schema:
    """One of a problem's errors: one of three members says where."""
    words = {
        "pointer": "Where in the body (RFC 6901), or in the data of an RPC: `/content/text`. Empty: all of it.",
        "parameter": "The parameter of the path or the query.",
        "header": "The header.",
        "expected": "What was expected there, for people: `a string of 1 to 2000 characters`.",
        "actual": "What was found: its kind and size, seldom itself, never a password or token. `nothing`: no member.",
    }
    properties: dict[str, Schema] = {name: {"type": "string", "description": text} for name, text in words.items()}
    return _object(properties, "", ("pointer", "parameter", "header"))


def _range() -> Schema:
    """A place in a text."""
    about = "From and to, in code points of the message's text (an image's alt, a file's name)."
    return {"type": "array", "description": about, "items": {"type": "integer"}, "minItems": 2, "maxItems": 2}


def _list(items: Schema) -> Schema:
    return {"type": "array", "items": items}


def answer(operation: str, returns: dict[str, str]) -> Schema:
    """The schema of an operation's answer."""
    properties = {name: _member(operation, name, kind) for name, kind in returns.items()}
    optional = tuple(name for name in properties if (operation, name) in _OPTIONAL)
    return _object(properties, "", optional)


def _member(operation: str, name: str, kind: str) -> Schema:
    if (operation, name) == ("rooms.find", "rooms"):
        return _list({"oneOf": [reference("Entry"), reference("FoundRoom")]})
    if (operation, name) == ("rooms.history", "changes"):
        return _list(reference("Change"))
    if (operation, name) == ("members.add", "member"):
        return {**nullable(reference("AddedMember")), "description": "null: they are only invited."}
    listed = kind.startswith("[")
    kind = kind.strip("[]")
    schema = _PLAIN[kind] if kind in _PLAIN else reference(kind)
    if listed:
        schema = _list(schema)
    return nullable(schema) if (operation, name) in _NULL else schema


def request_fields(request: type[msgspec.Struct]) -> tuple[dict[str, Schema], list[str]]:
    """Schemas of a request's members, and the names of those that must be there."""
    schema = shapes.of_struct(request)
    return schema.get("properties", {}), schema.get("required", [])
