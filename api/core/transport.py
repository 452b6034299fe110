"""What stands between a transport and the pipeline (``dispatch.py``): a call as it comes in, and what came of it.

A transport (``http.py``, ``rpc.py``) parses and prints, no more: it says how it has a call (``Inbound``), and makes of
an ``Answer`` or a ``Refusal`` what its protocol sends.
"""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol

from api.core.limits import Allowance
from api.core.operation import Operation
from api.core.tokens import Identity
from api.support.problems import Problem
from events.core.errors import KlatschError


class Parsed(NamedTuple):
    """A request as its transport has read it. What was sent as key and position is checked here, whatever it is."""

    #: The operation's members, and over GET ``as_of``.
    values: dict[str, Any]
    key: Any = None
    position: Any = None


class Inbound(Protocol):
    """A call as its transport has it, which reads of it only what the next step needs."""

    @property
    def transport(self) -> str:
        """Its name in metrics."""
        ...

    @property
    def address(self) -> str:
        """Where the client calls from, as limits count it."""
        ...

    @property
    def past(self) -> bool:
        """Whether ``as_of`` is given."""
        ...

    @property
    def traceparent(self) -> str | None:
        """W3C trace context, if it can be read."""
        ...

    @property
    def api_key(self) -> str | None:
        """The API key of the application that somebody without a token means; None: the default one."""
        ...

    @property
    def connection(self) -> str | None:
        """Client id of the push connection over which it came."""
        ...

    async def identify(self) -> Identity | None:
        """Who calls; None without a token. Raises Problem."""
        ...

    async def read(self, operation: Operation) -> Parsed:
        """The request. Raises Problem, Disconnected."""
        ...


class Disconnected(KlatschError):
    """The client has gone while its request was read: nobody waits for an answer."""


class Answer(NamedTuple):
    """What an operation came to, for the transport to print."""

    operation: Operation
    #: None for an empty body.
    members: dict[str, Any] | None
    #: Where the events of its commands stand; empty where it has none.
    position: str
    #: Whether a key told that it was done before.
    repeated: bool
    #: Whether it is of a past moment.
    past: bool
    #: Of an operation that logs somebody in: the token goes into the stream's cookie too.
    stream_token: str | None
    allowance: Allowance | None


class Refusal(NamedTuple):
    """Why a call has no answer. Its places are those that operations know: ``places`` moves them."""

    problem: Problem
    allowance: Allowance | None
