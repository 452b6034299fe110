"""Tokens for those who act for the installation itself: its command line, and workers that make their own accounts."""

from __future__ import annotations

from api.core.tokens import Role, mint
from events.core.clock import after, now
from infra.base.settings import Settings

#: Lifetime of such a token, in seconds; whoever uses one longer has a new one made.
TOKEN_SECONDS = 900.0
#: The same of one in a link to the console, which trades it for its own at once.
LINK_SECONDS = 300.0


def token(
    settings: Settings, *, user: str = "operator", role: Role = "operator", session: str = "operator",
    seconds: float = TOKEN_SECONDS,
) -> str:  # fmt: skip
    """A token signed with the installation's secret, valid from now for this many seconds."""
    issued = now()
    return mint(settings, user=user, session=session, role=role, issued=issued, expires=after(issued, seconds))


def console_link(settings: Settings) -> str:
    """A link that opens the operators' console, good for LINK_SECONDS.

    The token stands in its fragment, which no browser sends to a server, so that it is in no log.
    """
    host = "127.0.0.1" if settings.host in ("0.0.0.0", "::") else settings.host
    base = settings.api or f"http://{host}:{settings.port}"
    return f"{base}/console/#token={token(settings, seconds=LINK_SECONDS)}"
