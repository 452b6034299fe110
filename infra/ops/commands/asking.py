"""Operations of a running installation, asked for by its own operator."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal

import aiohttp
import msgspec

from infra.base.settings import Settings
from infra.ops import operator_token
from infra.ops.answers import detail
from infra.ops.commands.errors import CannotDo

#: Seconds for the answer: a hash and the read models may take a few.
_SECONDS = 30.0
#: As many of a list as the API gives at once.
_PAGE = 200

#: What is called by a name, and the command that lists it.
Listed = Literal["an application", "a plan"]
_LISTINGS: dict[Listed, str] = {"an application": "apps list", "a plan": "plans list"}


async def ask(
    settings: Settings, url: str, method: str, path: str, *, body: dict[str, Any] | None = None,
    query: dict[str, str] | None = None,
) -> dict[str, Any]:  # fmt: skip
    """The answer of the API at ``url`` to its operator. Raises CannotDo: without the secret, refused, or away."""
    if not settings.secret:
        raise CannotDo(
            "expected the installation's secret, to act as its operator: name it by --data or KLATSCH_SECRET"
        )
    headers = {"Authorization": f"Bearer {operator_token.token(settings)}"}
    try:
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=_SECONDS)) as http,
            http.request(method, f"{url.rstrip('/')}{path}", json=body, params=query, headers=headers) as response,
        ):
            content = await response.read()
            if not response.ok:
                raise CannotDo(f"{url} refused: {response.status} {detail(content)}")
            return msgspec.json.decode(content, type=dict[str, Any])
    except (aiohttp.ClientError, TimeoutError) as error:
        raise CannotDo(
            f"expected the API at {url} to answer, got {type(error).__name__}: {error}; see 'klatsch status', or name "
            "it with --url"
        ) from error


async def pages(settings: Settings, url: str, what: str) -> list[dict[str, Any]]:
    """All of a list, such as ``plans``, which the API gives in pages. Raises CannotDo."""
    found: list[dict[str, Any]] = []
    query = {"limit": str(_PAGE)}
    while True:
        page = await ask(settings, url, "GET", f"/v1/{what}", query=query)
        found += page[what]
        if page["next"] is None:
            return found
        query["cursor"] = page["next"]


def warn_of_namesakes(rows: Sequence[dict[str, Any]], made: dict[str, Any], warn: Callable[[str], None]) -> None:
    """Says which others have the name that something was just given: commands cannot tell them apart by it."""
    others = [
        one["id"] for one in rows
        if one["name"] == made["name"] and one["id"] != made["id"] and one["state"] != "erased"
    ]  # fmt: skip
    if others:
        warn(f"{made['name']!r} is the name of {', '.join(others)} too: commands that are given it will ask for an id.")


def called(rows: Sequence[dict[str, Any]], text: str, what: Listed) -> dict[str, Any]:
    """The one with this id, or else this name. Raises CannotDo for none, or several.

    What is erased is called by its name only as long as nothing else is.
    """
    named = [one for one in rows if one["name"] == text]
    found = [one for one in rows if one["id"] == text] or [one for one in named if one["state"] != "erased"] or named
    if not found:
        listing = _LISTINGS[what]
        raise CannotDo(f"expected the id or name of {what}, found none called {text!r}; see './klatsch {listing}'")
    if len(found) > 1:
        _, kind = what.split(" ", 1)
        ids = ", ".join(one["id"] for one in found)
        raise CannotDo(f"expected one {kind} called {text!r}, found {len(found)}: {ids}; use an id")
    return found[0]
