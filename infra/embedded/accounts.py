"""As whom Postgres runs when we are root, and where it can then read and write."""

from __future__ import annotations

import os
import pwd
import secrets
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from events.core.errors import KlatschError
from infra.embedded.process import Account

#: Where things go that the account cannot reach in the data folder, for example below /root.
SHARED = Path("/var/lib/klatsch")
_NAMES = ("postgres", "nobody")


class NoAccount(KlatschError):
    """We are root and there is no other user to run Postgres as; the text says which were looked for."""


def server_account() -> Account | None:
    """None: run as we are. As root: the user ``postgres``, else ``nobody``. Raises NoAccount."""
    if os.geteuid() != 0:
        return None
    for name in _NAMES:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(entry.pw_uid, entry.pw_gid)
    raise NoAccount(f"running as root, and Postgres refuses root: expected one of the users {', '.join(_NAMES)}")


def reaches(account: Account, path: Path) -> bool:
    """Whether the account may enter the folder or run the file: asked of the system, which knows ACLs too."""
    answer = subprocess.run(
        ["/bin/sh", "-c", 'test -x "$1"', "sh", path],
        user=account.uid, group=account.gid, extra_groups=[], cwd="/", check=False,
    )  # fmt: skip
    return answer.returncode == 0


def reachable_folder(account: Account | None, wanted: Path) -> Path:
    """A folder of the account's own: ``wanted``, or one below SHARED with a link to it at ``wanted``.

    The same answer at every start; ``wanted`` need not exist.
    """
    if wanted.is_symlink() or wanted.exists():
        return wanted.resolve()
    wanted.parent.mkdir(parents=True, exist_ok=True)
    if account is None or reaches(account, wanted.parent):
        wanted.mkdir(mode=0o700)
        target = wanted
    else:
        target = SHARED / f"data-{secrets.token_hex(6)}"
        target.mkdir(mode=0o700, parents=True)
    if account:
        os.chown(target, account.uid, account.gid)
    if target != wanted:
        wanted.symlink_to(target)
    return target


def reachable_copy(account: Account | None, base: Path, folders: Sequence[str], program: str) -> Path:
    """A folder from which the account can run ``program``: ``base``, or a copy of its ``folders`` below SHARED.

    ``program`` and ``folders`` are relative to ``base``; the copy keeps that layout, since programs find their
    libraries by it. It is made once for a version: its name is of the program's size and time.
    """
    if account is None or reaches(account, base / program):
        return base
    stat = (base / program).stat()
    copy = SHARED / f"programs-{stat.st_size:x}-{int(stat.st_mtime):x}"
    if not copy.exists():
        fresh = copy.with_suffix(f".{os.getpid()}")
        shutil.rmtree(fresh, ignore_errors=True)
        for folder in folders:
            shutil.copytree(base / folder, fresh / folder, symlinks=True, ignore=shutil.ignore_patterns("include"))
        for folder_path in [fresh, *fresh.rglob("*")]:
            if folder_path.is_dir():
                folder_path.chmod(0o755)
        try:
            fresh.rename(copy)
        except OSError:
            # Another start has just made the same copy.
            shutil.rmtree(fresh)
            if not copy.exists():
                raise
    return copy
