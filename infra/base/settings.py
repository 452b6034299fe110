"""Configuration: one frozen struct, read from ``KLATSCH_*`` variables. No I/O beyond the environment."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import Literal, NamedTuple

import msgspec

from events.core.errors import KlatschError
from infra.base.origins import Origins


class SettingsError(KlatschError, ValueError):
    """A ``KLATSCH_*`` variable has a value that cannot be used; the text says expected and actual."""


class Quota(NamedTuple):
    """How often: ``most`` at once, and as many again in ``seconds``, which come back one by one."""

    most: int
    seconds: int


_KEY = re.compile(r"[0-9A-Fa-f]{64}")
_QUOTA = re.compile(r"([1-9][0-9]{0,8})/([1-9][0-9]{0,8})")


def quota(text: str) -> Quota:
    """``500/10`` -> 500 at once, and 50 a second. Raises ValueError."""
    found = _QUOTA.fullmatch(text)
    if found is None:
        raise ValueError(f"expected '<most>/<seconds>', such as 500/10, got {text!r}")
    return Quota(int(found[1]), int(found[2]))


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """What every role needs to know. Each field is the variable ``KLATSCH_<FIELD>``."""

    #: Kafka bootstrap servers, ``host:port[,host:port]``.
    kafka: str = "127.0.0.1:8410"
    #: Name with which to log in to Kafka (SASL); empty: it asks for none. An embedded Kafka has a user of its own.
    kafka_user: str = ""
    #: The password of that user.
    kafka_password: str = ""
    #: How the password is proved.
    kafka_sasl: Literal["SCRAM-SHA-256", "SCRAM-SHA-512", "PLAIN"] = "SCRAM-SHA-256"
    #: Whether connections to Kafka are encrypted (TLS).
    kafka_tls: bool = False
    #: File of the authorities (PEM) that sign the brokers' certificates; empty: those of the system.
    kafka_ca: str = ""
    #: Postgres DSN, ``postgresql://user[:password]@host:port/database``.
    postgres: str = "postgresql://postgres@127.0.0.1:8411/klatsch"
    #: Key that signs tokens; 32 bytes as hex, the same for all processes of an installation.
    secret: str = ""
    #: Key that seals the secrets of applications; 32 bytes as hex, the same for all processes. Empty: derived from
    #: ``secret``. With another one they are lost, and each application needs a new key.
    sealing_key: str = ""
    #: First part of every topic name; two prefixes are two installations on one cluster.
    prefix: str = "klatsch"
    #: Postgres schema of the live read models.
    schema: str = "klatsch"
    #: Partitions (shards) of each event topic; fixed at installation.
    partitions: int = 8
    #: Partitions of the feed topic; fixed at installation.
    feed_partitions: int = 8
    #: Replication factor of new topics (``min.insync.replicas`` follows: 2 when this is 3 or more).
    replication: int = 1
    #: Retention of the feed, in hours. Older cursors are resumed from a snapshot.
    feed_hours: int = 168
    #: Folders with data of Kafka and Postgres, separated as in PATH: while one of their disks has less room than
    #: ``disk_floor``, what would be stored is refused (507). ``./klatsch up`` names those of its own servers.
    disks: str = ""
    #: Bytes that must be free there. A broker or a Postgres that finds its disk full ends, and needs some to start.
    disk_floor: int = 64 * 1024 * 1024
    #: How often this process was started again because it had ended; ``./klatsch up`` says it.
    restarts: int = 0
    #: How and when it last ended, likewise.
    ended: str = ""
    #: Address this process listens on.
    host: str = "127.0.0.1"
    port: int = 8400
    #: Port of gRPC, where the role ``relay`` runs; 0: three above ``port``.
    grpc_port: int = 0
    #: ``host:port`` under which clients reach it; empty: as other processes do, at the host of ``advertise``.
    grpc_advertise: str = ""
    #: Base URL under which browsers reach the relay's WebSocket, ``wss://voice.example.org``; empty: ``ws://`` and what
    #: other processes call it by, so ``advertise`` or host and port.
    relay_url: str = ""
    #: File (PEM) of a certificate, with those that sign it: gRPC is served over TLS. Empty: without.
    grpc_certificate: str = ""
    #: File (PEM) of the certificate's key.
    grpc_key: str = ""
    #: File (PEM) of the authorities that sign the certificates of relays, by which processes know one another's; empty:
    #: the certificate itself, which may be signed by itself. A process without a certificate that has this calls relays
    #: over TLS too.
    grpc_authority: str = ""
    #: The name that the certificates of relays must have when processes call them; empty: the host of their address.
    grpc_name: str = ""
    #: ``host:port`` under which other API processes reach this one; derived from host and port when empty.
    advertise: str = ""
    #: Base URL of the API for workers (``http://127.0.0.1:8400``); derived from host and port 8400 when empty.
    api: str = ""
    #: Lifetime of a session, in seconds, from its log-in or its latest renewal (S2: an hour).
    session_seconds: int = 3600
    #: Characters that a new password must have at least; 8 is the least that can be asked for. ASVS 2.1.1 asks for 12.
    password_chars: int = 8
    #: Commands that may wait in one shard before new ones get 503.
    shard_queue: int = 2000
    #: Events by which the read models may lag behind a shard before its commands get 503.
    shard_lag: int = 50_000
    #: Seconds a command may wait for its outcome.
    command_seconds: float = 10.0
    #: Who may add people to rooms at once who have not chosen it themselves: ``everyone``, ``contacts`` or ``nobody``.
    #: All others invite.
    added_by: Literal["everyone", "contacts", "nobody"] = "contacts"
    #: Invitations into one room that may wait for an answer.
    invitations_room: int = 500
    #: Invitations of one person that may wait for an answer.
    invitations_user: int = 200
    #: Of those, from one and the same person.
    invitations_between: int = 10
    #: People whom one may hold for friends or block.
    relationships: int = 5000
    #: Seconds a registration that never finished keeps its name.
    claim_seconds: float = 5.0
    #: Whether calls of people and services are limited in number; what bounds wrong passwords always holds.
    limits: bool = True
    #: Messages of one account, as `<most>/<seconds>`: so many at once, and as many again in so many seconds.
    limit_send: str = "500/10"
    #: Other changes by one account: edits, read positions, profiles, typing.
    limit_write: str = "500/10"
    #: Rooms and visuals that one account makes.
    limit_create: str = "200/200"
    #: Relationships and members that one account sets or takes away.
    limit_relate: str = "500/100"
    #: Reads of one account.
    limit_read: str = "1000/10"
    #: Reads of one account that cost much: snapshots, searches, the past (`as_of`).
    limit_heavy: str = "300/30"
    #: Connections and event streams that one account opens.
    limit_connect: str = "300/30"
    #: Calls of one application, by its users and its server together; its plan may say another number.
    limit_app: str = "600000/60"
    #: Registrations from one address.
    limit_register: str = "100/100"
    #: Log-ins from one address, whatever comes of them.
    limit_log_in: str = "300/60"
    #: Wrong passwords for one name from one address.
    limit_guesses: str = "20/1200"
    #: Wrong passwords from one address, for names that have not logged in from there before.
    limit_guesses_address: str = "100/100"
    #: Wrong passwords for one name, from all addresses from which it has not logged in before.
    limit_guesses_name: str = "1000/3600"
    #: Bytes of pages of history that a process keeps in memory.
    page_cache_bytes: int = 32 * 1024 * 1024
    #: Large reads (answers of the past, snapshots, searches) that may hold connections to Postgres at once: half of a
    #: process's ten, so that other reads and commands find one.
    heavy_reads: int = 5
    #: The same of one user.
    heavy_reads_user: int = 2
    #: Seconds that a further one waits for its turn before it is refused.
    heavy_seconds: float = 5.0
    #: Bytes of one page of a snapshot, and of the push frame that brings one.
    snapshot_bytes: int = 256 * 1024
    #: Different words and phrases of one search: what 200 characters of prose hold.
    search_terms: int = 50
    #: Messages that one search looks at; with more that have its words and not its phrases, the page is short, and its
    #: cursor goes on.
    search_messages: int = 2000
    #: Seconds after which a search stops likewise, also while others keep it waiting.
    search_seconds: float = 1.0
    #: Places that a search shows of one message: the first ones.
    search_highlights: int = 100
    #: Deltas that one connection may have waiting before it is closed to resume.
    push_queue: int = 1000
    #: Seconds between pings on a push connection.
    ping_seconds: int = 25
    #: Seconds of silence after which a push node counts as dead, and who was connected only to it as offline (S2).
    presence_seconds: float = 30.0
    #: Seconds without activity after which somebody who is connected is away (S2).
    away_seconds: float = 300.0
    #: Seconds without a report after which a server of live channels counts as dead, and its channels go to others.
    channel_server_seconds: float = 15.0
    #: Seconds from one report of a relay to the next (S1: 5).
    channel_report_seconds: float = 5.0
    #: Seconds that a server of live channels has to answer another process.
    channel_call_seconds: float = 2.0
    #: Seconds that the time of a channel token may be from the clock of the server that takes it, either way.
    channel_token_seconds: float = 10.0
    #: Live channels that one relay serves at most.
    channel_server_channels: int = 1000
    #: Members of all live channels of one relay at most; it takes four times as many connections, and needs descriptors
    #: for them.
    channel_server_members: int = 2500
    #: Bytes of data in one frame of a live channel (S1's contract: 64 KiB).
    channel_frame_bytes: int = 64 * 1024
    #: Frames a second of one member, and as many at once; who sends more is cut off. Speech of 20 ms a frame takes 50.
    channel_frames_second: int = 200
    #: Bytes a second of one member, likewise; one frame at least.
    channel_bytes_second: int = 512 * 1024
    #: Frames that may wait for a member who does not keep up; then the oldest are lost.
    channel_queue_frames: int = 100
    #: Bytes that may wait likewise; one frame at least.
    channel_queue_bytes: int = 256 * 1024
    #: Largest request body and largest WebSocket frame, in bytes.
    body_bytes: int = 128 * 1024
    #: Seconds that connections get to leave when the server drains.
    drain_seconds: float = 5.0
    #: Names under which the API may be called, comma-separated: ``chat.example.org``, ``.example.org`` for all below
    #: it, ``*`` for any. Loopback names, IP addresses and the names in host, advertise and api are always among them.
    hosts: str = ""
    #: Origins whose pages may call the API from elsewhere (CORS), with the token that they have, comma-separated:
    #: ``https://app.example.org``, ``http://localhost:*`` for any port, ``*`` for all. ``./klatsch up`` with a Kafka
    #: and a Postgres of its own admits ``http://localhost:*, http://127.0.0.1:*`` unless this is set, be it to nothing.
    origins: str = ""
    #: Proxies that a request passes before it reaches this process; so many entries of the header below are believed.
    proxies: int = 0
    #: Where proxies note the client's address: the header that they write themselves, whatever the client sent.
    proxy_header: Literal["X-Forwarded-For", "Forwarded"] = "X-Forwarded-For"
    #: Who may read ``/metrics`` and the parts in ``/readyz``: all (``open``), who shows the metrics token or an
    #: operator's (``token``), nobody (``off``); ``auto``: open while it listens on a loopback address, else token.
    metrics: Literal["auto", "open", "token", "off"] = "auto"
    #: The token for ``metrics``, as ``Authorization: Bearer``; empty: only an operator's is good.
    metrics_token: str = ""
    #: Connections that this process has open at most; 0: as many as it has descriptors for.
    connections: int = 0
    #: Connections of one address (IPv6: of one /64) that have not shown a token; over gRPC: calls that have not sent
    #: their request, or need no token.
    strangers: int = 1024
    #: Seconds for the head of a request, from its first byte; a new connection has as long to begin.
    head_seconds: float = 20.0
    #: Seconds for the body of a request; and one more for each ``body_rate`` bytes of it.
    body_seconds: float = 20.0
    #: Bytes a second that a body may bring at least, once ``body_seconds`` are over.
    body_rate: int = 1024
    #: Frames of a WebSocket before its token is found good.
    early_frames: int = 256
    #: Bytes of the same.
    early_bytes: int = 512 * 1024
    #: Control frames and fragments a second of one WebSocket; ten times as many at once.
    control_frames: int = 100

    def __repr__(self) -> str:
        """Without secrets, as it may get into logs and the output of tests."""
        shown = {name: "..." if name in SECRETS and value else value for name, value in _values(self).items()}
        shown["postgres"] = without_password(self.postgres)
        return f"Settings({', '.join(f'{name}={value!r}' for name, value in shown.items())})"

    def __post_init__(self) -> None:
        try:
            Origins(self.origins)
        except ValueError as error:
            raise ValueError(f"KLATSCH_ORIGINS: {error}") from error
        if self.sealing_key and not _KEY.fullmatch(self.sealing_key):
            length = len(self.sealing_key)
            raise ValueError(f"KLATSCH_SEALING_KEY: expected 64 hexadecimal digits, got {length} characters")
        if self.relay_url and not is_socket_url(self.relay_url):
            raise ValueError(f"KLATSCH_RELAY_URL: expected {SOCKET_URL}, got {self.relay_url!r}")
        for name in self.__struct_fields__:
            if name.startswith("limit_"):
                try:
                    quota(getattr(self, name))
                except ValueError as error:
                    raise ValueError(f"KLATSCH_{name.upper()}: {error}") from error

    @property
    def address(self) -> str:
        """``host:port`` for other processes."""
        return self.advertise or f"{self.host}:{self.port}"

    @property
    def grpc_address(self) -> str:
        """``host:port`` of gRPC for other processes."""
        return f"{self.address.rpartition(':')[0]}:{self.grpc_listen}"

    @property
    def grpc_listen(self) -> int:
        """The port on which gRPC is served."""
        return self.grpc_port or self.port + 3

    @property
    def relay_base(self) -> str:
        """Base URL of the relay's WebSocket, without a slash at its end."""
        return self.relay_url.rstrip("/") or f"ws://{self.address}"

    def topic(self, name: str) -> str:
        """The Kafka topic of a logical name: ``rooms`` -> ``klatsch.rooms``."""
        return f"{self.prefix}.{name}"


