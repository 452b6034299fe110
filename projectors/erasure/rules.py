"""By table, what becomes of an erased application's rows: how they are found, or why they stay. One row a table."""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple


class By(Enum):
    """What a column names by which rows are found."""

    #: The application itself.
    APP = "application"
    USER = "user"
    ROOM = "room"
    #: Not by one column: the function of ``sweeping.py`` that removes them says how.
    OWN = "own"


class Goes(NamedTuple):
    """Rows that go. A column of rooms or users needs an index; one of applications too, or it is read from end to
    end."""

    by: By
    column: str = ""


class Stays(NamedTuple):
    """Rows that stay; why."""

    why: str


#: Of what belongs to an application by something else than these three, the row is ``Goes(By.OWN)``, with a function.
RULES: dict[str, Goes | Stays] = {
    "users": Goes(By.OWN),
    "sessions": Goes(By.USER, "user"),
    "relationships": Goes(By.USER, "user"),
    "visuals": Goes(By.USER, "owner"),
    "listenings": Goes(By.USER, "user"),
    "channel_users": Goes(By.USER, "user"),
    "handles": Goes(By.OWN),
    "rooms": Goes(By.OWN),
    "members": Goes(By.ROOM, "room"),
    "stays": Goes(By.ROOM, "room"),
    "invitations": Goes(By.ROOM, "room"),
    "messages": Goes(By.OWN),
    "revisions": Goes(By.OWN),
    "pins": Goes(By.ROOM, "room"),
    "spans": Goes(By.ROOM, "room"),
    "changes": Goes(By.OWN),
    "parked": Goes(By.OWN),
    "skipped": Goes(By.OWN),
    "credentials": Goes(By.OWN),
    "teams": Goes(By.APP, "app"),
    "usage_metrics": Goes(By.APP, "app"),
    "usage_actors": Goes(By.APP, "app"),
    "apps": Stays("the application is listed as erased, with its name; its keys are gone from the row"),
    "erased_events": Stays("it says how many events of the application the log has"),
    "erasures": Stays("it says what was removed"),
    "channels": Stays("live channels are the default application's, which is never erased"),
    "channel_counters": Stays("of the installation"),
    "channel_servers": Stays("of the installation"),
    "channel_places": Stays("live channels are the default application's"),
    "positions": Stays("of the installation"),
    "usage_positions": Stays("of the installation"),
    "plans": Stays("of the installation"),
    "readers": Stays("the role sees no row any more; an operator drops it, with what Postgres has of it"),
    "installation": Stays("of the installation"),
    "archived_months": Stays("of the installation; the messages in the months' tables go"),
    "feed_checkpoints": Stays("of the installation"),
}


def found_by(by: By) -> list[tuple[str, str]]:
    """Tables with the column by which their rows are found, in the order of RULES."""
    return [(table, rule.column) for table, rule in RULES.items() if isinstance(rule, Goes) and rule.by is by]
