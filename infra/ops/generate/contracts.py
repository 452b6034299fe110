"""The event contracts: a JSON Schema and a golden record of every version, and whether the past is still readable."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import msgspec

from events import channels, handles
from events.core import log
from events.core.records import DecodeError, Envelope, EventType, Record, Registry
from events.registry import REGISTRY
from infra.ops.generate import comments, compatibility, shapes
from infra.ops.generate.files import Files, json_text

ENVELOPE = "schemas/envelope.json"
_TIME = "2026-11-21T08:15:30.123Z"
_ID = "019aa000-0000-7000-8000-0000000000ff"
_USER = "7d9f3c1e-2f7b-4a62-9c5e-0d3b1a2c4e5f"
_TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
_STREAMS = {
    "users": _USER,
    "rooms": "019aa000-0000-7000-8000-000000000005",
    "handles": handles.username_handle("ada"),
    "apps": "019aa000-0000-7000-8000-000000000020",
}
#: Streams that hold all of a kind, by types of events.
_STREAMS_OF_ALL = {row.name: channels.STREAM for row in channels.ROWS if row.topics == ("rooms",)}
#: Offset of the ``log.opened`` before every golden record.
_TERM = 41


def schema_path(row: EventType, version: int | None = None) -> str:
    return f"schemas/events/{row.name}/{version or row.version}.json"


def golden_path(row: EventType, version: int | None = None) -> str:
    return f"schemas/golden/{row.name}/{version or row.version}.json"


def schemas(registry: Registry = REGISTRY) -> Files:
    """The envelope's schema, and that of the present version of each event type."""
    files = {ENVELOPE: json_text(envelope())}
    for row in registry.events.values():
        files[schema_path(row)] = json_text(event(row))
    return files


def envelope() -> dict[str, Any]:
    """The schema of a record's value, whatever its type."""
    schema = shapes.of_struct(Envelope)
    for name, value in (("specversion", "1.0"), ("datacontenttype", "application/json")):
        schema["properties"][name] = {"const": value}
    # Written always; a reader that meets a record of other origin may go without.
    schema["required"] = [name for name in schema["properties"] if name not in ("traceparent", "app", "digest", "via")]
    words = {
        "id": "Unique in the log. Events of one command share all but what follows the dot.",
        "source": "`klatsch/` and the installation's prefix.",
        "type": "Event type: a file of `schemas/events`.",
        "subject": "The stream: also the record's Kafka key. Of `log.opened`, whose key is `log`: topic and partition.",
        "time": "When it happened, UTC with milliseconds, by the clock of the process that was asked. Kafka's "
        "timestamp of the record is when it was appended: some milliseconds later; for imported history, long after.",
        "dataschema": "`urn:klatsch:event:<type>:<version>`: the version that `data` has. In one above what a reader "
        "knows it may mean something else: wait, and update the reader.",
        "actor": "Id of the user who asked for it; `system`, `operator`, or `server` for an application's own server "
        "that acts for nobody.",
        "command": "Name and idempotency key of the command, separated by a colon.",
        "app": "Id of the application to which the stream belongs, the same of all its events; `default` where none is "
        "named.",
        "via": "`app`: the application's own server asked for it, for the actor.",
        "traceparent": "W3C trace context of the request.",
        "digest": "Keyed digest of the request behind a client's key, on its command's first event: who has no secret "
        "of the installation can only compare it.",
        "data": "The event: its schema is `schemas/events/<type>/<version>.json`.",
    }
    for name, text in words.items():
        schema["properties"][name] = {"description": text, **schema["properties"][name]}
    return {"$schema": shapes.DIALECT, "$id": "urn:klatsch:envelope", "title": "Envelope", **schema}


def event(row: EventType) -> dict[str, Any]:
    """The schema of the ``data`` of an event type, at its present version."""
    schema = shapes.of_struct(row.struct)
    title = f"{row.name}, version {row.version}"
    words = {"title": title, "description": comments.plain(row.about)}
    schema.pop("description", None)
    return {"$schema": shapes.DIALECT, "$id": row.dataschema, **words, **schema}


