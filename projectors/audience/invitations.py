"""Invitations concern two people, and nobody else receives them."""

from __future__ import annotations

from typing import Any

from events.core.records import Record
from events.invitations import Invitation, InvitationDeclined, InvitationWithdrawn, MemberInvited, invitation_key
from events.users import user_key
from projectors.audience.core import AddressedDelta, Audience, EventContext, Lookup
from projectors.views import invitation_view, user_view


def _invited_lookup(record: Record[MemberInvited]) -> Lookup:
    event = record.data
    return Lookup(keys=(invitation_key(record.stream, event.user), user_key(record.actor)))


def _invited(record: Record[MemberInvited], context: EventContext) -> list[AddressedDelta]:
    event = record.data
    invitation = context.entities.get(invitation_key(record.stream, event.user))
    by = context.user(record.actor)
    include: dict[str, Any] = {}
    # One that was answered since, the next delta ends.
    if isinstance(invitation, Invitation) and invitation.state == "pending":
        include["invitation"] = invitation_view(invitation)
        if by is not None:
            include["user"] = user_view(by)
    return [AddressedDelta((record.actor,), event), AddressedDelta((event.user,), event, include or None)]


def _uninvited(record: Record[InvitationDeclined | InvitationWithdrawn], context: EventContext) -> list[AddressedDelta]:
    event = record.data
    return [AddressedDelta((event.user, event.by), event)]


_ENDED = Audience("who was invited, and who invited", _uninvited)

AUDIENCES: dict[str, Audience] = {
    "member.invited": Audience(
        "who is invited, with the invitation and the profile of who invites; and who invites", _invited, _invited_lookup
    ),
    "invitation.declined": _ENDED,
    "invitation.withdrawn": _ENDED,
}
