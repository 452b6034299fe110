"""Deltas by asking for them: for those who pull instead of holding a connection."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec

from api.core.calls import Call
from api.core.operation import NoPast, Operation, Request
from api.support.problems import Problem
from api.sync import SyncRequest, sync
from events.core.faults import quoted, wrong
from push.delivery.hub import Hub
from push.delivery.pull import CURSOR, CURSOR_PATTERN, BadCursor, changes, cursor_text
from push.protocol.backend import ConnectionIdentity


class PullChangesRequest(Request, frozen=True, kw_only=True):
    #: ``cursor`` of the answer before; without it: no changes, and the present cursor.
    since: Annotated[str, msgspec.Meta(max_length=100, extra_json_schema={"pattern": CURSOR_PATTERN})] | None = None
    limit: Annotated[int, msgspec.Meta(ge=1, le=1000)] = 100


def operations(hub: Hub | None) -> list[Operation]:
    """The pull, answered from the feed that this process reads; without one (role push) it says where it is."""

    async def pull(call: Call, request: PullChangesRequest) -> dict[str, Any]:
        if hub is None:
            raise Problem("unavailable", "expected a process with the role push; ask another", retry_after=1)
        assert call.identity is not None
        identity = ConnectionIdentity(user=call.user, session=call.identity.session, expires=call.identity.expires)
        try:
            page = await changes(hub, identity, request.since, request.limit)
        except BadCursor as error:
            raise Problem("invalid", errors=[wrong("/since", CURSOR, quoted(request.since))]) from error
        if not page.reset:
            items = [msgspec.Raw(item) for item in page.items]
            return {"changes": items, "cursor": page.next_cursor, "reset": False}
        # What was asked for is no longer there: the snapshot's first page stands for it, and names the next one.
        # It costs as much as any.
        await call.count("heavy")
        snapshot = await sync(call, SyncRequest())
        cursor = cursor_text(snapshot["epoch"], snapshot["cursor"])
        return {"changes": [], "cursor": cursor, "reset": True, "snapshot": snapshot}

    return [
        Operation("changes.pull", "GET", "/v1/changes", "user", PullChangesRequest, pull,
                  "Your deltas after a cursor, or a snapshot if they are no longer kept",
                  {"changes": "[Delta]", "cursor": "string", "reset": "boolean", "snapshot": "Snapshot"}, heavy=True,
                  as_of=NoPast("deltas have a cursor, `since`")),
    ]  # fmt: skip
