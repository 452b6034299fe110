"""Private members of aiokafka: those that we need, each with what breaks without it. No other file has any.

They were read in aiokafka 0.14. With another version ``tests/infra/base/test_aiokafka_private.py`` fails, so that
somebody reads them again. Nothing here waits or decides: that is for the callers.
"""

from __future__ import annotations

from asyncio import StreamWriter, Task
from traceback import walk_tb
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.client import AIOKafkaClient

# Clients of any kind.


def network(client: AIOKafkaConsumer | AIOKafkaAdminClient) -> AIOKafkaClient:
    """What the client sends its requests over; a producer has it under a public name.

    Without it there are no ids of topics (``incarnation.py``), for which no public method asks, and a client whose
    start or stop has failed keeps its connections.
    """
    return client._client


class _NoMore(dict[Any, Any]):
    """Connections of a client that is closed: one that is put in is closed at once."""

    def __setitem__(self, name: Any, connection: Any) -> None:
        super().__setitem__(name, connection)
        connection.close()


def connect_no_more(client: AIOKafkaClient) -> None:
    """A connection that the client is still making is closed when it is there; for after its close.

    ``close`` closes the connections that are there, and no others: without this, one that was just being made stays
    open, with nobody to close it, until the garbage collector finds it.
    """
    client._conns = _NoMore(client._conns)


def close_forgotten(error: BaseException) -> None:
    """Close the connection of a client whose start ended with this error.

    The first connection is known only to ``AIOKafkaClient.bootstrap``, which does not close it when the wait for its
    first answer is cancelled. Without this its socket and the task that reads it stay behind.
    """
    # Where a deadline ended it, the frames are those of the cancellation behind the TimeoutError.
    behind: BaseException | None = error
    while behind is not None:
        for frame, _ in walk_tb(behind.__traceback__):
            if frame.f_code is AIOKafkaClient.bootstrap.__code__:
                connection = frame.f_locals.get("bootstrap_conn")
                if connection is not None:
                    connection.close()
        behind = behind.__cause__ or behind.__context__


# Producers.


def sender(client: AIOKafkaProducer) -> Task[None] | None:
    """The task that delivers batches; None before the start.

    When it dies, the client goes on taking batches and delivers none, sometimes without failing those that it has.
    Without it nobody notices, and ``stop`` waits for it for ever.
    """
    task: Task[None] | None = client._sender.sender_task
    return task


def sockets(client: AIOKafkaProducer) -> list[StreamWriter]:
    """What its connections write to.

    ``close`` lets a transport send what it holds first. Without this a broker that does not answer keeps the sockets of
    each producer that was replaced.
    """
    return [connection._writer for connection in client.client._conns.values() if connection._writer]


def mark_closed(client: AIOKafkaProducer) -> None:
    """Say that nobody need stop it any more. Without it, a producer that is brought down warns when it is collected."""
    client._closed = True


# Consumers.


def cancel_fetch(consumer: AIOKafkaConsumer) -> None:
    """One more cancel for the task that fetches, where there is one.

    ``Fetcher._fetch_requests_routine`` may swallow the only cancel that ``stop`` gives it: without more of them, a stop
    right after an ``assign`` may wait for ever.
    """
    if consumer._fetcher is not None:
        consumer._fetcher._fetch_task.cancel()


def let_gather(consumer: AIOKafkaConsumer, least_bytes: int, most_ms: int) -> None:
    """Have the broker answer a fetch once so many bytes wait, or after so many milliseconds; before the start.

    For a consumer that Faust makes, which has no setting for either: without it each message is a fetch of its own.
    """
    consumer._fetch_min_bytes, consumer._fetch_max_wait_ms = least_bytes, most_ms


def membership_ended(consumer: AIOKafkaConsumer) -> bool:
    """Whether the task that keeps the membership of a group has ended.

    Without it ``getmany`` raises that task's cancellation, which looks like a cancellation of the caller.
    """
    return bool(consumer._coordinator._coordination_task.done())


def is_member(consumer: AIOKafkaConsumer) -> bool:
    """Whether the consumer is in its group, and has not to join again.

    ``assignment`` says nothing of it: without this, a member that is out of the group for good takes itself for one.
    """
    coordinator = consumer._coordinator
    beating = coordinator._heartbeat_task is not None and not coordinator._heartbeat_task.done()
    return bool(beating and coordinator.coordinator_id is not None and not coordinator._rejoin_needed_fut.done())


def tasks(consumer: AIOKafkaConsumer) -> list[Task[None]]:
    """The tasks of a member of a group that still run.

    In the middle of a rebalance ``stop`` waits for its end. Without them, a stop that is given up leaves them running.
    """
    coordinator, fetcher = consumer._coordinator, consumer._fetcher
    if fetcher is None:
        return []
    found = [coordinator._coordination_task, coordinator._heartbeat_task, fetcher._fetch_task]
    return [task for task in found if task is not None and not task.done()]
