"""Limits on what clients may send: annotated types for the fields of commands."""

from __future__ import annotations

import unicodedata
from typing import Annotated, Any

import msgspec

from events.core.faults import Fault, Path, found, pointer, wrong
from producers.commands import Refused

#: Characters that NFC makes one of, at most: a Greek letter and its three marks.
_COMPOSED = 4


def whole(pattern: str, expected: str, *, shown: bool = False, kept: int | None = None, **more: Any) -> msgspec.Meta:
    """Meta of text that is ``pattern`` from end to end; ``expected`` says it in words, limits of its length included.

    ``shown``: a refusal repeats a short text that was found. ``kept``: its most characters as it is kept, in NFC.
    Only the schema shows it: whoever composes the text counts them (``composed``).

    Python's ``$``, unlike JSON Schema's, also matches before a last line feed; the schema shows the plain pattern.
    The pattern is one that RE2 reads too, as clients have it: without ``\\u``, and it looks nowhere ahead.
    """
    schema: dict[str, Any] = {"pattern": f"^{pattern}$"}
    if kept is not None:
        schema["maxLength"] = kept
    return msgspec.Meta(
        pattern=rf"^(?:{pattern})$(?!\n)", extra_json_schema=schema, extra={"expected": expected, "shown": shown},
        **more,
    )  # fmt: skip


def _lines(most: int) -> msgspec.Meta:
    """Meta of a text of people's; line ends are allowed, other control characters are not."""
    expected = f"a string of 1 to {most} characters, without control characters but line feed and tab"
    return whole(r"[^\x00-\x08\x0b-\x1f\x7f]*", expected, min_length=1, max_length=most)


def composed(name: str) -> str:
    """A room's name, or a part of one, in NFC. Refuses more than NAME_CHARS characters of that."""
    # What cannot be short enough is not composed: many marks take long.
    kept = unicodedata.normalize("NFC", name) if len(name) <= _COMPOSED * NAME_CHARS else name
    if len(kept) > NAME_CHARS:
        what = f"a string of 1 to {NAME_CHARS} characters, composed (NFC)"
        raise Refused("invalid", errors=[wrong("/name", what, found(kept))])
    return kept


#: S2: 3-50 characters, letters, digits, underscore and dash.
Username = Annotated[str, whole("[A-Za-z0-9_-]{3,50}", "a string of 3 to 50 of the characters A-Z a-z 0-9 _ -")]
#: Code points of a name that people see, as S2 bounds a room's.
NAME_CHARS = 100
#: A name that people see: 1-100 characters, none of them a control character. The pattern is what can be said by one;
#: the rest of the rule is ``names.check_name``, which decisions ask.
ShownName = Annotated[str, whole(
    r"[^\x00-\x1f\x7f]*", f"a string of 1 to {NAME_CHARS} characters, none of them a control character",
    min_length=1, max_length=NAME_CHARS,
)]  # fmt: skip
#: A room's name. Its bound is of what is kept, so that ``composed`` asks for it.
RoomName = Annotated[str, whole(
    r"[^\x00-\x1f\x7f]*", f"a string of 1 to {NAME_CHARS} characters, none of them a control character",
    min_length=1, kept=NAME_CHARS,
)]  # fmt: skip
#: The same, or none: as a room's name is read.
ReadName = Annotated[str, whole(
    r"[^\x00-\x1f\x7f]*", f"a string of at most {NAME_CHARS} characters, none of them a control character",
    kept=NAME_CHARS,
)]  # fmt: skip
#: An id that somebody else made: a UUID or a slug.
Id = Annotated[str, whole(
    "[A-Za-z0-9_-]+", "an id: a string of 1 to 100 of the characters A-Z a-z 0-9 _ -", min_length=1, max_length=100
)]  # fmt: skip
#: Characters of what an application calls a user.
EXTERNAL_CHARS = 255
#: What a device calls itself at a log-in (S3).
DeviceId = Annotated[str, msgspec.Meta(min_length=1, max_length=255)]
#: What somebody else calls a user of theirs.
ExternalId = Annotated[str, whole(
    r"[^\x00-\x20,\x7f-\x9f]+", f"an id of yours: a string of 1 to {EXTERNAL_CHARS} characters, without spaces, commas "
    "and control characters", min_length=1, max_length=EXTERNAL_CHARS,
)]  # fmt: skip
#: Address of a picture; nobody here opens it.
Avatar = Annotated[str, whole(
    r"https?://[^\x00-\x20\x22<>\x5c^`{|}\x7f/?#]+[^\x00-\x20\x22<>\x5c^`{|}\x7f]*",
    "a URL of at most 2000 characters that begins with https:// or http://", max_length=2000,
)]  # fmt: skip
#: What somebody says of themselves.
Bio = Annotated[str, _lines(500)]
#: Why something was done, for those who look into it later.
Reason = Annotated[str, _lines(500)]
#: S2: letters, digits and dashes, safe in a URL.
Slug = Annotated[str, whole(
    "[a-z0-9]+(-[a-z0-9]+)*", "a string such as tea-room: 1 to 100 of a-z 0-9, with single dashes between them",
    shown=True, min_length=1, max_length=100,
)]  # fmt: skip
#: What a room is for.
Description = Annotated[str, _lines(2000)]
#: What a room is about today. Ends of lines beyond ASCII are refused by ``names.check_line``, which decisions ask.
TopicLine = Annotated[str, whole(
    r"[^\x00-\x1f\x7f]*", "a string of 1 to 400 characters in one line, without control characters",
    min_length=1, max_length=400,
)]  # fmt: skip
#: A client's idempotency key.
Token = Annotated[str, whole(
    r"[\x21-\x7e]+", "a string of 1 to 128 printable ASCII characters without spaces", min_length=1, max_length=128
)]  # fmt: skip
DataKey = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
DataValue = Annotated[str, msgspec.Meta(max_length=1024)]
#: S0's map of strings: at most 64 entries.
Data = Annotated[dict[DataKey, DataValue], msgspec.Meta(max_length=64)]
#: A change of such a map: null removes an entry (RFC 7396). One more than a map has, as a user's holds what we note.
DataPatch = Annotated[dict[DataKey, DataValue | None], msgspec.Meta(max_length=65)]
#: Any JSON object; its encoded size is bounded where it is used.
Object = dict[str, Any]

