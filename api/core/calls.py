"""One call of a client, whichever way it came: who asks, with what key, and the services that answer it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from contextlib import asynccontextmanager
from typing import Any, Literal, NamedTuple, Protocol, TypeVar

import msgspec

from api.core.limits import Allowance, LimitName, Limits
from api.core.repeating import Digests, as_it_was
from api.core.tokens import FOREIGN, NO_TOKEN, REVOKED, Identity
from api.support.app_counts import AppCounts
from api.support.app_users import AppUsers
from api.support.apps import Apps
from api.support.channel_servers import AddChannel, DropChannel, no_way_to_add, no_way_to_drop
from api.support.credential_store import CredentialStore
from api.support.heavy import Heavy
from api.support.limiter import Limiter
from api.support.login_throttle import LoginThrottle
from api.support.looking import Looker
from api.support.metrics import OWN_WRITES
from api.support.pagecache import PageCache
from api.support.passwords import Passwords
from api.support.plans import Plans
from api.support.problems import Problem
from api.support.sessions_in_use import SessionsInUse
from events.core.clock import now, uuid7
from events.core.derived_ids import DEFAULT_APP
from events.core.positions import Vector
from events.core.records import Key
from events.sessions import SessionClosed
from infra.base.postgres import Connection, Pool, Row
from infra.base.progress import Progress
from infra.base.settings import Quota, Settings
from producers import accounts
from producers.commands import ANY_APP, ANY_TEAM, Command, CommandEnvelope, Outcome, Refused
from producers.engine.router import Producers
from projectors.as_of.rooms import Kept
from push.presence.gossip import GossipMessage

log = logging.getLogger(__name__)

Found = TypeVar("Found")

#: Seconds a read waits for the position that the client asks for.
POSITION_SECONDS = 5.0


class Feed(Protocol):
    """What the API needs to know of the feed."""

    @property
    def epoch(self) -> str:
        """The incarnation of the feed topic; a cursor of another one means nothing."""
        ...

    async def cursor(self, user: str) -> int:
        """The cursor after all that the user's feed partition holds now."""
        ...

    async def heads(self) -> Vector:
        """The next offset of every shard of the log now."""
        ...


#: API keys unknown to a process that it looks for: so many from one address at once, as many again in so many seconds.
KEY_LOOKUPS = Quota(200, 10)
#: Those from all addresses together: what Postgres does beside its work. As a subject they are what no address is.
ALL_KEY_LOOKUPS, EVERYONE = Quota(4_000, 10), "*"
#: The actor of what an application's server does for no user.
SERVER = "server"

#: Writes notes for the push nodes, soon; it may lose them.
TellNotes = Callable[[Sequence[GossipMessage]], None]


def untold(notes: Sequence[GossipMessage]) -> None:
    """What a process does that writes no notes: whoever watches is told with the next ones of another process."""


class Services:
    """What calls are answered with; one object a process."""

    def __init__(
        self, settings: Settings, pool: Pool, progress: Progress, producers: Producers,
        credential_store: CredentialStore, feed: Feed,
    ) -> None:  # fmt: skip
        self.settings = settings
        self.pool = pool
        self.progress = progress
        self.producers = producers
        self.credential_store = credential_store
        self.feed = feed
        self.passwords = Passwords()
        self.looker = Looker()
        self.limits = Limits(settings)
        self.login_throttle = LoginThrottle(settings)
        self.heavy = Heavy(settings)
        self.apps = Apps(pool, progress, credential_store.sealer)
        self.app_users = AppUsers(pool, progress)
        self.sessions = SessionsInUse(pool, producers)
        self.plans = Plans(pool, progress)
        self.app_counts = AppCounts(pool, progress)
        #: API keys that are not known here and looked for.
        self.key_lookups = Limiter(KEY_LOOKUPS)
        self.pages = PageCache(progress, settings.page_cache_bytes)
        self.digests = Digests(settings.secret)
        #: Rooms as they were when commands with keys were first given.
        self.kept = Kept()
        #: Rooms of which it is known that they are no direct ones, which they stay, with their application: to others
        #: they are as rooms that are not.
        self.groups: dict[str, str] = {}
        #: How a server of live channels is told to serve one; whoever starts the process can set another way.
        self.add_channel: AddChannel = no_way_to_add
        #: How the other processes learn who is in live channels; whoever starts the process sets a way.
        self.tell: TellNotes = untold
        #: Called when an account was erased: whoever does what is left to do sets it.
        self.erase_soon: Callable[[], None] = lambda: None
        #: Connections of an application to all nodes, as far as they are known; whoever starts the process sets a way.
        self.connections: Callable[[str], int] = lambda app: 0
        #: How one is told that a channel was deleted, likewise.
        self.drop_channel: DropChannel = no_way_to_drop

    async def count(self, limit: LimitName, identity: Identity | None, address: str) -> Allowance | None:
        """As ``Limits.count``, by what the plan of the caller's application allows."""
        if identity is None or identity.role == "operator":
            return self.limits.count(limit, identity, address)
        held = await self.plans.of(identity.app)
        return self.limits.count(limit, identity, address, held.limits.calls_minute)


