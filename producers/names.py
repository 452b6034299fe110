"""Names and texts that people see, and usernames: the rules that no pattern can say. Each is asked by the decision.

What is there already is not asked again: who writes an old name back changes nothing.
"""

from __future__ import annotations

from events.core.faults import count, wrong
from events.core.visible_text import shows, unlike_a_name
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
        what = "one line that people see, without hidden characters"
        raise Refused("invalid", errors=[wrong(_pointer(field), what, fault)])


def check_text(field: str, text: str) -> None:
    """Refuses a text of which people would see nothing."""
    if not shows(text):
        got = f"{count(len(text), 'character')} that do not"
        raise Refused("invalid", errors=[wrong(_pointer(field), "a text that shows something", got)])


def check_line(field: str, text: str) -> None:
    """Refuses a text of which people would see nothing, or more than one line: Unicode knows ends beyond ASCII's."""
    check_text(field, text)
    if text.splitlines() != [text]:
        raise Refused("invalid", errors=[wrong(_pointer(field), "one line", f"{len(text.splitlines())}")])


def _pointer(field: str) -> str:
    return "/" + field.replace(".", "/")


def reserved(username: str) -> bool:
    """Whether nobody is called so, or only what an operator makes."""
    return username.lower() in RESERVED | OWN or username.lower().startswith(IMPORTED)


def check_username(username: str, *, by_operator: bool = False) -> None:
    """Refuses a username that is not anybody's to take: without case, as usernames are compared."""
    if username.lower() in RESERVED or (reserved(username) and not by_operator):
        raise Refused("invalid", errors=[wrong("/username", "one that is not reserved", username)])
    if not any(char.isalnum() for char in username):
        raise Refused("invalid", errors=[wrong("/username", "a letter or a digit in it", username)])


def check_slug(slug: str) -> None:
    """Refuses a room's id that is an import's to take."""
    if slug.startswith(IMPORTED):
        what = f"one that does not begin with {' or '.join(IMPORTED)}, as imports do"
        raise Refused("invalid", errors=[wrong("/id", what, slug)])
