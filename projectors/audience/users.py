"""Events of users: their own, and what their contacts receive of their profiles."""

from __future__ import annotations

from msgspec import to_builtins
from msgspec.structs import replace

from events.core.records import Record
from events.users import UserProfileChanged, UserRegistered
from projectors.audience.core import CONTACTS, NOBODY, SELF, AddressedDelta, Audience, EventContext, contacts_lookup
from projectors.views import public_data


def _registered(record: Record[UserRegistered], context: EventContext) -> list[AddressedDelta]:
    event = record.data
    shown = {name: value for name, value in to_builtins(event).items() if name not in ("credential", "scopes")}
    return [AddressedDelta((record.stream,), shown)]


def _password_changed(record: Record, context: EventContext) -> list[AddressedDelta]:
    # That it has changed, and not what it is called in the vault.
    return [AddressedDelta((record.stream,), {})]


def _deactivated(record: Record, context: EventContext) -> list[AddressedDelta]:
    # That it was, and not why.
    return [AddressedDelta((record.stream,), {}), AddressedDelta(context.contacts, {})]


def _profile_changed(record: Record[UserProfileChanged], context: EventContext) -> list[AddressedDelta]:
    event = record.data
    shown = replace(event, data=None if event.data is None else public_data(event.data))
    return [AddressedDelta((record.stream,), event), AddressedDelta(context.contacts, shown)]


AUDIENCES: dict[str, Audience] = {
    "user.registered": Audience("the user", _registered),
    "user.registration_abandoned": NOBODY,
    "user.profile_changed": Audience("the user and their contacts", _profile_changed, contacts_lookup),
    "user.email_changed": SELF,
    "user.email_abandoned": SELF,
    "user.password_changed": Audience("the user, without its fields", _password_changed),
    "user.seen": SELF,
    "user.visual_chosen": CONTACTS,
    "user.added_by_chosen": SELF,
    "user.deactivated": Audience("the user and their contacts, without the reason", _deactivated, contacts_lookup),
    "user.reactivated": CONTACTS,
    "user.tokens_revoked": SELF,
    "user.team_set": SELF,
}
