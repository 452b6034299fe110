"""What applications use, by hour and day: for their own servers, and for operators, who send bills for it."""

from __future__ import annotations

import logging
from collections import defaultdict
from datetime import timedelta
from typing import Annotated, Any, Literal

import msgspec

from api.apps import find
from api.core.calls import Call, Services
from api.core.operation import NoPast, Operation, Request
from api.support.problems import Problem
from api.support.times import as_kept
from events.core.clock import AnyTime, Time, from_datetime, now, to_datetime, uuid7
from events.core.derived_ids import DEFAULT_APP
from events.core.faults import quoted, wrong
from infra.base.postgres import queries
from producers.apps import missing_app
from producers.commands import Refused
from producers.limits import Id
from producers.usage import CountUsage
from projectors.usage.counting import ACTIVE, METRICS, PEAK, Length, starts
from push.delivery.peaks import HOUR, Peak

log = logging.getLogger(__name__)

#: Windows that one answer has at most, by their length: a month of hours, and more than a year of days.
MOST: dict[Length, int] = {"hour": 31 * 24, "day": 400}
_LENGTHS: dict[Length, timedelta] = {"hour": timedelta(hours=1), "day": timedelta(days=1)}
#: Applications that one answer has at most.
APPS = 200

MetricName = Literal["messages", "active_users", "new_users", "rooms", "bytes", "events", "peak_connections"]
Names = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]

_PAST = NoPast("usage is kept by the times of the events: ask for the windows of that time")


class QueryUsage(Request, frozen=True, kw_only=True):
    #: `default`, or the id of an application.
    app: Id
    #: The first window is the one of this time; without it, that of the month's first day.
    since: AnyTime | None = None
    #: The last window is the one before this time, or of it; without it, the present one.
    until: AnyTime | None = None
    #: How long a window is: at most 744 hours or 400 days at once.
    window: Length = "day"
    #: Comma-separated names of metrics; without it, all.
    metrics: Names | None = None


class ListUsage(Request, frozen=True, kw_only=True):
    #: The first day is the one of this time (UTC); without it, the month's first one.
    since: AnyTime | None = None
    #: The last day is the one before this time, or of it; without it, today.
    until: AnyTime | None = None
    #: The metric by which they are ordered, the most first.
    by: MetricName = "messages"


async def query(call: Call, request: QueryUsage) -> dict[str, Any]:
    # Another's application is as unknown as none, and nothing is looked up for it.
    if not call.reaches(request.app):
        raise missing_app(request.app)
    if request.app != DEFAULT_APP:
        await find(call, request.app)
    names = _names(request.metrics)
    since, until = _range(request.since, request.until, request.window)
    rows = await call.rows(queries("usage")["windows"], request.app, request.window, names, since, until)
    windows: dict[Time, dict[str, int]] = defaultdict(lambda: dict.fromkeys(names, 0))
    for row in rows:
        windows[row["start"]][row["metric"]] = row["value"]
    totals = {name: _total(name, [one[name] for one in windows.values()]) for name in names}
    if ACTIVE in totals:
        active = await call.row(queries("usage")["active_in"], request.app, request.window, since, until)
        totals[ACTIVE] = active[0] if active else 0
    return {
        "app": request.app, "window": request.window, "since": since, "until": until, "totals": totals,
        "windows": [{"start": start, **values} for start, values in windows.items()],
    }  # fmt: skip


def _total(name: str, values: list[int]) -> int:
    return max(values, default=0) if METRICS[name].kind == "peak" else sum(values)


async def list_(call: Call, request: ListUsage) -> dict[str, Any]:
    since, until = _range(request.since, request.until, "day")
    rows = await call.rows(queries("usage")["applications"], since, until, request.by, [PEAK], APPS)
    return {
        "since": since,
        "until": until,
        "apps": [
            {
                "app": row["app"],
                "name": row["name"] or ("Default" if row["app"] == DEFAULT_APP else ""),
                "totals": {name: row["totals"].get(name, 0) for name in METRICS},
            }
            for row in rows
        ],
        "all": rows[0]["all"] if rows else 0,
    }


def _names(given: str | None) -> list[str]:
    """The metrics that are asked for, each once. Raises Problem ``invalid``."""
    names = list(METRICS) if given is None else list(dict.fromkeys(given.split(",")))
    if unknown := [name for name in names if name not in METRICS]:
        text = f"comma-separated names of {', '.join(METRICS)}"
        raise Problem("invalid", errors=[wrong("/metrics", text, quoted(unknown[0]))])
    return names


def _range(since: str | None, until: str | None, length: Length) -> tuple[Time, Time]:
    """Where the first window begins and the last one ends. Raises Problem ``invalid``."""
    end = as_kept(until, "/until", up=True) if until is not None else now()
    begin = as_kept(since, "/since") if since is not None else f"{end[:7]}-01T00:00:00.000Z"
    first, last = starts(begin)[length], starts(end)[length]
    try:
        if last < end or (since is None and last == first):
            last = from_datetime(to_datetime(last) + _LENGTHS[length])
        windows = (to_datetime(last) - to_datetime(first)) / _LENGTHS[length]
    except OverflowError as error:
        raise Problem("invalid", errors=[wrong("/until", "a time of the years 1 to 9999", end)]) from error
    if not 0 < windows <= MOST[length]:
        text = f"a time after since ({first}), by at most {MOST[length]} {length}s"
        raise Problem("invalid", errors=[wrong("/until", text, last)])
    return first, last


class PeakTeller:
    """Puts a node's peaks of connections into the log, each once: the key is the node's life and the window."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._node = f"{services.settings.address}/{uuid7()}"

    async def __call__(self, peak: Peak) -> None:
        """Raises Unavailable. An application that is not there any more is not told of."""
        since, until = from_datetime(peak.since), from_datetime(peak.since + HOUR)
        command = CountUsage(
            app=peak.app, metric="peak_connections", since=since, until=until, value=peak.value, node=self._node
        )
        try:
            await Call(self._services, None).step(
                command, actor="system", key=f"{self._node}:{PEAK}:{since}", everywhere=True
            )
        except Refused as refusal:
            log.warning("usage: the peak of %s was refused: %s", peak.app, refusal)


OPERATIONS = [
    Operation("usage.query", "GET", "/v1/apps/{app}/usage", "app", QueryUsage, query,
              "What an application used, by hour or day",
              {"app": "string", "window": "string", "since": "time", "until": "time", "totals": "object",
               "windows": "[object]"}, heavy=True, as_of=_PAST),
    Operation("usage.list", "GET", "/v1/usage", "operator", ListUsage, list_,
              "What each application used in some days",
              {"since": "time", "until": "time", "apps": "[object]", "all": "integer"}, heavy=True, as_of=_PAST),
]  # fmt: skip
