"""Erasing an application, and the receipt of it. For operators."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from api.apps import GetAppRequest, done, find
from api.core.calls import Call
from api.core.operation import NoPast, Operation, Request
from events.core.clock import Time, from_datetime, to_datetime
from infra.base import kafka
from infra.base.postgres import queries
from infra.base.settings import Settings
from producers.apps import EraseApp
from producers.commands import Refused
from producers.limits import Id, ShownName, TopicLine

#: Seconds between Kafka's looks for segments that are to go (log.retention.check.interval.ms), with some more.
_CHECK_SECONDS = 600


class EraseAppRequest(Request, frozen=True, kw_only=True):
    app: Id
    #: The application's name or id once more, so that none is erased by mistake.
    confirm: ShownName
    #: Why, for other operators.
    reason: TopicLine | None = None


async def erase(call: Call, request: EraseAppRequest) -> dict[str, Any]:
    return await done(call, request.app, EraseApp(app=request.app, confirm=request.confirm, reason=request.reason))


async def receipt(call: Call, request: GetAppRequest) -> dict[str, Any]:
    app, sql = await find(call, request.app), queries("app_erasure")
    if app.state != "erased":
        raise Refused("not_found", f"expected an erased application, got {app.id}, which is {app.state}")
    async with call.reading() as connection:
        facts = {row["type"]: row for row in await connection.fetch(sql["facts"], app.id)}
        removed = await connection.fetchval(sql["rows_of"], app.id)
        events = {row["topic"]: row["events"] for row in await connection.fetch(sql["log_of"], app.id)}
    erased, completed = facts.get("app.erased"), facts.get("app.erasure_completed")
    rows: dict[str, int] = (removed or {}) if completed is None else completed["data"]["rows"]
    return {"receipt": {
        "app": app.id, "name": app.name, "reason": app.reason,
        "by": None if erased is None else erased["actor"], "erased": None if erased is None else erased["time"],
        "cleared": app.cleared, "rows": rows, "log": _log(call.settings, events, app.cleared),
    }}  # fmt: skip


def _log(settings: Settings, events: dict[str, int], cleared: Time | None) -> list[dict[str, Any]]:
    """What each topic of the log has of the application, and until when. None for what is not counted, or not known."""
    found: list[dict[str, Any]] = [
        {"topic": topic, "events": events.get(topic, 0), "until": None} for topic in kafka.EVENT_TOPICS
    ]
    return [*found, {"topic": "feed", "events": None, "until": _fed_until(settings, cleared)}]


def _fed_until(settings: Settings, cleared: Time | None) -> Time | None:
    """When Kafka has deleted the last record of the feed that was written before: whole segments go, some time after
    they are old enough."""
    if cleared is None:
        return None
    kept = timedelta(hours=settings.feed_hours)
    return from_datetime(to_datetime(cleared) + kept + max(timedelta(minutes=1), kept / 24)
                         + timedelta(seconds=_CHECK_SECONDS))  # fmt: skip


OPERATIONS = [
    Operation("apps.erase", "POST", "/v1/apps/{app}/erase", "operator", EraseAppRequest, erase,
              "Close an application for good, and remove all that it has", {"app": "App"}),
    Operation("apps.receipt", "GET", "/v1/apps/{app}/receipt", "operator", GetAppRequest, receipt,
              "What was removed of an erased application, and what the log has of it", {"receipt": "Receipt"},
              as_of=NoPast("it tells what is left now")),
]  # fmt: skip
