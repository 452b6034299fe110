"""What a system has to offer to be measured: one small file in ``systems/`` for each. No system is named here."""

from __future__ import annotations

from asyncio import Future
from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple, Protocol, Self

import psutil

from tests.bench.client import Heard, Reply

#: How messages are sent: as a call on the push connection, or as an HTTP request each.
Way = Literal["rpc", "http"]


class NotHere(Exception):
    """A system cannot run on this machine; the text says what is missing. It is left out, and the result says so."""


class Wrong(Exception):
    """What was measured is not what had to happen, so there is no figure; the text says expected and actual."""


class Person(NamedTuple):
    """Somebody who can connect."""

    id: str
    token: str


class Sender(Protocol):
    """Something that sends as one person."""

    def send(self, room: str, text: str) -> Future[Reply]:
        """Sends a text at once. The answer comes when the system has acknowledged it; its ``at`` is the moment."""
        ...

    def close(self) -> None:
        """Ends the connection without waiting."""
        ...

    #: Bytes that the socket has taken and given.
    @property
    def bytes_in(self) -> int: ...

    @property
    def bytes_out(self) -> int: ...


class System(Protocol):
    """One system for the length of ``async with``: started before it, ended and removed after it."""

    #: One word, as on the command line.
    name: str
    #: A sentence: what runs, and with which settings.
    about: str
    #: Ways to send that it knows.
    ways: tuple[Way, ...]
    #: Whether all members of a room receive all messages in the same order.
    ordered: bool

    async def __aenter__(self) -> Self:
        """Starts it; returns when it serves. Raises NotHere."""
        ...

    async def __aexit__(self, *error: object) -> None: ...

    async def people(self, count: int) -> list[Person]:
        """So many new people."""
        ...

    async def room(self, members: Sequence[Person]) -> str:
        """A new room of these people; its id."""
        ...

    async def connect(self, person: Person, heard: Heard) -> Sender:
        """A push connection. ``heard`` gets the payload of each frame that carries messages, the sender's own too.

        A payload may hold several messages, each with its text once: count texts, not payloads.
        """
        ...

    async def poster(self, person: Person) -> Sender:
        """Sends by HTTP requests over one connection. Only of a system whose ``ways`` have "http"."""
        ...

    def processes(self) -> Mapping[str, Sequence[psutil.Process]]:
        """Its processes by role; who ends others, like a postmaster, stands for them. Empty: they are elsewhere."""
        ...

    def bytes_on_disk(self) -> int | None:
        """What it stores, in bytes allocated; None where that cannot be seen."""
        ...

    async def settled(self) -> None:
        """Returns when what was acknowledged is processed everywhere, read models included."""
        ...
