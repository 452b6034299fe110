#!/usr/bin/env bash
# faust-streaming 0.15.3: a partition whose record at offset 0 is followed by a hole is never committed beyond it.
#
# Kafka's offsets may have holes: compaction takes records away, and so does reading only what is committed of aborted
# transactions. Faust counts a hole as acknowledged where it sees one between two records. It takes a place of 0 for no
# place (`if gap > 1 and r_offset`), so the hole right after the first record of a partition is not counted, and the
# group's offset stays at 1 for ever: after a restart all is read again. The same records ten offsets later are
# committed to the end. Seen: 1 and 27; expected: 17 and 27. The records are given to Faust's own consumer in the place of
# a broker's, as compaction cannot be hurried.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet faust-streaming==0.15.3
cd "$folder"
cat > seen.py <<'PY'
import asyncio
from types import SimpleNamespace

import faust
from faust.types import TP
from faust.transport.consumer import Consumer

HELD = [0, 10, 11, 12, 13, 14, 15, 16]  # what compaction left of offsets 0 to 16


async def committed(first: int) -> int | None:
    """What Faust would commit after it has read and acknowledged all of HELD, moved by ``first``."""
    tp = TP("cleaned", 0)
    app = faust.App("one", broker="kafka://localhost:9", topic_disable_leader=True)
    app.topics.acks_enabled_for = lambda topic: True
    read = asyncio.Event()

    class Held(Consumer):
        async def getmany(self, timeout):
            for offset in () if read.is_set() else HELD:
                yield tp, SimpleNamespace(topic=tp.topic, offset=first + offset, key=None, value=b"")
            read.set()
            await asyncio.sleep(0.05)

        def assignment(self):
            return {tp}

    # The rest of a driver talks to a broker; nothing of it is asked for here.
    Held.__abstractmethods__ = frozenset()
    taken = []

    async def take(message):
        taken.append(message.offset)

    consumer = Held(app.transport, callback=take, on_partitions_revoked=None, on_partitions_assigned=None)
    fetcher = SimpleNamespace(_stopped=read, set_shutdown=lambda: None)
    await consumer._drain_messages(fetcher)
    assert taken == [first + offset for offset in HELD], taken
    offset = None
    for done in taken:  # one after the other, committed in between as the interval of an app has it
        consumer._acked[tp].append(done)
        if (found := consumer._new_offset(tp)) is not None:
            consumer._committed_offset[tp] = offset = found
    return offset


async def main() -> None:
    at_zero, later = await committed(0), await committed(10)
    print(f"records at {HELD}: Faust commits {at_zero}, where the end is 17")
    print(f"the same ten later: Faust commits {later}, where the end is 27")
    assert (at_zero, later) == (1, 27), "changed"


asyncio.run(main())
PY
"$folder/venv/bin/python" seen.py
