"""``klatsch parked skip``: an event is skipped for good, with a reason that is kept, and its stream continues."""

from __future__ import annotations

import getpass
from collections.abc import Callable

import msgspec

from events.core.positions import Position
from infra.base.postgres import connected, queries
from infra.base.progress import READ_MODELS
from infra.base.settings import Settings
from infra.ops.commands.errors import CannotDo
from infra.ops.commands.event_format import clean
from infra.ops.commands.log import check_shard
from infra.ops.commands.parked import position_of
from projectors.read_models.redrive import pass_over, redrive

Say = Callable[[str], None]


async def skip(settings: Settings, position: Position, reason: str, operator: str, *, say: Say) -> None:
    """Records that the event is skipped, and applies what waits behind it. Raises CannotDo."""
    if not reason.strip() or "\x00" in reason + operator:
        raise CannotDo("--reason: expected the reason for skipping this event, got no readable text")
    check_shard(settings, position.shard)
    async with connected(settings) as connection:
        rows = await pass_over(connection, position, reason.strip(), operator.strip() or _user())
        if not rows:
            raise CannotDo(f"expected the position of a parked event, got {position}; see 'parked list'")
        for row in rows:
            say(clean(f"{position} of {row['stream']} is skipped by {row['consumer']}: {reason.strip()}"))
        if READ_MODELS not in [row["consumer"] for row in rows]:
            return
        applied, parked = await redrive(connection, settings, rows[0]["stream"])
        say(f"{applied:,} events behind it applied; " + (f"{parked:,} still wait" if parked else "the stream is free"))


def _user() -> str:
    try:
        return getpass.getuser()
    # Who has no entry among the machine's users, as in some containers.
    except (KeyError, OSError):
        return "unknown"


async def listing(settings: Settings, *, json: bool, say: Say) -> None:
    """Lists the events that were skipped, the latest first."""
    async with connected(settings) as connection:
        rows = await connection.fetch(queries("operate")["skipped"])
    if not rows and not json:
        say("Nothing was skipped.")
    for row in rows:
        if json:
            say(msgspec.json.encode(dict(row)).decode())
            continue
        say(clean(f"{position_of(row)} {row['type'] or '(unreadable)'} of {row['stream']}  ({row['consumer']})"))
        say(clean(f"  {row['skipped_at']} by {row['operator']}: {row['reason']}"))
        say(clean(f"  {row['error']}"))
