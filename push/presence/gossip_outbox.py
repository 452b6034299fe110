"""What a node has to tell the others, until its next note: changes, questions, or everything. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from push.presence.gossip import GossipMessage, Present, Typed, chunks

#: Seconds between two times that all is told, or asked of one node.
_WHOLE_SECONDS = 1.0


class GossipOutbox:
    """One node's notes. ``part``: whether users connect to it; without, its notes are not numbered."""

    def __init__(self, node: str, part: bool, beat: float) -> None:
        """``beat``: seconds between signs of life."""
        self._node = node
        self._part = part
        self._beat = beat
        #: Users, with whether their rooms have changed too.
        self._changes: dict[str, bool] = {}
        self._gone: list[str] = []
        self._typed: list[Typed] = []
        #: Nodes to ask, and when each was asked last.
        self._ask: set[str] = {"*"}
        self._asked: dict[str, float] = {}
        self._whole_due = part
        self._seq = 0
        self._sent = self._whole_sent = float("-inf")

    def change(self, user: str, rooms: bool) -> None:
        """Something of a user is different; ``rooms``: also in which rooms they are."""
        self._changes[user] = rooms

    def gone(self, user: str) -> None:
        """A user is not connected here any more."""
        self._changes.pop(user, None)
        self._gone.append(user)

    def type(self, typed: Typed) -> None:
        """A user here types, or has stopped."""
        self._typed.append(typed)

    def ask(self, node: str) -> None:
        """Something of a node (``*``: of each) is not known."""
        self._ask.add(node)

    def asked(self, nodes: list[str]) -> None:
        """Somebody asks some nodes for all that they have."""
        self._whole_due |= "*" in nodes or self._node in nodes

    def messages(self, now: float, present: Mapping[str, Present]) -> list[GossipMessage]:
        """What is to be written now; ``present`` is all that the node has."""
        ask = self._questions(now)
        changes, self._changes = self._changes, {}
        gone, self._gone = self._gone, []
        typed, self._typed = self._typed, []
        whole = self._part and self._whole_due and self._whole_sent <= now - _WHOLE_SECONDS
        if whole:
            self._whole_due, self._whole_sent = False, now
            told, gone = list(present.values()), []
        else:
            told = [_without_rooms(present[user], rooms) for user, rooms in changes.items()]
        if not (whole or told or gone or typed or ask or now >= self._sent + self._beat):
            return []
        self._sent = now
        *first, last = chunks(told)
        count = len(first) + 1
        messages = [
            self._message((number, count) if whole else None, present=part) for number, part in enumerate(first)
        ]
        end = self._message((count - 1, count) if whole else None, present=last, gone=gone, typed=typed, ask=ask)
        return [*messages, end]

    def bye(self) -> GossipMessage:
        """The last one."""
        return self._message(None, bye=True)

    def _questions(self, now: float) -> list[str]:
        """Nodes to ask, each at most once a second."""
        self._asked = {node: asked for node, asked in self._asked.items() if asked > now - _WHOLE_SECONDS}
        ask = sorted(self._ask - self._asked.keys())
        self._ask.difference_update(ask)
        self._asked.update(dict.fromkeys(ask, now))
        return ask

    def _message(self, whole: tuple[int, int] | None, **fields: Any) -> GossipMessage:
        # Without connections there is nothing that could be missed.
        self._seq += self._part
        return GossipMessage(node=self._node, seq=self._seq, whole=whole, **fields)


def _without_rooms(present: Present, rooms: bool) -> Present:
    """The rooms are told only where they have changed."""
    return present if rooms else msgspec.structs.replace(present, rooms=None)
