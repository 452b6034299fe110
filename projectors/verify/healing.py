"""Rewriting rows that are not what the log says, from its fold, while no turn of the projector is under way."""

from __future__ import annotations

from infra.base import months
from infra.base.postgres import Connection, queries
from infra.base.progress import pages_channel
from infra.base.settings import Settings
from projectors.rebuild.follower import RebuildFollower
from projectors.rebuild.switching import held, near
from projectors.verify.comparing import row_of, spec
from projectors.verify.findings import Difference

#: Rows that are rewritten while the projector waits.
PIECE = 200


async def heal(
    connection: Connection, settings: Settings, follower: RebuildFollower, differences: list[Difference]
) -> tuple[int, int]:
    """Makes the rows what they are expected to be *now*; how many were rewritten, and how many had become right.

    What has happened since they were compared is folded first, so a row that has gone on is not taken back.
    """
    healed = settled = 0
    shards = sorted(await follower.places())
    for start in range(0, len(differences), PIECE):
        await near(connection, settings, follower, shards)
        async with held(connection, settings, follower, shards, exact=True):
            await connection.execute(f'set local search_path to "{settings.schema}", "{settings.schema}_ops"')
            for one in differences[start : start + PIECE]:
                if await _heal(connection, settings, follower.schema, one):
                    healed += 1
                else:
                    settled += 1
            await connection.execute(queries("projectors")["notify"], pages_channel(settings), ['{"all":true}'])
    return healed, settled


async def _heal(connection: Connection, settings: Settings, schema: str, one: Difference) -> bool:
    """Whether there was something to rewrite."""
    found = spec(one.table)
    key = tuple(one.key[name] for name in found.keys)
    expected = await row_of(connection, schema, one.table, key)
    if expected == await row_of(connection, settings.schema, one.table, key):
        return False
    where = " and ".join(f'"{name}" = ${i}' for i, name in enumerate(found.keys, 1))
    columns = ", ".join(f'"{name}"' for name in found.columns)
    into, out_of = one.table, one.table
    if one.table == "messages":
        # By month: one that was put aside is no part of the whole, here or there.
        into = out_of = months.table_of(months.month_of(key[0]))
    # S608: names of ours; every value is a parameter.
    await connection.execute(f'delete from "{settings.schema}"."{into}" where {where}', *key)  # noqa: S608
    await connection.execute(
        f'insert into "{settings.schema}"."{into}" ({columns}) select {columns} from "{schema}"."{out_of}"'  # noqa: S608
        f" where {where}",
        *key,
    )
    return True
