"""The operators' console: what it asks for. The page that shows it is ``api/web/console``."""

from __future__ import annotations

from typing import Any

from api.console import access, parked, rooms
from api.console.access import PRESENT_ONLY
from api.console.history import EVERY_SECONDS, KEPT_SECONDS
from api.console.overview import Console
from api.core.calls import Call
from api.core.operation import NoParameters, Operation
from api.support.problems import Problem


def operations(console: Console | None) -> list[Operation]:
    """All that the console asks for, but the tail, which is a stream of its own."""

    async def figures(call: Call, request: NoParameters) -> dict[str, Any]:
        if console is None:
            raise Problem("unavailable", "expected a process with the role api; ask another", retry_after=1)
        return await console.figures()

    async def history(call: Call, request: NoParameters) -> dict[str, Any]:
        if console is None:
            raise Problem("unavailable", "expected a process with the role api; ask another", retry_after=1)
        return {"seconds": KEPT_SECONDS, "every": EVERY_SECONDS, "samples": console.points}

    return [
        Operation("console.history", "GET", "/v1/console/history", "operator", NoParameters, history,
                  "The last 15 minutes of the whole installation, whether anybody was looking or not",
                  {"seconds": "integer", "every": "integer", "samples": "[object]"}, as_of=PRESENT_ONLY),
        Operation("console.figures", "GET", "/v1/console/figures", "operator", NoParameters, figures,
                  "The state and load of the whole installation now",
                  {"at": "time", "installation": "string", "sample": "object",
                   "shards": "[object]", "processes": "[object]",
                   "parked": "[object]", "stores": "object", "rebuild": "object", "disks": "[object]",
                   "tail": "object", "faults": "object"}, as_of=PRESENT_ONLY),
        *parked.OPERATIONS,
        *rooms.OPERATIONS,
        *access.OPERATIONS,
    ]  # fmt: skip
