"""Health of the parts that a process needs, asked for by ``/readyz`` and by the console."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from infra.base import away

#: Health of a part: ``{"ok": bool, ...}``.
Check = Callable[[], Awaitable[dict[str, Any]]]


async def ask(checks: Mapping[str, Check], seconds: float | None = None) -> dict[str, dict[str, Any]]:
    """What each part says, by name; one that cannot be asked, or not within this many seconds, is not well."""
    answers = await asyncio.gather(*(_one(name, check, seconds) for name, check in checks.items()))
    return dict(zip(checks, answers, strict=True))


async def _one(name: str, check: Check, seconds: float | None) -> dict[str, Any]:
    try:
        async with asyncio.timeout(seconds):
            return await check()
    except Exception as error:
        return {"ok": False, "error": away.words(error, name)}
