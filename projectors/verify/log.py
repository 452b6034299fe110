"""What the log itself must keep: numbers without gaps, nothing named that is not there, no command done twice."""

from __future__ import annotations

from typing import Any

from infra.base.postgres import Connection, queries
from infra.base.progress import READ_MODELS
from projectors.rebuild.fresh import LONG
from projectors.rebuild.reading import Tally
from projectors.verify.comparing import source
from projectors.verify.findings import LogFindings

#: Findings of each kind that are listed.
LISTED = 100


async def check(connection: Connection, schema: str, tally: Tally) -> LogFindings:
    """Asks the log's fold in ``schema``, which has to be on the connection's path."""
    sql, found = queries("verify"), LogFindings(tally=tally)
    messages = await source(connection, schema, "messages")

    async def ask(name: str, *arguments: Any) -> list[Any]:
        rows = await connection.fetch(sql[name].replace("{messages}", messages), *arguments, timeout=LONG)
        found.counts[name] = len(rows)
        return list(rows[:LISTED])

    found.gaps = [
        f"room {row['room']}: expected messages 1 to {row['seq']}, got {row['messages']} with {row['numbers']} numbers "
        f"from {row['first']} to {row['last']}"
        for row in await ask("gaps")
    ]
    found.dangling = [f"{row['place']} of {row['key']}: {row['names']} does not exist" for row in await ask("dangling")]
    found.repeated = [
        f"stream {row['stream']}: the command {row['command']} of {row['actor']} was carried out {row['times']} times, "
        f"first at offset {row['first']}"
        for row in await ask("repeated")
    ]
    found.refused = [
        f"stream {row['stream']} at {row['topic']}/{row['partition']}/{row['offset']}: {row['error']}"
        for row in await ask("refused", READ_MODELS)
    ]
    return found
