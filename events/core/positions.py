"""Where an event stands: positions, and vectors of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple, TypeVar

from events.core.errors import KlatschError
from events.core.faults import quoted

T = TypeVar("T")
#: Text or milliseconds.
Moment = TypeVar("Moment", int, str)


class Shard(NamedTuple):
    """One partition of one event topic, by the topic's logical name (``rooms``, without the prefix)."""

    topic: str
    partition: int

    def __str__(self) -> str:
        return f"{self.topic}/{self.partition}"


class Position(NamedTuple):
    """Topic, partition and offset of an event. Text form: ``rooms/3/1234``."""

    topic: str
    partition: int
    offset: int

    @property
    def shard(self) -> Shard:
        return Shard(self.topic, self.partition)

    def __str__(self) -> str:
        return f"{self.topic}/{self.partition}/{self.offset}"


#: Next offset to read of each shard: all events below it are included.
Vector = dict[Shard, int]


class BadPosition(KlatschError, ValueError):
    """Text that is no position or vector; the message says expected and actual."""


def parse_position(text: str) -> Position:
    """``rooms/3/1234`` -> Position. Raises BadPosition."""
    parts = text.split("/")
    if (
        len(parts) != 3
        or not (parts[1].isascii() and parts[1].isdigit())
        or not (parts[2].isascii() and parts[2].isdigit() and len(parts[2]) < 19)
    ):
        raise BadPosition(f"expected topic/partition/offset, for example rooms/3/1234; got {quoted(text)}")
    return Position(parts[0], int(parts[1]), int(parts[2]))


def encode_vector(vector: Mapping[Shard, int]) -> str:
    """``{rooms/3: 1235}`` -> ``rooms/3/1235``, comma-separated, in order. Offsets are *next* offsets."""
    return ",".join(f"{shard}/{offset}" for shard, offset in sorted(vector.items()))


def parse_vector(text: str) -> Vector:
    """The inverse of encode_vector. Raises BadPosition."""
    vector: Vector = {}
    for part in filter(None, text.split(",")):
        position = parse_position(part.strip())
        vector[position.shard] = max(position.offset, vector.get(position.shard, 0))
    return vector


def reached(have: Mapping[Shard, int], want: Mapping[Shard, int]) -> bool:
    """Whether ``have`` includes all events that ``want`` includes."""
    return all(have.get(shard, 0) >= offset for shard, offset in want.items())


def ordered(items: Iterable[T], shard: Callable[[T], Shard], moment: Callable[[T], Moment]) -> list[T]:
    """Items that come in the order of offsets within each shard, as one list: in that order, whatever their clocks say.

    Between shards their times decide, where each counts as no earlier than what is before it in its shard.
    """
    latest: dict[Shard, Moment] = {}
    keyed: list[tuple[Moment, Shard, T]] = []
    for item in items:
        place, time = shard(item), moment(item)
        latest[place] = max(latest.get(place, time), time)
        keyed.append((latest[place], place, item))
    return [item for _, _, item in sorted(keyed, key=lambda one: one[:2])]
