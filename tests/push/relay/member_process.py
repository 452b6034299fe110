"""``python -m tests.push.relay.member_process ADDRESS TOKEN``: a member in a process of its own, for tests to kill."""

from __future__ import annotations

import asyncio
import sys

from tests.push.relay.relaying import ChatMember


async def main(address: str, token: str) -> None:
    """Joins, says so, and reads until the end."""
    found = ChatMember(address, (("channel-token", token),))
    await found.joined()
    print("joined", flush=True)
    await found.rest()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
