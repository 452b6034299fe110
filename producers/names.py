"""Names and texts that people see, and usernames: the rules that no pattern can say. Each is asked by the decision.

What is there already is not asked again: who writes an old name back changes nothing.
"""

from __future__ import annotations

from events.shown import shows, unlike_a_name
from producers.commands import Refused

#: Nobody's username: what the log calls what is no user (``system``, ``operator``), how people call all others at once
#: or an office of the place, and what programs print for nobody.
RESERVED = frozenset({
    "system", "operator", "klatsch", "everyone", "everybody", "here", "all", "channel", "admin", "administrator",
    "moderator", "root", "support", "null", "undefined",
})  # fmt: skip
#: The installation's own accounts: operators make them, and nobody before them.
OWN = frozenset({"emotions"})
#: How usernames of accounts and slugs of rooms begin that imports make.
IMPORTED = ("irc-",)


def check_name(field: str, name: str) -> None:
    """Refuses a name that people would not see, or would take for another or for something else."""
    if (fault := unlike_a_name(name)) is not None:
        raise Refused("invalid", f"{field}: expected one line that people see, without hidden characters; got {fault}")


def check_text(field: str, text: str) -> None:
    """Refuses a text of which people would see nothing."""
    if not shows(text):
        raise Refused(
            "invalid", f"{field}: expected a text that shows something, got {len(text)} characters that do not"
        )


def reserved(username: str) -> bool:
    """Whether nobody is called so, or only what an operator makes."""
    return username.lower() in RESERVED | OWN or username.lower().startswith(IMPORTED)


def check_username(username: str, *, by_operator: bool = False) -> None:
    """Refuses a username that is not anybody's to take: without case, as usernames are compared."""
    if username.lower() in RESERVED or (reserved(username) and not by_operator):
        raise Refused("invalid", f"username: expected one that is not reserved, got {username}")
    if not any(char.isalnum() for char in username):
        raise Refused("invalid", f"username: expected a letter or a digit in it, got {username}")


def check_slug(slug: str) -> None:
    """Refuses a room's id that is an import's to take."""
    if slug.startswith(IMPORTED):
        raise Refused("invalid", f"id: expected one that does not begin with {' or '.join(IMPORTED)}: imports do")
