"""What is sent to ``POST /v1/import``: orders, their keys, and how many of them are in memory at once. Pure."""

from __future__ import annotations

import hashlib
import re
from typing import Any

import msgspec

from infra.ops.irc.logs import LogPart

_PLAIN = re.compile(r"[A-Za-z0-9._-]{1,64}")


class ImportOrder(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One command for ``POST /v1/import``."""

    command: str
    fields: dict[str, Any]
    actor: str
    time: str
    key: str
    id: str | None = None


class Piece:
    """What some lines of a file become: as many as are in memory at once."""

    def __init__(self, part: LogPart) -> None:
        self.name = part.name
        self.lines = len(part.lines)
        #: Number of the line above the first.
        self.above = part.lines[0].number - 1
        #: Orders for people's own streams: these go first, so that they are done where the room's have begun.
        self.profiles: list[ImportOrder] = []
        #: Orders for the room, in order.
        self.room: list[ImportOrder] = []
        #: Indexes in ``room`` of the messages.
        self.messages: list[int] = []
        #: Number of the line that each order in ``room`` comes from.
        self.numbers: list[int] = []


def part_key(key: str, n: int) -> str:
    """The key of the n-th of the orders of one kind that a line becomes."""
    return key if n == 0 else f"{key}.{n}"


def label(name: str) -> str:
    """A file's name as part of a key, which takes printable ASCII only and is short."""
    return name if _PLAIN.fullmatch(name) else hashlib.sha256(name.encode()).hexdigest()[:32]
