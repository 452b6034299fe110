"""Reading a user's stream page by page: the pull interface, and the history command of the push protocol."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from typing import NamedTuple

import msgspec

from events.core.errors import KlatschError
from events.core.faults import quoted
from push.delivery.hub import Hub
from push.protocol import codes
from push.protocol.actions import Action, ReadHistory, SubscriptionStart
from push.protocol.backend import ConnectionIdentity
from push.protocol.codes import Disconnect
from push.protocol.commands import Since
from push.protocol.items import FeedDelta
from push.protocol.session import ProtocolSession

#: Most deltas of one page.
MAX_LIMIT = 1000
#: What a cursor is.
CURSOR = "a cursor, <epoch>:<offset>, such as `cursor` of an earlier answer"
#: Of a cursor as schemas show it; ``parse_cursor`` takes any epoch.
CURSOR_PATTERN = "^[A-Za-z0-9_.-]{1,80}:[0-9]{1,16}$"
#: Seconds after which a page is given as far as it got: a long way back may hold little for this user.
_PAGE_SECONDS = 3.0


class BadCursor(KlatschError, ValueError):
    """Text that is no cursor; the message says expected and actual."""


class Page(NamedTuple):
    """One page of a stream."""

    #: Deltas as JSON, oldest first.
    items: list[bytes]
    #: Where to go on; also where ``reset`` is True.
    next_cursor: str
    #: The place asked for is no longer known: take ``GET /v1/sync``, then go on from the cursor that it gives.
    reset: bool


def cursor_text(epoch: str, offset: int) -> str:
    """A cursor as one word: ``<epoch>:<wire offset>``."""
    return f"{epoch}:{offset}"


def parse_cursor(text: str) -> Since:
    """The inverse. Raises BadCursor."""
    epoch, colon, offset = text.rpartition(":")
    if not (colon and epoch and offset.isascii() and offset.isdigit() and len(offset) < 17):
        raise BadCursor(f"expected {CURSOR}, got {quoted(text)}")
    return Since(int(offset), epoch)


async def changes(hub: Hub, identity: ConnectionIdentity, since: str | None, limit: int) -> Page:
    """The deltas after ``since``, at most ``limit`` (1 to 1000). Without ``since``: none, and the present cursor.

    An empty page means only that nothing was found up to ``next_cursor``. Raises BadCursor and Unavailable.
    """
    place = await hub.locate(identity.user, None if since is None else parse_cursor(since))
    if since is None or not place.recovered:
        here = hub.here(identity.user)
        return Page([], cursor_text(here.epoch, here.cursor), reset=since is not None)
    items, reached = await read(hub, identity.user, place.offset, max(1, min(limit, MAX_LIMIT)))
    if hub.epoch != place.epoch:
        here = hub.here(identity.user)
        return Page([], cursor_text(here.epoch, here.cursor), reset=True)
    return Page([item.delta for item in items], cursor_text(place.epoch, reached), reset=False)


async def read(hub: Hub, user: str, cursor: int, limit: int) -> tuple[list[FeedDelta], int]:
    """At most ``limit`` items above ``cursor``, and the cursor up to which they are all there are."""
    sink = _Collector(limit)
    subscription = hub.subscribe(user, cursor, sink)
    try:
        hub.advance(subscription)
        with suppress(TimeoutError):
            await asyncio.wait_for(sink.done.wait(), _PAGE_SECONDS)
    finally:
        hub.unsubscribe(subscription)
    if sink.full:
        items = sink.items[:limit]
        return items, items[-1].cursor
    return sink.items, subscription.cursor


async def history(hub: Hub, session: ProtocolSession, user: str, action: ReadHistory) -> Sequence[Action]:
    """The answer to a history command: the session's actions."""
    here = hub.here(user)
    items: list[FeedDelta] = []
    if action.limit > 0:
        place = await hub.locate(user, action.since) if action.since else await _beginning(hub, user)
        if action.since and not place.recovered:
            return session.failed(action.id, codes.UNRECOVERABLE_POSITION)
        items, _ = await read(hub, user, place.offset, action.limit)
    publications = [{"data": msgspec.Raw(item.delta), "offset": item.cursor} for item in items]
    answer = {"publications": publications, "offset": here.cursor, "epoch": here.epoch}
    return session.found(action.id, answer)


async def _beginning(hub: Hub, user: str) -> SubscriptionStart:
    """The place before the oldest delta that the feed still has."""
    return SubscriptionStart(hub.epoch, await hub.oldest(user), recovering=True, recovered=True)


class _Collector:
    """A sink that keeps what it gets, up to a limit."""

    def __init__(self, limit: int) -> None:
        self.items: list[FeedDelta] = []
        self.done = asyncio.Event()
        self._limit = limit

    @property
    def full(self) -> bool:
        return len(self.items) >= self._limit

    def deliver(self, items: Sequence[FeedDelta]) -> int:
        # Also once it is through: the subscription counts as delivered whatever comes before the page is taken.
        self.items.extend(items)
        if self.full:
            self.done.set()
        return 0

    def room(self) -> int:
        return 0 if self.done.is_set() else self._limit - len(self.items)

    def caught_up(self) -> None:
        self.done.set()

    def cut(self, disconnect: Disconnect) -> None:
        # What was asked for is being deleted; the next page starts where this one ends, and finds that out.
        self.done.set()
