"""Tokens for those who act for the installation itself: its command line, and workers that make their own accounts."""

from __future__ import annotations

from api.tokens import Role, mint
from events.clock import after, now
from infra.settings import Settings

#: Lifetime of such a token, in seconds; whoever uses one longer has a new one made.
TOKEN_SECONDS = 900.0


def token(settings: Settings, *, user: str = "operator", role: Role = "operator", session: str = "operator") -> str:
    """A token signed with the installation's secret, valid from now for TOKEN_SECONDS."""
    issued = now()
    return mint(
        settings, user=user, session=session, role=role, issued=issued, expires=after(issued, TOKEN_SECONDS)
    )  # fmt: skip
