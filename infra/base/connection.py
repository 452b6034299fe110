"""Types of asyncpg's connections, pools and rows, by names of our own: generic ones take no parameters at run time."""

from __future__ import annotations

from typing import TypeAlias

import asyncpg
import asyncpg.pool

#: One that we have opened, or one that a pool lends.
Connection: TypeAlias = asyncpg.Connection | asyncpg.pool.PoolConnectionProxy
Pool: TypeAlias = asyncpg.Pool
#: What a query gives, by names of columns.
Row: TypeAlias = asyncpg.Record
