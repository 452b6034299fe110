"""``klatsch users reset``: another password for a person, by the installation's own operation."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Any

import aiohttp
import msgspec

from infra.base.settings import Settings
from infra.ops import operator_token
from infra.ops.answers import detail
from infra.ops.commands import people
from infra.ops.commands.errors import CannotDo
from infra.ops.irc import url_of

#: Random bytes of a password that is made here; it has 20 characters.
_BYTES = 15
#: Seconds for the answer: a hash and the read models may take a few.
_SECONDS = 30.0


async def reset(
    settings: Settings, who: str, password: str | None, *, url: str = "", say: Callable[[str], None]
) -> None:
    """Sets the password, or one made here, which it says; then what became of the sessions. Raises CannotDo.

    ``who``: a person's id or username.
    """
    if not settings.secret:
        raise CannotDo(
            "expected the installation's secret, to act as its operator: name it by --data or KLATSCH_SECRET"
        )
    username = await people.username(settings, who)
    made = secrets.token_urlsafe(_BYTES) if password is None else None
    answer = await _ask(settings, url or url_of(settings), {"username": username, "password": made or password})
    if made is not None:
        say(f"New password of {answer['user']['username']}: {made}")
    say(f"{answer['closed']} sessions ended.")


async def _ask(settings: Settings, url: str, body: dict[str, Any]) -> dict[str, Any]:
    headers = {"Authorization": f"Bearer {operator_token.token(settings)}"}
    target = f"{url.rstrip('/')}/v1/password-resets"
    try:
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=_SECONDS)) as http,
            http.post(target, json=body, headers=headers) as response,
        ):
            content = await response.read()
            if response.status != 200:
                raise CannotDo(f"{url} refused: {response.status} {detail(content)}")
            return msgspec.json.decode(content, type=dict[str, Any])
    except (aiohttp.ClientError, TimeoutError) as error:
        raise CannotDo(
            f"expected the API at {url} to answer, got {type(error).__name__}: {error}; see 'klatsch status', or name "
            "it with --url"
        ) from error
