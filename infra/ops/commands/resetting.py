"""``klatsch users reset``: another password for a person, by the installation's own operation."""

from __future__ import annotations

import secrets
from collections.abc import Callable

from infra.base.settings import Settings
from infra.ops.commands import people
from infra.ops.commands.asking import ask
from infra.ops.irc import url_of

#: Random bytes of a password that is made here; it has 20 characters.
_BYTES = 15


async def reset(
    settings: Settings, who: str, password: str | None, *, url: str = "", say: Callable[[str], None]
) -> None:
    """Sets the password, or one made here, which it says; then what became of the sessions. Raises CannotDo.

    ``who``: a person's id or username.
    """
    user = await people.known_user(settings, who)
    whose = {"username": who} if user is None else {"user": user}
    made = secrets.token_urlsafe(_BYTES) if password is None else None
    body = {**whose, "password": made or password}
    answer = await ask(settings, url or url_of(settings), "POST", "/v1/password-resets", body=body)
    if made is not None:
        say(f"New password of {answer['user']['username'] or who}: {made}")
    say(f"{answer['closed']} sessions ended.")
