"""Operations of a running installation, asked for by its own operator."""

from __future__ import annotations

from typing import Any

import aiohttp
import msgspec

from infra.base.settings import Settings
from infra.ops import operator_token
from infra.ops.answers import detail
from infra.ops.commands.errors import CannotDo

#: Seconds for the answer: a hash and the read models may take a few.
_SECONDS = 30.0


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
