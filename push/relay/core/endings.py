"""How a stream ends, and why one does not begin. Pure: a status is named as gRPC names it, and gRPC is not needed."""

from __future__ import annotations

from typing import NamedTuple

from events.core.errors import KlatschError


class Ending(NamedTuple):
    """``status``: gRPC's name of it. ``type``: a word for programs. ``detail``: expected and actual, for people."""

    status: str
    type: str
    detail: str


class RelayRefused(KlatschError):
    """A call is refused and changed nothing."""

    def __init__(self, status: str, type: str, detail: str) -> None:
        super().__init__(detail)
        self.ending = Ending(status, type, detail)


#: Seconds after which it is worth to listen again, by gRPC's name of the status: a user may every two.
RETRY_SECONDS = {"RESOURCE_EXHAUSTED": 2.0, "UNAVAILABLE": 2.0}
#: The member has left by themselves, in whichever way.
QUIT = Ending("OK", "quit", "")
ELSEWHERE = Ending("ABORTED", "connected_elsewhere", "connected elsewhere: a later Listen of this user is connected")
DELETED = Ending("NOT_FOUND", "channel_deleted", "the channel was deleted")
REVOKED = Ending("UNAUTHENTICATED", "token_revoked", "the session that listened was closed: log in, and listen again")
GIVEN_AWAY = Ending("UNAVAILABLE", "channel_elsewhere", "the channel was given to another server: call Listen again")
APART = Ending("PERMISSION_DENIED", "forbidden", "somebody is in the channel with whom you have a block")
DRAINING = Ending("UNAVAILABLE", "draining", "this server ends: call Listen again")


def unauthenticated(detail: str, type: str = "channel_token_invalid") -> RelayRefused:
    """The channel token is missing or no good."""
    return RelayRefused("UNAUTHENTICATED", type, detail)


def outdated(latest: int, version: int) -> RelayRefused:
    """The channel token is of an older Listen than one with which the user is or was connected."""
    return unauthenticated(
        f"expected the channel token of the user's latest Listen, {latest}, got one of {version}",
        "channel_token_outdated",
    )


def too_fast(what: str, most: int) -> Ending:
    """A member has sent more than their rate."""
    return Ending("RESOURCE_EXHAUSTED", "rate_limited", f"expected at most {most} {what} a second, got more")
