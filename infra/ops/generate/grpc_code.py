"""The Python code of the gRPC contract, made by the compiler that comes with grpcio-tools."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from events.core.errors import KlatschError
from infra.ops.generate.files import ROOT, Files, read

SOURCE = "schemas/proto/core_service.proto"
#: Where the code stands, as all that relays and the API have of it.
FOLDER = "push/relay"


#: The version of the compiler, which it notes twice: what another one makes of the same contract is not stale.
_VERSION = re.compile(r"^# Protobuf Python Version: .*$|^    \d+,$", re.MULTILINE)


class NotCompiled(KlatschError):
    """The compiler refused the contract, and printed why."""


@cache
def texts() -> Files:
    """The module of the messages and its stub. Methods are looked up in its descriptor: no other code is needed."""
    # For developers: what runs the server has no compiler.
    import grpc_tools
    from grpc_tools import protoc

    source = ROOT / SOURCE
    known = Path(grpc_tools.__file__).parent / "_proto"
    with TemporaryDirectory() as made:
        arguments = ["protoc", f"-I{source.parent}", f"-I{known}", f"--python_out={made}", f"--pyi_out={made}"]
        if protoc.main([*arguments, str(source)]) != 0:
            raise NotCompiled(f"{SOURCE}: expected a contract that compiles")
        return {path: _kept(path, one) for one in sorted(Path(made).iterdir()) for path in (f"{FOLDER}/{one.name}",)}


def _kept(path: str, made: Path) -> str:
    text, before = made.read_text(encoding="utf-8"), read(path) or ""
    return before if _VERSION.sub("", before) == _VERSION.sub("", text) else text
