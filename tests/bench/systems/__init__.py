"""The systems that can be measured, by name. Adding one is adding its file and a line here."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tests.bench.system import System
from tests.bench.systems.floor import Chain, Sockets
from tests.bench.systems.ours import Ours
from tests.bench.systems.socketio import SocketIO
from tests.bench.systems.starlette import Starlette
from tests.bench.systems.stores import Stores

#: In the order of the tables. Each is made with a folder for whatever it writes, and the stores that all may use.
SYSTEMS: dict[str, Callable[[Path, Stores], System]] = {
    "ours": Ours,
    "chain": Chain,
    "sockets": lambda folder, stores: Sockets(folder),
    "starlette": Starlette,
    "socketio": SocketIO,
}