#: Fields that nobody but the installation's own processes may see.
SECRETS = frozenset({"secret", "sealing_key", "kafka_password", "metrics_token"})


def _values(settings: Settings) -> dict[str, object]:
    return msgspec.structs.asdict(settings)


#: What ``is_socket_url`` takes, in words.
SOCKET_URL = "a base URL such as wss://voice.example.org or ws://127.0.0.1:8404, without query and credentials"
_SOCKET_URL = re.compile(r"wss?://(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::[0-9]{1,5})?(?:/[A-Za-z0-9._~/-]*)?")


def is_socket_url(text: str) -> bool:
    """Whether it is the base URL of a WebSocket: others are made of it by adding a path."""
    return _SOCKET_URL.fullmatch(text) is not None


def without_password(address: str) -> str:
    """The address for the screen: ``postgresql://user:secret@host/x`` as ``postgresql://host/x``."""
    scheme, separator, rest = address.rpartition("://")
    return scheme + separator + rest.rpartition("@")[2]


def load(environ: Mapping[str, str] | None = None, **overrides: object) -> Settings:
    """Settings from the environment, then ``overrides`` (those that are not None).

    Raises SettingsError that names the variable, what was expected and what was found.
    """
    environ = os.environ if environ is None else environ
    values: dict[str, object] = {}
    for field in msgspec.structs.fields(Settings):
        text = environ.get(f"KLATSCH_{field.name.upper()}")
        if text is not None:
            values[field.name] = text
    values.update({name: value for name, value in overrides.items() if value is not None})
    try:
        return msgspec.convert(values, Settings, strict=False)
    except msgspec.ValidationError as error:
        raise SettingsError(f"configuration: {error} (variables are KLATSCH_<FIELD>)") from error


def environment(settings: Settings) -> dict[str, str]:
    """The variables that make a child process see the same settings."""
    return {f"KLATSCH_{name.upper()}": str(value) for name, value in _values(settings).items()}
