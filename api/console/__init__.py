"""The operators' console: what it asks for. The page that shows it is ``api/web/console``."""

from __future__ import annotations

from typing import Any

from api.calls import Call
from api.console import access, parked, rooms
from api.console.whole import Console
from api.problems import Problem
from api.surface import Nothing, Operation


def operations(console: Console | None) -> list[Operation]:
    """All that the console asks for, but the tail, which is a stream of its own."""

    async def figures(call: Call, request: Nothing) -> dict[str, Any]:
        if console is None:
            raise Problem("unavailable", "expected a process with the role api; ask another", retry_after=1)
        return await console.figures()

    return [
        Operation("console.figures", "GET", "/v1/console/figures", "operator", Nothing, figures,
                  "The state and load of the whole installation now",
                  {"at": "time", "installation": "string", "shards": "[object]", "processes": "[object]",
                   "parked": "[object]", "stores": "object", "rebuild": "object", "tail": "object",
                   "faults": "object"}),
        *parked.OPERATIONS,
        *rooms.OPERATIONS,
        *access.OPERATIONS,
    ]  # fmt: skip
