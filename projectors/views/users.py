"""Users as others see them, as those who block them do, and as they see themselves."""

from __future__ import annotations

from events.users import User
from projectors.views.core import Component, View

#: Keys of a user's data that only the user sees.
PRIVATE_DATA = frozenset({"last_login"})


def public_data(data: dict[str, str]) -> dict[str, str]:
    """A user's data map as others see it."""
    return {name: value for name, value in data.items() if name not in PRIVATE_DATA}


def user_view(user: User) -> View:
    """The public profile. Without ``updated`` and ``seen``, which tell when the user was last here (see presence)."""
    return {
        "id": user.id,
        "username": user.username,
        "name": user.name,
        "role": user.role,
        "visual": user.visual,
        "kind": user.account,
        "team": user.team,
        "avatar": user.avatar,
        "bio": user.bio,
        "data": public_data(user.data),
        "custom": user.custom,
        "deactivated": user.deactivated,
        "erased": user.erased,
        "created": user.created,
        "version": user.version,
    }


def masked(view: View) -> View:
    """A public profile as those see it who block the user: no word or picture of theirs reaches them."""
    shown = {"name": view["username"] or view["id"], "visual": None, "avatar": None, "bio": None}
    return {**view, **shown, "data": {}, "custom": {}}


def self_view(user: User) -> View:
    """The profile as the user sees it. The credential is shown to nobody."""
    more = {"data": dict(user.data), "email": user.email, "seen": user.seen, "updated": user.updated}
    return {**user_view(user), **more, "added_by": user.added_by, "external": user.external}


#: By the component's name in the schemas.
VIEWS = {"User": Component(user_view, User), "Self": Component(self_view, User)}