def golden(row: EventType, registry: Registry = REGISTRY) -> dict[str, Any]:
    """One record as it stands in the log, at the type's present version."""
    topic = row.topics[0]
    opened = row.struct is log.LogOpened
    stream = f"{topic}/3" if opened else _STREAMS_OF_ALL.get(row.name, _STREAMS[topic])
    value = registry.encode(
        row.sample, id=f"{_ID}.0", source="klatsch/klatsch", stream=stream, time=_TIME, actor=_USER,
        command=f"Golden:{_ID}", traceparent=_TRACE,
    )  # fmt: skip
    headers = log.opened_headers() if opened else log.term_headers(_TERM)
    return {
        "topic": topic,
        "key": log.OPENED_KEY.decode() if opened else stream,
        "headers": {name: text.decode() for name, text in headers},
        "value": json.loads(value),
    }


def goldens(frozen: Mapping[str, str], registry: Registry = REGISTRY) -> tuple[Files, list[str]]:
    """Golden files that may still be written, and errors where a frozen one is no longer what the code writes."""
    files: Files = {}
    errors = []
    for row in registry.events.values():
        path, text = golden_path(row), json_text(golden(row, registry))
        if path not in frozen:
            files[path] = text
        elif frozen[path] != text:
            errors.append(
                f"{path}: {row.name} is written differently now, but version {row.version} is in logs already: "
                f"take the change back, or raise the row's version to {row.version + 1} and regenerate"
            )
    return files, errors


def readable(present: Mapping[str, str], registry: Registry = REGISTRY) -> list[str]:
    """Errors for golden records that the present code cannot decode or fold."""
    errors = []
    for path, text in present.items():
        sample = json.loads(text)
        try:
            record = registry.decode(msgspec.json.encode(sample["value"]), sample["topic"], 3, _TERM + 1)
            _fold(record, registry)
        except (DecodeError, KeyError, AssertionError, TypeError, ValueError) as error:
            errors.append(f"{path}: an old record can no longer be read: {type(error).__name__}: {error}")
    return errors


def _fold(record: Record, registry: Registry) -> None:
    """Folds it onto nothing, and onto entities that exist; all that it changes must be among what it names."""
    keys = registry.keys(record)
    existing = {}
    for key in keys:
        kind = registry.entities[key[0]]
        hints = shapes.sample_of(kind)
        existing[key] = msgspec.structs.replace(hints, **dict(zip(kind.key_fields, key[1:], strict=True)))
    for state in (dict.fromkeys(keys), existing):
        for key, entity in registry.fold(record, state).items():
            if entity is not None and entity.key != key:
                raise ValueError(f"the fold puts {entity.key} at {key}")


def history(before: Mapping[str, str], after: Mapping[str, str], registry: Registry = REGISTRY) -> list[str]:
    """Errors in how the schemas go on from the committed ones: nothing taken away, no version changed or skipped."""
    errors = []
    for path, text in before.items():
        if path not in after:
            errors.append(f"{path}: was removed, but such events are in logs; restore it")
        elif compatibility.changed(json.loads(text), json.loads(after[path])):
            errors.append(f"{path}: a version never changes; raise the version in the registry instead")
    for row in registry.events.values():
        for version in range(2, row.version + 1):
            old, new = after.get(schema_path(row, version - 1)), after.get(schema_path(row, version))
            if old is None or new is None:
                errors.append(f"{schema_path(row, version)}: expected it and the version before it")
                continue
            lifted = any(step.version == version - 1 for step in row.upcasters)
            found = compatibility.breaks(json.loads(old), json.loads(new), lifted=lifted)
            errors += [f"{row.name} {version - 1} -> {version}: {line}" for line in found]
    return errors