def _is_there(found: object) -> bool:
    return found is not None


class Asked(NamedTuple):
    """What a client asks for, as its digest says it."""

    #: Name of the operation.
    operation: str
    request: Any


class Call:
    """A request with its context. ``position`` collects where the commands' events stand."""

    def __init__(
        self, services: Services, identity: Identity | None, *, key: str | None = None, traceparent: str | None = None,
        connection: str | None = None, address: str = "", app: str = DEFAULT_APP,
    ) -> None:  # fmt: skip
        self.services = services
        self.identity = identity
        self.key = key
        self.traceparent = traceparent
        #: Client id of the push connection over which it came; None over HTTP.
        self.connection = connection
        #: Where the client calls from, as ``address.client_address`` gives it.
        self.address = address
        #: The application of which the caller may know; ``*`` of an operator: all.
        self.reach = app if identity is None else identity.app
        self.position: Vector = {}
        #: Whether it reads much: it waits for its turn before it takes a connection to Postgres.
        self.heavy = False
        self._has_turn = False
        #: Set before the operation runs.
        self.asked: Asked | None = None
        #: Whether a key told that this was done before.
        self.repeated = False
        self._team: str | msgspec.UnsetType | None = msgspec.UNSET
        self._team_lookup = asyncio.Lock()
        #: Set by an operation that logs somebody in: the token goes into the stream's cookie too.
        self.stream_token: str | None = None

    @property
    def settings(self) -> Settings:
        return self.services.settings

    @property
    def kept(self) -> Kept:
        """Rooms as they were when commands with keys were first given."""
        return self.services.kept

    @property
    def caller(self) -> Identity:
        """Who calls. Operations without a permission for anyone have one. Raises Problem ``unauthenticated``."""
        if self.identity is None:
            raise Problem("unauthenticated", NO_TOKEN)
        return self.identity

    @property
    def user(self) -> str:
        """The caller's user id, as operations without a permission for anyone have one. Raises as ``caller``."""
        return self.caller.user or SERVER

    @property
    def app(self) -> str:
        """Id of the application in which the caller is; of an operator the default one, in which they make things."""
        return DEFAULT_APP if self.reach == ANY_APP else self.reach

    def reaches(self, app: str) -> bool:
        """Whether the caller may know of what is of an application."""
        return self.reach in (app, ANY_APP)

    async def team(self) -> str | None:
        """Id of the team of the user who calls, or for whom the application's server does; None: they are in none.

        Costs no query where the application has no teams, nor where the user has called before.
        """
        identity = self.identity
        # An operator's token names nobody who is there.
        if identity is None or not identity.user or identity.role == "operator":
            return None
        # What one call gives at once is looked up once, and goes on in its order.
        async with self._team_lookup:
            if self._team is msgspec.UNSET:
                self._team = await self._find_team(identity)
        return self._team

    async def _find_team(self, identity: Identity) -> str | None:
        if not await self.has_teams():
            return None
        users = self.services.app_users
        found = await self.sought(lambda: users.get_known(identity.app, identity.user), "users")
        if found is None and identity.role in ("person", "service"):
            # Who is deactivated is not somebody of no team.
            raise Problem("unauthenticated", FOREIGN)
        return None if found is None else found.team

    async def _acts_in(self) -> str | None:
        """Of which team's rooms its commands may know: where nobody calls, what the system does by itself, of all."""
        return ANY_TEAM if self.identity is None else await self.team()

    async def has_teams(self) -> bool:
        """Whether the caller's application has teams."""
        return await self.services.apps.has_teams(self.app)

    @property
    def via(self) -> Literal["app"] | None:
        """``app`` where an application's own server calls, for a user or for itself."""
        return "app" if self.identity is not None and self.identity.role == "server" else None

    async def count(self, limit: LimitName) -> None:
        """Counts the call against a further limit. Raises Problem ``rate_limited``."""
        allowance = await self.services.count(limit, self.identity, self.address)
        if allowance is not None:
            allowance.check()

    async def submit(
        self, command: Command, *, unless: Problem | Refused | None = None, shows: Collection[Key] | None = None,
        key: str | None = None, actor: str | None = None, asked: Asked | None = None, everywhere: bool = False,
    ) -> Outcome:  # fmt: skip
        """Decides what the client asked for; ``key`` instead of the caller's own. Raises Problem, Refused, Unavailable.

        ``unless`` is what a check before it found: the command is refused so, unless its key was used. A check that
        raises by itself would tell whoever had no answer that what has happened has not.

        Where the key was used, the outcome is the first one: its events, and the entities as they were then, without
        what is deleted now. ``shows``: those that the answer shows; None: all that the command names.

        ``asked``: a part of the request that has a key of its own. ``everywhere``: in any application.
        """
        if self.identity is not None:
            accounts.allow(self.identity.kind, command, self.user)
        key = key if key is not None else self.key
        if key is None:
            if unless is not None:
                raise unless
            return await self.step(command, key=None, actor=actor, everywhere=everywhere)
        about = asked or self.asked
        try:
            outcome = await self._decided(CommandEnvelope(
                command=command, id=uuid7(), actor=actor or self.user, key=key, time=now(),
                traceparent=self.traceparent, app=ANY_APP if everywhere else self.reach, via=self.via,
                team=await self._acts_in(), keep=True,
                digest=None if about is None else self.services.digests.of(*about),
                refusal=None if unless is None else (unless.code, unless.detail),
            ))  # fmt: skip
        except Refused as refusal:
            if unless is not None and (refusal.code, refusal.detail) == (unless.code, unless.detail):
                # What it says besides does not go along to the shard.
                raise unless from refusal
            raise
        if not outcome.repeated:
            return outcome
        # Of a request with several keys only a part was done before.
        self.repeated = self.repeated or asked is None
        return await as_it_was(self, outcome, shows)

    async def used(self, command: Command, *, shows: Collection[Key]) -> Outcome | None:
        """The first result of a command, if the caller's key was used for one of its kind in its stream."""
        if self.key is None:
            return None
        unused = Refused("unused", "expected a key that was used")
        try:
            return await self.submit(command, unless=unused, shows=shows)
        except Refused as refusal:
            if refusal.code != unused.code:
                raise
            return None

    async def step(
        self, command: Command, *, key: str | None, actor: str | None = None, id: str | None = None,
        time: str | None = None, keep: bool = False, everywhere: bool = False,
    ) -> Outcome:  # fmt: skip
        """Decides a command that no client asked for as such, or a line of an import; ``keep``: as in Order.
        ``everywhere``: in any application.

        Its key is ours: it repeats a step, and the outcome's state is the present one. Raises Refused, Unavailable.
        """
        return await self._decided(CommandEnvelope(
            command=command, id=id or uuid7(), actor=actor or self.user, key=key, time=time or now(),
            traceparent=self.traceparent, keep=keep,
            app=ANY_APP if everywhere else self.reach, via=self.via, team=await self._acts_in(),
        ))  # fmt: skip

    async def _decided(self, envelope: CommandEnvelope) -> Outcome:
        outcome = await self.services.producers.submit(envelope)
        if outcome.position is not None:
            shard, after = outcome.position.shard, outcome.position.offset + 1
            self.position[shard] = max(after, self.position.get(shard, 0))
        for record in outcome.records:
            if isinstance(record.data, SessionClosed):
                self.services.progress.end(record.data.session)
        return outcome

    async def catch_up(self, vector: Vector, seconds: float = POSITION_SECONDS) -> None:
        """Waits until the read models have reached ``vector``. Raises Problem ``lagging``."""
        if not await self.services.progress.wait(vector, seconds):
            raise Problem("lagging", f"the read models have not reached the position within {seconds} s", retry_after=2)

    async def see_own(self) -> None:
        """Waits until the read models have what was acknowledged to the caller, by any process, on any device.

        Raises Problem ``lagging``, or ``unavailable`` where Kafka must be asked, and does not answer.
        """
        with OWN_WRITES.time():
            vector, unknown = await self.services.producers.recent(self.user)
            if unknown:
                heads = await self.services.feed.heads()
                vector |= {shard: heads[shard] for shard in unknown}
            if vector:
                await self.catch_up(vector)
                self._still_open()

    async def meet_own(self, topic: Literal["users", "rooms", "apps"]) -> None:
        """Waits up to a second for what the caller has done, as a person, in rooms or to applications.

        A check that no decision can make must know of the block that was made, or the room that was, a moment ago; and
        a change on which others rely is answered when they find it. For what is no read: those see all. After that
        second a check is a moment late.
        """
        vector, unknown = await self.services.producers.recent(self.user)
        vector = {shard: after for shard, after in vector.items() if shard.topic == topic}
        if any(shard.topic == topic for shard in unknown):
            await self.see_all(topic)
        elif vector:
            await self.services.progress.wait(vector, 1.0)

    def _still_open(self) -> None:
        """What was waited for may have closed the caller's session. Raises Problem ``token_revoked``."""
        if self.identity is not None and self.identity.session in self.services.progress.revoked:
            raise Problem("token_revoked", REVOKED)

    async def see_all(self, *topics: str) -> bool:
        """Waits up to a second for what some topics of the log have now: who registered a moment ago, anywhere, must be
        found. Returns whether the read models have it; not while Kafka does not answer."""
        try:
            heads = await self.services.feed.heads()
        except Problem as problem:
            log.warning("%s; continuing with what the read models have", problem.detail)
            return False
        vector = {shard: after for shard, after in heads.items() if shard.topic in topics}
        return await self.services.progress.wait(vector, 1.0)

    async def sought(
        self, read: Callable[[], Awaitable[Found]], *topics: str, enough: Callable[[Found], bool] = _is_there
    ) -> Found:  # fmt: skip
        """What ``read`` finds; where that is not ``enough``, without it nothing, what it finds once the read models
        have all that topics have: what was made a moment ago, anywhere, is found. Raises as ``read``."""
        found = await read()
        if not enough(found) and await self.see_all(*topics):
            found = await read()
        return found

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[Connection]:
        """A connection to Postgres for the length of the block: the one way to it, so that heavy reads take turns.

        Raises TimeoutError when none comes free, and what ``Heavy.turn`` raises.
        """
        if not self.heavy or self._has_turn:
            async with self.services.pool.acquire(timeout=5) as connection:
                yield connection
            return
        async with self.services.heavy.turn(self.caller.account):
            self._has_turn = True
            try:
                async with self.services.pool.acquire(timeout=5) as connection:
                    yield connection
            finally:
                self._has_turn = False

    async def rows(self, sql: str, *arguments: Any) -> list[Row]:
        """All rows of a query. Raises as ``reading``."""
        async with self.reading() as connection:
            return await connection.fetch(sql, *arguments)

    async def row(self, sql: str, *arguments: Any) -> Row | None:
        """The first row of a query, or None. Raises as ``reading``."""
        async with self.reading() as connection:
            return await connection.fetchrow(sql, *arguments)
