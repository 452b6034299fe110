"""Groups of users as the feed needs them: by feed partition, each group's JSON made once and kept until it changes."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

import msgspec

from events.core.feed import NAMED_ROOM, partition_of, room_mark

#: Users in one encoded list: some 160 kB of UUIDs, so that a feed record of 700 kB can be put together from lists.
CHUNK = 4096

_encode = msgspec.json.Encoder().encode


class Recipients(Collection[str]):
    """A set of users that keeps the order in which they came."""

    __slots__ = ("_encoded", "_groups", "_partitions", "_size", "room")

    def __init__(self, users: Iterable[str], partitions: int, room: str | None = None) -> None:
        """``partitions`` is the feed's partition count; ``room`` the room of which this is the roster."""
        self.room = room
        self._partitions = partitions
        self._groups: dict[int, dict[str, None]] = {}
        self._encoded: dict[int, list[bytes]] = {}
        self._size = 0
        for user in users:
            self.add(user)

    def add(self, user: str) -> None:
        """Takes a user in; no change when already there."""
        partition = partition_of(user, self._partitions)
        group = self._groups.setdefault(partition, {})
        if user not in group:
            group[user] = None
            self._size += 1
            self._encoded.pop(partition, None)

    def discard(self, user: str) -> None:
        """Takes a user out, if there."""
        partition = partition_of(user, self._partitions)
        group = self._groups.get(partition, {})
        if user in group:
            del group[user]
            self._size -= 1
            self._encoded.pop(partition, None)

    def encoded(self, partition: int) -> list[bytes]:
        """The users of a feed partition as JSON arrays of at most CHUNK ids; no empty ones.

        The roster of a large room is its name, for each partition that has a member.
        """
        if self.room is not None and self.named:
            return [_encode([room_mark(self.room)])] if self.count(partition) else []
        found = self._encoded.get(partition)
        if found is None:
            users = list(self._groups.get(partition, ()))
            found = [_encode(users[i : i + CHUNK]) for i in range(0, len(users), CHUNK)]
            self._encoded[partition] = found
        return found

    @property
    def named(self) -> bool:
        """Whether the feed holds its room's name instead of the users, so that all of them receive the same."""
        return self.room is not None and self._size > NAMED_ROOM

    @property
    def partitions(self) -> Iterable[int]:
        """The feed partitions that have, or had, a user."""
        return self._groups

    def count(self, partition: int) -> int:
        """How many users of a feed partition there are."""
        return len(self._groups.get(partition, ()))

    def __len__(self) -> int:
        return self._size

    def __iter__(self) -> Iterator[str]:
        for group in self._groups.values():
            yield from group

    def __contains__(self, user: object) -> bool:
        return isinstance(user, str) and user in self._groups.get(partition_of(user, self._partitions), ())