#: A JSON object that clients make up, beside the map of strings. Its limits are those of ``checked``.
Custom = dict[str, Any]
#: A JSON merge patch of such an object (RFC 7396): null removes a name, an object is merged, all else takes its place.
CustomPatch = dict[str, Any]

DATA_ENTRIES = 64
#: Of a ``custom`` object: bytes of its JSON, levels of objects and arrays, names in all, characters of each.
CUSTOM_BYTES = 5 * 1024
CUSTOM_DEPTH = 5
CUSTOM_NAMES = 100
CUSTOM_NAME_CHARS = 100
#: Levels of nesting of a request.
DEPTH = 64
MODEL_BYTES = 32 * 1024
EMOTION_BYTES = 16 * 1024
CONTENT_BYTES = 16 * 1024
METADATA_BYTES = 8 * 1024


def bounded(name: str, value: object, most: int) -> None:
    """Refuses a JSON value whose encoding is longer than ``most`` bytes."""
    size = len(msgspec.json.encode(value))
    if size > most:
        raise Refused("too_large", errors=[wrong(f"/{name}", f"at most {most} bytes of JSON", f"{size}")])


def patched(data: dict[str, str], patch: dict[str, str | None]) -> dict[str, str]:
    """A data map after a merge patch (RFC 7396). Refuses to grow it beyond DATA_ENTRIES entries.

    A map may hold more: what the server itself notes in it, like the last log-in, is not the client's fault.
    """
    merged: dict[str, str | None] = {**data, **patch}
    result = {name: value for name, value in merged.items() if value is not None}
    if len(result) > max(DATA_ENTRIES, len(data)):
        raise Refused("too_large", errors=[wrong("/data", f"at most {DATA_ENTRIES} entries", f"{len(result)}")])
    return result


def merged(before: Object, patch: Object, at: Path = ("custom",)) -> Object:
    """A ``custom`` object after a merge patch (RFC 7396), within its limits. ``at``: where a fault is said to be.

    A new one is ``merged({}, given)``: no name holds null, so that what was read can be written back.
    """
    return checked(_merged(before, patch), at)


def _merged(before: object, patch: object) -> Any:
    if not isinstance(patch, dict):
        return patch
    result = dict(before) if isinstance(before, dict) else {}
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
        else:
            result[name] = _merged(result.get(name), value)
    return result


def checked(custom: Object, at: Path = ("custom",)) -> Object:
    """The same object. Refuses what is beyond the limits of ``custom``: ``too_large``, or ``invalid`` by its form."""
    names = 0
    level: list[tuple[Path, object]] = [(at, custom)]
    for _ in range(CUSTOM_DEPTH):
        below: list[tuple[Path, object]] = []
        for path, item in level:
            if isinstance(item, dict):
                names += len(item)
                below += [((*path, name), value) for name, value in item.items()]
                for name in item:
                    if len(name) > CUSTOM_NAME_CHARS:
                        what = f"names of at most {CUSTOM_NAME_CHARS} characters"
                        raise Refused("invalid", errors=[wrong(pointer(path), what, f"one of {len(name)}")])
            elif isinstance(item, list):
                below += [((*path, n), value) for n, value in enumerate(item)]
        level = below
    for path, item in level:
        if isinstance(item, dict | list):
            what = f"at most {CUSTOM_DEPTH} levels of objects and arrays"
            raise Refused("invalid", errors=[wrong(pointer(path), what, "more")])
    if names > CUSTOM_NAMES:
        raise Refused("too_large", errors=[wrong(pointer(at), f"at most {CUSTOM_NAMES} names in all", f"{names}")])
    size = len(msgspec.json.encode(custom))
    if size > CUSTOM_BYTES:
        raise Refused("too_large", errors=[wrong(pointer(at), f"at most {CUSTOM_BYTES} bytes of JSON", f"{size}")])
    return custom


def unstorable(value: object) -> Fault | None:
    """What of a decoded JSON value cannot be kept; None when all can.

    Postgres does not store U+0000, and each reader of the log has a limit of its own on nesting.
    """
    level = [value]
    for _ in range(DEPTH + 1):
        below: list[object] = []
        for item in level:
            if isinstance(item, str) and "\x00" in item:
                return _where(value)
            if isinstance(item, dict):
                below += item.keys()
                below += item.values()
            elif isinstance(item, list):
                below += item
        if not below:
            return None
        level = below
    return _where(value)


def _where(value: object) -> Fault:
    """The fault of a value that has one."""
    level: list[tuple[Path, object]] = [((), value)]
    for _ in range(DEPTH + 1):
        below: list[tuple[Path, object]] = []
        for path, item in level:
            if isinstance(item, str) and "\x00" in item:
                return wrong(pointer(path), "no U+0000 in any string", "one")
            if isinstance(item, dict):
                below += [((*path, name), name) for name in item]
                below += [((*path, name), part) for name, part in item.items()]
            elif isinstance(item, list):
                below += [((*path, n), part) for n, part in enumerate(item)]
        level = below
    # Where it is deepest would be a long pointer.
    return wrong(pointer(level[0][0][:1]), f"at most {DEPTH} levels of nesting", "more")
