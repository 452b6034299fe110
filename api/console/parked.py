"""Parked streams in the console: what waits, why, and another attempt after a fix."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec

from api.console.access import PRESENT_ONLY
from api.core.calls import Call
from api.core.operation import NoParameters, Operation, Request
from api.support.problems import Problem
from events.core.faults import quoted
from infra.base import postgres
from infra.base.postgres import Row, queries
from infra.base.progress import READ_MODELS
from projectors.core.runner import SESSION, close
from projectors.read_models.redrive import redrive

#: Streams and events that are listed; the command line lists all.
LISTED = 200
_SHOWN = 20
#: Characters of a value that are shown where it is no JSON.
_TEXT = 2000

Stream = Annotated[str, msgspec.Meta(min_length=1, max_length=1000)]


class ParkedRequest(Request, frozen=True, kw_only=True):
    #: As `console.parked` names it.
    stream: Stream


async def listing(call: Call, request: NoParameters) -> dict[str, Any]:
    rows = await call.rows(queries("operate")["parked_list"])
    streams = [
        {
            "consumer": row["consumer"],
            "stream": row["stream"],
            "position": f"{row['topic']}/{row['partition']}/{row['offset']}",
            "type": row["type"],
            "error": row["error"],
            "waiting": row["waiting"],
            "since": row["since"],
        }
        for row in rows[:LISTED]
    ]
    return {"streams": streams, "all": len(rows)}


async def show(call: Call, request: ParkedRequest) -> dict[str, Any]:
    rows = await call.rows(queries("operate")["parked_stream"], request.stream, _SHOWN)
    if not rows:
        raise Problem("not_found", f"expected a stream with parked events, got {quoted(request.stream)}")
    return {"events": [_event(row) for row in rows]}


def _event(row: Row) -> dict[str, Any]:
    try:
        value: Any = msgspec.json.decode(row["value"])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        # It may be here because it is no JSON.
        value = row["value"].decode(errors="replace")[:_TEXT]
    return {
        "consumer": row["consumer"],
        "position": f"{row['topic']}/{row['partition']}/{row['offset']}",
        "type": row["type"],
        "error": row["error"],
        "parked_at": row["parked_at"],
        "event": value,
    }


async def retry(call: Call, request: ParkedRequest) -> dict[str, Any]:
    """The same as ``klatsch parked retry STREAM``."""
    rows = await call.rows(queries("operate")["parked_count"], request.stream)
    if not any(row["consumer"] == READ_MODELS for row in rows):
        raise Problem(
            "not_found", f"expected a stream for which the read models wait, got {quoted(request.stream)}; look again"
        )
    connection = await postgres.connect(call.settings, **SESSION)
    try:
        applied, parked = await redrive(connection, call.settings, request.stream)
    finally:
        await close(connection)
    return {"applied": applied, "parked": parked}


OPERATIONS = [
    Operation("console.parked", "GET", "/v1/console/parked", "operator", NoParameters, listing,
              "Streams that wait for a fix, the longest waiting first", {"streams": "[object]", "all": "integer"},
              as_of=PRESENT_ONLY),
    Operation("console.parked_stream", "GET", "/v1/console/parked/stream", "operator", ParkedRequest, show,
              "The parked events of a stream, with their errors", {"events": "[object]"}, as_of=PRESENT_ONLY),
    Operation("console.retry", "POST", "/v1/console/parked/retry", "operator", ParkedRequest, retry,
              "Apply a parked stream again, in order, up to the first event that still fails",
              {"applied": "integer", "parked": "integer"}),
]  # fmt: skip
