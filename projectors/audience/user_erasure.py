"""Events of erased accounts: what their contacts receive of them."""

from __future__ import annotations

from projectors.audience.core import CONTACTS, SELF, Audience

AUDIENCES: dict[str, Audience] = {
    # To whom they were a contact they are nobody from here on.
    "user.erased": CONTACTS,
    "user.erasure_noted": SELF,
}
